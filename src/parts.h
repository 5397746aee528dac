/* SPDX-License-Identifier: MIT */
/*
 * parts.h - objects that are not alone in a slot or run, or not at its start
 */
#ifndef SECM_PARTS_H
#define SECM_PARTS_H

#include <stddef.h>

#include "compat.h"
#include "wholes.h"

struct secm_heap;
struct secm_span;

/* One object, or what is left of one: it is known until the last is freed. */
struct secm_part {
	struct secm_part *next; /* by address */
	char *start;
	size_t size;
	int live;
};

/* The divided object that p lies in; NULL: it is not divided. */
struct secm_whole *secm_parts_of(const struct secm_heap *heap,
				 const struct secm_span *span, const char *p);

/* Makes the object at base, which is undivided, one with a single part:
 * [start, start + size).  The rest becomes canary.  -ENOMEM */
int secm_parts_make(struct secm_heap *heap, struct secm_span *span, char *base,
		    size_t whole, char *start, size_t size) SECM_CHECK;

/* Cuts the part at p, which was checked; at is below its size.  -ENOMEM */
int secm_parts_split(struct secm_heap *heap, struct secm_whole *whole, char *p,
		     size_t at) SECM_CHECK;

/* As those of slot.h. */
void secm_parts_free(struct secm_heap *heap, struct secm_span *span,
		     struct secm_whole *whole, char *p);
size_t secm_parts_checked_size(struct secm_heap *heap,
			       const struct secm_span *span,
			       const struct secm_whole *whole, const char *p);
int secm_parts_resize(struct secm_heap *heap, const struct secm_span *span,
		      struct secm_whole *whole, char *p, size_t size);
int secm_parts_find(const struct secm_whole *whole, const char *p, char **start,
		    size_t *size);

/* Dies if a byte between parts changed. */
void secm_parts_verify(struct secm_heap *heap, const struct secm_span *span,
		       const struct secm_whole *whole);

/* None of the heap's objects has parts any more: there are none. */
void secm_parts_forget_all(struct secm_heap *heap);

#endif /* SECM_PARTS_H */
