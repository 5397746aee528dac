/* SPDX-License-Identifier: MIT */
/*
 * test_pick.c - pick.c: which free slots are the next, and how many cache.c
 * wants of them
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "cache.h"
#include "ksft.h"
#include "pick.h"
#include "slab.h"
#include "t_heap.h"
#include "t_util.h"
#include "t_way.h"

T_TIERS(pick);
T_TIER_LOCKED(pick);
T_TIER_PLAIN(pick);

enum { SIZE = 40, MANY = 4096, ROUNDS = 4000 };

static void *object[MANY];
static struct secm_heap *const heap = &secm_default_heap;

static const struct secmalloc_config no_caches = { .flags =
							SECMALLOC_NO_CACHES };

/* One slab without a free slot; how many objects that are. */
static size_t fill_slab(struct secm_span **span)
{
	size_t n = 0;

	do {
		object[n] = secmalloc(SIZE);
		if (!object[n])
			return 0;
		*span = t_span(object[n++]);
	} while (n < MANY && (*span)->u.slab.used < (*span)->u.slab.slots);
	return n;
}

/* As many as the word has, or as were asked for; and none that is taken. */
static void check_some(const struct secm_span *span, unsigned most,
		       const struct secm_some *some)
{
	const struct secm_slab *slab = &span->u.slab;
	uint64_t free = ~slab->taken[some->first / SECM_WORD_BITS] &
			secm_slots_mask(slab, some->first / SECM_WORD_BITS);
	unsigned have = secm_bits_count(free);

	EXPECT_EQ(span, some->span);
	EXPECT_EQ(0, some->first % SECM_WORD_BITS);
	EXPECT_LT(some->first, slab->slots);
	EXPECT_EQ(0, some->bits & ~free);
	EXPECT_EQ(secm_bits_count(some->bits), some->n);
	EXPECT_EQ(have < most ? have : most, some->n);
}

/* A slab of which every third slot is free. */
static struct secm_span *third_free(void)
{
	struct secm_span *span = NULL;
	size_t i, n = fill_slab(&span);

	for (i = 0; i < n; i += 3)
		secfree(object[i]);
	return span;
}

TEST_F(pick, some_are_free_and_of_one_word)
{
	static const unsigned most[] = { 1, 2, 12, 24, 63, 64, 200 };
	struct secm_span *span;
	struct secm_some some;
	size_t i, round;

	T_BEGIN(&no_caches);
	span = third_free();
	T_NEED(span);
	for (i = 0; i < sizeof(most) / sizeof(most[0]); i++)
		for (round = 0; round < 200; round++) {
			secm_pick(heap, span, most[i], &some);
			check_some(span, most[i], &some);
		}
	T_SOUND(heap);
}

TEST_F(pick, each_free_slot_may_be_the_next)
{
	static unsigned hits[MANY];
	const struct secm_slab *slab;
	struct secm_span *span;
	struct secm_some some;
	size_t i, k;

	T_BEGIN(&no_caches);
	span = third_free();
	T_NEED(span);
	slab = &span->u.slab;
	ASSERT_LT(slab->slots, MANY);
	for (i = 0; i < ROUNDS; i++) {
		secm_pick(heap, span, 1 + i % 4, &some);
		for (k = 0; k < SECM_WORD_BITS; k++)
			hits[some.first + k] += some.bits >> k & 1;
	}
	for (i = 0; i < slab->slots; i++)
		EXPECT_EQ(!secm_bit(slab->taken, i), hits[i] > 0);
}

/* Slots of a word that nobody has are not taken one after the other. */
TEST_F(pick, some_of_an_empty_word_are_scattered)
{
	struct secm_span *span;
	struct secm_some some;
	size_t i, in_a_row = 0, rounds = 0;

	T_BEGIN(&no_caches);
	object[0] = secmalloc(SIZE);
	T_NEED(object[0]);
	span = t_span(object[0]);
	for (i = 0; i < ROUNDS; i++) {
		secm_pick(heap, span, 8, &some);
		if (some.first + SECM_WORD_BITS > span->u.slab.slots)
			continue;
		some.bits >>= secm_ctz64(some.bits);
		in_a_row += some.bits == 0xff;
		rounds++;
	}
	EXPECT_GT(rounds, ROUNDS / 2);
	EXPECT_LT(in_a_row, rounds / 100);
}

TEST_F(pick, slots_that_move_together_are_counted_together)
{
	struct secm_span *span = NULL, *other;
	struct secm_some some;
	unsigned class = secm_object_class(SIZE);
	uint32_t slots[SECM_WORD_BITS];
	size_t used, idle, slot, n;

	T_BEGIN(&no_caches);
	n = fill_slab(&span);
	T_NEED(span);
	EXPECT_EQ(-ENOMEM, secm_slab_take_some(heap, class, 9, &some));
	while (n % 100 != 0)
		secfree(object[--n]);
	used = span->u.slab.used;
	idle = heap->idle;
	ASSERT_EQ(0, secm_slab_take_some(heap, class, 9, &some));
	EXPECT_EQ(used + some.n, span->u.slab.used);
	EXPECT_EQ(idle - some.n * span->u.slab.slot, heap->idle);
	for (n = 0; some.bits; some.bits &= some.bits - 1)
		slots[n++] = (uint32_t)(some.first + secm_ctz64(some.bits));
	EXPECT_EQ(some.n, n);
	secm_slab_give(heap, span, slots, some.n);
	EXPECT_EQ(used, span->u.slab.used);
	EXPECT_EQ(idle, heap->idle);
	T_SOUND(heap);
	while (span->u.slab.used < span->u.slab.slots)
		ASSERT_EQ(0, secm_slab_take(heap, class, &other, &slot));
	EXPECT_EQ(-ENOMEM, secm_slab_take_some(heap, class, 9, &some));
	ASSERT_EQ(0, secm_slab_take(heap, class, &other, &slot));
	EXPECT_LT(slot, other->u.slab.slots); /* that one may grow */
}

/* The words that this thread chooses while others take slots as well. */
struct shared {
	struct secm_span *span;
	uint64_t words;
	int alone, cached;
};

static void choose_many(void *arg)
{
	struct shared *s = arg;
	struct secm_some some;
	int i;

	secfree(secmalloc(1)); /* now it has a cache */
	s->cached = secm_cache_tag() != 0;
	for (i = 0; i < 500; i++) {
		if (!s->alone)
			heap->class[s->span->bucket].turns = 0;
		secm_pick(heap, s->span, 12, &some);
		s->words |= UINT64_C(1) << some.first / SECM_WORD_BITS;
	}
}

static void take_all(void *arg)
{
	struct shared *s = arg;
	struct secm_span *span;
	size_t slot;

	secfree(secmalloc(1));
	while (s->span->u.slab.used < s->span->u.slab.slots) {
		heap->class[s->span->bucket].turns = 0;
		ASSERT_EQ(0, secm_slab_take(heap, s->span->bucket, &span,
					    &slot));
		ASSERT_EQ(s->span, span);
	}
}

TEST_F(pick, threads_have_shares_but_all_of_it_if_need_be)
{
	struct shared own = { 0 }, other = { 0 }, alone = { .alone = 1 };
	uint64_t all;

	if (!SECM_ATOMICS)
		SKIP(return, "this build has no caches");
	T_BEGIN(NULL);
	object[0] = secmalloc(SIZE);
	T_NEED(object[0]);
	own.span = other.span = alone.span = t_span(object[0]);
	all = ((uint64_t)1 << secm_bits_words(own.span->u.slab.slots)) - 1;
	ASSERT_LT(3, all);
	choose_many(&own);
	EXPECT_EQ(all, own.words); /* there is no other thread yet */
	t_in_thread(choose_many, &other);
	own.words = 0;
	choose_many(&own);
	EXPECT_TRUE(own.cached && other.cached);
	EXPECT_EQ(0, own.words & other.words);
	EXPECT_EQ(all, own.words | other.words);
	t_in_thread(choose_many, &alone);
	EXPECT_EQ(all, alone.words);
	t_in_thread(take_all, &other);
	EXPECT_EQ(own.span->u.slab.slots, own.span->u.slab.used);
}

/* How many slots the next call of the slow way leaves in the magazine. */
static size_t after_refill(const struct secm_magazine *m, size_t *n)
{
	while (m->count > m->true_floor)
		object[(*n)++] = secmalloc(SIZE);
	object[(*n)++] = secmalloc(SIZE);
	return m->count;
}

static size_t after_flush(const struct secm_magazine *m, size_t *n)
{
	while (m->count < m->true_limit)
		secfree(object[--*n]);
	secfree(object[--*n]);
	return m->count;
}

TEST_F(pick, who_only_allocates_or_only_frees_moves_more_at_a_time)
{
	const struct secm_magazine *m;
	size_t middle, n = 0;

	if (!SECM_ATOMICS)
		SKIP(return, "this build has no caches");
	T_BEGIN(NULL);
	/* A slab with room enough, and nothing in the magazine. */
	for (n = 1; n < MANY / 2; n++)
		object[n] = secmalloc(SIZE);
	object[0] = secmalloc(SIZE);
	while (n > 1)
		secfree(object[--n]);
	(void)t_drain();
	m = &secm_cache_self()->magazine[secm_object_class(SIZE)];
	middle = (m->true_floor + m->true_limit + 1u) / 2;
	/* The first time nobody knows, later it was one way only. */
	EXPECT_EQ(middle, after_refill(m, &n));
	EXPECT_EQ(m->true_limit, after_refill(m, &n));
	EXPECT_EQ(m->true_limit, after_refill(m, &n));
	secfree(object[--n]);
	EXPECT_EQ(middle + 1, m->count);
	while (n < MANY / 2)
		object[n++] = secmalloc(SIZE);
	EXPECT_LT(0, after_flush(m, &n));
	EXPECT_EQ(m->true_floor + 1, after_flush(m, &n));
	EXPECT_EQ(m->true_floor + 1, after_flush(m, &n));
	/* Both: back to the middle. */
	object[n++] = secmalloc(SIZE);
	EXPECT_EQ(middle + 1, after_flush(m, &n));
	while (m->count > m->true_floor + 2u)
		object[n++] = secmalloc(SIZE);
	secfree(object[--n]);
	EXPECT_EQ(middle, after_refill(m, &n));
	T_SOUND(heap);
}
