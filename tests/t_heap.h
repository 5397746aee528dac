/* SPDX-License-Identifier: MIT */
/*
 * t_heap.h - the invariants of the core, checked from outside
 *
 * Nothing here takes the heap's lock but t_drain(): call it while no other
 * thread allocates or frees.
 */
#ifndef T_HEAP_H
#define T_HEAP_H

#include "heap.h"
#include "stats.h"

/* The first invariant that does not hold, in words; NULL if all do.  Looks at
 * every byte that has to be zero or canary, so it takes its time. */
const char *t_broken(struct secm_heap *heap);

#define T_SOUND(heap) EXPECT_STREQ(NULL, t_broken(heap))

/* For what it is made of: words, where that does not hold. */
#define MUST(condition, words) \
	do { \
		if (!(condition)) \
			return words; \
	} while (0)

/* The parts of it that are in t_slab.c: one slab, and all caches; and all
 * divided objects, which are in t_parts.c. */
const char *t_slab_broken(const struct secm_heap *heap,
			  const struct secm_span *span);
const char *t_caches_broken(const struct secm_heap *heap);
const char *t_parts_broken(const struct secm_heap *heap);

/* Adds the live parts of objects that are not dead. */
void t_count_parts(const struct secm_heap *heap, size_t *objects,
		   size_t *bytes);

int t_is_listed(const struct secm_span *list, const struct secm_span *span);

/* Live objects of the heap and the bytes asked for in them. */
size_t t_objects(void);
size_t t_bytes(void);

/* Empties all caches: what was freed is where it would be without them.
 * Returns how many slots that were. */
size_t t_drain(void);

/* The span of an object. */
struct secm_span *t_span(const void *p);

/* Bytes between the start of an object's slot and its end. */
size_t t_slot(const void *p);

/* 1 if slot i of the slab has a live object. */
int t_is_live(const struct secm_span *span, size_t i);

#endif /* T_HEAP_H */
