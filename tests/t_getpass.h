/* SPDX-License-Identifier: MIT */
/*
 * t_getpass.h - what the tests of secmalloc_getpass() share
 */
#ifndef T_GETPASS_H
#define T_GETPASS_H

#include "t_io.h"
#include "t_tty.h"

#include <signal.h>
#include <sys/wait.h>

#define TG_PROMPT "Pass phrase: "
enum { TG_ERRNO = 4711 };

/* The answer is that, or the errno. */
static inline void tg_expect(const char *answer, int error,
			     const struct secmalloc_load_options *options)
{
	char *p;

	errno = TG_ERRNO;
	p = secmalloc_getpass(TG_PROMPT, options);
	EXPECT_EQ(error ? error : TG_ERRNO, errno);
	if (!answer) {
		EXPECT_NULL(p);
		return;
	}
	ASSERT_NOT_NULL(p);
	EXPECT_STREQ(answer, p);
	EXPECT_EQ(strlen(answer) + 1, secmalloc_usable_size(p));
	secfree(p);
}

/* In a test whose fixture has the terminal t. */
#define TG_OPEN()                                                            \
	do {                                                                 \
		if (ti_tty_open(&self->t) != 0)                              \
			SKIP(return, "no pseudo terminal: errno %d", errno); \
	} while (0)

/* The job has ended in peace, and the terminal is as it was. */
#define TG_ENDS_WELL()                                      \
	do {                                                \
		EXPECT_EQ(0, ti_tty_wait(&self->t));        \
		EXPECT_TRUE(ti_tty_is_as_before(&self->t)); \
	} while (0)

/* What a handler of the job saw. */
static struct tg_handler {
	struct ti_tty *t;
	volatile sig_atomic_t calls, echoed;
	void *volatile address;
} tg_handler;

static inline void tg_note(int sig)
{
	(void)sig;
	tg_handler.calls++;
	tg_handler.echoed = ti_tty_is_as_before(tg_handler.t);
}

static inline void tg_handle(struct ti_tty *t, int sig)
{
	struct sigaction a = { .sa_handler = tg_note, .sa_flags = SA_RESTART };

	tg_handler.t = t;
	ASSERT_EQ(0, sigaction(sig, &a, NULL));
}

/* A job. */
static inline void tg_ask(struct ti_tty *t)
{
	(void)t;
	tg_expect("answer", 0, NULL);
}

/* Up to the question. */
#define TG_ASKS(job)                                           \
	do {                                                   \
		ti_tty_start(&self->t, job);                   \
		EXPECT_LE(0, ti_tty_see(&self->t, TG_PROMPT)); \
		EXPECT_FALSE(ti_tty_echoes(&self->t));         \
	} while (0)

#define TG_ANSWERS()                                        \
	do {                                                \
		ti_tty_type(&self->t, "answer\n");          \
		EXPECT_EQ(0, ti_tty_see(&self->t, "\r\n")); \
		TG_ENDS_WELL();                             \
	} while (0)

#define TG_DIES_OF(sig)                                     \
	do {                                                \
		int status_ = ti_tty_wait(&self->t);        \
                                                            \
		EXPECT_TRUE(WIFSIGNALED(status_));          \
		EXPECT_EQ(sig, WTERMSIG(status_));          \
		EXPECT_TRUE(ti_tty_is_as_before(&self->t)); \
		EXPECT_EQ(0, ti_tty_unread(&self->t));      \
	} while (0)

#endif /* T_GETPASS_H */
