/* SPDX-License-Identifier: MIT */
/*
 * orphan.c - objects that outlive their pages: after fork, after shutdown
 *
 * Callers: fork.c in the child, heap.c at shutdown; under the heap's lock.
 *
 * Old pointers stay known: their spans keep address space and bitmaps, so that
 * freeing them is still checked to the byte, and their addresses serve only
 * their own kind.  A span whose last dead object is freed is like any other.
 */
#include "orphan.h"

#include <string.h>

#include "annotate.h"
#include "cache.h"
#include "run.h"
#include "scope.h"
#include "slab.h"
#include "snapshot.h"
#include "vault.h"

enum { FORK_BY_KERNEL = SECM_FORK_ZERO | SECM_FORK_GONE };

static void forget_extents(struct secm_heap *heap, struct secm_span *span)
{
	struct secm_extent *e;

	while ((e = span->extents)) {
		span->extents = e->next;
		e->next = heap->spare_extents;
		heap->spare_extents = e;
	}
	span->direct = span->pinned = 0;
}

static void wipe_pages(struct secm_span *span)
{
	secm_scope_open(span);
	secm_annotate_open(span->data, secm_span_bytes(span));
	secm_wipe(span->data, secm_span_bytes(span));
}

/* The span's pages become reserved space: 1, or 0 if the place is lost. */
static int lose_pages(struct secm_heap *heap, struct secm_span *span,
		      int forked)
{
	int r = 0;

	if (!forked)
		secm_span_hide(span);
	/* Nobody but us empties these in a child. */
	if (span->filled && !(forked && (span->props & FORK_BY_KERNEL)))
		wipe_pages(span);
	if (span->filled) {
		r = forked && (span->props & SECM_FORK_GONE)
			    ? secm_os_reclaim(span->data, secm_span_bytes(span))
			    : secm_os_unmap(span->data, secm_span_bytes(span));
	}
	forget_extents(heap, span);
	span->access = SECM_READWRITE; /* of pages that come */
	if (r == 0)
		return 1;
	span->filled = span->capacity = 0; /* never used again */
	return 0;
}

/* Lists start anew; spans without objects wait in their buckets. */
static void sort_out(struct secm_heap *heap, struct secm_span *span)
{
	if (span->kind == SECM_SLAB)
		secm_slab_forget_caches(span);
	span->quick = SECM_QUICK_NOT;
	span->next = span->older = span->newer = NULL;
	span->link = NULL;
	if (secm_span_has_objects(span)) {
		span->dead = 1;
		return;
	}
	span->filled = 0;
	secm_span_push(&heap->bucket[span->kind][span->bucket].empty, span);
}

static void reset(struct secm_heap *heap)
{
	memset(heap->class, 0, sizeof(heap->class));
	memset(heap->bucket, 0, sizeof(heap->bucket));
	memset(&heap->queue, 0, sizeof(heap->queue));
	memset(heap->mapped, 0, sizeof(heap->mapped));
	heap->busy = heap->idle = heap->peak = heap->runs = heap->sampled = 0;
	heap->refused = heap->degraded = 0;
	memset(&heap->shed, 0, sizeof(heap->shed));
	secm_caches_reset_counts(heap);
	heap->segment = NULL;
	heap->vault = NULL;
	heap->vault_span = NULL;
}

/* Where hidden pages are accounted at first touch, a touch could fail, so
 * dead objects get pages of the next rung there. */
static unsigned dead_rung(const struct secm_policy *policy)
{
	if (secm_os.hidden_lazy && policy->rungs > 1 &&
	    (policy->rung[0].want & SECM_HIDDEN))
		return 1;
	return 0;
}

/* Pages of a rung, and where a touch could fail later, now. */
static int map_zeros(struct secm_heap *heap, struct secm_span *span,
		     unsigned rung)
{
	int r = secm_policy_map(heap, rung, span->data, secm_span_bytes(span),
				&span->props);

	if (r || !secm_os.hidden_lazy || !(span->props & SECM_HIDDEN))
		return r;
	secm_annotate_open(span->data, secm_span_bytes(span));
	r = secm_policy_populate(heap, span->data, secm_span_bytes(span));
	if (r && secm_policy_unmap(heap, span->data, secm_span_bytes(span),
				   span->props) != 0)
		secm_os_panic("secmalloc: cannot take a mapping back\n");
	return r;
}

/* Pages of zeros where they were, of that rung or a lower one: 1 or 0. */
static int new_pages(struct secm_heap *heap, struct secm_span *span,
		     unsigned rung)
{
	while (rung < heap->policy.rungs && map_zeros(heap, span, rung) != 0)
		rung++;
	if (rung == heap->policy.rungs)
		return 0;
	span->rung = (unsigned char)rung;
	span->direct = 1;
	heap->busy += secm_span_bytes(span);
	return 1;
}

/* As at rest in the parent.  Zeros that stay open hide nothing. */
static void close_again(struct secm_span *span)
{
	if (secm_scope_apply(span) != 0 && !span->dead)
		secm_scope_panic();
}

/* For dead objects zeros, protected like others.  Where there is no room for
 * them they can at least be read, as that takes no memory. */
static void bury(struct secm_heap *heap, struct secm_span *span)
{
	if (heap->policy.config.child == SECMALLOC_CHILD_NOTHING) {
		span->filled = 0;
		return;
	}
	if (new_pages(heap, span, dead_rung(&heap->policy))) {
		close_again(span);
		return;
	}
	if (secm_os_access(span->data, secm_span_bytes(span), SECM_READ) == 0)
		span->shown = span->filled;
	span->filled = 0;
}

static void take_back(struct secm_heap *heap, struct secm_span *span)
{
	heap->busy -= secm_span_bytes(span);
	span->direct = 0;
	if (secm_policy_unmap(heap, span->data, secm_span_bytes(span),
			      span->props) != 0)
		secm_os_panic("secmalloc: cannot take a mapping back\n");
}

/* Objects that live on, with what they had in the parent: 1, or 0 and they are
 * dead. */
static int revive(struct secm_heap *heap, struct secm_span *span,
		  const char *from)
{
	if (!new_pages(heap, span, 0))
		return 0;
	secm_annotate_open(span->data, secm_span_bytes(span));
	if (secm_policy_populate(heap, span->data, secm_span_bytes(span)) !=
	    0) {
		take_back(heap, span);
		return 0;
	}
	if (span->rung > 0)
		heap->degraded++;
	memcpy(span->data, from, secm_span_bytes(span));
	span->dead = 0;
	if (span->kind == SECM_SLAB)
		secm_slab_revive(heap, span);
	close_again(span);
	return 1;
}

static void annotate_object(const struct secm_span *span, char *start,
			    size_t size)
{
	if (secm_span_is_lost(span))
		secm_annotate_free(start, size);
	else
		secm_annotate_open(start, size);
}

/* What is alive in that slot or run of a dead span, if anything is. */
static void annotate_whole(struct secm_heap *heap, struct secm_span *span,
			   char *at)
{
	struct secm_whole *whole = secm_parts_of(heap, span, at);
	const struct secm_part *part;
	size_t size;

	if (whole) {
		for (part = whole->parts; part; part = part->next)
			if (part->live)
				annotate_object(span, part->start, part->size);
	} else if (span->kind == SECM_SLAB
			   ? secm_slot_find(span, at, &at, &size)
			   : secm_run_find(span, at, &at, &size)) {
		annotate_object(span, at, size);
	}
}

/* The pages are others now, or none: then the objects are as good as freed. */
void secm_orphan_annotate(struct secm_heap *heap, struct secm_span *span)
{
	size_t pages = span->filled ? span->filled : span->shown, i;

	if (!secm_watched || !secm_span_has_objects(span))
		return;
	secm_annotate_close(span->data, pages * secm_os.page);
	if (span->kind == SECM_SEGMENT) {
		if (pages)
			secm_annotate_open(span->data, span->u.run.size);
	} else if (span->kind != SECM_SLAB) {
		if (!pages || span->access != SECM_NONE)
			annotate_whole(heap, span, span->u.run.object);
	} else {
		for (i = 0; i < span->u.slab.slots; i++)
			annotate_whole(heap, span, secm_slot_at(span, i));
	}
}

/* One span in a child.  from: its pages in the snapshot, or NULL. */
static void child_span(struct secm_heap *heap, struct secm_span *span,
		       const char *from)
{
	int lost = secm_span_is_lost(span);

	if (!lose_pages(heap, span, 1))
		from = NULL;
	if (span->kind == SECM_GUARDED && span->u.run.stack)
		span->u.run.live = 0; /* of a thread that is not here */
	sort_out(heap, span);
	if (span->dead && span->filled && !(from && revive(heap, span, from)))
		bury(heap, span);
	if (!lost)
		secm_orphan_annotate(heap, span);
}

/* Where the snapshot has a span's pages; NULL: it has not. */
static const char *in_snapshot(const struct secm_heap *heap,
			       const struct secm_span *which)
{
	const char *at = heap->snapshot.at;
	const struct secm_span *span;

	if (!heap->snapshot.len || !secm_snapshot_has(heap, which))
		return NULL;
	for (span = heap->all; span != which; span = span->all)
		at += secm_snapshot_has(heap, span) ? secm_span_bytes(span) : 0;
	return at;
}

/* The key of all canaries: without it nothing can live on. */
static void revive_vault(struct secm_heap *heap, struct secm_span *span,
			 const char *from)
{
	if (!lose_pages(heap, span, 1) || !revive(heap, span, from))
		return;
	heap->vault = (struct secm_vault *)(void *)span->data;
	if (secm_vault_stir(heap->vault) == 0)
		return;
	heap->vault = NULL; /* no child may draw what its parent draws */
}

static void children_of(struct secm_heap *heap, const char *from,
			const struct secm_span *vault)
{
	struct secm_span *span;

	for (span = heap->all; span; span = span->all) {
		int has = from &&
			  (span == vault || secm_snapshot_has(heap, span));
		size_t len = has ? secm_span_bytes(span) : 0;

		if (!heap->vault || span != vault)
			child_span(heap, span,
				   has && heap->vault ? from : NULL);
		from = from ? from + len : NULL;
	}
}

void secm_orphan_forked(struct secm_heap *heap)
{
	struct secm_span *vault = heap->vault_span, *segment = heap->segment;
	const char *copy = secm_snapshot_open(heap);
	const char *key = copy ? in_snapshot(heap, vault) : NULL;

	reset(heap);
	secm_scope_forget(heap, 1);
	secm_pool_orphan_all(heap, 1);
	if (key) {
		heap->vault_span = vault;
		revive_vault(heap, vault, key);
	}
	if (!heap->vault)
		heap->vault_span = NULL;
	children_of(heap, copy, vault);
	secm_snapshot_child(heap);
	if (secm_heap_has_caches(heap))
		secm_caches_forget(heap);
	if (heap->state != SECM_READY)
		return;
	if (heap->vault) {
		heap->segment = segment && !segment->dead ? segment : NULL;
		if (secm_heap_has_caches(heap))
			secm_caches_open(heap);
		return;
	}
	heap->state = SECM_NEW;
	heap->orphan = 1;
}

void secm_orphan_stopped(struct secm_heap *heap)
{
	struct secm_span *span;

	secm_caches_stop(heap);
	(void)secm_caches_drain(heap, SECM_CLASSES);
	reset(heap);
	secm_scope_forget(heap, 0);
	for (span = heap->all; span; span = span->all) {
		int lost = secm_span_is_lost(span);

		lose_pages(heap, span, 0);
		span->filled = 0;
		sort_out(heap, span);
		if (!lost)
			secm_orphan_annotate(heap, span);
	}
	secm_pool_orphan_all(heap, 0);
	heap->state = SECM_DOWN;
	heap->orphan = 0;
	secm_caches_resume(heap); /* there is no vault: they stay closed */
}

void secm_orphan_forget(struct secm_heap *heap)
{
	struct secm_span *span;

	secm_parts_forget_all(heap);
	for (span = heap->all; span; span = span->all) {
		if (!span->dead)
			continue;
		if (span->kind == SECM_SLAB)
			secm_slab_forget_objects(span);
		else
			span->u.run.live = span->u.run.divided = 0;
		span->dead = 0;
		span->shown = 0;
		sort_out(heap, span);
	}
}
