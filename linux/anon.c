/* SPDX-License-Identifier: MIT */
/*
 * anon.c - tier 2: private anonymous memory, locked, not dumped
 *
 * Callers: map.c and probe.c.  State: no_mlock2.
 *
 * MADV_WIPEONFORK gives children zeros.  NOHUGEPAGE keeps khugepaged from
 * copying secrets into huge pages, UNMERGEABLE keeps KSM from finding out
 * that two of them are equal.  The lock is taken on fault, so that untouched
 * pages cost quota but no memory.
 */
#include "linux.h"

#include "uapi.h"

static const struct {
	unsigned prop;
	int advice;
} advices[] = {
	{ SECM_NODUMP, MADV_DONTDUMP },
	{ SECM_FORK_ZERO, MADV_WIPEONFORK },
};

enum { ADVICES = sizeof(advices) / sizeof(advices[0]) };

/* Not mlock(3): sanitizers put a function in its place that does nothing. */
static int lock(void *at, size_t len)
{
	return (int)syscall(SYS_mlock, at, len);
}

#ifdef SYS_mlock2
/* Asked once, as valgrind has something to say about each unknown call. */
static int no_mlock2;

static int lock_on_fault(void *at, size_t len)
{
	if (no_mlock2)
		return lock(at, len);
	if (syscall(SYS_mlock2, at, len, MLOCK_ONFAULT) == 0)
		return 0;
	/* EPERM: the limit is 0, or a filter knows only the older call. */
	if (errno != ENOSYS && errno != EINVAL && errno != EPERM)
		return -1;
	no_mlock2 = errno == ENOSYS;
	return lock(at, len);
}
#else
static int lock_on_fault(void *at, size_t len)
{
	return lock(at, len);
}
#endif

/* What the kernel can do, less what tests want hidden. */
unsigned secm_anon_props(void)
{
	return secm_linux_anon_props & ~secm_linux_hidden_mask;
}

unsigned secm_anon_probe(void *scratch, size_t page)
{
	unsigned props = 0;
	int i;

	for (i = 0; i < ADVICES; i++)
		if (madvise(scratch, page, advices[i].advice) == 0)
			props |= advices[i].prop;
	return props;
}

/* Over the limit the kernel says ENOMEM, and EPERM where that is 0; another
 * EPERM is a filter's. */
static int lock_error(int error)
{
	size_t soft, hard;

	secm_os_lock_limit(&soft, &hard);
	return error == EPERM && soft > 0 ? EPERM : EAGAIN;
}

/* 0 and *got, or the errno that cost a wanted property. */
static int protect(void *at, size_t len, unsigned want, unsigned *got)
{
	int i, why = want & ~secm_anon_props() ? ENOTSUP : 0;

	*got = 0;
	/* Best effort: kernels may be built without either. */
	(void)madvise(at, len, MADV_NOHUGEPAGE);
	(void)madvise(at, len, MADV_UNMERGEABLE);
	want &= secm_anon_props();
	for (i = 0; i < ADVICES; i++) {
		if (!(want & advices[i].prop))
			continue;
		if (madvise(at, len, advices[i].advice) == 0)
			*got |= advices[i].prop;
		else
			why = errno;
	}
	if (!(want & SECM_LOCKED))
		return why;
	if (lock_on_fault(at, len) != 0)
		return lock_error(errno);
	*got |= SECM_LOCKED;
	return why;
}

/* Reserved space is private pages nobody has touched, so opening them is all
 * it takes; a refusal leaves no hole as mmap over them could. */
int secm_anon_map(void *at, size_t len, unsigned need, unsigned want,
		  unsigned *got, int *why)
{
	unsigned have;
	int error;

	if (need & ~secm_anon_props())
		return -ENOTSUP;
	if (mprotect(at, len, PROT_READ | PROT_WRITE) != 0)
		return errno == EAGAIN ? -EAGAIN : -ENOMEM;
	error = protect(at, len, want, &have);
	if (error && !*why)
		*why = error;
	if ((have & need) == need) {
		*got = have;
		return 0;
	}
	/* It needs a mapping more at times, and there may be none left. */
	if (secm_linux_rereserve(at, len) != 0 &&
	    (munlock(at, len) != 0 || mprotect(at, len, PROT_NONE) != 0))
		secm_os_panic("secmalloc: cannot take a mapping back\n");
	return need & ~have & SECM_LOCKED ? -error : -ENOTSUP;
}
