/* SPDX-License-Identifier: MIT */
/*
 * orphan.h - objects that outlive their pages
 */
#ifndef SECM_ORPHAN_H
#define SECM_ORPHAN_H

struct secm_heap;
struct secm_span;

/* In a forked child: everything inherited is dead.  Dead objects read as zeros
 * from pages of the child's own; the heap is set up anew by the next
 * allocation, with the same configuration. */
void secm_orphan_forked(struct secm_heap *heap);

/* At shutdown: wipes every object and gives every page back. */
void secm_orphan_stopped(struct secm_heap *heap);

/* After that: its objects are freed, too, whatever pointers are left. */
void secm_orphan_forget(struct secm_heap *heap);

/* Tells a debugger anew which bytes of a span are objects. */
void secm_orphan_annotate(struct secm_heap *heap, struct secm_span *span);

#endif /* SECM_ORPHAN_H */
