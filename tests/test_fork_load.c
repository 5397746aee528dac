/* SPDX-License-Identifier: MIT */
/*
 * test_fork_load.c - forks at any moment of a program with threads under load
 *
 * What t_traffic.h does goes on in the parent.  A child has whole objects,
 * that are all zeros and can be freed, and an allocator that works; and so have
 * its children.  Hangs are in test_fork_threads.c.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <sys/types.h>
#include <sys/wait.h>

#include "ksft.h"
#include "meta.h"
#include "t_heap.h"
#include "t_traffic.h"
#include "t_way.h"

T_WAYS(load);

enum { FORKS = 8, STEPS = 200 };

/* Places at which threads of the parent were at work are left alone. */
static size_t inherit(void)
{
	size_t i, n = 0;

	for (i = 0; i < T_PLACES; i++) {
		struct t_place *at = &t_place[i];

		if (at->taken || !at->p)
			continue;
		n++;
		ASSERT_EQ(at->size, secmalloc_usable_size(at->p));
		ASSERT_EQ(1, secmalloc_owns(at->p));
		ASSERT_TRUE(t_holds(at->p, at->size, 0));
		if (i % 4 == 0) {
			at->taken = 1; /* some stay as they are */
			continue;
		}
		t_fill(at->p, at->size, 1);
		secmalloc_free_sized(at->p, at->size);
		at->p = NULL;
	}
	return n;
}

static void go_on(struct secm_heap *heap, int generations)
{
	uint64_t random = ksft_random();
	int i;

	EXPECT_EQ(0, secmalloc_verify());
	EXPECT_LT(0, inherit());
	for (i = 0; i < STEPS; i++)
		t_step(&random);
	EXPECT_EQ(t_standing(), secmalloc_verify());
	ASSERT_STREQ(NULL, t_broken(heap));
	if (generations > 0)
		T_IN_CHILD(go_on(heap, generations - 1));
	(void)secmalloc_trim();
	t_clear();
	EXPECT_EQ(0, secmalloc_verify());
	EXPECT_EQ(0, t_objects());
	ASSERT_STREQ(NULL, t_broken(heap));
}

TEST_F(load, children_and_theirs_have_whole_heaps)
{
	uint64_t random = ksft_random();
	pthread_t thread[T_DRIVERS];
	int i;

	T_BEGIN_WAY(NULL);
	T_ROOM(4 << 20);
	while (t_standing() < T_PLACES / 4)
		t_step(&random);
	t_drive(thread);
	for (i = 0; i < FORKS; i++) {
		T_IN_CHILD(go_on(self->heap, i % 4 == 0));
		(void)secmalloc_verify();
	}
	t_park(thread);
	t_clear();
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

/* Threads that fork, too, and end. */
struct forker {
	struct secm_heap *heap;
	uint64_t seed;
};

static void fork_often(void *arg, unsigned i)
{
	const struct forker *f = arg;
	uint64_t random = f->seed + i;
	int k, n, status;

	for (k = 0; k < FORKS / 4; k++) {
		pid_t pid = fork();

		if (pid == 0) {
			go_on(f->heap, 0);
			_exit(0);
		}
		ASSERT_LT(0, pid);
		while (waitpid(pid, &status, 0) < 0)
			ASSERT_EQ(EINTR, errno);
		ASSERT_EQ(0, status);
		for (n = 0; n < STEPS; n++)
			t_step(&random);
	}
}

TEST_F(load, threads_may_fork_at_once)
{
	struct forker f = { .heap = self->heap, .seed = ksft_random() };
	uint64_t random = ksft_random();
	pthread_t thread[T_DRIVERS];

	T_BEGIN_WAY(NULL);
	while (t_standing() < T_PLACES / 4)
		t_step(&random);
	t_drive(thread);
	t_at_once(3, fork_often, &f);
	t_park(thread);
	t_clear();
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

/* The child of a thread that is not the first is the first of its process: it
 * has a cache, may end, and others may begin. */
static void be_a_process(void *arg)
{
	struct secm_heap *heap = arg;
	uint64_t random = ksft_random();
	pthread_t thread[T_DRIVERS];
	int i;

	T_IN_CHILD({
		t_drive(thread);
		for (i = 0; i < STEPS; i++)
			t_step(&random);
		t_in_thread(secfree, secmalloc(100));
		t_park(thread);
		t_clear();
		EXPECT_EQ(0, t_objects());
		T_SOUND(heap);
	});
}

TEST_F(load, a_child_may_have_threads_again)
{
	uint64_t random = 1;
	int i;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < STEPS; i++)
		t_step(&random);
	t_clear();
	be_a_process(self->heap);
	t_in_thread(be_a_process, self->heap);
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

/* Each finds what its parent had, and takes no more.  Addresses of metadata
 * go up. */
static void generation(struct secm_heap *heap, int n, const char *before)
{
	char *p = secmalloc(1000), *q = secmalloc(30), *now;

	ASSERT_TRUE(p && q);
	secfree(q);
	secfree(p);
	now = secm_meta_alloc(16);
	ASSERT_NOT_NULL(now);
	if (before)
		EXPECT_EQ(before + 16, now);
	EXPECT_EQ(0, t_objects());
	T_SOUND(heap);
	if (n > 0)
		T_IN_CHILD(generation(heap, n - 1, n < 18 ? now : NULL));
}

TEST_F(load, generations_of_children_do_not_pile_up)
{
	T_BEGIN_WAY(NULL);
	generation(self->heap, 20, NULL);
}
