/* SPDX-License-Identifier: MIT */
/*
 * random.c - random bytes from the system
 *
 * Called by the core for canaries, random reuse and secmalloc_random().  Lock:
 * none.  Invariant: either every byte comes from the system's generator or the
 * answer is -EIO; there is no third source.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "fallback.h"
#include "os.h"

/* POSIX.1-2001 does not have it.  A program that another thread executes
 * between the two calls below has the descriptor then. */
#ifndef O_CLOEXEC
#define O_CLOEXEC 0
#endif

int secm_posix_open(const char *path, int flags)
{
	int fd, err;

	do
		fd = open(path, flags | O_NOCTTY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
		err = -errno;
		(void)close(fd); /* nothing was written to it */
		return err;
	}
	return fd;
}

/* A file that somebody put in the device's place is not a generator. */
static int is_device(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode);
}

static int read_all(int fd, unsigned char *at, size_t len)
{
	while (len > 0) {
		ssize_t n = read(fd, at, len < SSIZE_MAX ? len : SSIZE_MAX);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int from_device(void *buf, size_t len)
{
	int fd = secm_posix_open("/dev/urandom", O_RDONLY);
	int err = -EIO;

	if (fd < 0)
		return -EIO;
	if (is_device(fd))
		err = read_all(fd, buf, len);
	(void)close(fd); /* only read from */
	return err;
}

int secm_os_random(void *buf, size_t len)
{
	if (secm_extra_random(buf, len) == 0)
		return 0;
	return from_device(buf, len);
}
