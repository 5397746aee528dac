/* SPDX-License-Identifier: MIT */
/*
 * api.h - what the files with public functions share
 */
#ifndef SECM_API_H
#define SECM_API_H

#include "heap.h"

static inline int secm_is_alignment(size_t align)
{
	return align > 0 && align <= SECMALLOC_ALIGN_MAX;
}

/* Takes the lock and sets the heap up, the default one if it is NULL: 0, or a negative errno and not locked.
 * -EPERM: this child was made without fork handlers. */
int secm_enter(struct secm_heap *heap) SECM_CHECK;

/* The same without setting anything up. */
int secm_enter_anyway(void) SECM_CHECK;

/* And without asking whether this is such a child. */
void secm_take(void);

void secm_leave(void);

/* heaps.c: what a program calls a heap, the default one if it is NULL.  Dies if it
 * was destroyed. */
struct secm_heap *secm_heap_alive(secmalloc_heap *handle);

/* Whether its objects can be touched in access scopes alone. */
int secm_heap_has_scopes(secmalloc_heap *handle);

/* The rest of a call that did not find what it needs in the thread's cache:
 * NULL and errno.  Asks out-of-memory handlers. */
void *secm_allocate(size_t size, enum secm_how how);

/* The same in another heap, or with an alignment. */
void *secm_allocate_in(struct secm_heap *heap, size_t align, size_t size,
		       enum secm_how how);

/* Without asking them; 0 < align <= SECMALLOC_ALIGN_MAX.  A negative errno */
int secm_try(struct secm_heap *heap, size_t align, size_t size,
	     enum secm_how how, void **out) SECM_CHECK;

/* report.c: as secmalloc_report(), of one heap. */
int secm_report(struct secm_heap *heap, struct secmalloc_report *report);

/* oom.c: asks the handlers of thread and process, for that heap.  1: try again.  Called
 * without the lock. */
int secm_oom_ask(const struct secm_heap *of, size_t size, int error);

#endif /* SECM_API_H */
