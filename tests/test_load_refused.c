/* SPDX-License-Identifier: MIT */
/*
 * test_load_refused.c - loading where io_uring is refused, or little can be
 * locked
 *
 * The result is the same: all contents, and a reason for there being no ring.
 */
#include "t_files.h"

#ifdef __linux__
#include "t_filter.h"

#include <sys/mman.h>
#include <sys/wait.h>

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#define SYS_io_uring_enter 426
#define SYS_io_uring_register 427
#endif

enum { SMALL = 64 << 10, FEW = 4, NO_LIMIT = 77, NO_TIER };

/* before: in a process without filters. */
FIXTURE(refused)
{
	char folder[32];
	struct secmalloc_loaded *before, then[FILES];
	secmalloc_heap *heap;
};

TA_VARIANTS(refused);

/* The first time files are in the page cache, as they have just been written. */
static int load_before(const struct ta_tier *tier,
		       struct secmalloc_loaded *files)
{
	int e = ta_start(tier);

	if (e == 0)
		e = load(files, FILES, NULL);
	if (e == ENOMEM)
		files[0].error = e;
	else if (e == 0)
		EXPECT_EQ(0, load(files, FILES, NULL));
	return 0;
}

FIXTURE_SETUP(refused)
{
	self->before =
		mmap(NULL, FILES * sizeof(*self->before),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE((void *)MAP_FAILED, self->before);
	strcpy(self->folder, "secmalloc-test.XXXXXX");
	make_files(self->folder);
	T_IN_CHILD(load_before(&variant->tier, self->before));
	if (self->before[0].error == ENOMEM)
		SKIP(return, "too little may be locked here");
}

FIXTURE_TEARDOWN(refused)
{
	remove_files(self->folder);
}

/* The same as before, but for how: if that was by a ring, it is not now, and
 * errno is why. */
static void is_without(const struct secmalloc_loaded *before,
		       const struct secmalloc_loaded *then, int error)
{
	int i;

	for (i = 0; i < FILES; i++) {
		EXPECT_EQ(before[i].way, then[i].way);
		EXPECT_EQ(before[i].cached, then[i].cached);
		EXPECT_EQ(0, then[i].ring);
		EXPECT_NE(0, then[i].ring_errno);
		if (before[i].ring) {
			EXPECT_EQ(0, before[i].ring_errno);
			EXPECT_EQ(error, then[i].ring_errno);
		}
	}
}

/* As in a sandbox: the filter is there when secret memory is set up. */
#define BEGIN(nr, action)                                  \
	do {                                               \
		if (t_put_filter(nr, action) != 0)         \
			SKIP(return, "no filters here");   \
		TA_BEGIN(&variant->tier);                  \
		self->heap = ta_scoped(&variant->tier, 0); \
		ASSERT_NOT_NULL(self->heap);               \
	} while (0)

#define WITHOUT(nr, error)                                           \
	do {                                                         \
		BEGIN(nr, T_ERROR(error));                           \
		ASSERT_EQ(0, load(self->then, FILES, NULL));         \
		is_without(self->before, self->then, error);         \
		ASSERT_EQ(0, load(self->then, FILES, self->heap));   \
		is_without(self->before, self->then, error);         \
		T_IN_CHILD({                                         \
			ASSERT_EQ(0, load(self->then, FILES, NULL)); \
			is_without(self->before, self->then, error); \
		});                                                  \
	} while (0)

TEST_F(refused, without_rings_all_is_loaded_all_the_same)
{
	WITHOUT(SYS_io_uring_setup, ENOSYS);
}

TEST_F(refused, so_it_is_where_they_are_forbidden)
{
	WITHOUT(SYS_io_uring_setup, EPERM);
}

TEST_F(refused, so_it_is_where_they_can_be_made_and_not_used)
{
	WITHOUT(SYS_io_uring_enter, EPERM);
}

TEST_F(refused, so_it_is_where_they_are_said_to_be_unknown_then)
{
	WITHOUT(SYS_io_uring_enter, ENOSYS);
}

/* Whether that is needed is up to who loads. */
TEST_F(refused, so_it_is_where_nothing_can_be_registered)
{
	BEGIN(SYS_io_uring_register, T_ERROR(EPERM));
	EXPECT_EQ(0, load(self->then, FILES, NULL));
	EXPECT_EQ(0, load(self->then, FILES, self->heap));
}

/* Who never loads many is never ended for it. */
TEST_F(refused, a_few_files_never_ask_for_a_ring)
{
	struct secmalloc_loaded one = { .size = sizeof(one) };
	int i, fd;

	BEGIN(SYS_io_uring_setup, T_KILL);
	EXPECT_EQ(0, load(self->then, 1, NULL));
	for (i = 0; i < FILES; i++) {
		(void)!secmalloc_load_file(names[i], NULL, &one);
		EXPECT_EQ(0, check(&one, i, 0));
		secfree(one.data);
		fd = open(names[i], O_RDONLY);
		(void)!secmalloc_load_fd(fd, NULL, &one);
		EXPECT_EQ(0, check(&one, i, 0));
		secfree(one.data);
		ASSERT_EQ(0, close(fd));
	}
}

TEST_F(refused, who_says_no_ring_is_never_ended_for_it)
{
	int i;

	BEGIN(SYS_io_uring_setup, T_KILL);
	EXPECT_EQ(0, load_as(self->then, FILES, NULL, SECMALLOC_LOAD_NO_RING));
	for (i = 0; i < FILES; i++)
		EXPECT_EQ(0, self->then[i].ring);
}

TEST_F(refused, so_it_is_where_the_administrator_forbids_them)
{
	FILE *f = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	int i, who = 0, n = f ? fscanf(f, "%d", &who) : 0;

	if (f)
		(void)fclose(f);
	if (n != 1 || who == 0 || (who == 1 && geteuid() == 0))
		SKIP(return, "io_uring is not disabled here");
	for (i = 0; i < FILES; i++) {
		EXPECT_EQ(0, self->before[i].ring);
		EXPECT_NE(0, self->before[i].ring_errno);
	}
}

FIXTURE(little)
{
	char folder[32];
};

TA_VARIANTS(little);

FIXTURE_SETUP(little)
{
	strcpy(self->folder, "secmalloc-test.XXXXXX");
	make_files(self->folder);
}

FIXTURE_TEARDOWN(little)
{
	remove_files(self->folder);
}

/* Each has its object or its error. */
static void load_too_many(struct secmalloc_loaded *files)
{
	int i, e, got = 0;

	prepare(files, FILES);
	e = secmalloc_load_files(files, FILES, NULL) == 0 ? 0 : errno;
	for (i = 0; i < FILES; i++) {
		got += files[i].data != NULL;
		if (files[i].data) {
			EXPECT_EQ(0, check(&files[i], i, 0));
		} else {
			EXPECT_EQ(ENOMEM, files[i].error);
			EXPECT_EQ(0, files[i].length);
		}
		secfree(files[i].data);
	}
	EXPECT_EQ(got == FILES ? 0 : ENOMEM, e);
	EXPECT_LE(FEW, got);
}

static int load_in_little(const struct ta_tier *tier)
{
	struct secmalloc_loaded files[FILES];

	if (!t_lock_at_most(SMALL))
		return NO_LIMIT;
	if (ta_start(tier) != 0)
		return NO_TIER;
	EXPECT_EQ(0, load(files, FEW, NULL));
	load_too_many(files);
	EXPECT_EQ(0, load(files, FEW, NULL));
	return 0;
}

TEST_F(little, locked_memory_is_enough_for_few_and_others_are_told)
{
	if (t_fork())
		_exit(load_in_little(&variant->tier));
	if (WEXITSTATUS(t_last_child) == NO_LIMIT)
		SKIP(return, "lock limit does not bind here");
	if (WEXITSTATUS(t_last_child) == NO_TIER)
		SKIP(return, "tier not to be had here");
	EXPECT_EQ(0, t_last_child);
}
#else
TEST(loading_where_io_uring_is_refused)
{
	SKIP(return, "it is on Linux alone");
}
#endif
