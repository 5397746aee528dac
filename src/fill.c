/* SPDX-License-Identifier: MIT */
/*
 * fill.c - getting pages into a span, and back out of it
 *
 * Callers: slab.c, run.c, segment.c, heap.c and retain.c, under the heap's
 * lock.
 *
 * Pages come from a pool and are moved to the span; or, where that is not
 * possible or one span wants many, they are mapped where they are wanted.
 * They come at the right end and go from there.
 */
#include "span.h"

#include <errno.h>

#include "annotate.h"
#include "heap.h"
#include "meta.h"
#include "retain.h"
#include "tell.h"

enum { DIRECT = 1 << 20 }; /* bytes; from here on a mapping of its own */

static size_t bytes(size_t pages)
{
	return pages * secm_os.page;
}

static int fill_direct(struct secm_heap *heap, struct secm_span *span,
		       unsigned rung, size_t pages)
{
	char *at = secm_span_end(span);
	unsigned props;
	int r = secm_policy_map(heap, rung, at, bytes(pages), &props);

	if (r == -EADDRINUSE)
		span->capacity = span->filled;
	if (r)
		return r;
	secm_annotate_open(at, bytes(pages));
	r = secm_policy_populate(heap, at, bytes(pages));
	/* A span is of one tier, or its bytes could not be accounted for. */
	if (r == 0 && span->filled &&
	    secm_policy_tier(props) != secm_policy_tier(span->props))
		r = -ENOMEM;
	if (r) {
		if (secm_policy_unmap(heap, at, bytes(pages), props) != 0)
			span->capacity = span->filled; /* it stays mapped */
		return r;
	}
	span->direct = 1;
	secm_span_filled(heap, span, rung, pages, props);
	return 0;
}

static struct secm_extent *new_extent(struct secm_heap *heap)
{
	struct secm_extent *e = heap->spare_extents;

	if (!e)
		return secm_meta_alloc(sizeof(*e));
	heap->spare_extents = e->next;
	return e;
}

static void spare_extent(struct secm_heap *heap, struct secm_extent *e)
{
	e->next = heap->spare_extents;
	heap->spare_extents = e;
}

static int take(struct secm_heap *heap, struct secm_span *span, unsigned rung,
		size_t pages)
{
	struct secm_extent *e = new_extent(heap);
	int r;

	if (!e)
		return -ENOMEM;
	r = secm_pool_take(heap, rung, pages, secm_span_end(span), e);
	if (r) {
		if (r == -EADDRINUSE)
			span->capacity = span->filled;
		spare_extent(heap, e);
		return r;
	}
	e->next = span->extents;
	span->extents = e;
	e->pool->needed += pages;
	secm_span_filled(heap, span, rung, pages, e->pool->props);
	return 0;
}

/* Pools grow with use, from the configured size to the configured largest: one
 * surviving object keeps so much mapped. */
static size_t pool_pages(const struct secm_heap *heap, size_t least)
{
	const struct secmalloc_config *c = &heap->policy.config;
	size_t want = secm_heap_mapped(heap) / 4;

	if (want > c->pool_growth)
		want = c->pool_growth;
	if (want < c->pool_size)
		want = c->pool_size;
	want = (want + secm_os.page - 1) / secm_os.page;
	return want > least ? want : least;
}

/* Some of the pages, as many as can be had in a row. */
static int take_some(struct secm_heap *heap, struct secm_span *span,
		     unsigned rung, size_t pages)
{
	size_t n;
	int r;

	r = take(heap, span, rung, pages);
	if (r != -ENOMEM)
		return r;
	r = secm_pool_new(heap, rung, pages, pool_pages(heap, pages), 0);
	if (r == 0)
		return take(heap, span, rung, pages);
	for (n = pages / 2; n > 0; n /= 2) {
		int taken = take(heap, span, rung, n);

		if (taken != -ENOMEM)
			return taken;
	}
	if (pages > 1 && (r == -EAGAIN || r == -ENOMEM) &&
	    secm_pool_new(heap, rung, 1, pages / 2, 0) == 0)
		return take(heap, span, rung, 1);
	return r;
}

/* Takes the span's pages home, from the end. */
static void shrink(struct secm_heap *heap, struct secm_span *span, size_t pages)
{
	struct secm_extent *e;

	while ((e = span->extents) && span->filled > pages) {
		struct secm_extent last = *e; /* as much of it as has to go */
		int r;

		if (last.pages > span->filled - pages)
			last.pages = span->filled - pages;
		last.first += e->pages - last.pages;
		r = secm_pool_give(heap, &last,
				   secm_span_end(span) - bytes(last.pages));
		e->homeless = last.homeless;
		if (r != 0 && r != -ESTALE)
			return; /* span.c I2 */
		span->filled -= last.pages;
		heap->busy -= bytes(last.pages);
		if (r == -ESTALE)
			span->capacity = span->filled;
		e->pool->needed -= last.pages;
		e->pages -= last.pages;
		if (e->pages > 0)
			return;
		span->extents = e->next;
		spare_extent(heap, e);
	}
}

static void unmap_from(struct secm_heap *heap, struct secm_span *span,
		       size_t pages)
{
	size_t len = bytes(span->filled - pages);

	if (secm_policy_unmap(heap, span->data + bytes(pages), len,
			      span->props) != 0)
		return; /* span.c I2 */
	heap->busy -= len;
	span->filled = pages;
	span->direct = pages > 0;
}

void secm_span_shrink(struct secm_heap *heap, struct secm_span *span,
		      size_t pages)
{
	if (span->pinned || span->filled <= pages)
		return;
	if (span->direct)
		unmap_from(heap, span, pages);
	else
		shrink(heap, span, pages);
}

static int fill_at(struct secm_heap *heap, struct secm_span *span,
		   unsigned rung, size_t pages)
{
	size_t before = span->filled;
	int r = 0;

	if (pages > span->capacity) /* lost by an attempt before this one */
		return -EADDRINUSE;
	if (before && !span->direct && !secm_os.can_move)
		return -ENOMEM;
	if (!secm_os.can_move ||
	    (before ? span->direct : bytes(pages) >= DIRECT))
		return fill_direct(heap, span, rung, pages - before);
	while (r == 0 && span->filled < pages)
		r = take_some(heap, span, rung, pages - span->filled);
	if (r)
		shrink(heap, span, before);
	/* Found out just now that pages cannot be moved: a fresh span can do
	 * without, another one is wanted in place of an old one. */
	if (r == -ENOTSUP && !secm_os.can_move)
		return span->filled ? -ENOMEM
				    : fill_direct(heap, span, rung, pages);
	return r;
}

static int is_too_much(int r)
{
	return r == -EAGAIN || r == -ENOMEM;
}

/* Once more with what waits for reuse given back, before settling for less. */
static int fill_or_trim(struct secm_heap *heap, struct secm_span *span,
			unsigned rung, size_t pages)
{
	int r = fill_at(heap, span, rung, pages);

	if (is_too_much(r) && secm_retain_trim(heap) > 0)
		r = fill_at(heap, span, rung, pages);
	if (is_too_much(r) && secm_retain_trim_others(heap) > 0)
		r = fill_at(heap, span, rung, pages);
	return r;
}

static int fill(struct secm_heap *heap, struct secm_span *span, size_t pages)
{
	unsigned rung;
	int r = -ENOMEM;

	if (pages <= span->filled)
		return 0;
	if (pages > span->capacity || span->pinned)
		return -ENOMEM;
	if (span->filled)
		return fill_or_trim(heap, span, span->rung, pages);
	span->direct = 0;
	for (rung = 0; rung < heap->policy.rungs; rung++) {
		r = fill_or_trim(heap, span, rung, pages);
		/* Or it has pages of this rung that could not go again. */
		if (r == 0 || r == -EADDRINUSE || span->filled)
			break;
	}
	return r;
}

int secm_span_fill(struct secm_heap *heap, struct secm_span *span, size_t pages)
{
	struct secm_policy *policy = &heap->policy;
	enum secmalloc_reason reason = policy->reason;
	int error = policy->reason_errno;
	int fresh_span = span->filled == 0;
	int r = fill(heap, span, pages);

	if (r)
		return r == -ENOTSUP || r == -EADDRINUSE ? r : -ENOMEM;
	if (fresh_span && span->rung > 0) {
		heap->degraded++;
		secm_tell_degraded(heap, span->props);
		return 0;
	}
	/* Nothing was lost by what was refused on the way. */
	policy->reason = reason;
	policy->reason_errno = error;
	return 0;
}
