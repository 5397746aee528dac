/* SPDX-License-Identifier: MIT */
/*
 * bits.h - bitmaps in arrays of 64-bit words
 *
 * Used by pool.c (pages) and slab.c (slots).  Pure functions.
 */
#ifndef SECM_BITS_H
#define SECM_BITS_H

#include <stddef.h>

#include "compat.h"

enum { SECM_WORD_BITS = 64 };

static inline size_t secm_bits_words(size_t bits)
{
	return (bits + SECM_WORD_BITS - 1) / SECM_WORD_BITS;
}

static inline int secm_bit(const uint64_t *map, size_t i)
{
	return (int)(map[i / SECM_WORD_BITS] >> i % SECM_WORD_BITS & 1);
}

static inline void secm_bit_set(uint64_t *map, size_t i)
{
	map[i / SECM_WORD_BITS] |= UINT64_C(1) << i % SECM_WORD_BITS;
}

static inline void secm_bit_clear(uint64_t *map, size_t i)
{
	map[i / SECM_WORD_BITS] &= ~(UINT64_C(1) << i % SECM_WORD_BITS);
}

static inline void secm_bits_set(uint64_t *map, size_t first, size_t n)
{
	for (; n > 0; n--)
		secm_bit_set(map, first++);
}

static inline void secm_bits_clear(uint64_t *map, size_t first, size_t n)
{
	for (; n > 0; n--)
		secm_bit_clear(map, first++);
}

static inline unsigned secm_bits_count(uint64_t word)
{
	unsigned n = 0;

	for (; word; word &= word - 1)
		n++;
	return n;
}

/* How many bits from i on, below end, have the value of bit i. */
static inline size_t secm_bits_run(const uint64_t *map, size_t i, size_t end)
{
	size_t first = i;
	int value = secm_bit(map, i);

	while (i < end && secm_bit(map, i) == value)
		i++;
	return i - first;
}

#endif /* SECM_BITS_H */
