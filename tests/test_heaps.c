/* SPDX-License-Identifier: MIT */
/*
 * test_heaps.c - what secmalloc.h promises of heaps besides the default one
 */
#include "t_api.h"

#include <pthread.h>
#include <stdlib.h>

#include "ksft.h"
#include "meta.h"
#include "t_util.h"

TA_TIERS(heaps);

enum { N = 200, ODD_ERRNO = 4711, LOCK = 1 << 17, NOT_HERE = 77 };

/* A heap like the default one of this tier. */
static secmalloc_heap *create(const struct ta_tier *tier, size_t most)
{
	struct secmalloc_config c = { .need = tier->need,
				      .flags = tier->flags,
				      .max_bytes = most };
	secmalloc_heap *heap = secmalloc_heap_create(&c);

	EXPECT_NOT_NULL(heap);
	return heap;
}

/* Of all kinds and sizes. */
static void *make(secmalloc_heap *heap, int i)
{
	size_t size = (size_t)i * 131 + 1;

	switch (i % 4) {
	case 0:
		return secmalloc_heap_calloc(heap, 1, size);
	case 1:
		return secmalloc_heap_guarded(heap, size);
	case 2:
		return secmalloc_heap_aligned(heap, 48, size);
	default:
		return secmalloc_heap_malloc(heap, size);
	}
}

static void fill_heap(secmalloc_heap *heap, unsigned char *p[N])
{
	int i;

	for (i = 0; i < N; i++) {
		p[i] = make(heap, i);
		ASSERT_NOT_NULL(p[i]);
		ASSERT_EQ((size_t)i * 131 + 1, secmalloc_usable_size(p[i]));
		ASSERT_EQ(0, p[i][i * 131]);
		t_fill(p[i], (size_t)i * 131 + 1, (uint64_t)i);
	}
}

static size_t objects_in(secmalloc_heap *heap)
{
	struct secmalloc_stats s = { .size = sizeof(s) };

	EXPECT_EQ(0,
		  heap ? secmalloc_heap_stats(heap, &s) : secmalloc_stats(&s));
	return s.objects;
}

TEST_F(heaps, objects_know_their_heap)
{
	secmalloc_heap *a = create(&variant->tier, 0);
	secmalloc_heap *b = create(&variant->tier, 0);
	unsigned char *p[N], *q[N], *own = secmalloc(100);
	int i;

	ASSERT_NE(a, b);
	fill_heap(a, p);
	fill_heap(b, q);
	EXPECT_EQ(1, secmalloc_heap_owns(NULL, own));
	EXPECT_EQ(0, secmalloc_heap_owns(a, own));
	EXPECT_EQ(N, objects_in(a));
	EXPECT_EQ(2 * N + 1, objects_in(NULL));
	EXPECT_EQ(2 * N + 1, secmalloc_verify());
	for (i = 0; i < N; i++) {
		ASSERT_TRUE(
			t_is_filled(p[i], (size_t)i * 131 + 1, (uint64_t)i));
		EXPECT_EQ(1, secmalloc_heap_owns(a, p[i]));
		EXPECT_EQ(0, secmalloc_heap_owns(b, p[i]));
		EXPECT_EQ(0, secmalloc_heap_owns(NULL, p[i]));
		EXPECT_EQ(1, secmalloc_owns(p[i]));
		if (i % 2)
			secfree(p[i]);
		else
			secmalloc_free_sized(p[i], (size_t)i * 131 + 1);
	}
	EXPECT_EQ(0, objects_in(a));
	EXPECT_EQ(N, objects_in(b));
	for (i = 0; i < N; i++)
		secfree(q[i]);
	secfree(own);
	EXPECT_EQ(0, objects_in(NULL));
	secmalloc_heap_destroy(a);
	secmalloc_heap_destroy(b);
}

/* Before anything else, with the library's own choice of memory. */
TEST(one_may_be_created_first)
{
	struct secmalloc_config c = { .flags = SECMALLOC_BEST_EFFORT };
	secmalloc_heap *a = secmalloc_heap_create(&c);
	char *p;

	ASSERT_NOT_NULL(a);
	p = secmalloc_heap_malloc(a, 10);
	EXPECT_EQ(1, secmalloc_heap_owns(a, p));
	EXPECT_EQ(0, secmalloc_init(&c)); /* still to be had */
	EXPECT_NOT_NULL(secmalloc(10));
	EXPECT_EQ(2, objects_in(NULL));
	secfree(p);
	secmalloc_heap_destroy(a);
}

/* No page is shared: what one heap has never lies among another's. */
TEST_F(heaps, no_page_is_shared)
{
	secmalloc_heap *a = create(&variant->tier, 0);
	uintptr_t mine[N], page = ta_page();
	int i, j;

	for (i = 0; i < N; i++)
		mine[i] = (uintptr_t)secmalloc_heap_malloc(a, 32) / page;
	for (j = 0; j < N; j++) {
		uintptr_t other = (uintptr_t)secmalloc(32) / page;

		for (i = 0; i < N; i++)
			ASSERT_NE(mine[i], other);
	}
	secmalloc_heap_destroy(a);
}

TEST_F(heaps, realloc_stays_in_its_heap)
{
	static const size_t sizes[] = { 10,    30,  1000, 20000, 100000,
					70000, 500, 5,	  0 };
	secmalloc_heap *a = create(&variant->tier, 0);
	unsigned char *p = secmalloc_heap_malloc(a, 10), *q;
	size_t i;

	ASSERT_NOT_NULL(p);
	t_fill(p, 10, 1);
	for (i = 1; sizes[i]; i++) {
		q = secrealloc(p, sizes[i]);
		ASSERT_NOT_NULL(q);
		EXPECT_EQ(1, secmalloc_heap_owns(a, q));
		EXPECT_TRUE(t_is_filled(q, 5, 1));
		p = q;
	}
	EXPECT_EQ(1, objects_in(a));
	EXPECT_NULL(secrealloc(p, 0));
	EXPECT_EQ(0, objects_in(a));
	secmalloc_heap_destroy(a);
}

TEST_F(heaps, destroying_takes_all_of_one_and_nothing_else)
{
	secmalloc_heap *a = create(&variant->tier, 0);
	secmalloc_heap *b = create(&variant->tier, 0);
	unsigned char *p[N], *q[N];
	int i;

	fill_heap(a, p);
	fill_heap(b, q);
	errno = ODD_ERRNO;
	secmalloc_heap_destroy(a);
	EXPECT_EQ(ODD_ERRNO, errno);
	for (i = 0; i < N; i++) {
		EXPECT_EQ(SECM_NONE, ta_access(p[i]));
		ASSERT_TRUE(
			t_is_filled(q[i], (size_t)i * 131 + 1, (uint64_t)i));
	}
	EXPECT_EQ(N, objects_in(NULL));
	for (i = 0; i < N; i++)
		secfree(q[i]);
	secmalloc_heap_destroy(b);
}

static int count_vmas(void)
{
	return ta_vmas(NULL, NULL);
}

/* Whatever they leave: memory, mappings and descriptors do not grow. */
TEST_F(heaps, heaps_come_and_go)
{
	unsigned char *p[N];
	int round, maps = 0, descriptors = 0;
	char *metadata = NULL; /* goes up */

	for (round = 0; round < 40; round++) {
		secmalloc_heap *a = create(&variant->tier, 0);

		fill_heap(a, p);
		secmalloc_heap_destroy(a);
		if (round == 20) {
			maps = count_vmas();
			descriptors = ta_descriptors();
			metadata = secm_meta_alloc(16);
		}
	}
	EXPECT_LT((char *)secm_meta_alloc(16) - metadata, 20 * 100);
	EXPECT_LE(count_vmas(), maps + 8);
	EXPECT_EQ(descriptors, ta_descriptors());
	EXPECT_EQ(0, objects_in(NULL));
}

TEST_F(heaps, each_has_its_budget)
{
	secmalloc_heap *a = create(&variant->tier, 1 << 18);
	size_t n = 0;

	while (secmalloc_heap_malloc(a, 4000))
		n++;
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_GT(n, 20);
	EXPECT_LT(n, 65);
	EXPECT_NOT_NULL(secmalloc(4000)); /* the others have not */
	secmalloc_heap_destroy(a);
}

/* Pages that can be had and are given back, one after the other. */
static int pages_in(secmalloc_heap *heap)
{
	void *p[LOCK / 4096];
	int i, n = 0;

	while (n < LOCK / 4096 &&
	       (p[n] = secmalloc_heap_guarded(heap, ta_page() / 2)) != NULL)
		n++;
	for (i = 0; i < n; i++)
		secfree(p[i]);
	return n;
}

TEST_F(heaps, what_one_keeps_for_reuse_another_can_have)
{
	int n;

	if (t_fork()) {
		if (!t_lock_at_most(LOCK))
			_exit(NOT_HERE);
		n = pages_in(create(&variant->tier, 0));
		EXPECT_LE(n / 2, pages_in(create(&variant->tier, 0)));
		_exit(0);
	}
	if (WEXITSTATUS(t_last_child) == NOT_HERE)
		SKIP(return, "lock limit does not bind here");
	EXPECT_EQ(0, t_last_child);
}

TEST_F(heaps, the_report_is_of_that_heap)
{
	secmalloc_heap *a = create(&variant->tier, 0);
	struct secmalloc_report r = { .size = sizeof(r) }, all = r, one = r;
	size_t tier, mapped = 0, confirmed = 0;
	unsigned char *p[N];

	ASSERT_NOT_NULL(secmalloc(100));
	fill_heap(a, p);
	ASSERT_EQ(0, secmalloc_heap_report(a, &r));
	ASSERT_EQ(0, secmalloc_heap_report(NULL, &one));
	ASSERT_EQ(0, secmalloc_report(&all));
	EXPECT_EQ(N, r.objects);
	EXPECT_EQ(1, one.objects);
	EXPECT_EQ(N + 1, all.objects);
	for (tier = 0; tier < SECMALLOC_TIERS; tier++) {
		mapped += r.tier[tier].mapped;
		confirmed += r.tier[tier].confirmed;
		EXPECT_EQ(all.tier[tier].mapped,
			  r.tier[tier].mapped + one.tier[tier].mapped);
		EXPECT_EQ(all.tier[tier].confirmed,
			  r.tier[tier].confirmed + one.tier[tier].confirmed);
	}
	EXPECT_GT(mapped, 200 * 1024);
	if (r.verified)
		EXPECT_EQ(mapped, confirmed);
	secmalloc_heap_destroy(a);
}

TEST_F(heaps, a_child_has_empty_ones)
{
	secmalloc_heap *a = create(&variant->tier, 0);
	unsigned char *p[N];
	int i;

	fill_heap(a, p);
	T_IN_CHILD(for (i = 0; i < N; i++) {
		ASSERT_EQ(0, p[i][i * 131]);
		secfree(p[i]);
	} EXPECT_EQ(0, objects_in(a));
		   fill_heap(a, p); EXPECT_EQ(N, objects_in(a));
		   secmalloc_heap_destroy(a););
	for (i = 0; i < N; i++) {
		ASSERT_TRUE(
			t_is_filled(p[i], (size_t)i * 131 + 1, (uint64_t)i));
		secfree(p[i]);
	}
	secmalloc_heap_destroy(a);
}

TEST_F(heaps, shutdown_empties_all_for_good)
{
	secmalloc_heap *a = create(&variant->tier, 0);
	unsigned char *p[N];

	fill_heap(a, p);
	secmalloc_shutdown();
	EXPECT_EQ(SECM_NONE, ta_access(p[0]));
	EXPECT_NULL(secmalloc_heap_malloc(a, 1));
	EXPECT_EQ(EPERM, errno);
	EXPECT_NULL(secmalloc_heap_create(NULL));
	EXPECT_EQ(EPERM, errno);
	ASSERT_EQ(0, ta_start(&variant->tier));
	EXPECT_NULL(secmalloc_heap_malloc(a, 1));
	secmalloc_heap_destroy(a);
	a = create(&variant->tier, 0);
	EXPECT_NOT_NULL(secmalloc_heap_malloc(a, 1));
}

TEST_F(heaps, bad_arguments_are_errors)
{
	struct secmalloc_config c = { .flags = 0x8000 };
	secmalloc_heap *a = create(&variant->tier, 0);

	EXPECT_NULL(secmalloc_heap_create(&c));
	EXPECT_EQ(EINVAL, errno);
	c.flags = 0;
	c.size = 3;
	EXPECT_NULL(secmalloc_heap_create(&c));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_heap_aligned(a, 0, 10));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_heap_calloc(a, SIZE_MAX, 2));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_NULL(secmalloc_heap_malloc(a, SIZE_MAX));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(0, secmalloc_heap_owns(a, &c));
	EXPECT_EQ(0, secmalloc_heap_owns(a, NULL));
	secmalloc_heap_destroy(NULL);
	EXPECT_NOT_NULL(secmalloc_heap_malloc(NULL, 10));
	secmalloc_heap_destroy(a);
}

struct work {
	secmalloc_heap *heap;
	int failed;
};

/* So few that 8 MiB of locked memory are enough when all have all of theirs. */
static void *churn(void *arg)
{
	enum { FEW = N / 2 };
	struct work *work = arg;
	unsigned char *p[FEW];
	int round, i;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < FEW; i++) {
			p[i] = make(work->heap, i);
			ASSERT_NOT_NULL(p[i]);
			t_fill(p[i], (size_t)i * 131 + 1, (uint64_t)i);
		}
		for (i = 0; i < FEW; i++) {
			if (!t_is_filled(p[i], (size_t)i * 131 + 1,
					 (uint64_t)i))
				work->failed++;
			secfree(p[i]);
		}
	}
	return NULL;
}

TEST_F(heaps, threads_share_one_and_have_their_own)
{
	struct work work[4];
	pthread_t thread[4];
	int i;

	for (i = 0; i < 4; i++) {
		work[i].failed = 0;
		work[i].heap =
			i == 1 ? work[0].heap : create(&variant->tier, 0);
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, churn, &work[i]));
	}
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, work[i].failed);
		EXPECT_EQ(0, objects_in(work[i].heap));
	}
}
