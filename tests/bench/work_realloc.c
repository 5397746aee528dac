/* SPDX-License-Identifier: MIT */
/*
 * work_realloc.c - an object that grows, as a buffer does that is read into
 *
 * Callers: worker.c, by the list in work.c.  An operation is one step of
 * growth; the first allocation and the free of each chain are in the time.
 */
#include "bench.h"

static const size_t chain[] = { 16,    24,    40,    64,    100,  160,	256,
				400,   640,   1000,  1600,  2500, 4096, 6400,
				10000, 16384, 26000, 40000, 65536 };

enum { STEPS = sizeof(chain) / sizeof(chain[0]) - 1 };

int bench_setup_realloc(struct bench_run *run)
{
	run->per_unit = STEPS;
	return 0;
}

/* 0, or -1 if there is no memory. */
static int grow(const struct bench_peer *peer)
{
	unsigned char *p = peer->alloc(chain[0]), *q;
	size_t i;

	if (!p)
		return -1;
	bench_touch(p, chain[0], 0);
	for (i = 1; i <= STEPS; i++) {
		q = peer->resize(p, chain[i - 1], chain[i]);
		if (!q)
			return -1;
		p = q;
		bench_touch(p + chain[i - 1], chain[i] - chain[i - 1], i);
	}
	peer->release(p, chain[STEPS]);
	return 0;
}

double bench_do_realloc(struct bench_run *run, size_t units)
{
	double start = bench_cpu();
	size_t i;

	for (i = 0; i < units; i++) {
		if (grow(run->peer) < 0)
			return bench_failed(run, "an allocation failed");
	}
	return bench_cpu() - start;
}
