/* SPDX-License-Identifier: MIT */
/*
 * test_os_fork.c - what every backend promises in os.h: children
 *
 * Every promise about what a child finds is tried with fork(2) and, where the
 * system has it, with a child made behind the C library's back, for which no
 * handler runs.
 */
#include "t_os.h"

#include "ksft.h"

#ifdef __linux__
#include <signal.h>
#include <sys/syscall.h>
#endif

T_OS_FIXTURE(os_fork)
T_OS_SECRET(os_fork);
T_OS_LOCKED(os_fork);
T_OS_PLAIN(os_fork);

/* What a child found at the test's pages. */
enum found { ZEROS = 1, NOTHING, COPY, OTHER };

typedef pid_t fork_fn(void);

#if defined(__linux__) && defined(SYS_clone)
/* No flags, so the order of the other arguments does not matter. */
static pid_t raw_fork(void)
{
	return (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
}

static fork_fn *const forks[] = { fork, raw_fork };
#else
static fork_fn *const forks[] = { fork };
#endif

enum { FORKS = sizeof(forks) / sizeof(forks[0]) };

static enum found look(const struct t_os *t)
{
	enum secm_access can = t_access(t, t->at, t->len);

	if (can == SECM_NONE)
		return NOTHING;
	if (can != SECM_READWRITE)
		return OTHER;
	if (t_holds(t->at, t->len, 0))
		return ZEROS;
	return t_holds(t->at, t->len, 'x') ? COPY : OTHER;
}

/* The exit status of a child, -1 if it died otherwise. */
static int status_of(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* A child looks and then spoils what it can; generations: 1 is a child. */
static int look_in_child(const struct t_os *t, fork_fn *make, int generations)
{
	enum found found;
	pid_t pid = make();

	if (pid != 0)
		return status_of(pid);
	found = look(t);
	if (generations > 1)
		_exit(look_in_child(t, make, generations - 1) == (int)found
			      ? (int)found
			      : OTHER);
	if (found == ZEROS || found == COPY)
		memset(t->at, 'c', t->len);
	_exit(found);
}

static enum found promised(unsigned got)
{
	if (got & SECM_FORK_GONE)
		return NOTHING;
	return got & SECM_FORK_ZERO ? ZEROS : COPY;
}

TEST_F(os_fork, child_finds_what_was_promised)
{
	struct t_os *t = &self->t;
	int i;

	ASSERT_EQ(0, t_map_present(t));
	memset(t->at, 'x', t->len);
	for (i = 0; i < FORKS; i++) {
		EXPECT_EQ(promised(t->got), look_in_child(t, forks[i], 1));
		EXPECT_TRUE(t_holds(t->at, t->len, 'x'));
	}
}

TEST_F(os_fork, grandchild_finds_the_same)
{
	struct t_os *t = &self->t;
	int i;

	ASSERT_EQ(0, t_map_present(t));
	memset(t->at, 'x', t->len);
	for (i = 0; i < FORKS; i++) {
		EXPECT_EQ(promised(t->got), look_in_child(t, forks[i], 2));
		EXPECT_TRUE(t_holds(t->at, t->len, 'x'));
	}
}

TEST_F(os_fork, closed_pages_stay_closed_in_the_child)
{
	struct t_os *t = &self->t;
	int i;

	ASSERT_EQ(0, t_map_present(t));
	ASSERT_EQ(0, secm_os_access(t->at, t->len, SECM_NONE));
	for (i = 0; i < FORKS; i++)
		EXPECT_EQ(NOTHING, look_in_child(t, forks[i], 1));
}

/* In the child: the hole is reserved again, and memory can be had there. */
static int refill(struct t_os *t)
{
	if (promised(t->got) != NOTHING && munmap(t->at, t->len) != 0)
		return 1;
	if (secm_os_reclaim(t->at, t->len) != 0)
		return 2;
	if (t_access(t, t->base, T_ALL * t->info.page) != SECM_NONE)
		return 3;
	if (secm_os_reclaim(t->at, t->len) != -EEXIST)
		return 4;
	t->need &= ~(unsigned)(SECM_HIDDEN | SECM_LOCKED); /* no quota needed */
	t->want = t->need;
	if (t_map_present(t) != 0)
		return 5;
	if (look(t) != ZEROS)
		return 6;
	return 0;
}

TEST_F(os_fork, child_reclaims_the_hole)
{
	struct t_os *t = &self->t;
	int i;

	ASSERT_EQ(0, t_map_present(t));
	memset(t->at, 'x', t->len);
	for (i = 0; i < FORKS; i++) {
		pid_t pid = forks[i]();

		if (pid == 0)
			_exit(refill(t));
		EXPECT_EQ(0, status_of(pid));
		EXPECT_TRUE(t_holds(t->at, t->len, 'x'));
	}
}

TEST_F(os_fork, reclaim_harms_nothing_that_took_the_place)
{
	struct t_os *t = &self->t;
	size_t page = t->info.page;

	ASSERT_EQ(0, t_map_present(t));
	memset(t->at, 'x', t->len);
	EXPECT_EQ(-EEXIST, secm_os_reclaim(t->at, t->len));
	EXPECT_TRUE(t_holds(t->at, t->len, 'x'));
	ASSERT_EQ(0, munmap(t->at, page));
	EXPECT_EQ(-EEXIST, secm_os_reclaim(t->at, t->len));
	EXPECT_TRUE(t_holds(t->at + page, t->len - page, 'x'));
	EXPECT_EQ(0, secm_os_reclaim(t->at, page));
	EXPECT_EQ(SECM_NONE, t_access(t, t->at, page));
	EXPECT_EQ(-EEXIST, secm_os_reclaim(t->at, page));
}

/* As the core's mark: readable and writable, not zero, not in a child. */
TEST_F(os_fork, metadata_is_zero_in_any_child_or_cannot_be)
{
	struct t_os *t = &self->t;
	enum found find;
	int i, r;

	ASSERT_EQ(0, secm_os_access(t->at, t->len, SECM_READWRITE));
	memset(t->at, 'x', t->len);
	r = secm_os_zero_on_fork(t->at, t->len);
	EXPECT_EQ(t->info.props & SECM_FORK_ZERO ? 0 : -ENOTSUP, r);
	EXPECT_TRUE(t_holds(t->at, t->len, 'x'));
	find = r == 0 ? ZEROS : COPY;
	for (i = 0; i < FORKS; i++) {
		EXPECT_EQ(find, look_in_child(t, forks[i], 1));
		EXPECT_EQ(find, look_in_child(t, forks[i], 2));
		EXPECT_TRUE(t_holds(t->at, t->len, 'x'));
	}
}

/* Whatever the kernel would give them else; hidden pages are shared then. */
TEST_F(os_fork, what_is_to_be_inherited_is)
{
	struct t_os *t = &self->t;
	int shared, i;

	ASSERT_EQ(0, t_map_present(t));
	shared = (t->got & SECM_HIDDEN) != 0;
	ASSERT_EQ(0, secm_os_inherit(t->at, t->len));
	for (i = 0; i < FORKS; i++) {
		memset(t->at, 'x', t->len);
		EXPECT_EQ(COPY, look_in_child(t, forks[i], 1));
		EXPECT_EQ(!shared, t_holds(t->at, t->len, 'x'));
	}
}

static char calls[16];
static size_t ncalls;

static void note(char what)
{
	if (ncalls < sizeof(calls) - 1)
		calls[ncalls++] = what;
}

static void prepare(void)
{
	note('b');
}

static void parent(void)
{
	note('p');
}

static void child(void)
{
	note('c');
}

TEST(fork_handlers_run_on_their_sides)
{
	pid_t pid;

	ASSERT_EQ(0, secm_os_at_fork(prepare, parent, child));
	EXPECT_STREQ("", calls);
	pid = fork();
	if (pid == 0)
		_exit(strcmp(calls, "bc") == 0 ? 0 : 1);
	EXPECT_EQ(0, status_of(pid));
	EXPECT_STREQ("bp", calls);
}

#if defined(__linux__) && defined(SYS_clone)
/* The control of the tests above: such a child is really made without. */
TEST(fork_handlers_do_not_run_for_raw_children)
{
	pid_t pid;

	ASSERT_EQ(0, secm_os_at_fork(prepare, parent, child));
	pid = raw_fork();
	if (pid == 0)
		_exit(ncalls == 0 ? 0 : 1);
	EXPECT_EQ(0, status_of(pid));
	EXPECT_STREQ("", calls);
}
#endif
