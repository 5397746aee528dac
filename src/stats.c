/* SPDX-License-Identifier: MIT */
/*
 * stats.c - count what there is in a heap
 *
 * Callers: report.c; the public functions here.  Under the heap's lock, with
 * the caches stopped: nothing that is quick keeps counters for this, it is all
 * counted from the words of the slots.
 */
#include "stats.h"

#include <errno.h>
#include <string.h>

#include "api.h"
#include "cache.h"
#include "error.h"
#include "text.h"

SECM_STATIC_ASSERT((int)SECMALLOC_CLASSES == (int)SECM_CLASSES);

static void count_slab(const struct secm_span *span,
		       struct secmalloc_stats *stats)
{
	const struct secm_slab *slab = &span->u.slab;
	struct secmalloc_class_stats *class = &stats->classes[span->bucket];
	size_t i;

	if (!span->filled || !slab->used)
		return;
	stats->slabs++;
	class->slots += slab->slots;
	for (i = 0; i < slab->slots; i++) {
		uint32_t state = secm_peek(&slab->state[i]);

		if (secm_slot_has_parts(state)) {
			class->live++; /* its parts are counted by themselves */
		} else if (secm_slack(state) != 0) {
			class->live++;
			stats->objects++;
			stats->bytes += slab->slot - secm_slack(state);
		} else if (state != 0) {
			class->cached++;
			stats->cached += slab->slot;
		}
	}
}

static void count_run(const struct secm_span *span,
		      struct secmalloc_stats *stats)
{
	const struct secm_run *run = &span->u.run;

	if (!run->live)
		return;
	if (!run->divided) {
		stats->objects++;
		stats->bytes += run->size;
	}
	stats->large++;
	stats->guarded += span->kind == SECM_GUARDED;
}

static void count_parts(const struct secm_whole *whole,
			struct secmalloc_stats *stats)
{
	const struct secm_part *part;

	if (secm_index_find(whole->base)->dead)
		return;
	for (part = whole->parts; part; part = part->next) {
		if (!part->live)
			continue;
		stats->objects++;
		stats->bytes += part->size;
	}
}

static void count_wholes(const struct secm_heap *heap,
			 struct secmalloc_stats *stats)
{
	const struct secm_whole *whole;
	size_t i;

	for (i = 0; (whole = secm_wholes_from(&heap->wholes, &i)); i++)
		for (; whole; whole = whole->next)
			count_parts(whole, stats);
}

static void count_allocations(const struct secm_heap *heap,
			      struct secmalloc_stats *stats)
{
	const struct secm_thread *t;
	size_t n;
	unsigned i;

	stats->allocations += heap->runs;
	for (i = 0; i < SECM_CLASSES; i++) {
		struct secmalloc_class_stats *class = &stats->classes[i];

		class->slot = secm_class_slot(i);
		n = heap->class[i].allocations;
		for (t = heap->threads; t; t = t->next)
			n += t->cache->magazine[i].allocations;
		class->allocations += n;
		stats->allocations += n;
	}
}

static void add(struct secm_heap *heap, struct secmalloc_stats *stats)
{
	const struct secm_thread *t;
	const struct secm_span *span;

	secm_caches_stop(heap);
	for (span = heap->all; span; span = span->all) {
		if (span->dead || span->kind == SECM_SEGMENT ||
		    span == heap->vault_span)
			continue;
		if (span->kind == SECM_SLAB)
			count_slab(span, stats);
		else
			count_run(span, stats);
	}
	count_wholes(heap, stats);
	count_allocations(heap, stats);
	for (t = heap->threads; t; t = t->next)
		stats->threads += t->used;
	secm_caches_resume(heap);
	stats->sampled += heap->sampled;
	stats->refused += heap->refused;
	stats->mapped += secm_heap_mapped(heap);
	stats->peak += heap->peak;
	stats->waiting += heap->queue.bytes;
}

void secm_stats_collect(struct secm_heap *heap, struct secmalloc_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->size = sizeof(*stats);
	if (heap)
		add(heap, stats);
	for (heap = heap ? NULL : &secm_default_heap; heap; heap = heap->next)
		add(heap, stats);
}

int secm_stats(struct secm_heap *heap, struct secmalloc_stats *stats)
{
	int saved = errno, r;

	if (!stats || stats->size != sizeof(*stats))
		return secm_error(-EINVAL);
	r = secm_enter_anyway();
	if (r)
		return secm_error(r);
	secm_stats_collect(heap, stats);
	secm_leave();
	errno = saved;
	return 0;
}

SECM_API int secmalloc_stats(struct secmalloc_stats *stats)
{
	return secm_stats(NULL, stats);
}

static void put_class(struct secm_text *t,
		      const struct secmalloc_class_stats *class, int first)
{
	secm_put(t,
		 "%s{\"slot\":%zu,\"slots\":%zu,\"live\":%zu,\"cached\":%zu,"
		 "\"allocations\":%zu}",
		 first ? "" : ",", class->slot, class->slots, class->live,
		 class->cached, class->allocations);
}

SECM_API int secmalloc_stats_json(char *buffer, size_t size)
{
	struct secmalloc_stats s = { .size = sizeof(s) };
	struct secm_text t = { buffer, size, 0 };
	int i;

	if (secmalloc_stats(&s) != 0)
		return -1;
	secm_put(&t,
		 "{\"version\":\"%s\",\"objects\":%zu,\"bytes\":%zu,"
		 "\"large\":%zu,\"guarded\":%zu,\"allocations\":%zu,"
		 "\"sampled\":%zu,\"refused\":%zu,\"mapped\":%zu,\"peak\":%zu,"
		 "\"cached\":%zu,\"waiting\":%zu,\"threads\":%zu,"
		 "\"slabs\":%zu,\"classes\":[",
		 SECMALLOC_VERSION_STRING, s.objects, s.bytes, s.large,
		 s.guarded, s.allocations, s.sampled, s.refused, s.mapped,
		 s.peak, s.cached, s.waiting, s.threads, s.slabs);
	for (i = 0; i < SECMALLOC_CLASSES; i++)
		put_class(&t, &s.classes[i], i == 0);
	secm_put(&t, "]}\n");
	return secm_text_length(&t);
}
