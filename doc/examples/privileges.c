/* SPDX-License-Identifier: MIT */
/*
 * privileges.c - lock pools as root, give up root, go on allocating
 *
 * A server that starts as root (or with CAP_IPC_LOCK) may lock more memory than
 * the user it becomes.  With initial_pools the memory is mapped and locked when
 * secmalloc_init() returns, and serves allocations after the privileges are
 * gone.  To make the point this program also sets the lock limit to 0.
 */
#define _DEFAULT_SOURCE
#define _BSD_SOURCE

#include <grp.h>
#include <secmalloc.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CANNOT = 77, NOBODY = 65534, POOLS = 4, POOL_SIZE = 64 << 10 };
enum { KEYS = 2000 };

#ifdef RLIMIT_MEMLOCK
static int forbid_locking(void)
{
	const struct rlimit none = { 0, 0 };

	return setrlimit(RLIMIT_MEMLOCK, &none);
}
#else
static int forbid_locking(void)
{
	return 0; /* no such limit here */
}
#endif

/* -1: not given up, and errno. */
static int give_up_root(void)
{
	if (forbid_locking() != 0 || setgroups(0, NULL) != 0 ||
	    setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
		return -1;
	return 0;
}

int main(void)
{
	struct secmalloc_config config = { .size = sizeof(config) };
	struct secmalloc_report report = { .size = sizeof(report) };
	static void *key[KEYS];
	int i;

	if (geteuid() != 0) {
		puts("needs root: there is no privilege to give up");
		return CANNOT;
	}
	config.initial_pools = POOLS;
	config.pool_size = POOL_SIZE;
	if (secmalloc_init(&config) != 0) {
		perror("secmalloc_init");
		return CANNOT;
	}
	if (give_up_root() != 0) {
		perror("cannot become nobody");
		return CANNOT;
	}
	if (setuid(0) == 0) {
		fputs("root came back: it was not given up\n", stderr);
		return 1;
	}

	for (i = 0; i < KEYS; i++) {
		key[i] = secmalloc(32);
		if (!key[i]) {
			perror("secmalloc");
			fprintf(stderr, "key %d\n", i);
			return 1;
		}
	}
	if (secmalloc_report(&report) != 0) {
		perror("secmalloc_report");
		return 1;
	}
	printf("%lu keys as user %lu, lock limit %lu, %lu bytes of pools\n",
	       (unsigned long)report.objects, (unsigned long)getuid(),
	       (unsigned long)report.lock_limit,
	       (unsigned long)(report.tier[SECMALLOC_TIER_SECRET].mapped +
			       report.tier[SECMALLOC_TIER_LOCKED].mapped));
	for (i = 0; i < KEYS; i++)
		secfree(key[i]);
	return 0;
}
