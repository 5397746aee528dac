/* SPDX-License-Identifier: MIT */
/*
 * cache.h - empty slots that each thread keeps
 *
 * A thread's cache has a magazine of empty slots for each size class.  An
 * allocation takes one of them by chance, a free puts one back; neither takes
 * a lock or makes a system call: quick.h.  cache.c fills and empties magazines
 * under the lock.
 *
 *	magazine  slots | s0 | s1 | .. | s(count-1) |  ...  |
 *	                  0 ... floor ... count ... limit
 *
 * Up to floor slots only wait (quarantine); of more than that any one may be
 * handed out, also one of those.  limit is where it is full.
 *
 * C1  The slots in a magazine have the cache's tag in their word and slack 0;
 *     their bytes are zero (slot.h, S1).
 * C2  The magazines are touched by their thread while busy, if it found the
 *     cache open after that; else under the heap's lock, by others only when
 *     the cache is closed and not busy (secm_caches_stop).
 * C3  The cache lies in pages that the kernel empties in a forked child, if
 *     the system can do that: an emptied cache is closed.
 */
#ifndef SECM_CACHE_H
#define SECM_CACHE_H

#include <errno.h>
#include <pthread.h>
#include <stddef.h>

#include "annotate.h"
#include "heap.h"
#include "index.h"
#include "slot.h"

enum { SECM_SMALL = SECM_SMALL_SLOT - SECM_CANARY_MIN }; /* bytes of object */

/* Where an empty slot is, and its word. */
struct secm_place {
	char *p;
	uint32_t *state;
};

struct secm_magazine {
	uint32_t count, slot;  /* slot: bytes */
	uint32_t floor, limit; /* for the quick way */
	size_t allocations;
	struct secm_place *places;
	uint32_t next;	/* place of the next to be handed out */
	uint16_t at[2]; /* see wipe.h */
	uint16_t true_floor, true_limit;
	uint32_t left;	/* count after it was last filled or emptied, and */
	size_t by_then; /* allocations; see cache.c */
};

/* What open says; only when it is SECM_OPEN_QUICK floor and limit are the true
 * ones, else the magazines look empty and full to the quick way. */
enum {
	SECM_CLOSED,
	SECM_OPEN_QUICK, /* whoever closes it has a barrier for all threads */
	SECM_OPEN_OTHER	 /* this thread has to fence itself, or to count */
};

struct secm_cache {
	struct secm_magazine none; /* place 0, before everything is set up */
	int busy, open;
	uint32_t tag;	       /* as it stands in a slot's word */
	uint32_t until_sample; /* allocations; 0: no sampling */
	struct secm_vault *vault;
	struct secm_lane *lane;
	struct secm_magazine magazine[SECM_CLASSES];
	struct secm_thread *thread;
};

static inline uint32_t secm_cache_place(unsigned class)
{
	return (uint32_t)(offsetof(struct secm_cache, magazine) +
			  class * sizeof(struct secm_magazine));
}

static SECM_INLINE struct secm_magazine *secm_cache_magazine(
	struct secm_cache *cache, size_t place)
{
	return (struct secm_magazine *)(void *)((char *)cache + place);
}

/* Places for objects by size and SECM_CANARY_MIN, in units of SECM_ALIGN. */
extern SECM_LOCAL uint16_t secm_cache_places[SECM_SLOT_MAX / SECM_ALIGN + 1];

static SECM_INLINE size_t secm_cache_place_for(size_t size)
{
	return secm_cache_places[(size + SECM_CANARY_MIN + SECM_ALIGN - 1) /
				 SECM_ALIGN];
}

static inline struct secm_place secm_cache_at(const struct secm_span *span,
					      size_t i)
{
	struct secm_place place;

	place.p = secm_slot_at(span, i);
	place.state = &span->u.slab.state[i];
	return place;
}

/* 1: the next object is to be a guarded one, which the slow way makes. */
static inline int secm_cache_count_down(struct secm_cache *cache)
{
	if (cache->until_sample > 1)
		cache->until_sample--;
	return cache->until_sample == 1;
}

/* What outlives a fork: all threads that ever had a cache, under the lock. */
struct secm_thread {
	struct secm_thread *next;
	struct secm_cache *cache;
	size_t room;	 /* places in its magazines */
	size_t activity; /* when idle threads were last looked for; cache.c */
	uint32_t tag;
	unsigned char used;	/* a thread runs with it */
	unsigned char active;	/* it is set up, and open unless stopped */
	unsigned char asking;	/* inside an out-of-memory handler */
	unsigned char starting; /* the C library is told of it just now */
	pthread_t starter;	/* valid then */
	secmalloc_oom_handler *oom;
	void *oom_arg;
};

/* The cache of a thread that has none, yet or any more: always closed. */
extern SECM_LOCAL struct secm_cache secm_no_cache, secm_ended_cache;

#ifdef SECM_THREAD
extern SECM_LOCAL SECM_THREAD struct secm_cache *secm_own_cache;

static inline struct secm_cache *secm_cache_self(void)
{
	return secm_own_cache;
}
#else
extern SECM_LOCAL pthread_key_t secm_cache_key;
extern SECM_LOCAL int secm_cache_key_made;

static inline struct secm_cache *secm_cache_self(void)
{
	struct secm_cache *cache = NULL;

	if (secm_load(&secm_cache_key_made))
		cache = pthread_getspecific(secm_cache_key);
	return cache ? cache : &secm_no_cache;
}
#endif

/* What the slow way puts into words of slots that this thread takes. */
static inline uint32_t secm_cache_tag(void)
{
	return secm_cache_self()->tag;
}

/* Before everything else. */
void secm_cache_setup(void);

/* Gives this thread a cache if it has none, and should have one or is made to.
 * Called without the lock. */
void secm_cache_start(struct secm_heap *heap, int must);

/*
 * All that follows is called under the heap's lock.
 */

/* More slots of that class, if some can be had without new pages; and fewer,
 * as the magazine is full. */
void secm_cache_refill(struct secm_heap *heap, unsigned class);
void secm_cache_flush(struct secm_heap *heap, unsigned class);

/* Keeps a slot that was emptied under the lock: 1; or 0, there is no room.
 * pre: its word is 0, and its bytes too */
int secm_cache_give(const struct secm_span *span, size_t i) SECM_CHECK;

/* A slot of the class that waits in this thread's cache: 1, and nobody has it
 * any more but the caller; 0: none. */
int secm_cache_take(struct secm_heap *heap, unsigned class,
		    struct secm_place *place);

/* 1 if the next small object should be a guarded one; and when the next is. */
int secm_cache_sample(struct secm_heap *heap);
void secm_cache_next_sample(struct secm_heap *heap, struct secm_cache *cache);

/* Opens the thread's cache, unless there is a reason against it. */
void secm_cache_open(const struct secm_heap *heap, struct secm_thread *t);

/* Waits until no thread is in its magazines, and lets them in again.  Calls
 * can be nested. */
void secm_caches_stop(struct secm_heap *heap);
void secm_caches_resume(struct secm_heap *heap);

/* Statistics start anew.  The caches are stopped. */
void secm_caches_reset_counts(struct secm_heap *heap);

/* Empties the caches and keeps them closed, or opens them again. */
void secm_caches_shut(struct secm_heap *heap, int shut);

/* Gives the slots of that class (SECM_CLASSES: all) of all threads back to
 * their slabs; returns how many. */
size_t secm_caches_drain(struct secm_heap *heap, unsigned class);

/* The thread of that cache is about to end: its cache is closed and empty. */
void secm_cache_end(struct secm_heap *heap, struct secm_cache *cache);

/* In a child: no slot is in a cache, and no thread but this one is there. */
void secm_caches_forget(struct secm_heap *heap);

/* When the heap has started: threads that have caches may use them. */
void secm_caches_open(struct secm_heap *heap);

/* 1 if the calling thread is inside its magazines: this is a signal handler. */
int secm_cache_interrupted(void);

#endif /* SECM_CACHE_H */
