/* SPDX-License-Identifier: MIT */
/*
 * map.c - address space and pages
 *
 * Called by the core; each range by one thread at a time, which is the core's
 * duty.  Lock: none.
 *
 * I1  Reserved space is a private mapping without access whose pages, were
 *     they accessible, would be zeros.  So mprotect(2) is all that makes
 *     memory of it, and a refusal there leaves no hole behind.  mmap(2) with
 *     MAP_FIXED might: POSIX lets it unmap the old pages and then fail.
 * I2  Space is not asked for with MAP_NORESERVE: inaccessible private pages
 *     are not charged anyway, and pages that become writable shall be, so that
 *     a lack of memory is an error here and no signal later.
 * I3  No descriptor is kept: a program may close all that it does not know.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include "fallback.h"
#include "os.h"

void *secm_posix_space(void *at, size_t len, int fixed, int conceal)
{
	int flags = MAP_PRIVATE | secm_extra_anon_flag() | conceal;
	int fd = -1;
	int err;
	void *got;

	if (fixed)
		flags |= MAP_FIXED;
	if (!secm_extra_anon_flag()) {
		fd = secm_posix_open("/dev/zero", O_RDWR);
		if (fd < 0) {
			errno = -fd;
			return MAP_FAILED;
		}
	}
	got = mmap(at, len, PROT_NONE, flags, fd, 0);
	err = errno;
	if (fd >= 0)
		(void)close(fd); /* the mapping stays */
	if (got != MAP_FAILED)
		/* After mlockall(MCL_FUTURE) it would count as locked; else
		 * there is nothing to unlock and nothing lost. */
		(void)secm_extra_unlock(got, len);
	errno = err;
	return got;
}

void *secm_os_reserve(size_t len)
{
	void *at = secm_posix_space(NULL, len, 0, secm_posix.conceal);

	return at == MAP_FAILED ? NULL : at;
}

void secm_os_release(void *at, size_t len)
{
	if (munmap(at, len) != 0)
		secm_os_panic("secmalloc: munmap of our own pages failed\n");
}

/*
 * Without a descriptor for /dev/zero, or with the space itself counted as
 * locked and no quota for it, the pages are closed and unlocked instead.  They
 * are zeros (wiped by the caller, or never written), so I1 holds; their memory
 * goes back when they are unmapped the next time.
 */
static int close_pages(void *at, size_t len)
{
	if (mprotect(at, len, PROT_NONE) != 0) {
		secm_posix_expect(errno);
		return -ENOMEM;
	}
	(void)secm_extra_unlock(at, len); /* never locked is fine, too */
	return 0;
}

int secm_os_unmap(void *at, size_t len)
{
	if (secm_posix_space(at, len, 1, secm_posix.conceal) != MAP_FAILED)
		return 0;
	secm_posix_expect(errno);
	if (errno == ENOMEM)
		return -ENOMEM;
	return close_pages(at, len);
}

/* One of the codes of secm_os_map() for what madvise(2) or minherit(2) said. */
static int advice_error(int err)
{
	if (err == 0)
		return 0;
	if (err == -ENOMEM || err == -EAGAIN)
		return -ENOMEM;
	if (err == -EPERM || err == -EACCES)
		return -EPERM;
	return -ENOTSUP;
}

/*
 * Over the limit systems say ENOMEM or EAGAIN, and without privilege or with a
 * limit of 0 EPERM.  EPERM below a limit that is known and not 0 comes from
 * something else.
 */
static int lock_error(int err)
{
	size_t soft, hard;

	if (err == -ENOSYS || err == -ENOTSUP)
		return -ENOTSUP;
	if (err != -EPERM)
		return -EAGAIN;
	secm_os_lock_limit(&soft, &hard);
	return soft == 0 || soft == SIZE_MAX ? -EAGAIN : -EPERM;
}

static int get_nodump(void *at, size_t len)
{
	if (secm_posix.conceal)
		return 0; /* since it was reserved */
	return advice_error(secm_extra_nodump(at, len));
}

static int get_fork_zero(void *at, size_t len)
{
	return advice_error(secm_extra_inherit_zero(at, len));
}

/* Last, as it alone takes something that is scarce. */
static int get_locked(void *at, size_t len)
{
	int err = secm_extra_lock(at, len);

	if (err == 0)
		return 0;
	(void)secm_extra_unlock(at, len); /* of what it did before it failed */
	secm_posix_expect(-err);
	return lock_error(err);
}

static const struct {
	unsigned prop;
	int (*get)(void *at, size_t len);
} steps[] = {
	{ SECM_NODUMP, get_nodump },
	{ SECM_FORK_ZERO, get_fork_zero },
	{ SECM_LOCKED, get_locked },
};

enum { STEPS = sizeof(steps) / sizeof(steps[0]) };

/* Tries want on mapped pages; the first refusal of something needed ends it.
 * *why becomes the errno of the last refusal. */
static int protect(void *at, size_t len, unsigned need, unsigned want,
		   unsigned *got, int *why)
{
	int i, err;

	for (i = 0; i < STEPS; i++) {
		if (!(want & steps[i].prop))
			continue;
		err = steps[i].get(at, len);
		if (err == 0) {
			*got |= steps[i].prop;
			continue;
		}
		*why = -err;
		if (need & steps[i].prop)
			return err;
	}
	return 0;
}

int secm_os_map(void *at, size_t len, unsigned need, unsigned want,
		unsigned *got, int *why)
{
	unsigned can = secm_posix.props & ~secm_posix.hide;
	unsigned have = 0;
	int err;

	*why = want & ~can ? ENOTSUP : 0;
	if (need & ~can)
		return -ENOTSUP;
	if (mprotect(at, len, PROT_READ | PROT_WRITE) != 0) {
		secm_posix_expect(errno);
		*why = ENOMEM;
		return -ENOMEM;
	}
	err = protect(at, len, need, want & can, &have, why);
	if (err == 0) {
		*got = have;
		return 0;
	}
	/* Nothing was written: close_pages() is enough for I1. */
	if (secm_os_unmap(at, len) != 0 && close_pages(at, len) != 0)
		secm_os_panic("secmalloc: cannot close our pages\n");
	return err;
}

/*
 * Without a descriptor the pages are touched by a write.  For locked ones that
 * cannot fail: mlock(2) made them present.  For others no system promises that
 * a page stays present, whatever made it so.
 */
static void touch(unsigned char *at, size_t len)
{
	size_t i;

	for (i = 0; i < len; i += secm_posix.page)
		*(volatile unsigned char *)(at + i) = 0;
}

int secm_os_populate(void *at, size_t len)
{
	unsigned char *to = at;
	int fd = secm_posix_open("/dev/zero", O_RDONLY);
	ssize_t n = 1;

	if (fd < 0) {
		touch(at, len);
		return 0;
	}
	while (len > 0) {
		n = read(fd, to, len < SSIZE_MAX ? len : SSIZE_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		to += n;
		len -= (size_t)n;
	}
	(void)close(fd); /* only read from */
	return n > 0 ? 0 : -ENOMEM;
}

/* POSIX cannot move pages. */
int secm_os_move(void *from, void *to, size_t len)
{
	(void)from;
	(void)to;
	(void)len;
	return -ENOTSUP;
}

void secm_os_nodump(void *at, size_t len)
{
	if (!secm_posix.conceal)
		(void)secm_extra_nodump(at, len); /* no promise: os.h */
}
