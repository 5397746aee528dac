/* SPDX-License-Identifier: MIT */
/*
 * t_slab.c - the invariants of slabs, slots and caches, checked from outside
 *
 * Part of t_broken(): see t_heap.h.  The names I1, S1, C1.. are those of
 * slab.c, slot.h and cache.h.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "bits.h"
#include "cache.h"
#include "index.h"
#include "slot.h"
#include "t_heap.h"
#include "wipe.h"

int t_is_live(const struct secm_span *span, size_t i)
{
	const struct secm_slab *slab = &span->u.slab;

	return i < slab->slots && secm_bit(slab->taken, i) &&
	       (slab->state[i] & SECM_SLACK_MASK) != 0;
}

static const struct secm_thread *thread_of(const struct secm_heap *heap,
					   uint32_t state)
{
	const struct secm_thread *t;

	for (t = heap->threads; t; t = t->next)
		if (t->tag == state >> SECM_TAG_SHIFT)
			return t;
	return NULL;
}

/* How often the slot is in the magazine that it belongs to. */
static size_t times_kept(const struct secm_thread *t,
			 const struct secm_span *span, const char *p)
{
	const struct secm_magazine *m = &t->cache->magazine[span->bucket];
	size_t i, n = 0;

	for (i = 0; i < m->count; i++)
		n += m->places[i].p == p;
	return n;
}

static const char *cached_broken(const struct secm_heap *heap,
				 const struct secm_span *span, size_t i)
{
	const struct secm_thread *t =
		thread_of(heap, span->u.slab.state[i]);

	MUST(!span->dead, "a cache has a slot of a dead slab");
	MUST(t && t->used, "slot word: the tag is no thread's");
	MUST(times_kept(t, span, secm_slot_at(span, i)) == 1,
	     "cache C1: a slot is not once in the cache of its tag");
	return NULL;
}

static const char *object_broken(const struct secm_heap *heap,
				 const struct secm_span *span, size_t i)
{
	uint32_t state = span->u.slab.state[i], slack = secm_slack(state);
	const char *p = secm_slot_at(span, i), *end = p + span->u.slab.slot;

	if (secm_slot_has_parts(state))
		slack = SECM_CANARY_MIN;
	else
		MUST(!(state >> SECM_TAG_SHIFT) || thread_of(heap, state),
		     "slot word: an object's tag is no thread's");
	MUST(slack >= SECM_CANARY_MIN, "slot S2: no canary");
	MUST(slack <= span->u.slab.slot, "slot word: slack");
	if (!span->dead)
		MUST(secm_canary_whole(end - slack, end,
				       secm_canary(heap->vault, p)),
		     "slot S2: a canary has changed");
	return NULL;
}

static const char *slot_broken(const struct secm_heap *heap,
			       const struct secm_span *span, size_t i)
{
	const struct secm_slab *slab = &span->u.slab;

	MUST(secm_bit(slab->taken, i) == (slab->state[i] != 0),
	     "slot word: taken and state contradict each other");
	if (t_is_live(span, i))
		return object_broken(heap, span, i);
	if (!span->dead)
		MUST(secm_is_zero(secm_slot_at(span, i), slab->slot),
		     "slot S1: an empty slot is not zero");
	return slab->state[i] ? cached_broken(heap, span, i) : NULL;
}

/* Slots that have no pages now, and pointers up to the guard's end. */
static const char *beyond_broken(const struct secm_span *span)
{
	const struct secm_slab *slab = &span->u.slab;
	size_t most = span->capacity * secm_os.page / slab->slot, i;
	size_t end = (span->capacity + 1) * secm_os.page / slab->slot + 1;

	for (i = slab->slots; i < end; i++)
		MUST(slab->state[i] == 0, "slot word: behind the last slot");
	for (i = slab->slots; i < most; i++)
		MUST(!secm_bit(slab->taken, i), "slab: taken without a page");
	return NULL;
}

static const char *rooms_broken(const struct secm_span *span)
{
	const struct secm_slab *slab = &span->u.slab;
	size_t most = span->capacity * secm_os.page / slab->slot;
	size_t i, w;

	for (w = 0; w < secm_bits_words(most); w++) {
		size_t first = w * SECM_WORD_BITS;
		int has_free = 0;

		for (i = first; i < slab->slots && i < first + SECM_WORD_BITS;
		     i++)
			has_free |= !secm_bit(slab->taken, i);
		MUST(secm_bit(slab->room, w) == has_free, "slab I1: room");
	}
	return NULL;
}

/* Slots of which slabs may go to caches. */
static int right_quick(const struct secm_span *span)
{
	if (span->dead || !span->u.slab.used)
		return SECM_QUICK_NOT;
	return span->u.slab.slot <= SECM_SMALL_SLOT ? SECM_QUICK_SMALL :
						      SECM_QUICK_LARGE;
}

static const char *lists_broken(const struct secm_heap *heap,
				const struct secm_span *span)
{
	const struct secm_slab *slab = &span->u.slab;
	const struct secm_class *class = &heap->class[span->bucket];
	int partial = t_is_listed(class->partial, span);
	int listed = !span->dead && slab->used && slab->used < slab->slots;

	MUST(partial == listed, "slab I2: lists");
	MUST(!slab->used || span->dead || (span->link != NULL) == listed,
	     "slab I2: link");
	MUST(span->quick == right_quick(span), "slab: quick");
	MUST(class->grow != span || (slab->used && !span->dead),
	     "slab: a slab that cannot grow is to");
	return NULL;
}

static const char *shape_broken(const struct secm_span *span)
{
	const struct secm_slab *slab = &span->u.slab;
	size_t most = span->capacity * secm_os.page / slab->slot, i, n = 0;

	MUST(slab->slot == secm_class_slot(span->bucket), "slab: slot");
	MUST(slab->place == secm_cache_place(span->bucket), "slab: place");
	MUST(slab->slots <= most, "more slots than space");
	for (i = 0; i < slab->slots; i++) {
		n += (size_t)secm_bit(slab->taken, i);
		MUST(secm_slot_of(span, secm_slot_at(span, i)) == i,
		     "slab: recip");
	}
	MUST(n == slab->used, "slab: used");
	if (slab->used && !span->dead)
		MUST(slab->slots == span->filled * secm_os.page / slab->slot,
		     "slots follow the pages");
	return NULL;
}

const char *t_slab_broken(const struct secm_heap *heap,
			  const struct secm_span *span)
{
	const struct secm_slab *slab = &span->u.slab;
	const char *broken;
	size_t i;

	if (!slab->taken) { /* it never had a slot */
		MUST(!slab->used, "slab: used");
		return NULL;
	}
	broken = shape_broken(span);
	if (!broken)
		broken = beyond_broken(span);
	if (!broken)
		broken = lists_broken(heap, span);
	if (!broken && slab->used && !span->dead)
		broken = rooms_broken(span);
	for (i = 0; i < slab->slots && slab->used && !broken; i++)
		broken = slot_broken(heap, span, i);
	return broken;
}

static const char *place_broken(const struct secm_cache *cache, unsigned class,
				const struct secm_place *place)
{
	const struct secm_span *span = secm_index_find(place->p);
	size_t i;

	MUST(span && span->kind == SECM_SLAB && span->bucket == class,
	     "cache: a slot of another class");
	i = secm_slot_of(span, place->p);
	MUST(i < span->u.slab.slots && secm_slot_at(span, i) == place->p,
	     "cache: what is not a slot");
	MUST(place->state == &span->u.slab.state[i], "cache: another's word");
	MUST(*place->state == cache->tag, "cache C1: tag");
	MUST(secm_bit(span->u.slab.taken, i), "cache: a slot is not taken");
	MUST(secm_is_zero(place->p, span->u.slab.slot), "cache C1: zeros");
	return NULL;
}

static const char *magazine_broken(const struct secm_cache *cache,
				   unsigned class)
{
	const struct secm_magazine *m = &cache->magazine[class];
	int quick = cache->open == SECM_OPEN_QUICK;
	const char *broken = NULL;
	size_t i;

	MUST(m->slot == secm_class_slot(class), "cache: slot");
	MUST(m->count <= m->true_limit, "cache: overfull");
	MUST(m->true_floor <= m->true_limit / 2, "cache: floor");
	if (quick)
		MUST(m->floor == m->true_floor && m->limit == m->true_limit,
		     "cache: floor and limit are not the true ones");
	else
		MUST(m->count <= m->floor && m->limit == 0,
		     "cache: open to the quick way");
	for (i = 0; i < m->count && !broken; i++)
		broken = place_broken(cache, class, &m->places[i]);
	return broken;
}

static const char *cache_broken(const struct secm_heap *heap,
				const struct secm_thread *t)
{
	const struct secm_cache *cache = t->cache;
	const char *broken = NULL;
	size_t room = 0;
	unsigned i;

	MUST(cache->thread == t, "cache: another thread's");
	MUST(cache->tag == t->tag << SECM_TAG_SHIFT && t->tag > 0 &&
		     t->tag < SECM_PARTS,
	     "cache: tag");
	MUST(!cache->busy, "cache C2: busy");
	MUST(cache->open == SECM_CLOSED || (heap->vault && t->active),
	     "cache: open though there is no vault");
	MUST(cache->open == SECM_CLOSED || cache->vault == heap->vault,
	     "cache: another vault");
	for (i = 0; i < SECM_CLASSES && !broken; i++) {
		room += cache->magazine[i].true_limit;
		broken = magazine_broken(cache, i);
	}
	MUST(broken || room <= t->room, "cache: more places than room");
	return broken;
}

const char *t_caches_broken(const struct secm_heap *heap)
{
	const struct secm_cache *none[] = { &secm_no_cache, &secm_ended_cache };
	const struct secm_thread *t, *other;
	const char *broken = NULL;
	size_t i, class;

	MUST(!heap->stopped, "caches are stopped");
	for (i = 0; i < 2; i++) {
		MUST(none[i]->open == SECM_CLOSED, "no cache is open");
		for (class = 0; class < SECM_CLASSES; class ++)
			MUST(none[i]->magazine[class].count == 0,
			     "no cache has slots");
	}
	for (t = heap->threads; t && !broken; t = t->next) {
		for (other = t->next; other; other = other->next)
			MUST(other->tag != t->tag, "two caches have one tag");
		if (t->used) /* else in a child it may not even be emptied */
			broken = cache_broken(heap, t);
	}
	return broken;
}
