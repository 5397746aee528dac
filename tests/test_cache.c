/* SPDX-License-Identifier: MIT */
/*
 * test_cache.c - cache.c and thread.c: empty slots that threads keep
 *
 * What is in a magazine, and to whom it goes.  t_broken() looks at each cache.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <pthread.h>
#include <string.h>

#include "quick.h"
#include "ksft.h"
#include "t_heap.h"
#include "t_util.h"

static const char *why_not(void)
{
	return SECM_ATOMICS ? NULL : "this build has no caches";
}

KSFT_PROGRAM_SKIP_IF(why_not);

T_TIERS(cache);
T_TIER_LOCKED(cache);
T_TIER_PLAIN(cache);

enum { MANY = 9000, KIB = 1024 };

static void *object[MANY];
static struct secm_heap *const heap = &secm_default_heap;
static const struct secmalloc_config no_caches = { .flags =
							SECMALLOC_NO_CACHES };

static struct secmalloc_stats stats_now(void)
{
	struct secmalloc_stats s = { .size = sizeof(s) };

	EXPECT_EQ(0, secmalloc_stats(&s));
	return s;
}

static size_t cached_of(size_t size)
{
	return stats_now().classes[secm_object_class(size)].cached;
}

/* As many as there are; how many. */
static size_t fill_up(size_t size)
{
	size_t n;

	for (n = 0; n < MANY; n++) {
		object[n] = secmalloc(size);
		if (!object[n])
			break;
	}
	return n;
}

static void free_first(size_t n)
{
	while (n-- > 0)
		secfree(object[n]);
}

TEST_F(cache, what_is_freed_stays_with_the_thread_up_to_a_limit)
{
	static const size_t sizes[] = { 8, 100, 520, 521, 3000 };
	static const size_t most[] = { 128, 73, 32, 32, 10 };
	struct secm_span *span;
	size_t i, k, used;

	T_BEGIN(NULL);
	secfree(secmalloc(1)); /* now there is a cache */
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		object[0] = secmalloc(sizes[i]);
		T_NEED(object[0]);
		span = t_span(object[0]);
		used = span->u.slab.used;
		secfree(object[0]);
		EXPECT_EQ(used, span->u.slab.used);
		EXPECT_EQ(0, secmalloc_owns(object[0]));
		for (k = 0; k < 200; k++)
			object[k] = secmalloc(sizes[i]);
		free_first(k);
		EXPECT_LT(0, cached_of(sizes[i]));
		EXPECT_LE(cached_of(sizes[i]), most[i]);
		T_SOUND(heap);
	}
	EXPECT_LT(0, t_drain());
	EXPECT_EQ(0, stats_now().cached);
	EXPECT_EQ(0, heap->idle); /* and nothing is in slabs any more */
	T_SOUND(heap);
}

TEST_F(cache, without_caches_nothing_is_kept)
{
	T_BEGIN(&no_caches);
	free_first(fill_up(40) / 2);
	EXPECT_EQ(0, stats_now().cached);
	EXPECT_EQ(0, stats_now().threads);
	EXPECT_EQ(0, t_drain());
	T_SOUND(heap);
}

TEST_F(cache, the_last_slots_come_out_of_it)
{
	static const size_t sizes[] = { 8, 300, 1000, 16000 };
	struct secmalloc_config c = { .max_bytes = 128 * KIB };
	size_t i, n, again;

	T_BEGIN(&c);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		n = fill_up(sizes[i]);
		T_NEED(object[0]);
		ASSERT_LT(n, MANY);
		EXPECT_EQ(0, stats_now().cached);
		EXPECT_EQ(0, heap->idle);
		T_SOUND(heap);
		free_first(n);
		EXPECT_LT(0, cached_of(sizes[i]));
		again = fill_up(sizes[i]);
		EXPECT_EQ(n, again);
		free_first(again);
		/* For the next size all of it has to come back. */
		EXPECT_EQ(0, stats_now().objects);
	}
	T_SOUND(heap);
}

/* A thread that has slots of all sizes, and waits with them. */
static pthread_barrier_t meet;
static pthread_mutex_t in_turn = PTHREAD_MUTEX_INITIALIZER;

static void use_all_sizes(void)
{
	size_t size, i;
	void *p[24];

	for (size = 0; size <= SECM_SLAB_LARGEST; size += size / 4 + 16) {
		for (i = 0; i < 24; i++)
			p[i] = secmalloc(size);
		for (i = 0; i < 24; i++)
			secfree(p[i]);
	}
}

static void *keeper(void *arg)
{
	/* Of many that start at once some have no cache for a while. */
	(void)pthread_mutex_lock(&in_turn);
	use_all_sizes();
	(void)pthread_mutex_unlock(&in_turn);
	(void)pthread_barrier_wait(&meet); /* its slots are there now */
	(void)pthread_barrier_wait(&meet); /* it may end */
	return arg;
}

TEST_F(cache, what_others_keep_is_had_before_an_object_is_refused)
{
	struct secmalloc_config c = { .max_bytes = 1024 * KIB };
	pthread_t thread;
	size_t n;

	T_BEGIN(&c);
	T_ROOM(1 << 20);
	ASSERT_EQ(0, pthread_barrier_init(&meet, NULL, 2));
	ASSERT_EQ(0, pthread_create(&thread, NULL, keeper, NULL));
	(void)pthread_barrier_wait(&meet);
	EXPECT_LT(0, stats_now().cached);
	T_SOUND(heap);
	n = fill_up(16000);
	EXPECT_EQ(0, stats_now().cached);
	EXPECT_GT(n * 16400, 900 * KIB);
	T_SOUND(heap);
	(void)pthread_barrier_wait(&meet);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	T_SOUND(heap);
}

static size_t threads_ever(void)
{
	const struct secm_thread *t;
	size_t n = 0;

	for (t = heap->threads; t; t = t->next)
		n++;
	return n;
}

static void *user(void *arg)
{
	use_all_sizes();
	*(size_t *)arg += stats_now().cached > 0;
	return NULL;
}

TEST_F(cache, a_thread_that_ends_leaves_nothing_and_the_next_takes_its_place)
{
	size_t i, kept = 0;
	pthread_t thread;

	T_BEGIN(NULL);
	T_NEED(secmalloc(16000));
	for (i = 0; i < 20; i++) {
		(void)t_drain();
		ASSERT_EQ(0, pthread_create(&thread, NULL, user, &kept));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(0, stats_now().cached);
		EXPECT_EQ(1, stats_now().threads);
		T_SOUND(heap);
	}
	EXPECT_GT(kept, 0); /* control: while it ran there was something */
	EXPECT_EQ(2, threads_ever());
}

enum { CROWD = 80 }; /* more than there are lanes */

TEST_F(cache, more_threads_than_lanes_have_a_cache_each)
{
	pthread_t thread[CROWD];
	int i;

	T_BEGIN(NULL);
	T_NEED(secmalloc(200 * KIB));
	ASSERT_EQ(0, pthread_barrier_init(&meet, NULL, CROWD + 1));
	for (i = 0; i < CROWD; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, keeper, NULL));
	(void)pthread_barrier_wait(&meet);
	EXPECT_EQ(CROWD + 1, stats_now().threads);
	T_SOUND(heap);
	(void)pthread_barrier_wait(&meet);
	for (i = 0; i < CROWD; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	EXPECT_EQ(1, stats_now().threads);
	T_SOUND(heap);
}

/* Of the thread that took it. */
static uint32_t tag_of(const void *p)
{
	const struct secm_span *span = t_span(p);

	return span->u.slab.state[secm_slot_of(span, p)] &
	       ~(uint32_t)SECM_SLACK_MASK;
}

/* Slots go from thread to thread with the objects in them. */
static void *free_all(void *arg)
{
	free_first((size_t)(uintptr_t)arg);
	(void)pthread_barrier_wait(&meet);
	(void)pthread_barrier_wait(&meet);
	return NULL;
}

TEST_F(cache, who_frees_an_object_keeps_its_slot)
{
	pthread_t thread;
	size_t i, n = 20;

	T_BEGIN(NULL);
	secfree(secmalloc(1));
	for (i = 0; i < n; i++) {
		object[i] = secmalloc(i % 2 ? 100 : 1000);
		T_NEED(object[i]);
		EXPECT_EQ(secm_cache_tag(), tag_of(object[i]));
		t_fill(object[i], 100, i);
	}
	(void)t_drain();
	ASSERT_EQ(0, pthread_barrier_init(&meet, NULL, 2));
	ASSERT_EQ(0, pthread_create(&thread, NULL, free_all,
				    (void *)(uintptr_t)n));
	(void)pthread_barrier_wait(&meet);
	EXPECT_EQ(0, stats_now().objects);
	EXPECT_LT(0, stats_now().cached);
	EXPECT_EQ(0, secm_cache_self()->magazine[secm_object_class(100)].count);
	T_SOUND(heap);
	(void)pthread_barrier_wait(&meet);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, stats_now().cached);
	T_SOUND(heap);
}

/* A mix of everything, in two threads, and what is left is whole. */
static void *mix(void *arg)
{
	uint32_t x = (uint32_t)(uintptr_t)arg;
	void *p[50] = { NULL };
	int i, bad = 0;

	for (i = 0; i < 20000; i++) {
		size_t at = (x = x * 1664525u + 1013904223u) >> 8 & 31, size;

		size = (x >> 16) % (i % 16 ? 600 : 17000);
		bad |= p[at] && *(char *)p[at] != (char)at;
		secfree(p[at]);
		p[at] = secmalloc(size + 1);
		if (p[at])
			*(char *)p[at] = (char)at;
	}
	for (i = 0; i < 50; i++)
		secfree(p[i]);
	return bad ? "" : NULL;
}

static void mix_in_threads(void)
{
	pthread_t thread;
	void *bad;

	ASSERT_EQ(0, pthread_create(&thread, NULL, mix, (void *)1));
	EXPECT_NULL(mix((void *)2));
	T_IN_CHILD(T_SOUND(heap)); /* while the other is at work */
	ASSERT_EQ(0, pthread_join(thread, &bad));
	EXPECT_NULL(bad);
	EXPECT_EQ(0, stats_now().objects);
	T_SOUND(heap);
}

/* The last wants more than there is room for in what this thread has. */
TEST_F(cache, each_configuration_holds_what_it_says)
{
	static const size_t caches[] = { 1 << 20, 0, 4096, 1, 0 };
	static const unsigned quarantines[] = { 100000, 60, 0, 1, 100000 };
	static const size_t floors[] = { 128, 60, 1, 1, 0 };
	const struct secm_magazine *m;
	size_t i;

	for (i = 0; i < 5; i++) {
		struct secmalloc_config c = { .cache = caches[i],
					      .quarantine = quarantines[i] };

		T_BEGIN(&c);
		T_ROOM(1 << 20);
		mix_in_threads();
		m = &secm_cache_self()->magazine[secm_object_class(40)];
		EXPECT_LE(m->true_limit, 256);
		EXPECT_GE(m->true_floor, floors[i]);
		if (m->true_limit == 0)
			EXPECT_EQ(0, t_drain());
		secmalloc_shutdown();
		T_SOUND(heap);
	}
}

/* As on a system that has no barrier for all threads. */
TEST_F(cache, threads_that_fence_themselves_are_as_good)
{
	T_BEGIN(NULL);
	T_ROOM(1 << 20);
	secm_os.barrier = 0;
	mix_in_threads();
	EXPECT_EQ(SECM_OPEN_OTHER, secm_cache_self()->open);
	EXPECT_LT(0, stats_now().cached);
}

TEST_F(cache, one_in_so_many_objects_is_guarded)
{
	struct secmalloc_config c = { .sample = 50 };
	struct secmalloc_stats s;

	T_BEGIN(&c);
	T_NEED(secmalloc(200 * KIB));
	mix((void *)3);
	s = stats_now();
	EXPECT_GT(s.sampled, s.allocations / 50 / 2);
	EXPECT_LT(s.sampled, s.allocations / 50 * 2);
	EXPECT_LT(0, s.cached);
	T_SOUND(heap);
}

/* While they are stopped nothing is in line; calls can be nested. */
TEST_F(cache, stopped_ones_are_closed_until_the_last_resume)
{
	struct secm_magazine *m;
	int open;

	T_BEGIN(NULL);
	secfree(secmalloc(1));
	secfree(secmalloc(1));
	m = &secm_cache_self()->magazine[secm_object_class(1)];
	open = secm_cache_self()->open;
	EXPECT_NE(SECM_CLOSED, open);
	secm_caches_stop(heap);
	secm_caches_stop(heap);
	EXPECT_EQ(SECM_CLOSED, secm_cache_self()->open);
	secm_caches_resume(heap);
	EXPECT_EQ(SECM_CLOSED, secm_cache_self()->open);
	EXPECT_LT(0, m->count);
	EXPECT_NULL(secm_quick_alloc(1));
	EXPECT_NULL(secm_quick_alloc_rest(1));
	secm_caches_resume(heap);
	EXPECT_EQ(open, secm_cache_self()->open);
	EXPECT_NOT_NULL(secm_quick_alloc_rest(1));
	T_SOUND(heap);
}
