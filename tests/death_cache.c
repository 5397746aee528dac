/* SPDX-License-Identifier: MIT */
/*
 * death_cache.c - freed twice, or written to after: through caches of threads
 *
 * A slot may be in the cache of whoever freed it, in another's, or back in its
 * slab; the second free may come from anywhere.  Two frees at the same instant
 * are in death_race.c.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <signal.h>

#include "die.h"
#include "ksft.h"
#include "wipe.h"
#include "t_heap.h"
#include "t_way.h"

T_WAYS(cache_dies);

#define DIES(line, ...) EXPECT_DEATH(SIGABRT, line, __VA_ARGS__)

/* Slots that are wiped in line, and others. */
static const size_t sizes[] = { 0, 40, 520, 521, 2056, 3000, 16392 };
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

/* Enough objects of that size for the cache to be filled and emptied. */
static void churn(size_t size)
{
	char *p[300];
	int i, n = size > 1000 ? 30 : 300;

	for (i = 0; i < n; i++)
		p[i] = t_get(size);
	for (i = 0; i < n; i++)
		secfree(p[i]);
}

static void keep_some(void *size)
{
	if (!t_get((size_t)size) || !t_get((size_t)size))
		TH_LOG("no object");
}

/* What may happen between the two frees. */
static void between(int what, size_t size)
{
	switch (what) {
	case 1:
		(void)t_drain();
		return;
	case 2:
		(void)secmalloc_trim();
		return;
	case 3:
		EXPECT_LE(secmalloc_verify(), 2);
		return;
	case 4:
		t_in_thread(keep_some, (void *)size);
		return;
	default:
		return;
	}
}

/* Whoever frees it first, and then. */
static void free_twice(void (*first)(void *p), void (*then)(void *p))
{
	size_t i;
	int what;

	for (i = 0; i < SIZES; i++)
		for (what = 0; what < 4; what++)
			DIES(SECM_DIE_DOUBLE_FREE, {
				char *p = t_with_company(sizes[i]);

				first(p);
				between(what, sizes[i]);
				then(p);
			});
}

TEST_F(cache_dies, of_a_second_free_by_the_same_thread)
{
	T_BEGIN_WAY(NULL);
	free_twice(secfree, secfree);
}

TEST_F(cache_dies, of_a_second_free_by_another_thread)
{
	T_BEGIN_WAY(NULL);
	free_twice(secfree, t_free_in_thread);
}

TEST_F(cache_dies, of_a_free_after_another_thread_did_it)
{
	T_BEGIN_WAY(NULL);
	free_twice(t_free_in_thread, secfree);
}

TEST_F(cache_dies, of_a_second_free_of_another_threads_object)
{
	size_t i;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < SIZES; i++) {
		DIES(SECM_DIE_DOUBLE_FREE, {
			char *p = t_with_company(sizes[i]);

			p = t_foreign(sizes[i]);
			secfree(p);
			secfree(p);
		});
		DIES(SECM_DIE_DOUBLE_FREE, {
			char *p = t_with_company(sizes[i]);

			p = t_foreign(sizes[i]);
			t_free_in_thread(p);
			t_free_in_thread(p);
		});
	}
}

/* A magazine that is full, half full and emptied between the two. */
TEST_F(cache_dies, of_a_second_free_after_many_others)
{
	size_t i;
	int k;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 0; i < SIZES; i++)
		DIES(SECM_DIE_DOUBLE_FREE, {
			char *p[40];
			int n = sizes[i] > 1000 ? 20 : 40;

			for (k = 0; k < n; k++)
				p[k] = t_with_company(sizes[i]);
			for (k = 0; k < n; k++)
				secfree(p[k]);
			secfree(p[ksft_random() % (size_t)n]);
		});
}

/* Written to while it waits: here, in another's cache, in the slab. */
static char *freed(size_t size, int where)
{
	char *p = t_with_company(size);

	if (where == 1)
		t_free_in_thread(p);
	else
		secfree(p);
	if (where == 2)
		(void)t_drain();
	return p;
}

TEST_F(cache_dies, of_each_byte_written_after_free)
{
	size_t i, at;
	int where;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 0; i < SIZES; i++)
		for (where = 0; where < 3; where++) {
			size_t slot = t_slot(t_get(sizes[i])), step = slot / 7;

			for (at = 0; at < slot; at += step | 1) {
				size_t end = secm_checked_end(slot);

				if (at >= end && at < slot - end && where < 2)
					continue; /* slot.h, S1 */
				DIES(SECM_DIE_WRITE_AFTER_FREE, {
					char *p = freed(sizes[i], where);

					p[at] = 1;
					t_hand_out_all(sizes[i]);
				});
			}
		}
}

TEST_F(cache_dies, of_a_byte_written_after_free_when_verified)
{
	size_t i, at;
	int where;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < SIZES; i++)
		for (where = 0; where < 3; where++)
			for (at = 0; at < 2; at++)
				DIES(SECM_DIE_WRITE_AFTER_FREE, {
					char *p = freed(sizes[i], where);

					p[at ? t_slot(p) - 1 : 0] = 1;
					EXPECT_EQ(1, secmalloc_verify());
				});
}

/* The control for all of the above. */
TEST_F(cache_dies, not_of_frees_by_whomever)
{
	size_t i;
	int k, what;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 0; i < SIZES; i++) {
		for (k = 0; k < 3; k++) {
			t_free_in_thread(t_get(sizes[i]));
			secfree(t_foreign(sizes[i]));
			t_free_in_thread(t_foreign(sizes[i]));
			churn(sizes[i]);
			T_SOUND(self->heap);
		}
		for (what = 0; what < 4; what++)
			between(what, sizes[i]);
	}
	EXPECT_EQ(0, secmalloc_verify());
	T_SOUND(self->heap);
}
