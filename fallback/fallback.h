/* SPDX-License-Identifier: MIT */
/*
 * fallback.h - what the files of the POSIX backend share
 *
 * C99 and POSIX.1-2001 are enough to build it; whatever a system has beyond
 * that is behind the secm_extra_ functions of extras.c, which are compiled
 * from configure's answers (HAVE_*, HAVE_DECL_*).  With an empty config.h they
 * all say -ENOTSUP and the backend still works.
 *
 * Lock: none.  secm_posix is written by secm_os_init() and secm_os_mask(),
 * before there are other users, and only read afterwards.
 */
#ifndef SECM_FALLBACK_H
#define SECM_FALLBACK_H

#include <stddef.h>

/* What secm_os_init() found out. */
struct secm_posix {
	size_t page;	  /* bytes */
	unsigned props;	  /* SECM_* that can be had, nothing masked */
	unsigned hide;	  /* SECM_* that secm_os_mask() hides */
	int conceal;	  /* mmap flags that keep a mapping out of dumps */
	int madvise_lies; /* nonsense advice is accepted */
	int lock_lies;	  /* mlock() locks what is not there */
};

extern struct secm_posix secm_posix;

/* probe.c: the same questions again, nothing stored */
void secm_posix_probe(struct secm_posix *found);

/* map.c: inaccessible fresh pages, with MAP_FIXED at a place of ours if fixed
 * and else near it; MAP_FAILED and errno.  conceal: flags to add. */
void *secm_posix_space(void *at, size_t len, int fixed, int conceal);

/* random.c: opens for reading and writing or only reading, not inherited over
 * exec; a descriptor or a negative errno */
int secm_posix_open(const char *path, int flags);

/* probe.c: panics if err is an error that only a bug of ours can cause */
void secm_posix_expect(int err);

/* extras.c; int functions return 0 or a negative errno, -ENOTSUP where the
 * system has no such thing */
int secm_extra_anon_flag(void);	   /* MAP_ANON, or 0: map /dev/zero */
int secm_extra_conceal_flag(void); /* MAP_CONCEAL, MAP_NOCORE, or 0 */
int secm_extra_nodump(void *at, size_t len);
int secm_extra_nonsense(void *at, size_t len);
int secm_extra_inherit_zero(void *at, size_t len);
int secm_extra_inherit_copy(void *at, size_t len);
int secm_extra_seal(void *at, size_t len);
int secm_extra_lock(void *at, size_t len);
int secm_extra_unlock(void *at, size_t len);
int secm_extra_random(void *buf, size_t len);
const char *secm_extra_nodump_name(void); /* for humans; NULL if none */
const char *secm_extra_random_name(void);
const char *secm_extra_seal_name(void);

#endif /* SECM_FALLBACK_H */
