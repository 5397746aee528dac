/* SPDX-License-Identifier: MIT */
/*
 * heap.c - setting up, and which part of the allocator an object belongs to
 *
 * Callers: api.c, with secm_heap_lock held.
 *
 * I1  Every pointer from outside goes through secm_index_find() first; what
 *     that does not know is not ours.
 * I2  The vault is filled before the first object and outlives the last.
 */
#include "heap.h"

#include <errno.h>
#include <string.h>

#include "annotate.h"
#include "cache.h"
#include "conf.h"
#include "fork.h"
#include "index.h"
#include "orphan.h"
#include "retain.h"
#include "run.h"
#include "scope.h"
#include "segment.h"
#include "snapshot.h"
#include "tell.h"

SECM_LINE struct secm_heap secm_default_heap;
SECM_LINE struct secm_lock secm_heap_lock = SECM_LOCK_INIT;

/* Valgrind complains of each reservation that is larger. */
enum { WATCHED_RESERVE = 1 << 27 };

void secm_heap_probe(void)
{
	if (secm_os.page)
		return;
	secm_os_init(&secm_os);
	secm_annotate_init();
	secm_annotate_enter(); /* which this thread did unwatched */
	if (secm_watched && secm_os.reserve_hint > WATCHED_RESERVE)
		secm_os.reserve_hint = WATCHED_RESERVE;
	secm_cache_setup();
}

static int make_vault(struct secm_heap *heap)
{
	struct secm_span *span;
	int r = secm_span_get(heap, SECM_GUARDED, secm_page_bucket(1), 1, 1,
			      &span);

	if (r)
		return r;
	r = secm_span_fill(heap, span, 1);
	secm_annotate_open(span->data, sizeof(struct secm_vault));
	if (r == 0)
		r = secm_vault_fill((struct secm_vault *)(void *)span->data);
	if (r) {
		secm_annotate_close(span->data, sizeof(struct secm_vault));
		secm_retain_put(heap, span);
		return r;
	}
	heap->vault_span = span;
	heap->vault = (struct secm_vault *)(void *)span->data;
	return 0;
}

/* Locked now, whatever happens to the privileges later. */
static int make_pools(struct secm_heap *heap)
{
	const struct secmalloc_config *c = &heap->policy.config;
	size_t pages = (c->pool_size + secm_os.page - 1) / secm_os.page;
	unsigned i, rung;
	size_t total;
	int r = secm_size_mul(pages * secm_os.page, c->initial_pools, &total);

	if (r == 0)
		r = secm_policy_possible(heap, total);
	for (i = 0; i < c->initial_pools && r == 0; i++) {
		r = -ENOTSUP;
		for (rung = 0; rung < heap->policy.rungs && r; rung++)
			r = secm_pool_new(heap, rung, pages, pages, 1);
		if (r == 0 && rung > 1) {
			heap->degraded++;
			secm_tell_degraded(heap, heap->pools->props);
		}
	}
	return r;
}

/* Gives back what a start that failed has taken. */
static void abandon(struct secm_heap *heap)
{
	struct secm_pool *pool;

	for (pool = heap->pools; pool; pool = pool->next)
		pool->pinned = 0;
	heap->pinned = 0;
	(void)secm_retain_trim(heap); /* whatever there is */
}

/* The first error that a start can have, as secmalloc_init() documents. */
static int start_error(int r)
{
	return r == -EINVAL || r == -ENOTSUP ? r : -ENOMEM;
}

int secm_heap_start(struct secm_heap *heap,
		    const struct secmalloc_config *config)
{
	int r;

	secm_heap_probe();
	if (heap->state == SECM_READY)
		return -EALREADY;
	r = secm_policy_set(&heap->policy, config);
	secm_conf_tell(heap);
	if (r) {
		secm_tell_start(heap, r);
		return r;
	}
	r = secm_fork_setup();
	if (r == 0)
		r = make_pools(heap);
	if (r == 0)
		r = make_vault(heap);
	secm_tell_start(heap, r);
	if (r) {
		abandon(heap);
		return start_error(r);
	}
	heap->orphan = 0;
	heap->state = SECM_READY;
	if (secm_heap_has_caches(heap))
		secm_caches_open(heap);
	return 0;
}

int secm_heap_ready(struct secm_heap *heap)
{
	struct secmalloc_config config;

	if (SECM_LIKELY(heap->state == SECM_READY))
		return 0;
	if (heap->state == SECM_DOWN)
		return -EPERM;
	if (!heap->orphan)
		return secm_heap_start(heap, NULL);
	config = heap->policy.config;
	config.initial_pools = 0; /* they were the parent's */
	return secm_heap_start(heap, &config);
}

void secm_heap_stop(struct secm_heap *heap)
{
	secm_snapshot_drop(heap);
	secm_orphan_stopped(heap);
}

struct secm_heap *secm_heap_of(const void *p)
{
	const struct secm_span *span = secm_index_find(p);

	return span ? span->heap : &secm_default_heap;
}

/* An object of the slab, or where there is no more memory one of the slots
 * that this thread keeps. */
static int alloc_small(struct secm_heap *heap, size_t size, void **out)
{
	unsigned class = secm_object_class(size);
	struct secm_place place;
	int r;

	if (!secm_heap_has_caches(heap))
		return secm_slot_alloc(heap, size, 0, out);
	r = secm_slot_alloc(heap, size, secm_cache_tag(), out);
	if (r == 0) {
		secm_cache_refill(heap, class);
		return 0;
	}
	if (!secm_cache_take(heap, class, &place))
		return r;
	*out = place.p;
	secm_slot_make(heap, place.p, size, secm_cache_tag());
	return 0;
}

int secm_heap_alloc_plain(struct secm_heap *heap, size_t size, void **out)
{
	if (size > PTRDIFF_MAX)
		return -ENOMEM;
	if (size > SECM_SLAB_LARGEST)
		return secm_run_alloc(heap, SECM_RUN, size, out);
	return alloc_small(heap, size, out);
}

static int alloc_guarded(struct secm_heap *heap, size_t size, void **out)
{
	return size > PTRDIFF_MAX
		       ? -ENOMEM
		       : secm_run_alloc(heap, SECM_GUARDED, size, out);
}

/* An ordinary object; some of the small ones are guarded by chance. */
static int alloc_any(struct secm_heap *heap, size_t size, void **out)
{
	if (size > SECM_SLAB_LARGEST || SECM_LIKELY(!secm_cache_sample(heap)) ||
	    alloc_guarded(heap, size, out) != 0)
		return secm_heap_alloc_plain(heap, size, out);
	secm_index_find(*out)->u.run.sampled = 1;
	heap->sampled++;
	return 0;
}

static int alloc(struct secm_heap *heap, size_t size, enum secm_how how,
		 void **out)
{
	switch (how) {
	case SECM_HOW_GUARDED:
		return alloc_guarded(heap, size, out);
	case SECM_HOW_PLAIN:
		return secm_heap_alloc_plain(heap, size, out);
	default:
		return alloc_any(heap, size, out);
	}
}

int secm_heap_alloc(struct secm_heap *heap, size_t size, enum secm_how how,
		    void **out)
{
	int r = alloc(heap, size, how, out);

	if (r == -ENOMEM && secm_caches_drain(heap, SECM_CLASSES) > 0)
		r = alloc(heap, size, how, out); /* others kept it */
	if (r) {
		heap->refused++;
		if (heap->policy.reason == SECMALLOC_REASON_NONE)
			secm_policy_blame(&heap->policy,
					  SECMALLOC_REASON_MAPPINGS, ENOMEM);
		secm_tell_refused(heap, size);
	}
	return r;
}

/* The span that p lies in; dies if no object was ever there. */
static struct secm_span *span_of(const void *p)
{
	struct secm_span *span = secm_index_find(p);

	if (!span || span->kind == SECM_SEGMENT)
		secm_die(SECM_DIE_WILD);
	secm_scope_open(span);
	return span;
}

size_t secm_heap_check(struct secm_heap *heap, void *p, struct secm_span **span,
		       struct secm_whole **whole)
{
	*span = span_of(p);
	*whole = secm_parts_of(heap, *span, p);
	if (*whole)
		return secm_parts_checked_size(heap, *span, *whole, p);
	if ((*span)->kind == SECM_SLAB)
		return secm_slot_checked_size(heap, *span, p);
	return secm_run_checked_size(heap, *span, p);
}

void secm_heap_free(struct secm_heap *heap, void *p)
{
	struct secm_span *span = span_of(p);
	struct secm_whole *whole = secm_parts_of(heap, span, p);

	secm_scope_leave(p);
	if (span->kind == SECM_SLAB && secm_heap_has_caches(heap))
		secm_cache_flush(heap, span->bucket);
	if (whole)
		secm_parts_free(heap, span, whole, p);
	else if (span->kind == SECM_SLAB)
		secm_slot_free(heap, span, p);
	else
		secm_run_free(heap, span, p);
}

int secm_heap_find(struct secm_heap *heap, const void *p, char **start,
		   size_t *size)
{
	const struct secm_span *span = secm_index_find(p);
	const struct secm_whole *whole;

	if (!span || span->kind == SECM_SEGMENT)
		return 0;
	whole = secm_parts_of(heap, span, p);
	if (whole)
		return secm_parts_find(whole, p, start, size);
	if (span->kind == SECM_SLAB)
		return secm_slot_find(span, p, start, size);
	return secm_run_find(span, p, start, size);
}

int secm_heap_size(struct secm_heap *heap, const void *p, size_t *size)
{
	size_t found;
	char *start;

	if (!secm_heap_find(heap, p, &start, &found) ||
	    start != (const char *)p)
		return -EINVAL;
	*size = found;
	return 0;
}

int secm_heap_owns(struct secm_heap *heap, const void *p)
{
	size_t size, offset;
	char *start;

	if (secm_segment_owns(heap, p))
		return 1;
	if (!secm_heap_find(heap, p, &start, &size))
		return 0;
	offset = (size_t)((const char *)p - start);
	return offset < size || offset == 0;
}

int secm_heap_guarded(struct secm_heap *heap, const void *p,
		      struct secm_span **span)
{
	size_t size;

	*span = secm_index_find(p);
	if (!*span || (*span)->kind != SECM_GUARDED || (*span)->u.run.sampled)
		return -EINVAL;
	return secm_heap_size(heap, p, &size);
}
