/* SPDX-License-Identifier: MIT */
/*
 * workers.c - a master loads a key, and its workers use it
 *
 * As web servers do: the master reads the key while it has the rights to, then
 * forks workers.  Each of them gets a copy of the heap that has the key, in
 * secret memory of its own.  What else the master has in the default heap is
 * none of their business: there they read zeros.
 */
#include <secmalloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT = 77, WORKERS = 4, KEY = 32 };

static int is_zero(const unsigned char *p, size_t size)
{
	while (size > 0)
		if (p[--size])
			return 0;
	return 1;
}

/* Stands for serving: what the key is good for.  0, or 1. */
static int work(unsigned char *key, const unsigned char *own, unsigned char sum)
{
	unsigned char now = 0;
	size_t i;

	for (i = 0; i < KEY; i++)
		now = (unsigned char)(now + key[i]);
	if (now != sum || !is_zero(own, KEY))
		return 1;
	secfree(key); /* this worker's; the others have theirs */
	return 0;
}

int main(void)
{
	struct secmalloc_config config;
	unsigned char *key, *own, sum = 0;
	secmalloc_heap *keys;
	int i, status, failed = 0;

	memset(&config, 0, sizeof(config));
	config.child = SECMALLOC_CHILD_COPY;
	keys = secmalloc_heap_create(&config);
	if (!keys) {
		perror("no memory for secrets here");
		return CANNOT;
	}
	key = secmalloc_heap_guarded(keys, KEY);
	own = secmalloc(KEY);
	if (!key || !own || secmalloc_random(key, KEY) != 0 ||
	    secmalloc_random(own, KEY) != 0) {
		perror("no keys");
		return 1;
	}
	for (i = 0; i < KEY; i++)
		sum = (unsigned char)(sum + key[i]);
	for (i = 0; i < WORKERS; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(work(key, own, sum));
		failed += pid < 0;
	}
	while (wait(&status) > 0)
		failed += status != 0;
	printf("%d workers, %d failed\n", WORKERS, failed);
	secmalloc_heap_destroy(keys);
	secfree(own);
	return failed != 0;
}
