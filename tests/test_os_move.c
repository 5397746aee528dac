/* SPDX-License-Identifier: MIT */
/*
 * test_os_move.c - what every backend promises in os.h: move and observe
 *
 * Both may be beyond a backend.  Then it has to say so and change nothing.
 */
#include "t_os.h"

#include "ksft.h"

T_OS_FIXTURE(os_move)
T_OS_SECRET(os_move);
T_OS_LOCKED(os_move);
T_OS_PLAIN(os_move);

TEST_F(os_move, move_takes_contents_along_and_leaves_reserved_space)
{
	struct t_os *t = &self->t;
	char *to = t->at + t->len + t->info.page;

	ASSERT_EQ(0, t_map_present(t));
	memset(t->at, 'x', t->len);
	if (!t->info.can_move) {
		EXPECT_EQ(-ENOTSUP, secm_os_move(t->at, to, t->len));
		EXPECT_TRUE(t_holds(t->at, t->len, 'x'));
		EXPECT_TRUE(t_alone(t));
		return; /* that it says so is what was tested */
	}
	ASSERT_EQ(0, secm_os_move(t->at, to, t->len));
	EXPECT_TRUE(t_holds(to, t->len, 'x'));
	EXPECT_EQ(SECM_READWRITE, t_access(t, to, t->len));
	EXPECT_EQ(SECM_NONE, t_access(t, t->at, t->len));
	EXPECT_EQ(-EEXIST, secm_os_reclaim(t->at, t->len));
	ASSERT_EQ(0, secm_os_move(to, t->at, t->len));
	EXPECT_TRUE(t_holds(t->at, t->len, 'x'));
	EXPECT_TRUE(t_alone(t));
}

TEST_F(os_move, move_of_one_page_leaves_the_others)
{
	struct t_os *t = &self->t;
	size_t page = t->info.page;
	char *to = t->at + t->len + page;

	if (!t->info.can_move)
		SKIP(return, "backend cannot move");
	ASSERT_EQ(0, t_map_present(t));
	memset(t->at, 'x', t->len);
	memset(t->at + page, 'y', page);
	ASSERT_EQ(0, secm_os_move(t->at + page, to, page));
	EXPECT_TRUE(t_holds(to, page, 'y'));
	EXPECT_TRUE(t_holds(t->at, page, 'x'));
	EXPECT_TRUE(t_holds(t->at + 2 * page, t->len - 2 * page, 'x'));
	EXPECT_EQ(SECM_NONE, t_access(t, t->at + page, page));
	EXPECT_EQ(SECM_NONE, t_access(t, to + page, page));
	memset(to, 0, page);
	EXPECT_EQ(0, secm_os_unmap(to, page));
}

/* What observe saw of one range. */
struct seen {
	const char *at, *end, *last;
	size_t covered;
	unsigned common; /* props of all of it */
	unsigned any;	 /* props of a part of it */
	int descending;
};

static void see(void *arg, const void *at, size_t len, unsigned props)
{
	struct seen *seen = arg;
	const char *from = at, *to = from + len;

	if (from < seen->last)
		seen->descending = 1;
	seen->last = to;
	from = from > seen->at ? from : seen->at;
	to = to < seen->end ? to : seen->end;
	if (from >= to)
		return;
	seen->covered += (size_t)(to - from);
	seen->common &= props;
	seen->any |= props;
}

static int look(struct seen *seen, const char *at, size_t len)
{
	memset(seen, 0, sizeof(*seen));
	seen->at = at;
	seen->end = at + len;
	seen->common = SECM_PROPS;
	return secm_os_observe(see, seen);
}

TEST_F(os_move, observe_agrees_with_what_was_obtained)
{
	struct t_os *t = &self->t;
	struct seen seen;
	int r;

	ASSERT_EQ(0, t_map_present(t));
	r = look(&seen, t->at, t->len);
	if (r == -ENOTSUP)
		SKIP(return, "backend cannot observe, and says so");
	ASSERT_EQ(0, r);
	EXPECT_EQ(0, seen.descending);
	EXPECT_EQ(t->len, seen.covered);
	EXPECT_EQ(t->got, seen.common & t->got);
	EXPECT_EQ(0, seen.any & ~t->got & (SECM_LOCKED | SECM_HIDDEN));
	ASSERT_EQ(0, t_unmap(t));
	ASSERT_EQ(0, look(&seen, t->base, T_ALL * t->info.page));
	EXPECT_EQ(T_ALL * t->info.page, seen.covered);
	EXPECT_EQ(0, seen.any & (SECM_LOCKED | SECM_HIDDEN | SECM_FORK_GONE));
}

TEST_F(os_move, moved_pages_keep_their_protections)
{
	struct t_os *t = &self->t;
	char *to = t->at + t->len + t->info.page;
	struct seen seen;

	if (!t->info.can_move)
		SKIP(return, "backend cannot move");
	ASSERT_EQ(0, t_map_present(t));
	ASSERT_EQ(0, secm_os_move(t->at, to, t->len));
	if (look(&seen, to, t->len) == -ENOTSUP)
		SKIP(return, "backend cannot observe");
	EXPECT_EQ(t->len, seen.covered);
	EXPECT_EQ(t->got, seen.common & t->got);
}

