/* SPDX-License-Identifier: MIT */
/*
 * span.c - address space for one purpose
 *
 * Callers: slab.c, run.c and heap.c, under the heap's lock.
 *
 *	units   |   0   |   1   |   2   |
 *	pages   |data . . . . . . . . .G|     capacity = pages of units - 1
 *	        |filled . .|inaccessible|     G: always inaccessible
 *
 * The page below data is the last of the unit before, another guard.  Pages
 * fill a span from the left, so the page after the last filled one is always
 * inaccessible as well.
 *
 * I1  A span keeps its heap, address space, kind and bucket for life.
 * I2  Freeing needs no resource: what cannot be given back stays, wiped.
 */
#include "span.h"

#include <errno.h>

#include "annotate.h"
#include "heap.h"
#include "index.h"
#include "meta.h"
#include "retain.h"
#include "tell.h"

enum { PLACE_MOST = 16 }; /* units of a slab out of a first pool */

struct secm_os_info secm_os;

void secm_span_push(struct secm_span **list, struct secm_span *span)
{
	span->next = *list;
	span->link = list;
	if (span->next)
		span->next->link = &span->next;
	*list = span;
}

void secm_span_unlink(struct secm_span *span)
{
	if (!span->link)
		return;
	*span->link = span->next;
	if (span->next)
		span->next->link = span->link;
	span->next = NULL;
	span->link = NULL;
}

static size_t bytes(size_t pages)
{
	return pages * secm_os.page;
}

static size_t units_for(size_t pages)
{
	return pages / SECM_UNIT_PAGES + 1; /* and a guard page */
}

static struct secm_span *describe(struct secm_heap *heap, enum secm_kind kind,
				  unsigned bucket, char *data, size_t units)
{
	struct secm_span *span = secm_meta_line(sizeof(*span));

	if (!span)
		return NULL;
	span->kind = (unsigned char)kind;
	span->bucket = (unsigned short)bucket;
	span->heap = heap;
	span->data = data;
	span->capacity = units * SECM_UNIT_PAGES - 1;
	span->access = span->rest = SECM_READWRITE;
	span->all = heap->all;
	heap->all = span;
	return span;
}

void secm_span_filled(struct secm_heap *heap, struct secm_span *span,
		      unsigned rung, size_t pages, unsigned props)
{
	span->props = span->filled ? span->props & props : props;
	/* With the pages before and after them: a debugger says more about an
	 * access there than a fault does. */
	if (!span->filled)
		secm_annotate_close(span->data - bytes(1), bytes(1));
	secm_annotate_close(secm_span_end(span), bytes(pages + 1));
	span->rung = (unsigned char)rung;
	span->filled += pages;
	heap->busy += bytes(pages);
	secm_index_set(span->data, bytes(span->filled), span);
}

/* Out of an initial pool, where it stands. */
static struct secm_span *place(struct secm_heap *heap, enum secm_kind kind,
			       unsigned bucket, size_t least)
{
	size_t units = units_for(least), more = 0;
	struct secm_pool *pool = NULL;
	struct secm_span *span;
	char *data;

	if (secm_os.can_move || !heap->pinned)
		return NULL;
	/* The more a class has the more it gets: a guard page less for each. */
	if (kind == SECM_SLAB)
		more = heap->class[bucket].pages / SECM_UNIT_PAGES;
	if (more > PLACE_MOST)
		more = PLACE_MOST;
	if (more > units)
		pool = secm_pool_place(heap, more, &data);
	if (pool)
		units = more;
	else
		pool = secm_pool_place(heap, units, &data);
	if (!pool)
		return NULL;
	span = describe(heap, kind, bucket, data, units);
	if (!span)
		return NULL;
	span->pinned = 1;
	secm_span_filled(heap, span, pool->rung, span->capacity, pool->props);
	return span;
}

struct secm_span *secm_span_new(struct secm_heap *heap, enum secm_kind kind,
				unsigned bucket, size_t pages)
{
	size_t units = units_for(pages);
	char *data = secm_index_reserve(units);

	return data ? describe(heap, kind, bucket, data, units) : NULL;
}

int secm_span_get(struct secm_heap *heap, enum secm_kind kind, unsigned bucket,
		  size_t least, size_t most, struct secm_span **out)
{
	struct secm_span *span = secm_retain_get(heap, kind, bucket, least, 1);

	if (!span)
		span = place(heap, kind, bucket, least);
	if (!span)
		span = secm_retain_get(heap, kind, bucket, least, 0);
	if (!span)
		span = secm_span_new(heap, kind, bucket, most);
	if (!span)
		span = secm_span_new(heap, kind, bucket, least);
	if (!span) {
		secm_policy_blame(&heap->policy, SECMALLOC_REASON_MAPPINGS,
				  ENOMEM);
		return -ENOMEM;
	}
	*out = span;
	return 0;
}

int secm_span_has_objects(const struct secm_span *span)
{
	if (span->kind == SECM_SLAB)
		return span->u.slab.used > 0;
	return span->u.run.live;
}

void secm_span_hide(struct secm_span *span)
{
	/* A refusal leaves zeros that can be read. */
	if (span->shown)
		(void)secm_os_access(span->data, bytes(span->shown), SECM_NONE);
	span->shown = 0;
}
