/* SPDX-License-Identifier: MIT */
/*
 * retain.c - spans that wait for reuse, and when they stop waiting
 *
 * Callers: slab.c, run.c, span.c and heap.c, under the heap's lock.
 *
 * First touches and moves of secret pages are the costliest thing we do, so an
 * emptied span keeps its pages for the next object of its kind.  Two limits:
 *
 *  - the spans that wait have at most `retain` bytes; the one that has waited
 *    longest gives its pages up first;
 *  - a pool of which no object needs a page is unmapped, spans that wait on
 *    its pages or not, while `retain` bytes stay without it.  So after a peak
 *    what is locked falls to what is needed and the retain limit.
 *
 *  - slots in caches keep slabs from getting empty.  When far more is mapped than
 *    objects and the retain limit need, and that because less is needed than was
 *    (shedding), caches are emptied and closed until it is over, or until so much
 *    was freed without a gain that the rest must be scattered over all slabs.
 *    Then it has to get far worse first.  What is mapped ahead of use while a
 *    program grows is none of that.
 *
 * I1  A span in a bucket has no object and its pages hold zeros.
 * I2  Exactly the filled ones among them that are not part of a first pool are
 *     in the queue, oldest last.
 * I3  pool->needed counts the pages at spans that are not waiting.
 */
#include "retain.h"

#include "heap.h"

static void enqueue(struct secm_heap *heap, struct secm_span *span)
{
	struct secm_queue *q = &heap->queue;

	span->newer = NULL;
	span->older = q->newest;
	if (q->newest)
		q->newest->newer = span;
	else
		q->oldest = span;
	q->newest = span;
	q->bytes += secm_span_bytes(span);
}

static void dequeue(struct secm_heap *heap, struct secm_span *span)
{
	struct secm_queue *q = &heap->queue;

	if (span->newer)
		span->newer->older = span->older;
	else
		q->newest = span->older;
	if (span->older)
		span->older->newer = span->newer;
	else
		q->oldest = span->newer;
	span->newer = span->older = NULL;
	q->bytes -= secm_span_bytes(span);
}

static void count_needed(struct secm_span *span, int sign)
{
	struct secm_extent *e;

	for (e = span->extents; e; e = e->next)
		e->pool->needed += (size_t)sign * e->pages;
}

/* I2: what can be given up. */
static int in_queue(const struct secm_span *span)
{
	return span->filled && !span->pinned;
}

static void start_waiting(struct secm_heap *heap, struct secm_span *span)
{
	struct secm_bucket *b = &heap->bucket[span->kind][span->bucket];

	heap->busy -= secm_span_bytes(span);
	count_needed(span, -1);
	if (in_queue(span))
		enqueue(heap, span);
	secm_span_push(span->filled ? &b->filled : &b->empty, span);
}

static void stop_waiting(struct secm_heap *heap, struct secm_span *span)
{
	secm_span_unlink(span);
	if (in_queue(span))
		dequeue(heap, span);
	count_needed(span, 1);
	heap->busy += secm_span_bytes(span);
}

struct secm_span *secm_retain_get(struct secm_heap *heap, enum secm_kind kind,
				  unsigned bucket, size_t least, int filled)
{
	struct secm_bucket *b = &heap->bucket[kind][bucket];
	struct secm_span *span = filled ? b->filled : b->empty;

	while (span && span->capacity < least)
		span = span->next;
	if (span)
		stop_waiting(heap, span);
	return span;
}

/* Waits on, without pages if that is possible.  1 if it has none now. */
static int evict(struct secm_heap *heap, struct secm_span *span)
{
	stop_waiting(heap, span);
	secm_span_shrink(heap, span, 0);
	start_waiting(heap, span);
	return span->filled == 0;
}

static int waits_on(const struct secm_span *span, const struct secm_pool *pool)
{
	const struct secm_extent *e;

	for (e = span->extents; e; e = e->next)
		if (e->pool == pool)
			return 1;
	return 0;
}

/* 0 if the kernel is out of mappings: then others would fail as well. */
static int evict_from(struct secm_heap *heap, const struct secm_pool *pool)
{
	struct secm_span *span, *older;

	for (span = heap->queue.newest; span && pool->out; span = older) {
		older = span->older;
		if (waits_on(span, pool) && !evict(heap, span))
			return 0;
	}
	return 1;
}

/* 1 if what has no object stays above the retain limit without the pool. */
static int surplus(const struct secm_heap *heap, const struct secm_pool *pool)
{
	size_t idle = secm_heap_mapped(heap) - heap->busy;

	return idle >= secm_heap_retain(heap) +
			       (pool->pages - pool->gone) * secm_os.page;
}

static void release_pools(struct secm_heap *heap, int all)
{
	struct secm_pool *pool, *next;

	for (pool = heap->pools; pool; pool = next) {
		next = pool->next;
		if (pool->needed || pool->pinned ||
		    !(all || surplus(heap, pool)))
			continue;
		if (!evict_from(heap, pool))
			return;
		secm_pool_release(heap, pool);
	}
}

void secm_retain_put(struct secm_heap *heap, struct secm_span *span)
{
	span->dead = 0;
	span->rest = SECM_READWRITE;
	span->readers = span->writers = 0;
	secm_span_hide(span);
	if (secm_span_bytes(span) > heap->policy.config.retain)
		secm_span_shrink(heap, span,
				 0); /* rather than all the others */
	start_waiting(heap, span);
	while (heap->queue.bytes > heap->policy.config.retain)
		if (!evict(heap, heap->queue.oldest))
			break; /* the kernel is out of mappings: keep them */
	release_pools(heap, 0);
}

enum {
	PATIENCE = 4,	    /* times what is mapped */
	FALL = 8,	    /* part of the peak: less is chance, */
	FALL_MOST = 4 << 20 /* unless it is as many bytes as this */
};

static void begin_shedding(struct secm_heap *heap)
{
	heap->shed.on = 1;
	heap->shed.lowest = secm_heap_mapped(heap);
	heap->shed.patience = PATIENCE * heap->shed.lowest;
}

/* Either there is nothing to be gained, or it was not. */
static void end_shedding(struct secm_shed *shed, size_t needed, size_t from)
{
	shed->on = 0;
	shed->from = from;
	shed->peak = shed->then = needed;
}

/* Twice as much surplus, or half of what is needed now not being needed any
 * more: there may never be twice as much as most of what is mapped. */
static size_t worse(size_t surplus, size_t needed)
{
	return surplus + (surplus < needed / 2 ? surplus : needed / 2);
}

/* Far more than is needed, and because less is than was.  What was mapped for
 * large objects goes with them, so the surplus alone does not tell. */
static int falls(const struct secm_shed *shed, size_t retain, size_t surplus,
		 size_t needed)
{
	size_t fall = shed->peak / FALL, usual = retain + retain / 2;

	if (shed->from && needed < shed->then / 2)
		return surplus > usual;
	return surplus > (shed->from ? shed->from : usual) &&
	       shed->peak - needed > (fall < FALL_MOST ? fall : FALL_MOST);
}

void secm_retain_shed(struct secm_heap *heap, size_t bytes)
{
	size_t surplus = secm_heap_surplus(heap);
	size_t needed = secm_heap_mapped(heap) - surplus;
	size_t retain = secm_heap_retain(heap);
	struct secm_shed *shed = &heap->shed;

	if (!secm_heap_has_caches(heap))
		return;
	if (shed->peak < needed)
		shed->peak = needed;
	if (surplus <= retain + retain / 4) { /* pools are not that small */
		end_shedding(shed, needed, 0);
	} else if (!shed->on) {
		if (falls(shed, retain, surplus, needed))
			begin_shedding(heap);
	} else if (secm_heap_mapped(heap) < shed->lowest) {
		begin_shedding(heap); /* it helps: go on */
	} else if (shed->patience > bytes) {
		shed->patience -= bytes;
	} else {
		end_shedding(shed, needed, worse(surplus, needed));
	}
}

size_t secm_retain_trim(struct secm_heap *heap)
{
	size_t before = heap->queue.bytes, mapped = secm_heap_mapped(heap);
	struct secm_span *span, *older;

	for (span = heap->queue.newest; span; span = older) {
		older = span->older;
		(void)evict(heap, span); /* as far as that works */
	}
	release_pools(heap, 1);
	mapped -= secm_heap_mapped(heap);
	if (mapped > 0)
		secm_log(heap, SECMALLOC_LOG_INFO,
			 "%zu bytes that waited for reuse were given back",
			 mapped);
	return before - heap->queue.bytes + mapped;
}

size_t secm_retain_trim_others(const struct secm_heap *heap)
{
	struct secm_heap *other;
	size_t n = 0;

	for (other = &secm_default_heap; other; other = other->next)
		if (other != heap && other->vault)
			n += secm_retain_trim(other);
	return n;
}
