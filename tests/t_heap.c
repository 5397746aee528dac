/* SPDX-License-Identifier: MIT */
/*
 * t_heap.c - the invariants of the core, checked from outside
 *
 * Counts everything anew from the lists and bitmaps and compares with what
 * the core keeps.  The names I1.. are those of the core's files.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "t_heap.h"

#include <string.h>

#include "bits.h"
#include "cache.h"
#include "index.h"
#include "run.h"
#include "slot.h"
#include "wipe.h"

static size_t popcount(const uint64_t *map, size_t bits)
{
	size_t i, n = 0;

	for (i = 0; i < bits; i++)
		n += (size_t)secm_bit(map, i);
	return n;
}

int t_is_listed(const struct secm_span *list, const struct secm_span *span)
{
	for (; list; list = list->next)
		if (list == span)
			return 1;
	return 0;
}

static int is_waiting(const struct secm_heap *heap,
		      const struct secm_span *span)
{
	const struct secm_bucket *b = &heap->bucket[span->kind][span->bucket];

	return t_is_listed(span->filled ? b->filled : b->empty, span);
}

static size_t bytes_of(const struct secm_span *span)
{
	return span->filled * secm_os.page;
}

/* Its end and what is behind it on its last page. */
static const char *segment_broken(const struct secm_heap *heap,
				  const struct secm_span *span)
{
	const struct secm_run *run = &span->u.run;
	size_t page = secm_os.page;

	if (span->dead || span != heap->segment)
		return NULL;
	MUST(span->filled >= (run->size + page - 1) / page, "segment: pages");
	MUST(run->live == (run->size > 0), "segment: live");
	MUST(secm_is_zero(span->data + run->size, bytes_of(span) - run->size),
	     "segment G1: a byte behind its end is not zero");
	return NULL;
}

static const char *run_broken(const struct secm_heap *heap,
			      const struct secm_span *span)
{
	const struct secm_run *run = &span->u.run;

	if (span->kind == SECM_SEGMENT)
		return segment_broken(heap, span);
	if (!run->live || span->dead)
		return NULL;
	MUST(run->object >= span->data, "run: the object starts too early");
	MUST(run->object + run->size <= secm_span_end(span),
	     "run: the object ends too late");
	MUST(span->access == SECM_READWRITE || span->kind == SECM_GUARDED ||
		     heap->access == SECMALLOC_BY_PAGES,
	     "scope: access");
	if (span->access == SECM_NONE)
		return NULL;
	MUST(secm_canary_whole(run->object + run->size, secm_run_tail(span),
			       secm_canary(heap->vault, run->object)),
	     "run: a tail canary has changed");
	MUST(secm_is_zero(secm_run_tail(span),
			  (size_t)(secm_span_end(span) - secm_run_tail(span))),
	     "run: a byte behind the tail canary is not zero");
	return NULL;
}

static const char *span_broken(const struct secm_heap *heap,
			       const struct secm_span *span)
{
	const struct secm_extent *e;
	size_t pages = 0;

	if (!span->filled)
		return span->kind == SECM_SLAB ? t_slab_broken(heap, span) :
						 NULL;
	MUST(span->filled <= span->capacity, "span: overfull");
	MUST(secm_index_find(span->data) == span, "index: first byte");
	MUST(secm_index_find(secm_span_end(span) - 1) == span,
	     "index: last byte");
	for (e = span->extents; e; e = e->next) {
		MUST(e->pool->rung == span->rung, "span: pages of two rungs");
		pages += e->pages;
	}
	MUST(pages == (span->direct || span->pinned ? 0 : span->filled),
	     "span: extents");
	if (is_waiting(heap, span)) {
		MUST(!span->dead, "retain: a dead span waits");
		MUST(secm_is_zero(span->data, bytes_of(span)),
		     "retain I1: a waiting span is not zero");
	}
	return span->kind == SECM_SLAB ? t_slab_broken(heap, span) :
					 run_broken(heap, span);
}

static const char *pool_broken(const struct secm_heap *heap,
			       const struct secm_pool *pool)
{
	const struct secm_extent *e;
	const struct secm_span *span;
	size_t i, needed = 0;

	MUST(popcount(pool->away, pool->pages) == pool->out + pool->gone,
	     "pool I1: out");
	for (span = heap->all; span; span = span->all)
		for (e = span->extents; e; e = e->next)
			if (e->pool == pool && !is_waiting(heap, span))
				needed += e->pages;
	MUST(needed == pool->needed, "retain I3: needed");
	for (i = 0; i < pool->pages; i++)
		if (!secm_bit(pool->away, i) && secm_bit(pool->warm, i))
			MUST(secm_is_zero(pool->home + i * secm_os.page,
					  secm_os.page),
			     "pool I2: a page at home is not zero");
	return NULL;
}

static const char *queue_broken(const struct secm_heap *heap)
{
	const struct secm_span *span, *newer = NULL;
	size_t bytes = 0;

	for (span = heap->queue.newest; span; span = span->older) {
		MUST(span->newer == newer, "queue: links");
		MUST(span->filled && !span->pinned && is_waiting(heap, span),
		     "retain I2: in the queue");
		bytes += bytes_of(span);
		newer = span;
	}
	MUST(heap->queue.oldest == newer, "queue: oldest");
	MUST(heap->queue.bytes == bytes, "queue: bytes");
	return NULL;
}

/* What the heap counts, from what there is. */
static const char *totals_broken(const struct secm_heap *heap)
{
	size_t mapped = 0, busy = 0, waiting = 0, idle = 0, i;
	size_t pages[SECM_CLASSES] = { 0 };
	const struct secm_pool *pool;
	const struct secm_span *span;

	for (pool = heap->pools; pool; pool = pool->next)
		mapped += (pool->pages - pool->gone) * secm_os.page;
	for (span = heap->all; span; span = span->all) {
		int waits = is_waiting(heap, span);

		mapped += span->direct ? bytes_of(span) : 0;
		mapped -= span->pinned ? secm_os.page : 0; /* its guard */
		busy += waits ? 0 : bytes_of(span);
		waiting += waits && !span->pinned ? bytes_of(span) : 0;
		if (span->kind != SECM_SLAB || span->dead || waits)
			continue;
		idle += (size_t)(span->u.slab.slots - span->u.slab.used) *
			span->u.slab.slot;
		pages[span->bucket] += span->filled;
	}
	MUST(mapped == secm_heap_mapped(heap), "heap: mapped");
	MUST(busy == heap->busy, "heap: busy");
	MUST(waiting == heap->queue.bytes, "retain I2: bytes that wait");
	MUST(idle == heap->idle, "slab I3: idle");
	for (i = 0; i < SECM_CLASSES; i++)
		MUST(pages[i] == heap->class[i].pages, "heap: pages");
	for (i = 0; i < SECMALLOC_TIERS; i++)
		MUST(heap->mapped[i] <= mapped, "heap: mapped of a tier");
	return NULL;
}

/* Objects counted from the bitmaps: what secm_stats_collect() should say. */
static void count_slab(const struct secm_span *span,
		       struct secmalloc_stats *stats)
{
	struct secmalloc_class_stats *class = &stats->classes[span->bucket];
	const struct secm_slab *slab = &span->u.slab;
	size_t i, live = 0;

	if (!slab->used)
		return;
	stats->slabs++;
	class->slots += slab->slots;
	for (i = 0; i < slab->slots; i++) {
		if (!t_is_live(span, i))
			continue;
		live++;
		if (secm_slot_has_parts(slab->state[i]))
			continue; /* see t_count_parts() */
		stats->objects++;
		stats->bytes += slab->slot - slab->state[i] % (1 << 16);
	}
	class->live += live;
	class->cached += slab->used - live; /* whatever is taken besides */
	stats->cached += (slab->used - live) * slab->slot;
}

static void count_all(const struct secm_heap *heap,
		      struct secmalloc_stats *stats)
{
	const struct secm_thread *t;
	const struct secm_span *span;

	memset(stats, 0, sizeof(*stats));
	for (span = heap->all; span; span = span->all) {
		if (span->dead || span->kind == SECM_SEGMENT)
			continue;
		if (span->kind == SECM_SLAB) {
			count_slab(span, stats);
		} else if (span->u.run.live) {
			stats->objects += !span->u.run.divided;
			if (!span->u.run.divided)
				stats->bytes += span->u.run.size;
			stats->large++;
			stats->guarded += span->kind == SECM_GUARDED;
		}
	}
	t_count_parts(heap, &stats->objects, &stats->bytes);
	for (t = heap->threads; t; t = t->next)
		stats->threads += t->used;
}

/* What is in a magazine is what is taken and has no object. */
static size_t in_caches(const struct secm_heap *heap, unsigned class)
{
	const struct secm_thread *t;
	size_t n = 0;

	for (t = heap->threads; t; t = t->next)
		n += t->used ? t->cache->magazine[class].count : 0;
	return n;
}

static const char *stats_broken(struct secm_heap *heap)
{
	struct secmalloc_stats mine, s;
	unsigned i;

	count_all(heap, &mine);
	secm_stats_collect(heap, &s);
	MUST(s.objects == mine.objects, "stats: objects");
	MUST(s.bytes == mine.bytes, "stats: bytes");
	MUST(s.large == mine.large && s.guarded == mine.guarded,
	     "stats: large objects");
	MUST(s.cached == mine.cached, "stats: cached");
	MUST(s.slabs == mine.slabs, "stats: slabs");
	MUST(s.threads == mine.threads, "stats: threads");
	MUST(s.mapped == secm_heap_mapped(heap) && s.mapped <= s.peak &&
		     s.waiting == heap->queue.bytes,
	     "stats: bytes of the heap");
	MUST(s.size == sizeof(s) && s.large <= s.allocations &&
		     s.sampled <= s.allocations,
	     "stats: allocations");
	for (i = 0; i < SECM_CLASSES; i++) {
		MUST(s.classes[i].slot == secm_class_slot(i) &&
			     s.classes[i].slots == mine.classes[i].slots,
		     "stats: slots of a class");
		MUST(s.classes[i].live == mine.classes[i].live &&
			     s.classes[i].live <= s.classes[i].allocations,
		     "stats: objects of a class");
		MUST(s.classes[i].cached == mine.classes[i].cached,
		     "stats: cached slots of a class");
		MUST(s.classes[i].cached == in_caches(heap, i),
		     "taken slots without an object are not in caches");
	}
	return NULL;
}

const char *t_broken(struct secm_heap *heap)
{
	const struct secm_span *span;
	const struct secm_pool *pool;
	const char *broken = queue_broken(heap);

	for (span = heap->all; span && !broken; span = span->all)
		broken = span_broken(heap, span);
	for (pool = heap->pools; pool && !broken; pool = pool->next)
		broken = pool_broken(heap, pool);
	if (!broken)
		broken = t_caches_broken(heap);
	if (!broken)
		broken = t_parts_broken(heap);
	if (!broken)
		broken = totals_broken(heap);
	return broken ? broken : stats_broken(heap);
}

size_t t_objects(void)
{
	struct secmalloc_stats stats;

	secm_stats_collect(&secm_default_heap, &stats);
	return stats.objects;
}

size_t t_bytes(void)
{
	struct secmalloc_stats stats;

	secm_stats_collect(&secm_default_heap, &stats);
	return stats.bytes;
}

size_t t_drain(void)
{
	size_t n;

	secm_lock(&secm_heap_lock);
	n = secm_caches_drain(&secm_default_heap, SECM_CLASSES);
	secm_unlock(&secm_heap_lock);
	return n;
}

struct secm_span *t_span(const void *p)
{
	return secm_index_find(p);
}

size_t t_slot(const void *p)
{
	const struct secm_span *span = secm_index_find(p);

	return span && span->kind == SECM_SLAB ? secm_class_slot(span->bucket) :
						 0;
}
