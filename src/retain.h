/* SPDX-License-Identifier: MIT */
/*
 * retain.h - spans that wait for reuse, and when they stop waiting
 */
#ifndef SECM_RETAIN_H
#define SECM_RETAIN_H

#include "span.h"

/* The span has no object any more and all its bytes are zero: keep it for
 * reuse, with its pages as far as the heap wants to retain them. */
void secm_retain_put(struct secm_heap *heap, struct secm_span *span);

/* One that waits, with at least so many pages of address space, now in use
 * again; the most recent with pages first.  NULL: none. */
struct secm_span *secm_retain_get(struct secm_heap *heap, enum secm_kind kind,
				  unsigned bucket, size_t least, int filled);

/* So many bytes of a slot are free now: decides whether caches should be closed
 * so that slabs get empty (heap->shed). */
void secm_retain_shed(struct secm_heap *heap, size_t bytes);

/* Gives back the pages of all spans that wait, and whole pools.  0: there was
 * nothing to gain. */
size_t secm_retain_trim(struct secm_heap *heap);

/* The same for all other heaps: how much may be locked is a limit of the whole
 * process. */
size_t secm_retain_trim_others(const struct secm_heap *heap);

#endif /* SECM_RETAIN_H */
