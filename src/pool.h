/* SPDX-License-Identifier: MIT */
/*
 * pool.h - mappings that spans get their pages from
 */
#ifndef SECM_POOL_H
#define SECM_POOL_H

#include <stddef.h>

#include "span.h"

struct secm_pool {
	struct secm_pool *next;
	char *home;	/* where its pages are when at no span */
	size_t pages;	/* mapped; 0: none, the descriptor waits for reuse */
	size_t room;	/* pages of address space at home */
	size_t out;	/* pages at spans */
	size_t gone;	/* pages unmapped before the rest */
	size_t needed;	/* of them, at spans that do not wait for reuse */
	size_t placed;	/* pages given out in place, from the left */
	uint64_t *away; /* bit set: not at home, or gone */
	uint64_t *warm; /* bit set: present, a fault is behind us */
	unsigned props;
	unsigned char rung;
	unsigned char lost;   /* part of its home belongs to somebody else */
	unsigned char pinned; /* an initial pool: never given back */
	unsigned char stuck;  /* its absent pages cannot be had just now */
};

/* Maps a pool of at most `most` and at least `least` pages at that rung of the
 * policy.  -ENOMEM -EAGAIN -ENOTSUP ... as secm_os_map() */
int secm_pool_new(struct secm_heap *heap, unsigned rung, size_t least,
		  size_t most, int pinned) SECM_CHECK;

/* Moves pages of some pool of that rung to `to` and makes them present.
 * -ENOMEM  no pool has so many in a row
 * -EADDRINUSE  to is lost, see secm_os_move() */
int secm_pool_take(struct secm_heap *heap, unsigned rung, size_t pages,
		   char *to, struct secm_extent *extent) SECM_CHECK;

/* Takes them home again; where that cannot be, they are unmapped one by one.
 * -ESTALE  done, but `from` is lost, see secm_os_move()
 * -ENOMEM  they stay where they are */
int secm_pool_give(struct secm_heap *heap, struct secm_extent *extent,
		   char *from) SECM_CHECK;

/* For backends that cannot move: units of an initial pool where they stand,
 * with a guard page cut out behind them.  NULL: no room. */
struct secm_pool *secm_pool_place(struct secm_heap *heap, size_t units,
				  char **at) SECM_CHECK;

/* Unmaps the pool, if none of it is at a span. */
void secm_pool_release(struct secm_heap *heap, struct secm_pool *pool);

/* In a forked child (reclaim the homes) or at shutdown (unmap them). */
void secm_pool_orphan_all(struct secm_heap *heap, int forked);

#endif /* SECM_POOL_H */
