/* SPDX-License-Identifier: MIT */
/*
 * test_cold_threads.c - cold secrets of many threads, keys that change and
 * processes that fork meanwhile
 */
#include "t_cold.h"

#include <pthread.h>

TA_TIERS(cold_threads);

enum { THREADS = 4, ROUNDS = 300, SHARED = 5, FORKS = 20, KEYS = 30 };

static secmalloc_cold *shared[SHARED];
static int stop;

static size_t size_of(unsigned i)
{
	return (size_t)(i * 37) % 700;
}

/* Own ones through all that there is, and the shared ones. */
static void *work(void *arg)
{
	unsigned id = *(unsigned *)arg, i;
	secmalloc_cold *own;
	unsigned char *p;

	for (i = 0; i < ROUNDS; i++) {
		EXPECT_TRUE(tc_holds(shared[i % SHARED], size_of(i % SHARED),
				     i % SHARED));
		ASSERT_NOT_NULL(own = tc_freeze(size_of(i), id + i));
		EXPECT_TRUE(tc_holds(own, size_of(i), id + i));
		ASSERT_NOT_NULL(p = secmalloc(size_of(i) + 9));
		t_fill(p, size_of(i) + 9, i);
		ASSERT_EQ(0, secmalloc_cold_replace(own, p, size_of(i) + 9));
		secfree(p);
		EXPECT_TRUE(tc_holds(own, size_of(i) + 9, i));
		if (i % 2) {
			secmalloc_cold_free(own);
			continue;
		}
		ASSERT_NOT_NULL(p = secmalloc_cold_thaw(own));
		EXPECT_TRUE(t_is_filled(p, size_of(i) + 9, i));
		secfree(p);
	}
	return NULL;
}

static void *change_keys(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < KEYS || !secm_load(&stop); i++)
		EXPECT_EQ(0, secmalloc_cold_rekey());
	return NULL;
}

/* The child finds the lock free, whoever had it, and its own state sound. */
static void in_child(void)
{
	secmalloc_cold *own;

	EXPECT_NULL(secmalloc_cold_open(shared[0]));
	EXPECT_EQ(EPERM, errno);
	ASSERT_NOT_NULL(own = tc_freeze(100, 1));
	EXPECT_TRUE(tc_holds(own, 100, 1));
	EXPECT_EQ(0, secmalloc_cold_rekey());
	EXPECT_TRUE(tc_holds(own, 100, 1));
}

static void run(int forks)
{
	pthread_t thread[THREADS], keys;
	unsigned id[THREADS], i;

	for (i = 0; i < SHARED; i++)
		ASSERT_NOT_NULL(shared[i] = tc_freeze(size_of(i), i));
	ASSERT_EQ(0, pthread_create(&keys, NULL, change_keys, NULL));
	for (i = 0; i < THREADS; i++) {
		id[i] = i * 1000;
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, work, &id[i]));
	}
	while (forks-- > 0)
		T_IN_CHILD(in_child());
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	secm_store(&stop, 1);
	ASSERT_EQ(0, pthread_join(keys, NULL));
	EXPECT_EQ(SHARED, tc_report().secrets);
	EXPECT_EQ(0, tc_report().open);
	EXPECT_LE(KEYS, tc_report().rekeys);
	for (i = 0; i < SHARED; i++)
		EXPECT_TRUE(tc_holds(shared[i], size_of(i), i));
}

TEST_F(cold_threads, threads_and_changing_keys_do_not_meet)
{
	ASSERT_EQ(0, tc_init(&variant->tier, 0));
	run(0);
}

TEST_F(cold_threads, nor_do_children_made_meanwhile)
{
	KSFT_SANITIZER_SKIP("other threads' stacks stay marked in children");
	ASSERT_EQ(0, tc_init(&variant->tier, 0));
	run(FORKS);
}

static void *first(void *arg)
{
	unsigned id = *(unsigned *)arg;
	secmalloc_cold *own = tc_freeze(100, id);

	ASSERT_NOT_NULL(own);
	EXPECT_TRUE(tc_holds(own, 100, id));
	return NULL;
}

/* All at once are the first. */
TEST(the_first_use_may_be_that_of_many)
{
	pthread_t thread[THREADS];
	unsigned id[THREADS], i;

	if (ta_begin(&(struct ta_tier)TA_TIER_LOCKED))
		SKIP(return, "no locked memory here");
	for (i = 0; i < THREADS; i++) {
		id[i] = i;
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, first, &id[i]));
	}
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	EXPECT_EQ(THREADS, tc_report().secrets);
	EXPECT_EQ(0, tc_report().lost);
	EXPECT_EQ(1, secm_cold.era);
}

/* A handler of others, between ours and the kernel's fork, finds it open. */
static void handler(void)
{
	EXPECT_TRUE(tc_holds(shared[0], 100, 1));
}

TEST_F(cold_threads, handlers_around_fork_may_use_it)
{
	ASSERT_EQ(0, pthread_atfork(handler, handler, NULL));
	ASSERT_EQ(0, tc_init(&variant->tier, 0));
	ASSERT_NOT_NULL(shared[0] = tc_freeze(100, 1));
	T_IN_CHILD(EXPECT_NULL(secmalloc_cold_open(shared[0]));
		   EXPECT_EQ(EPERM, errno));
}
