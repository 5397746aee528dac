/* SPDX-License-Identifier: MIT */
/*
 * pick.c - which free slots of a slab are the next: a choice by chance
 *
 * Caller: slab.c, under the heap's lock.  Invariants: slab.c, which keeps the
 * bitmaps that are only read here.
 *
 * Slots that are wanted together come out of one word of the bitmap: they share
 * lines of the processor's cache and pages, and the books are kept once for all
 * of them.  Chance decides which word that is, and which of its free slots.
 *
 * Where several threads take slots of a class each looks at a share of the
 * words first, so that what it writes to, slots and their words, is not in one
 * line with what others write to: such lines go to and fro between processors.
 */
#include "pick.h"

#include "cache.h"
#include "die.h"

enum {
	SHARES = 8, /* at most */
	ALONE = 64  /* times that nobody else took some: no shares */
};

/* Of each 64 words those that the calling thread looks at first. */
static uint64_t own_share(struct secm_heap *heap, struct secm_class *class)
{
	uint32_t tags = heap->threads ? heap->threads->tag : 1; /* the newest */
	uint32_t tag = secm_cache_tag() >> SECM_TAG_SHIFT;
	unsigned n = 1;

	if (class->taker != tag)
		class->turns = 0;
	class->taker = tag;
	if (class->turns == ALONE)
		return ~(uint64_t)0;
	class->turns++;
	while (n < tags && n < SHARES)
		n *= 2;
	return ~(uint64_t)0 / (((uint64_t)1 << n) - 1) << tag % n;
}

/* The first word from w on, around the end, that has a free slot and is one of
 * the share; or SIZE_MAX. */
static size_t word_with_room(const struct secm_slab *slab, size_t w,
			     uint64_t share)
{
	size_t rooms = secm_bits_words(secm_bits_words(slab->slots)), n;
	size_t r = w / SECM_WORD_BITS, shift = w % SECM_WORD_BITS;
	uint64_t bits = (slab->room[r] & share) >> shift << shift;

	for (n = 0; !bits && n < rooms; n++) {
		r = r + 1 < rooms ? r + 1 : 0;
		bits = slab->room[r] & share;
	}
	return bits ? r * SECM_WORD_BITS + secm_ctz64(bits) : SIZE_MAX;
}

/* By chance one that has a free slot, of the share if there is one. */
static size_t some_word(const struct secm_slab *slab, uint64_t share,
			uint64_t random)
{
	size_t from = (size_t)secm_scale(random, secm_bits_words(slab->slots));
	size_t w = word_with_room(slab, from, share);

	if (w == SIZE_MAX)
		w = word_with_room(slab, from, ~(uint64_t)0);
	if (w == SIZE_MAX)
		secm_die(SECM_DIE_META); /* I1, I2 */
	return w;
}

/* One of the bits that are set, by the upper half of random: the first from a
 * place among n on, around the end. */
static uint64_t one_of(uint64_t bits, size_t n, uint64_t random)
{
	size_t turn = (size_t)secm_scale(random, n);
	uint64_t above = bits >> turn << turn;

	if (above)
		bits = above;
	return bits & (~bits + 1);
}

void secm_pick(struct secm_heap *heap, struct secm_span *span, unsigned most,
	       struct secm_some *some)
{
	const struct secm_slab *slab = &span->u.slab;
	uint64_t random = secm_rng_next(heap->vault->rng), free, one;
	uint64_t share = own_share(heap, &heap->class[span->bucket]);
	size_t w = some_word(slab, share, random);
	size_t n = slab->slots - w * SECM_WORD_BITS;

	some->span = span;
	some->first = w * SECM_WORD_BITS;
	some->bits = 0;
	some->n = 0;
	free = ~slab->taken[w] & secm_slots_mask(slab, w);
	if (!free)
		secm_die(SECM_DIE_META);
	if (n > SECM_WORD_BITS)
		n = SECM_WORD_BITS;
	do { /* two choices out of each number: of the first, one is made */
		if (some->n % 2)
			random = secm_rng_next(heap->vault->rng);
		else
			random <<= 32;
		one = one_of(free, n, random);
		some->bits |= one;
		free ^= one;
	} while (++some->n < most && free);
}
