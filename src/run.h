/* SPDX-License-Identifier: MIT */
/*
 * run.h - objects with pages of their own: large ones and guarded ones
 */
#ifndef SECM_RUN_H
#define SECM_RUN_H

#include <stddef.h>

#include "span.h"

/* kind: SECM_RUN or SECM_GUARDED.  pre: size <= PTRDIFF_MAX
 * -ENOMEM -ENOTSUP */
int secm_run_alloc(struct secm_heap *heap, enum secm_kind kind, size_t size,
		   void **out) SECM_CHECK;

/* These die if p is not the start of the live object, or a canary changed. */
void secm_run_free(struct secm_heap *heap, struct secm_span *span, char *p);
size_t secm_run_checked_size(struct secm_heap *heap, struct secm_span *span,
			     char *p);

/* Changes the size of the object, which was checked, without moving it: 1, or 0
 * and nothing changed.  The first only if it stays as close to the guard as
 * it would be if it were new. */
int secm_run_resize(struct secm_heap *heap, struct secm_span *span,
		    size_t size);
int secm_run_stay(struct secm_heap *heap, struct secm_span *span, size_t size);

/* The end of the canary behind the object. */
char *secm_run_tail(const struct secm_span *span);

/* As secm_slot_find(). */
int secm_run_find(const struct secm_span *span, const char *p, char **start,
		  size_t *size);

/* Changes the size within the span, which gets more pages if it needs them and
 * has room for them; the object moves with the guard.  1, or 0 and nothing
 * changed.  pre: p was checked, size fits in the span's address space */
int secm_run_slide(struct secm_heap *heap, struct secm_span *span, size_t size,
		   void **out);

/* Dies if a canary, or a byte of a run that is not live, changed. */
void secm_run_verify(struct secm_heap *heap, struct secm_span *span);

/* Changes the access to the live guarded object of that span.  -ENOMEM */
int secm_run_protect(struct secm_span *span,
		     enum secm_access access) SECM_CHECK;

/* Tells a debugger of the object again, after its pages were closed or opened. */
void secm_run_annotate(const struct secm_span *span);

#endif /* SECM_RUN_H */
