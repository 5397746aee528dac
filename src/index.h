/* SPDX-License-Identifier: MIT */
/*
 * index.h - from any pointer to the span it lies in, or to "not ours"
 */
#ifndef SECM_INDEX_H
#define SECM_INDEX_H

#include <stddef.h>

#include "compat.h"

struct secm_span;

enum { SECM_UNIT_PAGES = 4 };

/* Reserves units of address space that nobody else will ever get.  The last
 * page of them must stay inaccessible: it is the guard to the next.  NULL: no
 * address space. */
void *secm_index_reserve(size_t units) SECM_CHECK;

/* From now on the units of these bytes belong to the span; at is the first
 * address of a reservation above. */
void secm_index_set(const void *at, size_t len, struct secm_span *span);

/* NULL: no object was ever there.  For every pointer value, and without a
 * lock, as entries never change once an object can be there. */
struct secm_span *secm_index_find(const void *p);

struct secm_region {
	uintptr_t base;
	size_t len; /* bytes */
	size_t units, used;
	struct secm_span **span;
};

extern SECM_LOCAL struct secm_region secm_regions[];
extern SECM_LOCAL unsigned secm_unit_shift; /* log2 of the bytes in a unit */

/* The same if p is in the first region, which most often is the only one. */
static inline struct secm_span *secm_index_find_first(const void *p)
{
	size_t offset = (uintptr_t)p - secm_regions[0].base;

	if (SECM_LIKELY(offset < secm_regions[0].len))
		return secm_regions[0].span[offset >> secm_unit_shift];
	return NULL;
}

/* Whether [p, p + len) lies in our address space. */
int secm_index_covers(const void *p, size_t len);

#endif /* SECM_INDEX_H */
