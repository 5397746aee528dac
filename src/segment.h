/* SPDX-License-Identifier: MIT */
/*
 * segment.h - one contiguous piece of secret memory that grows and shrinks
 */
#ifndef SECM_SEGMENT_H
#define SECM_SEGMENT_H

#include <stddef.h>

#include "compat.h"

struct secm_heap;

/* Moves the end of the heap's segment; *out is where it was.
 * -ENOMEM -ENOTSUP -EINVAL */
int secm_segment_move(struct secm_heap *heap, ptrdiff_t by,
		      void **out) SECM_CHECK;

int secm_segment_owns(const struct secm_heap *heap, const void *p);

#endif /* SECM_SEGMENT_H */
