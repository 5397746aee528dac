/* SPDX-License-Identifier: MIT */
/*
 * t_parts.c - the invariants of divided objects, checked from outside
 *
 * Part of t_broken(): see t_heap.h.  The names P1, P2, P3 are those of parts.c.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "index.h"
#include "run.h"
#include "slot.h"
#include "t_heap.h"

static int is_canary(const struct secm_heap *heap,
		     const struct secm_whole *whole, const char *from,
		     const char *end)
{
	return from >= end ||
	       secm_canary_whole(from, end,
				 secm_canary(heap->vault, whole->base));
}

/* What is between live parts, up to the end of the whole. */
static const char *gaps_broken(const struct secm_heap *heap,
			       const struct secm_whole *whole)
{
	const struct secm_part *part;
	const char *at = whole->base;

	for (part = whole->parts; part; part = part->next) {
		if (!part->live)
			continue;
		MUST(is_canary(heap, whole, at, part->start),
		     "parts P1: a gap is not canary");
		at = part->start + part->size;
	}
	MUST(is_canary(heap, whole, at, whole->base + whole->size),
	     "parts P1: the last gap is not canary");
	return NULL;
}

static const char *list_broken(const struct secm_whole *whole)
{
	const struct secm_part *part;
	const char *at = whole->base, *end = whole->base + whole->size;
	size_t live = 0;

	for (part = whole->parts; part; part = part->next) {
		MUST(part->start >= at, "parts P3: in disorder");
		MUST(part->start + part->size <= end,
		     "parts P3: a part ends too late");
		live += (size_t)part->live;
		at = part->start + part->size;
	}
	MUST(live == whole->live && live > 0, "parts: live ones");
	return NULL;
}

static const char *whole_broken(const struct secm_heap *heap,
				const struct secm_whole *whole)
{
	const struct secm_span *span = secm_index_find(whole->base);
	const char *broken = list_broken(whole);
	size_t i;

	MUST(span, "parts P2: of nobody's memory");
	if (span->kind == SECM_SLAB) {
		i = secm_slot_of(span, whole->base);
		MUST(t_is_live(span, i) &&
			     secm_slot_has_parts(span->u.slab.state[i]),
		     "parts P2: the slot does not know");
		MUST(whole->size <= span->u.slab.slot - SECM_CANARY_MIN,
		     "parts P2: larger than its slot");
	} else {
		MUST(span->u.run.live && span->u.run.divided,
		     "parts P2: the run does not know");
		MUST(whole->base == span->u.run.object &&
			     whole->size == span->u.run.size,
		     "parts P2: another object than the run's");
	}
	return broken || span->dead ? broken : gaps_broken(heap, whole);
}

/* Slots and runs that say they are divided. */
static size_t divided(const struct secm_heap *heap)
{
	const struct secm_span *span;
	size_t i, n = 0;

	for (span = heap->all; span; span = span->all) {
		if (span->kind != SECM_SLAB) {
			n += span->kind != SECM_SEGMENT && span->u.run.live &&
			     span->u.run.divided;
			continue;
		}
		for (i = 0; i < span->u.slab.slots && span->u.slab.used; i++)
			n += secm_slot_has_parts(span->u.slab.state[i]);
	}
	return n;
}

const char *t_parts_broken(const struct secm_heap *heap)
{
	const struct secm_whole *whole;
	const char *broken = NULL;
	size_t i, n = 0;

	for (i = 0; (whole = secm_wholes_from(&heap->wholes, &i)); i++)
		for (; whole && !broken; whole = whole->next, n++) {
			MUST(secm_parts_of(heap, secm_index_find(whole->base),
					   whole->base) == whole,
			     "wholes W1: one is not found");
			broken = whole_broken(heap, whole);
		}
	MUST(broken || n == divided(heap), "parts P2: some are not known");
	MUST(broken || n == heap->wholes.count, "wholes: counted wrongly");
	for (whole = heap->wholes.spare; whole && !broken; whole = whole->next)
		MUST(!whole->parts, "parts: a spare one has parts");
	return broken;
}

void t_count_parts(const struct secm_heap *heap, size_t *objects, size_t *bytes)
{
	const struct secm_whole *whole;
	const struct secm_part *part;
	size_t i;

	for (i = 0; (whole = secm_wholes_from(&heap->wholes, &i)); i++)
		for (; whole; whole = whole->next) {
			if (secm_index_find(whole->base)->dead)
				continue;
			for (part = whole->parts; part; part = part->next) {
				*objects += (size_t)part->live;
				*bytes += part->live ? part->size : 0;
			}
		}
}
