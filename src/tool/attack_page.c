/* SPDX-License-Identifier: MIT */
/*
 * attack_page.c - make the kernel use the secret's pages, not a copy
 *
 * vmsplice(2) and direct writes hand the very pages to the kernel (or to a
 * device), as many ways to leak by a kernel or driver fault do.  Run by the
 * victim.  The temporary file has no name while it holds anything, and is
 * overwritten before it is closed.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_SYS_UIO_H
#include <sys/uio.h>
#endif

#include "attack_impl.h"
#include "secmalloc.h"

#if HAVE_DECL_VMSPLICE && defined(HAVE_VMSPLICE)
void attack_vmsplice(struct attack_site *site, struct attack_result *r)
{
	struct iovec from;
	ssize_t n;

	from.iov_base = site->at;
	from.iov_len = site->size;
	n = vmsplice(site->out, &from, 1, 0);
	if (n < 0 && errno == ENOSYS)
		attack_not_here(r, "the kernel has no vmsplice");
	else if (n < 0)
		r->error = errno;
}
#else
void attack_vmsplice(struct attack_site *site, struct attack_result *r)
{
	(void)site;
	attack_not_here(r, "this system has no vmsplice");
}
#endif

#ifdef O_DIRECT
#define TRIED_LAST "/var/tmp" /* on disk where /tmp is often in RAM */

/* A file without a name, or -1. */
static int open_unnamed(const char *folder)
{
	char path[PATH_MAX];
	int fd;

	if (folder == NULL ||
	    snprintf(path, sizeof(path), "%s/secmalloc-demo.XXXXXX", folder) >=
		    (int)sizeof(path))
		return -1;
	fd = mkstemp(path);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int set_direct(int fd, int on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_DIRECT : flags & ~O_DIRECT;
	return fcntl(fd, F_SETFL, flags) == 0 ? 0 : -errno;
}

/*
 * A file system that is really direct insists on whole, aligned blocks; one
 * that takes a single byte goes through the page cache, by a copy, whatever
 * it was asked for.
 */
static int is_direct(int fd)
{
	static const char one[2] = { 0, 0 };

	return set_direct(fd, 1) == 0 && pwrite(fd, one + 1, 1, 0) < 0 &&
	       errno == EINVAL;
}

static int open_direct(const char *folder)
{
	const char *folders[2];
	int fd;
	int i;

	folders[0] = folder;
	folders[1] = TRIED_LAST;
	for (i = 0; i < 2; i++) {
		fd = open_unnamed(folders[i]);
		if (fd >= 0 && is_direct(fd))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

/* Reads the file back through the page cache, and clears it. */
static void spill_file(int fd, struct attack_site *site, size_t size)
{
	unsigned char *buf = calloc(1, size);
	ssize_t n;

	if (buf == NULL || set_direct(fd, 0) != 0)
		goto out;
	n = pread(fd, buf, size, 0);
	if (n > 0)
		(void)attack_write_all(site->out, buf, (size_t)n); /* seen */
	secmalloc_wipe(buf, size);
	if (pwrite(fd, buf, size, 0) == (ssize_t)size)
		(void)fsync(fd); /* best effort: the file is going away */
out:
	free(buf);
}

/* The whole pages around the secret, for direct writes want whole blocks. */
void attack_o_direct(struct attack_site *site, struct attack_result *r)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)site->at & ~(page - 1);
	uintptr_t to = ((uintptr_t)site->at + site->size + page - 1) &
		       ~(page - 1);
	ssize_t n;
	int fd;

	fd = open_direct(site->folder);
	if (fd < 0) {
		attack_not_here(r, "no file system with direct writes found");
		return;
	}
	n = pwrite(fd, (const void *)from, to - from, 0);
	if (n < 0)
		r->error = errno;
	else
		spill_file(fd, site, (size_t)n);
	close(fd);
}
#else
void attack_o_direct(struct attack_site *site, struct attack_result *r)
{
	(void)site;
	attack_not_here(r, "this system has no O_DIRECT");
}
#endif
