/* SPDX-License-Identifier: MIT */
/*
 * test_cold_fork.c - cold secrets in children, and after a shutdown
 */
#include "t_cold.h"
#include "t_forking.h"

TA_TIERS(cold_fork);

enum { SECRET = 100, NOT_TOLD = 77 };

static secmalloc_cold *cold, *held;

static void begin(const struct ta_tier *tier, unsigned child)
{
	ASSERT_EQ(0, tc_init(tier, child));
	ASSERT_NOT_NULL(cold = tc_freeze(SECRET, 1));
	ASSERT_NOT_NULL(held = tc_freeze(SECRET, 2));
	ASSERT_NOT_NULL(secmalloc_cold_open(held));
}

static void expect_eperm(secmalloc_cold *c)
{
	EXPECT_NULL(secmalloc_cold_open(c));
	EXPECT_EQ(EPERM, errno);
	EXPECT_NULL(secmalloc_cold_thaw(c));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, secmalloc_cold_replace(c, "abc", 3));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(SECRET, secmalloc_cold_size(c));
}

/* Everything that a child can do with its parent's, and then with its own. */
static void as_a_child(void)
{
	secmalloc_cold *own;

	EXPECT_EQ(2, tc_report().secrets);
	EXPECT_EQ(2, tc_report().lost);
	expect_eperm(cold);
	expect_eperm(held);
	ASSERT_NOT_NULL(own = tc_freeze(SECRET, 3));
	EXPECT_TRUE(tc_holds(own, SECRET, 3));
	EXPECT_EQ(2, tc_report().lost);
	expect_eperm(cold);
	ASSERT_EQ(0, secmalloc_cold_rekey());
	EXPECT_TRUE(tc_holds(own, SECRET, 3));
	expect_eperm(held);
	secmalloc_cold_close(held);
	secmalloc_cold_free(held);
	secmalloc_cold_free(cold);
	EXPECT_EQ(1, tc_report().secrets);
	EXPECT_TRUE(tc_holds(own, SECRET, 3));
}

TEST_F(cold_fork, a_child_has_no_key_but_can_free)
{
	begin(&variant->tier, SECMALLOC_CHILD_ZEROS);
	T_IN_CHILD(as_a_child());
	EXPECT_TRUE(tc_holds(cold, SECRET, 1));
	EXPECT_TRUE(tc_holds(held, SECRET, 2));
	secmalloc_cold_close(held);
	EXPECT_EQ(0, tc_report().lost);
}

TEST_F(cold_fork, nor_does_one_that_has_no_pages_of_it)
{
	begin(&variant->tier, SECMALLOC_CHILD_NOTHING);
	T_IN_CHILD(as_a_child());
	EXPECT_TRUE(tc_holds(cold, SECRET, 1));
}

TEST_F(cold_fork, nor_a_grandchild)
{
	begin(&variant->tier, SECMALLOC_CHILD_ZEROS);
	T_IN_CHILD(T_IN_CHILD(as_a_child()); as_a_child());
	EXPECT_TRUE(tc_holds(cold, SECRET, 1));
}

/* The first that it does may be anything. */
TEST_F(cold_fork, a_child_may_rekey_first)
{
	begin(&variant->tier, SECMALLOC_CHILD_ZEROS);
	T_IN_CHILD(ASSERT_EQ(0, secmalloc_cold_rekey()); as_a_child());
	EXPECT_EQ(0, tc_report().rekeys);
	EXPECT_TRUE(tc_holds(cold, SECRET, 1));
}

/* Its default heap has no copies, so what was open is not. */
static void as_an_heir(void)
{
	EXPECT_EQ(0, tc_report().lost);
	EXPECT_TRUE(tc_holds(cold, SECRET, 1));
	EXPECT_NULL(secmalloc_cold_open(held));
	EXPECT_EQ(EPERM, errno);
	secmalloc_cold_close(held);
	EXPECT_TRUE(tc_holds(held, SECRET, 2));
	ASSERT_EQ(0, secmalloc_cold_rekey());
	EXPECT_TRUE(tc_holds(held, SECRET, 2));
	EXPECT_TRUE(tc_holds(cold, SECRET, 1));
}

TEST_F(cold_fork, with_a_copy_of_the_key_a_child_opens_all)
{
	begin(&variant->tier, SECMALLOC_CHILD_COPY);
	T_IN_CHILD(as_an_heir());
	EXPECT_TRUE(tc_holds(cold, SECRET, 1));
	EXPECT_TRUE(tc_holds(held, SECRET, 2));
}

TEST_F(cold_fork, a_child_without_handlers_gets_eperm)
{
	struct secmalloc_object o = { .size = sizeof(o) };
	int status;
	pid_t pid;

	begin(&variant->tier, SECMALLOC_CHILD_ZEROS);
	pid = ta_raw_fork();
	if (pid < 0)
		SKIP(return, "no child without handlers: %s", strerror(errno));
	if (pid == 0) {
		if (secmalloc_report_object(cold, &o) == 0 || errno != EPERM)
			_exit(NOT_TOLD);
		expect_eperm(cold);
		EXPECT_NULL(secmalloc_cold_freeze("abc", 3));
		EXPECT_EQ(EPERM, errno);
		EXPECT_EQ(-1, secmalloc_cold_rekey());
		EXPECT_EQ(EPERM, errno);
		secmalloc_cold_free(cold);
		_exit(0);
	}
	status = ta_status(pid);
	if (status == NOT_TOLD)
		SKIP(return, "this backend cannot tell such children apart");
	EXPECT_EQ(0, status);
}

static void freeze_one(void)
{
	secmalloc_cold *own = tc_freeze(SECRET, 3);

	ASSERT_NOT_NULL(own);
	EXPECT_TRUE(tc_holds(own, SECRET, 3));
	secmalloc_cold_free(own);
}

/* Its copy of the lock is nobody's. */
TEST(a_child_that_is_being_made_when_others_begin_does_not_hang)
{
	KSFT_SANITIZER_SKIP("its allocator may be locked in such a child");
	if (ta_begin(&(struct ta_tier)TA_TIER_LOCKED))
		SKIP(return, "no locked memory here");
	t_forking_begin(freeze_one);
	T_IN_CHILD(freeze_one());
	t_forking_end();
}

TEST_F(cold_fork, shutdown_takes_the_key)
{
	begin(&variant->tier, SECMALLOC_CHILD_ZEROS);
	EXPECT_TRUE(tc_holds(cold, SECRET, 1));
	secmalloc_shutdown();
	EXPECT_NULL(secmalloc_cold_open(cold));
	EXPECT_EQ(EPERM, errno);
	EXPECT_NULL(secmalloc_cold_freeze("abc", 3));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, secmalloc_cold_rekey());
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(2, tc_report().secrets);
	ASSERT_EQ(0, ta_start(&variant->tier));
	as_a_child();
}

TEST_F(cold_fork, after_a_shutdown_all_can_be_freed)
{
	begin(&variant->tier, SECMALLOC_CHILD_ZEROS);
	secmalloc_shutdown();
	secmalloc_cold_close(held);
	secmalloc_cold_free(held);
	secmalloc_cold_free(cold);
	EXPECT_EQ(0, tc_report().secrets);
}
