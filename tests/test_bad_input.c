/* SPDX-License-Identifier: MIT */
/*
 * test_bad_input.c - scarcity: a clear error or a lower tier that is told
 *
 * Lock limits, descriptors, address space and locked future mappings, as an
 * unprivileged user (and as root where that differs).  Never a crash, never a
 * signal, and what was handed out before stays whole.  Filters on system calls
 * are in test_seccomp.c.
 */
#include "t_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "ksft.h"

enum { SMALL = 32, LARGE = 20000, SLOT = 48 /* of SMALL, with canary */ };
enum { MOST = 200000 };

static unsigned char *got[MOST];

/* Takes objects until there are no more and checks that each is whole, as
 * protected as it has to be, and can be freed.  Returns how many. */
static int use_up(size_t size, int most, unsigned need)
{
	int i, n;

	for (n = 0; n < most; n++) {
		errno = 0;
		got[n] = secmalloc(size);
		if (!got[n])
			break;
		memset(got[n], n, size);
	}
	if (n < most)
		EXPECT_EQ(ENOMEM, errno);
	for (i = 0; i < n; i++) {
		ASSERT_TRUE(ta_holds(got[i], size, i));
		if (i % (n / 8 + 1) == 0)
			EXPECT_NE(0, ta_has_props(got[i], size, need)) {
				TH_LOG("object %d of %d", i, n);
			}
	}
	for (i = 0; i < n; i++)
		secfree(got[i]);
	EXPECT_EQ(0, ta_report().objects);
	return n;
}

#ifdef RLIMIT_MEMLOCK
static int limit_locking(size_t soft, size_t hard)
{
	return ta_drop_privileges() == 0 &&
	       ta_limit(RLIMIT_MEMLOCK, soft, hard) == 0;
}
#else
static int limit_locking(size_t soft, size_t hard)
{
	(void)soft;
	(void)hard;
	return 0;
}
#endif

FIXTURE(lock_limit)
{
	unsigned need;
};

FIXTURE_VARIANT(lock_limit)
{
	struct ta_tier tier;
	size_t limit;
};

#define LIMIT(name, bytes)                                                   \
	FIXTURE_VARIANT_ADD(lock_limit, secret_##name)                       \
	{                                                                    \
		TA_TIER_SECRET, bytes                                        \
	};                                                                   \
	FIXTURE_VARIANT_ADD(lock_limit, locked_##name)                       \
	{                                                                    \
		TA_TIER_LOCKED, bytes                                        \
	};                                                                   \
	FIXTURE_VARIANT_ADD(lock_limit, best_effort_##name)                  \
	{                                                                    \
		{ 0, 0, SECMALLOC_BEST_EFFORT }, bytes                       \
	}

LIMIT(0, 0);
LIMIT(4k, 4096);
LIMIT(64k, 65536);
LIMIT(8m, 8388608);

FIXTURE_SETUP(lock_limit)
{
	if (!limit_locking(variant->limit, variant->limit) ||
	    !ta_lock_limit_binds())
		SKIP(return, "lock limit does not bind here");
	self->need = variant->tier.flags ? 0 :
		     variant->tier.need | SECM_LOCKED | SECM_NODUMP;
}

FIXTURE_TEARDOWN(lock_limit)
{
}

/* Where not even the first page can be locked, init says so, and again. */
#define START()                                                          \
	do {                                                             \
		int error = ta_start(&variant->tier);                    \
                                                                         \
		if (error == ENOTSUP)                                    \
			SKIP(return, "tier not to be had");              \
		if (error) {                                             \
			EXPECT_EQ(ENOMEM, error);                        \
			EXPECT_EQ(ENOMEM, ta_start(&variant->tier));     \
			EXPECT_LT(variant->limit, 65536);                \
			return;                                          \
		}                                                        \
	} while (0)

TEST_F(lock_limit, small_objects_up_to_the_limit)
{
	int most = (int)variant->limit / SLOT + 5000, n;

	START();
	n = use_up(SMALL, most, self->need);
	if (variant->tier.flags) {
		EXPECT_EQ(most, n);
		return;
	}
	EXPECT_LE((size_t)n * SLOT, variant->limit);
	if (variant->limit >= 65536)
		EXPECT_GT((size_t)n * SLOT, variant->limit * 3 / 4);
	EXPECT_GE(use_up(SMALL, most, self->need), n * 9 / 10);
}

TEST_F(lock_limit, large_objects_up_to_the_limit)
{
	int n;

	START();
	n = use_up(LARGE, 1000, self->need);
	if (variant->limit >= 65536)
		EXPECT_GE(n, 1);
	n = use_up(LARGE, 1000, self->need);
	if (variant->limit >= 65536)
		EXPECT_GE(n, 1);
}

TEST_F(lock_limit, the_report_says_why)
{
	struct secmalloc_report r;

	START();
	use_up(LARGE, 1000, 0);
	r = ta_report();
	EXPECT_EQ(variant->limit, r.lock_limit);
	EXPECT_EQ(variant->limit, r.lock_limit_max);
	EXPECT_EQ(SECMALLOC_REASON_LOCK_LIMIT, r.reason) {
		TH_LOG("%s", secmalloc_reason_string(r.reason));
	}
	if (variant->tier.flags)
		EXPECT_EQ(0, r.refused);
	else
		EXPECT_GT(r.refused, 0);
}

TEST_F(lock_limit, a_child_at_the_limit_goes_on)
{
	unsigned char *p = NULL;
	int n = 0;
	pid_t pid;

	START();
	while (n < 2000 && (got[n] = secmalloc(LARGE / 4)) != NULL)
		memset(got[n++], 0x77, LARGE / 4);
	pid = fork();
	if (pid == 0) {
		p = secmalloc(SMALL); /* or not */
		for (; n > 0; n--)
			secfree(got[n - 1]);
		secfree(p);
		_exit(0);
	}
	EXPECT_EQ(0, ta_status(pid));
	while (n-- > 0)
		ASSERT_TRUE(ta_holds(got[n], LARGE / 4, 0x77));
}

FIXTURE(soft_limit)
{
	char unused;
};

FIXTURE_VARIANT(soft_limit)
{
	struct ta_tier tier;
};

FIXTURE_VARIANT_ADD(soft_limit, secret) { TA_TIER_SECRET };
FIXTURE_VARIANT_ADD(soft_limit, locked) { TA_TIER_LOCKED };

enum { HARD = 1 << 20 };

FIXTURE_SETUP(soft_limit)
{
	if (!limit_locking(0, HARD) || !ta_lock_limit_binds())
		SKIP(return, "lock limit does not bind here");
}

FIXTURE_TEARDOWN(soft_limit)
{
}

TEST_F(soft_limit, is_raised_to_the_hard_one)
{
	int error = ta_start(&variant->tier);

	if (error == ENOTSUP)
		SKIP(return, "tier not to be had");
	ASSERT_EQ(0, error);
	EXPECT_EQ(HARD, ta_report().lock_limit);
	EXPECT_NOT_NULL(secmalloc(LARGE));
}

TEST_F(soft_limit, is_kept_when_told_so)
{
	struct ta_tier tier = variant->tier;
	int error;

	tier.flags |= SECMALLOC_KEEP_LIMIT;
	error = ta_start(&tier);
	if (error == ENOTSUP)
		SKIP(return, "tier not to be had");
	EXPECT_EQ(ENOMEM, error);
	EXPECT_EQ(0, ta_limit(RLIMIT_MEMLOCK, HARD, HARD));
	EXPECT_EQ(0, ta_start(&tier));
	EXPECT_NOT_NULL(secmalloc(LARGE));
}

TA_TIERS(scarce);

/* From now on none can be opened, or as many as may be again. */
static int allow_descriptors(int allow)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return -1;
	r.rlim_cur = allow ? r.rlim_max : 0;
	return setrlimit(RLIMIT_NOFILE, &r);
}

TEST_F(scarce, without_descriptors_what_is_there_goes_on)
{
	struct secmalloc_report r;
	char *p = secmalloc(100), *q;

	ASSERT_NOT_NULL(p);
	memset(p, 0x77, 100);
	ASSERT_EQ(0, allow_descriptors(0));
	q = secmalloc(3000000);
	EXPECT_TRUE(q || errno == ENOMEM);
	EXPECT_TRUE(q || variant->tier.need);
	EXPECT_TRUE(ta_holds(p, 100, 0x77));
	secfree(p);
	p = secmalloc(100);
	EXPECT_NOT_NULL(p);
	r = ta_report();
	if (variant->tier.need)
		EXPECT_EQ(SECMALLOC_REASON_DESCRIPTORS, r.reason);
	ASSERT_EQ(0, allow_descriptors(1));
	secfree(q);
	q = secmalloc(3000000);
	EXPECT_NOT_NULL(q);
}

TEST(without_descriptors_a_lower_tier_is_told)
{
	static const struct ta_tier any = { 0, 0, 0 };
	struct secmalloc_report r;
	int hidden;

	hidden = ta_start(&any) == 0 && ta_only_tier() == 0;
	secmalloc_shutdown();
	if (!hidden)
		SKIP(return, "no memfd_secret and lower tier here");
	ASSERT_EQ(0, allow_descriptors(0));
	if (ta_start(&any) != 0)
		SKIP(return, "no memfd_secret and lower tier here");
	EXPECT_NOT_NULL(secmalloc(100));
	r = ta_report();
	EXPECT_EQ(0, r.tier[SECMALLOC_TIER_SECRET].mapped);
	EXPECT_GT(r.tier[SECMALLOC_TIER_LOCKED].mapped, 0);
	EXPECT_EQ(SECMALLOC_REASON_DESCRIPTORS, r.reason);
	EXPECT_EQ(EMFILE, r.reason_errno);
	EXPECT_GT(r.degraded, 0);
	ASSERT_EQ(0, allow_descriptors(1));
}

static size_t address_space(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (!f || fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * ta_page();
}

TEST(little_address_space_is_an_error_or_enough)
{
	static const size_t room[] = {
		0,	 4096,	  65536,   200000,   524288,
		1 << 20, 2 << 20, 5 << 20, 20 << 20, 100 << 20
	};
	static const struct ta_tier any = { 0, 0, SECMALLOC_BEST_EFFORT };
	size_t i, now = address_space();
	pid_t pid;
	int n;

	KSFT_SANITIZER_SKIP("needs its address space");
	if (now == 0)
		SKIP(return, "this system does not tell how much is used");
	for (i = 0; i < sizeof(room) / sizeof(room[0]); i++) {
		pid = fork();
		if (pid == 0) {
			ta_limit(RLIMIT_AS, now + room[i], now + room[i]);
			if (ta_start(&any) != 0)
				_exit(errno != ENOMEM);
			n = use_up(1000, 20000, 0);
			n += use_up(LARGE, 1000, 0);
			_exit(room[i] >= 20 << 20 && n < 100 ? 2 : 0);
		}
		EXPECT_EQ(0, ta_status(pid)) { TH_LOG("room %zu", room[i]); }
	}
}

static int use_locked_future(const struct ta_tier *tier)
{
	unsigned need = tier->flags ? 0 : SECM_LOCKED | SECM_NODUMP;
	int error;

	if (mlockall(MCL_FUTURE) != 0)
		return 0;
	error = ta_start(tier);
	if (error)
		return error != ENOMEM && error != ENOTSUP;
	use_up(SMALL, 1000, need | tier->need);
	use_up(LARGE, 100, need | tier->need);
	return use_up(SMALL, 10, 0) == 10 ? 0 : 2;
}

TEST_F(scarce, locked_future_mappings_are_no_trouble)
{
	pid_t pid = fork();

	if (pid == 0) {
		secmalloc_shutdown();
		_exit(use_locked_future(&variant->tier));
	}
	EXPECT_EQ(0, ta_status(pid));
}

/* The allocator is set up for the first time after mlockall(2). */
TEST(locked_future_mappings_of_a_user_are_an_error_or_enough)
{
	static const size_t limits[] = { 0, 65536, 1 << 20, 8 << 20 };
	static const struct ta_tier tiers[] = { TA_TIER_SECRET, TA_TIER_LOCKED,
						TA_TIER_PLAIN };
	int i, k;
	pid_t pid;

	KSFT_SANITIZER_SKIP("maps much");
	for (i = 0; i < 12; i++) {
		pid = fork();
		if (pid == 0) {
			if (!limit_locking(limits[i / 3], limits[i / 3]))
				_exit(0);
			_exit(use_locked_future(&tiers[i % 3]));
		}
		k = ta_status(pid);
		EXPECT_EQ(0, k) {
			TH_LOG("limit %zu, tier %d", limits[i / 3], i % 3);
		}
	}
}
