/* SPDX-License-Identifier: MIT */
/*
 * test_heaps_limit.c - several heaps under one low lock limit
 *
 * 64 KiB, which is what systems grant that grant little.
 */
#include "t_api.h"

#include <sys/resource.h>

#include "ksft.h"

enum { LIMIT = 65536, MANY = 100 };

#ifdef RLIMIT_MEMLOCK
static int limit_locking(void)
{
	return ta_drop_privileges() == 0 &&
	       ta_limit(RLIMIT_MEMLOCK, LIMIT, LIMIT) == 0 &&
	       ta_lock_limit_binds();
}
#else
static int limit_locking(void)
{
	return 0;
}
#endif

FIXTURE(heaps_limit)
{
	char unused;
};

FIXTURE_VARIANT(heaps_limit)
{
	struct ta_tier tier;
};

FIXTURE_VARIANT_ADD(heaps_limit, secret)
{
	TA_TIER_SECRET
};

FIXTURE_VARIANT_ADD(heaps_limit, locked)
{
	TA_TIER_LOCKED
};

FIXTURE_SETUP(heaps_limit)
{
	int error;

	if (!limit_locking())
		SKIP(return, "lock limit does not bind here");
	error = ta_start(&variant->tier);
	if (error == ENOTSUP)
		SKIP(return, "tier not to be had");
	ASSERT_EQ(0, error);
}

FIXTURE_TEARDOWN(heaps_limit)
{
}

static int fill(secmalloc_heap *heap, int most)
{
	int n = 0;

	while (n < most && secmalloc_heap_malloc(heap, 32))
		n++;
	return n;
}

/* The first heap takes what it uses, and not all that there is. */
TEST_F(heaps_limit, one_leaves_room_for_others)
{
	secmalloc_heap *a, *b;

	EXPECT_EQ(MANY, fill(NULL, MANY));
	a = secmalloc_heap_create(NULL);
	b = secmalloc_heap_create(NULL);
	ASSERT_TRUE(a && b);
	EXPECT_EQ(MANY, fill(a, MANY));
	EXPECT_EQ(MANY, fill(b, MANY));
	EXPECT_GT(fill(a, LIMIT), MANY); /* the control: there is an end */
	EXPECT_NULL(secmalloc_heap_malloc(b, LIMIT));
	EXPECT_EQ(ENOMEM, errno);
	secmalloc_heap_destroy(a);
	EXPECT_EQ(MANY, fill(b, MANY));
}

TEST_F(heaps_limit, keys_have_room)
{
	secmalloc_key *key[MANY];
	int i;

	ASSERT_NOT_NULL(secmalloc(32));
	for (i = 0; i < MANY; i++) {
		key[i] = secmalloc_key_random(NULL, 32);
		ASSERT_NOT_NULL(key[i]);
	}
	for (i = 0; i < MANY; i++) {
		EXPECT_EQ(1, secmalloc_key_equal(key[i], key[i]));
		secmalloc_key_free(key[i]);
	}
}

/* The sum of all has a reason if any of them has one: that of the first. */
TEST_F(heaps_limit, the_report_says_why_another_heap_is_full)
{
	enum secmalloc_reason why = ta_report().reason;
	secmalloc_heap *a = secmalloc_heap_create(NULL);

	ASSERT_NOT_NULL(a);
	EXPECT_EQ(why, ta_report().reason); /* the control */
	EXPECT_LT(fill(a, LIMIT), LIMIT);
	if (why == SECMALLOC_REASON_NONE)
		why = SECMALLOC_REASON_LOCK_LIMIT;
	EXPECT_EQ(why, ta_report().reason);
}
