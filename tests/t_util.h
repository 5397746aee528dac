/* SPDX-License-Identifier: MIT */
/*
 * t_util.h - what the tests of the core share
 *
 * Tiers, limits with a control, contents that tell where they belong, access
 * without signals, the list of mappings.  Each test is a process of its own,
 * so nothing here is locked or cleaned up.
 */
#ifndef T_UTIL_H
#define T_UTIL_H

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "os.h"
#include "secmalloc.h"

/* A tier of protection: what the backend is told to hide, and what the
 * configuration asks for. */
struct t_tier {
	unsigned hide, need, flags;
};

#define T_SECRET { 0, SECM_HIDDEN | SECM_LOCKED | SECM_NODUMP, 0 }
#define T_LOCKED { SECM_HIDDEN, 0, 0 }
#define T_PLAIN { SECM_HIDDEN | SECM_LOCKED, 0, SECMALLOC_BEST_EFFORT }

/* secmalloc_init() on that tier with what else config says (may be NULL): 0
 * or an errno. */
int t_begin(const struct t_tier *tier, const struct secmalloc_config *config);

/* Why that errno means that this machine has no such tier, or NULL: it has. */
const char *t_no_tier(int error);

/* 1 if memory of that tier counts against the lock limit. */
int t_has_quota(const struct t_tier *tier);

/* A fixture of the default heap, whose variants have these members. */
#define T_FIXTURE(name, ...)                     \
	FIXTURE(name)                            \
	{                                        \
		struct secm_heap *heap;          \
	};                                       \
	FIXTURE_VARIANT(name)                    \
	{                                        \
		__VA_ARGS__                      \
	};                                       \
	FIXTURE_SETUP(name)                      \
	{                                        \
		self->heap = &secm_default_heap; \
	}                                        \
	FIXTURE_TEARDOWN(name)                   \
	{                                        \
	}                                        \
	struct secm_heap

/*
 * A fixture whose variants are the tiers, in three lines: T_TIERS(name); and
 * T_TIER_LOCKED(name); and T_TIER_PLAIN(name);.  Its tests say T_BEGIN(config)
 * when they have set their limits.
 */
#define T_TIERS(name)                          \
	T_FIXTURE(name, struct t_tier tier;);  \
	FIXTURE_VARIANT_ADD(name, secret) { T_SECRET }
#define T_TIER_LOCKED(name) FIXTURE_VARIANT_ADD(name, locked) { T_LOCKED }
#define T_TIER_PLAIN(name) FIXTURE_VARIANT_ADD(name, plain) { T_PLAIN }

#define T_BEGIN(config)                                          \
	do {                                                     \
		int t_error_ = t_begin(&variant->tier, config);  \
                                                                 \
		if (t_no_tier(t_error_))                         \
			SKIP(return, "%s", t_no_tier(t_error_)); \
		ASSERT_EQ(0, t_error_);                          \
	} while (0)

/* Lets at most so many bytes be locked, or skips the test: before T_BEGIN. */
#define T_LOCK_AT_MOST(bytes)                                          \
	do {                                                           \
		if (t_has_quota(&variant->tier) && !t_lock_at_most(bytes)) \
			SKIP(return, "lock limit does not bind here"); \
	} while (0)

/* So many bytes more can be locked, or the test is skipped: after T_BEGIN, in
 * tests that mean nothing with less. */
#define T_ROOM(bytes)                                                       \
	do {                                                                \
		if (t_has_quota(&variant->tier) && !t_can_lock(bytes))      \
			SKIP(return, "the lock limit is too low for this"); \
	} while (0)

/* p is there or, where the lock limit does not allow it, the test skipped. */
#define T_NEED(p)                                                           \
	do {                                                                \
		if (!(p) && self->heap->policy.reason ==                    \
				    SECMALLOC_REASON_LOCK_LIMIT)            \
			SKIP(return, "the lock limit is too low for this"); \
		ASSERT_NE(NULL, p);                                         \
	} while (0)

/* The statements end in a fault, whoever else wants to handle that. */
#define T_FAULTS(...)                           \
	EXPECT_SIGNAL(SIGSEGV, {                \
		(void)signal(SIGSEGV, SIG_DFL); \
		__VA_ARGS__;                    \
	})

/* Runs the statements in a forked child and waits for it: it has to end in
 * peace, whatever its checks say; those fail the test by themselves. */
#define T_IN_CHILD(...)                     \
	do {                                \
		if (t_fork()) {             \
			__VA_ARGS__;        \
			_exit(0);           \
		}                           \
		EXPECT_EQ(0, t_last_child); \
	} while (0)

/* 1 in the child; 0 in the parent, when the child has ended with the status
 * t_last_child. */
int t_fork(void);
extern int t_last_child;

/* The user that owns nothing, unless we are nobody special already; else -1. */
int t_drop_privilege(void);

/* Gives privileges up and lets at most so many bytes be locked from now on.
 * 1 if a control shows that the limit binds; 0: it does not on this system. */
int t_lock_at_most(size_t bytes);

/* The same with a soft limit below the hard one. */
int t_lock_limits(size_t soft, size_t hard);

/* 1 if so many bytes more can be locked. */
int t_can_lock(size_t bytes);

/* At most so much address space more than is mapped now.  0 or -1 */
int t_space_at_most(size_t more);

/* What the process may do at p, found out by system calls: no fault. */
enum secm_access t_access(const void *p);

/* Fills with bytes that depend on seed and place, none of them zero, and
 * tells if they stand. */
void t_fill(void *p, size_t size, uint64_t seed);
int t_is_filled(const void *p, size_t size, uint64_t seed);

/* 1 if all of the bytes are the given one. */
int t_holds(const void *p, size_t size, int byte);

/* A mapping of this process. */
struct t_vma {
	uintptr_t start, end;
	int readable, writable;
};

/* Calls see() for each in ascending order and returns their number; -1 where
 * the system does not tell. */
int t_vmas(void (*see)(void *arg, const struct t_vma *vma), void *arg);

/* The number behind key in such a file; 0 where there is none. */
size_t t_number_in(const char *path, const char *key);

#endif /* T_UTIL_H */
