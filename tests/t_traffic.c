/* SPDX-License-Identifier: MIT */
/*
 * t_traffic.c - threads that make objects of all kinds and hand them over
 *
 * See t_traffic.h.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "t_traffic.h"

#include "ksft.h"
#include "size.h"

enum { EDGE = 200 }; /* bytes that are filled at each end of large objects */

struct t_place t_place[T_PLACES];
static int parked;

static uint64_t next(uint64_t *random)
{
	*random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *random >> 16;
}

int t_parked(void)
{
	return __atomic_load_n(&parked, __ATOMIC_ACQUIRE);
}

static void fill(struct t_place *at)
{
	if (at->size <= 2 * EDGE) {
		t_fill(at->p, at->size, at->seed);
		return;
	}
	t_fill(at->p, EDGE, at->seed);
	t_fill(at->p + at->size - EDGE, EDGE, at->seed);
}

static void check(const struct t_place *at)
{
	size_t size = at->size;

	ASSERT_EQ(size, secmalloc_usable_size(at->p));
	if (size <= 2 * EDGE) {
		ASSERT_TRUE(t_is_filled(at->p, size, at->seed));
		return;
	}
	ASSERT_TRUE(t_is_filled(at->p, EDGE, at->seed));
	ASSERT_TRUE(t_is_filled(at->p + size - EDGE, EDGE, at->seed));
}

/* All classes alike, now and then pages of its own. */
static size_t some_size(uint64_t r)
{
	size_t slot = secm_class_slot((unsigned)(r % SECM_CLASSES));

	if (r >> 8 & 31)
		return slot - SECM_CANARY_MIN - (r >> 16) % SECM_CANARY_MIN;
	return (size_t)(r >> 16) % 40000;
}

static void make(struct t_place *at, uint64_t r)
{
	unsigned how = (unsigned)(r >> 40) % 64;

	at->size = some_size(r);
	at->seed = r;
	at->guarded = how == 0;
	if (how == 0)
		at->p = secmalloc_guarded(at->size);
	else if (how < 4)
		at->p = secmalloc_aligned(how * 24, at->size);
	else
		at->p = secmalloc(at->size);
	if (!at->p) {
		ASSERT_EQ(ENOMEM, errno);
		return;
	}
	ASSERT_TRUE(t_holds(at->p, at->size, 0));
	fill(at);
}

static void change(struct t_place *at, uint64_t r)
{
	size_t size = some_size(r) + 1;
	size_t keep = size < at->size ? size : at->size;
	char *p = secrealloc(at->p, size);

	if (!p)
		return;
	at->p = p;
	if (keep > EDGE)
		keep = EDGE;
	ASSERT_TRUE(t_is_filled(p, keep, at->seed));
	at->size = size;
	at->seed = r;
	fill(at);
}

/* Where it is cut both go on; one of them goes at once. */
static void cut(struct t_place *at)
{
	char *q;

	if (at->guarded || at->size < 2)
		return;
	q = secmalloc_split(at->p, at->size / 2);
	if (!q)
		return; /* a guarded one by chance is split, too: no memory */
	secfree(q);
	at->size /= 2;
	fill(at);
}

void t_step(uint64_t *random)
{
	uint64_t r = next(random);
	struct t_place *at = &t_place[r % T_PLACES];
	unsigned what = (unsigned)(next(random) % 64);

	if (__atomic_exchange_n(&at->taken, 1, __ATOMIC_ACQUIRE))
		return;
	if (!at->p) {
		make(at, next(random));
	} else {
		check(at);
		if (what < 4) {
			change(at, next(random));
		} else if (what < 6) {
			cut(at);
		} else if (what < 12) {
			secmalloc_free_sized(at->p, at->size);
			at->p = NULL;
		} else {
			secfree(at->p);
			at->p = NULL;
		}
	}
	__atomic_store_n(&at->taken, 0, __ATOMIC_RELEASE);
}

static void *drive(void *seed)
{
	uint64_t random = (uintptr_t)seed;

	while (!t_parked())
		t_step(&random);
	return NULL;
}

void t_drive(pthread_t thread[T_DRIVERS])
{
	uintptr_t i, seed = (uintptr_t)ksft_random() >> 8;

	__atomic_store_n(&parked, 0, __ATOMIC_RELEASE);
	for (i = 0; i < T_DRIVERS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, drive,
					    (void *)(seed + i)));
}

void t_park(pthread_t thread[T_DRIVERS])
{
	int i;

	__atomic_store_n(&parked, 1, __ATOMIC_RELEASE);
	for (i = 0; i < T_DRIVERS; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
}

void t_clear(void)
{
	int i;

	for (i = 0; i < T_PLACES; i++) {
		if (t_place[i].taken || !t_place[i].p)
			continue;
		check(&t_place[i]);
		secfree(t_place[i].p);
		t_place[i].p = NULL;
	}
}

size_t t_standing(void)
{
	size_t n = 0;
	int i;

	for (i = 0; i < T_PLACES; i++)
		n += !t_place[i].taken && t_place[i].p;
	return n;
}
