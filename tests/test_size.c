/* SPDX-License-Identifier: MIT */
/*
 * test_size.c - size.c: arithmetic that cannot wrap, and the size classes
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>

#include "bits.h"
#include "ksft.h"
#include "size.h"
#include "wipe.h"

static const size_t edges[] = {
	0, 1, 2, 15, 16, 17, 4095, 4096, 4097, SIZE_MAX / 2 - 1, SIZE_MAX / 2,
	SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 2, SIZE_MAX - 4096, SIZE_MAX - 4095,
	SIZE_MAX - 16, SIZE_MAX - 15, SIZE_MAX - 14, SIZE_MAX - 1, SIZE_MAX
};

enum { EDGES = sizeof(edges) / sizeof(edges[0]), UNTOUCHED = 4711 };

TEST(sums_are_right_or_refused)
{
	size_t i, j, out;

	for (i = 0; i < EDGES; i++)
		for (j = 0; j < EDGES; j++) {
			size_t sum = edges[i] + edges[j];
			int wraps = sum < edges[i];

			out = UNTOUCHED;
			EXPECT_EQ(wraps ? -ENOMEM : 0,
				  secm_size_add(edges[i], edges[j], &out));
			EXPECT_EQ(wraps ? UNTOUCHED : sum, out);
		}
}

TEST(products_are_right_or_refused)
{
	size_t i, j, out;

	for (i = 0; i < EDGES; i++)
		for (j = 0; j < EDGES; j++) {
			size_t a = edges[i], b = edges[j], product = a * b;
			int wraps = a && product / a != b;

			out = UNTOUCHED;
			EXPECT_EQ(wraps ? -ENOMEM : 0,
				  secm_size_mul(a, b, &out));
			EXPECT_EQ(wraps ? UNTOUCHED : product, out);
		}
}

TEST(rounding_is_right_or_refused)
{
	size_t i, align, out;

	for (align = 1; align <= 1 << 16; align <<= 1)
		for (i = 0; i < EDGES; i++) {
			size_t n = edges[i];
			int wraps = n > SIZE_MAX - (align - 1);

			out = UNTOUCHED;
			ASSERT_EQ(wraps ? -ENOMEM : 0,
				  secm_size_round(n, align, &out));
			if (wraps) {
				EXPECT_EQ(UNTOUCHED, out);
				continue;
			}
			EXPECT_EQ(0, out % align);
			EXPECT_GE(out, n);
			EXPECT_LT(out - n, align);
			EXPECT_EQ(out, secm_round(n, align));
		}
}

TEST(each_size_has_the_smallest_class_that_holds_it)
{
	size_t n;

	for (n = 1; n <= SECM_SLOT_MAX; n++) {
		unsigned class = secm_size_class(n);

		ASSERT_LT(class, SECM_CLASSES);
		ASSERT_LE(n, secm_class_slot(class));
		if (class > 0)
			ASSERT_GT(n, secm_class_slot(class - 1));
	}
}

TEST(classes_ascend_aligned_and_waste_at_most_a_fifth)
{
	unsigned class;

	EXPECT_EQ(16, secm_class_slot(0));
	EXPECT_EQ(SECM_SLOT_MAX, secm_class_slot(SECM_CLASSES - 1));
	for (class = 0; class < SECM_CLASSES; class++) {
		size_t slot = secm_class_slot(class);

		EXPECT_EQ(0, slot % SECM_ALIGN);
		EXPECT_EQ(class, secm_size_class(slot));
		if (class == 0)
			continue;
		EXPECT_GT(slot, secm_class_slot(class - 1));
		if (slot > 16 + 128)
			EXPECT_LE((slot - secm_class_slot(class - 1)) * 5,
				  slot);
		else
			EXPECT_EQ(SECM_ALIGN,
				  slot - secm_class_slot(class - 1));
	}
}

/* What programs ask for most: the canary does not double the slot. */
TEST(powers_of_two_waste_no_more_than_the_canary_and_eight_bytes)
{
	size_t size;

	for (size = 128; size <= 16384; size *= 2)
		EXPECT_EQ(size + 16,
			  secm_class_slot(secm_object_class(size)));
	EXPECT_EQ(16384 + 8, SECM_SLAB_LARGEST);
}

TEST(objects_get_the_class_that_holds_them_and_their_canary)
{
	size_t size;

	for (size = 0; size <= SECM_SLAB_LARGEST; size++) {
		unsigned class = secm_object_class(size);

		ASSERT_LT(class, SECM_CLASSES);
		ASSERT_LE(size + SECM_CANARY_MIN, secm_class_slot(class));
		if (class > 0)
			ASSERT_GT(size + SECM_CANARY_MIN,
				  secm_class_slot(class - 1));
		/* No class is quick for some of its objects only. */
		ASSERT_EQ(size <= SECM_SMALL_SLOT - SECM_CANARY_MIN,
			  secm_class_slot(class) <= SECM_SMALL_SLOT);
	}
}

TEST(each_number_of_pages_has_the_smallest_bucket_that_holds_it)
{
	uint64_t n, step;

	for (n = 1; n <= UINT64_C(1) << 40; n += step) {
		unsigned bucket = secm_page_bucket((size_t)n);

		ASSERT_LT(bucket, SECM_PAGE_BUCKETS);
		ASSERT_LE(n, secm_bucket_pages(bucket));
		if (bucket > 0)
			ASSERT_GT(n, secm_bucket_pages(bucket - 1));
		if (n > 8)
			ASSERT_LT((secm_bucket_pages(bucket) - n) * 4, n);
		step = n < 4096 ? 1 : n / 4096 + ksft_random() % (n / 1024);
		if (sizeof(size_t) < 8 && n + step > SIZE_MAX / 4096)
			break;
	}
}

TEST(buckets_of_powers_of_two_and_their_neighbours)
{
	unsigned shift, top = sizeof(size_t) < 8 ? 20 : 50;

	for (shift = 3; shift < top; shift++) {
		size_t n = (size_t)1 << shift;
		unsigned at = secm_page_bucket(n);

		EXPECT_EQ(n, secm_bucket_pages(at));
		EXPECT_EQ(at + 1, secm_page_bucket(n + 1));
		EXPECT_LE(secm_page_bucket(n - 1), at);
	}
	/* What the largest size that may be asked for comes to. */
	EXPECT_LT(secm_page_bucket((size_t)PTRDIFF_MAX / 4096 + 1),
		  SECM_PAGE_BUCKETS);
}

TEST(bit_runs_end_where_the_value_changes)
{
	uint64_t map[4] = { 0, 0, 0, 0 };
	size_t i, n;

	secm_bits_set(map, 60, 70);
	for (i = 0; i < 256; i++)
		EXPECT_EQ(i >= 60 && i < 130, secm_bit(map, i));
	EXPECT_EQ(60, secm_bits_run(map, 0, 256));
	EXPECT_EQ(70, secm_bits_run(map, 60, 256));
	EXPECT_EQ(126, secm_bits_run(map, 130, 256));
	EXPECT_EQ(4, secm_bits_run(map, 126, 300));
	for (n = 1; n < 60; n++)
		EXPECT_EQ(n, secm_bits_run(map, 0, n));
	secm_bits_clear(map, 64, 64);
	EXPECT_EQ(4, secm_bits_run(map, 60, 256));
	EXPECT_EQ(64, secm_bits_run(map, 64, 256));
	EXPECT_EQ(3, secm_bits_words(129));
	EXPECT_EQ(0, secm_bits_words(0));
}

TEST(logarithm_and_trailing_zeros_of_every_bit)
{
	unsigned i;

	for (i = 0; i < 64; i++) {
		uint64_t bit = UINT64_C(1) << i;

		EXPECT_EQ(i, secm_ctz64(bit));
		EXPECT_EQ(i, secm_ctz64(~(bit - 1)));
		EXPECT_EQ(i, secm_log2(bit));
		EXPECT_EQ(i, secm_log2(bit | (bit - 1)));
	}
}
