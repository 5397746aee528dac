/* SPDX-License-Identifier: MIT */
/*
 * wait.c - for a descriptor, until a deadline
 *
 * Called by whatever reads or writes.  Lock: none.
 */
#include "io.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

enum { NANO = 1000000000 };

int secm_io_is_deadline(const struct timespec *deadline)
{
	return deadline->tv_sec >= 0 && deadline->tv_nsec >= 0 &&
	       deadline->tv_nsec < NANO;
}

/* Milliseconds, rounded up so that poll() does not end before the time; what is
 * longer than it takes is asked for again. */
static int left(const struct timespec *deadline)
{
	struct timespec now;
	long long s, ns;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return 0;
	s = (long long)deadline->tv_sec - now.tv_sec;
	ns = (long long)deadline->tv_nsec - now.tv_nsec;
	if (s > INT_MAX / 1000 - 2)
		return INT_MAX;
	ns += s * NANO;
	return ns <= 0 ? 0 : (int)((ns + 999999) / 1000000);
}

int secm_io_wait_both(int fd, short events, int other,
		      const struct timespec *deadline)
{
	struct pollfd p[2] = { { .fd = fd, .events = events },
			       { .fd = other, .events = POLLIN } };

	if (fd < 0) /* which poll(2) would wait for in vain */
		return -EBADF;
	for (;;) {
		int ms = deadline ? left(deadline) : -1;
		int n = poll(p, other < 0 ? 1 : 2, ms);

		if (n > 0)
			return other >= 0 && p[1].revents ? 1 : 0;
		if (n == 0 && ms == 0)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
	}
}

int secm_io_wait(int fd, short events, const struct timespec *deadline)
{
	return secm_io_wait_both(fd, events, -1, deadline);
}
