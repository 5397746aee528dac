/* SPDX-License-Identifier: MIT */
/*
 * cache.c - the page cache of a POSIX system: it can be advised, not asked
 *
 * Called by load.c and the portable cache.c.  Lock: none.
 */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int secm_io_os_direct(int fd, int on)
{
	(void)fd;
	(void)on;
	return -ENOTSUP;
}

ssize_t secm_io_os_pread_drop(int fd, void *p, size_t size, off_t at)
{
	(void)fd;
	(void)p;
	(void)size;
	(void)at;
	return -EOPNOTSUPP;
}

long secm_io_os_cached(int fd, const struct stat *st, int *dirty)
{
	(void)fd;
	*dirty = 1; /* for all that is known */
	return S_ISBLK(st->st_mode) || (S_ISREG(st->st_mode) && st->st_size > 0)
		       ? -1
		       : 0;
}

#ifdef POSIX_FADV_DONTNEED
int secm_io_os_drop(int fd, int dirty)
{
	if (dirty)
		(void)fdatasync(fd);
	return -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}
#else
int secm_io_os_drop(int fd, int dirty)
{
	(void)fd;
	(void)dirty;
	return -ENOTSUP;
}
#endif

int secm_io_os_is_memory(int fd)
{
	(void)fd;
	return 0;
}
