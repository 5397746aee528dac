/* SPDX-License-Identifier: MIT */
/*
 * t_api.h - what the tests of the public interface share
 *
 * Tiers, a look at the kernel's list of mappings, access without signals,
 * children, limits.  Each test is a process of its own, so nothing here is
 * locked or cleaned up.
 */
#ifndef T_API_H
#define T_API_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "os.h"
#include "secmalloc.h"

/* What the backend is told to hide, and the options to start with. */
struct ta_tier {
	unsigned hide, need, flags;
};

#define TA_TIER_SECRET { 0, SECMALLOC_HIDDEN, 0 }
#define TA_TIER_LOCKED { SECM_HIDDEN, 0, 0 }
#define TA_TIER_PLAIN { SECM_HIDDEN | SECM_LOCKED, 0, SECMALLOC_BEST_EFFORT }

/* secmalloc_init() on that tier: 0 or an errno. */
int ta_start(const struct ta_tier *tier);

/* The same; NULL, or why this test cannot have that tier here. */
const char *ta_begin(const struct ta_tier *tier);

/* Sets up or skips, in a fixture's setup.  Best effort can always be had. */
#define TA_BEGIN(tier)                                   \
	do {                                             \
		const char *lacks = ta_begin(tier);      \
                                                         \
		if (lacks && !(tier)->flags)             \
			SKIP(return, "%s", lacks);       \
		ASSERT_NULL(lacks);                      \
	} while (0)

/* Each tier as a variant of a fixture. */
#define TA_VARIANTS(name)                                                 \
	FIXTURE_VARIANT(name)                                             \
	{                                                                 \
		struct ta_tier tier;                                      \
	};                                                                \
	FIXTURE_VARIANT_ADD(name, secret) { TA_TIER_SECRET };             \
	FIXTURE_VARIANT_ADD(name, locked) { TA_TIER_LOCKED };             \
	FIXTURE_VARIANT_ADD(name, plain) { TA_TIER_PLAIN }

/* A fixture without members, on each tier. */
#define TA_TIERS(name)                                                    \
	FIXTURE(name)                                                     \
	{                                                                 \
		char unused;                                              \
	};                                                                \
	TA_VARIANTS(name);                                                \
	FIXTURE_SETUP(name)                                               \
	{                                                                 \
		TA_BEGIN(&variant->tier);                                 \
	}                                                                 \
	FIXTURE_TEARDOWN(name)                                            \
	{                                                                 \
	}                                                                 \
	struct ta_tier

/* A heap of that tier for SECMALLOC_CHILD_*, or with access scopes, too.  NULL
 * fails the test. */
secmalloc_heap *ta_heap(const struct ta_tier *tier, unsigned child);
secmalloc_heap *ta_scoped(const struct ta_tier *tier, unsigned child);

/* Which tier objects come from, as the report has it: the only one that has
 * mappings, else -1. */
int ta_only_tier(void);

/* The report, or all zeros. */
struct secmalloc_report ta_report(void);

/* Bytes that no compiler knows. */
void *ta_hide(void *p);

/* 1 if all of the bytes are the given one. */
int ta_holds(const void *p, size_t size, int byte);

/* Who may touch that byte, found out without a signal: SECM_NONE, SECM_READ,
 * SECM_READWRITE. */
enum secm_access ta_access(const void *p);

size_t ta_page(void);

/* A mapping of this process as the kernel describes it. */
struct ta_vma {
	uintptr_t start, end;
	unsigned props; /* SECM_* */
	int readable, writable;
};

/* Calls see() for each in ascending order and returns their number; -1 where
 * the system does not tell. */
int ta_vmas(void (*see)(void *arg, const struct ta_vma *vma), void *arg);

/* The same for another process. */
int ta_vmas_of(pid_t pid, void (*see)(void *arg, const struct ta_vma *vma),
	       void *arg);

/* 1 if every byte of [p, p + size) has all of props, 0 if not; -1 where the
 * system does not tell. */
int ta_has_props(const void *p, size_t size, unsigned props);

/* Open descriptors. */
int ta_descriptors(void);

/* Exit status of a child, or the signal it died of, negative. */
int ta_status(pid_t pid);

/* A child for which no fork handler runs; -1 and ENOSYS where there is no
 * such thing. */
pid_t ta_raw_fork(void);

/* Soft and hard limit, 0 or -1. */
int ta_limit(int resource, size_t soft, size_t hard);

/* From now on the user that owns nothing; unprivileged callers stay who they
 * are. */
int ta_drop_privileges(void);

/* Takes the lock off pages behind the allocator's back: 0 or -1. */
int ta_unlock(void *p, size_t size);

/* 1 if this process may not lock more than its limit. */
int ta_lock_limit_binds(void);

#endif /* T_API_H */
