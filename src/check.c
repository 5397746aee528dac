/* SPDX-License-Identifier: MIT */
/*
 * check.c - the invariants of a heap, counted anew from its structures
 *
 * Callers: api.c before it lets go of the lock, in debug builds.  Reads only
 * metadata.  Costs time in proportion to the heap, so large heaps are checked
 * at some calls only.
 */
#include "check.h"

#ifdef SECM_DEBUG

#include <errno.h>

#include "bits.h"
#include "cache.h"
#include "heap.h"
#include "index.h"
#include "slot.h"

/* With so many spans or objects each call is checked, with n times as many
 * every nth. */
enum { SELDOM = 256 };

/* What the heap's counters should say. */
struct census {
	size_t mapped[SECMALLOC_TIERS];
	size_t busy, queued, idle, slots, pinned;
	size_t needed, spans;
};

static void must(int holds)
{
	if (!holds)
		secm_die(SECM_DIE_META);
}

static size_t bytes(size_t pages)
{
	return pages * secm_os.page;
}

/* Between two calls nothing is on its way: what has no object waits. */
static int waits(const struct secm_heap *heap, const struct secm_span *span)
{
	if (span->kind == SECM_SLAB)
		return span->u.slab.used == 0;
	return !span->u.run.live && span != heap->vault_span &&
	       span != heap->segment;
}

/* Bits of taken and room, word by word; and the list the slab is in. */
static void check_slab(const struct secm_span *span, int waiting,
		       struct census *c)
{
	const struct secm_slab *slab = &span->u.slab;
	size_t words = secm_bits_words(slab->slots), w;
	size_t used = 0, i;

	if (!slab->taken || waiting)
		return;
	for (i = 0; i < slab->slots; i++) {
		used += (size_t)secm_bit(slab->taken, i);
		/* The words of taken ones belong to whoever has them.  Others
		 * have none, unless two threads gave one back at once. */
		if (!secm_bit(slab->taken, i) && secm_peek(&slab->state[i]))
			secm_die(SECM_DIE_DOUBLE_FREE);
	}
	must(used == slab->used);
	for (w = 0; w < words && !span->dead; w++) {
		size_t end = (w + 1) * SECM_WORD_BITS;
		int room = 0;

		for (i = end - SECM_WORD_BITS; i < end && i < slab->slots; i++)
			room |= !secm_bit(slab->taken, i);
		must(room == secm_bit(slab->room, w)); /* slab.c I1 */
	}
	must((span->link != NULL) ==
	     (!span->dead && slab->used < slab->slots)); /* slab.c I2 */
	if (!span->dead)
		c->idle += (slab->slots - slab->used) * (size_t)slab->slot;
	c->slots += slab->slots;
}

static void check_extents(const struct secm_span *span, int waiting,
			  struct census *c)
{
	const struct secm_extent *e;
	size_t pages = 0, i;

	for (e = span->extents; e; e = e->next) {
		pages += e->pages;
		for (i = 0; i < e->pages; i++) /* pool.c I1 */
			must(secm_bit(e->pool->away, e->first + i));
	}
	must(span->direct || span->pinned || pages == span->filled);
	c->needed += waiting ? 0 : pages; /* retain.c I3 */
	c->spans++;
}

static void check_span(const struct secm_heap *heap,
		       const struct secm_span *span, struct census *c)
{
	int waiting = waits(heap, span);

	must(span->filled <= span->capacity);
	must(!span->filled || secm_index_find(span->data) == span);
	check_extents(span, waiting, c);
	if (span->kind == SECM_SLAB)
		check_slab(span, waiting, c);
	if (span->direct)
		c->mapped[secm_policy_tier(span->props)] += bytes(span->filled);
	if (!waiting)
		c->busy += bytes(span->filled);
	else if (!span->pinned)
		c->queued += bytes(span->filled);
}

/* Guard pages that were cut out of a first pool. */
static size_t guards_in(const struct secm_heap *heap,
			const struct secm_pool *pool)
{
	const struct secm_span *span;
	size_t guards = 0;

	for (span = pool->placed ? heap->all : NULL; span; span = span->all)
		guards += span->pinned && span->data >= pool->home &&
			  span->data < pool->home + bytes(pool->pages);
	return guards;
}

static void check_pool(const struct secm_heap *heap,
		       const struct secm_pool *pool, struct census *c)
{
	size_t mapped, out = 0, i;

	for (i = 0; i < pool->pages; i++)
		out += (size_t)secm_bit(pool->away, i);
	must(out == pool->out + pool->gone); /* pool.c I1 */
	c->needed -= pool->needed;
	mapped = bytes(pool->pages - pool->gone - guards_in(heap, pool));
	c->mapped[secm_policy_tier(pool->props)] += mapped;
	c->pinned += pool->pinned ? mapped : 0;
}

/* Those of other threads change meanwhile. */
static void check_own_cache(void)
{
	const struct secm_cache *cache = secm_cache_self();
	unsigned i;

	for (i = 0; i < SECM_CLASSES; i++) {
		const struct secm_magazine *m = &cache->magazine[i];

		must(m->count <= m->true_limit);
		must(m->next == 0 || m->next < m->count);
	}
}

static void check_heap(const struct secm_heap *heap, struct census *sum)
{
	const struct secm_span *span;
	const struct secm_pool *pool;
	struct census c = { .busy = 0 };
	int i;

	for (span = heap->all; span; span = span->all)
		check_span(heap, span, &c);
	for (pool = heap->pools; pool; pool = pool->next)
		check_pool(heap, pool, &c);
	/* Between two fork handlers of others. */
	if (heap->snapshot.len)
		c.mapped[secm_policy_tier(heap->snapshot.props)] +=
			heap->snapshot.len;
	for (i = 0; i < SECMALLOC_TIERS; i++)
		must(c.mapped[i] == heap->mapped[i]);
	must(c.busy == heap->busy && c.queued == heap->queue.bytes);
	must(c.idle == heap->idle); /* slab.c I3 */
	must(c.pinned == heap->pinned && c.needed == 0);
	sum->spans += c.spans;
	sum->slots += c.slots;
}

void secm_check_heaps(void)
{
	static size_t calls, often = 1; /* under the lock */
	const struct secm_heap *heap;
	struct census sum = { .busy = 0 };

	if (calls++ % often != 0)
		return;
	for (heap = &secm_default_heap; heap; heap = heap->next)
		check_heap(heap, &sum);
	check_own_cache();
	often = 1 + sum.spans / SELDOM + sum.slots / SELDOM;
}

#endif /* SECM_DEBUG */
