/* SPDX-License-Identifier: MIT */
/*
 * cache.c - the page cache of Linux
 *
 * Called by load.c, ring.c and the portable cache.c.  Lock: none.
 *
 * Numbers that old headers lack are here; kernels that lack what they stand for
 * answer ENOSYS, EINVAL or EOPNOTSUPP, and then there is another way.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80 /* Linux 6.14 */
#endif
/* Linux 6.5; one number for all processors, but for those that count apart. */
#if !defined(SYS_cachestat) && !defined(__alpha__)
#define SYS_cachestat 451
#endif

enum { WINDOW = 1024 }; /* pages that mincore(2) is asked about at a time */

/* Of the kernel's interface: sizes are fixed. */
struct range {
	uint64_t from, length; /* 0: to the end */
};
struct count {
	uint64_t cached, dirty, writeback, evicted, recently_evicted;
};
SECM_STATIC_ASSERT(sizeof(struct count) == 40);

int secm_io_os_direct(int fd, int on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_DIRECT : flags & ~O_DIRECT;
	return fcntl(fd, F_SETFL, flags) == 0 ? 0 : -errno;
}

#ifdef SYS_preadv2
ssize_t secm_io_os_pread_drop(int fd, void *p, size_t size, off_t at)
{
	const struct iovec v = { p, size };
	ssize_t n = syscall(SYS_preadv2, (long)fd, &v, 1L, (long)at,
			    (long)((uint64_t)at >> 32), (long)RWF_DONTCACHE);

	return n >= 0 ? n : -errno;
}
#else
ssize_t secm_io_os_pread_drop(int fd, void *p, size_t size, off_t at)
{
	(void)fd;
	(void)p;
	(void)size;
	(void)at;
	return -EOPNOTSUPP;
}
#endif

/* Whether mincore(2) tells the truth about it: to those who may write to it. */
static int is_told(const struct stat *st)
{
	const uid_t me = geteuid();

	return me == 0 || me == st->st_uid;
}

static long ask_mincore(int fd, const struct stat *st)
{
	const size_t size = secm_io_pages((size_t)st->st_size);
	const size_t page = secm_io_pages(1), step = page * WINDOW;
	unsigned char in[WINDOW], *p;
	long n = 0;
	size_t at, i;

	if (!is_told(st))
		return -1;
	p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	for (at = 0; at < size && n >= 0; at += step) {
		const size_t part = size - at < step ? size - at : step;

		if (mincore(p + at, part, in) != 0)
			n = -1;
		for (i = 0; n >= 0 && i < part / page; i++)
			n += in[i] & 1;
	}
	(void)munmap(p, size);
	return n;
}

static int is_one_of(int fd, const uint32_t *magic, size_t n)
{
	struct statfs fs;
	size_t i;

	if (fstatfs(fd, &fs) != 0)
		return 0;
	for (i = 0; i < n; i++)
		if ((uint32_t)fs.f_type == magic[i])
			return 1;
	return 0;
}

/* There the pages are those of a file below, which cachestat(2) does not look
 * at: it finds none, whatever there is. */
static int is_layered(int fd)
{
	static const uint32_t magic[] = { 0x794c7630 }; /* overlayfs */

	return is_one_of(fd, magic, sizeof(magic) / sizeof(magic[0]));
}

/* What mincore() finds may not be written yet: it does not tell. */
long secm_io_os_cached(int fd, const struct stat *st, int *dirty)
{
	const struct range all = { 0, 0 };
	struct count c;
	int error;

	*dirty = 0;
	if (!S_ISBLK(st->st_mode) &&
	    (!S_ISREG(st->st_mode) || st->st_size == 0))
		return 0;
	error = syscall(SYS_cachestat, (long)fd, &all, &c, 0L) != 0 ? errno : 0;
	if (error == 0 && (c.cached > 0 || !is_layered(fd))) {
		*dirty = c.dirty + c.writeback > 0;
		return (long)c.cached;
	}
	*dirty = 1;
	return error == 0 || error == ENOSYS ? ask_mincore(fd, st) : -1;
}

/* To the disk is far enough, and much faster than fdatasync(2), which has the
 * disk empty its own memory, even if there was nothing to write.  Of a layered
 * file it would find nothing. */
static void write_back(int fd)
{
	const unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE |
			     SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

	if (is_layered(fd) || sync_file_range(fd, 0, 0, all) != 0)
		(void)fdatasync(fd);
}

int secm_io_os_drop(int fd, int dirty)
{
	if (dirty)
		write_back(fd);
	return -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

int secm_io_os_is_memory(int fd)
{
	static const uint32_t magic[] = { 0x01021994,	/* tmpfs */
					  0x858458f6,	/* ramfs */
					  0x958458f6 }; /* hugetlbfs */

	return is_one_of(fd, magic, sizeof(magic) / sizeof(magic[0]));
}
