/* SPDX-License-Identifier: MIT */
/*
 * extras.c - calls that POSIX.1-2001 lacks or leaves optional
 *
 * Each is one small function, there twice: with the call where configure found
 * it, and saying -ENOTSUP where not.  Called by the other files of this
 * backend.  Lock: none.  Whether the running kernel has what the headers
 * promise is asked at run time by probe.c.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/mman.h>
#include <unistd.h>

#if HAVE_SYS_RANDOM_H
#include <sys/random.h>
#endif

#include "fallback.h"

/* Anonymous memory. */

#if HAVE_DECL_MAP_ANONYMOUS
#define ANON_FLAG MAP_ANONYMOUS
#elif HAVE_DECL_MAP_ANON
#define ANON_FLAG MAP_ANON
#else
#define ANON_FLAG 0
#endif

int secm_extra_anon_flag(void)
{
	return ANON_FLAG;
}

/* Core dumps: a flag of mmap(2) or an advice of madvise(2). */

#if HAVE_DECL_MAP_CONCEAL
#define CONCEAL_FLAG MAP_CONCEAL
#define NODUMP_NAME "mmap(MAP_CONCEAL)"
#elif HAVE_DECL_MAP_NOCORE
#define CONCEAL_FLAG MAP_NOCORE
#define NODUMP_NAME "mmap(MAP_NOCORE)"
#else
#define CONCEAL_FLAG 0
#endif

#if HAVE_DECL_MADVISE && HAVE_DECL_MADV_DONTDUMP
#define NODUMP_ADVICE MADV_DONTDUMP
#define NODUMP_ADVICE_NAME "madvise(MADV_DONTDUMP)"
#elif HAVE_DECL_MADVISE && HAVE_DECL_MADV_NOCORE
#define NODUMP_ADVICE MADV_NOCORE
#define NODUMP_ADVICE_NAME "madvise(MADV_NOCORE)"
#endif

#ifndef NODUMP_NAME
#ifdef NODUMP_ADVICE
#define NODUMP_NAME NODUMP_ADVICE_NAME
#else
#define NODUMP_NAME NULL
#endif
#endif

/* No system gives this number a meaning. */
#define NONSENSE_ADVICE 9999

int secm_extra_conceal_flag(void)
{
	return CONCEAL_FLAG;
}

const char *secm_extra_nodump_name(void)
{
	return NODUMP_NAME;
}

#ifdef NODUMP_ADVICE
int secm_extra_nodump(void *at, size_t len)
{
	return madvise(at, len, NODUMP_ADVICE) == 0 ? 0 : -errno;
}

int secm_extra_nonsense(void *at, size_t len)
{
	return madvise(at, len, NONSENSE_ADVICE) == 0 ? 0 : -errno;
}
#else
int secm_extra_nodump(void *at, size_t len)
{
	(void)at; /* no call to give them to */
	(void)len;
	return -ENOTSUP;
}

int secm_extra_nonsense(void *at, size_t len)
{
	(void)at; /* no call to give them to */
	(void)len;
	return -ENOTSUP;
}
#endif

/* Children that read zeros. */

#if HAVE_MINHERIT && HAVE_DECL_MINHERIT && HAVE_DECL_MAP_INHERIT_ZERO
#define INHERIT MAP_INHERIT_ZERO
#define UNDO MAP_INHERIT_COPY
#elif HAVE_MINHERIT && HAVE_DECL_MINHERIT && HAVE_DECL_INHERIT_ZERO
#define INHERIT INHERIT_ZERO
#define UNDO INHERIT_COPY
#endif

#ifdef INHERIT
int secm_extra_inherit_zero(void *at, size_t len)
{
	return minherit(at, len, INHERIT) == 0 ? 0 : -errno;
}

int secm_extra_inherit_copy(void *at, size_t len)
{
	return minherit(at, len, UNDO) == 0 ? 0 : -errno;
}
#else
int secm_extra_inherit_zero(void *at, size_t len)
{
	(void)at; /* no call to give them to */
	(void)len;
	return -ENOTSUP;
}

int secm_extra_inherit_copy(void *at, size_t len)
{
	(void)at;
	(void)len;
	return -ENOTSUP;
}
#endif

/* Pages that stay as they are. */

#if HAVE_MIMMUTABLE && HAVE_DECL_MIMMUTABLE
#define SEAL_NAME "mimmutable()"

int secm_extra_seal(void *at, size_t len)
{
	return mimmutable(at, len) == 0 ? 0 : -errno;
}
#else
#define SEAL_NAME NULL

int secm_extra_seal(void *at, size_t len)
{
	(void)at; /* no call to give them to */
	(void)len;
	return -ENOTSUP;
}
#endif

const char *secm_extra_seal_name(void)
{
	return SEAL_NAME;
}

/* Locking is an option of POSIX: configure's word counts, else unistd.h's. */

#if defined(HAVE_DECL_MLOCK)
#define LOCKS (HAVE_DECL_MLOCK && HAVE_MLOCK)
#elif defined(_POSIX_MEMLOCK_RANGE)
#define LOCKS (_POSIX_MEMLOCK_RANGE > 0)
#else
#define LOCKS 0
#endif

#if LOCKS
int secm_extra_lock(void *at, size_t len)
{
	return mlock(at, len) == 0 ? 0 : -errno;
}

int secm_extra_unlock(void *at, size_t len)
{
	return munlock(at, len) == 0 ? 0 : -errno;
}
#else
int secm_extra_lock(void *at, size_t len)
{
	(void)at; /* no call to give them to */
	(void)len;
	return -ENOTSUP;
}

int secm_extra_unlock(void *at, size_t len)
{
	(void)at; /* no call to give them to */
	(void)len;
	return -ENOTSUP;
}
#endif

/* Random bytes without a descriptor. */

#if HAVE_GETRANDOM && HAVE_DECL_GETRANDOM
#define RANDOM_NAME "getrandom()"

/* -EIO after a part: the caller's other source then fills all of it. */
int secm_extra_random(void *buf, size_t len)
{
	unsigned char *at = buf;

	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? -EIO : -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}
#elif HAVE_GETENTROPY && HAVE_DECL_GETENTROPY
#define RANDOM_NAME "getentropy()"
#define ENTROPY_MOST 256 /* what one call gives at most */

int secm_extra_random(void *buf, size_t len)
{
	unsigned char *at = buf;

	while (len > 0) {
		size_t n = len < ENTROPY_MOST ? len : ENTROPY_MOST;

		if (getentropy(at, n) != 0)
			return -errno;
		at += n;
		len -= n;
	}
	return 0;
}
#elif HAVE_ARC4RANDOM_BUF && HAVE_DECL_ARC4RANDOM_BUF
#define RANDOM_NAME "arc4random_buf()"

int secm_extra_random(void *buf, size_t len)
{
	arc4random_buf(buf, len);
	return 0;
}
#else
#define RANDOM_NAME NULL

int secm_extra_random(void *buf, size_t len)
{
	(void)buf; /* no call to give them to */
	(void)len;
	return -ENOTSUP;
}
#endif

const char *secm_extra_random_name(void)
{
	return RANDOM_NAME;
}
