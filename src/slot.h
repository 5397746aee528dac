/* SPDX-License-Identifier: MIT */
/*
 * slot.h - one slot of a slab, and the small object in it
 *
 *	slot   | object  | canary |      live
 *	       | zeros            |      free, or in a cache
 *
 * One word for each slot, out of band, says what is in it:
 *
 *	 31       16 15      0
 *	| tag       | slack   |
 *	  0           0          free: the slab may hand it out
 *	  cache       0          empty, in the cache of that thread
 *	  cache or 0  n > 0      object that leaves n bytes of the slot unused;
 *	                         that thread took it
 *	  SECM_PARTS  SECM_PARTS more than one object, or not at the slot's
 *	                         start: see parts.c
 *
 * S1  A slot that is free or in a cache is all zero, and is checked to be when
 *     it is handed out: out of a cache all of it up to 2064 bytes, else the
 *     first and last 528; out of a slab always all.
 * S2  The last SECM_CANARY_MIN bytes of a slot with an object are canary.
 * S3  The word is changed by whoever has the slot: the slab and objects of
 *     other threads under the lock or by compare and swap; by the thread with
 *     that tag alone, plainly.  Two threads that free one object at the same
 *     instant may both pass the check then, but only one of them finds its tag
 *     in the word when it hands the slot out or gives it back.  If one took
 *     the lock the slab has the slot too, and finds the tag in the word or that
 *     the slot is not taken.
 */
#ifndef SECM_SLOT_H
#define SECM_SLOT_H

#include <stddef.h>

#include "canary.h"
#include "span.h"
#include "wipe.h"

struct secm_heap;

enum {
	SECM_SLAB_MAX = 1 << 20, /* bytes of address space of a slab, guard
				    included */
	SECM_RECIP_SHIFT = 40,
	SECM_TAG_SHIFT = 16,
	SECM_SLACK_MASK = 0xffff,
	SECM_PARTS = 0xffff
};
SECM_STATIC_ASSERT((int)SECM_SLOT_MAX < (int)SECM_PARTS);

static inline char *secm_slot_at(const struct secm_span *span, size_t i)
{
	return span->data + i * span->u.slab.slot;
}

/*
 * Slots are found by a product instead of a division: with offset = i * slot +
 * rest and recip = 2^40 / slot rounded up, offset * recip is i in its upper
 * bits.  Below them it is less than 2^20 if rest is 0, else at least recip.
 */
static inline uint64_t secm_slot_product(const struct secm_span *span,
					 const char *p)
{
	return (uint64_t)(p - span->data) * span->u.slab.recip;
}

static inline size_t secm_slot_number(uint64_t product)
{
	return (size_t)(product >> SECM_RECIP_SHIFT);
}

static inline int secm_slot_is_start(uint64_t product)
{
	return (product & (((UINT64_C(1) << SECM_RECIP_SHIFT) - 1) ^
			   (SECM_SLAB_MAX - 1))) == 0;
}

/* The slot that p lies in, also behind the last one. */
static inline size_t secm_slot_of(const struct secm_span *span, const char *p)
{
	return secm_slot_number(secm_slot_product(span, p));
}

/* p, in some slot, lies in one of that slab. */
static inline int secm_slab_covers(const struct secm_span *span, const char *p)
{
	return (uintptr_t)p - (uintptr_t)span->data <
	       (size_t)span->u.slab.slots * span->u.slab.slot;
}

static inline uint32_t secm_slack(uint32_t state)
{
	return state & SECM_SLACK_MASK;
}

static inline int secm_slot_is_cached(uint32_t state)
{
	return state != 0 && secm_slack(state) == 0;
}

static inline int secm_slot_has_parts(uint32_t state)
{
	return secm_slack(state) == SECM_PARTS;
}

/* The bytes before slot i, which are the end of the slot before: canary if
 * that has an object, else zero; whatever other threads do meanwhile.  Slot 0
 * has a guard page there. */
static SECM_INLINE uint64_t secm_slot_before(const char *p)
{
	return *(const volatile uint64_t *)(const void *)(p - sizeof(uint64_t));
}

static inline int secm_slot_whole_before(const struct secm_vault *vault,
					 const char *p, size_t slot,
					 uint64_t word)
{
	return word == 0 || word == secm_canary(vault, p - slot);
}

/* An object of that size in a new slot.  tag: of the thread that takes it, in
 * its place in the word.  pre: size <= SECM_SLAB_LARGEST
 * -ENOMEM -ENOTSUP */
int secm_slot_alloc(struct secm_heap *heap, size_t size, uint32_t tag,
		    void **out) SECM_CHECK;

/* An object of that size out of the empty slot that p is the start of, which
 * is checked.  tag as above. */
void secm_slot_make(struct secm_heap *heap, char *p, size_t size, uint32_t tag);

/* These die if p is not the start of a live object, or its canary changed. */
void secm_slot_free(struct secm_heap *heap, struct secm_span *span, char *p);
size_t secm_slot_checked_size(struct secm_heap *heap, struct secm_span *span,
			      char *p);

/* Changes the size where it is, wiping what is cut off: 1, or 0 and nothing
 * changed, as the slot is too small.  pre: p was checked */
int secm_slot_resize(struct secm_heap *heap, struct secm_span *span, char *p,
		     size_t size);

/* 1 if a slot of another class would suit that size better. */
int secm_slot_misfits(const struct secm_span *span, size_t size);

/* 1 and the object that p lies in, or behind it the rest of its slot; or 0. */
int secm_slot_find(const struct secm_span *span, const char *p, char **start,
		   size_t *size);

/* Dies if the slot's canary, or a byte that must be zero, changed. */
void secm_slot_verify(struct secm_heap *heap, const struct secm_span *span,
		      size_t i);

#endif /* SECM_SLOT_H */
