/* SPDX-License-Identifier: MIT */
/*
 * secretmem.c - tier 1: memfd_secret(2)
 *
 * Callers: map.c, probe.c and facts.c.  No state.
 *
 * Facts that shape this file:
 *  - the size can be set once, before mapping; a map never grows;
 *  - only MAP_SHARED works, so a child would share the pages: MADV_DONTFORK
 *    takes them away from it, and until then they are inaccessible, as another
 *    thread may clone(2) a child at any moment;
 *  - the descriptor gives access to whoever gets hold of it (pidfd_getfd, exec,
 *    a passed message), so it is closed as soon as the pages are mapped;
 *  - up to 7.1 the length counts as locked when mapped, and mmap says EAGAIN
 *    over the limit; from 7.2 each page counts when it is first touched, and a
 *    touch over the limit is SIGBUS unless a system call does it;
 *  - mlock() on such pages says ENOMEM: they are locked already.
 */
#include "linux.h"

#include "uapi.h"

/* A filter that has come since the start may end the process for this call,
 * or for asking in a child; so it is left alone. */
static int open_file(void)
{
	if (!secm_seccomp_changed())
		return (int)syscall(SYS_memfd_secret, O_CLOEXEC);
	errno = EPERM;
	return -1;
}

/* Maps at a place of the kernel's choice, so that a refusal (the lock limit
 * is checked after MAP_FIXED has unmapped the old range) costs nothing.  The file
 * is closed. */
static void *map_file(int fd, size_t len, int *error)
{
	void *p = MAP_FAILED;

	if (ftruncate(fd, (off_t)len) == 0)
		p = mmap(NULL, len, PROT_NONE, MAP_SHARED, fd, 0);
	*error = p == MAP_FAILED ? errno : 0;
	(void)close(fd); /* nothing was written: close cannot lose anything */
	return p == MAP_FAILED ? NULL : p;
}

int secm_secretmem_map(void *at, size_t len)
{
	int error, fd = open_file();
	void *p;

	if (fd < 0)
		return -errno;
	p = map_file(fd, len, &error);
	if (!p)
		return -error;
	if (madvise(p, len, MADV_DONTFORK) != 0 ||
	    madvise(p, len, MADV_DONTDUMP) != 0 ||
	    mprotect(p, len, PROT_READ | PROT_WRITE) != 0) {
		error = errno;
		(void)munmap(p, len); /* whole mapping of our own */
		return -error;
	}
	if (mremap(p, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, at) != at) {
		error = errno;
		(void)munmap(p, len);
		return secm_linux_still_reserved(at, len) ? -error
							  : -EADDRINUSE;
	}
	return 0;
}

static int try_file(void)
{
	int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);

	if (fd < 0)
		return errno;
	(void)close(fd); /* empty file of our own */
	return 0;
}

int secm_secretmem_errno(void)
{
	return secm_seccomp_ask(try_file);
}

int secm_secretmem_probe(size_t page, int *lazy)
{
	int error = secm_seccomp_filtered() ? secm_secretmem_errno() : 0, fd;
	void *p;

	if (error)
		return error;
	fd = open_file();
	if (fd < 0)
		return errno;
	p = map_file(fd, page, &error);
	if (!p)
		return 0; /* refused at mmap: that is the eager kind */
	/* DONTNEED is refused exactly where the mapping counts as locked. */
	*lazy = madvise(p, page, MADV_DONTNEED) == 0;
	(void)munmap(p, page);
	return 0;
}
