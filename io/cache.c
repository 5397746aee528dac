/* SPDX-License-Identifier: MIT */
/*
 * cache.c - what the page cache has of a file that was read
 *
 * Called by load.c and ring.c.  Lock: none.  Never says more than the system
 * does: a file that is found in the cache after a read past it (others use it, or
 * the file system did not do as it was told) did not come past it.
 */
#include "io.h"

#include <sched.h>

enum { DROPS = 3 };

/* Whoever just read or wrote a page may hold it for a moment more, and a page
 * that is held stays: so what is left is dropped again. */
static int drop(int fd, const struct stat *st, int dirty, long *cached)
{
	int i = 0, r;

	do {
		r = secm_io_os_drop(fd, dirty);
		*cached = secm_io_os_cached(fd, st, &dirty);
	} while (r == 0 && *cached > 0 && ++i < DROPS && sched_yield() == 0);
	return r;
}

void secm_io_clean(int fd, const struct stat *st,
		   const struct secmalloc_load_options *options,
		   struct secmalloc_loaded *loaded)
{
	int dirty = 0;
	long n;

	if (options->flags & SECMALLOC_LOAD_CACHED) {
		loaded->way = SECMALLOC_WAY_CACHED;
		loaded->cached = -1;
		return;
	}
	n = secm_io_os_cached(fd, st, &dirty);
	loaded->cached = n;
	if (n == 0)
		return;
	if (S_ISREG(st->st_mode) && secm_io_os_is_memory(fd)) {
		loaded->way = SECMALLOC_WAY_CACHED;
		return;
	}
	if (n > 0 || loaded->way != SECMALLOC_WAY_DIRECT)
		loaded->way = SECMALLOC_WAY_DROPPED;
	if (drop(fd, st, dirty, &loaded->cached) != 0 &&
	    loaded->way != SECMALLOC_WAY_DIRECT)
		loaded->way = SECMALLOC_WAY_CACHED;
}
