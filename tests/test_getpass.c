/* SPDX-License-Identifier: MIT */
/*
 * test_getpass.c - secmalloc_getpass(): what is asked, shown and left behind
 */
#include "t_getpass.h"
#include "t_scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum { LONG = 40, CONTROL = 7 };

/* Letters, as terminals do things with other bytes. */
static unsigned char letter(size_t i, unsigned seed)
{
	return (unsigned char)('a' + ti_byte(i, seed) % 26);
}

static void type_secret(struct ti_tty *t, size_t size, unsigned seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		ti_tty_type_byte(t, letter(i, seed));
	ti_tty_type(t, "\n");
}

static int is_secret(const char *p, size_t size, unsigned seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		if ((unsigned char)p[i] != letter(i, seed))
			return 0;
	return p[size] == '\0' && secmalloc_usable_size(p) == size + 1;
}

FIXTURE(getpass)
{
	struct ti_tty t;
};

TA_VARIANTS(getpass);

static struct ta_tier tier; /* of the job */

FIXTURE_SETUP(getpass)
{
	TA_BEGIN(&variant->tier);
	secmalloc_shutdown();
	tier = variant->tier;
	TG_OPEN();
}

FIXTURE_TEARDOWN(getpass)
{
}

static void begin(void)
{
	ASSERT_NULL(ta_begin(&tier));
}

static void ask_for_secret(struct ti_tty *t)
{
	char *p;

	(void)t;
	begin();
	p = secmalloc_getpass(TG_PROMPT, NULL);
	ASSERT_NOT_NULL(p);
	EXPECT_TRUE(is_secret(p, LONG, 1));
	TI_IS_NOWHERE(letter, LONG, 1);
	secfree(p);
	TI_IS_NOWHERE(letter, LONG, 1);
}

TEST_F(getpass, the_answer_is_not_shown_and_in_no_other_memory)
{
	ti_tty_start(&self->t, ask_for_secret);
	EXPECT_EQ(0, ti_tty_see(&self->t, TG_PROMPT));
	EXPECT_FALSE(ti_tty_echoes(&self->t));
	type_secret(&self->t, LONG, 1);
	EXPECT_EQ(0, ti_tty_see(&self->t, "\r\n"));
	TG_ENDS_WELL();
}

/* The control of both: stdio, and a terminal that echoes. */
static void ask_by_stdio(struct ti_tty *t)
{
	FILE *f = fopen("/dev/tty", "r+");
	char line[LONG + 2];

	(void)t;
	begin();
	ASSERT_NOT_NULL(f);
	fputs(TG_PROMPT, f);
	fflush(f);
	ASSERT_NOT_NULL(fgets(line, sizeof(line), f));
	secmalloc_wipe(line, sizeof(line));
	TI_IS_SOMEWHERE(letter, LONG, CONTROL);
}

TEST_F(getpass, stdio_shows_and_keeps_it)
{
	ti_tty_start(&self->t, ask_by_stdio);
	EXPECT_EQ(0, ti_tty_see(&self->t, TG_PROMPT));
	EXPECT_TRUE(ti_tty_echoes(&self->t));
	type_secret(&self->t, LONG, CONTROL);
	EXPECT_EQ(LONG, ti_tty_see(&self->t, "\r\n"));
	EXPECT_EQ(0, ti_tty_wait(&self->t));
}

/* All that is in the terminal, whatever line it is in. */
static int leftovers(struct ti_tty *t, char *to, int size)
{
	struct termios raw = t->before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	ASSERT_EQ(0, tcsetattr(t->slave, TCSANOW, &raw));
	return (int)read(t->slave, to, (size_t)size);
}

TEST_F(getpass, nothing_of_it_stays_in_the_terminal)
{
	char bytes[2 * LONG];

	ti_tty_start(&self->t, ask_for_secret);
	EXPECT_EQ(0, ti_tty_see(&self->t, TG_PROMPT));
	type_secret(&self->t, LONG, 1);
	TG_ENDS_WELL();
	EXPECT_EQ(0, ti_tty_unread(&self->t));
	EXPECT_EQ(0, leftovers(&self->t, bytes, sizeof(bytes)));
}

TEST_F(getpass, an_unread_line_stays_in_the_terminal)
{
	char bytes[2 * LONG];

	type_secret(&self->t, LONG, CONTROL);
	ti_tty_wait_for_line(&self->t);
	EXPECT_EQ(LONG + 1, ti_tty_unread(&self->t));
	EXPECT_EQ(LONG + 1, leftovers(&self->t, bytes, sizeof(bytes)));
}

static void ask_for_real(struct ti_tty *t)
{
	begin();
	ti_receive(t->go);
	tg_expect("real", 0, NULL);
}

TEST_F(getpass, what_was_typed_before_is_not_taken)
{
	ti_tty_start(&self->t, ask_for_real);
	ti_tty_type(&self->t, "ahead\n");
	ti_tty_wait_for_line(&self->t);
	ti_send(self->t.go);
	EXPECT_LE(0, ti_tty_see(&self->t, TG_PROMPT));
	ti_tty_type(&self->t, "real\n");
	TG_ENDS_WELL();
}

static void ask_twice(struct ti_tty *t)
{
	struct secmalloc_load_options o = { .size = sizeof(o), .max = 8 };

	(void)t;
	begin();
	tg_expect("12345678", 0, &o);
	tg_expect(NULL, EFBIG, &o);
	o.max = 1000;
	tg_expect("", 0, &o);
}

TEST_F(getpass, a_line_that_is_too_long_is_refused_and_dropped)
{
	int i;

	ti_tty_start(&self->t, ask_twice);
	EXPECT_EQ(0, ti_tty_see(&self->t, TG_PROMPT));
	ti_tty_type(&self->t, "12345678\n");
	EXPECT_EQ(2, ti_tty_see(&self->t, TG_PROMPT));
	for (i = 0; i < 1000; i++)
		ti_tty_type(&self->t, "x");
	ti_tty_type(&self->t, "y\n");
	EXPECT_EQ(2, ti_tty_see(&self->t, TG_PROMPT));
	ti_tty_type(&self->t, "\n");
	TG_ENDS_WELL();
}

static void ask_for_ends(struct ti_tty *t)
{
	(void)t;
	begin();
	tg_expect(NULL, ENODATA, NULL);
	tg_expect("abc", 0, NULL);
	tg_expect("abd", 0, NULL);
}

TEST_F(getpass, the_end_of_input_and_erased_bytes)
{
	ti_tty_start(&self->t, ask_for_ends);
	EXPECT_EQ(0, ti_tty_see(&self->t, TG_PROMPT));
	ti_tty_type_byte(&self->t, self->t.before.c_cc[VEOF]);
	EXPECT_EQ(2, ti_tty_see(&self->t, TG_PROMPT));
	ti_tty_type(&self->t, "abc");
	ti_tty_type_byte(&self->t, self->t.before.c_cc[VEOF]);
	ti_tty_type_byte(&self->t, self->t.before.c_cc[VEOF]);
	EXPECT_EQ(0, ti_tty_see(&self->t, TG_PROMPT));
	ti_tty_type(&self->t, "abc");
	ti_tty_type_byte(&self->t, self->t.before.c_cc[VERASE]);
	ti_tty_type(&self->t, "d\n");
	EXPECT_EQ(0, ti_tty_see(&self->t, "\r\n"));
	TG_ENDS_WELL();
}

static void ask_until(struct ti_tty *t)
{
	struct timespec until = ti_in(50);
	struct secmalloc_load_options o = { .size = sizeof(o),
					    .deadline = &until };

	(void)t;
	begin();
	tg_expect(NULL, ETIMEDOUT, &o);
	tg_expect(NULL, ETIMEDOUT, &o);
	until.tv_nsec = -1;
	tg_expect(NULL, EINVAL, &o);
}

TEST_F(getpass, a_deadline_ends_it_and_half_a_line_is_dropped)
{
	ti_tty_start(&self->t, ask_until);
	EXPECT_EQ(0, ti_tty_see(&self->t, TG_PROMPT));
	ti_tty_type(&self->t, "half");
	EXPECT_LE(0, ti_tty_see(&self->t, "\r\n"));
	TG_ENDS_WELL();
	EXPECT_EQ(0, ti_tty_unread(&self->t));
}

static void ask_from_raw(struct ti_tty *t)
{
	begin();
	ASSERT_TRUE(ti_tty_is_as_before(t));
	tg_expect("raw", 0, NULL);
}

/* What programs for whole screens leave on: Enter is a carriage return. */
TEST_F(getpass, a_terminal_without_lines_gets_them_meanwhile)
{
	struct termios *b = &self->t.before;

	b->c_lflag &= ~(tcflag_t)(ICANON | ISIG | ECHO);
	b->c_iflag &= ~(tcflag_t)ICRNL;
	b->c_cc[VMIN] = 3;
	ASSERT_EQ(0, tcsetattr(self->t.slave, TCSANOW, b));
	ASSERT_EQ(0, tcgetattr(self->t.slave, b));
	ti_tty_start(&self->t, ask_from_raw);
	EXPECT_EQ(0, ti_tty_see(&self->t, TG_PROMPT));
	ti_tty_type(&self->t, "raw\r");
	TG_ENDS_WELL();
}

static void ask_in_heaps(struct ti_tty *t)
{
	struct secmalloc_load_options o = { .size = sizeof(o) };
	struct secmalloc_object object = { .size = sizeof(object) };
	char *p;

	(void)t;
	begin();
	o.heap = ta_scoped(&tier, 0);
	ASSERT_NOT_NULL(o.heap);
	p = secmalloc_getpass(TG_PROMPT, &o);
	ASSERT_NOT_NULL(p);
	EXPECT_TRUE(secmalloc_heap_owns(o.heap, p));
	EXPECT_EQ(SECM_NONE, ta_access(p));
	ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READONLY));
	EXPECT_TRUE(is_secret(p, 10 * LONG, 2));
	secmalloc_end(p, SECMALLOC_READONLY);
	secfree(p);
	o.heap = NULL;
	o.flags = SECMALLOC_LOAD_GUARDED;
	p = secmalloc_getpass(TG_PROMPT, &o);
	ASSERT_NOT_NULL(p);
	EXPECT_TRUE(is_secret(p, 10 * LONG, 3));
	ASSERT_EQ(0, secmalloc_report_object(p, &object));
	EXPECT_TRUE(object.guarded);
	TI_IS_NOWHERE(letter, 10 * LONG, 3);
	o.flags = 0x8000;
	tg_expect(NULL, EINVAL, &o);
}

TEST_F(getpass, heaps_with_scopes_and_guarded_objects)
{
	ti_tty_start(&self->t, ask_in_heaps);
	EXPECT_EQ(0, ti_tty_see(&self->t, TG_PROMPT));
	type_secret(&self->t, 10 * LONG, 2);
	EXPECT_EQ(2, ti_tty_see(&self->t, TG_PROMPT));
	type_secret(&self->t, 10 * LONG, 3);
	TG_ENDS_WELL();
}

static void ask_stdin(struct ti_tty *t)
{
	struct secmalloc_load_options o = { .size = sizeof(o),
					    .flags = SECMALLOC_LOAD_STDIN };

	(void)t;
	begin();
	ASSERT_LE(0, dup2(t->slave, 2)); /* where the prompt is written to */
	tg_expect("from standard input", 0, &o);
}

TEST_F(getpass, standard_input_may_be_the_terminal)
{
	self->t.stdin_is_slave = 1;
	ti_tty_start(&self->t, ask_stdin);
	EXPECT_EQ(0, ti_tty_see(&self->t, TG_PROMPT));
	EXPECT_FALSE(ti_tty_echoes(&self->t));
	ti_tty_type(&self->t, "from standard input\n");
	EXPECT_EQ(0, ti_tty_see(&self->t, "\r\n"));
	TG_ENDS_WELL();
}
