/* SPDX-License-Identifier: MIT */
/*
 * wipe.h - zeroing that stays, and comparing that tells nothing
 */
#ifndef SECM_WIPE_H
#define SECM_WIPE_H

#include <stddef.h>

#include "compat.h"

void secm_wipe(void *p, size_t size);
int secm_equal(const void *a, const void *b, size_t size);
int secm_is_zero(const void *p, size_t size);

/* The same for the first and the last `end` bytes, which may be all. */
int secm_ends_are_zero(const void *p, size_t size, size_t end);

/*
 * The same in line for small slots, which are aligned to 16 and a multiple of
 * 16 bytes long: by vectors, where the compiler has them.
 *
 *	tiny      | 16 | 16 | 16 | 16 |      up to 64 bytes
 *	small     |   48   |   48   |   48   |        65 to 144
 *	medium    |   96   |   96   |   96   |       145 to 272
 *	          0        at       ^ size - piece
 *
 * There are always that many pieces; in smaller slots they overlap, as a branch
 * on the size would be hard to predict.
 */
enum secm_shape {
	SECM_SHAPE_TINY,
	SECM_SHAPE_SMALL,
	SECM_SHAPE_MEDIUM,
	SECM_SHAPE_ANY /* by functions that are not in line */
};

enum { SECM_TINY_SLOT = 64, SECM_MEDIUM_SLOT = 144, SECM_SMALL_SLOT = 272 };

/* Slots up to this are checked to be zero as a whole; of larger ones so many
 * first and last bytes. */
enum { SECM_CHECKED_WHOLE = 2064, SECM_CHECKED_END = 528 };

static inline size_t secm_checked_end(size_t slot)
{
	return slot > SECM_CHECKED_WHOLE ? SECM_CHECKED_END : slot;
}

/* Where the second and, of tiny ones, the third piece begin. */
void secm_pieces(size_t size, uint16_t at[2]);

#ifdef SECM_VECTOR
static SECM_INLINE void secm_wipe_tiny(char *p, size_t size, const uint16_t *at)
{
	const SECM_VECTOR zero = { 0, 0 };

	*(SECM_VECTOR *)(void *)p = zero;
	*(SECM_VECTOR *)(void *)(p + at[0]) = zero;
	*(SECM_VECTOR *)(void *)(p + at[1]) = zero;
	*(SECM_VECTOR *)(void *)(p + size - sizeof(zero)) = zero;
	secm_compiler_fence(); /* nothing of it can be left out */
}

static SECM_INLINE int secm_tiny_is_zero(const char *p, size_t size,
					 const uint16_t *at)
{
	SECM_VECTOR any = *(const SECM_VECTOR *)(const void *)p;

	any |= *(const SECM_VECTOR *)(const void *)(p + at[0]);
	any |= *(const SECM_VECTOR *)(const void *)(p + at[1]);
	any |= *(const SECM_VECTOR *)(const void *)(p + size - sizeof(any));
	return (any[0] | any[1]) == 0;
}

static SECM_INLINE void secm_wipe_48(char *p)
{
	const SECM_VECTOR zero = { 0, 0 };
	SECM_VECTOR *v = (SECM_VECTOR *)(void *)p;

	v[0] = zero;
	v[1] = zero;
	v[2] = zero;
}

static SECM_INLINE SECM_VECTOR secm_or_48(const char *p)
{
	const SECM_VECTOR *v = (const SECM_VECTOR *)(const void *)p;

	return v[0] | v[1] | v[2];
}

static SECM_INLINE void secm_wipe_small(char *p, size_t size,
					const uint16_t *at)
{
	secm_wipe_48(p);
	secm_wipe_48(p + at[0]);
	secm_wipe_48(p + size - 48);
	secm_compiler_fence();
}

static SECM_INLINE int secm_small_is_zero(const char *p, size_t size,
					  const uint16_t *at)
{
	SECM_VECTOR any = secm_or_48(p);

	any |= secm_or_48(p + at[0]);
	any |= secm_or_48(p + size - 48);
	return (any[0] | any[1]) == 0;
}

static SECM_INLINE void secm_wipe_medium(char *p, size_t size,
					 const uint16_t *at)
{
	secm_wipe_48(p);
	secm_wipe_48(p + 48);
	secm_wipe_48(p + at[0]);
	secm_wipe_48(p + at[0] + 48);
	secm_wipe_48(p + size - 96);
	secm_wipe_48(p + size - 48);
	secm_compiler_fence();
}

static SECM_INLINE int secm_medium_is_zero(const char *p, size_t size,
					   const uint16_t *at)
{
	SECM_VECTOR any = secm_or_48(p);

	any |= secm_or_48(p + 48);
	any |= secm_or_48(p + at[0]);
	any |= secm_or_48(p + at[0] + 48);
	any |= secm_or_48(p + size - 96);
	any |= secm_or_48(p + size - 48);
	return (any[0] | any[1]) == 0;
}

/* shape is a constant; at is not used for SECM_SHAPE_ANY. */
static SECM_INLINE void secm_wipe_slot(char *p, size_t size, const uint16_t *at,
				       enum secm_shape shape)
{
	if (shape == SECM_SHAPE_TINY)
		secm_wipe_tiny(p, size, at);
	else if (shape == SECM_SHAPE_SMALL)
		secm_wipe_small(p, size, at);
	else if (shape == SECM_SHAPE_MEDIUM)
		secm_wipe_medium(p, size, at);
	else
		secm_wipe(p, size);
}

static SECM_INLINE int secm_slot_is_zero(const char *p, size_t size,
					 const uint16_t *at,
					 enum secm_shape shape)
{
	if (shape == SECM_SHAPE_TINY)
		return secm_tiny_is_zero(p, size, at);
	if (shape == SECM_SHAPE_SMALL)
		return secm_small_is_zero(p, size, at);
	if (shape == SECM_SHAPE_MEDIUM)
		return secm_medium_is_zero(p, size, at);
	return secm_ends_are_zero(p, size, secm_checked_end(size));
}
#else
static inline void secm_wipe_slot(char *p, size_t size, const uint16_t *at,
				  enum secm_shape shape)
{
	(void)at;
	(void)shape;
	secm_wipe(p, size);
}

static inline int secm_slot_is_zero(const char *p, size_t size,
				    const uint16_t *at, enum secm_shape shape)
{
	(void)at;
	(void)shape;
	return secm_ends_are_zero(p, size, secm_checked_end(size));
}
#endif

#endif /* SECM_WIPE_H */
