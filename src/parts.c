/* SPDX-License-Identifier: MIT */
/*
 * parts.c - objects that are not alone in a slot or run, or not at its start
 *
 * Callers: heap.c, shape.c and upkeep.c, under the heap's lock.
 *
 * A split object, and one with an alignment that its slot does not have, is
 * described by a list out of band.  For slot.c and run.c it stays one object,
 * from base on, which only they free when its last part is gone.
 *
 *	base | gap | part | part | gap | part | gap |
 *	           live    live  dead   live
 *
 * P1  Gaps and dead parts are canary of the whole object; neighbouring live
 *     parts have nothing between them.
 * P2  The word of a slot with parts is all ones; a run has divided set.  That
 *     there were parts is remembered, of a run until its next object.
 * P3  Parts are in order and do not overlap; dead ones are kept to tell a
 *     second free from a wrong pointer, and go where a part grows over them.
 */
#include "parts.h"

#include <errno.h>
#include <string.h>

#include "annotate.h"
#include "cache.h"
#include "meta.h"
#include "run.h"

static char *base_of(const struct secm_span *span, const char *p)
{
	size_t i;

	if (span->kind != SECM_SLAB)
		return span->u.run.live && span->u.run.divided
			       ? span->u.run.object
			       : NULL;
	i = secm_slot_of(span, p);
	if (i >= span->u.slab.slots ||
	    !secm_slot_has_parts(secm_peek(&span->u.slab.state[i])))
		return NULL;
	return secm_slot_at(span, i);
}

struct secm_whole *secm_parts_of(const struct secm_heap *heap,
				 const struct secm_span *span, const char *p)
{
	const char *base = base_of(span, p);
	struct secm_whole *whole;

	if (!base)
		return NULL;
	whole = secm_wholes_find(&heap->wholes, base);
	if (!whole)
		secm_die(SECM_DIE_META); /* P2 */
	return whole;
}

/* Tells slot.c or run.c that the object is divided, or is not any more. */
static void mark(struct secm_span *span, const struct secm_whole *whole,
		 int divided)
{
	struct secm_slab *slab = &span->u.slab;
	uint32_t slack;

	if (span->kind != SECM_SLAB) {
		span->u.run.divided = 1; /* for those who free a part again */
		return;
	}
	slab->parted = 1; /* likewise */
	slack = slab->slot - (uint32_t)whole->size;
	secm_poke(&slab->state[secm_slot_of(span, whole->base)],
		  divided ? UINT32_MAX : slack);
}

static struct secm_part *new_part(struct secm_heap *heap, char *start,
				  size_t size)
{
	struct secm_part *part = heap->spare_parts;

	if (part)
		heap->spare_parts = part->next;
	else
		part = secm_meta_alloc(sizeof(*part));
	if (!part)
		return NULL;
	part->next = NULL;
	part->start = start;
	part->size = size;
	part->live = 1;
	return part;
}

static void spare_part(struct secm_heap *heap, struct secm_part *part)
{
	part->next = heap->spare_parts;
	heap->spare_parts = part;
}

static void forget(struct secm_heap *heap, struct secm_whole *whole)
{
	struct secm_part *part;

	while ((part = whole->parts)) {
		whole->parts = part->next;
		spare_part(heap, part);
	}
	secm_wholes_remove(&heap->wholes, whole);
}

/* Bytes that belong to no part, and are closed then.  pre: they may be
 * overwritten */
static void fill(const struct secm_heap *heap, const struct secm_whole *whole,
		 char *from, char *end)
{
	if (from >= end)
		return;
	secm_annotate_open(from, (size_t)(end - from));
	secm_canary_fill(from, end, secm_canary(heap->vault, whole->base));
	secm_annotate_close(from, (size_t)(end - from));
}

/* The object is now its first part. */
static void annotate_made(const struct secm_whole *whole)
{
	const struct secm_part *part = whole->parts;

	if (part->start == whole->base) {
		secm_annotate_resize(part->start, whole->size, part->size);
		return;
	}
	secm_annotate_free(whole->base, whole->size);
	secm_annotate_alloc(part->start, part->size);
}

int secm_parts_make(struct secm_heap *heap, struct secm_span *span, char *base,
		    size_t size, char *start, size_t part_size)
{
	struct secm_part *part = new_part(heap, start, part_size);
	struct secm_whole *whole;

	if (!part)
		return -ENOMEM;
	whole = secm_wholes_add(&heap->wholes, base);
	if (!whole) {
		spare_part(heap, part);
		return -ENOMEM;
	}
	whole->size = size;
	whole->live = 1;
	whole->parts = part;
	annotate_made(whole);
	fill(heap, whole, base, start);
	fill(heap, whole, start + part_size, base + size);
	mark(span, whole, 1); /* P2 */
	return 0;
}

/* The part that starts at p, live or not. */
static struct secm_part *part_at(const struct secm_whole *whole, const char *p)
{
	struct secm_part *part;

	for (part = whole->parts; part; part = part->next)
		if (part->start == p)
			return part;
	return NULL;
}

int secm_parts_split(struct secm_heap *heap, struct secm_whole *whole, char *p,
		     size_t at)
{
	struct secm_part *part = part_at(whole, p);
	struct secm_part *rest = new_part(heap, p + at, part->size - at);

	if (!rest)
		return -ENOMEM;
	rest->next = part->next;
	part->next = rest;
	secm_annotate_resize(p, part->size, at);
	secm_annotate_alloc(rest->start, rest->size);
	part->size = at;
	whole->live++;
	return 0;
}

/* Where the bytes of the next live part begin, or the whole ends. */
static char *bound(const struct secm_whole *whole, const struct secm_part *part)
{
	for (part = part->next; part; part = part->next)
		if (part->live)
			return part->start;
	return whole->base + whole->size;
}

static int gap_is_whole(const struct secm_heap *heap,
			const struct secm_whole *whole, char *from, char *end)
{
	int intact;

	if (from >= end)
		return 1;
	secm_annotate_open(from, (size_t)(end - from));
	intact = secm_canary_whole(from, end,
				   secm_canary(heap->vault, whole->base));
	secm_annotate_close(from, (size_t)(end - from));
	return intact;
}

/* Up to there it is canary, behind the whole too. */
static char *outer_end(const struct secm_span *span,
		       const struct secm_whole *whole)
{
	return span->kind == SECM_SLAB ? whole->base + span->u.slab.slot
				       : secm_run_tail(span);
}

/* The gap behind a part, and the one before it. */
static void check_part(struct secm_heap *heap, const struct secm_span *span,
		       const struct secm_whole *whole,
		       const struct secm_part *part)
{
	char *before = whole->base, *end = bound(whole, part);
	const struct secm_part *p;

	if (span->dead)
		return; /* its canaries went with its pages */
	for (p = whole->parts; p != part; p = p->next)
		if (p->live)
			before = p->start + p->size;
	if (end == whole->base + whole->size)
		end = outer_end(span, whole);
	if (!gap_is_whole(heap, whole, part->start + part->size, end))
		secm_die(SECM_DIE_OVERFLOW);
	if (!gap_is_whole(heap, whole, before, part->start))
		secm_die(SECM_DIE_UNDERFLOW);
}

static struct secm_part *live_part(struct secm_heap *heap,
				   const struct secm_span *span,
				   const struct secm_whole *whole,
				   const char *p, const char *when_free)
{
	struct secm_part *part = part_at(whole, p);

	if (!part)
		secm_die(SECM_DIE_INTERIOR);
	if (!part->live)
		secm_die(when_free);
	check_part(heap, span, whole, part);
	return part;
}

void secm_parts_free(struct secm_heap *heap, struct secm_span *span,
		     struct secm_whole *whole, char *p)
{
	struct secm_part *part =
		live_part(heap, span, whole, p, SECM_DIE_DOUBLE_FREE);
	char *base = whole->base;

	part->live = 0;
	if (!secm_span_is_lost(span))
		secm_annotate_free(p, part->size);
	if (span->filled && !span->dead)
		fill(heap, whole, p, p + part->size); /* P1: wiped thereby */
	if (--whole->live > 0)
		return;
	mark(span, whole, 0);
	forget(heap, whole);
	if (span->kind == SECM_SLAB)
		secm_slot_free(heap, span, base);
	else
		secm_run_free(heap, span, base);
}

size_t secm_parts_checked_size(struct secm_heap *heap,
			       const struct secm_span *span,
			       const struct secm_whole *whole, const char *p)
{
	return live_part(heap, span, whole, p, SECM_DIE_REUSE)->size;
}

int secm_parts_resize(struct secm_heap *heap, const struct secm_span *span,
		      struct secm_whole *whole, char *p, size_t size)
{
	struct secm_part *part = part_at(whole, p), *next;
	size_t old = part->size;

	if (span->dead || size > (size_t)(bound(whole, part) - p))
		return 0;
	while ((next = part->next) && !next->live && next->start < p + size) {
		part->next = next->next; /* P3 */
		spare_part(heap, next);
	}
	secm_annotate_resize(p, old, size);
	if (size > old)
		secm_wipe(p + old, size - old); /* canary was there */
	part->size = size;
	if (size < old)
		fill(heap, whole, p + size, p + old);
	return 1;
}

int secm_parts_find(const struct secm_whole *whole, const char *p, char **start,
		    size_t *size)
{
	const struct secm_part *part;

	for (part = whole->parts; part; part = part->next) {
		if (!part->live || p < part->start)
			continue;
		if (p >= part->start + part->size && p != part->start)
			continue;
		*start = part->start;
		*size = part->size;
		return 1;
	}
	return 0;
}

void secm_parts_verify(struct secm_heap *heap, const struct secm_span *span,
		       const struct secm_whole *whole)
{
	const struct secm_part *part;

	for (part = whole->parts; part; part = part->next)
		if (part->live)
			check_part(heap, span, whole, part);
}

void secm_parts_forget_all(struct secm_heap *heap)
{
	struct secm_whole *whole;
	size_t i = 0;

	while ((whole = secm_wholes_from(&heap->wholes, &i)))
		forget(heap, whole);
}
