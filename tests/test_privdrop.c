/* SPDX-License-Identifier: MIT */
/*
 * test_privdrop.c - lock first, drop privileges after
 *
 * A server that starts as root maps its pools with secmalloc_init(), becomes
 * another user whose lock limit is small, and goes on: what fits into the
 * pools is handed out, really locked.
 */
#include "t_api.h"

#include <sys/resource.h>

#include "ksft.h"

enum {
	POOLS = 4,
	POOL = 256 * 1024,
	LIMIT = 64 * 1024, /* of the user: less than one pool */
	SMALL = 48,
	LARGE = 20000,
	MOST = 40000
};

static char *got[MOST];

FIXTURE(privdrop)
{
	size_t mapped; /* bytes, less what guards may be cut out of them */
};

FIXTURE_VARIANT(privdrop)
{
	struct ta_tier tier;
};

FIXTURE_VARIANT_ADD(privdrop, secret) { TA_TIER_SECRET };
FIXTURE_VARIANT_ADD(privdrop, locked) { TA_TIER_LOCKED };

static size_t mapped(void)
{
	struct secmalloc_report r = ta_report();
	size_t sum = 0;
	int i;

	for (i = 0; i < SECMALLOC_TIERS; i++)
		sum += r.tier[i].mapped;
	return sum;
}

/* Else objects stay in the pools and guards are cut out between them: one
 * page of four. */
static int can_move(void)
{
	struct secm_os_info info;

	secm_os_init(&info);
	return info.can_move;
}

FIXTURE_SETUP(privdrop)
{
	struct secmalloc_config config = { .size = sizeof(config) };
	int error;

	if (geteuid() != 0)
		SKIP(return, "only root has privileges to drop");
	ASSERT_EQ(0, ta_limit(RLIMIT_MEMLOCK, LIMIT, LIMIT));
	secm_os_mask(variant->tier.hide);
	config.need = variant->tier.need;
	config.hibernation = SECMALLOC_HIBERNATION_GIVE_UP;
	config.initial_pools = POOLS;
	config.pool_size = POOL;
	error = secmalloc_init(&config) == 0 ? 0 : errno;
	if (error == ENOTSUP)
		SKIP(return, "tier not to be had");
	if (error)
		SKIP(return, "this root may not lock more than its limit");
	self->mapped = mapped();
	if (!can_move())
		self->mapped = self->mapped * 3 / 4;
	ASSERT_EQ(0, ta_drop_privileges());
	ASSERT_NE(0, geteuid());
	if (!ta_lock_limit_binds())
		SKIP(return, "the user may lock more than its limit, too");
}

FIXTURE_TEARDOWN(privdrop)
{
}

/* Takes objects until there are no more; each is really locked.  errno is that
 * of the allocation that failed. */
static int fill(size_t size, int guarded, int most)
{
	static const unsigned need = SECM_LOCKED | SECM_NODUMP;
	int i, n, error;

	errno = 0;
	for (n = 0; n < most; n++) {
		got[n] = guarded ? secmalloc_guarded(size) : secmalloc(size);
		if (!got[n])
			break;
		memset(got[n], n, size);
	}
	error = errno;
	for (i = 0; i < n; i++) {
		EXPECT_TRUE(ta_holds(got[i], size, i));
		if (i % (n / 50 + 1) == 0)
			EXPECT_NE(0, ta_has_props(got[i], size, need)) {
				TH_LOG("object %d of %d", i, n);
			}
	}
	errno = error;
	return n;
}

static void empty(int n)
{
	while (n-- > 0)
		secfree(got[n]);
}

TEST_F(privdrop, small_objects_fill_the_pools)
{
	int n = fill(SMALL, 0, MOST), error = errno;

	/* Slots of 64 bytes, and a tenth for other things. */
	EXPECT_GT(n, self->mapped / 64 * 9 / 10);
	EXPECT_LE(mapped(), POOLS * POOL + LIMIT);
	EXPECT_EQ(ENOMEM, error);
	empty(n);
	EXPECT_GE(mapped(), self->mapped);
	EXPECT_GE(fill(SMALL, 0, MOST), n * 9 / 10);
}

TEST_F(privdrop, large_objects_fit_in_the_pools)
{
	int n = fill(LARGE, 0, 1000);

	/* 5 pages each */
	EXPECT_GE(n, POOLS * (POOL / (5 * 4096)) / 2);
	empty(n);
	EXPECT_EQ(n, fill(LARGE, 0, 1000));
}

TEST_F(privdrop, guarded_objects_fit_in_the_pools)
{
	int n = fill(SMALL, 1, 1000);

	EXPECT_GE(n, POOLS * (POOL / 4096) / 5);
	empty(n);
	EXPECT_EQ(n, fill(SMALL, 1, 1000));
}

/* What one kind gives back serves the others, as far as the backend moves
 * pages; what was locked stays locked in any case. */
TEST_F(privdrop, all_kinds_one_after_the_other)
{
	int round, n, first = 0;

	for (round = 0; round < 3; round++) {
		n = fill(SMALL, 0, MOST);
		empty(n);
		if (round == 0)
			first = n;
		n += fill(LARGE, 0, 1000);
		empty(n - first);
		n = fill(SMALL, 1, 1000);
		empty(n);
		if (can_move())
			EXPECT_GE(n, POOLS * (POOL / 4096) / 2);
		EXPECT_GE(mapped(), self->mapped);
	}
	EXPECT_EQ(0, ta_report().objects);
}

TEST_F(privdrop, nothing_of_the_pools_is_a_lower_tier)
{
	struct secmalloc_report r;
	int n = fill(SMALL, 0, MOST), i, tier = ta_only_tier();

	EXPECT_GT(n, 0);
	EXPECT_EQ(variant->tier.need ? SECMALLOC_TIER_SECRET
				     : SECMALLOC_TIER_LOCKED, tier);
	r = ta_report();
	for (i = 0; r.verified && i < SECMALLOC_TIERS; i++)
		EXPECT_EQ(r.tier[i].mapped, r.tier[i].confirmed);
	EXPECT_EQ(SECMALLOC_REASON_LOCK_LIMIT, r.reason);
}

/* A child does not have the parent's quota: an error, nothing else. */
TEST_F(privdrop, a_child_is_within_its_own_limit)
{
	int n = fill(SMALL, 0, 2000), i;
	pid_t pid = fork();

	if (pid == 0) {
		(void)!secmalloc(SMALL); /* may be had or not */
		for (i = 0; i < n; i++)
			secfree(got[i]);
		i = fill(SMALL, 0, MOST);
		_exit(i * SMALL > LIMIT);
	}
	EXPECT_EQ(0, ta_status(pid));
	for (i = 0; i < n; i++)
		EXPECT_TRUE(ta_holds(got[i], SMALL, i));
}
