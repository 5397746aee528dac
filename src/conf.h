/* SPDX-License-Identifier: MIT */
/*
 * conf.h - SECMALLOC_CONF: what the environment adds to a configuration
 */
#ifndef SECM_CONF_H
#define SECM_CONF_H

#include <stddef.h>

#include "compat.h"
#include "secmalloc.h"

struct secm_heap;

enum {
	SECM_CONF_LONGEST = 1024, /* bytes; a longer text is ignored */
	SECM_CONF_MISTAKES = 8,	  /* that are told one by one */
	SECM_CONF_ITEM = 44 /* bytes of one that are told, with its zero */
};

/* In the order of the table in conf.c. */
enum secm_conf_key {
	SECM_CONF_LOG,
	SECM_CONF_SAMPLE,
	SECM_CONF_QUARANTINE,
	SECM_CONF_NEED,
	SECM_CONF_STRICT,
	SECM_CONF_ALWAYS_MOVE,
	SECM_CONF_RETAIN,
	SECM_CONF_CACHE,
	SECM_CONF_KEYS
};

struct secm_conf_mistake {
	char item[SECM_CONF_ITEM]; /* printable, and cut if need be */
	const char *why;
};

struct secm_conf {
	unsigned given; /* bit 1 << key: it is there and right */
	unsigned log_level, sample, quarantine, need;
	size_t retain, cache;
	unsigned mistakes; /* there were; the first of them are kept */
	struct secm_conf_mistake mistake[SECM_CONF_MISTAKES];
};

/* Reads a text; mistakes in it leave the rest as it is. */
void secm_conf_parse(const char *text, struct secm_conf *conf);

/* Makes a configuration (with its defaults filled in) stronger, never weaker;
 * a second time changes nothing. */
void secm_conf_merge(const struct secm_conf *conf,
		     struct secmalloc_config *config);

/* The same with the environment, which is read when it is first asked for and
 * then never again; not if the program does not want it.  Under the lock. */
void secm_conf_apply(struct secmalloc_config *config);

/* Logs what was ignored, once, whatever the log level, and what was taken.
 * After secm_conf_apply(), under the lock. */
void secm_conf_tell(struct secm_heap *heap);

#endif /* SECM_CONF_H */
