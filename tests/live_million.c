/* SPDX-License-Identifier: MIT */
/*
 * live_million.c - a million small secrets at a time
 *
 * Some 50 MB of locked memory, which few users may have.  Each object is found
 * to hold what it should when it is freed, in an order of chance, so nearly all
 * slabs are in use until the last.  What is locked has to fall nevertheless.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "ksft.h"
#include "t_api.h"
#include "t_heap.h"
#include "t_util.h"

T_TIERS(million);
T_TIER_LOCKED(million);

/* A build that checks the whole heap all the time would take too long. */
#ifdef SECM_DEBUG
enum { MILLION = 20000 };
#else
enum { MILLION = 1000000 };
#endif
enum { SIZE = 32, RETAIN = 1 << 20, POOL = 256 << 10 };

static uint64_t *secret[MILLION]; /* each SIZE bytes */

/* As the kernel counts. */
static size_t locked(void)
{
	return t_number_in("/proc/self/status", "VmLck:") * 1024;
}

static int make_all(void)
{
	size_t i;

	for (i = 0; i < MILLION; i++) {
		uint64_t *p = secmalloc(SIZE);

		if (!p)
			return 0;
		secret[i] = p;
		p[0] = i;
		p[SIZE / sizeof(*p) - 1] = ~(uint64_t)i;
	}
	return 1;
}

static void shuffle(void)
{
	size_t i, k;

	for (i = MILLION - 1; i > 0; i--) {
		uint64_t *other = secret[i];

		k = (size_t)(ksft_random() % (i + 1));
		secret[i] = secret[k];
		secret[k] = other;
	}
}

/* Each number is there once: the sum of them and of their squares says so. */
static void free_all(void)
{
	uint64_t sum = 0, squares = 0, want = 0, want_squares = 0;
	size_t i;

	for (i = 0; i < MILLION; i++) {
		uint64_t *p = secret[i];

		ASSERT_TRUE(p[0] == ~p[SIZE / sizeof(*p) - 1]);
		sum += p[0];
		squares += p[0] * p[0];
		secfree(p);
		want += i;
		want_squares += (uint64_t)i * i;
	}
	EXPECT_EQ(want, sum);
	EXPECT_EQ(want_squares, squares);
}

TEST_F_TIMEOUT(million, live_objects_freed_in_any_order_leave_no_lock, 600)
{
	struct secmalloc_config c = { .retain = RETAIN, .pool_growth = POOL };
	size_t peak;

	KSFT_SANITIZER_SKIP("it makes mlock() do nothing");
	T_BEGIN(&c);
	if (!make_all()) {
		if (ta_report().reason == SECMALLOC_REASON_LOCK_LIMIT)
			SKIP(return, "the lock limit is too low for this");
		ASSERT_FALSE("out of memory for another reason");
	}
	peak = secm_heap_mapped(self->heap);
	EXPECT_EQ(MILLION, t_objects());
	EXPECT_LE((size_t)MILLION * SIZE, peak);
	if (t_vmas(NULL, NULL) >= 0) /* there is a /proc */
		EXPECT_LE(peak, locked());
	shuffle();
	free_all();
	EXPECT_EQ(0, t_objects());
	/* Nobody asked for it: what waits, the pool of what is in the cache,
	 * and the first one. */
	EXPECT_LE(secm_heap_mapped(self->heap), RETAIN + 2 * POOL);
	EXPECT_LE(locked(), RETAIN + 2 * POOL);
	(void)secmalloc_trim();
	EXPECT_LE(locked(), POOL);
	T_SOUND(self->heap);
}
