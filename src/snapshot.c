/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c - what a child gets of a heap that is copied
 *
 * Callers: fork.c around fork(2), orphan.c in the child; under the lock, with
 * the caches stopped.
 *
 *	spans     |vault|        |slab . . .|   |run|      places in the heap
 *	             |              |             |
 *	snapshot  |vault|slab . . .|run|                   a place of its own
 *
 * Hidden pages cannot be copied on write: a child would share them.  So the
 * heap's own pages never reach a child, whatever becomes of it, and a copy that
 * does is there only while this process forks.  The child maps pages of its own
 * where the objects were, fills them from the copy, and lets go of that; the
 * parent does so at once.  Meanwhile the copy is inaccessible, as another thread
 * may make a child without fork handlers, which would keep it.
 *
 * I1  The snapshot has the rung of the heap's own key, or there is none.
 * I2  It holds the spans in the order of heap->all, each with its pages.
 */
#include "snapshot.h"

#include <string.h>

#include "annotate.h"
#include "heap.h"
#include "index.h"
#include "orphan.h"
#include "scope.h"
#include "wipe.h"

int secm_snapshot_has(const struct secm_heap *heap,
		      const struct secm_span *span)
{
	if (span == heap->vault_span)
		return 1;
	if (span->dead || !span->filled)
		return 0;
	return span->kind == SECM_SLAB ? span->u.slab.used > 0
				       : span->u.run.live && !span->u.run.stack;
}

static size_t needed(const struct secm_heap *heap)
{
	const struct secm_span *span;
	size_t sum = 0;

	for (span = heap->all; span; span = span->all)
		sum += secm_snapshot_has(heap, span) ? secm_span_bytes(span)
						     : 0;
	return sum;
}

/* Address space for so many bytes, more than once and for ever: 0 or -1. */
static int reserve(struct secm_snapshot *s, size_t len)
{
	size_t unit = SECM_UNIT_PAGES * secm_os.page;
	size_t units = len / unit + 1;

	if (units <= s->units)
		return 0;
	units += units / 2;
	s->at = secm_index_reserve(units);
	s->units = s->at ? units : 0;
	return s->at ? 0 : -1;
}

/* Whatever access the program has given itself: 0 or -1. */
static int copy(struct secm_span *span, char *to)
{
	if (secm_scope_try(span) != 0)
		return -1;
	secm_annotate_open(span->data, secm_span_bytes(span));
	memcpy(to, span->data, secm_span_bytes(span));
	if (span != span->heap->vault_span)
		secm_orphan_annotate(span->heap, span);
	return 0;
}

static int copy_all(struct secm_heap *heap)
{
	char *to = heap->snapshot.at;
	struct secm_span *span;

	for (span = heap->all; span; span = span->all) {
		if (!secm_snapshot_has(heap, span))
			continue;
		if (copy(span, to) != 0)
			return -1;
		to += secm_span_bytes(span);
	}
	return 0;
}

/* The place of what could not be unmapped is lost. */
static void forget(struct secm_snapshot *s, int r)
{
	if (r != 0) {
		s->at = NULL;
		s->units = 0;
	}
	s->len = 0;
}

static int set_access(const struct secm_snapshot *s, enum secm_access to)
{
	return secm_os_access(s->at, s->len, to);
}

static void drop(struct secm_heap *heap, int wipe)
{
	struct secm_snapshot *s = &heap->snapshot;

	if (wipe && set_access(s, SECM_READWRITE) == 0)
		secm_wipe(s->at, s->len);
	forget(s, secm_policy_unmap(heap, s->at, s->len, s->props));
}

/* 0 or -1 */
static int take(struct secm_heap *heap)
{
	struct secm_snapshot *s = &heap->snapshot;
	size_t len = needed(heap);

	if (reserve(s, len) != 0 ||
	    secm_policy_map(heap, heap->vault_span->rung, s->at, len,
			    &s->props) != 0)
		return -1;
	s->len = len;
	secm_annotate_open(s->at, len);
	if (secm_policy_populate(heap, s->at, len) == 0 &&
	    copy_all(heap) == 0 && set_access(s, SECM_NONE) == 0 &&
	    secm_os_inherit(s->at, len) == 0)
		return 0;
	drop(heap, 1);
	return -1;
}

void secm_snapshot_take(struct secm_heap *heap)
{
	if (heap->policy.config.child != SECMALLOC_CHILD_COPY ||
	    heap->state != SECM_READY || take(heap) == 0)
		return;
	heap->degraded++;
	secm_log(heap, SECMALLOC_LOG_WARNING,
		 "no memory to copy %zu bytes for a child: it gets zeros",
		 needed(heap));
}

/* There may be a child by now, which still needs what both of them have; what is
 * not shared was copied for it. */
void secm_snapshot_drop(struct secm_heap *heap)
{
	if (heap->snapshot.len)
		drop(heap, !(heap->snapshot.props & SECM_HIDDEN));
}

const char *secm_snapshot_open(struct secm_heap *heap)
{
	const struct secm_snapshot *s = &heap->snapshot;

	return s->len && set_access(s, SECM_READWRITE) == 0 ? s->at : NULL;
}

/* Its heap counts mappings anew. */
void secm_snapshot_child(struct secm_heap *heap)
{
	struct secm_snapshot *s = &heap->snapshot;

	if (!s->len)
		return;
	if (set_access(s, SECM_READWRITE) == 0)
		secm_wipe(s->at, s->len);
	forget(s, secm_os_unmap(s->at, s->len));
}
