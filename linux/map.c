/* SPDX-License-Identifier: MIT */
/*
 * map.c - address space and pages: reserve, map, populate, move, unmap
 *
 * Callers: the core, through os.h, one at a time (the core's lock).  No state.
 *
 * Invariants: I1 a reservation never has a hole that another mmap() of the
 * process could fall into, except while mremap has left one behind for a
 * moment; what falls in then is noticed (MAP_FIXED_NOREPLACE) and reported.
 * I2 no descriptor outlives a call.
 */
#include "linux.h"

#include <sys/random.h>

#include "uapi.h"

enum { RESERVED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE };

/* After mlockall(MCL_FUTURE) even inaccessible space counts as locked. */
static void uncount(void *at, size_t len)
{
	(void)munlock(at, len); /* nothing to do is the common case */
}

void *secm_os_reserve(size_t len)
{
	void *p = mmap(NULL, len, PROT_NONE, RESERVED, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	uncount(p, len);
	return p;
}

void secm_os_release(void *at, size_t len)
{
	/* Refused by a policy it stays: inaccessible, and ours. */
	if (munmap(at, len) != 0 && errno == EINVAL)
		secm_os_panic("secmalloc: munmap failed on own memory\n");
}

int secm_linux_rereserve(void *at, size_t len)
{
	void *p = mmap(at, len, PROT_NONE, RESERVED | MAP_FIXED, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	uncount(at, len);
	return 0;
}

int secm_os_reclaim(void *at, size_t len)
{
	void *p =
		mmap(at, len, PROT_NONE, RESERVED | MAP_FIXED_NOREPLACE, -1, 0);

	if (p == MAP_FAILED)
		return errno == EEXIST ? -EEXIST : -ENOMEM;
	if (p != at) { /* before 4.17 the flag is only a hint */
		(void)munmap(p, len);
		return -EEXIST;
	}
	uncount(at, len);
	return 0;
}

/* The errno that secretmem said, as one of the codes in os.h. */
static int map_error(int error)
{
	switch (error) {
	case EAGAIN:
	case ENOMEM:
	case EADDRINUSE:
		return -error;
	case EMFILE:
	case ENFILE:
		return -EMFILE;
	case EPERM:
	case EACCES:
		return -EPERM;
	default:
		return -ENOTSUP;
	}
}

int secm_os_map(void *at, size_t len, unsigned need, unsigned want,
		unsigned *got, int *why)
{
	static const unsigned hidden =
		SECM_HIDDEN | SECM_LOCKED | SECM_NODUMP | SECM_FORK_GONE;
	unsigned have = hidden & ~secm_linux_hidden_mask;
	int r;

	*why = 0;
	if (want & SECM_HIDDEN) {
		r = -ENOSYS;
		if ((have & SECM_HIDDEN) && !(need & ~have))
			r = secm_secretmem_map(at, len);
		if (r == 0) {
			*got = have;
			return 0;
		}
		*why = -r;
		if (r == -EADDRINUSE || (need & ~secm_anon_props()))
			return map_error(-r);
	}
	return secm_anon_map(at, len, need,
			     want & ~(unsigned)(SECM_HIDDEN | SECM_FORK_GONE),
			     got, why);
}

/* Makes a page present by letting the kernel write one byte of it. */
static int populate_page(char *page)
{
	ssize_t n;

	do
		n = getrandom(page, 1, 0);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return errno == EFAULT ? -EAGAIN : -ENOMEM;
	*page = 0;
	return 0;
}

int secm_os_populate(void *at, size_t len)
{
	size_t i;

	/* One call for all of them; secret memory answers EINVAL. */
	if (madvise(at, len, MADV_POPULATE_WRITE) == 0)
		return 0;
	for (i = 0; i < len; i += secm_linux_page) {
		int r = populate_page((char *)at + i);

		if (r)
			return r;
	}
	return 0;
}

/* mremap may unmap its target and fail after that. */
int secm_linux_still_reserved(void *at, size_t len)
{
	unsigned char present;

	return mincore(at, secm_linux_page, &present) == 0 ||
	       secm_os_reclaim(at, len) == 0;
}

int secm_os_move(void *from, void *to, size_t len)
{
	int error;

	if (mremap(from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to)
		return secm_os_reclaim(from, len) == 0 ? 0 : -ESTALE;
	error = errno;
	if (!secm_linux_still_reserved(to, len))
		return -EADDRINUSE;
	return error == ENOMEM || error == EAGAIN ? -ENOMEM : -ENOTSUP;
}

int secm_os_unmap(void *at, size_t len)
{
	return secm_linux_rereserve(at, len);
}
