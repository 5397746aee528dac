/* SPDX-License-Identifier: MIT */
/*
 * size.h - sums and products that cannot wrap, and the size classes
 *
 * Every size that came from outside goes through these.
 */
#ifndef SECM_SIZE_H
#define SECM_SIZE_H

#include <errno.h>
#include <stddef.h>

#include "compat.h"

enum {
	SECM_ALIGN = 16,       /* of every object */
	SECM_CANARY_MIN = 8,   /* bytes of canary behind each small object */
	SECM_SLOT_MAX = 16400, /* largest slot of a slab */
	SECM_SLAB_LARGEST = SECM_SLOT_MAX - SECM_CANARY_MIN, /* object */
	SECM_CLASSES = 37,
	SECM_PAGE_BUCKETS = 8 + 4 * 48
};

/* 0, or -ENOMEM if the result does not fit; *out is then untouched. */
int secm_size_add(size_t a, size_t b, size_t *out) SECM_CHECK;
static inline int secm_size_mul(size_t a, size_t b, size_t *out) SECM_CHECK;
/* align is a power of two */
int secm_size_round(size_t n, size_t align, size_t *out) SECM_CHECK;

/* Factors of half as many bits cannot be too large: that saves a division. */
static inline int secm_size_mul(size_t a, size_t b, size_t *out)
{
	static const size_t half = (size_t)1 << (sizeof(size_t) * 4);

	if (SECM_UNLIKELY((a | b) >= half) && b != 0 && a > SIZE_MAX / b)
		return -ENOMEM;
	*out = a * b;
	return 0;
}

/* The same for sizes that are known to be small. */
static inline size_t secm_round(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}

/* Bytes that are in both [a, a + a_size) and [b, b + b_size). */
static inline size_t secm_overlap(uintptr_t a, size_t a_size, uintptr_t b,
				  size_t b_size)
{
	uintptr_t from = a > b ? a : b;
	uintptr_t to = a + a_size < b + b_size ? a + a_size : b + b_size;

	return to > from ? to - from : 0;
}

/* Smallest class whose slots hold bytes; pre: 0 < bytes <= SECM_SLOT_MAX */
unsigned secm_size_class(size_t bytes);
/* Bytes in a slot of that class. */
size_t secm_class_slot(unsigned class);

/* The class for an object of that size.  pre: size <= SECM_SLAB_LARGEST */
static inline unsigned secm_object_class(size_t size)
{
	return secm_size_class(size + SECM_CANARY_MIN);
}

/* Runs of pages are kept apart by rounded-up length.
 * pre: 0 < pages < 2^50 */
unsigned secm_page_bucket(size_t pages);
size_t secm_bucket_pages(unsigned bucket);

#endif /* SECM_SIZE_H */
