/* SPDX-License-Identifier: MIT */
/*
 * test_fork.c - children: what they find, what they may do, what they cannot
 *
 * A child made by fork(2) reads zeros where its parent has secrets, may use
 * and free what it inherited, and never reaches the parent.  Children
 * made without fork handlers are in test_fork_raw.c, threads that allocate
 * meanwhile in test_fork_threads.c.
 */
#include "t_api.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>

#include "die.h"
#include "ksft.h"

enum { SMALLS = 50, OBJECTS = SMALLS + 3, SMALL = 40, LARGE = 100005 };

FIXTURE(fork)
{
	unsigned char *p[OBJECTS];
	size_t size[OBJECTS];
};

TA_VARIANTS(fork);

FIXTURE_SETUP(fork)
{
	int i;

	TA_BEGIN(&variant->tier);
	for (i = 0; i < OBJECTS; i++) {
		self->size[i] = i < SMALLS ? (size_t)i * 7 + 1 : LARGE;
		if (i > SMALLS)
			self->size[i] = 100;
		self->p[i] = i > SMALLS ? secmalloc_guarded(self->size[i])
					: secmalloc(self->size[i]);
		ASSERT_NOT_NULL(self->p[i]);
		memset(self->p[i], 0x77, self->size[i]);
	}
	ASSERT_EQ(0, secmalloc_protect(self->p[OBJECTS - 1],
				       SECMALLOC_NOACCESS));
}

FIXTURE_TEARDOWN(fork)
{
}

/* The parent's objects are whole: contents, access, canaries. */
static void want_intact(struct ksft_data_fork *self)
{
	int i;

	EXPECT_EQ(SECM_NONE, ta_access(self->p[OBJECTS - 1]));
	ASSERT_EQ(0, secmalloc_protect(self->p[OBJECTS - 1],
				       SECMALLOC_READWRITE));
	EXPECT_EQ(OBJECTS, ta_report().objects);
	for (i = 0; i < OBJECTS; i++) {
		EXPECT_TRUE(ta_holds(self->p[i], self->size[i], 0x77)) {
			TH_LOG("object %d", i);
		}
		secfree(self->p[i]);
	}
}

/* All of them zeros, as far as they are open. */
static int all_zero(struct ksft_data_fork *self)
{
	int i;

	for (i = 0; i < OBJECTS - 1; i++)
		if (!ta_holds(self->p[i], self->size[i], 0))
			return 0;
	return 1;
}

static void free_all(struct ksft_data_fork *self)
{
	int i;

	for (i = 0; i < OBJECTS; i++)
		secfree(self->p[i]);
}

TEST_F(fork, child_reads_zeros)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(all_zero(self) ? 0 : 1);
	EXPECT_EQ(0, ta_status(pid));
	want_intact(self);
}

TEST_F(fork, child_may_write_resize_and_free_what_it_inherited)
{
	pid_t pid = fork();
	int i;

	if (pid == 0) {
		for (i = 0; i < OBJECTS - 1; i++) {
			memset(self->p[i], 0x11, self->size[i]);
			EXPECT_EQ(self->size[i],
				  secmalloc_usable_size(self->p[i]));
			EXPECT_EQ(1, secmalloc_owns(self->p[i]));
			if (i % 3 == 0) {
				self->p[i] = secrealloc(self->p[i], 500);
				ASSERT_NOT_NULL(self->p[i]);
				EXPECT_EQ(500,
					  secmalloc_usable_size(self->p[i]));
			}
		}
		free_all(self);
		exit(0);
	}
	EXPECT_EQ(0, ta_status(pid));
	want_intact(self);
}

TEST_F(fork, realloc_of_an_inherited_object_keeps_what_the_child_wrote)
{
	pid_t pid = fork();
	unsigned char *q;

	if (pid == 0) {
		memset(self->p[20], 0x11, self->size[20]);
		q = secrealloc(self->p[20], 5000);
		ASSERT_NOT_NULL(q);
		EXPECT_TRUE(ta_holds(q, self->size[20], 0x11));
		EXPECT_TRUE(ta_holds(q + self->size[20],
				     5000 - self->size[20], 0));
		_exit(0);
	}
	EXPECT_EQ(0, ta_status(pid));
}

static void expect_death(struct ksft_data_fork *self, int i)
{
	EXPECT_DEATH(SIGABRT, SECM_DIE_DOUBLE_FREE, {
		secfree(self->p[i]);
		secfree(self->p[i]);
	});
	EXPECT_DEATH(SIGABRT, SECM_DIE_INTERIOR, secfree(self->p[i] + 1));
}

TEST_F(fork, child_dies_of_misuse_of_inherited_objects)
{
	expect_death(self, 20);
	expect_death(self, SMALLS);
	expect_death(self, OBJECTS - 2);
	expect_death(self, OBJECTS - 1);
	want_intact(self);
}

/* New secrets of the child: as protected as the parent's, and its own. */
static int use_new_ones(const struct ta_tier *tier)
{
	static const unsigned both = SECM_LOCKED | SECM_NODUMP;
	unsigned need = tier->need | (tier->flags ? 0 : both);
	struct secmalloc_report r;
	char *p[3] = { secmalloc(SMALL), secmalloc(LARGE),
		       secmalloc_guarded(SMALL) };
	int i;

	for (i = 0; i < 3; i++) {
		if (!p[i] || !ta_holds(p[i], SMALL, 0))
			return 10 + i;
		memset(p[i], 0x22, SMALL);
		if (ta_has_props(p[i], SMALL, need) == 0)
			return 20 + i;
	}
	r = ta_report();
	if (r.objects != 3)
		return 30;
	for (i = 0; i < SECMALLOC_TIERS; i++)
		if (r.verified && r.tier[i].confirmed != r.tier[i].mapped)
			return 40 + i;
	for (i = 0; i < 3; i++)
		secfree(p[i]);
	return 0;
}

TEST_F(fork, new_secrets_of_a_child_are_protected)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(use_new_ones(&variant->tier));
	EXPECT_EQ(0, ta_status(pid));
	want_intact(self);
}

/* The usual way of a daemon: nothing is allocated between the forks. */
static int descend(struct ksft_data_fork *self, const struct ta_tier *tier,
		   int generations, int use)
{
	int status = 0;
	pid_t pid;

	if (!all_zero(self))
		return 1;
	memset(self->p[20], 0x33, self->size[20]);
	memset(self->p[SMALLS], 0x33, self->size[SMALLS]);
	if (use)
		status = use_new_ones(tier);
	if (status == 0 && generations > 1) {
		pid = fork();
		if (pid == 0)
			_exit(descend(self, tier, generations - 1, use));
		status = ta_status(pid);
		if (!ta_holds(self->p[20], self->size[20], 0x33))
			return 2;
	}
	if (status == 0)
		free_all(self);
	return status;
}

TEST_F(fork, grandchildren_are_children)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(descend(self, &variant->tier, 3, 1));
	EXPECT_EQ(0, ta_status(pid));
	want_intact(self);
}

TEST_F(fork, grandchildren_of_an_idle_child_are_children)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(descend(self, &variant->tier, 3, 0));
	EXPECT_EQ(0, ta_status(pid));
	want_intact(self);
}

TEST_F(fork, inherited_guarded_objects_keep_access_and_can_be_opened)
{
	unsigned char *p = self->p[OBJECTS - 1];
	pid_t pid = fork();

	if (pid == 0) {
		if (ta_access(p) != SECM_NONE)
			_exit(1);
		if (secmalloc_protect(p, SECMALLOC_READWRITE) != 0)
			_exit(2);
		if (!ta_holds(p, 100, 0))
			_exit(3);
		secfree(p);
		_exit(0);
	}
	EXPECT_EQ(0, ta_status(pid));
	want_intact(self);
}

TEST_F(fork, shutdown_in_a_child_stays_there)
{
	pid_t pid = fork();

	if (pid == 0) {
		secmalloc_shutdown();
		_exit(secmalloc(1) || errno != EPERM);
	}
	EXPECT_EQ(0, ta_status(pid));
	want_intact(self);
}

/* A child that goes on where its parent was: the same objects, both busy. */
TEST_F(fork, parent_and_child_never_share_an_object)
{
	unsigned char *p[200];
	int i, fd[2];
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(fd));
	pid = fork();
	for (i = 0; i < 200; i++) {
		p[i] = secmalloc(SMALL);
		ASSERT_NOT_NULL(p[i]);
		memset(p[i], pid ? 0x44 : 0x55, SMALL);
	}
	if (pid == 0) {
		close(fd[1]);
		(void)!read(fd[0], &c, 1); /* until the parent has written */
	}
	for (i = 0; i < 200; i++)
		EXPECT_TRUE(ta_holds(p[i], SMALL, pid ? 0x44 : 0x55));
	if (pid == 0)
		_exit(0);
	close(fd[1]);
	EXPECT_EQ(0, ta_status(pid));
	for (i = 0; i < 200; i++)
		secfree(p[i]);
	want_intact(self);
}

TEST_F(fork, spawned_programs_work)
{
	static char name[] = "true";
	char *args[] = { name, NULL };
	char *none[] = { NULL };
	pid_t pid;
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, posix_spawnp(&pid, "true", NULL, NULL, args,
					  none));
		EXPECT_EQ(0, ta_status(pid));
		ASSERT_NOT_NULL(secmalloc(10));
		secfree(self->p[i]);
		self->p[i] = secmalloc(self->size[i]);
		ASSERT_NOT_NULL(self->p[i]);
		memset(self->p[i], 0x77, self->size[i]);
	}
	EXPECT_EQ(OBJECTS + 10, ta_report().objects);
}

TEST_F(fork, many_forks_leave_nothing_behind)
{
	int i, maps, fds;
	pid_t pid;

	maps = ta_vmas(NULL, NULL);
	fds = ta_descriptors();
	for (i = 0; i < 30; i++) {
		pid = fork();
		if (pid == 0)
			_exit(i % 2 ? use_new_ones(&variant->tier) : 0);
		ASSERT_EQ(0, ta_status(pid));
	}
	EXPECT_EQ(maps, ta_vmas(NULL, NULL));
	EXPECT_EQ(fds, ta_descriptors());
	want_intact(self);
}
