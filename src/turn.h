/* SPDX-License-Identifier: MIT */
/*
 * turn.h - whose turn it is: many readers of a key, or one writer
 */
#ifndef SECM_TURN_H
#define SECM_TURN_H

#include "heap.h"

struct secm_holder;

/* Comes before the heap's: who has that does not take this one. */
extern SECM_LOCAL struct secm_lock secm_turn_lock;

/*
 * Waits until the calling thread may read, or write, what is at p, and notes
 * that it does: 0, or 1 if it reads already and now once more.
 * -EBUSY: it would have to wait, and is not to; -EPERM: what a fork left of it
 * is not to be read; -ENOMEM.  Dies if it would wait
 * for itself.  p need not point to anything: it is a number here.
 */
int secm_turn_take(const void *p, int write, int wait) SECM_CHECK;

/* The opposite, in two steps.  last: 0 if that was a nested one; 1: it was the
 * outermost, and the caller gives it back when the bytes are closed.  Dies if
 * the thread has none. */
int secm_turn_last(const void *p, int write) SECM_CHECK;
void secm_turn_give(const void *p, const struct secm_holder *who, int write);

/* What is at p is about to be freed, or is new.  Dies if a thread reads or writes it, or
 * waits to. */
void secm_turn_leave(const void *p);

/* All objects of that heap are about to go; NULL: of all heaps. */
void secm_turns_forget(const struct secm_heap *heap);

/* The calling thread is about to end. */
void secm_turns_end(const struct secm_holder *who);

/* Around fork, outside of the heap's lock.  In the child nobody reads, writes or
 * waits; what its thread did may be ended yet. */
void secm_turns_prepare(void);
void secm_turns_parent(void);
void secm_turns_child(void);

#endif /* SECM_TURN_H */
