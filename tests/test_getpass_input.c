/* SPDX-License-Identifier: MIT */
/*
 * test_getpass_input.c - secmalloc_getpass(): what is no terminal, and children,
 * threads
 */
#include "t_getpass.h"
#include "t_scan.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { LONG = 3000 };

FIXTURE(input)
{
	struct ti_tty t;
};

FIXTURE_SETUP(input)
{
	TG_OPEN();
}

FIXTURE_TEARDOWN(input)
{
}

static const struct secmalloc_load_options from_stdin = {
	.flags = SECMALLOC_LOAD_STDIN
};

/* Standard input from now on: the end to write to. */
static int feed(void)
{
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(0, dup2(ends[0], 0));
	ASSERT_EQ(0, close(ends[0]));
	return ends[1];
}

static void put(int fd, const char *text)
{
	ASSERT_EQ(strlen(text), write(fd, text, strlen(text)));
}

TEST(one_line_after_the_other_and_no_more)
{
	const int to = feed();
	char rest[8] = "";

	put(to, "first\nsecond\n\nrest\nx");
	tg_expect("first", 0, &from_stdin);
	tg_expect("second", 0, &from_stdin);
	tg_expect("", 0, &from_stdin);
	EXPECT_EQ(5, read(0, rest, 5));
	EXPECT_STREQ("rest\n", rest);
	ASSERT_EQ(0, close(to));
	tg_expect("x", 0, &from_stdin);
	tg_expect(NULL, ENODATA, &from_stdin);
}

TEST(long_lines_and_too_long_ones)
{
	struct secmalloc_load_options o = from_stdin;
	static char line[LONG + 2];
	const int to = feed();

	memset(line, 'x', LONG);
	line[LONG] = '\n';
	put(to, line);
	put(to, line);
	put(to, "next\n");
	line[LONG] = '\0';
	o.max = LONG;
	tg_expect(line, 0, &o);
	o.max = LONG - 1;
	tg_expect(NULL, EFBIG, &o);
	tg_expect("next", 0, &o);
}

TEST(a_line_that_does_not_come)
{
	struct timespec until = ti_in(20);
	struct secmalloc_load_options o = from_stdin;
	const int to = feed();

	o.deadline = &until;
	put(to, "half");
	tg_expect(NULL, ETIMEDOUT, &o);
	ASSERT_EQ(0, fcntl(0, F_SETFL, O_NONBLOCK));
	until = ti_in(20);
	tg_expect(NULL, ETIMEDOUT, &o);
	ASSERT_EQ(0, close(to));
	ASSERT_EQ(0, close(0));
	tg_expect(NULL, EBADF, &o);
}

static unsigned char high(size_t i, unsigned seed)
{
	return (unsigned char)(ti_byte(i, seed) | 0x80);
}

static void feed_secret(unsigned seed)
{
	const int to = feed();
	unsigned char byte;
	size_t i;

	for (i = 0; i < LONG; i++) {
		byte = high(i, seed);
		ASSERT_EQ(1, write(to, &byte, 1));
	}
	put(to, "\n");
}

TEST(nothing_of_a_line_is_elsewhere)
{
	char *p;
	size_t i;

	feed_secret(1);
	p = secmalloc_getpass(NULL, &from_stdin);
	ASSERT_NOT_NULL(p);
	for (i = 0; i < LONG; i++)
		ASSERT_EQ(high(i, 1), (unsigned char)p[i]);
	TI_IS_NOWHERE(high, LONG, 1);
}

TEST(stdio_keeps_a_line)
{
	static char line[LONG + 2];

	feed_secret(2);
	ASSERT_NOT_NULL(fgets(line, sizeof(line), stdin));
	secmalloc_wipe(line, sizeof(line));
	TI_IS_SOMEWHERE(high, LONG, 2);
}

/* A session of its own has no terminal. */
TEST(without_a_terminal_standard_input_is_read)
{
	const int to = feed();

	if (fork() == 0) {
		ASSERT_LE(0, setsid());
		tg_expect("line", 0, NULL);
		_exit(0);
	}
	put(to, "line\n");
	ASSERT_EQ(0, close(to));
	EXPECT_LE(0, wait(NULL));
}

static void ask_both(struct ti_tty *t)
{
	const int to = feed();

	(void)t;
	put(to, "from the pipe\n");
	tg_expect("from the terminal", 0, NULL);
	tg_expect("from the pipe", 0, &from_stdin);
}

TEST_F(input, the_terminal_is_asked_unless_standard_input_is_wanted)
{
	ti_tty_start(&self->t, ask_both);
	EXPECT_EQ(0, ti_tty_see(&self->t, TG_PROMPT));
	ti_tty_type(&self->t, "from the terminal\n");
	EXPECT_EQ(0, ti_tty_see(&self->t, "\r\n"));
	TG_ENDS_WELL();
}

/* In the job, when the question is there: each says when it is done. */
static void in_thread(struct ti_tty *t, void *(*call)(void *))
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, call, t));
}

#define MEANWHILE(job)                                         \
	do {                                                   \
		ti_tty_start(&self->t, job);                   \
		EXPECT_EQ(0, ti_tty_see(&self->t, TG_PROMPT)); \
		ti_send(self->t.go);                           \
		ti_receive(self->t.done);                      \
		EXPECT_FALSE(ti_tty_echoes(&self->t));         \
		ti_tty_type(&self->t, "answer\n");             \
		EXPECT_EQ(0, ti_tty_see(&self->t, "\r\n"));    \
		TG_ENDS_WELL();                                \
	} while (0)

static void *ask_too(void *arg)
{
	struct ti_tty *t = arg;

	ti_receive(t->go);
	errno = 0;
	EXPECT_NULL(secmalloc_getpass(NULL, NULL));
	EXPECT_EQ(EBUSY, errno);
	ti_send(t->done);
	return NULL;
}

static void ask_in_two_threads(struct ti_tty *t)
{
	in_thread(t, ask_too);
	tg_expect("answer", 0, NULL);
}

TEST_F(input, one_thread_asks_at_a_time)
{
	MEANWHILE(ask_in_two_threads);
}

static int is_default(int sig)
{
	struct sigaction a;

	return sigaction(sig, NULL, &a) == 0 && a.sa_handler == SIG_DFL;
}

static int descriptors; /* before the question */

/* A child asks, where it likes to, and ends in any way. */
static void *make_children(void *arg)
{
	struct ti_tty *t = arg;
	pid_t pid;

	ti_receive(t->go);
	pid = fork();
	if (pid == 0) {
		/* Neither the pipe nor the terminal. */
		EXPECT_EQ(descriptors, ta_descriptors());
		EXPECT_TRUE(is_default(SIGINT));
		EXPECT_TRUE(is_default(SIGTRAP));
		put(feed(), "child's\n");
		tg_expect("child's", 0, &from_stdin);
		exit(5);
	}
	EXPECT_EQ(5, ta_status(pid));
	pid = fork();
	if (pid == 0)
		abort();
	EXPECT_EQ(-SIGABRT, ta_status(pid));
	pid = ta_raw_fork();
	if (pid == 0)
		_exit(raise(SIGTERM));
	if (pid > 0)
		EXPECT_EQ(-SIGTERM, ta_status(pid));
	pid = ta_raw_fork();
	if (pid == 0)
		exit(6);
	if (pid > 0)
		EXPECT_EQ(6, ta_status(pid));
	ti_send(t->done);
	return NULL;
}

static void ask_with_children(struct ti_tty *t)
{
	descriptors = ta_descriptors();
	in_thread(t, make_children);
	tg_expect("answer", 0, NULL);
}

TEST_F(input, children_do_not_touch_the_terminal)
{
	MEANWHILE(ask_with_children);
}

static pthread_t asker;
static char *volatile got;

static void *cancel(void *arg)
{
	struct ti_tty *t = arg;

	ti_receive(t->go);
	EXPECT_EQ(0, pthread_cancel(asker));
	ti_send(t->done);
	return NULL;
}

static void *ask_and_be_cancelled(void *arg)
{
	(void)arg;
	got = secmalloc_getpass(TG_PROMPT, NULL);
	for (;;)
		pthread_testcancel();
	return NULL;
}

static void ask_and_cancel(struct ti_tty *t)
{
	void *result;

	ASSERT_EQ(0, pthread_create(&asker, NULL, ask_and_be_cancelled, NULL));
	in_thread(t, cancel);
	ASSERT_EQ(0, pthread_join(asker, &result));
	EXPECT_EQ(PTHREAD_CANCELED, result);
	EXPECT_STREQ("answer", got);
}

TEST_F(input, cancelling_waits_for_the_end)
{
	MEANWHILE(ask_and_cancel);
}

/* The pipe stays; nothing else is kept by calls that succeed or fail. */
static void ask_often(struct ti_tty *t)
{
	struct timespec past = { 0, 0 };
	const struct secmalloc_load_options o = { .deadline = &past };
	int i;

	(void)t;
	tg_expect("answer", 0, NULL);
	descriptors = ta_descriptors();
	for (i = 0; i < 20; i++)
		tg_expect(NULL, ETIMEDOUT, &o);
	EXPECT_EQ(descriptors, ta_descriptors());
	for (i = 3; i < 64; i++)
		(void)close(i); /* the harness, too */
	tg_expect(NULL, ETIMEDOUT, &o);
}

TEST_F(input, descriptors_are_not_lost)
{
	ti_tty_start(&self->t, ask_often);
	EXPECT_EQ(0, ti_tty_see(&self->t, TG_PROMPT));
	ti_tty_type(&self->t, "answer\n");
	EXPECT_EQ(0, ti_tty_see(&self->t, "\r\n"));
	TG_ENDS_WELL();
}
