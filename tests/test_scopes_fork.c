/* SPDX-License-Identifier: MIT */
/*
 * test_scopes_fork.c - access scopes, children and threads
 */
#include "t_api.h"

#include <pthread.h>
#include <sys/wait.h>

#include "die.h"
#include "ksft.h"
#include "t_util.h"

TA_TIERS(scope_fork);

enum { SIZE = 3000, THREADS = 4, ROUNDS = 300, OBJECTS = 12 };
enum { NO = SECM_NONE, RO = SECM_READ, RW = SECM_READWRITE };

static void set(unsigned char *p, uint64_t seed)
{
	ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READWRITE));
	t_fill(p, SIZE, seed);
	secmalloc_end(p, SECMALLOC_READWRITE);
}

/* 1 if it holds that, -1 if zeros. */
static int holds(const unsigned char *p, uint64_t seed)
{
	int r = 0;

	if (secmalloc_begin(p, SECMALLOC_READONLY) != 0)
		return -2;
	if (t_is_filled(p, SIZE, seed))
		r = 1;
	else if (ta_holds(p, SIZE, 0))
		r = -1;
	secmalloc_end(p, SECMALLOC_READONLY);
	return r;
}

/* The child works with its own, and the parent's scope is still open. */
static void fork_inside(const struct ta_tier *tier, unsigned policy, int want)
{
	secmalloc_heap *a = ta_scoped(tier, policy);
	unsigned char *p = secmalloc_heap_malloc(a, SIZE);
	unsigned char *q = secmalloc_heap_guarded(a, SIZE);

	ASSERT_TRUE(p && q);
	set(p, 1);
	set(q, 2);
	ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READWRITE));
	ASSERT_EQ(0, secmalloc_heap_begin(a, SECMALLOC_READONLY));
	T_IN_CHILD(EXPECT_EQ(NO, ta_access(p)); EXPECT_EQ(NO, ta_access(q));
		   EXPECT_EQ(want, holds(p, 1)); EXPECT_EQ(want, holds(q, 2));
		   EXPECT_EQ(NO, ta_access(p));
		   T_IN_CHILD(EXPECT_EQ(NO, ta_access(p));
			      EXPECT_EQ(want, holds(p, 1)););
		   secmalloc_end(p, SECMALLOC_READWRITE);
		   secmalloc_heap_end(a, SECMALLOC_READONLY);
		   EXPECT_EQ(want, holds(p, 1)); EXPECT_EQ(NO, ta_access(p));
		   secfree(p); p = secmalloc_heap_malloc(a, SIZE);
		   ASSERT_NOT_NULL(p); EXPECT_EQ(NO, ta_access(p)); set(p, 3);
		   EXPECT_EQ(1, holds(p, 3)); EXPECT_GT(secmalloc_verify(), 0));
	EXPECT_EQ(RW, ta_access(p));
	secmalloc_heap_end(a, SECMALLOC_READONLY);
	secmalloc_end(p, SECMALLOC_READWRITE);
	EXPECT_EQ(NO, ta_access(p));
	EXPECT_EQ(1, holds(p, 1));
	EXPECT_EQ(1, holds(q, 2));
	secmalloc_heap_destroy(a);
}

TEST_F(scope_fork, a_child_starts_without_access)
{
	fork_inside(&variant->tier, SECMALLOC_CHILD_ZEROS, -1);
}

TEST_F(scope_fork, a_child_with_a_copy_starts_without_access)
{
	fork_inside(&variant->tier, SECMALLOC_CHILD_COPY, 1);
}

TEST_F(scope_fork, a_child_ends_only_what_was_begun)
{
	secmalloc_heap *a = ta_scoped(&variant->tier, SECMALLOC_CHILD_COPY);
	unsigned char *p = secmalloc_heap_malloc(a, SIZE);

	ASSERT_NOT_NULL(p);
	ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READONLY));
	ASSERT_EQ(0, secmalloc_heap_begin(a, SECMALLOC_READWRITE));
	EXPECT_DEATH(SIGABRT, SECM_DIE_SCOPE, {
		secmalloc_end(p, SECMALLOC_READONLY);
		secmalloc_end(p, SECMALLOC_READONLY);
	});
	EXPECT_DEATH(SIGABRT, SECM_DIE_SCOPE, {
		secmalloc_heap_end(a, SECMALLOC_READWRITE);
		secmalloc_heap_end(a, SECMALLOC_READWRITE);
	});
}

/* Whatever the order: the parent's scope counts for nothing there. */
TEST_F(scope_fork, the_end_of_a_lost_scope_closes_no_other)
{
	secmalloc_heap *a = ta_scoped(&variant->tier, SECMALLOC_CHILD_ZEROS);
	unsigned char *p = secmalloc_heap_malloc(a, SIZE), *q;

	ASSERT_NOT_NULL(p);
	ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READWRITE));
	T_IN_CHILD(ASSERT_NOT_NULL(q = secmalloc_heap_guarded(a, SIZE));
		   ASSERT_EQ(0, secmalloc_begin(q, SECMALLOC_READWRITE));
		   secmalloc_end(p, SECMALLOC_READWRITE);
		   EXPECT_EQ(RW, ta_access(q));
		   secmalloc_end(q, SECMALLOC_READWRITE);
		   EXPECT_EQ(NO, ta_access(q)));
	secmalloc_end(p, SECMALLOC_READWRITE);
}

struct work {
	secmalloc_heap *heap;
	int number;
};

/* Objects of its own, and one heap for all threads. */
static void *work(void *arg)
{
	const struct work *w = arg;
	unsigned char *p[OBJECTS] = { NULL };
	int i;

	for (i = 0; i < ROUNDS; i++) {
		unsigned char **o = &p[i % OBJECTS];

		if (*o) {
			EXPECT_EQ(1, holds(*o, (uint64_t)(i - OBJECTS)));
			if (i % 5 == 0) {
				SECMALLOC_HEAP_SCOPE(s, w->heap,
						     SECMALLOC_READONLY);
				EXPECT_TRUE(s.begun &&
					    ta_access(*o) != SECM_NONE);
			}
			secfree(*o);
		}
		*o = i % 3 ? secmalloc_heap_malloc(w->heap, SIZE)
			   : secmalloc_heap_guarded(w->heap, SIZE);
		ASSERT_NOT_NULL(*o);
		set(*o, (uint64_t)i);
	}
	for (i = 0; i < OBJECTS; i++)
		secfree(p[i]);
	return NULL;
}

TEST_F(scope_fork, threads_share_a_heap)
{
	secmalloc_heap *a = ta_scoped(&variant->tier, SECMALLOC_CHILD_ZEROS);
	unsigned char *p = secmalloc_heap_malloc(a, SIZE);
	pthread_t thread[THREADS];
	struct work w[THREADS];
	int i;

	ASSERT_NOT_NULL(p);
	for (i = 0; i < THREADS; i++) {
		w[i] = (struct work){ a, i };
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, work, &w[i]));
	}
	for (i = 0; i < 5; i++)
		T_IN_CHILD(EXPECT_EQ(NO, ta_access(p)); set(p, 9);
			   EXPECT_EQ(1, holds(p, 9)));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	EXPECT_EQ(NO, ta_access(p));
	EXPECT_EQ(1, secmalloc_verify());
	secmalloc_heap_destroy(a);
}

static void *look(void *arg)
{
	return (void *)(uintptr_t)ta_access(arg);
}

/* By pages a scope holds for all threads, by key for its own. */
TEST_F(scope_fork, other_threads_have_what_the_report_says)
{
	secmalloc_heap *a = ta_scoped(&variant->tier, SECMALLOC_CHILD_ZEROS);
	struct secmalloc_report r = { .size = sizeof(r) };
	unsigned char *p = secmalloc_heap_malloc(a, SIZE);
	pthread_t thread;
	void *seen;

	ASSERT_NOT_NULL(p);
	ASSERT_EQ(0, secmalloc_heap_report(a, &r));
	if (r.access == SECMALLOC_BY_KEY)
		SKIP(return, "there are keys: test_scopes_keys");
	ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READONLY));
	ASSERT_EQ(0, pthread_create(&thread, NULL, look, p));
	ASSERT_EQ(0, pthread_join(thread, &seen));
	EXPECT_EQ(RO, (int)(uintptr_t)seen);
	secmalloc_end(p, SECMALLOC_READONLY);
}

TEST_F(scope_fork, shutdown_and_destroying_end_them)
{
	secmalloc_heap *a = ta_scoped(&variant->tier, SECMALLOC_CHILD_ZEROS);
	unsigned char *p = secmalloc_heap_malloc(a, SIZE), *q;

	ASSERT_NOT_NULL(p);
	ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READWRITE));
	ASSERT_EQ(0, secmalloc_heap_begin(a, SECMALLOC_READWRITE));
	secmalloc_heap_destroy(a);
	EXPECT_EQ(NO, ta_access(p));
	a = ta_scoped(&variant->tier, SECMALLOC_CHILD_ZEROS);
	ASSERT_NOT_NULL(q = secmalloc_heap_malloc(a, SIZE));
	EXPECT_EQ(NO, ta_access(q));
	ASSERT_EQ(0, secmalloc_begin(q, SECMALLOC_READWRITE));
	secmalloc_shutdown();
	EXPECT_EQ(NO, ta_access(q));
	EXPECT_EQ(-1, secmalloc_begin(q, SECMALLOC_READONLY));
}
