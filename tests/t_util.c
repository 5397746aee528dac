/* SPDX-License-Identifier: MIT */
/*
 * t_util.c - what the tests of the core share
 *
 * See t_util.h.  Works without /proc too: what reads it then says so.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "t_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap.h"

enum { NOBODY = 65534, ENOUGH_TO_LOCK = 1 << 20 };

int t_begin(const struct t_tier *tier, const struct secmalloc_config *config)
{
	static const struct secmalloc_config none;
	struct secmalloc_config c = config ? *config : none;

	c.need |= tier->need;
	c.flags |= tier->flags;
	if (!c.hibernation)
		c.hibernation = SECMALLOC_HIBERNATION_GIVE_UP;
	secm_os_mask(tier->hide);
	return secmalloc_init(&c) == 0 ? 0 : errno;
}

const char *t_no_tier(int error)
{
	size_t soft, hard;

	if (error == ENOTSUP)
		return "this tier is not to be had here";
	secm_os_lock_limit(&soft, &hard);
	if (error == ENOMEM && hard < ENOUGH_TO_LOCK &&
	    secm_default_heap.policy.reason == SECMALLOC_REASON_LOCK_LIMIT)
		return "the lock limit is too low for this";
	return NULL;
}

int t_has_quota(const struct t_tier *tier)
{
	return !(tier->hide & SECM_LOCKED);
}

int t_last_child;

int t_fork(void)
{
	pid_t pid = fork();

	t_last_child = -1;
	if (pid > 0)
		while (waitpid(pid, &t_last_child, 0) < 0 && errno == EINTR)
			;
	return pid == 0;
}

int t_drop_privilege(void)
{
	if (geteuid() != 0)
		return 0;
	return setgid(NOBODY) || setuid(NOBODY) ? -1 : 0;
}

#ifdef RLIMIT_MEMLOCK
int t_lock_at_most(size_t bytes)
{
	size_t len = bytes + (size_t)sysconf(_SC_PAGESIZE);
	struct rlimit limit;
	int bound;
	void *p;

	if (t_drop_privilege() != 0 || getrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
	    (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < bytes))
		return 0;
	limit.rlim_cur = limit.rlim_max = bytes;
	if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return 0;
	p = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return 0;
	bound = mlock(p, len) != 0;
	(void)munmap(p, len); /* ours, whole: cannot fail */
	return bound;
}

int t_lock_limits(size_t soft, size_t hard)
{
	struct rlimit limit;

	if (!t_lock_at_most(hard) || getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return 0;
	limit.rlim_cur = soft;
	return setrlimit(RLIMIT_MEMLOCK, &limit) == 0;
}
#else
int t_lock_at_most(size_t bytes)
{
	(void)bytes;
	return 0;
}

int t_lock_limits(size_t soft, size_t hard)
{
	(void)soft;
	(void)hard;
	return 0;
}
#endif

int t_can_lock(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	int can;

	if (p == MAP_FAILED)
		return 0;
	can = mlock(p, bytes) == 0;
	(void)munmap(p, bytes); /* ours, whole: cannot fail */
	return can;
}

int t_space_at_most(size_t more)
{
	size_t kib = t_number_in("/proc/self/status", "VmSize:");
	struct rlimit limit;

	if (!kib || getrlimit(RLIMIT_AS, &limit) != 0)
		return -1;
	limit.rlim_cur = kib * 1024 + more;
	return setrlimit(RLIMIT_AS, &limit);
}

enum secm_access t_access(const void *p)
{
	enum secm_access can = SECM_NONE;
	int fd[2];

	if (pipe(fd) != 0)
		return SECM_NONE;
	if (write(fd[1], p, 1) == 1)
		can = read(fd[0], (void *)(uintptr_t)p, 1) == 1 ?
			      SECM_READWRITE :
			      SECM_READ;
	(void)close(fd[0]); /* a scratch pipe */
	(void)close(fd[1]);
	return can;
}

static unsigned char fill_byte(size_t i, uint64_t seed)
{
	uint64_t x = (seed + i / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15);

	return (unsigned char)(x >> (24 + i % 8 * 4) | 1);
}

void t_fill(void *p, size_t size, uint64_t seed)
{
	unsigned char *c = p;
	size_t i;

	for (i = 0; i < size; i++)
		c[i] = fill_byte(i, seed);
}

int t_is_filled(const void *p, size_t size, uint64_t seed)
{
	const unsigned char *c = p;
	size_t i;

	for (i = 0; i < size; i++)
		if (c[i] != fill_byte(i, seed))
			return 0;
	return 1;
}

int t_holds(const void *p, size_t size, int byte)
{
	const unsigned char *c = p;
	size_t i;

	for (i = 0; i < size; i++)
		if (c[i] != (unsigned char)byte)
			return 0;
	return 1;
}

int t_vmas(void (*see)(void *arg, const struct t_vma *vma), void *arg)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char line[4352], perms[5];
	struct t_vma vma;
	int n = 0;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, perms) != 3)
			continue;
		vma.start = start;
		vma.end = end;
		vma.readable = perms[0] == 'r';
		vma.writable = perms[1] == 'w';
		n++;
		if (see)
			see(arg, &vma);
	}
	(void)fclose(f); /* only read from */
	return n > 0 ? n : -1;
}

size_t t_number_in(const char *path, const char *key)
{
	FILE *f = fopen(path, "r");
	size_t len = strlen(key), n = 0;
	char line[256];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, key, len) == 0) {
			n = (size_t)strtoull(line + len, NULL, 10);
			break;
		}
	(void)fclose(f); /* only read from */
	return n;
}
