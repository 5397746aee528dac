/* SPDX-License-Identifier: MIT */
/*
 * t_tty.c - pseudo terminals for tests
 *
 * One thread of the test.  Whatever goes wrong fails the test at once.
 */
#include "t_tty.h"

#include "ksft.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SECONDS = 60, /* until a job that nobody waits for ends, even if it
			 has handlers for all signals */
	BEHIND = 1
};

struct said {
	pid_t pid;
	int status;
};

int ti_tty_open(struct ti_tty *t)
{
	memset(t, 0, sizeof(*t));
	t->master = posix_openpt(O_RDWR | O_NOCTTY);
	if (t->master < 0 || grantpt(t->master) != 0 ||
	    unlockpt(t->master) != 0)
		return -1;
	t->name = ptsname(t->master);
	t->slave = open(t->name, O_RDWR | O_NOCTTY);
	if (t->slave < 0 || tcgetattr(t->slave, &t->before) != 0)
		return -1;
	t->before.c_lflag |= ECHO | ICANON | ISIG;
	t->before.c_lflag &= ~(tcflag_t)ECHONL;
	if (tcsetattr(t->slave, TCSANOW, &t->before) != 0)
		return -1;
	return pipe(t->said) | pipe(t->told) | pipe(t->go) | pipe(t->done);
}

/* What whoever runs the tests ignores or blocks is not the job's business. */
static void forget_signals(void)
{
	struct sigaction a;
	sigset_t none;
	int sig;

	for (sig = 1; sig < 32; sig++)
		if (sigaction(sig, NULL, &a) == 0 && a.sa_handler == SIG_IGN)
			(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	ASSERT_EQ(0, sigprocmask(SIG_SETMASK, &none, NULL));
}

static void run_job(struct ti_tty *t, ti_job *job)
{
	const struct rlimit busy = { SECONDS, SECONDS };

	forget_signals();
	ASSERT_EQ(0, setrlimit(RLIMIT_CPU, &busy));
	(void)setpgid(0, 0);
	if (t->stdin_is_slave)
		ASSERT_EQ(0, dup2(t->slave, 0));
	alarm(SECONDS);
	job(t);
	_exit(0);
}

/* Does as shells do: the group of the job has the terminal. */
static void run_shell(struct ti_tty *t, ti_job *job)
{
	struct said s = { 0, 0 };
	char byte;
	int slave;

	(void)signal(SIGTTOU, SIG_IGN);
	ASSERT_LE(0, setsid());
	slave = open(t->name, O_RDWR); /* from now on its terminal */
	ASSERT_LE(0, slave);
#ifdef TIOCSCTTY
	(void)ioctl(slave, TIOCSCTTY, 0); /* where open(2) does not do it */
#endif
	s.pid = fork();
	if (s.pid == 0) {
		ti_receive(t->told);
		run_job(t, job);
	}
	(void)setpgid(s.pid, s.pid);
	if (!t->behind)
		ASSERT_EQ(0, tcsetpgrp(slave, s.pid));
	ti_send(t->told);
	ASSERT_EQ(sizeof(s), write(t->said[1], &s, sizeof(s)));
	while (waitpid(s.pid, &s.status, WUNTRACED) == s.pid) {
		ASSERT_EQ(0, tcsetpgrp(slave, getpid()));
		ASSERT_EQ(sizeof(s), write(t->said[1], &s, sizeof(s)));
		if (!WIFSTOPPED(s.status))
			break;
		if (read(t->told[0], &byte, 1) != 1)
			break;
		if (byte != BEHIND)
			ASSERT_EQ(0, tcsetpgrp(slave, s.pid));
		ASSERT_EQ(0, kill(-s.pid, SIGCONT));
	}
	_exit(0);
}

static struct said hear(const struct ti_tty *t)
{
	struct pollfd p = { .fd = t->said[0], .events = POLLIN };
	struct said s = { 0, 0 };

	ASSERT_EQ(1, poll(&p, 1, SECONDS * 1000));
	ASSERT_EQ(sizeof(s), read(t->said[0], &s, sizeof(s)));
	return s;
}

void ti_tty_start(struct ti_tty *t, ti_job *job)
{
	t->shell = fork();
	ASSERT_LE(0, t->shell);
	if (t->shell == 0)
		run_shell(t, job);
	t->job = hear(t).pid;
}

int ti_tty_wait(struct ti_tty *t)
{
	const int status = hear(t).status;
	int ended;

	if (!WIFSTOPPED(status))
		ASSERT_EQ(t->shell, waitpid(t->shell, &ended, 0));
	return status;
}

void ti_tty_continue(struct ti_tty *t)
{
	ti_send(t->told);
}

void ti_tty_continue_behind(struct ti_tty *t)
{
	const char byte = BEHIND;

	ASSERT_EQ(1, write(t->told[1], &byte, 1));
}

void ti_tty_type_byte(struct ti_tty *t, unsigned char byte)
{
	ASSERT_EQ(1, write(t->master, &byte, 1));
}

void ti_tty_type(struct ti_tty *t, const char *text)
{
	const size_t size = strlen(text);

	ASSERT_EQ(size, write(t->master, text, size));
}

int ti_tty_see(struct ti_tty *t, const char *text)
{
	struct pollfd p = { .fd = t->master, .events = POLLIN };

	for (;;) {
		char *from = t->shown + t->seen, *at;
		ssize_t n;

		at = strstr(from, text);
		if (at) {
			t->seen += (size_t)(at - from) + strlen(text);
			return (int)(at - from);
		}
		if (poll(&p, 1, SECONDS * 1000) != 1)
			break;
		n = read(t->master, t->shown + t->have,
			 sizeof(t->shown) - 1 - t->have);
		if (n <= 0)
			break;
		t->have += (size_t)n;
		t->shown[t->have] = '\0';
	}
	TH_LOG("not shown: %s; but %s", text, t->shown + t->seen);
	return -1;
}

int ti_tty_is_as_before(const struct ti_tty *t)
{
	const struct termios *b = &t->before;
	struct termios now;

	ASSERT_EQ(0, tcgetattr(t->slave, &now));
	return now.c_iflag == b->c_iflag && now.c_oflag == b->c_oflag &&
	       now.c_cflag == b->c_cflag && now.c_lflag == b->c_lflag &&
	       memcmp(now.c_cc, b->c_cc, sizeof(now.c_cc)) == 0;
}

int ti_tty_echoes(const struct ti_tty *t)
{
	struct termios now;

	ASSERT_EQ(0, tcgetattr(t->slave, &now));
	return (now.c_lflag & ECHO) != 0;
}

int ti_tty_unread(const struct ti_tty *t)
{
	int n = -1;

	ASSERT_EQ(0, ioctl(t->slave, FIONREAD, &n));
	return n;
}

int ti_tty_line_is_empty(struct ti_tty *t)
{
	if (ti_tty_unread(t) != 0)
		return 0;
	ti_tty_type(t, "\n");
	ti_tty_wait_for_line(t);
	return ti_tty_unread(t) == 1;
}

void ti_tty_wait_for_line(const struct ti_tty *t)
{
	struct pollfd p = { .fd = t->slave, .events = POLLIN };

	ASSERT_EQ(1, poll(&p, 1, SECONDS * 1000));
}

void ti_send(const int *ends)
{
	ASSERT_EQ(1, write(ends[1], "", 1));
}

void ti_receive(const int *ends)
{
	char byte;

	ASSERT_EQ(1, read(ends[0], &byte, 1));
}
