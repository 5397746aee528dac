/* SPDX-License-Identifier: MIT */
/*
 * t_way.h - the ways to a small object, and other threads that take them
 *
 * quick   through the thread's cache, without a barrier of its own
 * other   through the cache, with one: no barrier for all threads is to be had
 * slow    under the heap's lock: threads keep nothing
 *
 * On systems without barriers for all threads, quick is other; in builds
 * without atomics all three are slow.
 */
#ifndef T_WAY_H
#define T_WAY_H

#include "t_util.h"

enum t_way { T_QUICK, T_OTHER, T_SLOW };

/* t_begin() for that way. */
int t_begin_way(const struct t_tier *tier, enum t_way way,
		const struct secmalloc_config *config);

/* 1 if the calling thread's cache is open in the way that was begun, as far as
 * this build and system allow.  It has to have made an object before. */
int t_goes(enum t_way way);

/* A fixture without members, for each tier and way: T_WAYS(name); */
#define T_WAY_VARIANTS(f, name, tier)                   \
	FIXTURE_VARIANT_ADD(f, name##_quick) { tier, T_QUICK }; \
	FIXTURE_VARIANT_ADD(f, name##_other) { tier, T_OTHER }; \
	FIXTURE_VARIANT_ADD(f, name##_slow) { tier, T_SLOW }
#define T_WAYS(name)                                                 \
	T_FIXTURE(name, struct t_tier tier; enum t_way way;);        \
	T_WAY_VARIANTS(name, secret, T_SECRET);                      \
	T_WAY_VARIANTS(name, locked, T_LOCKED);                      \
	T_WAY_VARIANTS(name, plain, T_PLAIN)

/* As T_BEGIN(); this thread's cache is open then. */
#define T_BEGIN_WAY(config)                                               \
	do {                                                              \
		int t_error_ = t_begin_way(&variant->tier, variant->way,  \
					   config);                       \
                                                                          \
		if (t_no_tier(t_error_))                                  \
			SKIP(return, "%s", t_no_tier(t_error_));          \
		ASSERT_EQ(0, t_error_);                                   \
		ASSERT_TRUE(t_goes(variant->way));                        \
	} while (0)

/* Calls it in a thread of its own that ends before this returns. */
void t_in_thread(void (*call)(void *arg), void *arg);

/* secfree() by such a thread. */
void t_free_in_thread(void *p);

/* An object in which each byte is written; one that such a thread made; and one
 * with another in its slab, so that the slab stays: else a pointer into it is
 * nobody's. */
char *t_get(size_t size);
char *t_foreign(size_t size);
char *t_with_company(size_t size);

/* Makes objects that are kept, so many that each free slot is taken; or until
 * there are no more. */
void t_hand_out_all(size_t size);

/* Calls it in n threads that all begin at the same instant, as far as there
 * are processors: with the numbers 0 to n - 1, which is how long they spin
 * before. */
void t_at_once(unsigned n, void (*call)(void *arg, unsigned i), void *arg);

#endif /* T_WAY_H */
