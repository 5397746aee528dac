/* SPDX-License-Identifier: MIT */
/*
 * policy.h - from what a program wishes to what is asked of the backend
 */
#ifndef SECM_POLICY_H
#define SECM_POLICY_H

#include "compat.h"
#include "secmalloc.h"

struct secm_heap;

enum { SECM_RUNGS = 3 };

/* What a member of the configuration that is 0 stands for. */
enum {
	SECM_DEFAULT_NEED = SECMALLOC_LOCKED | SECMALLOC_NODUMP,
	SECM_DEFAULT_POOL = 1 << 16,
	SECM_DEFAULT_RETAIN = 1 << 20,
	SECM_DEFAULT_GROWTH = 1 << 18,
	SECM_DEFAULT_CACHE = 1 << 15,
	SECM_DEFAULT_QUARANTINE = 8
};

/* Of one in fewer allocations being sampled threads have no caches. */
enum { SECM_SAMPLE_LEAST = 16 };

/* One rung of the ladder from best to least protection. */
struct secm_rung {
	unsigned need, want;
};

struct secm_policy {
	struct secmalloc_config config; /* with the defaults filled in */
	struct secm_rung rung[SECM_RUNGS];
	unsigned rungs;
	enum secmalloc_reason reason; /* why not better */
	int reason_errno;
	int raised; /* the soft limit has been looked at */
};

/* The configuration with its defaults and with what the environment adds.
 * -EINVAL: see secmalloc_init(); -ENOTSUP: no rung is left.  After an error
 * a policy that was set is what it was. */
int secm_policy_set(struct secm_policy *policy,
		    const struct secmalloc_config *config) SECM_CHECK;

/* Remembers why something was refused. */
void secm_policy_blame(struct secm_policy *policy, enum secmalloc_reason reason,
		       int error);

/* 0 if so many bytes could be had at all, with nothing else mapped: -ENOMEM
 * over max_bytes or over the machine's memory. */
int secm_policy_possible(struct secm_heap *heap, size_t len) SECM_CHECK;

/* Maps pages at a rung for the heap; raises the lock limit when that is what
 * is missing and allowed, keeps the counters and remembers the reason. */
int secm_policy_map(struct secm_heap *heap, unsigned rung, void *at, size_t len,
		    unsigned *props) SECM_CHECK;

/* Makes pages present, with the same care for the limit and the reason.
 * -EAGAIN -ENOMEM */
int secm_policy_populate(struct secm_heap *heap, void *at,
			 size_t len) SECM_CHECK;

/* The opposite of mapping; -ENOMEM: nothing changed. */
int secm_policy_unmap(struct secm_heap *heap, void *at, size_t len,
		      unsigned props) SECM_CHECK;

/* Tier of what was obtained, and its name. */
enum secmalloc_tier secm_policy_tier(unsigned props);
const char *secm_policy_tier_name(enum secmalloc_tier tier);

#endif /* SECM_POLICY_H */
