/* SPDX-License-Identifier: MIT */
/*
 * span.h - a piece of address space with one purpose, and the pages in it
 */
#ifndef SECM_SPAN_H
#define SECM_SPAN_H

#include <stddef.h>

#include "compat.h"
#include "os.h"
#include "size.h"

struct secm_heap;
struct secm_pool;

/* What the backend said at start.  can_move may become 0 later. */
extern SECM_LOCAL struct secm_os_info secm_os;

/* A purpose.  Address space that once served one never serves another: an old
 * pointer can only ever meet an object of its own kind and size. */
enum secm_kind {
	SECM_SLAB,
	SECM_RUN,
	SECM_GUARDED,
	SECM_SEGMENT, /* see segment.c */
	SECM_KINDS
};

enum { SECM_BUCKETS = SECM_PAGE_BUCKETS };
SECM_STATIC_ASSERT((int)SECM_BUCKETS >= (int)SECM_CLASSES);

/* Pages of a pool that are at a span for now. */
struct secm_extent {
	struct secm_extent *next;
	struct secm_pool *pool;
	size_t first, pages;
	int homeless; /* their place in the pool is lost */
};

/* Small objects: see slab.c.  What stands first is read without the lock. */
struct secm_slab {
	uint64_t recip;	 /* offset * recip >> 40 is the slot */
	uint32_t *state; /* of each slot, see slot.h */
	uint32_t slot;	 /* bytes in one */
	uint32_t place;	 /* of its magazine in a cache, bytes */
	uint32_t slots;	 /* that have pages */
	uint32_t parted; /* once had objects with parts: see parts.c */
	uint64_t *taken; /* bit set: not to be handed out */
	uint64_t *room;	 /* bit set: that word of taken has a clear bit */
	uint32_t used;	 /* slots that are taken: by objects or in caches */
};

/* One object in its own pages: see run.c. */
struct secm_run {
	char *object; /* the last one, if not live */
	size_t size;
	int live;
	int divided; /* has parts, or had if not live: see parts.c */
	int sampled; /* guarded by chance: an ordinary object to the program */
	int stack;   /* of secmalloc_call(): no child has a use for it */
};

/* Whether slots of the slab may go to caches, and which way. */
enum { SECM_QUICK_NOT, SECM_QUICK_SMALL, SECM_QUICK_LARGE };

/*
 * A line of the processor's cache for what changes with lists and pages, and
 * one for what every free reads without the lock; what the slow way changes
 * often stands behind that.
 */
struct secm_span {
	struct secm_span *next, **link;	 /* in one list; *link is this span */
	struct secm_span *older, *newer; /* while waiting: see retain.c */
	struct secm_span *all;		 /* every span there is */
	struct secm_extent *extents;	 /* filled from these, last to first */
	size_t capacity, filled; /* pages of address space; mapped, from data */
	char *data;
	size_t shown;	/* pages that read as zeros instead: dead */
	unsigned props; /* what all of its pages have */
	unsigned short bucket;
	unsigned char kind;
	unsigned char rung;   /* of the policy, valid while filled */
	unsigned char direct; /* mapped here, not moved from a pool */
	unsigned char pinned; /* pages stay for good: part of a first pool */
	unsigned char dead;   /* objects are from before a fork or shutdown */
	unsigned char quick;  /* SECM_QUICK_*; read without the lock */
	union {
		struct secm_slab slab;
		struct secm_run run;
	} u;
	struct secm_heap *heap; /* for life, as kind and bucket */

	/* Who may touch its pages: see scope.c. */
	struct secm_span *opened;  /* the next one that a call has opened */
	unsigned readers, writers; /* access scopes */
	unsigned char access;	   /* enum secm_access: of all pages, now */
	unsigned char rest;	   /* without scopes: what the program chose */
	unsigned char listed;	   /* a call has opened it */
};

/*
 * A span of that kind and bucket with room for `most` pages, at least `least`
 * of them possible; with whatever pages it still has.  -ENOMEM
 */
int secm_span_get(struct secm_heap *heap, enum secm_kind kind, unsigned bucket,
		  size_t least, size_t most, struct secm_span **out) SECM_CHECK;

/* Address space for so many pages that was never used.  NULL: none */
struct secm_span *secm_span_new(struct secm_heap *heap, enum secm_kind kind,
				unsigned bucket, size_t pages) SECM_CHECK;

/* 1 if there are objects in it, or empty slots in caches. */
int secm_span_has_objects(const struct secm_span *span);

/* Pages behind its end, mapped just now, belong to the span.  Only what has had
 * pages is indexed: space for a request that was refused costs nothing. */
void secm_span_filled(struct secm_heap *heap, struct secm_span *span,
		      unsigned rung, size_t pages, unsigned props);

/* Makes the first `pages` pages mapped, zeroed and present.  pre: pages <=
 * capacity.  An empty span gets the best tier that can be had, one with pages
 * keeps its tier.  The span is unchanged after an error:
 * -ENOMEM -ENOTSUP
 * -EADDRINUSE  its address space is lost; get another */
int secm_span_fill(struct secm_heap *heap, struct secm_span *span,
		   size_t pages) SECM_CHECK;

/* Gives pages from the right back, as far as that works, until so many are
 * left.  What they hold is zero.  pre: the span is not waiting for reuse */
void secm_span_shrink(struct secm_heap *heap, struct secm_span *span,
		      size_t pages);

static inline size_t secm_span_bytes(const struct secm_span *span)
{
	return span->filled * secm_os.page;
}

static inline char *secm_span_end(const struct secm_span *span)
{
	return span->data + span->filled * secm_os.page;
}

/* 1 if its dead objects have no pages at all, not even ones to read. */
static inline int secm_span_is_lost(const struct secm_span *span)
{
	return span->dead && !span->filled && !span->shown;
}

/* No pages that read as zeros any more. */
void secm_span_hide(struct secm_span *span);

/* Lists. */
void secm_span_push(struct secm_span **list, struct secm_span *span);
void secm_span_unlink(struct secm_span *span);

#endif /* SECM_SPAN_H */
