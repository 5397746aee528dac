/* SPDX-License-Identifier: MIT */
/*
 * slot.c - one small object: make, check, resize and end it
 *
 * Callers: heap.c, cache.c and upkeep.c, under the heap's lock.  Threads with
 * caches do the same to slots of theirs meanwhile, without the lock: cache.h.
 * Invariants: slot.h.
 */
#include "slot.h"

#include <errno.h>

#include "annotate.h"
#include "cache.h"
#include "scope.h"
#include "slab.h"

static void lay(struct secm_heap *heap, const struct secm_span *span, size_t i,
		size_t size, uint32_t tag)
{
	size_t slot = span->u.slab.slot;
	char *p = secm_slot_at(span, i);

	secm_canary_fill(p + size, p + slot, secm_canary(heap->vault, p));
	secm_poke(&span->u.slab.state[i], tag | (uint32_t)(slot - size));
}

void secm_slot_make(struct secm_heap *heap, char *p, size_t size, uint32_t tag)
{
	struct secm_span *span = secm_index_find(p);
	size_t i = secm_slot_of(span, p);

	if (secm_peek(&span->u.slab.state[i]) != 0)
		secm_die(SECM_DIE_DOUBLE_FREE); /* S3 */
	secm_annotate_open(p, span->u.slab.slot);
	if (!secm_is_zero(p, span->u.slab.slot))
		secm_die(SECM_DIE_WRITE_AFTER_FREE); /* S1 */
	lay(heap, span, i, size, tag);
	secm_annotate_close(p, span->u.slab.slot);
	secm_annotate_alloc(p, size);
	heap->class[span->bucket].allocations++;
}

int secm_slot_alloc(struct secm_heap *heap, size_t size, uint32_t tag,
		    void **out)
{
	struct secm_span *span;
	size_t i;
	int r = secm_slab_take(heap, secm_object_class(size), &span, &i);

	if (r)
		return r;
	*out = secm_slot_at(span, i);
	secm_scope_open(span);
	secm_slot_make(heap, *out, size, tag);
	return 0;
}

/* The slot that starts at p, which must hold a live object. */
static size_t live_slot(const struct secm_span *span, const char *p,
			const char *when_free, uint32_t *state)
{
	const struct secm_slab *slab = &span->u.slab;
	size_t i = secm_slot_of(span, p);

	if (i >= slab->slots)
		secm_die(SECM_DIE_WILD);
	*state = secm_peek(&slab->state[i]);
	/* In an empty slot that is where a part may have begun. */
	if (secm_slot_at(span, i) != p &&
	    !(slab->parted && secm_slack(*state) == 0))
		secm_die(SECM_DIE_INTERIOR);
	if (secm_slack(*state) == 0)
		secm_die(when_free);
	return i;
}

static const char *damage(const struct secm_heap *heap,
			  const struct secm_span *span, size_t i,
			  uint32_t state)
{
	const char *p = secm_slot_at(span, i);
	const char *end = p + span->u.slab.slot;

	if (!secm_canary_stands(end, secm_slack(state), SECM_SLOT_MAX,
				secm_canary(heap->vault, p)))
		return SECM_DIE_OVERFLOW;
	if (i > 0 && !secm_slot_whole_before(heap->vault, p, span->u.slab.slot,
					     secm_slot_before(p)))
		return SECM_DIE_UNDERFLOW;
	return NULL;
}

/* What looks wrong may be another thread at work on the slot before: look
 * again while they wait.  Or one that frees the same object at the same instant
 * and has wiped it already: then its word is not ours (S3). */
static void check_canary(struct secm_heap *heap, const struct secm_span *span,
			 size_t i, uint32_t state, uint32_t ours)
{
	char *p = secm_slot_at(span, i), *end = p + span->u.slab.slot;
	size_t slack = secm_slack(state), before = i > 0 ? SECM_CANARY_MIN : 0;
	const char *line;

	if (span->dead)
		return; /* its canaries went with its pages */
	secm_annotate_open(p - before, before);
	secm_annotate_open(end - slack, slack);
	line = damage(heap, span, i, state);
	secm_annotate_close(p - before, before);
	secm_annotate_close(end - slack, slack);
	if (!line)
		return;
	secm_caches_stop(heap);
	line = damage(heap, span, i, state);
	if (line && secm_peek(&span->u.slab.state[i]) != ours)
		line = ours ? SECM_DIE_REUSE : SECM_DIE_DOUBLE_FREE;
	secm_caches_resume(heap);
	if (line)
		secm_die(line);
}

void secm_slot_free(struct secm_heap *heap, struct secm_span *span, char *p)
{
	uint32_t state;
	size_t i = live_slot(span, p, SECM_DIE_DOUBLE_FREE, &state);

	if (!secm_swap(&span->u.slab.state[i], state, 0))
		secm_die(SECM_DIE_DOUBLE_FREE); /* somebody was faster */
	check_canary(heap, span, i, state, 0);
	if (!secm_span_is_lost(span))
		secm_annotate_free(p, span->u.slab.slot - secm_slack(state));
	secm_annotate_open(p, span->u.slab.slot);
	if (span->filled)
		secm_wipe(p, span->u.slab.slot); /* S1 */
	secm_annotate_close(p, span->u.slab.slot);
	if (!secm_cache_give(span, i))
		secm_slab_give(heap, span, &(uint32_t){ (uint32_t)i }, 1);
}

size_t secm_slot_checked_size(struct secm_heap *heap, struct secm_span *span,
			      char *p)
{
	uint32_t state;
	size_t i = live_slot(span, p, SECM_DIE_REUSE, &state);

	check_canary(heap, span, i, state, state);
	return span->u.slab.slot - secm_slack(state);
}

int secm_slot_misfits(const struct secm_span *span, size_t size)
{
	return size > SECM_SLAB_LARGEST ||
	       secm_object_class(size) != span->bucket;
}

int secm_slot_resize(struct secm_heap *heap, struct secm_span *span, char *p,
		     size_t size)
{
	size_t i = secm_slot_of(span, p), slot = span->u.slab.slot, old;
	uint32_t state = secm_peek(&span->u.slab.state[i]);

	if (span->dead || size > slot - SECM_CANARY_MIN)
		return 0;
	old = slot - secm_slack(state);
	secm_annotate_open(p + old, slot - old);
	/* What is cut off, or the canary that was there. */
	secm_wipe(p + (size < old ? size : old),
		  slot - (size < old ? size : old));
	lay(heap, span, i, size, state & ~(uint32_t)SECM_SLACK_MASK);
	secm_annotate_resize(p, old, size);
	secm_annotate_close(p + size, slot - size);
	return 1;
}

int secm_slot_find(const struct secm_span *span, const char *p, char **start,
		   size_t *size)
{
	const struct secm_slab *slab = &span->u.slab;
	size_t i = secm_slot_of(span, p);
	uint32_t state;

	if (i >= slab->slots)
		return 0;
	state = secm_peek(&slab->state[i]);
	if (secm_slack(state) == 0)
		return 0;
	*start = secm_slot_at(span, i);
	*size = slab->slot - secm_slack(state);
	return 1;
}

void secm_slot_verify(struct secm_heap *heap, const struct secm_span *span,
		      size_t i)
{
	uint32_t state = secm_peek(&span->u.slab.state[i]);
	char *p = secm_slot_at(span, i);

	if (span->dead)
		return;
	if (secm_slack(state) != 0) {
		check_canary(heap, span, i, state, state);
		return;
	}
	secm_annotate_open(p, span->u.slab.slot);
	if (!secm_is_zero(p, span->u.slab.slot))
		secm_die(SECM_DIE_WRITE_AFTER_FREE); /* S1 */
	secm_annotate_close(p, span->u.slab.slot);
}
