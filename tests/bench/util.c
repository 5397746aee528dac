/* SPDX-License-Identifier: MIT */
/*
 * util.c - clocks, wiping, sizes, and how much memory is locked
 *
 * Callers: all of tests/bench.
 */
#include "bench.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

size_t bench_sizes[256];

static double nanoseconds(clockid_t clock)
{
	struct timespec t = { 0, 0 };

	if (clock_gettime(clock, &t) < 0) {
		perror("bench: clock_gettime");
		exit(1);
	}
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double bench_cpu(void)
{
	return nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
}

double bench_wall(void)
{
	return nanoseconds(CLOCK_MONOTONIC);
}

/* Where the C library has nothing better: memset that the compiler cannot look
 * into. */
static void *(*volatile memset_unseen)(void *, int, size_t) = memset;

static void wipe_plainly(void *p, size_t size)
{
	memset_unseen(p, 0, size);
}

static void (*wipe)(void *, size_t) = wipe_plainly;

void bench_wipe(void *p, size_t size)
{
	wipe(p, size);
}

/* Asked at run time, so that configure need not: a call through a pointer
 * costs what one through the linkage table does. */
static void find_wipe(void)
{
	void *f = dlsym(RTLD_DEFAULT, "explicit_bzero");

	if (f)
		memcpy(&wipe, &f, sizeof(wipe));
}

void bench_init(void)
{
	double size = 16;
	int i;

	find_wipe();
	for (i = 0; i < 256; i++) {
		bench_sizes[i] = (size_t)(size + 0.5);
		size *= 1.010932227; /* 16 to the power of 1/255 */
	}
}

int bench_cannot(struct bench_run *run, const char *why)
{
	snprintf(run->why, sizeof(run->why), "%s", why);
	return -1;
}

double bench_failed(struct bench_run *run, const char *why)
{
	(void)bench_cannot(run, why);
	return 0;
}

long bench_locked(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	long kib = -1;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "VmLck:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	fclose(f);
	return kib;
}
