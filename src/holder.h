/* SPDX-License-Identifier: MIT */
/*
 * holder.h - threads that read and write keys
 */
#ifndef SECM_HOLDER_H
#define SECM_HOLDER_H

#include "heap.h"

/* What tells a thread from all others that there are. */
struct secm_holder {
	struct secm_holder *next; /* of all there ever were */
	int used;
	unsigned open; /* shares, but for lost ones */
};

/* The calling thread's; NULL: it has not got any yet. */
struct secm_holder *secm_holder_self(void);

/* The same, and makes one where there is none: NULL, no memory.  Without the
 * lock of turn.c, which the others here want. */
struct secm_holder *secm_holder_get(void);

/* In a child: there is no thread but this one. */
void secm_holders_forked(void);

/* table.c: zeroed memory for descriptors.  NULL: none */
void *secm_turn_memory(size_t size) SECM_CHECK;

#endif /* SECM_HOLDER_H */
