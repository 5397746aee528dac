/* SPDX-License-Identifier: MIT */
/*
 * test_getpass_threads.c - another thread ends a program that asks, or gets the
 * signal for it
 */
#include "t_getpass.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>

FIXTURE(threads)
{
	struct ti_tty t;
};

FIXTURE_SETUP(threads)
{
	TG_OPEN();
}

FIXTURE_TEARDOWN(threads)
{
}

/* Other threads do it, when the question is there. */
static pthread_t in_thread(struct ti_tty *t, void *(*call)(void *))
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, call, t));
	return thread;
}

static void *call_exit(void *arg)
{
	ti_receive(((struct ti_tty *)arg)->go);
	exit(3);
}

static void ask_and_exit(struct ti_tty *t)
{
	(void)in_thread(t, call_exit);
	tg_ask(t);
}

TEST_F(threads, another_thread_exits)
{
	TG_ASKS(ask_and_exit);
	ti_send(self->t.go);
	EXPECT_EQ(3, WEXITSTATUS(ti_tty_wait(&self->t)));
	EXPECT_TRUE(ti_tty_is_as_before(&self->t));
}

static void *call_abort(void *arg)
{
	ti_receive(((struct ti_tty *)arg)->go);
	abort();
}

static void ask_and_abort(struct ti_tty *t)
{
	(void)in_thread(t, call_abort);
	tg_ask(t);
}

TEST_F(threads, another_thread_aborts)
{
	TG_ASKS(ask_and_abort);
	ti_send(self->t.go);
	TG_DIES_OF(SIGABRT);
}

static void *free_twice(void *arg)
{
	char *p = secmalloc(16);

	ti_receive(((struct ti_tty *)arg)->go);
	secfree(p);
	secfree(p);
	return NULL;
}

static void ask_and_corrupt(struct ti_tty *t)
{
	(void)in_thread(t, free_twice);
	tg_ask(t);
}

TEST_F(threads, corruption_that_is_found_elsewhere)
{
	TG_ASKS(ask_and_corrupt);
	ti_send(self->t.go);
	TG_DIES_OF(SIGABRT);
}

static void *fault(void *arg)
{
	ti_receive(((struct ti_tty *)arg)->go);
	*(volatile char *)tg_handler.address = 1;
	return NULL;
}

static void ask_and_fault(struct ti_tty *t)
{
	tg_handler.address =
		mmap(NULL, ta_page(), PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
	(void)in_thread(t, fault);
	tg_ask(t);
}

TEST_F(threads, another_thread_faults)
{
	KSFT_SANITIZER_SKIP("it has a handler for faults");
	TG_ASKS(ask_and_fault);
	ti_send(self->t.go);
	TG_DIES_OF(SIGSEGV);
}

/* Such programs know what they do: it goes on. */
static void mend(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	tg_handler.calls++;
	if (info->si_addr == tg_handler.address)
		(void)mprotect(tg_handler.address, ta_page(),
			       PROT_READ | PROT_WRITE);
}

static void ask_and_mend(struct ti_tty *t)
{
	struct sigaction a = { .sa_sigaction = mend, .sa_flags = SA_SIGINFO };
	pthread_t thread;

	ASSERT_EQ(0, sigaction(SIGSEGV, &a, NULL));
	tg_handler.address =
		mmap(NULL, ta_page(), PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
	thread = in_thread(t, fault);
	tg_expect(NULL, EINTR, NULL);
	EXPECT_TRUE(ti_tty_is_as_before(t));
	/* The fault happens again, for the program's handler. */
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(1, tg_handler.calls);
}

TEST_F(threads, a_fault_that_is_handled_tells_its_address)
{
	KSFT_SANITIZER_SKIP("it has a handler for faults");
	TG_ASKS(ask_and_mend);
	ti_send(self->t.go);
	TG_ENDS_WELL();
}

/* The one thread that does not block the signal. */
static void *receive(void *arg)
{
	sigset_t all;

	(void)sigemptyset(&all);
	EXPECT_EQ(0, pthread_sigmask(SIG_SETMASK, &all, NULL));
	ti_send(((struct ti_tty *)arg)->done);
	for (;;)
		pause();
	return NULL;
}

/* All but SIGCONT, which is then ignored when it is sent, and not when somebody
 * gets it: that may be when the question is there again. */
static void leave_signals_to(struct ti_tty *t, void *(*thread)(void *))
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigdelset(&all, SIGCONT);
	EXPECT_EQ(0, pthread_sigmask(SIG_SETMASK, &all, NULL));
	(void)in_thread(t, thread);
	ti_receive(t->done);
}

static void block_and_ask(struct ti_tty *t)
{
	leave_signals_to(t, receive);
	tg_ask(t);
}

TEST_F(threads, another_thread_gets_it)
{
	TG_ASKS(block_and_ask);
	EXPECT_EQ(0, kill(self->t.job, SIGTERM));
	TG_DIES_OF(SIGTERM);
	TG_ASKS(block_and_ask);
	EXPECT_EQ(0, kill(self->t.job, SIGTSTP));
	EXPECT_TRUE(WIFSTOPPED(ti_tty_wait(&self->t)));
	EXPECT_TRUE(ti_tty_is_as_before(&self->t));
	ti_tty_continue(&self->t);
	EXPECT_LE(0, ti_tty_see(&self->t, TG_PROMPT));
	TG_ANSWERS();
}

static void block_handle_and_ask(struct ti_tty *t)
{
	tg_handle(t, SIGTERM);
	leave_signals_to(t, receive);
	tg_expect(NULL, EINTR, NULL);
}

TEST_F(threads, another_thread_handles_it)
{
	TG_ASKS(block_handle_and_ask);
	EXPECT_EQ(0, kill(self->t.job, SIGTERM));
	TG_ENDS_WELL();
}

enum { OFTEN = 20 };

static void block_handle_and_ask_often(struct ti_tty *t)
{
	int i;

	block_handle_and_ask(t);
	for (i = 1; i < OFTEN; i++)
		tg_expect(NULL, EINTR, NULL);
	tg_ask(t);
	while (tg_handler.calls < OFTEN)
		(void)sched_yield();
}

TEST_F(threads, each_that_another_thread_handles_ends_one_question)
{
	int i;

	ti_tty_start(&self->t, block_handle_and_ask_often);
	for (i = 0; i < OFTEN; i++) {
		EXPECT_LE(0, ti_tty_see(&self->t, TG_PROMPT));
		EXPECT_EQ(0, kill(self->t.job, SIGTERM));
	}
	EXPECT_LE(0, ti_tty_see(&self->t, TG_PROMPT));
	TG_ANSWERS();
}

/* As system(3) does: it ignores the signal for a while, and then puts back what
 * it has found. */
static struct sigaction found;

static void *ignore(void *arg)
{
	const struct sigaction a = { .sa_handler = SIG_IGN };
	struct ti_tty *t = arg;

	ti_receive(t->go);
	EXPECT_EQ(0, sigaction(SIGINT, &a, &found));
	ti_send(t->done);
	return NULL;
}

static void put_back_and_ask(struct ti_tty *t)
{
	pthread_t thread = in_thread(t, ignore);

	tg_ask(t);
	EXPECT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, sigaction(SIGINT, &found, NULL));
	tg_ask(t);
	EXPECT_EQ(0, sigaction(SIGINT, &found, NULL));
	(void)raise(SIGINT);
}

static void ask_and_put_back(struct ti_tty *t)
{
	(void)in_thread(t, ignore);
	tg_ask(t);
	tg_ask(t);
	EXPECT_EQ(0, sigaction(SIGINT, &found, NULL));
	(void)raise(SIGINT);
}

TEST_F(threads, another_thread_puts_handlers_back_when_it_is_over)
{
	static ti_job *const jobs[] = { put_back_and_ask, ask_and_put_back };
	size_t i;

	for (i = 0; i < 2; i++) {
		TG_ASKS(jobs[i]);
		ti_send(self->t.go);
		ti_receive(self->t.done);
		ti_tty_type(&self->t, "answer\n");
		EXPECT_LE(0, ti_tty_see(&self->t, TG_PROMPT));
		ti_tty_type(&self->t, "answer\n");
		TG_DIES_OF(SIGINT);
	}
}

/* A handler that is late: between its word to who asks, which is written, and
 * its look whether that is heard, the other is at its end already.  These stand
 * for the C library's. */
#ifndef KSFT_SANITIZED
static struct {
	int armed, told, go, over; /* read and written by __atomic builtins */
	pthread_t thread;	   /* that has the handler */
} late;

static void set(int *flag)
{
	__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
}

static int is_set(const int *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void wait_until(const int *flag)
{
	while (!is_set(flag))
		(void)sched_yield();
}

ssize_t write(int fd, const void *at, size_t size)
{
	const struct iovec all = { (void *)(uintptr_t)at, size };
	const int handler = is_set(&late.armed) &&
			    pthread_equal(pthread_self(), late.thread);
	ssize_t n;

	if (handler)
		set(&late.told);
	n = writev(fd, &all, 1);
	if (handler)
		wait_until(&late.go);
	return n;
}

ssize_t read(int fd, void *to, size_t size)
{
	const struct iovec all = { to, size };

	if (is_set(&late.told)) {
		set(&late.go);
		wait_until(&late.over);
	}
	return readv(fd, &all, 1);
}

static void *receive_late(void *arg)
{
	sigset_t none;

	late.thread = pthread_self();
	ti_send(((struct ti_tty *)arg)->done);
	(void)sigemptyset(&none);
	(void)sigsuspend(&none);
	set(&late.over);
	EXPECT_EQ(0, pthread_sigmask(SIG_SETMASK, &none, NULL));
	for (;;)
		pause();
	return NULL;
}

/* Who has woken it by then has ended the question. */
static void ask_till_late(struct ti_tty *t)
{
	tg_handle(t, SIGTERM);
	leave_signals_to(t, receive_late);
	set(&late.armed);
	tg_expect(NULL, EINTR, NULL);
	EXPECT_TRUE(is_set(&late.over));
	while (!tg_handler.calls)
		(void)sched_yield();
}
#else
static void ask_till_late(struct ti_tty *t)
{
	(void)t;
}
#endif

TEST_F(threads, another_thread_handles_it_and_is_late)
{
	KSFT_SANITIZER_SKIP("it has functions of its own for these");
	TG_ASKS(ask_till_late);
	EXPECT_EQ(0, kill(self->t.job, SIGTERM));
	TG_ENDS_WELL();
}
