/* SPDX-License-Identifier: MIT */
/*
 * quick.c - what a thread does with its own cache, without the lock
 *
 * Callers: api.c, for what is not in line in quick.h: larger slots, objects of
 * other threads, caches that are not open to the quick way.  Invariants:
 * cache.h.
 */
#include "quick.h"

#if SECM_ATOMICS
/* The way in which the cache is open, and it is entered; or SECM_CLOSED. */
static SECM_INLINE int enter_any(struct secm_cache *cache)
{
	int open;

	secm_quick_enter(cache);
	open = secm_load(&cache->open);
	if (SECM_LIKELY(open == SECM_OPEN_QUICK))
		return open;
	secm_fence();
	open = secm_load(&cache->open);
	if (open == SECM_CLOSED)
		secm_quick_leave(cache);
	return open;
}

void *secm_quick_bad(const struct secm_cache *cache, const uint32_t *state)
{
	if (secm_peek(state) != cache->tag)
		secm_die(SECM_DIE_DOUBLE_FREE);
	secm_die(SECM_DIE_WRITE_AFTER_FREE);
}

void *secm_quick_alloc_rest(size_t size)
{
	struct secm_cache *cache = secm_cache_self();
	struct secm_magazine *m;

	if (size > SECM_SLAB_LARGEST)
		return NULL;
	m = secm_cache_magazine(cache, secm_cache_place_for(size));
	if (!enter_any(cache))
		return NULL;
	if (m->count > m->true_floor && !secm_cache_count_down(cache))
		return secm_quick_make(cache, m, size, SECM_SHAPE_ANY);
	secm_quick_leave(cache);
	return NULL;
}

/* Takes the slot of a sound object, whoever had it. */
static SECM_INLINE int claim(struct secm_cache *cache, struct secm_magazine *m,
			     struct secm_place place, size_t i,
			     enum secm_shape shape)
{
	uint32_t old = secm_peek(place.state), slack = secm_slack(old);

	if (slack == 0 || slack == SECM_PARTS ||
	    !secm_quick_sound(cache->vault, place.p, m->slot, i, slack,
			      shape) ||
	    !secm_swap(place.state, old, cache->tag))
		return 0;
	secm_quick_keep(m, place, m->slot, shape);
	return 1;
}

static SECM_INLINE int put(struct secm_cache *cache, struct secm_magazine *m,
			   struct secm_place place, size_t i, int open)
{
	if (m->count >= m->true_limit)
		return 0;
	if (m->slot <= SECM_TINY_SLOT)
		return claim(cache, m, place, i, SECM_SHAPE_TINY);
	if (m->slot <= SECM_MEDIUM_SLOT)
		return claim(cache, m, place, i, SECM_SHAPE_SMALL);
	if (m->slot <= SECM_SMALL_SLOT)
		return claim(cache, m, place, i, SECM_SHAPE_MEDIUM);
	return (open == SECM_OPEN_QUICK &&
		secm_quick_put(cache, m, place, i, SECM_SHAPE_ANY)) ||
	       claim(cache, m, place, i, SECM_SHAPE_ANY);
}

int secm_quick_free_rest(void *p)
{
	struct secm_cache *cache = secm_cache_self();
	struct secm_span *span = secm_index_find_first(p);
	struct secm_magazine *m;
	size_t i;
	int done, open;

	if (!span && !secm_watched)
		span = secm_index_find(p);
	if (!span || span->quick == SECM_QUICK_NOT)
		return 0;
	i = secm_slot_of(span, p);
	m = secm_cache_magazine(cache, span->u.slab.place);
	if (secm_slot_at(span, i) != (char *)p)
		return 0;
	open = enter_any(cache);
	if (open == SECM_CLOSED)
		return 0;
	done = put(cache, m, secm_cache_at(span, i), i, open);
	secm_quick_leave(cache);
	return done;
}

/* Its slot stays this thread's while it is entered, as nobody else may use the
 * object. */
static int resize(struct secm_cache *cache, struct secm_span *span, char *p,
		  size_t size)
{
	size_t i = secm_slot_of(span, p), slot = span->u.slab.slot, keep;
	uint32_t *state = &span->u.slab.state[i], old = secm_peek(state);
	uint32_t slack = secm_slack(old);

	if (slack == 0 || slack == SECM_PARTS ||
	    !secm_quick_sound(cache->vault, p, slot, i, slack, SECM_SHAPE_ANY))
		return 0;
	keep = size < slot - slack ? size : slot - slack;
	secm_wipe(p + keep, slot - keep); /* what is cut off, and canary */
	secm_canary_fill(p + size, p + slot, secm_canary(cache->vault, p));
	return secm_swap(state, old, (old - slack) | (uint32_t)(slot - size));
}

int secm_quick_resize(void *p, size_t size)
{
	struct secm_cache *cache = secm_cache_self();
	struct secm_span *span = secm_watched ? NULL : secm_index_find(p);
	int done;

	if (!span || span->quick == SECM_QUICK_NOT ||
	    size > SECM_SLAB_LARGEST ||
	    secm_cache_place_for(size) != span->u.slab.place ||
	    secm_slot_at(span, secm_slot_of(span, p)) != (char *)p ||
	    !enter_any(cache))
		return 0;
	done = resize(cache, span, p, size);
	secm_quick_leave(cache);
	return done;
}
#endif
