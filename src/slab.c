/* SPDX-License-Identifier: MIT */
/*
 * slab.c - slots of one size class side by side
 *
 * Callers: slot.c and cache.c, under the heap's lock.
 *
 *	span   |guard| slot 0 | slot 1 | slot 2 | ....  |  rest |guard|
 *
 * Which slots are taken stands out of band, in bitmaps; what is in a taken one
 * is the business of slot.h.
 *
 * I1  room has a bit for each word of taken that has a clear bit of a slot.
 * I2  A slab that is not dead is in its class's partial list exactly while it
 *     has a free slot; without taken ones it leaves for the bucket.
 * I3  heap->idle counts the bytes of free slots in these lists.
 */
#include "slab.h"

#include <errno.h>

#include "bits.h"
#include "cache.h"
#include "meta.h"
#include "pick.h"
#include "retain.h"

enum {
	FIRST_FILL = 1 << 13, /* bytes; a class starts with this */
	FILL_SHARE = 4	      /* then grows by a quarter */
};

/* See secm_slot_product(): offset * (slot - 1) stays below 2^40, and recip
 * above 2^20. */
SECM_STATIC_ASSERT((uint64_t)SECM_SLAB_MAX *SECM_SLOT_MAX <
		   (uint64_t)1 << SECM_RECIP_SHIFT);
SECM_STATIC_ASSERT(((uint64_t)1 << SECM_RECIP_SHIFT) / SECM_SLOT_MAX >
		   SECM_SLAB_MAX);

/* A scope of one object by pages opens the whole slab: few pages then. */
static int stays_small(const struct secm_heap *heap)
{
	return heap->access == SECMALLOC_BY_PAGES;
}

/* The pages a slab may have: whole units with one guard page, and room for a
 * slot. */
static size_t most_pages(const struct secm_heap *heap, size_t least)
{
	size_t units = SECM_SLAB_MAX / (SECM_UNIT_PAGES * secm_os.page);

	if (stays_small(heap))
		units = least / SECM_UNIT_PAGES + 1;
	return (units ? units : 1) * SECM_UNIT_PAGES - 1;
}

static size_t pages_for(size_t bytes)
{
	return (bytes + secm_os.page - 1) / secm_os.page;
}

/* Arrays for as many slots as the span can ever have; words of state also for
 * those that a wrong pointer could mean, up to the end of its guard page. */
static int describe(struct secm_span *span)
{
	struct secm_slab *slab = &span->u.slab;
	size_t slot = secm_class_slot(span->bucket);
	size_t slots = span->capacity * secm_os.page / slot;
	size_t words = secm_bits_words(slots);

	if (slab->taken)
		return 0;
	slab->slot = (uint32_t)slot;
	slab->place = secm_cache_place(span->bucket);
	slab->recip = (((uint64_t)1 << SECM_RECIP_SHIFT) + slot - 1) / slot;
	/* After an error it is tried again with what is there. */
	if (!slab->room)
		slab->room = secm_meta_alloc(secm_bits_words(words) *
					     sizeof(uint64_t));
	if (!slab->state)
		slab->state = secm_meta_line(
			((span->capacity + 1) * secm_os.page / slot + 1) *
			sizeof(*slab->state));
	if (!slab->room || !slab->state)
		return -ENOMEM;
	slab->taken = secm_meta_alloc(words * sizeof(uint64_t));
	return slab->taken ? 0 : -ENOMEM;
}

/* Slots follow the pages, of which there may be fewer than last time. */
static void count_slots(struct secm_span *span)
{
	struct secm_slab *slab = &span->u.slab;
	size_t most = span->capacity * secm_os.page / slab->slot;
	size_t words = secm_bits_words(most), w;

	slab->slots = (uint32_t)(span->filled * secm_os.page / slab->slot);
	secm_bits_clear(slab->room, 0, words);
	words = secm_bits_words(slab->slots);
	for (w = 0; w < words; w++)
		if (~slab->taken[w] & secm_slots_mask(slab, w))
			secm_bit_set(slab->room, w); /* I1 */
}

static size_t free_bytes(const struct secm_slab *slab)
{
	return (size_t)(slab->slots - slab->used) * slab->slot;
}

/* To the front of a list.  It is in none. */
static void list(struct secm_heap *heap, struct secm_span *span,
		 struct secm_span **to)
{
	heap->idle += free_bytes(&span->u.slab); /* I3 */
	secm_span_push(to, span);
}

static void unlist(struct secm_heap *heap, struct secm_span *span)
{
	if (span->link)
		heap->idle -= free_bytes(&span->u.slab);
	secm_span_unlink(span);
}

static int grow(struct secm_heap *heap, struct secm_span *span)
{
	struct secm_class *class = &heap->class[span->bucket];
	size_t share = stays_small(heap) ? 0 : class->pages / FILL_SHARE;
	size_t least = pages_for(span->u.slab.slot);
	size_t first = stays_small(heap) ? least : pages_for(FIRST_FILL);
	size_t add = share > first ? share : first;
	size_t before = span->filled, slots = span->u.slab.slots;
	int r = -ENOMEM;

	if (add < least)
		add = least;
	if (add > span->capacity - before)
		add = span->capacity - before;
	for (; add >= least; add = add / 2 > least ? add / 2 : least) {
		r = secm_span_fill(heap, span, before + add);
		if (r == 0 || r == -EADDRINUSE || add == least)
			break;
	}
	/* After an error some that could not be given back may be there. */
	class->pages += span->filled - before;
	count_slots(span);
	return slots < span->u.slab.slots ? 0 : r;
}

/* A span with at least a slot's pages. */
static int get_span(struct secm_heap *heap, unsigned class,
		    struct secm_span **out)
{
	struct secm_class *c = &heap->class[class];
	size_t least = pages_for(secm_class_slot(class));
	struct secm_span *span;
	int r = secm_span_get(heap, SECM_SLAB, class, least,
			      most_pages(heap, least), &span);

	if (r)
		return r;
	c->pages += span->filled;
	r = describe(span);
	if (r == 0) {
		count_slots(span);
		if (!span->u.slab.slots)
			r = grow(heap, span);
	}
	if (r) {
		c->pages -= span->filled;
		secm_retain_put(heap, span);
	}
	*out = span;
	return r;
}

static void set_quick(struct secm_span *span)
{
	if (!secm_heap_has_caches(span->heap))
		return;
	span->quick = span->u.slab.slot <= SECM_SMALL_SLOT ? SECM_QUICK_SMALL
							   : SECM_QUICK_LARGE;
}

static int new_slab(struct secm_heap *heap, unsigned class)
{
	struct secm_class *c = &heap->class[class];
	struct secm_span *span = NULL;
	int r;

	do
		r = get_span(heap, class, &span);
	while (r == -EADDRINUSE);
	if (r)
		return r;
	set_quick(span);
	c->grow = span;
	list(heap, span, &c->partial); /* I2 */
	return 0;
}

/* A slab with a free slot in front of the class's list. */
static int make_room(struct secm_heap *heap, unsigned class)
{
	struct secm_class *c = &heap->class[class];

	if (c->partial)
		return 0;
	if (c->grow && grow(heap, c->grow) == 0) {
		list(heap, c->grow, &c->partial);
		return 0;
	}
	return new_slab(heap, class);
}

/* Up to `most` slots of the class's first slab are taken now.  pre: it has a
 * slab with room */
static void take(struct secm_heap *heap, unsigned class, unsigned most,
		 struct secm_some *some)
{
	struct secm_span *span = heap->class[class].partial;
	struct secm_slab *slab = &span->u.slab;
	size_t w, bytes;

	secm_pick(heap, span, most, some);
	w = some->first / SECM_WORD_BITS;
	bytes = some->n * (size_t)slab->slot;
	slab->taken[w] |= some->bits;
	if (!(~slab->taken[w] & secm_slots_mask(slab, w)))
		secm_bit_clear(slab->room, w); /* I1 */
	slab->used += some->n;
	heap->idle -= bytes;
	if (slab->used == slab->slots)
		unlist(heap, span); /* I2 */
	if (SECM_UNLIKELY(heap->shed.on))
		secm_retain_shed(heap, bytes);
}

int secm_slab_take(struct secm_heap *heap, unsigned class,
		   struct secm_span **span, size_t *slot)
{
	int r = make_room(heap, class);
	struct secm_some some;

	if (r)
		return r;
	take(heap, class, 1, &some);
	*span = some.span;
	*slot = some.first + secm_ctz64(some.bits);
	return 0;
}

int secm_slab_take_some(struct secm_heap *heap, unsigned class, unsigned most,
			struct secm_some *some)
{
	if (!heap->class[class].partial)
		return -ENOMEM;
	take(heap, class, most, some);
	return 0;
}

/* Without objects: its pages wait for others. */
static void retire(struct secm_heap *heap, struct secm_span *span)
{
	struct secm_class *c = &heap->class[span->bucket];

	unlist(heap, span);
	span->quick = SECM_QUICK_NOT;
	if (!span->dead)
		c->pages -= span->filled;
	if (c->grow == span)
		c->grow = NULL;
	secm_retain_put(heap, span);
}

void secm_slab_give(struct secm_heap *heap, struct secm_span *span,
		    const uint32_t *slots, unsigned n)
{
	struct secm_slab *slab = &span->u.slab;
	struct secm_class *c = &heap->class[span->bucket];
	size_t bytes = n * (size_t)slab->slot;
	int full = slab->used == slab->slots;
	unsigned k;

	for (k = 0; k < n; k++) {
		if (!secm_bit(slab->taken, slots[k]))
			secm_die(SECM_DIE_DOUBLE_FREE); /* slot.h, S3 */
		secm_bit_clear(slab->taken, slots[k]);
		secm_bit_set(slab->room, slots[k] / SECM_WORD_BITS);
	}
	slab->used -= n;
	if (full && !span->dead)
		list(heap, span, &c->partial);
	else if (!span->dead)
		heap->idle += bytes;
	if (slab->used == 0)
		retire(heap, span);
	secm_retain_shed(heap, bytes);
}

void secm_slab_forget_caches(struct secm_span *span)
{
	struct secm_slab *slab = &span->u.slab;
	size_t i;

	for (i = 0; i < slab->slots && slab->used > 0; i++) {
		uint32_t state = secm_peek(&slab->state[i]);

		if (!secm_slot_is_cached(state))
			continue;
		secm_poke(&slab->state[i], 0);
		secm_bit_clear(slab->taken, i);
		slab->used--;
	}
}

void secm_slab_forget_objects(struct secm_span *span)
{
	struct secm_slab *slab = &span->u.slab;
	size_t i;

	for (i = 0; i < slab->slots; i++)
		secm_poke(&slab->state[i], 0);
	secm_bits_clear(slab->taken, 0, slab->slots);
	slab->used = 0;
}

void secm_slab_revive(struct secm_heap *heap, struct secm_span *span)
{
	struct secm_class *c = &heap->class[span->bucket];

	count_slots(span); /* I1 */
	c->pages += span->filled;
	set_quick(span);
	if (span->u.slab.used < span->u.slab.slots)
		list(heap, span, &c->partial); /* I2 */
}
