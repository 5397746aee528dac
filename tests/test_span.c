/* SPDX-License-Identifier: MIT */
/*
 * test_span.c - span.c: address space with a purpose, and the pages in it
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "index.h"
#include "ksft.h"
#include "retain.h"
#include "t_heap.h"
#include "t_util.h"

T_TIERS(span);
T_TIER_LOCKED(span);
T_TIER_PLAIN(span);

/* The tiers that take quota. */
T_TIERS(span_quota);
T_TIER_LOCKED(span_quota);

enum { DIRECT = 1 << 20 }; /* from here on spans have their own mapping */

static size_t bytes(size_t pages)
{
	return pages * secm_os.page;
}

/* One of that kind with room for so many pages, and none in it. */
static struct secm_span *get(struct secm_heap *heap, enum secm_kind kind,
			     size_t pages)
{
	unsigned bucket = secm_page_bucket(pages);
	struct secm_span *span;

	if (secm_span_get(heap, kind, bucket, pages, pages, &span) != 0)
		return NULL;
	return span;
}

static int is_closed(const struct secm_span *span)
{
	return t_access(span->data - 1) == SECM_NONE &&
	       t_access(secm_span_end(span)) == SECM_NONE &&
	       t_access(span->data + bytes(span->capacity)) == SECM_NONE;
}

TEST_F(span, pages_are_zero_usable_and_between_guards)
{
	struct secm_span *span;
	size_t n;

	T_BEGIN(NULL);
	for (n = 1; n <= 12; n++) {
		span = get(self->heap, SECM_RUN, n);
		ASSERT_NE(NULL, span);
		EXPECT_GE(span->capacity, n);
		EXPECT_EQ(SECM_NONE, t_access(span->data));
		T_NEED(secm_span_fill(self->heap, span, n) == 0 ? span : NULL);
		EXPECT_EQ(n, span->filled);
		EXPECT_TRUE(t_holds(span->data, bytes(n), 0));
		EXPECT_TRUE(is_closed(span));
		EXPECT_EQ(span, secm_index_find(span->data));
		EXPECT_EQ(span, secm_index_find(secm_span_end(span) - 1));
		t_fill(span->data, bytes(n), n);
	}
	for (span = self->heap->all; span; span = span->all)
		if (span != self->heap->vault_span)
			EXPECT_TRUE(t_is_filled(span->data,
						bytes(span->filled),
						span->filled));
	T_SOUND(self->heap);
}

TEST_F(span, it_grows_page_by_page_and_keeps_contents_and_tier)
{
	enum { MOST = 11 };
	struct secm_span *span;
	size_t n;

	T_BEGIN(NULL);
	span = get(self->heap, SECM_SLAB, MOST);
	ASSERT_NE(NULL, span);
	for (n = 1; n <= MOST; n++) {
		unsigned rung = span->rung;

		ASSERT_EQ(0, secm_span_fill(self->heap, span, n));
		ASSERT_EQ(n, span->filled);
		if (n > 1)
			EXPECT_EQ(rung, span->rung);
		EXPECT_TRUE(t_holds(span->data + bytes(n - 1), bytes(1), 0));
		EXPECT_TRUE(t_is_filled(span->data, bytes(n - 1), 1));
		EXPECT_TRUE(is_closed(span));
		t_fill(span->data, bytes(n), 1);
	}
	EXPECT_EQ(0, secm_span_fill(self->heap, span, 3)); /* has them */
	EXPECT_EQ(MOST, span->filled);
	EXPECT_EQ(-ENOMEM, secm_span_fill(self->heap, span,
					  span->capacity + 1));
	EXPECT_EQ(-ENOMEM, secm_span_fill(self->heap, span, SIZE_MAX));
	EXPECT_EQ(MOST, span->filled);
}

TEST_F(span, dropped_pages_are_inaccessible_and_the_next_ones_zero)
{
	struct secm_span *span;
	size_t before, busy;
	int i;

	T_BEGIN(NULL);
	span = get(self->heap, SECM_RUN, 7);
	ASSERT_NE(NULL, span);
	busy = self->heap->busy;
	before = secm_heap_mapped(self->heap);
	for (i = 0; i < 100; i++) {
		char *data = span->data;

		ASSERT_EQ(0, secm_span_fill(self->heap, span, 7));
		ASSERT_TRUE(t_holds(span->data, bytes(7), 0));
		t_fill(span->data, bytes(7), 1);
		memset(span->data, 0, bytes(7));
		secm_span_shrink(self->heap, span, 0);
		ASSERT_EQ(0, span->filled);
		ASSERT_EQ(data, span->data); /* I1 */
		ASSERT_EQ(SECM_NONE, t_access(data));
		ASSERT_EQ(SECM_NONE, t_access(data + bytes(7) - 1));
	}
	EXPECT_EQ(busy, self->heap->busy);
	secm_retain_put(self->heap, span);
	(void)secm_retain_trim(self->heap); /* whatever that gains */
	EXPECT_LE(secm_heap_mapped(self->heap), before);
	T_SOUND(self->heap);
}

TEST_F(span, large_ones_have_a_mapping_of_their_own)
{
	struct secm_span *span;
	size_t pages, before;

	T_BEGIN(NULL);
	pages = DIRECT / secm_os.page;
	span = get(self->heap, SECM_RUN, pages);
	ASSERT_NE(NULL, span);
	before = secm_heap_mapped(self->heap);
	T_NEED(secm_span_fill(self->heap, span, pages) == 0 ? span : NULL);
	EXPECT_EQ(1, span->direct);
	EXPECT_NULL(span->extents);
	EXPECT_EQ(DIRECT, secm_heap_mapped(self->heap) - before);
	EXPECT_TRUE(t_holds(span->data, DIRECT, 0));
	EXPECT_TRUE(is_closed(span));
	secm_span_shrink(self->heap, span, 0);
	EXPECT_EQ(before, secm_heap_mapped(self->heap));
	EXPECT_EQ(SECM_NONE, t_access(span->data));
	secm_retain_put(self->heap, span);
	T_SOUND(self->heap);
}

TEST_F(span, space_is_used_again_by_its_own_kind_and_bucket_alone)
{
	struct secm_span *span, *other;

	T_BEGIN(NULL);
	span = get(self->heap, SECM_RUN, 4);
	ASSERT_NE(NULL, span);
	secm_retain_put(self->heap, span);
	other = get(self->heap, SECM_GUARDED, 4);
	EXPECT_NE(span, other);
	other = get(self->heap, SECM_SLAB, 4);
	EXPECT_NE(span, other);
	other = get(self->heap, SECM_RUN, 3);
	EXPECT_NE(span, other);
	other = get(self->heap, SECM_RUN, 5);
	EXPECT_NE(span, other);
	EXPECT_EQ(span, get(self->heap, SECM_RUN, 4));
	EXPECT_NE(span, get(self->heap, SECM_RUN, 4)); /* in use now */
}

TEST_F(span, too_small_ones_of_the_bucket_are_passed_over)
{
	struct secm_span *small, *large;
	unsigned bucket = secm_page_bucket(32);

	T_BEGIN(NULL);
	ASSERT_EQ(0, secm_span_get(self->heap, SECM_RUN, bucket, 29, 29,
				   &small));
	secm_retain_put(self->heap, small);
	ASSERT_EQ(0, secm_span_get(self->heap, SECM_RUN, bucket, 32, 32,
				   &large));
	EXPECT_NE(small, large);
	EXPECT_GE(large->capacity, 32);
}

TEST_F(span_quota, a_refused_fill_changes_nothing)
{
	enum { LIMIT = 24 };
	struct secm_heap *heap = self->heap;
	struct secm_span *span;
	size_t page = (size_t)4096;

	T_LOCK_AT_MOST(LIMIT * page);
	T_BEGIN(NULL);
	span = get(heap, SECM_RUN, 40);
	ASSERT_NE(NULL, span);
	EXPECT_EQ(-ENOMEM, secm_span_fill(heap, span, 40));
	EXPECT_EQ(0, span->filled);
	EXPECT_EQ(SECM_NONE, t_access(span->data));
	EXPECT_EQ(SECMALLOC_REASON_LOCK_LIMIT, heap->policy.reason);
	ASSERT_EQ(0, secm_span_fill(heap, span, 10));
	t_fill(span->data, bytes(10), 5);
	EXPECT_EQ(-ENOMEM, secm_span_fill(heap, span, 40));
	EXPECT_EQ(10, span->filled);
	EXPECT_TRUE(t_is_filled(span->data, bytes(10), 5));
	EXPECT_TRUE(is_closed(span));
	T_SOUND(heap);
	/* All of the quota: one page is the vault's. */
	EXPECT_EQ(0, secm_span_fill(heap, span, LIMIT - 1));
	EXPECT_TRUE(t_is_filled(span->data, bytes(10), 5));
	EXPECT_TRUE(t_holds(span->data + bytes(10), bytes(LIMIT - 11), 0));
	T_SOUND(heap);
}

/* Where nothing is left at one tier, the next serves if that may be. */
TEST(best_effort_goes_down_the_ladder_span_by_span)
{
	struct secmalloc_config c = { .flags = SECMALLOC_BEST_EFFORT };
	struct t_tier tier = { SECM_HIDDEN, 0, 0 };
	struct secm_heap *heap = &secm_default_heap;
	struct secm_span *high, *low;

	if (!t_lock_at_most(65536))
		SKIP(return, "lock limit does not bind here");
	ASSERT_EQ(0, t_begin(&tier, &c));
	if (!(secm_os.props & SECM_NODUMP))
		SKIP(return, "the backend has one rung only");
	high = get(heap, SECM_RUN, 8);
	low = get(heap, SECM_RUN, 64);
	ASSERT_TRUE(high && low);
	ASSERT_EQ(0, secm_span_fill(heap, high, 8));
	EXPECT_EQ(SECMALLOC_TIER_LOCKED, secm_policy_tier(high->props));
	EXPECT_EQ(0, heap->degraded);
	ASSERT_EQ(0, secm_span_fill(heap, low, 64));
	EXPECT_EQ(SECMALLOC_TIER_PARTIAL, secm_policy_tier(low->props));
	EXPECT_LT(0, heap->degraded);
	EXPECT_EQ(SECMALLOC_REASON_LOCK_LIMIT, heap->policy.reason);
	EXPECT_GE(heap->mapped[SECMALLOC_TIER_PARTIAL], bytes(64));
	T_SOUND(heap);
	secm_retain_put(heap, low);
	secm_retain_put(heap, high);
	(void)secm_retain_trim(heap); /* whatever that gains */
	EXPECT_EQ(0, heap->mapped[SECMALLOC_TIER_PARTIAL]);
	T_SOUND(heap);
}

TEST(lists_keep_order_and_can_lose_any_member)
{
	struct secm_span span[4], *list = NULL;
	int i;

	memset(span, 0, sizeof(span));
	secm_span_unlink(&span[0]); /* in none: nothing happens */
	for (i = 0; i < 4; i++)
		secm_span_push(&list, &span[i]);
	EXPECT_EQ(&span[3], list);
	secm_span_unlink(&span[1]); /* middle */
	EXPECT_EQ(&span[0], span[2].next);
	secm_span_unlink(&span[1]); /* again */
	secm_span_unlink(&span[3]); /* first */
	EXPECT_EQ(&span[2], list);
	secm_span_unlink(&span[0]); /* last */
	EXPECT_NULL(span[2].next);
	secm_span_unlink(&span[2]);
	EXPECT_NULL(list);
	secm_span_push(&list, &span[1]);
	EXPECT_EQ(&span[1], list);
	EXPECT_EQ(&list, span[1].link);
}
