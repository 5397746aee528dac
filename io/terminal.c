/* SPDX-License-Identifier: MIT */
/*
 * terminal.c - a terminal that does not echo, and the way back
 *
 * Called by getpass.c, and by handlers of signals.c: what those call is
 * async-signal-safe.  One terminal at a time, that of the thread that asks; lock:
 * none, the flags are read and written at once.
 *
 * The line discipline keeps collecting lines (ICANON): so erase characters work,
 * no byte beyond the line is taken, and Linux of today wipes what was
 * read from its buffers where ICANON is set and ECHO is not.
 *
 * I1  quiet is set before the terminal is changed, and cleared after it was
 *     changed back, so a handler that comes in between restores.
 * I2  Who ends the process sets ending before it restores; who silences the
 *     terminal looks at it afterwards.  One of the two comes last.
 * I3  What belongs to another process group now is left alone: its shell or
 *     editor has it.
 */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

static struct {
	int fd;
	int own;    /* nobody else's descriptor */
	int quiet;  /* I1 */
	int ending; /* I2 */
	pid_t pid;
	struct termios saved;
} terminal = { .fd = -1 };

void secm_io_terminal_use(int fd, int own)
{
	terminal.own = own;
	terminal.pid = getpid();
	secm_store(&terminal.quiet, 0);
	secm_store(&terminal.fd, fd);
}

int secm_io_terminal_is_used(void)
{
	return secm_load(&terminal.fd) >= 0;
}

/* Where nothing is known of groups it is ours. */
int secm_io_terminal_is_ours(void)
{
	const pid_t group = tcgetpgrp(terminal.fd);

	return group < 0 || group == getpgrp();
}

static int set(const struct termios *to)
{
	return tcsetattr(terminal.fd, TCSANOW, to) == 0 ? 0 : -errno;
}

static struct termios silent(void)
{
	struct termios t = terminal.saved;

	if (!(t.c_lflag & ICANON)) {
		t.c_lflag |= ICANON | ISIG;
		t.c_iflag &= ~(tcflag_t)(INLCR | IGNCR);
		t.c_iflag |= ICRNL;
	}
	t.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
	t.c_lflag |= ECHONL;
	return t;
}

/* Not TCSAFLUSH, which waits for output, and without a limit where that is
 * stopped; the order keeps what is typed now from being shown. */
int secm_io_terminal_quiet(void)
{
	const int was = secm_load(&terminal.quiet);
	struct termios t, now;
	int e;

	if (!was && tcgetattr(terminal.fd, &terminal.saved) != 0)
		return -errno;
	t = silent();
	secm_store(&terminal.quiet, 1); /* I1 */
	e = set(&t);
	if (e < 0)
		secm_store(&terminal.quiet, was);
	if (e == 0 && tcgetattr(terminal.fd, &now) != 0)
		e = -errno;
	if (e == 0 && (!(now.c_lflag & ICANON) || (now.c_lflag & ECHO)))
		e = -EIO;
	if (e == 0 && tcflush(terminal.fd, TCIFLUSH) != 0)
		e = -errno;
	if (secm_load(&terminal.ending)) /* I2 */
		secm_io_terminal_restore(1);
	return e;
}

/* SIGTTOU is for those who do this from the background; I3 has settled that. */
void secm_io_terminal_restore(int drop)
{
	sigset_t ttou, before;

	if (!secm_load(&terminal.quiet) || getpid() != terminal.pid ||
	    !secm_io_terminal_is_ours())
		return;
	(void)sigemptyset(&ttou);
	(void)sigaddset(&ttou, SIGTTOU);
	(void)pthread_sigmask(SIG_BLOCK, &ttou, &before);
	if (drop)
		(void)tcflush(terminal.fd, TCIFLUSH);
	while (set(&terminal.saved) == -EINTR)
		;
	secm_store(&terminal.quiet, 0); /* I1 */
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void secm_io_terminal_restore_for_good(void)
{
	secm_store(&terminal.ending, 1); /* I2 */
	secm_io_terminal_restore(1);
}

/* It is the parent's. */
void secm_io_terminal_forget(void)
{
	const int fd = secm_load(&terminal.fd);

	if (fd >= 0 && terminal.own)
		(void)close(fd);
	secm_io_terminal_use(-1, 0);
	secm_store(&terminal.ending, 0);
}
