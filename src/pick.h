/* SPDX-License-Identifier: MIT */
/*
 * pick.h - which free slots of a slab are the next
 */
#ifndef SECM_PICK_H
#define SECM_PICK_H

#include "bits.h"
#include "span.h"

/* Slots of one slab that are near to each other: bit i is slot first + i. */
struct secm_some {
	struct secm_span *span;
	size_t first;
	uint64_t bits;
	unsigned n; /* of bits */
};

/* Mask of the bits of word w that stand for slots. */
static inline uint64_t secm_slots_mask(const struct secm_slab *slab, size_t w)
{
	size_t n = slab->slots - w * SECM_WORD_BITS;

	return n >= SECM_WORD_BITS ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1;
}

/* Free slots by chance, of one word of the slab's bitmap: as many as it has,
 * at most `most`, at least one.  They are not taken yet.  pre: it has a free
 * slot, and most > 0 */
void secm_pick(struct secm_heap *heap, struct secm_span *span, unsigned most,
	       struct secm_some *some);

#endif /* SECM_PICK_H */
