/* SPDX-License-Identifier: MIT */
/*
 * t_seal.h - what an attacker may try with the mapping of a page
 *
 * Included before other headers, as mremap(2) is behind a feature macro.
 */
#ifndef T_SEAL_H
#define T_SEAL_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#if !defined(MAP_ANONYMOUS) && defined(MAP_ANON)
#define MAP_ANONYMOUS MAP_ANON
#endif

enum { T_OPENED = 1, T_REPLACED = 2, T_UNMAPPED = 4, T_MOVED = 8 };

#ifdef MREMAP_FIXED
enum { T_ALL_WAYS = T_OPENED | T_REPLACED | T_UNMAPPED | T_MOVED };

/* To a place that is taken, so it never is where it was. */
static inline int t_move_page(void *p, size_t page)
{
	void *to =
		mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mremap(p, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to
		       ? 0
		       : -1;
}
#else
enum { T_ALL_WAYS = T_OPENED | T_REPLACED | T_UNMAPPED };

static inline int t_move_page(void *p, size_t page)
{
	(void)p; /* no call to give them to */
	(void)page;
	errno = EPERM;
	return -1;
}
#endif

static inline int t_replace_page(void *p, size_t page)
{
	return mmap(p, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		    -1, 0) == p
		       ? 0
		       : -1;
}

/* A bit for each way that is open; or the errno, negative, with which one is
 * closed, if that is not EPERM. */
static inline int t_ways_to(void *p)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int ways = 0;

	errno = EPERM;
	if (mprotect(p, page, PROT_READ) == 0)
		ways |= T_OPENED;
	if (errno == EPERM && t_replace_page(p, page) == 0)
		ways |= T_REPLACED;
	if (errno == EPERM && munmap(p, page) == 0)
		ways |= T_UNMAPPED;
	if (ways & T_UNMAPPED)
		(void)t_replace_page(p,
				     page); /* so that there is one to move */
	if (errno == EPERM && t_move_page(p, page) == 0)
		ways |= T_MOVED;
	return errno == EPERM ? ways : -errno;
}

#endif /* T_SEAL_H */
