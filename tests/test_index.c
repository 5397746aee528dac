/* SPDX-License-Identifier: MIT */
/*
 * test_index.c - index.c: whose address is this?  And meta.c beneath it
 *
 * These tests use the index alone, without a heap; the hint of the backend
 * about how much to reserve is set to what the test needs.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdlib.h>
#include <string.h>

#include "index.h"
#include "ksft.h"
#include "meta.h"
#include "span.h"
#include "t_util.h"

enum { LARGE = 1 << 26 };

static size_t unit(void)
{
	return SECM_UNIT_PAGES * secm_os.page;
}

static void begin(size_t hint)
{
	secm_os_init(&secm_os);
	secm_os.reserve_hint = hint;
}

static struct secm_span *some_span(unsigned i)
{
	static struct secm_span spans[8192];

	return &spans[i];
}

TEST(nothing_is_ours_before_the_first_reservation)
{
	int local;

	EXPECT_NULL(secm_index_find(NULL));
	EXPECT_NULL(secm_index_find(&local));
	begin(LARGE);
	EXPECT_NULL(secm_index_find(NULL));
	EXPECT_NULL(secm_index_find((void *)UINTPTR_MAX));
	EXPECT_EQ(0, secm_index_covers(&local, 1));
	EXPECT_EQ(0, secm_index_covers((void *)UINTPTR_MAX, 1));
}

TEST(wild_pointers_are_not_ours)
{
	static int global;
	int local;
	void *heap = malloc(1);
	uintptr_t bit;
	char *at;
	int i;

	begin(LARGE);
	at = secm_index_reserve(1);
	ASSERT_NE(NULL, at);
	secm_index_set(at, unit(), some_span(0));
	EXPECT_NULL(secm_index_find(NULL));
	EXPECT_NULL(secm_index_find((void *)1));
	EXPECT_NULL(secm_index_find((void *)UINTPTR_MAX));
	EXPECT_NULL(secm_index_find((void *)(UINTPTR_MAX / 2)));
	EXPECT_NULL(secm_index_find(&local));
	EXPECT_NULL(secm_index_find(&global));
	EXPECT_NULL(secm_index_find(heap));
	EXPECT_NULL(secm_index_find((void *)(uintptr_t)begin));
	for (bit = (uintptr_t)1 << (sizeof(bit) * 8 - 1); bit >= LARGE * 2;
	     bit >>= 1)
		EXPECT_NULL(secm_index_find((void *)((uintptr_t)at ^ bit)));
	for (i = 0; i < 100000; i++) {
		void *p = (void *)(uintptr_t)ksft_random();

		if (!secm_index_covers(p, 1))
			EXPECT_NULL(secm_index_find(p));
	}
	free(heap);
}

TEST(each_byte_of_a_unit_and_no_other_is_its_spans)
{
	size_t n, i;
	char *at, *after;

	begin(LARGE);
	n = 3 * unit();
	at = secm_index_reserve(3);
	after = secm_index_reserve(1);
	ASSERT_NE(NULL, at);
	ASSERT_NE(NULL, after);
	EXPECT_NULL(secm_index_find(at)); /* not said yet whose */
	secm_index_set(at, n, some_span(1));
	for (i = 0; i < n; i += 509)
		ASSERT_EQ(some_span(1), secm_index_find(at + i));
	EXPECT_EQ(some_span(1), secm_index_find(at + n - 1));
	EXPECT_NULL(secm_index_find(at - 1));
	EXPECT_NULL(secm_index_find(at + n));
	EXPECT_EQ(1, secm_index_covers(at, n + unit()));
	EXPECT_EQ(0, secm_index_covers(at, LARGE));
	EXPECT_EQ(0, secm_index_covers(at, SIZE_MAX));
	secm_index_set(after, 1, some_span(2));
	EXPECT_EQ(some_span(1), secm_index_find(at + n - 1));
	EXPECT_EQ(some_span(2), secm_index_find(at + n));
	EXPECT_EQ(some_span(2), secm_index_find(after + unit() - 1));
	EXPECT_NULL(secm_index_find(after + unit()));
}

TEST(more_units_become_a_spans_as_it_grows)
{
	size_t n, i;
	char *at;

	begin(LARGE);
	at = secm_index_reserve(10);
	ASSERT_NE(NULL, at);
	for (n = secm_os.page; n <= 10 * unit(); n += secm_os.page) {
		size_t known = (n + unit() - 1) / unit() * unit();

		secm_index_set(at, n, some_span(1));
		for (i = 0; i < 10 * unit(); i += secm_os.page)
			ASSERT_EQ(i < known ? some_span(1) : NULL,
				  secm_index_find(at + i));
	}
}

TEST(reserved_space_is_inaccessible_with_a_guard_below)
{
	char *at;

	begin(LARGE);
	at = secm_index_reserve(2);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(0, (uintptr_t)at % secm_os.page);
	EXPECT_EQ(SECM_NONE, t_access(at));
	EXPECT_EQ(SECM_NONE, t_access(at + 2 * unit() - 1));
	EXPECT_EQ(SECM_NONE, t_access(at - 1)); /* I1 */
	EXPECT_EQ(1, secm_index_covers(at - secm_os.page, secm_os.page));
}

/* Takes all there is, of that many units; how often that worked. */
static unsigned use_up(size_t units, unsigned most, char **at)
{
	unsigned n;

	for (n = 0; n < most; n++) {
		at[n] = secm_index_reserve(units);
		if (!at[n])
			break;
		secm_index_set(at[n], units * unit(), some_span(n));
	}
	return n;
}

static void check_all(char **at, unsigned n, size_t units)
{
	size_t len = units * unit();
	unsigned i;

	for (i = 0; i < n; i++) {
		ASSERT_EQ(some_span(i), secm_index_find(at[i]));
		ASSERT_EQ(some_span(i), secm_index_find(at[i] + len - 1));
		ASSERT_EQ(1, secm_index_covers(at[i], len));
	}
}

TEST(small_regions_are_chained_until_all_are_used)
{
	static char *at[8192];
	unsigned n;

	begin(1);
	n = use_up(1, 8192, at);
	EXPECT_GE(n, 64 * 63);
	EXPECT_LT(n, 8192);
	check_all(at, n, 1);
	EXPECT_NULL(secm_index_reserve(1));
	EXPECT_EQ(SECM_NONE, t_access(at[0] - 1));
	EXPECT_EQ(SECM_NONE, t_access(at[n - 1] - 1));
}

TEST(a_request_larger_than_the_hint_gets_a_region)
{
	char *small, *large, *next;

	begin(1 << 18);
	small = secm_index_reserve(1);
	large = secm_index_reserve(1000);
	next = secm_index_reserve(1);
	ASSERT_NE(NULL, small);
	ASSERT_NE(NULL, large);
	ASSERT_NE(NULL, next);
	EXPECT_EQ(small + unit(), next); /* the old one goes on */
	EXPECT_EQ(1, secm_index_covers(large, 1000 * unit()));
}

TEST(impossible_requests_are_refused_and_cost_nothing)
{
	char *at;

	begin(LARGE);
	EXPECT_NULL(secm_index_reserve(SIZE_MAX));
	EXPECT_NULL(secm_index_reserve(SIZE_MAX / 2));
	EXPECT_NULL(secm_index_reserve(SIZE_MAX / unit()));
	EXPECT_NULL(secm_index_reserve(SIZE_MAX / unit() - 1));
	if (sizeof(void *) > 4) /* else half of what there is */
		EXPECT_NULL(secm_index_reserve(SIZE_MAX / unit() / 2));
	at = secm_index_reserve(1);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(1, secm_index_covers(at, unit()));
}

TEST(little_address_space_is_used_in_small_regions)
{
	static char *at[8192];
	unsigned n;

	KSFT_SANITIZER_SKIP("the sanitizer needs address space itself");
	secm_os_init(&secm_os);
	if (t_space_at_most(LARGE) != 0)
		SKIP(return, "address space cannot be limited here");
	n = use_up(16, 8192, at);
	/* Half of it at least, and it does come to an end. */
	EXPECT_GT(n, LARGE / 2 / (16 * unit()));
	EXPECT_LE(n, LARGE / (16 * unit()));
	check_all(at, n, 16);
}

TEST(without_address_space_all_is_refused)
{
	KSFT_SANITIZER_SKIP("the sanitizer needs address space itself");
	secm_os_init(&secm_os);
	if (t_space_at_most(0) != 0)
		SKIP(return, "address space cannot be limited here");
	EXPECT_NULL(secm_index_reserve(1));
	EXPECT_NULL(secm_meta_alloc(16));
	EXPECT_NULL(secm_meta_pages(secm_os.page));
	EXPECT_NULL(secmalloc(1));
}

TEST(metadata_is_zeroed_aligned_and_not_shared)
{
	enum { PIECES = 3000 };
	static unsigned char *p[PIECES];
	static size_t size[PIECES];
	size_t i;

	begin(LARGE);
	for (i = 0; i < PIECES; i++) {
		size[i] = i % 1000 == 0 ? 300000 : ksft_random() % 700 + 1;
		p[i] = secm_meta_alloc(size[i]);
		ASSERT_NE(NULL, p[i]);
		ASSERT_EQ(0, (uintptr_t)p[i] % 16);
		ASSERT_TRUE(t_holds(p[i], size[i], 0));
		t_fill(p[i], size[i], i);
	}
	for (i = 0; i < PIECES; i++)
		ASSERT_TRUE(t_is_filled(p[i], size[i], i));
	EXPECT_NULL(secm_meta_alloc(SIZE_MAX));
	EXPECT_NULL(secm_meta_alloc(SIZE_MAX - 4096));
	if (sizeof(void *) > 4)
		EXPECT_NULL(secm_meta_alloc(SIZE_MAX / 2));
	EXPECT_NOT_NULL(secm_meta_alloc(1));
}

TEST(metadata_has_guards_on_both_sides)
{
	char *chunk, *page, *more;

	begin(LARGE);
	chunk = secm_meta_alloc(1);
	page = secm_meta_pages(secm_os.page);
	ASSERT_NE(NULL, chunk);
	ASSERT_NE(NULL, page);
	EXPECT_EQ(SECM_READWRITE, t_access(chunk));
	EXPECT_EQ(SECM_NONE, t_access(chunk - 1));
	EXPECT_EQ(SECM_READWRITE, t_access(page));
	EXPECT_EQ(SECM_READWRITE, t_access(page + secm_os.page - 1));
	EXPECT_EQ(SECM_NONE, t_access(page - 1));
	EXPECT_EQ(SECM_NONE, t_access(page + secm_os.page));
	EXPECT_EQ(0, secm_index_covers(chunk, 1)); /* never in a region */
	EXPECT_EQ(0, secm_index_covers(page, 1));
	more = secm_meta_pages(2 * secm_os.page + 1);
	ASSERT_NE(NULL, more);
	EXPECT_TRUE(t_holds(more, 3 * secm_os.page, 0));
	EXPECT_EQ(SECM_READWRITE, t_access(more + 3 * secm_os.page - 1));
	EXPECT_EQ(SECM_NONE, t_access(more - 1));
	EXPECT_EQ(SECM_NONE, t_access(more + 3 * secm_os.page));
	EXPECT_NULL(secm_meta_pages(SIZE_MAX));
	EXPECT_NULL(secm_meta_pages(SIZE_MAX - 2 * secm_os.page));
}
