/* SPDX-License-Identifier: MIT */
/*
 * cache.c - fill, empty, stop and end the caches of threads
 *
 * Callers: heap.c, fork.c and orphan.c under the heap's lock; the C library
 * when a thread ends.  Invariants: cache.h.
 *
 * While slots go into caches, those of threads that sit idle are emptied: of a
 * pool of threads most have nothing to do, and none of them would do it itself.
 *
 * To look into other threads' magazines one has to stop them: close each
 * cache, make sure by a barrier in every thread that each of them either sees
 * that or is seen to be busy, and wait for those that are.  A thread that finds
 * its cache closed goes the slow way, where it waits for the lock.
 */
#include "cache.h"

#include "pick.h"
#include "slab.h"

enum {
	AT_ONCE = 32, /* slots that go back to a slab together */
	/* Bytes that go into caches before the idle are looked for again: so
	 * many at least, and so many for each thread, as looking takes time. */
	LOOK_LEAST = 1 << 20,
	LOOK_EACH = 1 << 15
};

struct secm_cache secm_no_cache, secm_ended_cache;
SECM_LINE uint16_t secm_cache_places[SECM_SLOT_MAX / SECM_ALIGN + 1];

void secm_cache_setup(void)
{
	size_t i;

	for (i = 1; i <= SECM_SLOT_MAX / SECM_ALIGN; i++)
		secm_cache_places[i] = (uint16_t)secm_cache_place(
			secm_size_class(i * SECM_ALIGN));
}

/* Another slot may be the next now. */
static void draw(struct secm_cache *cache, struct secm_magazine *m)
{
	m->next = (uint32_t)secm_scale(secm_lane_next(cache->lane), m->count);
}

/* The word of an empty slot goes from one to the other.  No swap: of an empty
 * slot nobody else changes it, but for a thread that frees at the same time as
 * another; and that one may be late for a swap as well. */
static void trade(uint32_t *state, uint32_t from, uint32_t to)
{
	if (secm_peek(state) != from)
		secm_die(SECM_DIE_DOUBLE_FREE);
	secm_poke(state, to);
}

/* Takes slots out of a magazine for somebody else, from the end: as many as
 * are of one slab, and down to `keep`. */
static void release(struct secm_heap *heap, struct secm_cache *cache,
		    struct secm_magazine *m, uint32_t keep)
{
	struct secm_span *span = NULL;
	uint32_t slots[AT_ONCE];
	unsigned n = 0;

	for (; m->count > keep && n < AT_ONCE; m->count--) {
		struct secm_place place = m->places[m->count - 1];

		if (n == 0)
			span = secm_index_find(place.p);
		else if (!secm_slab_covers(span, place.p))
			break;
		trade(place.state, cache->tag, 0); /* C1 */
		slots[n++] = (uint32_t)secm_slot_of(span, place.p);
	}
	secm_slab_give(heap, span, slots, n);
}

static size_t empty(struct secm_heap *heap, struct secm_cache *cache,
		    unsigned class, uint32_t keep)
{
	struct secm_magazine *m = &cache->magazine[class];
	size_t before = m->count;

	while (m->count > keep)
		release(heap, cache, m, keep);
	if (m->count != before)
		draw(cache, m);
	return before - m->count;
}

static size_t empty_all(struct secm_heap *heap, struct secm_cache *cache)
{
	unsigned class;
	size_t n = 0;

	for (class = 0; class < SECM_CLASSES; class ++)
		n += empty(heap, cache, class, 0);
	return n;
}

/* The slot is the cache's now. */
static void add(struct secm_cache *cache, struct secm_magazine *m,
		struct secm_place place)
{
	trade(place.state, 0, cache->tag); /* slot.h, S3 */
	if (m->slot > SECM_CHECKED_WHOLE && !secm_is_zero(place.p, m->slot))
		secm_die(SECM_DIE_WRITE_AFTER_FREE); /* slot.h, S1 */
	m->places[m->count++] = place;
}

/* Up to or down to where: the middle, as nobody knows what comes next.  But a
 * thread that has allocated and freed nothing since the last time, or freed and
 * allocated nothing, passes objects on or takes them from others: then as far
 * as it goes. */
static uint32_t aim(const struct secm_magazine *m, uint32_t far, int one_way)
{
	return one_way ? far : (m->true_floor + m->true_limit + 1u) / 2;
}

static size_t made(const struct secm_magazine *m)
{
	return m->allocations - m->by_then;
}

static void remember(struct secm_magazine *m)
{
	m->left = m->count;
	m->by_then = m->allocations;
}

/* Changes with all that a thread does with its cache, but for what cancels
 * out. */
static size_t activity(const struct secm_thread *t)
{
	size_t i, sum = 0;

	for (i = 0; i < SECM_CLASSES; i++)
		sum += t->cache->magazine[i].allocations +
		       t->cache->magazine[i].count;
	return sum;
}

/* Takes their slots from threads that did nothing since the last time. */
static void empty_idle(struct secm_heap *heap)
{
	const struct secm_thread *self = secm_cache_self()->thread;
	struct secm_thread *t;

	secm_caches_stop(heap);
	for (t = heap->threads; t; t = t->next) {
		if (!t->used || t == self)
			continue;
		if (activity(t) == t->activity)
			(void)empty_all(heap, t->cache);
		t->activity = activity(t);
	}
	secm_caches_resume(heap);
}

static void look_for_idle(struct secm_heap *heap, size_t bytes)
{
	const struct secm_thread *t;
	size_t threads = 0;

	heap->cached += bytes;
	if (heap->cached < LOOK_LEAST)
		return;
	for (t = heap->threads; t; t = t->next)
		threads += t->used;
	if (heap->cached < threads * LOOK_EACH)
		return;
	heap->cached = 0;
	if (threads > 1)
		empty_idle(heap);
}

void secm_cache_refill(struct secm_heap *heap, unsigned class)
{
	struct secm_cache *cache = secm_cache_self();
	struct secm_magazine *m = &cache->magazine[class];
	uint32_t before = m->count;
	uint32_t want = aim(m, m->true_limit,
			    made(m) > 0 && m->count + made(m) == m->left);
	struct secm_some some;

	if (cache->open == SECM_CLOSED)
		return;
	while (m->count < want &&
	       secm_slab_take_some(heap, class, want - m->count, &some) == 0)
		for (; some.bits; some.bits &= some.bits - 1)
			add(cache, m,
			    secm_cache_at(some.span,
					  some.first + secm_ctz64(some.bits)));
	draw(cache, m);
	remember(m);
	look_for_idle(heap, (m->count - before) * (size_t)m->slot);
}

void secm_cache_flush(struct secm_heap *heap, unsigned class)
{
	struct secm_cache *cache = secm_cache_self();
	struct secm_magazine *m = &cache->magazine[class];

	if (cache->open == SECM_CLOSED || m->count < m->true_limit)
		return;
	(void)empty(heap, cache, class,
		    aim(m, m->true_floor, !made(m) && m->count > m->left));
	remember(m);
}

int secm_cache_give(const struct secm_span *span, size_t i)
{
	struct secm_cache *cache = secm_cache_self();
	struct secm_magazine *m = &cache->magazine[span->bucket];

	if (cache->open == SECM_CLOSED || span->quick == SECM_QUICK_NOT ||
	    m->count >= m->true_limit)
		return 0;
	m->places[m->count] = secm_cache_at(span, i);
	trade(m->places[m->count++].state, 0, cache->tag); /* C1 */
	draw(cache, m);
	return 1;
}

int secm_cache_take(struct secm_heap *heap, unsigned class,
		    struct secm_place *place)
{
	struct secm_cache *cache = secm_cache_self();
	struct secm_magazine *m = &cache->magazine[class];

	(void)heap;
	if (cache->open == SECM_CLOSED || m->count == 0)
		return 0;
	*place = m->places[--m->count];
	draw(cache, m);
	trade(place->state, cache->tag, 0); /* C1 */
	return 1;
}

static int is_open(const struct secm_heap *heap, const struct secm_thread *t)
{
	return t->used && t->active && heap->vault && !heap->stopped &&
	       !heap->shut;
}

static void set_open(struct secm_cache *cache, int open)
{
	unsigned i;

	secm_store(&cache->open, open);
	for (i = 0; i < SECM_CLASSES; i++) {
		struct secm_magazine *m = &cache->magazine[i];
		int quick = open == SECM_OPEN_QUICK;

		secm_poke(&m->floor, quick ? m->true_floor : UINT32_MAX);
		secm_poke(&m->limit, quick ? m->true_limit : 0);
	}
}

void secm_cache_open(const struct secm_heap *heap, struct secm_thread *t)
{
	int open = SECM_OPEN_OTHER;

	if (secm_os.barrier && !t->cache->until_sample)
		open = SECM_OPEN_QUICK;
	set_open(t->cache, is_open(heap, t) ? open : SECM_CLOSED);
}

void secm_caches_stop(struct secm_heap *heap)
{
	struct secm_cache *self = secm_cache_self();
	struct secm_thread *t;
	int others = 0;

	if (heap->stopped++)
		return;
	for (t = heap->threads; t; t = t->next) {
		if (!t->used)
			continue;
		set_open(t->cache, SECM_CLOSED);
		others |= t->cache != self;
	}
	if (!others)
		return;
	secm_fence();
	if (secm_os.barrier)
		secm_os_barrier(); /* else they fence themselves */
	for (t = heap->threads; t; t = t->next)
		while (t->used && t->cache != self &&
		       secm_load(&t->cache->busy))
			secm_os_yield();
}

void secm_caches_resume(struct secm_heap *heap)
{
	struct secm_thread *t;

	if (--heap->stopped)
		return;
	for (t = heap->threads; t; t = t->next)
		if (t->used)
			secm_cache_open(heap, t);
}

size_t secm_caches_drain(struct secm_heap *heap, unsigned class)
{
	struct secm_thread *t;
	size_t n = 0;

	secm_caches_stop(heap);
	for (t = heap->threads; t; t = t->next)
		if (t->used)
			n += class < SECM_CLASSES
				     ? empty(heap, t->cache, class, 0)
				     : empty_all(heap, t->cache);
	secm_caches_resume(heap);
	return n;
}

void secm_caches_reset_counts(struct secm_heap *heap)
{
	struct secm_thread *t;
	unsigned i;

	for (t = heap->threads; t; t = t->next)
		for (i = 0; i < SECM_CLASSES; i++)
			t->cache->magazine[i].allocations = 0;
}

void secm_caches_shut(struct secm_heap *heap, int shut)
{
	secm_caches_stop(heap);
	heap->shut = shut;
	if (shut)
		(void)secm_caches_drain(heap, SECM_CLASSES);
	secm_caches_resume(heap);
}

void secm_cache_end(struct secm_heap *heap, struct secm_cache *cache)
{
	set_open(cache, SECM_CLOSED);
	(void)empty_all(heap, cache);
	cache->thread->active = 0;
}

int secm_cache_interrupted(void)
{
	return secm_cache_self()->busy && secm_cache_self()->open;
}

/* By chance, so that nobody can count. */
void secm_cache_next_sample(struct secm_heap *heap, struct secm_cache *cache)
{
	size_t n = 2 * (size_t)heap->policy.config.sample;

	cache->until_sample =
		2 + (uint32_t)secm_scale(secm_rng_next(heap->vault->rng), n);
}

int secm_cache_sample(struct secm_heap *heap)
{
	struct secm_cache *cache = secm_cache_self();
	size_t n = heap->policy.config.sample;

	if (n == 0)
		return 0;
	if (!cache->until_sample || !secm_heap_has_caches(heap))
		return secm_scale(secm_rng_next(heap->vault->rng), n) == 0;
	if (!secm_cache_count_down(cache))
		return 0;
	secm_cache_next_sample(heap, cache);
	return 1;
}
