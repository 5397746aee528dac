/* SPDX-License-Identifier: MIT */
/*
 * test_cache_idle.c - cache.c: what threads keep that have nothing to do
 *
 * One thread fills its cache, and then does nothing or a little whenever it is
 * told to.  The test's own allocates meanwhile.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <pthread.h>

#include "cache.h"
#include "ksft.h"
#include "t_heap.h"
#include "t_util.h"

T_TIERS(idle);
T_TIER_LOCKED(idle);
T_TIER_PLAIN(idle);

enum { SIZE = 1000, OWN = 500, MANY = 600, ROUNDS = 10, LARGEST = 4000 };

static struct secm_heap *const heap = &secm_default_heap;

static struct {
	pthread_barrier_t meet;
	const struct secm_cache *cache;
	int works, ends;
} other;

/* Every size class that it can, once and back. */
static void fill_cache(void)
{
	size_t size;

	for (size = 1; size < LARGEST; size += size / 5 + 1)
		secfree(secmalloc(size));
}

static void *keep(void *arg)
{
	int works, ends;

	fill_cache();
	other.cache = secm_cache_self();
	do {
		(void)pthread_barrier_wait(&other.meet);
		(void)pthread_barrier_wait(&other.meet);
		works = other.works;
		ends = other.ends;
		if (works)
			secfree(secmalloc(OWN));
	} while (!ends);
	return arg;
}

static size_t kept(const struct secm_cache *cache)
{
	size_t i, n = 0;

	for (i = 0; i < SECM_CLASSES; i++)
		n += cache->magazine[i].count;
	return n;
}

static size_t kept_of(const struct secm_cache *cache, size_t size)
{
	return cache->magazine[secm_object_class(size)].count;
}

/* More than half as many bytes go into caches as between two looks for idle
 * ones, and not as many. */
static void allocate_some(void)
{
	static void *object[MANY];
	size_t i;

	for (i = 0; i < MANY; i++)
		object[i] = secmalloc(SIZE);
	for (i = 0; i < MANY; i++)
		secfree(object[i]);
}

/* When the other has done what it was told before, this. */
static void tell(int works, int ends)
{
	(void)pthread_barrier_wait(&other.meet);
	other.works = works;
	other.ends = ends;
	(void)pthread_barrier_wait(&other.meet);
}

static void work(void)
{
	tell(1, 0);
	tell(0, 0); /* it is done */
}

static int start(pthread_t *thread)
{
	return pthread_barrier_init(&other.meet, NULL, 2) == 0 &&
	       pthread_create(thread, NULL, keep, NULL) == 0;
}

static void finish(pthread_t thread)
{
	tell(0, 1);
	EXPECT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, pthread_barrier_destroy(&other.meet));
}

TEST_F(idle, they_lose_it_to_those_that_work)
{
	pthread_t thread;
	size_t i;

	if (!SECM_ATOMICS)
		SKIP(return, "this build has no caches");
	T_BEGIN(NULL);
	T_ROOM(4 << 20);
	ASSERT_TRUE(start(&thread));
	tell(0, 0);
	EXPECT_LT(10, kept(other.cache)); /* control */
	for (i = 0; i < ROUNDS; i++)
		allocate_some();
	EXPECT_EQ(0, kept(other.cache));
	EXPECT_LT(0, kept(secm_cache_self()));
	T_SOUND(heap);
	work(); /* it can go on */
	EXPECT_LT(0, kept_of(other.cache, OWN));
	T_SOUND(heap);
	finish(thread);
	EXPECT_EQ(0, t_objects());
}

TEST_F(idle, who_does_a_little_is_not_idle)
{
	pthread_t thread;
	size_t i, before;

	if (!SECM_ATOMICS)
		SKIP(return, "this build has no caches");
	T_BEGIN(NULL);
	T_ROOM(4 << 20);
	ASSERT_TRUE(start(&thread));
	work();
	before = kept(other.cache);
	EXPECT_LT(10, before);
	for (i = 0; i < ROUNDS; i++) {
		work();
		allocate_some();
	}
	EXPECT_LE(before, kept(other.cache));
	T_SOUND(heap);
	finish(thread);
}
