/* SPDX-License-Identifier: MIT */
/*
 * test_traffic.c - objects that wander between threads, looked at meanwhile
 *
 * What t_traffic.h does, with all that looks at the whole heap called at the
 * same time: that has to see a state in which nothing is wrong.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdlib.h>

#include "ksft.h"
#include "t_heap.h"
#include "t_traffic.h"
#include "t_way.h"

T_WAYS(traffic);

enum { STEPS = 2500, LOOKS = 24, LIVES = 30 };

static void finish(struct secm_heap *heap)
{
	ASSERT_STREQ(NULL, t_broken(heap));
	EXPECT_EQ(t_standing(), t_objects());
	t_clear();
	EXPECT_EQ(0, t_objects());
	EXPECT_EQ(0, secmalloc_verify());
	ASSERT_STREQ(NULL, t_broken(heap));
}

static void walk(void *arg, unsigned i)
{
	uint64_t random = *(uint64_t *)arg + i;
	int k;

	for (k = 0; k < STEPS; k++)
		t_step(&random);
}

static void walk_all(unsigned threads)
{
	uint64_t seed = ksft_random();

	t_at_once(threads, walk, &seed);
}

TEST_F(traffic, four_threads_free_each_others_objects)
{
	T_BEGIN_WAY(NULL);
	walk_all(4);
	finish(self->heap);
}

TEST_F(traffic, with_sampling)
{
	struct secmalloc_config c = { .sample = 20 };
	struct secmalloc_stats stats = { .size = sizeof(stats) };

	T_BEGIN_WAY(&c);
	T_ROOM(4 << 20);
	walk_all(4);
	ASSERT_EQ(0, secmalloc_stats(&stats));
	EXPECT_GT(stats.sampled, stats.allocations / 40);
	EXPECT_LT(stats.sampled, stats.allocations / 15);
	finish(self->heap);
}

TEST_F(traffic, with_small_caches_and_little_kept)
{
	struct secmalloc_config c = { .cache = 1, .retain = 1 };

	T_BEGIN_WAY(&c);
	walk_all(3);
	finish(self->heap);
}

TEST_F(traffic, with_long_quarantine_and_objects_that_always_move)
{
	struct secmalloc_config c = { .quarantine = 100,
				      .flags = SECMALLOC_ALWAYS_MOVE };

	T_BEGIN_WAY(&c);
	walk_all(3);
	finish(self->heap);
}

/* Half of the requests are refused; caches of others are emptied all the
 * time. */
TEST_F(traffic, with_a_low_bound)
{
	struct secmalloc_config c = { .max_bytes = 512 << 10 };

	T_BEGIN_WAY(&c);
	walk_all(4);
	EXPECT_LT(0, self->heap->refused);
	EXPECT_LE(secm_heap_mapped(self->heap), c.max_bytes);
	finish(self->heap);
}

static void stroll(void *arg, unsigned i)
{
	uint64_t random = *(uint64_t *)arg + i;
	int k;

	for (k = 0; k < STEPS / 20; k++)
		t_step(&random);
}

/* Threads that end with slots in their caches, and others that get these. */
TEST_F(traffic, of_threads_that_come_and_go)
{
	uint64_t seed = ksft_random();
	int i;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < LIVES; i++) {
		uint64_t random = seed + (uint64_t)i;

		t_at_once(1 + (unsigned)i % 4, stroll, &random);
	}
	finish(self->heap);
}

static void look_at_all(char *buffer, size_t size)
{
	struct secmalloc_stats stats = { .size = sizeof(stats) };
	struct secmalloc_report report = { .size = sizeof(report) };

	(void)secmalloc_verify();
	ASSERT_EQ(0, secmalloc_stats(&stats));
	ASSERT_LE(stats.objects, T_PLACES + T_DRIVERS);
	ASSERT_LE(stats.bytes, stats.mapped);
	(void)secmalloc_trim();
	ASSERT_LT(0, secmalloc_picture(buffer, size));
	ASSERT_LT(0, secmalloc_stats_json(buffer, size));
	ASSERT_EQ(0, secmalloc_report(&report));
	ASSERT_LE(report.objects, T_PLACES + T_DRIVERS);
}

/* A false alarm would end the process. */
TEST_F(traffic, may_be_looked_at_from_outside)
{
	pthread_t thread[T_DRIVERS];
	char *buffer = malloc(1 << 16);
	int i;

	T_BEGIN_WAY(NULL);
	ASSERT_NOT_NULL(buffer);
	t_drive(thread);
	for (i = 0; i < LOOKS; i++)
		look_at_all(buffer, 1 << 16);
	t_park(thread);
	free(buffer);
	finish(self->heap);
}

/* The lookers use the heap, too; two of them at a time. */
static void look_and_walk(void *arg, unsigned i)
{
	uint64_t random = *(uint64_t *)arg + i;
	char *buffer = malloc(1 << 16);
	int k, n;

	ASSERT_NOT_NULL(buffer);
	for (k = 0; k < LOOKS / 4; k++) {
		look_at_all(buffer, 1 << 16);
		for (n = 0; n < 50; n++)
			t_step(&random);
	}
	free(buffer);
}

TEST_F(traffic, may_be_looked_at_by_two_who_take_part)
{
	uint64_t seed = ksft_random();
	pthread_t thread[T_DRIVERS];

	T_BEGIN_WAY(NULL);
	t_drive(thread);
	t_at_once(2, look_and_walk, &seed);
	t_park(thread);
	finish(self->heap);
}
