/* SPDX-License-Identifier: MIT */
/*
 * keys.h - protection keys of heaps, and what each thread has opened of them
 */
#ifndef SECM_KEYS_H
#define SECM_KEYS_H

#include "heap.h"

/* Without variables of threads there is nothing to count in: no keys then. */
#ifdef SECM_THREAD
#define SECM_OF_THREAD SECM_THREAD
#else
#define SECM_OF_THREAD
#endif

enum { SECM_KEYS = 16 }; /* in a word of rights */

/* A key of its own for the heap, which has no pages yet: 0, or why there is
 * none (-ENOTSUP -ENOSPC). */
int secm_keys_get(struct secm_heap *heap) SECM_CHECK;

/* The heap is done with its key.  Kept for another one, unless a page still has
 * it. */
void secm_keys_put(struct secm_heap *heap);

/* Around whatever may touch pages of heaps, under the lock; nested. */
void secm_keys_open(void);
void secm_keys_close(void);

/* Scopes of a thread by key: to read, to write.  And those that its parent had,
 * in a child. */
struct secm_scopes {
	unsigned open[SECM_KEYS][2], lost[SECM_KEYS][2];
};
extern SECM_LOCAL SECM_OF_THREAD struct secm_scopes secm_own_scopes;

static inline enum secm_access secm_keys_allowed(unsigned key)
{
	const unsigned *n = secm_own_scopes.open[key];

	if (n[1])
		return SECM_READWRITE;
	return n[0] ? SECM_READ : SECM_NONE;
}

static inline uint32_t secm_keys_bits(unsigned key, enum secm_access access)
{
	uint32_t rights = SECM_KEY_CLOSED;

	if (access != SECM_NONE)
		rights = access == SECM_READ ? SECM_KEY_READ : 0;
	return rights << 2 * key;
}

static inline uint32_t secm_keys_mask(unsigned key)
{
	return (uint32_t)(SECM_KEY_CLOSED | SECM_KEY_READ) << 2 * key;
}

/* One more scope of this thread, or one less, without the lock.  The second
 * dies if there is none.  They count; the third lets the count hold, as
 * secm_keys_close() does: whatever the word of rights was, as a signal handler
 * begins with all keys closed. */
static inline void secm_keys_add(const struct secm_heap *heap, int write)
{
	secm_own_scopes.open[heap->key][write]++;
}

void secm_keys_take_lost(const struct secm_heap *heap, int write);

static inline void secm_keys_take(const struct secm_heap *heap, int write)
{
	if (SECM_LIKELY(secm_own_scopes.open[heap->key][write] > 0))
		secm_own_scopes.open[heap->key][write]--;
	else
		secm_keys_take_lost(heap, write);
}

static inline void secm_keys_apply(const struct secm_heap *heap)
{
	unsigned key = heap->key;

	(void)secm_os_rights(secm_keys_mask(key),
			     secm_keys_bits(key, secm_keys_allowed(key)));
}

/* What the scopes of this thread allow; everything if the heap has no key. */
static inline enum secm_access secm_keys_now(const struct secm_heap *heap)
{
	return heap->key ? secm_keys_allowed(heap->key) : SECM_READWRITE;
}

/* This thread has no scope of the heap any more.  forked: those it had may be
 * ended yet. */
void secm_keys_forget(const struct secm_heap *heap, int forked);

#endif /* SECM_KEYS_H */
