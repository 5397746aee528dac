/* SPDX-License-Identifier: MIT */
/*
 * work_tls.c - allocations shaped like those of one TLS 1.3 connection
 *
 * Callers: worker.c, by the list in work.c.  The trace is synthetic: it was not
 * recorded, but is made here, the same each time.  3000 objects: nine in ten
 * have 16 to 300 bytes, the others 512 bytes to 4 KiB, and two are the records'
 * buffers of 17 KiB.  Six in ten live for a few allocations, three in ten for
 * a part of the handshake, the others until the connection ends.  One in twenty
 * grows by half in the middle of its life.
 *
 * An operation is a step of the trace: an allocation, a realloc or a free.
 */
#include "bench.h"

#include <stdlib.h>

enum { OBJECTS = 3000, STEPS_MAX = 3 * OBJECTS, FOREVER = OBJECTS };

enum action { ALLOC, GROW, FREE };

struct step {
	enum action action;
	unsigned object;
	unsigned old, size; /* before a GROW or FREE, after an ALLOC or GROW */
};

struct trace {
	size_t steps;
	struct step step[STEPS_MAX];
	unsigned size[OBJECTS];	   /* now */
	unsigned death[OBJECTS];   /* when so many objects were made */
	unsigned growth[OBJECTS];  /* the same; 0: never */
	unsigned char *p[OBJECTS]; /* when it is replayed */
};

static void add(struct trace *t, enum action action, unsigned object,
		unsigned size)
{
	struct step *step = &t->step[t->steps++];

	step->action = action;
	step->object = object;
	step->old = t->size[object];
	step->size = size;
	t->size[object] = size;
}

static unsigned some_size(unsigned object, uint64_t random)
{
	if (object == 200 || object == 201)
		return 17000 + object;
	if (random % 100 < 10)
		return 512 + (unsigned)(random >> 32) % (4096 - 512 + 1);
	return (unsigned)bench_sizes[random >> 56] * 300 / 256;
}

static unsigned some_life(uint64_t random)
{
	unsigned kind = random % 10;

	if (kind < 6)
		return 1 + (unsigned)(random >> 32) % 8;
	if (kind < 9)
		return 10 + (unsigned)(random >> 32) % 400;
	return FOREVER;
}

/* What is due when so many objects were made. */
static void let_age(struct trace *t, unsigned now)
{
	unsigned i;

	for (i = 0; i < now && i < OBJECTS; i++) {
		if (t->growth[i] == now)
			add(t, GROW, i, t->size[i] + t->size[i] / 2);
		if (t->death[i] == now)
			add(t, FREE, i, 0);
	}
}

static void make(struct trace *t)
{
	uint64_t random = 0x9e3779b97f4a7c15;
	unsigned i, life;

	for (i = 0; i < OBJECTS; i++) {
		let_age(t, i);
		add(t, ALLOC, i, some_size(i, bench_random(&random)));
		life = i == 200 || i == 201 ? FOREVER
					    : some_life(bench_random(&random));
		t->death[i] = i + life < OBJECTS ? i + life : OBJECTS;
		if (bench_random(&random) % 20 == 0 && life > 1)
			t->growth[i] = (i + t->death[i]) / 2 + 1;
	}
	let_age(t, OBJECTS);
}

int bench_setup_tls(struct bench_run *run)
{
	struct trace *t = calloc(1, sizeof(*t));

	if (!t)
		return bench_cannot(run, "no memory for the trace");
	make(t);
	run->more = t;
	run->per_unit = t->steps;
	return 0;
}

static int replay(struct trace *t, const struct bench_peer *peer)
{
	const struct step *step, *end = t->step + t->steps;
	unsigned char **p;

	for (step = t->step; step < end; step++) {
		p = &t->p[step->object];
		switch (step->action) {
		case ALLOC:
			*p = peer->alloc(step->size);
			break;
		case GROW:
			*p = peer->resize(*p, step->old, step->size);
			break;
		case FREE:
			peer->release(*p, step->old);
			continue;
		}
		if (!*p)
			return -1;
		bench_touch(*p, step->size, step->object);
	}
	return 0;
}

double bench_do_tls(struct bench_run *run, size_t units)
{
	double start = bench_cpu();
	size_t i;

	for (i = 0; i < units; i++) {
		if (replay(run->more, run->peer) < 0)
			return bench_failed(run, "an allocation failed");
	}
	return bench_cpu() - start;
}
