/* SPDX-License-Identifier: MIT */
/*
 * scope.h - who may touch an object's pages: at rest, in scopes, in the library
 */
#ifndef SECM_SCOPE_H
#define SECM_SCOPE_H

#include "heap.h"

/* Opens all pages of a span until the call that asks for it leaves.  Whatever
 * touches bytes of a span in a call says so first.  The second ends the process
 * where the kernel refuses; the first returns -ENOMEM. */
int secm_scope_try(struct secm_span *span) SECM_CHECK;
void secm_scope_open_now(struct secm_span *span);

static inline void secm_scope_open(struct secm_span *span)
{
	if (SECM_UNLIKELY(span->access != SECM_READWRITE ||
			  span->rest != SECM_READWRITE ||
			  span->heap->access == SECMALLOC_BY_PAGES))
		secm_scope_open_now(span);
}

/* Before a call lets go of the lock: every span that it opened gets the access
 * that it should have. */
extern SECM_LOCAL struct secm_span *secm_scope_opened;
void secm_scope_settle_all(void);

static inline void secm_scope_settle(void)
{
	if (SECM_UNLIKELY(secm_scope_opened != NULL))
		secm_scope_settle_all();
}

/* The access that a span should have by rest and scopes, now.  -ENOMEM: it has
 * what it had. */
int secm_scope_apply(struct secm_span *span) SECM_CHECK;

/* Ends the process: a secret would stay open. */
void secm_scope_panic(void) SECM_NORETURN;

/* What this thread may do with the span's objects, outside of the library. */
enum secm_access secm_scope_now(const struct secm_span *span);

/* 1 if scopes of its objects can be begun. */
int secm_scope_has(const struct secm_span *span);

/* One more scope of the object at p, or of all objects of the heap; the latter
 * have no keys.  -ENOMEM: nothing changed */
int secm_scope_begin(struct secm_span *span, const void *p,
		     enum secm_access access) SECM_CHECK;
int secm_scope_begin_heap(struct secm_heap *heap,
			  enum secm_access access) SECM_CHECK;

/* One less.  These die if there is none. */
void secm_scope_end(struct secm_span *span, const void *p,
		    enum secm_access access);
void secm_scope_end_heap(struct secm_heap *heap, enum secm_access access);

/* Dies if the object at p, which is to be freed or moved, has one. */
void secm_scope_leave(const void *p);

/* The heap's objects are gone, or it is that of a child: no scope is open.  In
 * a child those that were may still be ended. */
void secm_scope_forget(struct secm_heap *heap, int forked);

#endif /* SECM_SCOPE_H */
