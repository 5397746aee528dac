/* SPDX-License-Identifier: MIT */
/*
 * test_os_limits.c - what every backend promises in os.h: scarcity
 *
 * Lock quota, descriptors and mappings that run out.  Tests of the quota give
 * up privilege first, and ask with a control of their own whether the limit
 * binds them.
 */
#include "t_os.h"

#include <stdlib.h>

#include "ksft.h"

T_OS_FIXTURE(os_limits)
T_OS_SECRET(os_limits);
T_OS_LOCKED(os_limits);
T_OS_PLAIN(os_limits);

/* The tiers that take quota. */
T_OS_FIXTURE(os_quota)
T_OS_SECRET(os_quota);
T_OS_LOCKED(os_quota);

enum { NOBODY = 65534 };

/* The user that owns nothing, unless we are nobody special already. */
static int drop_privilege(void)
{
	if (geteuid() != 0)
		return 0;
	return setgid(NOBODY) || setuid(NOBODY) ? -1 : 0;
}

#ifdef RLIMIT_MEMLOCK
/* 1 if from now on no more than bytes can be locked; else the test's machine
 * has no such limit, or we are above it. */
static int limit_locking(const struct t_os *t, size_t bytes)
{
	struct rlimit limit;
	int bound;
	char *p;

	limit.rlim_cur = limit.rlim_max = bytes;
	if (drop_privilege() != 0 || setrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return 0;
	p = secm_os_reserve(bytes + t->info.page);
	if (!p || mprotect(p, bytes + t->info.page, PROT_READ) != 0)
		return 0;
	bound = mlock(p, bytes + t->info.page) != 0;
	secm_os_release(p, bytes + t->info.page);
	return bound;
}
#else
static int limit_locking(const struct t_os *t, size_t bytes)
{
	(void)t;
	(void)bytes;
	return 0;
}
#endif

#define LIMIT_LOCKING(bytes)                                           \
	do {                                                           \
		if (!limit_locking(&self->t, bytes))                   \
			SKIP(return, "lock limit does not bind here"); \
	} while (0)

TEST_F(os_quota, unmap_gives_quota_back)
{
	struct t_os *t = &self->t;
	int i, r = 0;

	LIMIT_LOCKING(t->len);
	for (i = 0; i < 1000 && r == 0; i++) {
		r = t_map_present(t);
		if (r == 0)
			r = t_unmap(t);
	}
	EXPECT_EQ(0, r);
	EXPECT_EQ(1000, i);
}

TEST_F(os_quota, refused_map_keeps_no_quota)
{
	struct t_os *t = &self->t;
	size_t page = t->info.page;
	unsigned got;
	int i, why;

	LIMIT_LOCKING(t->len - page);
	for (i = 0; i < 100; i++)
		if (t_map_present(t) == 0)
			break;
	EXPECT_EQ(100, i);
	/* On systems that count at the first touch, populate refused. */
	ASSERT_EQ(0, secm_os_unmap(t->at, t->len));
	t->len -= page;
	EXPECT_EQ(0, secm_os_map(t->at, t->len, t->need, t->need, &got, &why));
	EXPECT_EQ(0, secm_os_populate(t->at, t->len));
}

TEST_F(os_quota, no_quota_is_an_error)
{
	struct t_os *t = &self->t;

	LIMIT_LOCKING(0);
	if (t->info.hidden_lazy && (t->need & SECM_HIDDEN)) {
		ASSERT_EQ(0, t_map(t));
		EXPECT_EQ(-EAGAIN, secm_os_populate(t->at, t->len));
		return;
	}
	EXPECT_EQ(-EAGAIN, t_map(t));
	EXPECT_EQ(SECM_NONE, t_access(t, t->at, t->len));
	EXPECT_EQ(-EEXIST, secm_os_reclaim(t->at, t->len));
	EXPECT_TRUE(t_alone(t));
}

TEST_F(os_quota, no_quota_costs_only_the_lock_when_that_is_a_wish)
{
	struct t_os *t = &self->t;

	LIMIT_LOCKING(0);
	t->need = 0;
	t->want &= ~(unsigned)(SECM_HIDDEN | SECM_FORK_GONE);
	ASSERT_EQ(0, t_map(t));
	EXPECT_EQ(0, t->got & (SECM_LOCKED | SECM_HIDDEN));
	EXPECT_EQ(EAGAIN, t->why);
	EXPECT_EQ(SECM_READWRITE, t_access(t, t->at, t->len));
	EXPECT_TRUE(t_holds(t->at, t->len, 0));
}

TEST_F(os_quota, quota_is_used_to_the_last_page_and_then_refused)
{
	struct t_os *t = &self->t;
	size_t page = t->info.page, n;
	unsigned got;
	int why, r = 0;

	LIMIT_LOCKING(3 * page);
	for (n = 0; n < T_PAGES && r == 0; n++) {
		char *p = t->at + n * page;

		r = secm_os_map(p, page, t->need, t->need, &got, &why);
		if (r == 0)
			r = secm_os_populate(p, page);
	}
	EXPECT_EQ(4, n);
	EXPECT_EQ(-EAGAIN, r);
	ASSERT_EQ(0, secm_os_unmap(t->at + 3 * page, page));
	EXPECT_EQ(SECM_READWRITE, t_access(t, t->at, 3 * page));
	memset(t->at, 'x', 3 * page);
	/* Quota of a page in the middle serves elsewhere. */
	memset(t->at + page, 0, page);
	ASSERT_EQ(0, secm_os_unmap(t->at + page, page));
	ASSERT_EQ(0, secm_os_map(t->at + 3 * page, page, t->need, t->need,
				 &got, &why));
	ASSERT_EQ(0, secm_os_populate(t->at + 3 * page, page));
	EXPECT_TRUE(t_holds(t->at, page, 'x'));
	EXPECT_TRUE(t_holds(t->at + 2 * page, page, 'x'));
}

/* A program that locks all that it will ever map locks no reservation. */
TEST_F(os_quota, reserved_space_takes_none_under_mlockall)
{
	struct t_os *t = &self->t;
	size_t page = t->info.page;
	int i;

	LIMIT_LOCKING(16 * page);
	if (mlockall(MCL_FUTURE) != 0)
		SKIP(return, "mlockall: %s", strerror(errno));
	for (i = 0; i < 8; i++)
		ASSERT_NE(NULL, secm_os_reserve(12 * page));
	ASSERT_EQ(0, t_map_present(t));
	EXPECT_EQ(t->need, t->got & t->need);
	EXPECT_TRUE(t_alone(t));
	EXPECT_EQ(0, t_unmap(t));
	EXPECT_NE(NULL, secm_os_reserve(12 * page));
}

TEST_F(os_limits, without_descriptors_less_is_mapped_or_an_error_told)
{
	struct t_os *t = &self->t;

	ASSERT_EQ(0, t_no_more_descriptors());
	ASSERT_EQ(-1, dup(t->pipe[0]));
	if (t->need & SECM_HIDDEN) {
		EXPECT_EQ(-EMFILE, t_map(t));
		EXPECT_EQ(SECM_NONE, t_access(t, t->at, t->len));
		EXPECT_EQ(-EEXIST, secm_os_reclaim(t->at, t->len));
		t->need = 0;
		ASSERT_EQ(0, t_map(t));
		EXPECT_EQ(EMFILE, t->why);
	} else {
		ASSERT_EQ(0, t_map(t));
	}
	EXPECT_EQ(0, t->got & SECM_HIDDEN);
	EXPECT_EQ(t->need, t->got & t->need);
	EXPECT_EQ(0, secm_os_populate(t->at, t->len));
	EXPECT_EQ(SECM_READWRITE, t_access(t, t->at, t->len));
	EXPECT_EQ(0, t_unmap(t));
	EXPECT_EQ(SECM_NONE, t_access(t, t->at, t->len));
	EXPECT_EQ(0, t_descriptors_again());
}

TEST_F(os_limits, pages_of_all_tiers_are_freed_without_descriptors)
{
	struct t_os *t = &self->t;

	ASSERT_EQ(0, t_map_present(t));
	ASSERT_EQ(0, t_no_more_descriptors());
	EXPECT_EQ(0, t_unmap(t));
	EXPECT_EQ(SECM_NONE, t_access(t, t->at, t->len));
	EXPECT_EQ(0, t_descriptors_again());
}

/* Opens every second page until the system refuses; the first refused one. */
static size_t use_up_mappings(char *at, size_t pages, size_t page)
{
	size_t i;

	for (i = 0; i < pages; i += 2)
		if (secm_os_access(at + i * page, page, SECM_READ) != 0)
			break;
	return i;
}

/* 1 if valgrind runs us. */
static int valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "/vgpreload_");
}

/* One of 0 and -ENOMEM, and the page has the access of that. */
static int whole(const struct t_os *t, int r, char *page, enum secm_access old,
		 enum secm_access new)
{
	return (r == 0 || r == -ENOMEM) &&
	       t_access(t, page, t->info.page) == (r ? old : new);
}

TEST_F(os_limits, without_mappings_every_call_works_or_changes_nothing)
{
	enum { MANY = 1 << 18 };
	struct t_os *t = &self->t;
	size_t used, page = t->info.page;
	char *many = secm_os_reserve(MANY * page);
	char *middle = t->at + page, *other = t->at + t->len + 2 * page;
	unsigned got;
	int r, why;

	if (!many)
		SKIP(return, "not enough address space");
	if (valgrind())
		SKIP(return, "valgrind dies of that many mappings");
	ASSERT_EQ(0, t_map_present(t));
	memset(t->at, 'x', t->len);
	used = use_up_mappings(many, MANY, page);
	EXPECT_EQ(SECM_READ, t_access(t, many + (used - 2) * page, page));
	if (used >= MANY)
		SKIP(return, "no limit of mappings met");
	r = secm_os_access(middle, page, SECM_READ);
	EXPECT_TRUE(whole(t, r, middle, SECM_READWRITE, SECM_READ));
	EXPECT_TRUE(t_holds(t->at, t->len, 'x'));
	(void)secm_os_access(middle, page, SECM_READWRITE); /* if it was 0 */
	r = secm_os_unmap(middle, page);
	EXPECT_TRUE(whole(t, r, middle, SECM_READWRITE, SECM_NONE));
	EXPECT_TRUE(t_holds(t->at, r ? t->len : page, 'x'));
	r = secm_os_map(other, page, t->need, t->need, &got, &why);
	EXPECT_TRUE(whole(t, r, other, SECM_NONE, SECM_READWRITE));
	secm_os_release(many, MANY * page);
	EXPECT_EQ(0, secm_os_unmap(t->at, t->len));
	EXPECT_EQ(0, t_map_present(t));
	EXPECT_TRUE(t_holds(t->at, t->len, 0));
}
