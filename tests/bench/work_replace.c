/* SPDX-License-Identifier: MIT */
/*
 * work_replace.c - random replacement: as many objects as before, always others
 *
 * Callers: worker.c, by the list in work.c; work_threads.c for each thread.
 * Nothing here is shared between threads but *run, which is only read.
 */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>

static size_t some_size(const struct bench_run *run, uint64_t random)
{
	return run->work->size ? run->work->size : bench_sizes[random >> 56];
}

static int filled_too_few(struct bench_run *run, size_t filled, int error)
{
	if (error)
		snprintf(run->why, sizeof(run->why),
			 "no more objects after %zu (%s)", filled,
			 strerror(error));
	else
		snprintf(run->why, sizeof(run->why),
			 "too slow: filling took over %g s", run->limit);
	return -1;
}

int bench_fill(struct bench_run *run, struct bench_object *live, size_t n,
	       uint64_t *random)
{
	double end = bench_wall() + run->limit * 1e9;
	size_t i;

	for (i = 0; i < n; i++) {
		live[i].size = some_size(run, bench_random(random));
		errno = 0;
		live[i].p = run->peer->alloc(live[i].size);
		if (!live[i].p)
			return filled_too_few(run, i, errno ? errno : ENOMEM);
		bench_touch(live[i].p, live[i].size, i);
		if (i % 256 == 0 && bench_wall() > end)
			return filled_too_few(run, i, 0);
	}
	return 0;
}

int bench_replace(const struct bench_run *run, struct bench_object *live,
		  size_t n, uint64_t *random)
{
	void *(*alloc)(size_t) = run->peer->alloc;
	void (*release)(void *, size_t) = run->peer->release;
	size_t i, count = run->work->count;
	struct bench_object *object;
	uint64_t x;

	for (i = 0; i < n; i++) {
		x = bench_random(random);
		/* The lower 32 bits choose the object, the upper 8 its size. */
		object = &live[((x & 0xffffffff) * count) >> 32];
		release(object->p, object->size);
		object->size = some_size(run, x);
		object->p = alloc(object->size);
		if (!object->p)
			return -1;
		bench_touch(object->p, object->size, i);
	}
	return 0;
}

int bench_setup_replace(struct bench_run *run)
{
	size_t i;

	run->live = calloc(run->work->count, sizeof(*run->live));
	if (!run->live)
		return filled_too_few(run, 0, errno);
	if (bench_fill(run, run->live, run->work->count, &run->random) < 0)
		return -1;
	for (i = 0; i < run->work->count; i++)
		run->bytes += run->live[i].size;
	return 0;
}

double bench_do_replace(struct bench_run *run, size_t units)
{
	double start = bench_cpu();

	if (bench_replace(run, run->live, units, &run->random) < 0)
		return bench_failed(run, "an allocation failed");
	return bench_cpu() - start;
}
