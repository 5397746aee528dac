/* SPDX-License-Identifier: MIT */
/*
 * quick.h - take objects from a thread's own cache and give them back
 *
 * Callers: api.c, on behalf of the thread, without the lock.  What is in line
 * here is the common case, an object of SECM_SMALL bytes at most that this
 * thread made; quick.c has the others.  Invariants: cache.h.
 */
#ifndef SECM_QUICK_H
#define SECM_QUICK_H

#include "cache.h"

#if SECM_ATOMICS
/* The same as below for what is not in line here: slots over SECM_SMALL_SLOT,
 * objects of other threads, and caches that are open in another way. */
void *secm_quick_alloc_rest(size_t size);
int secm_quick_free_rest(void *p) SECM_CHECK;

/* Changes the size of the small object at p where it is, if a slot of that size
 * is the right one: 1, or 0: do it the slow way. */
int secm_quick_resize(void *p, size_t size) SECM_CHECK;

/* Dies of what is wrong with an empty slot. */
void *secm_quick_bad(const struct secm_cache *cache,
		     const uint32_t *state) SECM_NOT_NULL;

/* What is found in the magazines after this, if they are open, is this
 * thread's until it leaves. */
static SECM_INLINE void secm_quick_enter(struct secm_cache *cache)
{
	*(volatile int *)&cache->busy = 1;
	secm_compiler_fence();
}

static SECM_INLINE void secm_quick_leave(struct secm_cache *cache)
{
	secm_store(&cache->busy, 0);
}

static SECM_INLINE size_t secm_most_slack(enum secm_shape shape)
{
	return shape <= SECM_SHAPE_SMALL ? SECM_SLACK_TINY
	       : shape == SECM_SHAPE_ANY ? SECM_SLOT_MAX
					 : SECM_SLACK_SMALL;
}

/* Decides which slot is the next. */
static SECM_INLINE void secm_quick_draw(struct secm_cache *cache,
					struct secm_magazine *m)
{
	m->next = (uint32_t)secm_scale(secm_lane_next(cache->lane), m->count);
}

/* An object out of a slot of the magazine, by chance.  pre: count > 0 */
static SECM_INLINE void *secm_quick_make(struct secm_cache *cache,
					 struct secm_magazine *m, size_t size,
					 enum secm_shape shape)
{
	struct secm_place *place = m->places + m->next, *last;
	size_t slot = m->slot, slack = slot - size;
	uint32_t *state = place->state;
	char *p = place->p;

	SECM_ASSUME(p != NULL);
	last = m->places + --m->count;
	*(char *volatile *)&place->p = last->p;
	place->state = last->state;
	m->allocations++;
	secm_quick_draw(cache, m);
	if (SECM_UNLIKELY(secm_peek(state) != cache->tag) ||
	    SECM_UNLIKELY(!secm_slot_is_zero(p, slot, m->at, shape)))
		return secm_quick_bad(cache, state); /* C1 */
	secm_canary_lay(p + slot, slack, secm_most_slack(shape),
			secm_canary(cache->vault, p));
	secm_poke(state, cache->tag + (uint32_t)slack);
	secm_quick_leave(cache);
	return p;
}

/* 0 if what is before slot i is whole: zero, or canary.  Which of the two chance
 * decides, so there is no branch on it where slots are small and many. */
static SECM_INLINE uint64_t secm_quick_before(const struct secm_vault *vault,
					      const char *p, size_t slot,
					      size_t i, enum secm_shape shape)
{
	uint64_t found, wrong;

	if (SECM_UNLIKELY(i == 0))
		return 0;
	found = secm_slot_before(p);
	if (shape >= SECM_SHAPE_MEDIUM && found == 0)
		return 0;
	wrong = found ^ secm_canary(vault, p - slot);
	wrong = wrong < found ? wrong : found;
	SECM_OPAQUE(wrong);
	return wrong;
}

/* Whether what is around the object is whole, as far as can be told while
 * other threads are at work. */
static SECM_INLINE int secm_quick_sound(const struct secm_vault *vault,
					const char *p, size_t slot, size_t i,
					uint32_t slack, enum secm_shape shape)
{
	uint64_t wrong = secm_quick_before(vault, p, slot, i, shape);

	SECM_OPAQUE(vault); /* the key need not stay in registers */
	wrong |= secm_canary_wrong(p + slot, slack, secm_most_slack(shape),
				   secm_canary(vault, p));
	return SECM_LIKELY(wrong == 0);
}

/* The slot is this cache's now.  pre: count < limit */
static SECM_INLINE void secm_quick_keep(struct secm_magazine *m,
					struct secm_place place, size_t slot,
					enum secm_shape shape)
{
	*(char *volatile *)&m->places[m->count].p = place.p;
	m->places[m->count++].state = place.state;
	secm_wipe_slot(place.p, slot, m->at, shape);
}

/* Zeroed memory, or NULL: do it the slow way. */
static SECM_INLINE void *secm_quick_alloc(size_t size)
{
	struct secm_cache *cache = secm_cache_self();
	struct secm_magazine *m;

	if (SECM_UNLIKELY(size > SECM_SMALL))
		return NULL;
	m = secm_cache_magazine(cache, secm_cache_place_for(size));
	secm_quick_enter(cache);
	if (SECM_UNLIKELY(m->count <= secm_peek(&m->floor))) {
		secm_quick_leave(cache);
		return NULL;
	}
	if (m->slot <= SECM_TINY_SLOT)
		return secm_quick_make(cache, m, size, SECM_SHAPE_TINY);
	if (m->slot <= SECM_MEDIUM_SLOT)
		return secm_quick_make(cache, m, size, SECM_SHAPE_SMALL);
	return secm_quick_make(cache, m, size, SECM_SHAPE_MEDIUM);
}

/* 1: the object was this thread's and sound, and its slot is in the magazine.
 * pre: entered, and p is the start of slot i */
static SECM_INLINE int secm_quick_put(struct secm_cache *cache,
				      struct secm_magazine *m,
				      struct secm_place place, size_t i,
				      enum secm_shape shape)
{
	uint32_t slack = secm_peek(place.state) - cache->tag;
	size_t slot = m->slot;

	if (SECM_UNLIKELY(slack - 1 >= SECM_PARTS - 1) ||
	    !secm_quick_sound(cache->vault, place.p, slot, i, slack, shape))
		return 0;
	secm_poke(place.state, secm_peek(&cache->tag)); /* slot.h, S3 */
	secm_quick_keep(m, place, slot, shape);
	return 1;
}

/* 1: done; 0: do it, or die, the slow way. */
static SECM_INLINE int secm_quick_free(void *p)
{
	struct secm_cache *cache = secm_cache_self();
	struct secm_span *span = secm_index_find_first(p);
	struct secm_magazine *m;
	struct secm_place place;
	uint64_t product;
	size_t i;
	int done = 0;

	if (SECM_UNLIKELY(!span) ||
	    SECM_UNLIKELY(span->quick != SECM_QUICK_SMALL))
		return 0;
	product = secm_slot_product(span, p);
	if (SECM_UNLIKELY(!secm_slot_is_start(product)))
		return 0;
	i = secm_slot_number(product);
	m = secm_cache_magazine(cache, span->u.slab.place);
	secm_quick_enter(cache);
	place.p = p;
	place.state = &span->u.slab.state[i];
	if (SECM_UNLIKELY(m->count >= secm_peek(&m->limit)))
		done = 0;
	else if (m->slot <= SECM_TINY_SLOT)
		done = secm_quick_put(cache, m, place, i, SECM_SHAPE_TINY);
	else if (m->slot <= SECM_MEDIUM_SLOT)
		done = secm_quick_put(cache, m, place, i, SECM_SHAPE_SMALL);
	else
		done = secm_quick_put(cache, m, place, i, SECM_SHAPE_MEDIUM);
	secm_quick_leave(cache);
	return done;
}
#else
/* Every call goes the slow way. */
#define secm_quick_alloc(size) ((void)(size), (void *)NULL)
#define secm_quick_alloc_rest(size) ((void)(size), (void *)NULL)
#define secm_quick_free(p) ((void)(p), 0)
#define secm_quick_free_rest(p) ((void)(p), 0)
#define secm_quick_resize(p, size) ((void)(p), (void)(size), 0)
#endif

/* The size of the small object that starts at p, without a lock, as it is told
 * by a word that only the object's user has changed.  -EINVAL: ask otherwise,
 * as while a debugger watches, who sees these words closed. */
static inline int secm_quick_size(const void *p, size_t *size)
{
	const struct secm_span *span = secm_watched ? NULL : secm_index_find(p);
	uint64_t product;
	uint32_t slack;

	if (!span || span->quick == SECM_QUICK_NOT)
		return -EINVAL;
	product = secm_slot_product(span, p);
	slack = secm_slack(
		secm_peek(&span->u.slab.state[secm_slot_number(product)]));
	if (!secm_slot_is_start(product) || slack == 0 || slack == SECM_PARTS)
		return -EINVAL;
	*size = span->u.slab.slot - slack;
	return 0;
}

#endif /* SECM_QUICK_H */
