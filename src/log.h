/* SPDX-License-Identifier: MIT */
/*
 * log.h - what the allocator tells while it works
 */
#ifndef SECM_LOG_H
#define SECM_LOG_H

#include <stddef.h>

#include "compat.h"

struct secm_heap;
struct secm_delivery; /* a thread that is handing lines out: see log.c */

enum {
	SECM_LOG_ROOM = 2048, /* bytes of lines that wait */
	SECM_LOG_LINE = 160   /* bytes in the longest, its zero included */
};

struct secm_lines {
	size_t used;   /* bytes of text */
	unsigned lost; /* lines that found no room */
	char text[SECM_LOG_ROOM];
};

struct secm_log {
	struct secm_lines lines;
	struct secm_delivery *deliveries;
	int pending;	       /* lines wait */
	int degraded, refused; /* the last reasons that were told: tell.c */
};

/*
 * Takes down a line, in the manner of printf and without a newline; a line that
 * is too long is cut.  Lines tell sizes, addresses and reasons: never contents,
 * never keys.  secm_log_always() is for what has to be told at any level: it
 * has the level ERROR.
 */
void secm_log(struct secm_heap *heap, int level, const char *format, ...)
	SECM_PRINTF(3, 4);
void secm_log_always(struct secm_heap *heap, const char *format, ...)
	SECM_PRINTF(2, 3);

/* 1 if there are lines, so that secm_log_unlock() has something to do. */
static inline int secm_log_pending(const struct secm_log *log)
{
	return secm_load(&log->pending);
}

/*
 * As secm_unlock(&secm_heap_lock), for a lock that is held; then hands the
 * lines out to the program's logger or to standard error.  Keeps errno.
 */
void secm_log_unlock(struct secm_heap *heap);

/* In a forked child: what the parent wanted to tell is the parent's. */
void secm_log_forked(struct secm_heap *heap);

#endif /* SECM_LOG_H */
