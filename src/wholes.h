/* SPDX-License-Identifier: MIT */
/*
 * wholes.h - the divided objects of a heap, by address
 */
#ifndef SECM_WHOLES_H
#define SECM_WHOLES_H

#include <stddef.h>

#include "compat.h"

struct secm_part;

/* An object of slot.c or run.c that was divided. */
struct secm_whole {
	struct secm_whole *next; /* in its list, or spare */
	char *base;
	size_t size;
	size_t live; /* parts */
	struct secm_part *parts;
};

/* A hash table.  All zeros: there are none. */
struct secm_wholes {
	struct secm_whole **lists;
	size_t len; /* lists: 0 or a power of two */
	size_t count;
	struct secm_whole *spare;
};

/* NULL: none is there.  O(1) */
struct secm_whole *secm_wholes_find(const struct secm_wholes *wholes,
				    const char *base);

/* A new one with that base, all else zero.  NULL: no memory.  pre: there is
 * none */
struct secm_whole *secm_wholes_add(struct secm_wholes *wholes, char *base);

/* pre: it has no parts */
void secm_wholes_remove(struct secm_wholes *wholes, struct secm_whole *whole);

/* Any of them that is in list i or a later one, which becomes i; NULL: none. */
struct secm_whole *secm_wholes_from(const struct secm_wholes *wholes,
				    size_t *i);

#endif /* SECM_WHOLES_H */
