/* SPDX-License-Identifier: MIT */
/*
 * test_retain.c - retain.c: what waits for reuse, and what is given back
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "ksft.h"
#include "retain.h"
#include "t_heap.h"
#include "t_util.h"

T_TIERS(retain);
T_TIER_LOCKED(retain);
T_TIER_PLAIN(retain);

/* The tiers that take quota. */
T_TIERS(retain_quota);
T_TIER_LOCKED(retain_quota);

enum { KIB = 1024, PAGE = 4096 };

/* Guarded objects need a whole span each, of any size. */
static void *spread(size_t pages)
{
	return secmalloc_guarded(pages * secm_os.page);
}

TEST_F(retain, the_newest_with_pages_is_used_first)
{
	void *p[5];
	int i;

	T_BEGIN(NULL);
	for (i = 0; i < 5; i++) {
		p[i] = spread(1);
		T_NEED(p[i]);
	}
	secfree(p[1]);
	secfree(p[4]);
	secfree(p[2]);
	EXPECT_EQ(p[2], spread(1));
	EXPECT_EQ(p[4], spread(1));
	EXPECT_EQ(p[1], spread(1));
	T_SOUND(self->heap);
}

TEST_F(retain, the_one_that_waited_longest_loses_its_pages_first)
{
	struct secmalloc_config c = { .retain = 4 * PAGE,
				      .pool_size = 64 * KIB };
	struct secm_span *span[6];
	void *p[6];
	int i;

	T_BEGIN(&c);
	if (secm_os.page != PAGE)
		SKIP(return, "other pages");
	for (i = 0; i < 6; i++) {
		p[i] = spread(1);
		T_NEED(p[i]);
		span[i] = t_span(p[i]);
	}
	for (i = 0; i < 6; i++)
		secfree(p[i]);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(i >= 2, span[i]->filled);
	EXPECT_EQ(4 * PAGE, self->heap->queue.bytes);
	T_SOUND(self->heap);
}

TEST_F(retain, never_more_waits_than_the_limit_says)
{
	struct secmalloc_config c = { .retain = 200 * KIB };
	void *p[40];
	int i;

	T_BEGIN(&c);
	for (i = 0; i < 40; i++) {
		p[i] = spread((size_t)i % 12 + 1);
		T_NEED(p[i]);
	}
	for (i = 0; i < 40; i++) {
		secfree(p[(i * 7) % 40]);
		EXPECT_LE(self->heap->queue.bytes, c.retain);
	}
	EXPECT_LT(0, self->heap->queue.bytes);
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

static size_t largest_pool(const struct secm_heap *heap)
{
	const struct secm_pool *pool;
	size_t most = 0;

	for (pool = heap->pools; pool; pool = pool->next)
		if (pool->pages > most)
			most = pool->pages;
	return most * secm_os.page;
}

/* What is locked falls to what is needed, the limit and a pool. */
static void check_fall(const struct secm_heap *heap, size_t retain)
{
	EXPECT_LE(secm_heap_mapped(heap),
		  retain + heap->busy + largest_pool(heap));
}

TEST_F(retain, after_a_peak_of_small_objects_memory_is_given_back)
{
	struct secmalloc_config c = { .retain = 128 * KIB };
	enum { PEAK = 40000 };
	static void *p[PEAK];
	size_t peak;
	int i;

	T_BEGIN(&c);
	for (i = 0; i < PEAK; i++) {
		p[i] = secmalloc((size_t)i % 90);
		if (!p[i])
			break;
	}
	ASSERT_GT(i, 20);
	peak = secm_heap_mapped(self->heap);
	while (i-- > 0)
		secfree(p[i]);
	check_fall(self->heap, c.retain);
	if (peak > 1000 * KIB)
		EXPECT_LT(secm_heap_mapped(self->heap), peak / 2);
	T_SOUND(self->heap);
	ASSERT_NE(NULL, secmalloc(1));
}

TEST_F(retain, after_a_peak_of_mixed_objects_memory_is_given_back)
{
	struct secmalloc_config c = { .retain = 64 * KIB };
	enum { PEAK = 300 };
	static void *p[PEAK];
	int i, n;

	T_BEGIN(&c);
	for (n = 0; n < PEAK; n++) {
		p[n] = n % 3 ? secmalloc((size_t)n * 97) :
			       secmalloc_guarded((size_t)n * 41);
		if (!p[n])
			break;
	}
	for (i = 0; i < n; i += 2)
		secfree(p[i]);
	T_SOUND(self->heap);
	for (i = 1; i < n; i += 2)
		secfree(p[i]);
	T_SOUND(self->heap);
	check_fall(self->heap, c.retain); /* without emptying caches first */
	EXPECT_EQ(0, t_objects());
	EXPECT_EQ(0, t_bytes());
	T_SOUND(self->heap);
}

static int below(uint64_t *random, int n)
{
	*random = *random * UINT64_C(6364136223846793005) + 1;
	return (int)((*random >> 33) % (uint64_t)n);
}

/* What is mapped ahead of use is no reason for it, nor is chance. */
TEST_F(retain, nothing_is_shed_while_a_program_grows_or_stays_as_large_as_it_is)
{
	enum { N = 8000, CHURN = 20000 };
	struct secmalloc_config c = { .retain = 64 * KIB };
	static void *p[N];
	uint64_t random = 1;
	int i, times = 0;

	T_BEGIN(&c);
	for (i = 0; i < N + CHURN; i++) {
		int at = i < N ? i : below(&random, N);

		secfree(p[at]);
		p[at] = secmalloc((size_t)below(&random, 1000));
		T_NEED(p[at]);
		times += self->heap->shed.on;
	}
	EXPECT_EQ(0, times);
	for (i = 0; i < N; i++) {
		secfree(p[i]);
		times += self->heap->shed.on;
	}
	EXPECT_GT(times, 0);
	check_fall(self->heap, c.retain);
	T_SOUND(self->heap);
}

/* A peak on top of much that stays is a small part of all. */
TEST_F(retain, a_small_peak_of_a_large_program_is_given_back)
{
	enum { STAY = 150000, N = STAY + 18000, RETAIN = 1024 * KIB };
	struct secmalloc_config c = { .retain = RETAIN };
	static void *p[N];
	uint64_t random = 1;
	size_t before = 0;
	int i;

	T_BEGIN(&c);
	for (i = 0; i < N; i++) {
		if (i == STAY)
			before = secm_heap_mapped(self->heap);
		p[i] = secmalloc((size_t)below(&random, 1000));
		T_NEED(p[i]);
	}
	EXPECT_GT(secm_heap_mapped(self->heap), before + 8 * RETAIN);
	for (i = STAY; i < N; i++)
		secfree(p[i]);
	EXPECT_LT(secm_heap_mapped(self->heap), before + 4 * RETAIN);
	T_SOUND(self->heap);
}

/* Shedding is given up while what lives is scattered over all slabs.  When
 * that goes, too, there is a point in it again. */
static void check_scattered(struct ksft_data_retain *self, int large,
			    size_t retain)
{
	enum { N = 4000, LIVE = N / 4, CHURN = 30 * N, LARGE = 2 };
	static void *p[N], *q[LARGE];
	uint64_t random = 1;
	int i;

	for (i = 0; i < large; i++) {
		q[i] = secmalloc(1500 * KIB);
		T_NEED(q[i]);
	}
	for (i = 0; i < N; i++) {
		p[i] = secmalloc((size_t)(i * 37 % 1000));
		T_NEED(p[i]);
	}
	for (i = LIVE; i < N; i++) {
		int other = below(&random, i + 1);
		void *swap = p[other];

		p[other] = p[i];
		p[i] = swap;
	}
	for (i = LIVE; i < N; i++)
		secfree(p[i]);
	for (i = 0; i < CHURN; i++) {
		int at = below(&random, LIVE);

		secfree(p[at]);
		p[at] = secmalloc((size_t)(i * 37 % 1000));
		T_NEED(p[at]);
	}
	EXPECT_GT(secm_heap_mapped(self->heap), 8 * retain);
	for (i = 0; i < large; i++)
		secfree(q[i]);
	for (i = 0; i < LIVE; i++)
		secfree(p[i]);
	check_fall(self->heap, retain);
	T_SOUND(self->heap);
}

TEST_F(retain, what_was_scattered_for_long_is_given_back_in_the_end)
{
	struct secmalloc_config c = { .retain = 64 * KIB };

	T_BEGIN(&c);
	check_scattered(self, 0, c.retain);
}

/* What was needed for these does not become surplus when they go. */
TEST_F(retain, what_was_scattered_beside_large_objects_is_given_back)
{
	struct secmalloc_config c = { .retain = 64 * KIB };

	T_BEGIN(&c);
	check_scattered(self, 2, c.retain);
}

TEST_F(retain, large_objects_beyond_the_limit_are_unmapped_at_once)
{
	struct secmalloc_config c = { .retain = 64 * KIB };
	size_t before;
	void *p;
	int i;

	T_BEGIN(&c);
	before = secm_heap_mapped(self->heap);
	for (i = 0; i < 10; i++) {
		p = secmalloc(2048 * KIB);
		T_NEED(p);
		EXPECT_GE(secm_heap_mapped(self->heap), 2048 * KIB);
		secfree(p);
		EXPECT_EQ(before, secm_heap_mapped(self->heap));
	}
	T_SOUND(self->heap);
}

TEST_F(retain, trim_gives_back_all_that_waits)
{
	void *keep, *p[30];
	size_t gained;
	int i;

	T_BEGIN(NULL);
	keep = secmalloc(100);
	for (i = 0; i < 30; i++) {
		p[i] = spread((size_t)i % 5 + 1);
		T_NEED(p[i]);
	}
	for (i = 0; i < 30; i++)
		secfree(p[i]);
	EXPECT_LT(0, self->heap->queue.bytes);
	gained = secm_retain_trim(self->heap);
	EXPECT_LT(0, gained);
	EXPECT_EQ(0, self->heap->queue.bytes);
	EXPECT_NULL(self->heap->queue.newest);
	EXPECT_EQ(0, secm_retain_trim(self->heap));
	EXPECT_LE(secm_heap_mapped(self->heap), 128 * KIB);
	T_SOUND(self->heap);
	secfree(keep);
	T_SOUND(self->heap);
}

TEST_F(retain, what_waits_is_given_back_before_an_object_is_refused)
{
	struct secmalloc_config c = { .max_bytes = 600 * KIB };
	size_t i;
	void *p;

	T_BEGIN(&c);
	p = secmalloc(450 * KIB);
	T_NEED(p);
	secfree(p);
	EXPECT_LE(450 * KIB, self->heap->queue.bytes);
	for (i = 1; i <= 12; i++) { /* each size in a bucket of its own */
		p = secmalloc_guarded(i * 40 * KIB);
		T_NEED(p);
		secfree(p);
	}
	EXPECT_EQ(0, self->heap->refused);
	EXPECT_EQ(0, self->heap->degraded);
	EXPECT_NE(SECMALLOC_REASON_MAX_BYTES, self->heap->policy.reason);
	T_SOUND(self->heap);
}

/* Quota is one: what the small objects leave serves large ones, and back. */
TEST_F(retain_quota, quota_serves_one_class_after_another)
{
	enum { MOST = 4000 };
	static void *p[MOST];
	size_t size, n, i, first = 0;

	T_LOCK_AT_MOST(1 << 20);
	T_BEGIN(NULL);
	for (size = 400; size < 60000; size = size * 5 / 2) {
		for (n = 0; n < MOST; n++) {
			p[n] = secmalloc(size);
			if (!p[n])
				break;
		}
		EXPECT_GT(n * size, (1 << 20) * 2 / 3) {
			TH_LOG("%zu of %zu bytes", n, size);
		}
		if (!first)
			first = n;
		EXPECT_STREQ(NULL, t_broken(self->heap));
		for (i = 0; i < n; i++)
			secfree(p[i]);
	}
	EXPECT_LE(secm_heap_mapped(self->heap), 1 << 20);
	T_SOUND(self->heap);
}

TEST_F(retain, first_pools_do_not_keep_others_from_being_given_back)
{
	struct secmalloc_config c = { .initial_pools = 1,
				      .pool_size = 128 * KIB,
				      .retain = 64 * KIB };
	void *small[7], *large[6];
	int i;

	T_BEGIN(&c);
	for (i = 0; i < 7; i++)
		small[i] = secmalloc((size_t)i * 16 + 8);
	for (i = 0; i < 6; i++) {
		large[i] = secmalloc(200 * KIB);
		T_NEED(large[i]);
	}
	for (i = 0; i < 7; i++)
		secfree(small[i]);
	for (i = 0; i < 6; i++)
		secfree(large[i]);
	EXPECT_LE(self->heap->queue.bytes, secm_heap_retain(self->heap));
	EXPECT_LE(secm_heap_mapped(self->heap),
		  secm_heap_retain(self->heap) + 128 * KIB +
			  largest_pool(self->heap));
	T_SOUND(self->heap);
}
