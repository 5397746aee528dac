/* SPDX-License-Identifier: MIT */
/*
 * test_run.c - run.c: objects with pages of their own
 *
 * death_run.c has what they die of, test_mappings.c what happens when the
 * kernel has no mapping left.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "ksft.h"
#include "run.h"
#include "t_heap.h"
#include "t_util.h"

T_TIERS(run);
T_TIER_LOCKED(run);
T_TIER_PLAIN(run);

static size_t tail_of(size_t size)
{
	return size ? (size + 15) / 16 * 16 : 16;
}

/* All that is promised about where an object lies and what is around it. */
static void check_place(const char *p, size_t size)
{
	const struct secm_span *span = t_span(p);
	const char *end = secm_span_end(span);

	ASSERT_EQ(0, (uintptr_t)p % 16);
	ASSERT_EQ(tail_of(size), (size_t)(end - p)); /* flush to the guard */
	ASSERT_TRUE(t_holds(p, size, 0));
	ASSERT_EQ(NULL, memchr(p + size, 0, tail_of(size) - size));
	ASSERT_EQ(SECM_NONE, t_access(end));
	ASSERT_EQ(SECM_NONE, t_access(span->data - 1));
	if (p > span->data)
		ASSERT_NE(0, p[-1]); /* canary up to the page's start */
	ASSERT_GE(span->filled * secm_os.page, tail_of(size));
}

/* Sizes around each of the first page boundaries. */
static size_t size_number(size_t i)
{
	static const int near[] = { -17, -16, -15, -1, 0, 1, 15, 16, 17 };

	if (i < 40)
		return i;
	i -= 40;
	return (i / 9 + 1) * secm_os.page + (size_t)near[i % 9];
}

enum { SIZES = 40 + 9 * 6 };

TEST_F(run, guarded_objects_touch_their_guard)
{
	size_t i;

	T_BEGIN(NULL);
	for (i = 0; i < SIZES; i++) {
		size_t size = size_number(i);
		char *p = secmalloc_guarded(size);

		T_NEED(p);
		check_place(p, size);
		t_fill(p, size, i);
		EXPECT_TRUE(t_is_filled(p, size, i));
		if (i % 5 == 0)
			T_SOUND(self->heap);
		secfree(p); /* canaries are whole, or this dies */
	}
	T_SOUND(self->heap);
}

TEST_F(run, large_objects_touch_their_guard)
{
	size_t i;

	T_BEGIN(NULL);
	for (i = 1; i < 40; i++) {
		size_t size = SECM_SLAB_LARGEST + i * i * 37 - 36;
		char *p = secmalloc(size);

		T_NEED(p);
		ASSERT_EQ(SECM_RUN, t_span(p)->kind);
		check_place(p, size);
		t_fill(p, size, i);
		secfree(p);
	}
	T_SOUND(self->heap);
}

TEST_F(run, a_cached_one_larger_than_needed_is_used_from_its_end)
{
	struct secm_span *span;
	size_t page;
	char *p;

	T_BEGIN(NULL);
	page = secm_os.page;
	p = secmalloc_guarded(10 * page); /* bucket of 9 and 10 pages */
	T_NEED(p);
	span = t_span(p);
	t_fill(p, 10 * page, 1);
	secfree(p);
	p = secmalloc_guarded(9 * page - 5);
	ASSERT_EQ(span, t_span(p));
	EXPECT_EQ(10, span->filled);
	check_place(p, 9 * page - 5);
	t_fill(p, 9 * page - 5, 2);
	secfree(p);
	EXPECT_TRUE(t_holds(span->data, 10 * page, 0));
	p = secmalloc_guarded(10 * page);
	ASSERT_EQ(span, t_span(p));
	check_place(p, 10 * page);
	T_SOUND(self->heap);
}

TEST_F(run, a_cached_one_smaller_than_needed_grows)
{
	struct secm_span *span;
	size_t page;
	char *p;

	T_BEGIN(NULL);
	page = secm_os.page;
	p = secmalloc_guarded(9 * page);
	T_NEED(p);
	span = t_span(p);
	t_fill(p, 9 * page, 1);
	secfree(p);
	p = secmalloc_guarded(10 * page);
	ASSERT_EQ(span, t_span(p));
	EXPECT_EQ(10, span->filled);
	check_place(p, 10 * page);
	secfree(p);
	T_SOUND(self->heap);
}

/* They are refused before anything is mapped, written or remembered. */
TEST_F(run, impossible_sizes_are_refused_and_cost_nothing)
{
	static const size_t below[] = { 0, 1, 15, 16, 17, 4096, 1 << 20 };
	size_t i, shift, mapped, rss, bits = sizeof(size_t) * 8;
	void *p;

	if (sizeof(p) == 4)
		SKIP(return, "half of a 32-bit space may be free");
	T_BEGIN(NULL);
	ASSERT_NE(NULL, secmalloc(1));
	mapped = secm_heap_mapped(self->heap);
	rss = t_number_in("/proc/self/status", "VmRSS:");
	for (i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		EXPECT_NULL(secmalloc_guarded((size_t)PTRDIFF_MAX - below[i]));
		EXPECT_NULL(secmalloc((size_t)PTRDIFF_MAX - below[i]));
		EXPECT_NULL(secmalloc((size_t)PTRDIFF_MAX + 1 + below[i]));
		EXPECT_NULL(secmalloc_guarded(SIZE_MAX - below[i]));
		EXPECT_NULL(secmalloc(SIZE_MAX - below[i]));
	}
	for (shift = bits > 32 ? 44 : 31; shift < bits; shift++) {
		EXPECT_EQ(-ENOMEM, secm_run_alloc(self->heap, SECM_RUN,
						  (size_t)1 << shift, &p));
		EXPECT_EQ(-ENOMEM, secm_run_alloc(self->heap, SECM_GUARDED,
						  ((size_t)1 << shift) - 1,
						  &p));
	}
	EXPECT_EQ(mapped, secm_heap_mapped(self->heap));
	EXPECT_EQ(1, t_objects());
	EXPECT_LE(t_number_in("/proc/self/status", "VmRSS:"), rss + 2048);
	EXPECT_NOT_NULL(secmalloc(100000 / 8));
	T_SOUND(self->heap);
}

TEST_F(run, resizing_in_place_stays_against_the_guard)
{
	size_t old, size;
	char *p;

	T_BEGIN(NULL);
	for (old = 1; old <= 48; old++)
		for (size = 1; size <= 48; size++) {
			int same = tail_of(old) == tail_of(size);
			size_t kept = size < old ? size : old;
			char *q;

			p = secmalloc_guarded(old);
			ASSERT_NE(NULL, p);
			t_fill(p, old, 4);
			q = secrealloc(p, size);
			ASSERT_NE(NULL, q);
			if (same)
				ASSERT_EQ(p, q);
			ASSERT_EQ(SECM_GUARDED, t_span(q)->kind);
			ASSERT_TRUE(t_is_filled(q, kept, 4));
			ASSERT_TRUE(t_holds(q + kept, size - kept, 0));
			ASSERT_EQ(size, secmalloc_usable_size(q));
			secfree(q);
		}
	T_SOUND(self->heap);
}

TEST_F(run, moving_leaves_zeros_behind)
{
	struct secm_span *span;
	char *p, *q;

	T_BEGIN(NULL);
	p = secmalloc_guarded(1000);
	ASSERT_NE(NULL, p);
	t_fill(p, 1000, 6);
	span = t_span(p);
	q = secrealloc(p, 20000);
	ASSERT_NE(NULL, q);
	EXPECT_NE(p, q);
	EXPECT_TRUE(t_is_filled(q, 1000, 6));
	EXPECT_TRUE(t_holds(span->data, span->filled * secm_os.page, 0));
	T_SOUND(self->heap);
}

/* 1 if the bytes stand somewhere in the span. */
static int stands(const struct secm_span *span, const char *bytes, size_t n)
{
	const char *p = span->data, *end = secm_span_end(span);

	for (; p + n <= end; p++)
		if (memcmp(p, bytes, n) == 0)
			return 1;
	return 0;
}

/* Within its pages the object moves to stay at the guard. */
TEST_F(run, sliding_leaves_no_residue)
{
	enum { N = 16 };
	char *p, *q, cut[N];
	struct secm_span *span;
	size_t size;

	T_BEGIN(NULL);
	p = secmalloc_guarded(3000);
	ASSERT_NE(NULL, p);
	t_fill(p, 3000, 7);
	memcpy(cut, p + 3000 - N, N);
	span = t_span(p);
	ASSERT_TRUE(stands(span, cut, N));
	q = secrealloc(p, 2000);
	ASSERT_EQ(span, t_span(q));
	EXPECT_TRUE(t_is_filled(q, 2000, 7));
	EXPECT_FALSE(stands(span, cut, N));
	EXPECT_EQ((void *)secm_span_end(span), (void *)(q + 2000));
	for (size = 2001; size < 4000; size += 37) {
		q = secrealloc(q, size);
		ASSERT_EQ(span, t_span(q));
		ASSERT_TRUE(t_is_filled(q, 2000, 7));
		ASSERT_TRUE(t_holds(q + 2000, size - 2000, 0));
	}
	EXPECT_DEATH(SIGABRT, SECM_DIE_INTERIOR, {
		char *old = secmalloc_guarded(3000);

		q = secrealloc(old, 2000);
		secfree(old);
	});
	secfree(q);
	T_SOUND(self->heap);
}

/* Asking for less works where nothing more can be had. */
TEST_F(run, shrinking_needs_no_room)
{
	struct secmalloc_config c = { .max_bytes = 512 * 1024 };
	char *big, *small;

	T_BEGIN(&c);
	T_ROOM(1 << 20);
	big = secmalloc(300000);
	small = secmalloc(16000);
	ASSERT_NE(NULL, big);
	ASSERT_NE(NULL, small);
	t_fill(big, 300000, 8);
	t_fill(small, 16000, 9);
	while (secmalloc(4000))
		;
	while (secmalloc(10))
		;
	big = secrealloc(big, 100000);
	small = secrealloc(small, 100);
	ASSERT_NE(NULL, big);
	ASSERT_NE(NULL, small);
	EXPECT_TRUE(t_is_filled(big, 100000, 8));
	EXPECT_TRUE(t_is_filled(small, 100, 9));
	EXPECT_EQ(100000, secmalloc_usable_size(big));
	EXPECT_EQ(100, secmalloc_usable_size(small));
	secfree(big);
	secfree(small);
}

TEST_F(run, each_access_is_what_the_kernel_enforces)
{
	static const enum secm_access all[] = { SECM_NONE, SECM_READ,
						SECM_READWRITE };
	size_t i, j, size;
	char *p;

	T_BEGIN(NULL);
	for (size = 0; size < 5 * secm_os.page; size += secm_os.page - 100)
		for (i = 0; i < 3; i++)
			for (j = 0; j < 3; j++) {
				p = secmalloc_guarded(size + 1);
				T_NEED(p);
				*p = 'x';
				ASSERT_EQ(0, secmalloc_protect(p, (int)all[i]));
				ASSERT_EQ(all[i], t_access(p));
				ASSERT_EQ(all[i], t_access(p + size));
				ASSERT_EQ(0, secmalloc_protect(p, (int)all[j]));
				ASSERT_EQ(all[j], t_access(p));
				ASSERT_EQ(all[j], t_access(p + size));
				secfree(p); /* in any state */
			}
	T_SOUND(self->heap);
}

TEST_F(run, the_next_object_is_open_whatever_the_last_one_was)
{
	char *p, *q;

	T_BEGIN(NULL);
	p = secmalloc_guarded(100);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_NOACCESS));
	secfree(p);
	q = secmalloc_guarded(100);
	EXPECT_EQ(p, q);
	EXPECT_EQ(SECM_READWRITE, t_access(q));
	secfree(q);
}

TEST_F(run, a_refused_realloc_changes_neither_object_nor_access)
{
	static const int states[] = { SECMALLOC_NOACCESS, SECMALLOC_READONLY,
				      SECMALLOC_READWRITE };
	size_t i;
	char *p;

	T_BEGIN(NULL);
	for (i = 0; i < 3; i++) {
		p = secmalloc_guarded(100);
		ASSERT_NE(NULL, p);
		t_fill(p, 100, i);
		ASSERT_EQ(0, secmalloc_protect(p, states[i]));
		EXPECT_NULL(secrealloc(p, PTRDIFF_MAX));
		EXPECT_EQ(states[i], (int)t_access(p));
		EXPECT_EQ(100, secmalloc_usable_size(p));
		ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_READWRITE));
		EXPECT_TRUE(t_is_filled(p, 100, i));
		secfree(p);
	}
	T_SOUND(self->heap);
}

TEST_F(run, only_live_guarded_objects_can_be_protected)
{
	char *run, *guarded, *small;

	T_BEGIN(NULL);
	small = secmalloc(100);
	guarded = secmalloc_guarded(100);
	run = secmalloc(20000);
	T_NEED(run);
	EXPECT_EQ(-1, secmalloc_protect(small, SECMALLOC_READONLY));
	EXPECT_EQ(-1, secmalloc_protect(run, SECMALLOC_READONLY));
	EXPECT_EQ(-1, secmalloc_protect(guarded + 1, SECMALLOC_READONLY));
	EXPECT_EQ(-1, secmalloc_protect(guarded, 3));
	EXPECT_EQ(-1, secmalloc_protect(guarded, -1));
	EXPECT_EQ(-1, secmalloc_protect(NULL, SECMALLOC_READONLY));
	EXPECT_EQ(-1, secmalloc_protect(self->heap->vault, SECMALLOC_NOACCESS));
	EXPECT_EQ(SECM_READWRITE, t_access(small));
	EXPECT_EQ(SECM_READWRITE, t_access(run));
	secfree(guarded);
	EXPECT_EQ(-1, secmalloc_protect(guarded, SECMALLOC_READONLY));
	T_SOUND(self->heap);
}
