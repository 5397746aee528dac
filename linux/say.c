/* SPDX-License-Identifier: MIT */
/*
 * say.c - a line on standard error, from a process that goes on
 *
 * Callers: log.c of the core.  No state, no stdio, no allocation.
 *
 * A pipe that nobody reads any more answers with SIGPIPE, which would end the
 * process for having something to tell.  So the signal is held back in this
 * thread, and taken away if the write raised it.
 */
#include "linux.h"

#include <signal.h>
#include <time.h>

/* pre: the signal is blocked */
static void take_away(const sigset_t *sigpipe)
{
	static const struct timespec now;

	while (sigtimedwait(sigpipe, NULL, &now) < 0 && errno == EINTR)
		;
}

static int is_pending(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

void secm_os_log(const char *line, size_t len)
{
	int saved = errno, before;
	sigset_t sigpipe, old;
	ssize_t n;

	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	if (pthread_sigmask(SIG_BLOCK, &sigpipe, &old) == 0) {
		/* What is not blocked cannot wait. */
		before = sigismember(&old, SIGPIPE) == 1 && is_pending();
		do
			n = write(STDERR_FILENO, line, len);
		while (n < 0 && errno == EINTR);
		if (n < 0 && errno == EPIPE && !before)
			take_away(&sigpipe);
		(void)pthread_sigmask(SIG_SETMASK, &old, NULL); /* was good */
	}
	errno = saved;
}
