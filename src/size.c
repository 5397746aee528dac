/* SPDX-License-Identifier: MIT */
/*
 * size.c - checked arithmetic and size classes
 *
 * Pure functions.
 *
 *	slots  16   32 48 64 .. 144   176 208 240 272   336 400 464 528   656
 *	class   0    1  2  3 ..   8     9  10  11  12    13  14  15  16    17
 *
 * From 16 + 128 on each doubling has four steps, up to 16 + 16384: at most a
 * fifth of a slot is unused.  The 16 bytes more are there for the canary:
 * objects of 128, 256, 512 ... bytes, which programs like, waste but 8.
 * Page buckets follow the same pattern, counted in pages and without the odd
 * one: 1 to 8 one by one, then four a doubling.
 */
#include "size.h"

#include <errno.h>

enum { LINEAR = 8, STEPS = 4 };

/* 128 << 7 = 16384 */
SECM_STATIC_ASSERT(SECM_CLASSES == 1 + LINEAR + STEPS * 7);
SECM_STATIC_ASSERT((128 << 7) + SECM_ALIGN == SECM_SLOT_MAX);
SECM_STATIC_ASSERT((SECM_ALIGN & (SECM_ALIGN - 1)) == 0);

int secm_size_add(size_t a, size_t b, size_t *out)
{
	if (a > SIZE_MAX - b)
		return -ENOMEM;
	*out = a + b;
	return 0;
}

int secm_size_round(size_t n, size_t align, size_t *out)
{
	size_t sum;

	if (secm_size_add(n, align - 1, &sum) != 0)
		return -ENOMEM;
	*out = sum & ~(align - 1);
	return 0;
}

/* Which step of the pattern 1..8, 10 12 14 16, 20 24 28 32 ... holds n. */
static unsigned step_of(size_t n)
{
	unsigned shift;

	if (n <= LINEAR)
		return (unsigned)n - 1;
	shift = secm_log2(n - 1) - 2; /* n is in (4 << shift, 8 << shift] */
	return LINEAR + (shift - 1) * STEPS +
	       (unsigned)(((n - 1) >> shift) - STEPS);
}

static size_t step_size(unsigned step)
{
	unsigned shift;

	if (step < LINEAR)
		return step + 1;
	shift = (step - LINEAR) / STEPS + 1;
	return (size_t)(STEPS + 1 + (step - LINEAR) % STEPS) << shift;
}

unsigned secm_size_class(size_t bytes)
{
	size_t units = (bytes + SECM_ALIGN - 1) / SECM_ALIGN;

	return units > 1 ? 1 + step_of(units - 1) : 0;
}

size_t secm_class_slot(unsigned class)
{
	size_t units = class > 0 ? 1 + step_size(class - 1) : 1;

	return units * SECM_ALIGN;
}

unsigned secm_page_bucket(size_t pages)
{
	return step_of(pages);
}

size_t secm_bucket_pages(unsigned bucket)
{
	return step_size(bucket);
}
