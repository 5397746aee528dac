/* SPDX-License-Identifier: MIT */
/*
 * index.c - address space, and which span each part of it belongs to
 *
 * Callers: span.c and pool.c reserve, under the heap's lock; everybody looks
 * up, without it.
 *
 * A region is one large reservation, cut into units of four pages:
 *
 *	| unit 0: guard | units given out, left to right ... |   untouched   |
 *	                        |
 *	         span[unit] ----+  or NULL (pools, unused)
 *
 * Where the system gives no large reservation (RLIMIT_AS, locked future
 * mappings, 32 bits) there are several small regions; the newest are at the
 * end.  Address space is never given back or reused here: spans keep theirs
 * for life (span.c), so an address never changes its kind.
 *
 * I1  the first unit of a region is never given out: a guard below the first.
 * I2  span[] is one entry a unit, its own mapping outside the region.
 * I3  While a debugger watches the first region has no bytes: the quick way
 *     looks only there, and would find closed descriptors (annotate.h).
 */
#include "index.h"

#include "annotate.h"
#include "meta.h"
#include "os.h"
#include "span.h"

enum { REGIONS = 64, MIN_UNITS = 64 };

SECM_LINE struct secm_region
	secm_regions[REGIONS]; /* used counts from the left */
unsigned secm_unit_shift;
static int count; /* read without the lock */

static size_t unit_size(void)
{
	return SECM_UNIT_PAGES * secm_os.page;
}

/* 1 if the program could still have as much for itself. */
static int is_spare(size_t len)
{
	void *theirs = secm_os_reserve(len);

	if (theirs)
		secm_os_release(theirs, len);
	return theirs != NULL;
}

/* greedy: however little is left for others */
static int add_region(size_t units, int greedy)
{
	size_t len = units * unit_size();
	struct secm_region *r;
	char *base;

	if (secm_watched && count == 0)
		secm_store(&count, 1); /* I3 */
	r = &secm_regions[count];
	if (count == REGIONS)
		return -1;
	secm_unit_shift = secm_log2(unit_size());
	base = secm_os_reserve(len);
	if (!base)
		return -1;
	r->span = NULL;
	if (greedy || is_spare(len))
		r->span = secm_meta_alloc(units * sizeof(*r->span)); /* I2 */
	if (!r->span) {
		secm_os_release(base, len);
		return -1;
	}
	r->base = (uintptr_t)base;
	r->units = units;
	r->used = 1; /* I1 */
	r->len = len;
	secm_store(&count, count + 1);
	secm_annotate_region(base, len);
	return 0;
}

/* As much as can be spared, but room for one request. */
static int grow(size_t units)
{
	size_t hint = secm_os.reserve_hint / unit_size();
	size_t least = units + 1 > MIN_UNITS ? units + 1 : MIN_UNITS;

	for (; hint > least; hint /= 2)
		if (add_region(hint, 0) == 0)
			return 0;
	return add_region(least, 1);
}

void *secm_index_reserve(size_t units)
{
	int i, tries;

	for (tries = 0; tries < 2; tries++) {
		for (i = 0; i < count; i++) {
			struct secm_region *r = &secm_regions[i];
			uintptr_t at = r->base + r->used * unit_size();

			if (r->units - r->used < units)
				continue;
			r->used += units;
			return (void *)at;
		}
		if (units > SIZE_MAX / unit_size() / 2 || grow(units) != 0)
			break;
	}
	return NULL;
}

static struct secm_region *region_of(uintptr_t at)
{
	int i, n = secm_load(&count);

	for (i = 0; i < n; i++)
		if (at - secm_regions[i].base < secm_regions[i].len)
			return &secm_regions[i];
	return NULL;
}

void secm_index_set(const void *at, size_t len, struct secm_span *span)
{
	struct secm_region *r = region_of((uintptr_t)at);
	size_t first = ((uintptr_t)at - r->base) / unit_size();
	size_t units = (len + unit_size() - 1) / unit_size();

	/* From the right, as spans grow there: the rest is set already. */
	while (units-- > 0 && r->span[first + units] != span)
		r->span[first + units] = span;
}

struct secm_span *secm_index_find(const void *p)
{
	struct secm_region *r = region_of((uintptr_t)p);

	if (!r)
		return NULL;
	return r->span[((uintptr_t)p - r->base) >> secm_unit_shift];
}

int secm_index_covers(const void *p, size_t len)
{
	struct secm_region *r = region_of((uintptr_t)p);

	return r && len <= r->len - ((uintptr_t)p - r->base);
}
