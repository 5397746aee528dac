/* SPDX-License-Identifier: MIT */
/*
 * stats.h - what there is in a heap, counted
 */
#ifndef SECM_STATS_H
#define SECM_STATS_H

#include "secmalloc.h"

struct secm_heap;

/* Of one heap, or all heaps (NULL).  Under the lock; stops the caches. */
void secm_stats_collect(struct secm_heap *heap, struct secmalloc_stats *stats);

/* The same for programs, without the lock: 0, or -1 and errno. */
int secm_stats(struct secm_heap *heap, struct secmalloc_stats *stats);

#endif /* SECM_STATS_H */
