/* SPDX-License-Identifier: MIT */
/*
 * test_cache_stop.c - cache.c: threads that are stopped while they are at work
 *
 * Whoever counts, forks or takes slots back closes all caches and waits for
 * those who are inside.  From then on nothing may change until he resumes.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <pthread.h>
#include <string.h>

#include "cache.h"
#include "ksft.h"
#include "t_heap.h"
#include "t_util.h"

static const char *why_not(void)
{
	return SECM_ATOMICS ? NULL : "this build has no caches";
}

KSFT_PROGRAM_SKIP_IF(why_not);

FIXTURE(stop)
{
	pthread_t thread[2];
};

FIXTURE_VARIANT(stop)
{
	int barrier;
};

/* As far as this system has one; and as on a system that has none. */
FIXTURE_VARIANT_ADD(stop, barrier) { 1 };
FIXTURE_VARIANT_ADD(stop, fences) { 0 };

FIXTURE_SETUP(stop)
{
	static const struct t_tier plain = T_PLAIN;

	ASSERT_EQ(0, t_begin(&plain, NULL));
	if (!variant->barrier)
		secm_os.barrier = 0;
}

FIXTURE_TEARDOWN(stop)
{
}

enum { SLOTS = 32, THREADS = 2 };
enum { STOPS = 60, STRIDE = 40, PATIENCE = 1000000 };

static struct secm_heap *const heap = &secm_default_heap;
static int go_on, ready, rounds; /* read and written by the functions below only */

static void set(int *p, int value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

static int get(const int *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void add(int *p)
{
	(void)__atomic_add_fetch(p, 1, __ATOMIC_ACQ_REL);
}

/* Until the others have done something, most of it in their caches. */
static void let_them_work(void)
{
	int now = get(&rounds), i;

	for (i = 0; get(&rounds) - now < STRIDE; i++)
		if (i > PATIENCE)
			secm_os_yield();
}

/* Always has SLOTS objects, but for the one that it is about to make. */
static void *churn(void *arg)
{
	uint32_t x = (uint32_t)(uintptr_t)arg + 1;
	char *p[SLOTS];
	size_t i, bad = 0;

	for (i = 0; i < SLOTS; i++)
		p[i] = NULL;
	for (i = 0; i < SLOTS * 8 || get(&go_on); i++) {
		size_t at = i % SLOTS, size;

		x = x * 1664525u + 1013904223u;
		size = i % 64 ? (x >> 16) % 500 : (x >> 16) % 5000;
		bad += p[at] && *p[at] != (char)at;
		secfree(p[at]);
		p[at] = secmalloc(size + 1);
		if (!p[at])
			return "";
		bad += *p[at] != 0;
		*p[at] = (char)at;
		add(&rounds);
		if (i == SLOTS * 4)
			add(&ready);
	}
	for (i = 0; i < SLOTS; i++)
		secfree(p[i]);
	return bad ? "" : NULL;
}

static void start(struct ksft_data_stop *self)
{
	size_t i;

	set(&go_on, 1);
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&self->thread[i], NULL, churn,
					    (void *)(uintptr_t)i));
	while (get(&ready) < THREADS)
		secm_os_yield();
}

static void finish(struct ksft_data_stop *self)
{
	void *bad;
	int i;

	set(&go_on, 0);
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(self->thread[i], &bad));
		EXPECT_NULL(bad);
	}
	T_SOUND(heap);
	EXPECT_EQ(0, t_objects());
}

/* All that a thread changes in its cache. */
static uint64_t picture(void)
{
	const struct secm_thread *t;
	uint64_t sum = 0;
	size_t i, k;

	for (t = heap->threads; t; t = t->next)
		for (i = 0; i < SECM_CLASSES; i++) {
			const struct secm_magazine *m = &t->cache->magazine[i];

			sum = sum * 31 + m->count + 7 * m->allocations;
			for (k = 0; k < m->count; k++)
				sum = sum * 31 + (uintptr_t)m->places[k].p;
		}
	return sum;
}

static void look_for_a_while(void)
{
	uint64_t before = picture();
	int i;

	for (i = 0; i < 8; i++)
		ASSERT_EQ(before, picture());
}

TEST_F(stop, nothing_changes_until_they_are_resumed)
{
	uint64_t last = 0;
	int i, changes = 0;

	start(self);
	for (i = 0; i < STOPS; i++) {
		let_them_work();
		secm_lock(&secm_heap_lock);
		secm_caches_stop(heap);
		changes += last != picture();
		look_for_a_while();
		last = picture();
		secm_caches_resume(heap);
		secm_unlock(&secm_heap_lock);
	}
	finish(self);
	EXPECT_GT(changes, STOPS / 2); /* control: in between it does */
}

TEST_F(stop, what_is_counted_meanwhile_is_exact)
{
	struct secmalloc_stats stats = { .size = sizeof(stats) };
	int i;

	start(self);
	for (i = 0; i < STOPS; i++) {
		let_them_work();
		ASSERT_EQ(0, secmalloc_stats(&stats));
		ASSERT_LE(stats.objects, THREADS * SLOTS);
		ASSERT_GE(stats.objects, THREADS * (SLOTS - 1));
	}
	EXPECT_EQ(THREADS, stats.threads);
	finish(self);
}

TEST_F(stop, slots_can_be_taken_back_meanwhile)
{
	size_t i, n = 0;

	start(self);
	for (i = 0; i < STOPS; i++) {
		let_them_work();
		n += t_drain();
	}
	finish(self);
	EXPECT_GT(n, STOPS); /* control: there were some */
}

/* Threads come and go, too. */
static void *come_and_go(void *arg)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 100; i++)
		if (pthread_create(&thread, NULL, churn, arg) != 0 ||
		    pthread_join(thread, NULL) != 0)
			return "";
	return NULL;
}

TEST_F(stop, threads_start_and_end_meanwhile)
{
	struct secmalloc_stats stats = { .size = sizeof(stats) };
	void *bad;
	int i;

	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&self->thread[i], NULL,
					    come_and_go,
					    (void *)(uintptr_t)i));
	do {
		ASSERT_EQ(0, secmalloc_stats(&stats));
		ASSERT_LE(stats.objects, THREADS * SLOTS);
		ASSERT_LE(stats.threads, THREADS);
	} while (get(&ready) < THREADS * 100);
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(self->thread[i], &bad));
		EXPECT_NULL(bad);
	}
	T_SOUND(heap);
	EXPECT_EQ(0, t_objects());
}

/* One that stays inside until it sees that somebody wants it out, and some
 * time more. */
static int left;

static void *linger(void *arg)
{
	struct secm_cache *cache;
	int i;

	secfree(secmalloc(1));
	cache = secm_cache_self();
	secm_store(&cache->busy, 1); /* as secm_quick_enter() */
	set(&ready, 1);
	while (secm_load(&cache->open) != SECM_CLOSED)
		secm_os_yield();
	for (i = 0; i < 1000; i++)
		secm_os_yield();
	set(&left, 1);
	secm_store(&cache->busy, 0);
	return arg;
}

TEST_F(stop, whoever_is_inside_is_waited_for)
{
	ASSERT_EQ(0, pthread_create(&self->thread[0], NULL, linger, NULL));
	while (!get(&ready))
		secm_os_yield();
	secm_lock(&secm_heap_lock);
	secm_caches_stop(heap);
	EXPECT_EQ(1, get(&left));
	secm_caches_resume(heap);
	secm_unlock(&secm_heap_lock);
	ASSERT_EQ(0, pthread_join(self->thread[0], NULL));
}
