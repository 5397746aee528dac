/* SPDX-License-Identifier: MIT */
/*
 * heap.h - all state of one heap, and its operations
 *
 * Lock order: there is one lock, secm_heap_lock.  It covers the heap and the
 * state of index.c and meta.c.  Functions of heap.h that say so take it; all
 * other internal functions are called with it held.
 */
#ifndef SECM_HEAP_H
#define SECM_HEAP_H

#include "canary.h"
#include "lock.h"
#include "log.h"
#include "parts.h"
#include "policy.h"
#include "pool.h"
#include "span.h"

enum secm_state { SECM_NEW, SECM_READY, SECM_DOWN };

/* Spans of one purpose that have no object. */
struct secm_bucket {
	struct secm_span *filled, *empty;
};

/* All of them that have pages, by how long they have waited. */
struct secm_queue {
	struct secm_span *newest, *oldest;
	size_t bytes;
};

/* Slabs of one size class. */
struct secm_class {
	struct secm_span *partial; /* have a free slot */
	struct secm_span *grow;	   /* newest, may get more pages; or NULL */
	size_t pages;		   /* in all its slabs */
	size_t allocations;	   /* ever, but for those out of caches */
	uint32_t taker, turns;	   /* see pick.c */
};

/* Giving memory back that nobody needs: see retain.c. */
struct secm_shed {
	int on;		 /* caches are to be closed */
	size_t from;	 /* bytes of surplus at which it begins; 0: usual */
	size_t then;	 /* bytes needed when it was last given up */
	size_t peak;	 /* most bytes needed since there was no surplus */
	size_t patience; /* bytes to be freed yet without a gain */
	size_t lowest;	 /* bytes mapped */
};

/* What children get of a heap: see snapshot.c. */
struct secm_snapshot {
	char *at;
	size_t units; /* of address space there */
	size_t len;   /* bytes taken; 0: none */
	unsigned props;
};

struct secm_heap {
	struct secm_heap
		*next; /* of all there ever were, but for the default */
	enum secm_state state;
	int destroyed; /* has no user: heaps.c */
	int orphan; /* a forked child: set up again at its first allocation */
	int access; /* SECMALLOC_BY_*: what closes objects outside scopes */
	int access_errno;	   /* why not by a key, if that was asked */
	unsigned key;		   /* its protection key; 0: none */
	unsigned readers, writers; /* scopes of the whole heap, by pages */
	unsigned lost[2]; /* the same that the parent had, in a child */
	struct secm_policy policy;
	struct secm_vault *vault;
	struct secm_span *vault_span;
	struct secm_class class[SECM_CLASSES];
	struct secm_bucket bucket[SECM_KINDS][SECM_BUCKETS];
	struct secm_span *all;
	struct secm_pool *pools, *spare_pools;
	struct secm_extent *spare_extents;
	size_t mapped[SECMALLOC_TIERS]; /* bytes */
	size_t busy;			/* bytes at spans with objects */
	size_t idle;			/* of them, in free slots of slabs */
	struct secm_queue queue;	/* spans that wait for reuse */
	size_t pinned;			/* bytes of initial pools */
	size_t refused, degraded;
	size_t runs; /* ever handed out, guarded or not */
	size_t sampled, peak;
	struct secm_wholes wholes; /* divided objects */
	struct secm_part *spare_parts;
	struct secm_span *segment; /* of secmalloc_sbrk() */
	struct secm_snapshot snapshot;
	secmalloc_oom_handler *oom;
	void *oom_arg;
	struct secm_thread *threads; /* that have or had a cache */
	size_t cached; /* bytes into caches since idle ones were looked for */
	unsigned stopped; /* caches are closed; nested */
	struct secm_shed shed;
	int shut; /* caches are closed because of that */
	struct secm_log log;
};

/* The first of all heaps, and the only one of which threads keep slots. */
extern SECM_LOCAL struct secm_heap secm_default_heap;
extern SECM_LOCAL struct secm_lock secm_heap_lock;

static inline int secm_heap_has_caches(const struct secm_heap *heap)
{
	return SECM_LIKELY(heap == &secm_default_heap);
}

/* The heap that an object at p would belong to. */
struct secm_heap *secm_heap_of(const void *p);

/* Asks the system what it has, once, before anything else is done. */
void secm_heap_probe(void);

/* Sets the heap up if it is not: 0, or a negative errno.  config may be NULL. */
int secm_heap_ready(struct secm_heap *heap) SECM_CHECK;
int secm_heap_start(struct secm_heap *heap,
		    const struct secmalloc_config *config) SECM_CHECK;
void secm_heap_stop(struct secm_heap *heap);

/* Which kind of object: one of chance's choice, an ordinary or a guarded one. */
enum secm_how { SECM_HOW_ANY, SECM_HOW_PLAIN, SECM_HOW_GUARDED };

int secm_heap_alloc(struct secm_heap *heap, size_t size, enum secm_how how,
		    void **out) SECM_CHECK;
void secm_heap_free(struct secm_heap *heap, void *p);

/* Dies unless p is the start of a live object that is whole.  Its size, span and,
 * if it is part of a divided one, that. */
size_t secm_heap_check(struct secm_heap *heap, void *p, struct secm_span **span,
		       struct secm_whole **whole);

/* As secm_heap_alloc(), for SECM_HOW_PLAIN, and gives up at once. */
int secm_heap_alloc_plain(struct secm_heap *heap, size_t size,
			  void **out) SECM_CHECK;

/* shape.c: -ENOMEM -EINVAL as the public functions */
int secm_heap_realloc(struct secm_heap *heap, void *p, size_t size,
		      void **out) SECM_CHECK;
int secm_heap_aligned(struct secm_heap *heap, size_t align, size_t size,
		      void **out) SECM_CHECK;
int secm_heap_resize(struct secm_heap *heap, void *p, size_t size) SECM_CHECK;
int secm_heap_split(struct secm_heap *heap, void *p, size_t at,
		    void **out) SECM_CHECK;

/* The object that p lies in, or right behind it: 1, or 0. */
int secm_heap_find(struct secm_heap *heap, const void *p, char **start,
		   size_t *size) SECM_CHECK;

/* Size of the live object that starts at p; -EINVAL. */
int secm_heap_size(struct secm_heap *heap, const void *p,
		   size_t *size) SECM_CHECK;
int secm_heap_owns(struct secm_heap *heap, const void *p) SECM_CHECK;

/* The span of a guarded object that starts at p; -EINVAL. */
int secm_heap_guarded(struct secm_heap *heap, const void *p,
		      struct secm_span **span) SECM_CHECK;

static inline size_t secm_heap_mapped(const struct secm_heap *heap)
{
	size_t sum = 0;
	int i;

	for (i = 0; i < SECMALLOC_TIERS; i++)
		sum += heap->mapped[i];
	return sum;
}

/* Bytes without objects that are worth keeping; first pools are kept anyway. */
static inline size_t secm_heap_retain(const struct secm_heap *heap)
{
	return heap->policy.config.retain + heap->pinned;
}

/* Bytes that are mapped but have no object and are in no cache. */
static inline size_t secm_heap_surplus(const struct secm_heap *heap)
{
	return secm_heap_mapped(heap) - (heap->busy - heap->idle);
}

#endif /* SECM_HEAP_H */
