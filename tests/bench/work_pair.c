/* SPDX-License-Identifier: MIT */
/*
 * work_pair.c - one object at a time: made, written, freed; opened, closed
 *
 * Callers: worker.c, by the list in work.c.
 */
#include "bench.h"

/*
 * One other object lives meanwhile, and is replaced by one of another size a
 * few times in each measurement, always by the same sizes: what a pair costs in
 * some allocators depends on what is beside it, and an empty heap is the
 * extreme case of most.
 */
enum { NEIGHBOURS = 8 };

int bench_setup_pair(struct bench_run *run)
{
	static struct bench_object neighbour;

	run->live = &neighbour;
	neighbour.size = 16;
	neighbour.p = run->peer->alloc(neighbour.size);
	return neighbour.p ? 0 : bench_cannot(run, "an allocation failed");
}

static int change_neighbour(struct bench_run *run, size_t i)
{
	struct bench_object *object = run->live;

	run->peer->release(object->p, object->size);
	object->size = bench_sizes[255 * i / (NEIGHBOURS - 1)];
	object->p = run->peer->alloc(object->size);
	if (!object->p)
		return -1;
	bench_touch(object->p, object->size, 0);
	return 0;
}

/* Time of n pairs, 0 if one failed. */
static double pairs(const struct bench_run *run, void *(*alloc)(size_t),
		    size_t n)
{
	void (*release)(void *, size_t) = run->peer->release;
	size_t i, size = run->work->size;
	double start = bench_cpu();
	unsigned char *p;

	for (i = 0; i < n; i++) {
		p = alloc(size);
		if (!p)
			return 0;
		bench_touch(p, size, i);
		release(p, size);
	}
	return bench_cpu() - start;
}

static double do_pairs(struct bench_run *run, void *(*alloc)(size_t),
		       size_t units)
{
	double t, sum = 0;
	size_t i, n;

	for (i = 0; i < NEIGHBOURS; i++) {
		n = units * (i + 1) / NEIGHBOURS - units * i / NEIGHBOURS;
		if (n == 0)
			continue;
		t = change_neighbour(run, i) < 0 ? 0 : pairs(run, alloc, n);
		if (t <= 0)
			return bench_failed(run, "an allocation failed");
		sum += t;
	}
	return sum;
}

double bench_do_pair(struct bench_run *run, size_t units)
{
	return do_pairs(run, run->peer->alloc, units);
}

double bench_do_calloc(struct bench_run *run, size_t units)
{
	return do_pairs(run, run->peer->zalloc, units);
}

/* ---- guarded objects --------------------------------------------------- */

int bench_setup_guarded(struct bench_run *run)
{
	if (!run->peer->guarded)
		return bench_cannot(run, "has no guarded objects");
	return 0;
}

double bench_do_guarded(struct bench_run *run, size_t units)
{
	size_t i, size = run->work->size;
	double start = bench_cpu();
	unsigned char *p;

	for (i = 0; i < units; i++) {
		p = run->peer->guarded(size);
		if (!p)
			return bench_failed(run, "an allocation failed");
		bench_touch(p, size, i);
		run->peer->guarded_release(p);
	}
	return bench_cpu() - start;
}

/* The object is closed between two operations. */
int bench_setup_scope(struct bench_run *run)
{
	int (*rest)(void *p);

	if (!run->peer->open)
		return bench_cannot(run, "has no access control");
	run->more = run->peer->guarded(run->work->size);
	rest = run->peer->rest ? run->peer->rest : run->peer->close;
	if (!run->more || rest(run->more) < 0)
		return bench_cannot(run, "an object cannot be closed");
	return 0;
}

double bench_do_scope(struct bench_run *run, size_t units)
{
	double start = bench_cpu();
	unsigned char *p = run->more;
	size_t i;

	for (i = 0; i < units; i++) {
		if (run->peer->open(p) < 0)
			return bench_failed(run, "opening an object failed");
		bench_touch(p, run->work->size, i);
		if (run->peer->close(p) < 0)
			return bench_failed(run, "closing an object failed");
	}
	return bench_cpu() - start;
}
