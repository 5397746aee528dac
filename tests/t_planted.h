/* SPDX-License-Identifier: MIT */
/*
 * t_planted.h - what the two files of t_planted share
 */
#ifndef T_PLANTED_H
#define T_PLANTED_H

#include <stddef.h>

/* SMALL leaves 35 bytes to the next slot: memcheck speaks of a block that was
 * freed within less than that, rather than of the one that is meant. */
enum {
	SMALL = 125,
	LARGE = 20001,
	WHOLE = 32,
	LESS = 920,
	MORE = 950, /* of the same slot size */
	MANY = 16
};

/* p, or the end of the process; the same for a condition. */
void *t_need(void *p);
void t_must(int holds, const char *what);

/* The higher of two small objects: before it is a slot.  Before the first slot
 * of a slab is a guard page. */
char *t_not_first(char **other);

/* t_planted.c: no bugs at all, whatever bad says. */
void t_churn(int bad);
void t_report(int bad);

/* t_planted_bugs.c: up to an entry without a name. */
struct t_bug {
	const char *name;
	void (*run)(int bad);
	int in_all; /* the program can go on afterwards */
};
extern const struct t_bug t_bugs[];
extern int t_child_status; /* of the last child */

#endif /* T_PLANTED_H */
