/* SPDX-License-Identifier: MIT */
/*
 * table.h - which threads read and write which keys
 *
 * For turn.c, turns.c and holder.c alone, under secm_turn_lock.
 */
#ifndef SECM_TABLE_H
#define SECM_TABLE_H

#include <pthread.h>

#include "holder.h"

enum { SECM_TURN_BITS = 6, SECM_TURN_BUCKETS = 1 << SECM_TURN_BITS };

/* A thread reads or writes a key. */
struct secm_share {
	struct secm_share *next;
	struct secm_holder *who;
	unsigned count; /* nested so often */
	int write;
	int lost; /* D3 */
};

/* A key that is read, written or waited for. */
struct secm_turn {
	struct secm_turn *next;
	const void *p;
	struct secm_share *shares;
	unsigned waiting[2]; /* threads: to read, to write */
	unsigned admitted;   /* readers that are next, whoever waits to write */
	int torn;	     /* D5 */
};

extern SECM_LOCAL struct secm_turn *secm_turn_table[SECM_TURN_BUCKETS];

/* The link to the turn of p, or that at the end of its bucket. */
struct secm_turn **secm_turn_find(const void *p);

/* The link to a share of that thread, to a lost one only if there is no other;
 * NULL if there is none. */
struct secm_share **secm_turn_share(struct secm_turn *t,
				    const struct secm_holder *who, int write);

/* The only one that writes, or one of those that read; NULL: nobody does. */
const struct secm_share *secm_turn_in_force(const struct secm_turn *t);

/* Not in the table yet, or in no turn.  NULL: no memory */
struct secm_turn *secm_turn_make(const void *p);
struct secm_share *secm_turn_make_share(struct secm_holder *who, int write);
void secm_turn_put_share(struct secm_turn *t, struct secm_share *s);
void secm_turn_spare_share(struct secm_share *s);

/* The share is over, and the next ones get their turn. */
void secm_turn_drop_share(struct secm_turn *t, struct secm_share **link);

/* The turn is too, if that was the last of it. */
void secm_turn_drop_if_over(struct secm_turn **link);

/* Lets go of the lock until some turn changes, maybe that one. */
void secm_turn_wait(const struct secm_turn *t);

/* Threads can wait: 0, or -ENOMEM. */
int secm_turn_ready(void) SECM_CHECK;

/* In a child: nobody waits. */
void secm_turn_forget_waiters(void);

#endif /* SECM_TABLE_H */
