/* SPDX-License-Identifier: MIT */
/*
 * wipe.c - zeroing that the compiler keeps, constant-time compare
 *
 * Callers: everybody who lets go of secret bytes.  No state, no lock, safe in
 * signal handlers.
 */
#include "wipe.h"

#include <stdint.h>
#include <string.h>

#include "arch/arch.h"
#include "compat.h"

/* The call goes through a pointer that the compiler must read, so it cannot
 * know that this is memset and that nobody reads the result. */
static void *(*const volatile wipe_memset)(void *, int, size_t) = memset;

int secm_equal(const void *a, const void *b, size_t size)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned diff = 0;
	size_t i;

	for (i = 0; i < size; i++)
		diff |= (unsigned)(x[i] ^ y[i]);
	return (int)((diff - 1) >> 31 & 1); /* diff fits in 8 bits */
}

SECM_STATIC_ASSERT(sizeof(unsigned) == 4);

static int words_are_zero(const char *c)
{
	uint64_t w[4];

	memcpy(w, c, sizeof(w));
	return !(w[0] | w[1] | w[2] | w[3]);
}

/* The last words once more, if need be, rather than byte by byte. */
static int small_is_zero(const char *c, size_t size)
{
	enum { STEP = 4 * sizeof(uint64_t) };
	size_t i;

	for (i = 0; i + STEP <= size; i += STEP)
		if (!words_are_zero(c + i))
			return 0;
	if (size >= STEP)
		return words_are_zero(c + size - STEP);
	for (; i < size; i++)
		if (c[i])
			return 0;
	return 1;
}

/* Where the processor has wider registers than every one of its kind; asked at
 * run time.  The last loads and stores may overlap those before. */
#ifdef SECM_WIDE
enum { WIDE_STEP = 4 * sizeof(secm_wide) };

static SECM_WIDE secm_wide wide_step(const char *c)
{
	const secm_wide *w = (const secm_wide *)(const void *)c;

	return (w[0] | w[1]) | (w[2] | w[3]);
}

/* All bits that are set somewhere. */
static SECM_WIDE secm_wide wide_any(const char *c, size_t size)
{
	const char *last = c + size - WIDE_STEP;
	secm_wide any = wide_step(last);

	for (; c < last; c += WIDE_STEP)
		any |= wide_step(c);
	return any;
}

/* pre: size >= end >= WIDE_STEP, of both ends */
static SECM_WIDE int wide_is_zero(const char *c, size_t size, size_t end)
{
	secm_wide any = wide_any(c, end);

	if (size > end)
		any |= wide_any(c + size - end, end);
	return !(any[0] | any[1] | any[2] | any[3]);
}

/* Stores that are aligned, but for the first and last, take less time than
 * those of memset() for what is in the processor's cache.
 * pre: size >= WIDE_STEP */
static SECM_WIDE void wide_wipe(char *c, size_t size)
{
	static const secm_wide zero = { 0, 0, 0, 0 };
	char *end = c + size, *last = end - WIDE_STEP;
	volatile secm_wide *w = (volatile secm_wide *)(void *)c;

	w[0] = zero;
	c += sizeof(*w) - (uintptr_t)c % sizeof(*w);
	for (; c < last; c += WIDE_STEP) {
		w = (volatile secm_wide *)(void *)c;
		w[0] = zero;
		w[1] = zero;
		w[2] = zero;
		w[3] = zero;
	}
	w = (volatile secm_wide *)(void *)last;
	w[0] = zero;
	w[1] = zero;
	w[2] = zero;
	w[3] = zero;
}
#else
static int wide_is_zero(const char *c, size_t size, size_t end)
{
	return small_is_zero(c, end) && small_is_zero(c + size - end, end);
}

static void wide_wipe(char *c, size_t size)
{
	wipe_memset(c, 0, size);
}
#endif

enum { WIDE_FROM = 256, WIDE_UP_TO = 32768 }; /* bytes */

void secm_wipe(void *p, size_t size)
{
	if (size >= WIDE_FROM && size <= WIDE_UP_TO && secm_arch_has_wide())
		wide_wipe(p, size);
	else if (size > 0)
		wipe_memset(p, 0, size);
}

/* Looks at freed memory, which holds no secret: may stop early. */
int secm_is_zero(const void *p, size_t size)
{
	if (size >= WIDE_FROM && secm_arch_has_wide())
		return wide_is_zero(p, size, size);
	return small_is_zero(p, size);
}

int secm_ends_are_zero(const void *p, size_t size, size_t end)
{
	if (size <= 2 * end)
		return secm_is_zero(p, size);
	if (end >= WIDE_FROM && secm_arch_has_wide())
		return wide_is_zero(p, size, end);
	return small_is_zero(p, end) &&
	       small_is_zero((const char *)p + size - end, end);
}

static size_t piece_size(size_t size)
{
	if (size <= SECM_TINY_SLOT)
		return 16;
	return size <= SECM_MEDIUM_SLOT ? 48 : 96;
}

void secm_pieces(size_t size, uint16_t at[2])
{
	size_t piece = piece_size(size), last = size - piece, i;

	for (i = 0; i < 2; i++) {
		size_t begin = (i + 1) * piece;

		at[i] = (uint16_t)(begin < last ? begin : last);
	}
}
