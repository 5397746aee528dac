/* SPDX-License-Identifier: MIT */
/*
 * test_wholes.c - wholes.c: divided objects by address
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdint.h>

#include "heap.h"
#include "ksft.h"
#include "meta.h"
#include "t_util.h"
#include "wholes.h"

enum { MANY = 100000, LISTS = 1 << 16 }; /* not the same; more than a chunk */

/* Not touched. */
static char *base(size_t i)
{
	return (char *)(uintptr_t)(0x10000000 + i * 16 * (i % 3 ? 1 : 64) +
				   i % 3 * ((size_t)1 << 29));
}

static struct secm_wholes table;

static void add(size_t from, size_t to)
{
	struct secm_whole *whole;

	for (; from < to; from++) {
		whole = secm_wholes_add(&table, base(from));
		ASSERT_NOT_NULL(whole) { TH_LOG("number %zu", from); }
		EXPECT_TRUE(whole->base == base(from) && !whole->parts &&
			    whole->size == 0 && whole->live == 0);
		whole->size = from;
	}
}

static size_t found(size_t from, size_t to)
{
	const struct secm_whole *whole;
	size_t n = 0;

	for (; from < to; from++) {
		whole = secm_wholes_find(&table, base(from));
		n += whole && whole->size == from;
	}
	return n;
}

static size_t seen(size_t *longest)
{
	const struct secm_whole *whole;
	size_t i, len, n = 0;

	*longest = 0;
	for (i = 0; (whole = secm_wholes_from(&table, &i)); i++) {
		for (len = 0; whole; whole = whole->next)
			len++;
		n += len;
		*longest = len > *longest ? len : *longest;
	}
	return n;
}

TEST(an_empty_table_has_none)
{
	size_t i = 0;

	EXPECT_NULL(secm_wholes_find(&table, base(1)));
	EXPECT_NULL(secm_wholes_from(&table, &i));
}

TEST(all_that_were_added_are_found_and_no_other)
{
	size_t longest;

	secm_heap_probe();
	add(0, MANY);
	EXPECT_EQ(MANY, found(0, MANY));
	EXPECT_EQ(0, found(MANY, MANY + 1000));
	EXPECT_EQ(MANY, seen(&longest));
	EXPECT_EQ(MANY, table.count);
	EXPECT_NULL(secm_wholes_find(&table, base(7) + 16));
}

TEST(lists_stay_short)
{
	size_t longest;

	secm_heap_probe();
	add(0, MANY);
	EXPECT_LE(MANY, table.len);
	EXPECT_EQ(MANY, seen(&longest));
	EXPECT_LE(longest, 12);
}

TEST(removed_ones_are_gone_and_their_memory_is_used_again)
{
	size_t i, bytes, again, sealed, longest;

	secm_heap_probe();
	add(0, MANY);
	secm_meta_sizes(&bytes, &sealed);
	for (i = 0; i < MANY; i += 2)
		secm_wholes_remove(&table, secm_wholes_find(&table, base(i)));
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(i % 2, found(i, i + 1));
	EXPECT_EQ(MANY / 2, seen(&longest));
	add(MANY, MANY + MANY / 2);
	EXPECT_EQ(MANY / 2, found(MANY, MANY + MANY / 2));
	secm_meta_sizes(&again, &sealed);
	EXPECT_EQ(bytes, again);
}

TEST(without_memory_for_more_lists_those_there_are_get_longer)
{
	struct secm_wholes other = { 0 };
	size_t i;

	KSFT_SANITIZER_SKIP("needs its address space");
	secm_heap_probe();
	add(0, LISTS);
	ASSERT_EQ(LISTS, table.len);
	for (i = 0; i < 100; i++)
		ASSERT_NOT_NULL(secm_wholes_add(&other, base(i)));
	for (i = 0; i < 100; i++)
		secm_wholes_remove(&other, secm_wholes_find(&other, base(i)));
	table.spare = other.spare;
	if (t_space_at_most(0) != 0)
		SKIP(return, "this system does not limit address space");
	add(LISTS, LISTS + 100);
	EXPECT_EQ(LISTS, table.len);
	EXPECT_EQ(LISTS + 100, found(0, LISTS + 100));
}
