/* SPDX-License-Identifier: MIT */
/*
 * slab.h - slots of one size side by side, and which are to be had
 */
#ifndef SECM_SLAB_H
#define SECM_SLAB_H

#include <stddef.h>

#include "compat.h"

struct secm_heap;
struct secm_some;
struct secm_span;

/* A slot of the class that nobody has, by chance; from now on it is taken.  It
 * is as its last user left it: state 0, and zeros unless something is wrong.
 * Gets pages for more of them if need be.  -ENOMEM -ENOTSUP */
int secm_slab_take(struct secm_heap *heap, unsigned class,
		   struct secm_span **span, size_t *slot) SECM_CHECK;

/* The same for 1 to `most` slots that are near to each other (pick.h), if there
 * are any without new pages.  -ENOMEM */
int secm_slab_take_some(struct secm_heap *heap, unsigned class, unsigned most,
			struct secm_some *some) SECM_CHECK;

/* Nobody has them any more.  pre: n > 0; their state is 0, and their bytes too
 */
void secm_slab_give(struct secm_heap *heap, struct secm_span *span,
		    const uint32_t *slots, unsigned n);

/* In a child: slots that were in caches are free, the slab is dead or empty. */
void secm_slab_forget_caches(struct secm_span *span);

/* Nor is any of its objects there any more. */
void secm_slab_forget_objects(struct secm_span *span);

/* And there a slab with objects goes on: what was free is to be had again. */
void secm_slab_revive(struct secm_heap *heap, struct secm_span *span);

#endif /* SECM_SLAB_H */
