/* SPDX-License-Identifier: MIT */
/*
 * test_os.c - what every backend promises in os.h: memory
 *
 * Reserve, map, populate, access and unmap, line by line of their contracts,
 * once for each tier of protection.  The other test_os_*.c hold the backend to
 * the rest.
 */
#include "t_os.h"

#include "ksft.h"

T_OS_FIXTURE(os)
T_OS_SECRET(os);
T_OS_LOCKED(os);
T_OS_PLAIN(os);

TEST_F(os, init_names_only_what_can_be_had)
{
	const struct secm_os_info *info = &self->t.info;

	EXPECT_NE(0, strlen(info->name));
	EXPECT_GE(info->page, 512);
	EXPECT_EQ(0, info->page & (info->page - 1));
	EXPECT_EQ((size_t)sysconf(_SC_PAGESIZE), info->page);
	EXPECT_GT(info->reserve_hint, 0);
	EXPECT_EQ(0, info->reserve_hint % info->page);
	EXPECT_EQ(0, info->props & ~(unsigned)SECM_PROPS);
	EXPECT_EQ(0, info->props & variant->hide);
	EXPECT_EQ(!(info->props & SECM_HIDDEN), info->hidden_errno != 0);
	if (info->hidden_lazy)
		EXPECT_NE(0, info->props & SECM_HIDDEN);
}

TEST_F(os, reserved_space_is_inaccessible)
{
	size_t len = T_ALL * self->t.info.page;

	EXPECT_EQ(0, (size_t)self->t.base % self->t.info.page);
	EXPECT_EQ(SECM_NONE, t_access(&self->t, self->t.base, len));
}

TEST_F(os, reserving_more_than_there_is_fails)
{
	EXPECT_EQ(NULL, secm_os_reserve(~(self->t.info.page - 1)));
}

TEST_F(os, released_space_is_free_again)
{
	size_t len = T_ALL * self->t.info.page;

	ASSERT_EQ(-EEXIST, secm_os_reclaim(self->t.base, len));
	ASSERT_EQ(0, t_map_present(&self->t));
	secm_os_release(self->t.base, len);
	EXPECT_EQ(SECM_NONE, t_access(&self->t, self->t.base, len));
	EXPECT_EQ(0, secm_os_reclaim(self->t.base, len));
}

TEST_F(os, mapped_pages_are_zero_and_writable)
{
	struct t_os *t = &self->t;

	ASSERT_EQ(0, t_map(t));
	ASSERT_EQ(0, secm_os_populate(t->at, t->len));
	EXPECT_EQ(SECM_READWRITE, t_access(t, t->at, t->len));
	EXPECT_TRUE(t_holds(t->at, t->len, 0));
	memset(t->at, 'x', t->len);
	EXPECT_TRUE(t_holds(t->at, t->len, 'x'));
	EXPECT_TRUE(t_alone(t));
}

TEST_F(os, map_tells_what_it_obtained)
{
	struct t_os *t = &self->t;

	ASSERT_EQ(0, t_map(t));
	EXPECT_EQ(t->need, t->got & t->need);
	EXPECT_EQ(0, t->got & ~t->info.props);
	/* What comes with hidden memory anyway may be more than wanted. */
	if (!(t->got & SECM_HIDDEN))
		EXPECT_EQ(0, t->got & ~t->want);
	/* Of the ways to keep pages from a child one is enough. */
	if (t->want & ~t->got & (SECM_LOCKED | SECM_NODUMP | SECM_HIDDEN))
		EXPECT_NE(0, t->why);
	if (t->got == t->want)
		EXPECT_EQ(0, t->why);
}

TEST_F(os, map_of_nothing_wanted_obtains_nothing)
{
	struct t_os *t = &self->t;
	unsigned got = SECM_PROPS;
	int why = EIO;

	ASSERT_EQ(0, secm_os_map(t->at, t->len, 0, 0, &got, &why));
	EXPECT_EQ(0, got);
	EXPECT_EQ(0, why);
	EXPECT_EQ(SECM_READWRITE, t_access(t, t->at, t->len));
	EXPECT_TRUE(t_holds(t->at, t->len, 0));
	EXPECT_TRUE(t_alone(t));
}

TEST_F(os, every_set_of_needs_is_had_or_refused)
{
	struct t_os *t = &self->t;
	unsigned need, got;
	int why, r;

	for (need = 0; need <= SECM_PROPS; need++) {
		got = 0;
		r = secm_os_map(t->at, t->len, need, need, &got, &why);
		if (r == 0) {
			EXPECT_EQ(need, got & need);
			EXPECT_EQ(0, got & ~t->info.props);
			EXPECT_EQ(SECM_READWRITE, t_access(t, t->at, t->len));
			EXPECT_EQ(0, t_unmap(t));
		} else {
			EXPECT_EQ(-ENOTSUP, r);
		}
		if (need & ~t->info.props)
			EXPECT_EQ(-ENOTSUP, r);
		EXPECT_EQ(SECM_NONE, t_access(t, t->at, t->len));
		EXPECT_TRUE(t_alone(t));
	}
}

TEST_F(os, wishes_that_cannot_come_true_cost_nothing)
{
	struct t_os *t = &self->t;

	t->want = SECM_PROPS;
	ASSERT_EQ(0, t_map_present(t));
	EXPECT_EQ(t->need, t->got & t->need);
	EXPECT_EQ(0, t->got & ~t->info.props);
	if (!(t->got & SECM_HIDDEN))
		EXPECT_NE(0, t->why);
	memset(t->at, 'x', t->len);
	EXPECT_TRUE(t_holds(t->at, t->len, 'x'));
}

TEST_F(os, mask_hides_from_now_on)
{
	struct t_os *t = &self->t;
	struct secm_os_info info;
	unsigned got = SECM_PROPS;
	int why;

	secm_os_mask(SECM_PROPS);
	ASSERT_EQ(0, secm_os_map(t->at, t->len, 0, SECM_PROPS, &got, &why));
	EXPECT_EQ(0, got);
	EXPECT_NE(0, why);
	EXPECT_EQ(-ENOTSUP, secm_os_zero_on_fork(t->at, t->len));
	EXPECT_EQ(0, t_unmap(t));
	EXPECT_EQ(-ENOTSUP, secm_os_map(t->at, t->len, SECM_NODUMP,
					SECM_NODUMP, &got, &why));
	secm_os_init(&info);
	EXPECT_EQ(0, info.props);
	EXPECT_NE(0, info.hidden_errno);
	secm_os_mask(variant->hide);
	secm_os_init(&info);
	EXPECT_EQ(t->info.props, info.props);
	EXPECT_EQ(0, t_map(t));
}

#ifdef __linux__
/* How many of the pages are present; mincore(2) is not POSIX. */
static size_t present(const struct t_os *t)
{
	unsigned char in[T_PAGES];
	size_t i, n = 0;

	if (mincore(t->at, t->len, in) != 0)
		return 0;
	for (i = 0; i < T_PAGES; i++)
		n += in[i] & 1;
	return n;
}

TEST_F(os, populate_makes_pages_present_and_unmap_absent)
{
	struct t_os *t = &self->t;

	ASSERT_EQ(0, t_map(t));
	if (!(t->got & SECM_LOCKED)) /* locking may have done it already */
		ASSERT_EQ(0, present(t));
	ASSERT_EQ(0, secm_os_populate(t->at, t->len));
	EXPECT_EQ(T_PAGES, present(t));
	ASSERT_EQ(0, t_unmap(t));
	EXPECT_EQ(0, present(t));
}
#endif

TEST_F(os, populate_keeps_zeros_and_may_be_repeated)
{
	struct t_os *t = &self->t;

	ASSERT_EQ(0, t_map(t));
	ASSERT_EQ(0, secm_os_populate(t->at + t->info.page, t->info.page));
	EXPECT_TRUE(t_holds(t->at + t->info.page, t->info.page, 0));
	ASSERT_EQ(0, secm_os_populate(t->at, t->len));
	ASSERT_EQ(0, secm_os_populate(t->at, t->len));
	EXPECT_TRUE(t_holds(t->at, t->len, 0));
	EXPECT_EQ(SECM_READWRITE, t_access(t, t->at, t->len));
	EXPECT_TRUE(t_alone(t));
}

TEST_F(os, no_call_keeps_a_descriptor)
{
	struct t_os *t = &self->t;
	int before = t_descriptors();
	struct secm_os_info info;
	unsigned got;
	char byte;
	int why;

	secm_os_init(&info);
	ASSERT_EQ(0, t_map_present(t));
	EXPECT_EQ(before, t_descriptors());
	ASSERT_EQ(0, t_unmap(t));
	(void)secm_os_map(t->at, t->len, SECM_PROPS, SECM_PROPS, &got, &why);
	EXPECT_EQ(0, secm_os_random(&byte, sizeof(byte)));
	EXPECT_EQ(before, t_descriptors());
}

TEST_F(os, unmapped_pages_are_inaccessible_and_come_back_as_zeros)
{
	struct t_os *t = &self->t;

	ASSERT_EQ(0, t_map_present(t));
	memset(t->at, 'x', t->len);
	ASSERT_EQ(0, t_unmap(t));
	EXPECT_EQ(SECM_NONE, t_access(t, t->at, t->len));
	EXPECT_EQ(-EEXIST, secm_os_reclaim(t->at, t->len));
	ASSERT_EQ(0, t_map_present(t));
	EXPECT_TRUE(t_holds(t->at, t->len, 0));
}

TEST_F(os, unmap_of_one_page_leaves_the_others)
{
	struct t_os *t = &self->t;
	size_t page = t->info.page;

	ASSERT_EQ(0, t_map_present(t));
	memset(t->at, 'x', t->len);
	memset(t->at + page, 0, page);
	ASSERT_EQ(0, secm_os_unmap(t->at + page, page));
	EXPECT_EQ(SECM_NONE, t_access(t, t->at + page, page));
	EXPECT_EQ(-EEXIST, secm_os_reclaim(t->at + page, page));
	EXPECT_TRUE(t_holds(t->at, page, 'x'));
	EXPECT_TRUE(t_holds(t->at + 2 * page, t->len - 2 * page, 'x'));
	EXPECT_TRUE(t_alone(t));
}

TEST_F(os, access_changes_and_contents_stay)
{
	static const enum secm_access to[] = {
		SECM_NONE, SECM_READ, SECM_NONE, SECM_READWRITE,
		SECM_READ, SECM_READWRITE, SECM_NONE,
	};
	struct t_os *t = &self->t;
	size_t i;

	ASSERT_EQ(0, t_map_present(t));
	memset(t->at, 'x', t->len);
	for (i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		ASSERT_EQ(0, secm_os_access(t->at, t->len, to[i]));
		EXPECT_EQ(to[i], t_access(t, t->at, t->len));
		EXPECT_TRUE(t_alone(t));
	}
	ASSERT_EQ(0, secm_os_access(t->at, t->len, SECM_READ));
	EXPECT_TRUE(t_holds(t->at, t->len, 'x'));
}

TEST_F(os, access_to_one_page_leaves_the_others)
{
	struct t_os *t = &self->t;
	size_t page = t->info.page;

	ASSERT_EQ(0, t_map_present(t));
	ASSERT_EQ(0, secm_os_access(t->at + page, page, SECM_NONE));
	EXPECT_EQ(SECM_READWRITE, t_access(t, t->at, page));
	EXPECT_EQ(SECM_NONE, t_access(t, t->at + page, page));
	EXPECT_EQ(SECM_READWRITE,
		  t_access(t, t->at + 2 * page, t->len - 2 * page));
}

TEST_F(os, unmap_works_whatever_the_access)
{
	static const enum secm_access from[] = { SECM_NONE, SECM_READ };
	struct t_os *t = &self->t;
	size_t i;

	for (i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		ASSERT_EQ(0, t_map_present(t));
		ASSERT_EQ(0, secm_os_access(t->at, t->len, from[i]));
		ASSERT_EQ(0, secm_os_unmap(t->at, t->len));
		EXPECT_EQ(SECM_NONE, t_access(t, t->at, t->len));
	}
}

TEST_F(os, reserved_space_becomes_metadata)
{
	struct t_os *t = &self->t;

	ASSERT_EQ(0, secm_os_access(t->at, t->len, SECM_READWRITE));
	secm_os_nodump(t->at, t->len);
	EXPECT_EQ(SECM_READWRITE, t_access(t, t->at, t->len));
	EXPECT_TRUE(t_holds(t->at, t->len, 0));
	memset(t->at, 'x', t->len);
	ASSERT_EQ(0, secm_os_access(t->at, t->len, SECM_READ));
	EXPECT_EQ(SECM_READ, t_access(t, t->at, t->len));
	EXPECT_TRUE(t_holds(t->at, t->len, 'x'));
	EXPECT_TRUE(t_alone(t));
}
