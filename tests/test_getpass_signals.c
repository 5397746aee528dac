/* SPDX-License-Identifier: MIT */
/*
 * test_getpass_signals.c - whatever ends or stops a program that asks, the
 * terminal echoes again
 */
#include "t_getpass.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

FIXTURE(signals)
{
	struct ti_tty t;
};

FIXTURE_SETUP(signals)
{
	TG_OPEN();
}

FIXTURE_TEARDOWN(signals)
{
}

/* What has no handler after it had ours. */
static int is_default(int sig)
{
	struct sigaction a;

	return sigaction(sig, NULL, &a) == 0 && a.sa_handler == SIG_DFL;
}

/* The control: what happens where nobody restores. */
TEST_F(signals, only_SIGKILL_leaves_it_silent)
{
	TG_ASKS(tg_ask);
	EXPECT_EQ(0, kill(self->t.job, SIGKILL));
	EXPECT_EQ(SIGKILL, WTERMSIG(ti_tty_wait(&self->t)));
	EXPECT_FALSE(ti_tty_echoes(&self->t));
}

/* The kernel does not drop the line by itself when it sends a signal.  What is
 * typed before that key has reached the line when the signal comes; before any
 * other signal it may still be on its way. */
static void no_flush(struct ti_tty *t)
{
	t->before.c_lflag |= NOFLSH;
	ASSERT_EQ(0, tcsetattr(t->slave, TCSANOW, &t->before));
}

TEST_F(signals, the_key_for_SIGINT_ends_the_program)
{
	no_flush(&self->t);
	TG_ASKS(tg_ask);
	ti_tty_type(&self->t, "half");
	ti_tty_type_byte(&self->t, self->t.before.c_cc[VINTR]);
	TG_DIES_OF(SIGINT);
	EXPECT_TRUE(ti_tty_line_is_empty(&self->t));
}

static const int deadly[] = { SIGHUP,  SIGINT,	SIGQUIT, SIGTERM, SIGALRM,
			      SIGPIPE, SIGUSR1, SIGUSR2, SIGPROF, SIGVTALRM,
			      SIGXCPU, SIGXFSZ, SIGSEGV, SIGBUS,  SIGILL,
			      SIGFPE,  SIGABRT, SIGSYS,	 SIGTRAP };

/* Sanitizers have handlers for some of them. */
static void ask_without_handlers(struct ti_tty *t)
{
	size_t i;

	for (i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		ASSERT_NE(SIG_ERR, signal(deadly[i], SIG_DFL));
	tg_ask(t);
}

TEST_F(signals, each_that_ends_the_program)
{
	size_t i;

	for (i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
		TG_ASKS(ask_without_handlers);
		EXPECT_EQ(0, kill(self->t.job, deadly[i]));
		TG_DIES_OF(deadly[i]);
	}
#ifdef SIGRTMIN
	TG_ASKS(ask_without_handlers);
	EXPECT_EQ(0, kill(self->t.job, SIGRTMIN + 3));
	TG_DIES_OF(SIGRTMIN + 3);
#endif
}

static void ask_and_ignore(struct ti_tty *t)
{
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	tg_ask(t);
}

TEST_F(signals, ignored_ones_stay_so)
{
	TG_ASKS(ask_and_ignore);
	EXPECT_EQ(0, kill(self->t.job, SIGPIPE));
	EXPECT_EQ(0, kill(self->t.job, SIGINT));
	TG_ANSWERS();
}

static void ask_with_handlers(struct ti_tty *t)
{
	static const int ends[] = { SIGHUP,  SIGINT,  SIGQUIT,
				    SIGTERM, SIGABRT, SIGSEGV };
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		tg_handle(t, ends[i]);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		tg_handler.calls = tg_handler.echoed = 0;
		tg_expect(NULL, EINTR, NULL);
		EXPECT_EQ(1, tg_handler.calls);
		EXPECT_TRUE(tg_handler.echoed);
	}
	EXPECT_TRUE(is_default(SIGALRM));
	EXPECT_TRUE(is_default(SIGTSTP));
}

TEST_F(signals, handlers_are_called_when_it_echoes_and_then_EINTR)
{
	static const int ends[] = { SIGHUP,  SIGINT,  SIGQUIT,
				    SIGTERM, SIGABRT, SIGSEGV };
	size_t i;

	ti_tty_start(&self->t, ask_with_handlers);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		EXPECT_LE(0, ti_tty_see(&self->t, TG_PROMPT));
		EXPECT_FALSE(ti_tty_echoes(&self->t));
		EXPECT_EQ(0, kill(self->t.job, ends[i]));
	}
	TG_ENDS_WELL();
}

static void ask_with_others(struct ti_tty *t)
{
	tg_handle(t, SIGUSR1);
	tg_handle(t, SIGCHLD);
	tg_ask(t);
	EXPECT_EQ(2, tg_handler.calls);
	EXPECT_FALSE(tg_handler.echoed);
}

TEST_F(signals, other_handlers_do_not_end_it)
{
	TG_ASKS(ask_with_others);
	EXPECT_EQ(0, kill(self->t.job, SIGUSR1));
	EXPECT_EQ(0, kill(self->t.job, SIGCHLD));
	TG_ANSWERS();
}

TEST_F(signals, who_is_stopped_is_asked_again)
{
	int status;

	no_flush(&self->t);
	TG_ASKS(tg_ask);
	ti_tty_type(&self->t, "half");
	ti_tty_type_byte(&self->t, self->t.before.c_cc[VSUSP]);
	status = ti_tty_wait(&self->t);
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(SIGTSTP, WSTOPSIG(status));
	EXPECT_TRUE(ti_tty_is_as_before(&self->t));
	EXPECT_TRUE(ti_tty_line_is_empty(&self->t));
	ti_tty_continue(&self->t);
	EXPECT_LE(0, ti_tty_see(&self->t, TG_PROMPT));
	EXPECT_FALSE(ti_tty_echoes(&self->t));
	TG_ANSWERS();
}

/* What the shell has set meanwhile is overwritten. */
TEST_F(signals, SIGSTOP_and_a_shell_that_echoes)
{
	TG_ASKS(tg_ask);
	EXPECT_EQ(0, kill(self->t.job, SIGSTOP));
	EXPECT_TRUE(WIFSTOPPED(ti_tty_wait(&self->t)));
	ASSERT_EQ(0, tcsetattr(self->t.slave, TCSANOW, &self->t.before));
	ti_tty_continue(&self->t);
	EXPECT_LE(0, ti_tty_see(&self->t, TG_PROMPT));
	EXPECT_FALSE(ti_tty_echoes(&self->t));
	TG_ANSWERS();
}

TEST_F(signals, a_background_job_waits_for_its_turn)
{
	int status;

	self->t.behind = 1;
	ti_tty_start(&self->t, tg_ask);
	status = ti_tty_wait(&self->t);
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(SIGTTOU, WSTOPSIG(status));
	EXPECT_TRUE(ti_tty_is_as_before(&self->t));
	ti_tty_continue(&self->t);
	EXPECT_LE(0, ti_tty_see(&self->t, TG_PROMPT));
	TG_ANSWERS();
}

/* An editor has it meanwhile. */
TEST_F(signals, the_terminal_of_another_job_is_left_alone)
{
	struct termios raw = self->t.before, now;

	TG_ASKS(tg_ask);
	EXPECT_EQ(0, kill(self->t.job, SIGSTOP));
	EXPECT_TRUE(WIFSTOPPED(ti_tty_wait(&self->t)));
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	ASSERT_EQ(0, tcsetattr(self->t.slave, TCSANOW, &raw));
	ti_tty_continue_behind(&self->t);
	EXPECT_EQ(SIGTTOU, WSTOPSIG(ti_tty_wait(&self->t)));
	ASSERT_EQ(0, tcgetattr(self->t.slave, &now));
	EXPECT_EQ(raw.c_lflag, now.c_lflag);
	ti_tty_continue(&self->t);
	EXPECT_LE(0, ti_tty_see(&self->t, TG_PROMPT));
	TG_ANSWERS();
}

TEST_F(signals, who_ends_behind_another_job_leaves_its_terminal_alone)
{
	struct termios raw = self->t.before, now;

	TG_ASKS(tg_ask);
	EXPECT_EQ(0, kill(self->t.job, SIGSTOP));
	EXPECT_TRUE(WIFSTOPPED(ti_tty_wait(&self->t)));
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	ASSERT_EQ(0, tcsetattr(self->t.slave, TCSANOW, &raw));
	EXPECT_EQ(0, kill(self->t.job, SIGTERM));
	ti_tty_continue_behind(&self->t);
	EXPECT_EQ(SIGTERM, WTERMSIG(ti_tty_wait(&self->t)));
	ASSERT_EQ(0, tcgetattr(self->t.slave, &now));
	EXPECT_EQ(raw.c_lflag, now.c_lflag);
}

static void ask_with_stop(struct ti_tty *t)
{
	tg_handle(t, SIGTSTP);
	tg_handle(t, SIGCONT);
	tg_ask(t);
	EXPECT_EQ(2, tg_handler.calls);
}

TEST_F(signals, handlers_of_SIGTSTP_and_SIGCONT_are_called)
{
	TG_ASKS(ask_with_stop);
	EXPECT_EQ(0, kill(self->t.job, SIGTSTP));
	EXPECT_LE(0, ti_tty_see(&self->t, TG_PROMPT));
	EXPECT_EQ(0, kill(self->t.job, SIGCONT));
	EXPECT_LE(0, ti_tty_see(&self->t, TG_PROMPT));
	TG_ANSWERS();
}

/* Of a child that a handler makes: its copies of the pipe that was there before,
 * under the numbers of what the library had. */
enum { COPIES = 3 };
static int before[2], copy[COPIES];
static volatile sig_atomic_t terms;
static pid_t parent, child;

static void make_child(int sig)
{
	int i;

	(void)sig;
	child = fork();
	for (i = 0; child == 0 && i < COPIES; i++)
		copy[i] = dup(before[0]);
}

static void count_terms(int sig)
{
	(void)sig;
	terms++;
}

static void ask_and_make_child(struct ti_tty *t)
{
	const struct sigaction forks = { .sa_handler = make_child },
			       counts = { .sa_handler = count_terms };
	int i, n;

	(void)t;
	parent = getpid();
	ASSERT_EQ(0, pipe(before));
	ASSERT_EQ(0, fcntl(before[0], F_SETFL, O_NONBLOCK));
	ASSERT_EQ(1, write(before[1], "", 1));
	ASSERT_EQ(0, sigaction(SIGHUP, &forks, NULL));
	ASSERT_EQ(0, sigaction(SIGTERM, &counts, NULL));
	tg_expect(NULL, EINTR, NULL);
	if (getpid() == parent) {
		EXPECT_EQ(1, terms);
		EXPECT_EQ(5, ta_status(child));
		return;
	}
	EXPECT_EQ(0, terms); /* it was sent to the parent */
	for (i = 0; i < COPIES; i++) {
		EXPECT_EQ(0, ioctl(copy[i], FIONREAD, &n));
		EXPECT_EQ(1, n);
	}
	_exit(5);
}

TEST_F(signals, a_child_that_a_handler_makes_keeps_what_it_opens)
{
	TG_ASKS(ask_and_make_child);
	EXPECT_EQ(0, kill(self->t.job, SIGSTOP)); /* both come at once */
	EXPECT_TRUE(WIFSTOPPED(ti_tty_wait(&self->t)));
	EXPECT_EQ(0, kill(self->t.job, SIGHUP));
	EXPECT_EQ(0, kill(self->t.job, SIGTERM));
	ti_tty_continue(&self->t);
	TG_ENDS_WELL();
}
