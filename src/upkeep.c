/* SPDX-License-Identifier: MIT */
/*
 * upkeep.c - look after the whole heap: verify it, trim it
 *
 * Public functions; under the heap's lock, with the caches stopped.
 */
#include <errno.h>

#include "api.h"
#include "cache.h"
#include "retain.h"
#include "run.h"
#include "scope.h"
#include "secmalloc.h"

/* One that waits may have given back only a part of its pages. */
static size_t slots_in(const struct secm_span *span)
{
	size_t slots = span->filled * secm_os.page / span->u.slab.slot;

	return slots < span->u.slab.slots ? slots : span->u.slab.slots;
}

static size_t verify_slab(struct secm_heap *heap, struct secm_span *span)
{
	size_t slots = slots_in(span), i, n = 0;

	secm_scope_open(span);
	for (i = 0; i < slots; i++) {
		struct secm_whole *whole =
			secm_parts_of(heap, span, secm_slot_at(span, i));

		if (whole) {
			secm_parts_verify(heap, span, whole);
			n += whole->live;
			continue;
		}
		secm_slot_verify(heap, span, i);
		n += secm_slack(secm_peek(&span->u.slab.state[i])) != 0;
	}
	return n;
}

static size_t verify_run(struct secm_heap *heap, struct secm_span *span)
{
	struct secm_whole *whole;

	secm_run_verify(heap, span);
	if (!span->u.run.live || span == heap->vault_span)
		return 0;
	whole = secm_parts_of(heap, span, span->data);
	if (!whole)
		return 1;
	secm_parts_verify(heap, span, whole);
	return whole->live;
}

/* Live objects; the process ends if a byte is not what it should be. */
static size_t verify(struct secm_heap *heap)
{
	struct secm_span *span;
	size_t n = 0;

	secm_caches_stop(heap);
	for (span = heap->all; span; span = span->all) {
		if (span->dead || !span->filled || span->kind == SECM_SEGMENT)
			continue;
		n += span->kind == SECM_SLAB ? verify_slab(heap, span)
					     : verify_run(heap, span);
	}
	secm_caches_resume(heap);
	return n;
}

/* The sum over all heaps. */
static size_t of_all(size_t (*of)(struct secm_heap *heap))
{
	struct secm_heap *heap;
	int saved = errno;
	size_t n = 0;

	if (secm_enter_anyway() != 0)
		return 0;
	for (heap = &secm_default_heap; heap; heap = heap->next)
		n += heap->vault ? of(heap) : 0;
	secm_leave();
	errno = saved;
	return n;
}

SECM_API size_t secmalloc_verify(void)
{
	return of_all(verify);
}

static size_t trim(struct secm_heap *heap)
{
	size_t before = secm_heap_mapped(heap);

	(void)secm_caches_drain(heap, SECM_CLASSES);
	(void)secm_retain_trim(heap); /* as far as that works */
	return before - secm_heap_mapped(heap);
}

SECM_API size_t secmalloc_trim(void)
{
	return of_all(trim);
}
