/* SPDX-License-Identifier: MIT */
/*
 * test_slab.c - slab.c: small objects side by side
 *
 * death_slab.c has what a slab dies of.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "index.h"
#include "ksft.h"
#include "retain.h"
#include "slot.h"
#include "t_heap.h"
#include "t_util.h"

T_TIERS(slab);
T_TIER_LOCKED(slab);
T_TIER_PLAIN(slab);

enum { MANY = 4096 };

static void *object[MANY];

/* Where the slab's own slots are counted. */
static const struct secmalloc_config no_caches = { .flags =
							SECMALLOC_NO_CACHES };

TEST_F(slab, objects_of_every_size_start_zeroed_and_aligned)
{
	size_t size, slot, found;
	char *start;

	T_BEGIN(NULL);
	for (size = 0; size <= SECM_SLAB_LARGEST; size++) {
		char *p = secmalloc(size);

		T_NEED(p);
		slot = t_slot(p);
		ASSERT_EQ(0, (uintptr_t)p % 16);
		ASSERT_TRUE(t_holds(p, size, 0));
		ASSERT_GE(slot, size + 8);
		ASSERT_EQ(1, secm_slot_find(t_span(p), p, &start, &found));
		ASSERT_EQ(p, start);
		ASSERT_EQ(size, found);
		t_fill(p, size, size);
		secfree(p);
		ASSERT_TRUE(t_holds(p, slot, 0));
	}
	T_SOUND(self->heap);
}

/* Neighbours of the smallest objects are where list nodes would overlap. */
TEST_F(slab, writing_and_freeing_leaves_neighbours_alone)
{
	enum { EACH = 16, SIZES = 65, ALL = EACH * SIZES };
	int i;

	T_BEGIN(NULL);
	for (i = 0; i < ALL; i++) {
		object[i] = secmalloc((size_t)i % SIZES);
		T_NEED(object[i]);
		t_fill(object[i], (size_t)i % SIZES, (uint64_t)i);
	}
	for (i = 0; i < ALL; i += 2)
		secfree(object[i]);
	for (i = 1; i < ALL; i += 2)
		ASSERT_TRUE(t_is_filled(object[i], (size_t)i % SIZES,
					(uint64_t)i));
	for (i = 0; i < ALL; i += 2) {
		object[i] = secmalloc((size_t)i % SIZES);
		ASSERT_NE(NULL, object[i]);
		ASSERT_TRUE(t_holds(object[i], (size_t)i % SIZES, 0));
		t_fill(object[i], (size_t)i % SIZES, (uint64_t)i + 1);
	}
	for (i = 0; i < ALL; i++)
		ASSERT_TRUE(t_is_filled(object[i], (size_t)i % SIZES,
					(uint64_t)i + (i % 2 == 0)));
	T_SOUND(self->heap);
}

/* Objects until the first slab is full; how many. */
static size_t fill_slab(size_t size, struct secm_span **span)
{
	size_t n;

	for (n = 0; n < MANY; n++) {
		object[n] = secmalloc(size);
		if (!object[n])
			break;
		*span = t_span(object[n]);
		if ((*span)->u.slab.used == (*span)->u.slab.slots)
			return n + 1;
	}
	return 0;
}

TEST_F(slab, each_slot_is_used_to_the_last_one)
{
	static const size_t sizes[] = { 8, 24, 100, 120, 1000, 5000, 16000 };
	struct secm_span *span;
	size_t i, j, n, slot;

	T_BEGIN(&no_caches);
	T_ROOM(1 << 20);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned char seen[MANY] = { 0 };

		n = fill_slab(sizes[i], &span);
		ASSERT_LT(0, n);
		slot = t_slot(object[0]);
		EXPECT_EQ(span->filled * secm_os.page / slot, n);
		for (j = 0; j < n; j++) {
			size_t at = (size_t)((char *)object[j] - span->data);

			ASSERT_EQ(span, t_span(object[j]));
			ASSERT_EQ(0, at % slot);
			ASSERT_LT(at / slot, n);
			ASSERT_EQ(0, seen[at / slot]++);
		}
		T_SOUND(self->heap);
		T_NEED(secmalloc(sizes[i])); /* one more works too */
	}
	T_SOUND(self->heap);
}

/* The first and the last slot have a guard as neighbour. */
TEST_F(slab, first_and_last_slot_come_and_go)
{
	char *first = NULL, *last = NULL, *p;
	struct secm_span *span;
	size_t j, n;

	T_BEGIN(&no_caches);
	n = fill_slab(24, &span);
	ASSERT_LT(0, n);
	for (j = 0; j < n; j++) {
		p = object[j];
		t_fill(p, 24, 3);
		if (p == span->data)
			first = p;
		if (p == span->data + (n - 1) * t_slot(p))
			last = p;
	}
	ASSERT_TRUE(first && last);
	secfree(first);
	EXPECT_EQ(first, secmalloc(24)); /* the only free one */
	secfree(last);
	EXPECT_EQ(last, secmalloc(24));
	secfree(last);
	secfree(first);
	p = secmalloc(24);
	EXPECT_TRUE(p == first || p == last);
	EXPECT_EQ(n - 1, span->u.slab.used);
	for (j = 0; j < n; j++)
		if (object[j] != first && object[j] != last)
			secfree(object[j]);
	secfree(p);
	EXPECT_EQ(0, span->u.slab.used);
	T_SOUND(self->heap);
}

enum { ROUND = 400 };

/* How often a freed slot is the next one to be handed out. */
static int count_again(void)
{
	int i, again = 0;

	for (i = 0; i < ROUND; i++) {
		char *p = object[i];

		secfree(p);
		object[i] = secmalloc(8);
		again += object[i] == p;
	}
	return again;
}

static void check_order(void)
{
	int i, next = 0, up = 0;

	for (i = 1; i < ROUND; i++) {
		char *p = object[i - 1];

		next += (char *)object[i] == p + t_slot(p);
		up += (char *)object[i] > p;
	}
	EXPECT_LT(next, ROUND / 10);
	EXPECT_GT(up, ROUND / 3);
	EXPECT_LT(up, ROUND * 2 / 3);
}

#define IN_NO_ORDER(config, most)                \
	do {                                     \
		int i_;                          \
                                                 \
		T_BEGIN(config);                 \
		for (i_ = 0; i_ < ROUND; i_++) { \
			object[i_] = secmalloc(8); \
			T_NEED(object[i_]);      \
		}                                \
		check_order();                   \
		EXPECT_LT(count_again(), most);  \
	} while (0)

/* One of nine at least: the freed one, and those that only wait. */
TEST_F(slab, slots_are_handed_out_in_no_order)
{
	IN_NO_ORDER(NULL, ROUND / 5);
}

TEST_F(slab, slots_are_handed_out_in_no_order_without_caches)
{
	IN_NO_ORDER(&no_caches, ROUND / 10);
}

TEST_F(slab, slots_are_handed_out_in_no_order_after_a_long_wait)
{
	static const struct secmalloc_config c = { .quarantine = 60 };

	IN_NO_ORDER(&c, ROUND / 20);
}

/* Few slots fit in a word of the bitmap: no order there either.  One round is
 * too short to tell; by chance it would fail now and then. */
TEST_F(slab, large_slots_are_handed_out_in_no_order)
{
	enum { FEW = 24, ROUNDS = 16 };
	int i, round, up = 0;

	T_BEGIN(NULL);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < FEW; i++) {
			object[i] = secmalloc(450);
			T_NEED(object[i]);
			if (i > 0)
				up += (char *)object[i] > (char *)object[i - 1];
		}
		for (i = 0; i < FEW; i++)
			secfree(object[i]);
	}
	EXPECT_LT(up, ROUNDS * FEW * 3 / 4);
	EXPECT_GT(up, ROUNDS * FEW / 4);
}

TEST_F(slab, an_address_serves_one_class_for_ever)
{
	enum { LIVE = 200, UNITS = 1 << 16 };
	static unsigned char class_of[UNITS];
	uintptr_t base = 0;
	size_t i, unit;

	T_BEGIN(NULL);
	for (i = 0; i < 20000; i++) {
		size_t slot = ksft_random() % LIVE;
		size_t size = ksft_random() % 9000 >> ksft_random() % 9;
		struct secm_span *span;

		secfree(object[slot]);
		object[slot] = secmalloc(size);
		if (!object[slot])
			continue; /* under a low limit */
		span = t_span(object[slot]);
		if (!base)
			base = (uintptr_t)object[slot] - ((uintptr_t)1 << 28);
		unit = ((uintptr_t)object[slot] - base) /
		       (SECM_UNIT_PAGES * secm_os.page);
		if (unit >= UNITS)
			continue; /* another region */
		if (!class_of[unit])
			class_of[unit] = (unsigned char)(span->bucket + 1);
		ASSERT_EQ(class_of[unit], span->bucket + 1);
		if (i % 2000 == 0)
			(void)secm_retain_trim(self->heap); /* shuffle pages */
	}
	T_SOUND(self->heap);
}

/* Pages come and go; slots and room have to follow. */
TEST_F(slab, one_that_lost_its_pages_starts_small_again)
{
	struct secmalloc_config c = { .retain = 4096 };
	size_t round, n, i, most;

	T_BEGIN(&c);
	for (round = 0; round < 12; round++) {
		most = round % 2 ? 1030 : MANY;
		for (n = 0; n < most; n++) {
			object[n] = secmalloc(8 + round % 3);
			if (!object[n])
				break;
			t_fill(object[n], 8, n);
		}
		for (i = 0; i < n; i++) {
			ASSERT_TRUE(t_is_filled(object[i], 8, i));
			secfree(object[i]);
		}
		(void)secm_retain_trim(self->heap); /* all of it */
		if (round < 4)
			T_SOUND(self->heap);
	}
}

TEST_F(slab, resizing_within_a_slot_wipes_and_keeps)
{
	size_t old, size, kept;
	char *p;

	T_BEGIN(NULL);
	for (old = 56; old < 120; old++)
		for (size = 56; size < 120; size++) {
			int same = secm_size_class(old + 8) ==
				   secm_size_class(size + 8), fits;

			p = secmalloc(old);
			ASSERT_NE(NULL, p);
			t_fill(p, old, 9);
			fits = size + 8 <= t_slot(p);
			ASSERT_EQ(!same, secm_slot_misfits(t_span(p), size));
			ASSERT_EQ(fits, secm_slot_resize(self->heap, t_span(p),
							 p, size));
			ASSERT_EQ(fits ? size : old, secmalloc_usable_size(p));
			kept = fits && size < old ? size : old;
			ASSERT_TRUE(t_is_filled(p, kept, 9));
			if (fits && size > old)
				ASSERT_TRUE(t_holds(p + old, size - old, 0));
			T_SOUND(self->heap); /* zeros, canaries, sums */
			secfree(p); /* its canary is right, or this dies */
		}
	p = secmalloc(100);
	ASSERT_NE(NULL, p);
	EXPECT_EQ(0, secm_slot_resize(self->heap, t_span(p), p, SIZE_MAX));
	EXPECT_EQ(0, secm_slot_resize(self->heap, t_span(p), p,
				      SECM_SLAB_LARGEST + 1));
	T_SOUND(self->heap);
}

TEST_F(slab, find_knows_live_slots_only)
{
	struct secm_span *span;
	size_t n, i, size;
	char *start;

	T_BEGIN(&no_caches);
	n = fill_slab(100, &span); /* slots of 112: pages do not divide */
	ASSERT_LT(0, n);
	for (i = 0; i < 112; i++) {
		char *p = object[0];

		ASSERT_EQ(1, secm_slot_find(span, p + i, &start, &size));
		ASSERT_EQ(p, start);
		ASSERT_EQ(100, size);
	}
	secfree(object[0]);
	EXPECT_EQ(0, secm_slot_find(span, object[0], &start, &size));
	EXPECT_EQ(0, secm_slot_find(span, span->data + n * 112, &start, &size));
	EXPECT_EQ(0, secm_slot_find(span, secm_span_end(span) - 1, &start,
				    &size));
	EXPECT_EQ(0, secm_slot_find(span, span->data + span->capacity *
						  secm_os.page,
				    &start, &size));
}

/* Each byte of the largest slab of each class, its guard included. */
TEST(slots_are_found_by_a_product_as_by_a_division)
{
	struct secm_span span = { .kind = SECM_SLAB };
	struct secm_slab *slab = &span.u.slab;
	unsigned class;
	size_t at;

	span.data = (char *)&span; /* its bytes are never looked at */
	for (class = 0; class < SECM_CLASSES; class ++) {
		size_t n = secm_class_slot(class);

		slab->slot = (uint32_t)n;
		slab->recip = ((UINT64_C(1) << SECM_RECIP_SHIFT) + n - 1) / n;
		for (at = 0; at < SECM_SLAB_MAX; at++) {
			uint64_t product = at * slab->recip;

			ASSERT_EQ(at / n, secm_slot_number(product));
			ASSERT_EQ(at % n == 0, secm_slot_is_start(product));
		}
		ASSERT_EQ(span.data + 3 * n, secm_slot_at(&span, 3));
		ASSERT_EQ(2, secm_slot_of(&span, span.data + 3 * n - 1));
	}
}
