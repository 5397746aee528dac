/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h - what a child gets of a heap that is copied
 */
#ifndef SECM_SNAPSHOT_H
#define SECM_SNAPSHOT_H

#include "compat.h"

struct secm_heap;
struct secm_span;

/* Before a fork: copies all objects for the child, if the configuration says
 * so.  Without memory for that there is no snapshot, and the child's heap is
 * empty. */
void secm_snapshot_take(struct secm_heap *heap);

/* After the fork; or it will not do, as the heap changes yet.  Which of these is
 * not known to those who change it: handlers of others run before the fork and
 * after it. */
void secm_snapshot_drop(struct secm_heap *heap);

/* In the child: what was copied, to be read; NULL if there is nothing.  And when
 * it has what it wants. */
const char *secm_snapshot_open(struct secm_heap *heap) SECM_CHECK;
void secm_snapshot_child(struct secm_heap *heap);

/* 1 if a snapshot has the span, or would have it. */
int secm_snapshot_has(const struct secm_heap *heap,
		      const struct secm_span *span) SECM_CHECK;

#endif /* SECM_SNAPSHOT_H */
