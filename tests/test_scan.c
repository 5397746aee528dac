/* SPDX-License-Identifier: MIT */
/*
 * test_scan.c - the scan that other tests trust finds what is there
 *
 * Wherever a program may leave a secret: each of these is a place, and none of
 * them is one after it was wiped.
 */
#include "t_io.h"
#include "t_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { SIZE = 200, ROOM = 400000 };

static unsigned char variable[ROOM];

/* What is put there is found, once for each piece, and gone when wiped. */
static void check(void *to, size_t size, unsigned seed)
{
	int places = ti_places(ti_byte, size, seed);

	if (places < 0)
		SKIP(return, TI_BLIND);
	EXPECT_EQ(0, places);
	ti_fill(to, size, seed);
	EXPECT_LT(0, ti_places(ti_byte, size, seed));
	secmalloc_wipe(to, size);
	EXPECT_EQ(0, ti_places(ti_byte, size, seed));
}

TEST(variables)
{
	check(variable, SIZE, 1);
}

TEST(ordinary_heap)
{
	unsigned char *p = malloc(SIZE);

	ASSERT_NOT_NULL(p);
	check(p, SIZE, 2);
	free(p);
}

TEST(own_stack)
{
	unsigned char p[SIZE];

	check(p, SIZE, 3);
}

TEST(mapping_of_its_own)
{
	unsigned char *p = mmap(NULL, ROOM, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANON, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	check(p + ROOM - SIZE, SIZE, 4);
}

static void leave(void *arg)
{
	unsigned char p[SIZE];

	(void)arg;
	ti_fill(p, SIZE, 5);
	ta_hide(p);
}

TEST(stack_of_a_function_that_has_returned)
{
	leave(NULL);
	TI_IS_SOMEWHERE(ti_byte, SIZE, 5);
}

TEST(freed_memory)
{
	unsigned char *p = malloc(SIZE);

	ASSERT_NOT_NULL(p);
	ti_fill(p, SIZE, 6);
	ta_hide(p);
	free(p);
	/* Its start has become the heap's. */
	TI_IS_SOMEWHERE(ti_byte, SIZE, 6);
}

TEST(every_offset_and_a_piece_alone)
{
	size_t i;

	if (ti_places(ti_byte, SIZE, 7) < 0)
		SKIP(return, TI_BLIND);
	/* At the seams of the chunks, too. */
	for (i = 65536 - 20; i < 65536 + 20; i++) {
		ti_fill(variable + i, TI_PIECE, 7);
		ASSERT_EQ(1, ti_places(ti_byte, SIZE, 7));
		secmalloc_wipe(variable + i, TI_PIECE);
	}
	ti_fill(variable, TI_PIECE - 1, 7);
	EXPECT_EQ(0, ti_places(ti_byte, SIZE, 7));
}

TEST(last_piece)
{
	size_t i;

	if (ti_places(ti_byte, SIZE, 7) < 0)
		SKIP(return, TI_BLIND);
	for (i = 0; i < TI_PIECE; i++)
		variable[i] = ti_byte(SIZE - TI_PIECE + i, 8);
	EXPECT_EQ(1, ti_places(ti_byte, SIZE, 8));
	EXPECT_EQ(0, ti_places(ti_byte, SIZE - 1, 8));
}

TEST(long_secret)
{
	check(variable, ROOM, 9);
}

/* A page of it is enough, wherever it is from. */
TEST(part_of_a_long_secret)
{
	size_t i;

	for (i = 0; i < 4096; i++)
		variable[i] = ti_byte(ROOM / 2 + i, 10);
	TI_IS_SOMEWHERE(ti_byte, ROOM, 10);
}

TA_TIERS(secret);

TEST_F(secret, objects_do_not_count_and_leave_nothing)
{
	unsigned char *p = secmalloc(SIZE), *q = secmalloc_guarded(SIZE);

	ti_fill(p, SIZE, 11);
	ti_fill(q, SIZE, 11);
	TI_IS_NOWHERE(ti_byte, SIZE, 11);
	secfree(p);
	secfree(q);
	TI_IS_NOWHERE(ti_byte, SIZE, 11);
	ti_fill(variable, SIZE, 11);
	TI_IS_SOMEWHERE(ti_byte, SIZE, 11);
}
