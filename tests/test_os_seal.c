/* SPDX-License-Identifier: MIT */
/*
 * test_os_seal.c - what every backend promises in os.h: secm_os_seal()
 *
 * The ways that it closes are tried on pages beside the sealed ones as well,
 * where they have to be open.
 */
#include "t_seal.h"

#include "ksft.h"
#include "t_os.h"

/* A chunk of metadata as the core makes it, and one that is not sealed:
 *
 *	| guard | page | guard |        | guard | page | guard |
 *	  ours                            other
 */
FIXTURE(os_seal)
{
	struct t_os t;
	char *ours, *other;
	size_t page;
	int error;
};

static char *chunk(size_t page)
{
	char *p = secm_os_reserve(3 * page);

	ASSERT_NOT_NULL(p);
	ASSERT_EQ(0, secm_os_access(p + page, page, SECM_READWRITE));
	secm_os_nodump(p + page, page);
	memset(p + page, 'x', page);
	return p;
}

FIXTURE_SETUP(os_seal)
{
	ASSERT_EQ(0, t_setup(&self->t, SECM_HIDDEN | SECM_LOCKED, 0));
	self->page = self->t.info.page;
	self->ours = chunk(self->page);
	self->other = chunk(self->page);
	self->error = secm_os_seal(self->ours, 3 * self->page);
	if (self->error) {
		EXPECT_EQ(-ENOTSUP, self->error);
		EXPECT_EQ(T_ALL_WAYS, t_ways_to(self->ours + self->page));
		SKIP(return, "nothing can be sealed here");
	}
}

FIXTURE_TEARDOWN(os_seal)
{
}

TEST_F(os_seal, nobody_changes_the_mapping)
{
	size_t i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(T_ALL_WAYS, t_ways_to(self->other + i * self->page));
		EXPECT_EQ(0, t_ways_to(self->ours + i * self->page));
	}
	EXPECT_TRUE(t_holds(self->ours + self->page, self->page, 'x'));
}

TEST_F(os_seal, access_stays_what_it_is)
{
	struct t_os *t = &self->t;
	char *p = self->ours + self->page;

	EXPECT_EQ(SECM_NONE, t_access(t, self->ours, self->page));
	EXPECT_EQ(SECM_READWRITE, t_access(t, p, self->page));
	EXPECT_EQ(SECM_NONE, t_access(t, p + self->page, self->page));
	memset(p, 'y', self->page);
	EXPECT_TRUE(t_holds(p, self->page, 'y'));
}

TEST_F(os_seal, holds_in_children)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		EXPECT_EQ(T_ALL_WAYS, t_ways_to(self->other + self->page));
		EXPECT_EQ(0, t_ways_to(self->ours + self->page));
		EXPECT_EQ(0, t_ways_to(self->ours));
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* As the core does it: zeros for children first, the seal last.  A backend may
 * refuse the two together, and then the zeros stay. */
TEST_F(os_seal, zeros_for_children_stay)
{
	char *p = chunk(self->page) + self->page;
	int status = -1, sealed;
	pid_t pid;

	if (secm_os_zero_on_fork(p, self->page) != 0)
		SKIP(return, "this backend cannot give children zeros");
	sealed = secm_os_seal(p - self->page, 3 * self->page);
	if (sealed)
		EXPECT_EQ(-ENOTSUP, sealed);
	pid = fork();
	if (pid == 0)
		_exit(t_holds(p, self->page, 0) ? 23 : 24);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(23, WEXITSTATUS(status));
	EXPECT_TRUE(t_holds(p, self->page, 'x'));
	if (!sealed)
		EXPECT_EQ(0, t_ways_to(p));
}

/* What lies beside sealed pages can be given back and used again. */
TEST_F(os_seal, neighbours_are_free)
{
	size_t i;

	for (i = 0; i < 100; i++) {
		char *p = secm_os_reserve(3 * self->page);

		ASSERT_NOT_NULL(p);
		secm_os_release(p, 3 * self->page);
	}
	EXPECT_EQ(0, t_map_present(&self->t));
	EXPECT_EQ(0, t_unmap(&self->t));
	secm_os_release(self->other, 3 * self->page);
	secm_os_release(self->t.base, T_ALL * self->page);
	EXPECT_EQ(0, t_ways_to(self->ours + self->page));
}
