/* SPDX-License-Identifier: MIT */
/*
 * probe.c - what this system can do, found out without signals
 *
 * secm_os_init() and secm_os_mask() are called by the core and by tests before
 * there are other users of secm_posix; secm_posix_probe() by facts.c at any
 * time.  Every question is asked about one scratch page.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fallback.h"
#include "os.h"

/* How much address space to ask for first. */
static const size_t reserve_small = (size_t)64 << 20;
static const size_t reserve_factor = sizeof(void *) > 4 ? 1024 : 1;

/* Page size of systems that cannot say; divides that of all others. */
static const size_t page_default = 4096;

struct secm_posix secm_posix;

void secm_posix_expect(int err)
{
	if (err == EINVAL || err == EFAULT || err == EBADF)
		secm_os_panic("secmalloc: system call refused our own pages\n");
}

static size_t page_size(void)
{
	long page = sysconf(_SC_PAGESIZE);

	return page > 0 ? (size_t)page : page_default;
}

/* Sanitizers put an mlock() in place of the system's that does nothing and says
 * yes; of the last page of all addresses, too, which no process has. */
static int lock_lies(size_t page)
{
	return secm_extra_lock((void *)(UINTPTR_MAX - page + 1), page) == 0;
}

/* A limit that is used up or 0 is no answer: it may be raised later. */
static unsigned probe_locked(const struct secm_posix *found, void *at)
{
	int err = secm_extra_lock(at, found->page);

	if (found->lock_lies)
		return 0;
	return err == -ENOSYS || err == -ENOTSUP ? 0 : SECM_LOCKED;
}

/* An emulator that takes every advice and follows none is not believed. */
static unsigned probe_nodump(const struct secm_posix *found, void *at)
{
	if (found->conceal)
		return SECM_NODUMP;
	if (found->madvise_lies || secm_extra_nodump(at, found->page) != 0)
		return 0;
	return SECM_NODUMP;
}

/* An older kernel may refuse a flag of newer headers. */
static void *scratch(struct secm_posix *found)
{
	void *at;

	found->conceal = secm_extra_conceal_flag();
	at = secm_posix_space(NULL, found->page, 0, found->conceal);
	if (at != MAP_FAILED || !found->conceal)
		return at;
	found->conceal = 0;
	return secm_posix_space(NULL, found->page, 0, 0);
}

void secm_posix_probe(struct secm_posix *found)
{
	static const struct secm_posix nothing;
	void *at;

	*found = nothing;
	found->page = page_size();
	at = scratch(found);
	if (at == MAP_FAILED)
		return;
	if (mprotect(at, found->page, PROT_READ | PROT_WRITE) == 0) {
		found->madvise_lies = secm_extra_nonsense(at, found->page) == 0;
		found->props |= probe_nodump(found, at);
		if (secm_extra_inherit_zero(at, found->page) == 0)
			found->props |= SECM_FORK_ZERO;
		found->lock_lies = lock_lies(found->page);
		found->props |= probe_locked(found, at);
	}
	(void)munmap(at, found->page); /* ours, whole: cannot fail */
}

/* Nothing here keeps a machine from it. */
int secm_os_hibernation(void)
{
	return 0;
}

/* Not in POSIX, but known to most. */
#ifdef _SC_PHYS_PAGES
static long memory_pages(void)
{
	return sysconf(_SC_PHYS_PAGES);
}
#else
static long memory_pages(void)
{
	return -1;
}
#endif

static size_t memory(size_t page)
{
	long pages = memory_pages();

	if (pages <= 0 || (size_t)pages > SIZE_MAX / page)
		return SIZE_MAX;
	return (size_t)pages * page;
}

void secm_os_init(struct secm_os_info *info)
{
	static const struct secm_os_info nothing;
	unsigned hide = secm_posix.hide;

	secm_posix_probe(&secm_posix);
	secm_posix.hide = hide;
	*info = nothing;
	info->name = "fallback";
	info->page = secm_posix.page;
	info->memory = memory(info->page);
	info->reserve_hint = reserve_small;
	if (!secm_posix.madvise_lies)
		info->reserve_hint *= reserve_factor;
	info->props = secm_posix.props & ~hide;
	info->hidden_errno = ENOTSUP;
	info->madvise_lies = secm_posix.madvise_lies;
}

void secm_os_mask(unsigned hide)
{
	secm_posix.hide = hide;
}
