/* SPDX-License-Identifier: MIT */
/*
 * test_policy.c - policy.c: from wishes to what is asked of the backend
 *
 * Most tests make up what the backend said at start, so that every kind of
 * machine is tested on each.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "ksft.h"
#include "t_heap.h"
#include "t_util.h"

enum {
	DEFAULT = SECM_LOCKED | SECM_NODUMP,
	ANON = DEFAULT | SECM_FORK_ZERO,
	HIDDEN = DEFAULT | SECM_HIDDEN | SECM_FORK_GONE,
	ALL = SECM_PROPS,
	KIB = 1024
};

static struct secm_policy policy;

static void machine(unsigned props, int hidden_errno)
{
	secm_os_init(&secm_os);
	secm_os.props = props;
	secm_os.hidden_errno = hidden_errno;
	secm_os.hibernation = 0;
	secm_os.madvise_lies = 0;
}

static int set(struct secmalloc_config c)
{
	return secm_policy_set(&policy, &c);
}

#define CONFIG(...) ((struct secmalloc_config){ __VA_ARGS__ })

TEST(all_zero_and_null_are_the_defaults)
{
	machine(ALL, 0);
	ASSERT_EQ(0, secm_policy_set(&policy, NULL));
	EXPECT_EQ(DEFAULT, policy.config.need);
	EXPECT_LE(policy.config.pool_size, 64 * KIB);
	EXPECT_EQ(1024 * KIB, policy.config.retain);
	EXPECT_EQ(32 * KIB, policy.config.cache);
	EXPECT_EQ(0, policy.config.sample);
	EXPECT_EQ(0, policy.config.max_bytes);
	EXPECT_EQ(sizeof(struct secmalloc_config), policy.config.size);
	ASSERT_EQ(0, set(CONFIG(.size = 0)));
	EXPECT_EQ(DEFAULT, policy.config.need);
	ASSERT_EQ(0, set(CONFIG(.size = sizeof(struct secmalloc_config))));
	ASSERT_EQ(0, set(CONFIG(.flags = SECMALLOC_BEST_EFFORT)));
	EXPECT_EQ(0, policy.config.need);
	ASSERT_EQ(0, set(CONFIG(.initial_pools = 1)));
	EXPECT_EQ(64 * KIB, policy.config.pool_size);
}

TEST(configurations_that_mean_nothing_are_refused)
{
	enum {
		FLAGS = SECMALLOC_BEST_EFFORT | SECMALLOC_KEEP_LIMIT |
			SECMALLOC_NO_CACHES | SECMALLOC_ALWAYS_MOVE |
			SECMALLOC_IGNORE_ENVIRONMENT
	};
	unsigned bit;

	machine(ALL, 0);
	EXPECT_EQ(-EINVAL, set(CONFIG(.size = 1)));
	EXPECT_EQ(-EINVAL,
		  set(CONFIG(.size = sizeof(struct secmalloc_config) - 1)));
	EXPECT_EQ(-EINVAL,
		  set(CONFIG(.size = sizeof(struct secmalloc_config) + 1)));
	EXPECT_EQ(-EINVAL, set(CONFIG(.need = SECM_PROPS + 1)));
	EXPECT_EQ(-EINVAL, set(CONFIG(.need = ~0u)));
	EXPECT_EQ(0, set(CONFIG(.flags = FLAGS)));
	for (bit = 1; bit; bit <<= 1)
		EXPECT_EQ(bit & FLAGS ? 0 : -EINVAL, set(CONFIG(.flags = bit)));
	EXPECT_EQ(-EINVAL, set(CONFIG(.flags = ~0u)));
	EXPECT_EQ(-EINVAL, set(CONFIG(.hibernation = 3)));
	EXPECT_EQ(-EINVAL, set(CONFIG(.hibernation = ~0u)));
	EXPECT_EQ(-EINVAL,
		  set(CONFIG(.need = SECM_HIDDEN,
			     .hibernation = SECMALLOC_HIBERNATION_KEEP)));
}

TEST(pools_that_cannot_be_are_refused)
{
	machine(ALL, 0);
	EXPECT_EQ(-EINVAL, set(CONFIG(.pool_size = SIZE_MAX)));
	EXPECT_EQ(-EINVAL, set(CONFIG(.pool_size = SIZE_MAX,
				      .initial_pools = 1)));
	EXPECT_EQ(-EINVAL, set(CONFIG(.pool_size = SIZE_MAX / 2 + 1,
				      .initial_pools = 1)));
	EXPECT_EQ(-EINVAL, set(CONFIG(.pool_size = SIZE_MAX / 4 + 1,
				      .initial_pools = 4)));
	EXPECT_EQ(-EINVAL, set(CONFIG(.pool_size = (size_t)1 << (sizeof(size_t)
								 * 8 - 8),
				      .initial_pools = 1 << 8)));
	EXPECT_EQ(-EINVAL, set(CONFIG(.pool_size = 8 * KIB,
				      .initial_pools = 2,
				      .max_bytes = 16 * KIB - 1)));
	EXPECT_EQ(0, set(CONFIG(.pool_size = 8 * KIB, .initial_pools = 2,
				.max_bytes = 16 * KIB)));
	/* The default size counts as any other. */
	EXPECT_EQ(-EINVAL, set(CONFIG(.initial_pools = 2,
				      .max_bytes = 128 * KIB - 1)));
	EXPECT_EQ(0, set(CONFIG(.initial_pools = 2, .max_bytes = 128 * KIB)));
	/* Sizes are rounded up to pages first. */
	EXPECT_EQ(-EINVAL, set(CONFIG(.pool_size = 1, .initial_pools = 2,
				      .max_bytes = secm_os.page)));
}

TEST(a_refused_configuration_leaves_the_old_one)
{
	machine(ANON, ENOSYS);
	ASSERT_EQ(0, set(CONFIG(.max_bytes = 4711 * KIB)));
	EXPECT_EQ(-EINVAL, set(CONFIG(.flags = ~0u)));
	EXPECT_EQ(4711 * KIB, policy.config.max_bytes);
	EXPECT_NE(0, policy.rungs);
	EXPECT_EQ(DEFAULT, policy.config.need);
}

/* The rung's bits: need within want within what the machine has. */
static void check_rungs(unsigned need, unsigned rungs)
{
	unsigned i;

	ASSERT_EQ(rungs, policy.rungs);
	for (i = 0; i < rungs; i++) {
		const struct secm_rung *r = &policy.rung[i];

		EXPECT_EQ(need, r->need & need);
		EXPECT_EQ(0, r->need & ~r->want);
		EXPECT_EQ(0, r->want & ~secm_os.props);
		EXPECT_NE(ALL & (SECM_FORK_ZERO | SECM_FORK_GONE),
			  r->want & (SECM_FORK_ZERO | SECM_FORK_GONE));
	}
}

TEST(strict_ladder_is_hidden_then_locked)
{
	machine(ALL, 0);
	ASSERT_EQ(0, secm_policy_set(&policy, NULL));
	check_rungs(DEFAULT, 2);
	EXPECT_EQ(HIDDEN, policy.rung[0].want);
	EXPECT_EQ(DEFAULT | SECM_HIDDEN, policy.rung[0].need);
	EXPECT_EQ(ANON, policy.rung[1].want);
	EXPECT_EQ(SECMALLOC_REASON_NONE, policy.reason);
	machine(ANON, ENOSYS);
	ASSERT_EQ(0, secm_policy_set(&policy, NULL));
	check_rungs(DEFAULT, 1);
	EXPECT_EQ(ANON, policy.rung[0].want);
	machine(SECM_LOCKED, ENOSYS);
	EXPECT_EQ(-ENOTSUP, secm_policy_set(&policy, NULL));
	machine(0, ENOSYS);
	EXPECT_EQ(-ENOTSUP, secm_policy_set(&policy, NULL));
}

TEST(best_effort_has_one_rung_more_on_every_machine)
{
	struct secmalloc_config c = CONFIG(.flags = SECMALLOC_BEST_EFFORT);

	machine(ALL, 0);
	ASSERT_EQ(0, set(c));
	check_rungs(0, 3);
	EXPECT_EQ(0, policy.rung[2].need);
	EXPECT_EQ(ANON, policy.rung[2].want);
	machine(ANON, ENOSYS);
	ASSERT_EQ(0, set(c));
	check_rungs(0, 2);
	machine(SECM_LOCKED, ENOTSUP);
	ASSERT_EQ(0, set(c));
	check_rungs(0, 1);
	EXPECT_EQ(SECM_LOCKED, policy.rung[0].want);
	machine(0, ENOTSUP);
	ASSERT_EQ(0, set(c));
	check_rungs(0, 1);
	EXPECT_EQ(0, policy.rung[0].want);
}

/* Every need on every machine: had on each rung, or refused. */
TEST(what_is_needed_is_had_or_refused)
{
	unsigned need, props, flags;
	int r;

	for (props = 0; props <= ALL; props++)
		for (need = 1; need <= ALL; need++)
			for (flags = 0; flags <= 1; flags++) {
				machine(props, ENOSYS);
				r = set(CONFIG(.need = need, .flags = flags));
				if (r) {
					ASSERT_EQ(-ENOTSUP, r);
					continue;
				}
				check_rungs(need, policy.rungs);
				ASSERT_EQ(0, need & ~props);
				ASSERT_NE(0, policy.rungs);
			}
}

TEST(needs_that_no_memory_has_at_once_are_refused)
{
	machine(ALL, 0);
	EXPECT_EQ(-ENOTSUP, set(CONFIG(.need = SECM_FORK_ZERO |
					       SECM_FORK_GONE)));
	EXPECT_EQ(-ENOTSUP, set(CONFIG(.need = SECM_FORK_ZERO | SECM_HIDDEN)));
	ASSERT_EQ(0, set(CONFIG(.need = SECM_HIDDEN)));
	check_rungs(SECM_HIDDEN, 1);
	ASSERT_EQ(0, set(CONFIG(.need = SECM_FORK_GONE)));
	check_rungs(SECM_FORK_GONE, 1);
	ASSERT_EQ(0, set(CONFIG(.need = SECM_FORK_ZERO)));
	check_rungs(SECM_FORK_ZERO, policy.rungs);
	EXPECT_EQ(0, policy.rung[0].want & SECM_HIDDEN);
}

TEST(reason_says_why_there_is_no_hidden_memory)
{
	static const struct {
		int error;
		enum secmalloc_reason reason;
	} cases[] = {
		{ ENOSYS, SECMALLOC_REASON_KERNEL },
		{ EPERM, SECMALLOC_REASON_FORBIDDEN },
		{ EACCES, SECMALLOC_REASON_FORBIDDEN },
		{ ENOTSUP, SECMALLOC_REASON_BACKEND },
		{ EMFILE, SECMALLOC_REASON_DESCRIPTORS },
		{ ENFILE, SECMALLOC_REASON_DESCRIPTORS },
		{ ENOMEM, SECMALLOC_REASON_MAPPINGS },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		machine(ANON, cases[i].error);
		ASSERT_EQ(0, secm_policy_set(&policy, NULL));
		EXPECT_EQ(cases[i].reason, policy.reason);
		EXPECT_EQ(cases[i].error, policy.reason_errno);
	}
}

TEST(a_resume_device_rules_hidden_memory_out_unless_told)
{
	machine(ALL, 0);
	secm_os.hibernation = 1;
	ASSERT_EQ(0, secm_policy_set(&policy, NULL));
	check_rungs(DEFAULT, 1);
	EXPECT_EQ(0, policy.rung[0].want & SECM_HIDDEN);
	EXPECT_EQ(SECMALLOC_REASON_HIBERNATION, policy.reason);
	EXPECT_EQ(0, policy.reason_errno);
	ASSERT_EQ(0, set(CONFIG(.hibernation = SECMALLOC_HIBERNATION_GIVE_UP)));
	EXPECT_EQ(SECM_HIDDEN, policy.rung[0].want & SECM_HIDDEN);
	EXPECT_EQ(SECMALLOC_REASON_NONE, policy.reason);
	/* Whoever needs it has decided. */
	ASSERT_EQ(0, set(CONFIG(.need = SECM_HIDDEN)));
	EXPECT_EQ(SECM_HIDDEN, policy.rung[0].need & SECM_HIDDEN);
	secm_os.hibernation = 0;
	ASSERT_EQ(0, set(CONFIG(.hibernation = SECMALLOC_HIBERNATION_KEEP)));
	EXPECT_EQ(0, policy.rung[0].want & SECM_HIDDEN);
	EXPECT_EQ(SECMALLOC_REASON_HIBERNATION, policy.reason);
}

TEST(an_emulator_is_told_apart)
{
	machine(SECM_LOCKED, ENOSYS);
	secm_os.madvise_lies = 1;
	EXPECT_EQ(-ENOTSUP, secm_policy_set(&policy, NULL));
	ASSERT_EQ(0, set(CONFIG(.flags = SECMALLOC_BEST_EFFORT)));
	EXPECT_EQ(SECMALLOC_REASON_UNVERIFIED, policy.reason);
}

TEST(each_set_of_protections_has_a_tier)
{
	unsigned props;

	for (props = 0; props <= ALL; props++) {
		enum secmalloc_tier tier = SECMALLOC_TIER_PARTIAL;

		if ((props & DEFAULT) == DEFAULT)
			tier = SECMALLOC_TIER_LOCKED;
		if (props & SECM_HIDDEN)
			tier = SECMALLOC_TIER_SECRET;
		EXPECT_EQ(tier, secm_policy_tier(props));
	}
}

/* The tiers that take quota. */
T_TIERS(lock_limit);
T_TIER_LOCKED(lock_limit);

TEST_F(lock_limit, soft_one_is_raised_when_that_helps)
{
	size_t soft, hard;

	if (!t_lock_limits(64 * KIB, 1024 * KIB))
		SKIP(return, "lock limit does not bind here");
	T_BEGIN(NULL);
	ASSERT_NE(NULL, secmalloc(10));
	secm_os_lock_limit(&soft, &hard);
	EXPECT_EQ(64 * KIB, soft); /* not before it matters */
	EXPECT_NOT_NULL(secmalloc(500 * KIB));
	secm_os_lock_limit(&soft, &hard);
	EXPECT_EQ(1024 * KIB, soft);
	EXPECT_NE(SECMALLOC_REASON_LOCK_LIMIT, self->heap->policy.reason);
	EXPECT_NULL(secmalloc(900 * KIB));
	EXPECT_EQ(SECMALLOC_REASON_LOCK_LIMIT, self->heap->policy.reason);
	T_SOUND(self->heap);
}

TEST_F(lock_limit, soft_one_stays_where_it_shall)
{
	struct secmalloc_config c = { .flags = SECMALLOC_KEEP_LIMIT };
	size_t soft, hard;

	if (!t_lock_limits(64 * KIB, 1024 * KIB))
		SKIP(return, "lock limit does not bind here");
	T_BEGIN(&c);
	EXPECT_NULL(secmalloc(500 * KIB));
	EXPECT_EQ(SECMALLOC_REASON_LOCK_LIMIT, self->heap->policy.reason);
	secm_os_lock_limit(&soft, &hard);
	EXPECT_EQ(64 * KIB, soft);
	EXPECT_NOT_NULL(secmalloc(10 * KIB));
}

/* Nearly all of a quota is of use, in each size. */
TEST_F(lock_limit, is_used_to_the_last_page)
{
	static const size_t sizes[] = { 4080, 100, 24, 8 };
	size_t n, i, bytes, limit = 8192 * KIB;

	T_LOCK_AT_MOST(limit);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t slot = (sizes[i] + 8 + 15) / 16 * 16;

		T_BEGIN(NULL);
		for (n = 0; secmalloc(sizes[i]); n++)
			;
		bytes = n * slot;
		EXPECT_EQ(ENOMEM, errno);
		EXPECT_GE(secm_heap_mapped(self->heap), limit);
		EXPECT_GT(bytes, limit / 5 * 4) {
			TH_LOG("%zu objects of %zu", n, sizes[i]);
		}
		EXPECT_EQ(SECMALLOC_REASON_LOCK_LIMIT,
			  self->heap->policy.reason);
		secmalloc_shutdown();
	}
}

TEST(max_bytes_is_never_passed)
{
	struct secmalloc_config c = { .max_bytes = 200 * KIB,
				      .flags = SECMALLOC_BEST_EFFORT };
	struct secm_heap *heap = &secm_default_heap;
	size_t n;

	ASSERT_EQ(0, secmalloc_init(&c));
	for (n = 0; secmalloc(n % 3000); n++)
		ASSERT_LE(secm_heap_mapped(heap), c.max_bytes);
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_GT(n, 60);
	EXPECT_EQ(SECMALLOC_REASON_MAX_BYTES, heap->policy.reason);
	EXPECT_EQ(0, heap->policy.reason_errno);
	EXPECT_NULL(secmalloc(201 * KIB));
	EXPECT_NULL(secmalloc(20000 * KIB));
	EXPECT_EQ(3, heap->refused);
	T_SOUND(heap);
}
