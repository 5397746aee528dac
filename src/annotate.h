/* SPDX-License-Identifier: MIT */
/*
 * annotate.h - tell debuggers which bytes are objects
 *
 * Memcheck (valgrind) and AddressSanitizer find bad accesses in secret memory
 * at the very instruction if they know where the objects are.  Three rules:
 *
 *  - Pages at a span are closed, but for the bytes of live objects and the
 *    vault.  Pages at home in their pool are open: nobody has their address.
 *  - What the allocator touches of closed bytes (canaries, zeros) it opens
 *    before and closes afterwards.
 *  - An object is told when it is complete, and taken back before its bytes
 *    are touched.
 *
 * While secm_watched is set every allocation takes the heap's lock, so only
 * code under the lock has to keep these rules; it costs one compare there.
 */
#ifndef SECM_ANNOTATE_H
#define SECM_ANNOTATE_H

#include <stddef.h>

#include "compat.h"

/* 1 if a debugger watches; does not change after the first setup. */
extern int secm_watched;

void secm_annotate_init(void);

/* What the inline functions below call. */
void secm_watch_alloc(void *p, size_t size);
void secm_watch_free(void *p, size_t size);
void secm_watch_resize(void *p, size_t old, size_t size);
void secm_watch_open(void *p, size_t size);
void secm_watch_close(void *p, size_t size);
void secm_watch_region(void *p, size_t size);
void secm_watch_metadata(void *p, size_t size);
void secm_watch_enter(void);
void secm_watch_leave(void);
unsigned secm_watch_stack(void *p, size_t size);
void secm_watch_unstack(unsigned id);

/* An object of size defined bytes; what is around it has been closed. */
static inline void secm_annotate_alloc(void *p, size_t size)
{
	if (SECM_UNLIKELY(secm_watched))
		secm_watch_alloc(p, size);
}

/* It is none any more, and closed. */
static inline void secm_annotate_free(void *p, size_t size)
{
	if (SECM_UNLIKELY(secm_watched))
		secm_watch_free(p, size);
}

/* It has another size where it is. */
static inline void secm_annotate_resize(void *p, size_t old, size_t size)
{
	if (SECM_UNLIKELY(secm_watched))
		secm_watch_resize(p, old, size);
}

/* For the allocator itself.  Of what begins inside 8 aligned bytes those before
 * are opened too, so the bytes before must be open already or belong along. */
static inline void secm_annotate_open(void *p, size_t size)
{
	if (SECM_UNLIKELY(secm_watched))
		secm_watch_open(p, size);
}

static inline void secm_annotate_close(void *p, size_t size)
{
	if (SECM_UNLIKELY(secm_watched))
		secm_watch_close(p, size);
}

/* Address space for objects: what they point to is not lost. */
static inline void secm_annotate_region(void *p, size_t size)
{
	if (SECM_UNLIKELY(secm_watched))
		secm_watch_region(p, size);
}

/* Descriptors: closed for good, and what they point to may be lost. */
static inline void secm_annotate_metadata(void *p, size_t size)
{
	if (SECM_UNLIKELY(secm_watched))
		secm_watch_metadata(p, size);
}

/* What this thread does now is the allocator's own business, until it leaves. */
static inline void secm_annotate_enter(void)
{
	if (SECM_UNLIKELY(secm_watched))
		secm_watch_enter();
}

static inline void secm_annotate_leave(void)
{
	if (SECM_UNLIKELY(secm_watched))
		secm_watch_leave();
}

/* An object that a thread is to stand on, until it does so no more.  These two
 * without the lock; what the first returns is for the second. */
static inline unsigned secm_annotate_stack(void *p, size_t size)
{
	return SECM_UNLIKELY(secm_watched) ? secm_watch_stack(p, size) : 0;
}

static inline void secm_annotate_unstack(unsigned id)
{
	if (SECM_UNLIKELY(secm_watched))
		secm_watch_unstack(id);
}

#endif /* SECM_ANNOTATE_H */
