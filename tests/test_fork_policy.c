/* SPDX-License-Identifier: MIT */
/*
 * test_fork_policy.c - what a child gets of a heap: zeros, nothing, a copy
 */
#include "t_api.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "die.h"
#include "ksft.h"
#include "t_util.h"

TA_TIERS(child);

enum { N = 120 };

static size_t size_of(int i)
{
	return (size_t)i * 177 + 1;
}

/* Small, large and guarded ones; two of three. */
static void fill_heap(secmalloc_heap *heap, unsigned char *p[N], uint64_t seed)
{
	int i;

	for (i = 0; i < N; i++) {
		p[i] = i % 4 ? secmalloc_heap_malloc(heap, size_of(i))
			     : secmalloc_heap_guarded(heap, size_of(i));
		ASSERT_NOT_NULL(p[i]);
		t_fill(p[i], size_of(i), seed + (uint64_t)i);
	}
	for (i = 0; i < N; i += 3) {
		secfree(p[i]);
		p[i] = NULL;
	}
}

static void check_heap(unsigned char *p[N], uint64_t seed)
{
	int i;

	for (i = 0; i < N; i++)
		if (p[i])
			ASSERT_TRUE(t_is_filled(p[i], size_of(i),
						seed + (uint64_t)i))
			{
				TH_LOG("object %d", i);
			}
}

static void free_heap(unsigned char *p[N])
{
	int i;

	for (i = 0; i < N; i++)
		secfree(p[i]);
}

static size_t objects_in(secmalloc_heap *heap)
{
	struct secmalloc_stats s = { .size = sizeof(s) };

	EXPECT_EQ(0, secmalloc_heap_stats(heap, &s));
	return s.objects;
}

/* As protected as in the parent, by what the kernel says. */
static void check_protection(const void *p, const struct ta_tier *tier)
{
	struct secmalloc_object o = { .size = sizeof(o) };

	ASSERT_EQ(0, secmalloc_report_object(p, &o));
	EXPECT_EQ(0, o.dead);
	if (o.verified)
		EXPECT_EQ(o.protections, o.confirmed);
	if (tier->need & SECMALLOC_HIDDEN)
		EXPECT_EQ(SECMALLOC_TIER_SECRET, o.tier);
}

TEST_F(child, of_a_copied_heap_has_all_objects)
{
	secmalloc_heap *a = ta_heap(&variant->tier, SECMALLOC_CHILD_COPY);
	unsigned char *p[N], *q[N];
	int i;

	fill_heap(a, p, 1);
	T_IN_CHILD(check_heap(p, 1); EXPECT_EQ(N - N / 3, objects_in(a));
		   for (i = 0; i < N; i++) if (p[i])
			   check_protection(p[i], &variant->tier);
		   EXPECT_GT(secmalloc_verify(), N / 2); fill_heap(a, q, 1000);
		   check_heap(p, 1); check_heap(q, 1000); free_heap(p);
		   check_heap(q, 1000); free_heap(q);
		   EXPECT_EQ(0, objects_in(a)); secmalloc_heap_destroy(a););
	check_heap(p, 1);
	free_heap(p);
	EXPECT_EQ(0, objects_in(a));
}

/* Writes of the one are not seen by the other. */
TEST_F(child, of_a_copied_heap_has_its_own)
{
	secmalloc_heap *a = ta_heap(&variant->tier, SECMALLOC_CHILD_COPY);
	unsigned char *p = secmalloc_heap_malloc(a, 100);
	int to_child[2], to_parent[2], status;
	char byte = 0;
	pid_t pid;

	ASSERT_NOT_NULL(p);
	memset(p, 1, 100);
	ASSERT_EQ(0, pipe(to_child));
	ASSERT_EQ(0, pipe(to_parent));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (pid == 0) {
		int ok = ta_holds(p, 100, 1);

		memset(p, 2, 100);
		if (write(to_parent[1], &byte, 1) != 1 ||
		    read(to_child[0], &byte, 1) != 1)
			_exit(2);
		_exit(ok && ta_holds(p, 100, 2) ? 0 : 1);
	}
	ASSERT_EQ(1, read(to_parent[0], &byte, 1));
	EXPECT_EQ(1, ta_holds(p, 100, 1));
	memset(p, 3, 100);
	ASSERT_EQ(1, write(to_child[1], &byte, 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(1, ta_holds(p, 100, 3));
}

TEST_F(child, of_a_child_has_them_too)
{
	secmalloc_heap *a = ta_heap(&variant->tier, SECMALLOC_CHILD_COPY);
	unsigned char *p[N];

	fill_heap(a, p, 5);
	T_IN_CHILD(T_IN_CHILD(T_IN_CHILD(check_heap(p, 5); free_heap(p););
			      check_heap(p, 5); free_heap(p););
		   check_heap(p, 5););
	check_heap(p, 5);
}

TEST_F(child, of_the_default_heap_may_have_a_copy)
{
	struct secmalloc_config c = { .need = variant->tier.need,
				      .flags = variant->tier.flags,
				      .child = SECMALLOC_CHILD_COPY };
	unsigned char *p[N], *q[N];

	secmalloc_shutdown();
	ASSERT_EQ(0, secmalloc_init(&c));
	fill_heap(NULL, p, 9);
	T_IN_CHILD(check_heap(p, 9); fill_heap(NULL, q, 99); free_heap(p);
		   check_heap(q, 99); free_heap(q);
		   EXPECT_EQ(0, objects_in(NULL)););
	check_heap(p, 9);
	free_heap(p);
}

TEST_F(child, guarded_ones_stay_closed)
{
	secmalloc_heap *a = ta_heap(&variant->tier, SECMALLOC_CHILD_COPY);
	unsigned char *p = secmalloc_heap_guarded(a, 100);

	ASSERT_NOT_NULL(p);
	memset(p, 7, 100);
	ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_NOACCESS));
	T_IN_CHILD(EXPECT_EQ(SECM_NONE, ta_access(p));
		   ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_READONLY));
		   EXPECT_EQ(1, ta_holds(p, 100, 7)););
	EXPECT_EQ(SECM_NONE, ta_access(p));
}

TEST_F(child, of_a_denied_heap_cannot_touch_objects)
{
	secmalloc_heap *a = ta_heap(&variant->tier, SECMALLOC_CHILD_NOTHING);
	unsigned char *p[N];
	int i;

	fill_heap(a, p, 3);
	T_IN_CHILD(for (i = 0; i < N; i++) if (p[i]) {
		EXPECT_EQ(SECM_NONE, ta_access(p[i]));
		secfree(p[i]);
	} fill_heap(a, p, 4);
		   check_heap(p, 4););
	check_heap(p, 3);
}

/* The control, and the default. */
TEST_F(child, of_an_ordinary_heap_reads_zeros)
{
	secmalloc_heap *a = ta_heap(&variant->tier, SECMALLOC_CHILD_ZEROS);
	unsigned char *p[N];
	int i;

	fill_heap(a, p, 3);
	T_IN_CHILD(for (i = 0; i < N; i++) if (p[i])
			   ASSERT_EQ(1, ta_holds(p[i], size_of(i), 0)););
	check_heap(p, 3);
}

/* Nothing of a copy is left in the parent, nor does it grow. */
TEST_F(child, copies_leave_nothing_behind)
{
	secmalloc_heap *a = ta_heap(&variant->tier, SECMALLOC_CHILD_COPY);
	struct secmalloc_report r = { .size = sizeof(r) }, later = r;
	unsigned char *p[N];
	int i, maps = 0, descriptors = 0;

	fill_heap(a, p, 3);
	ASSERT_EQ(0, secmalloc_heap_report(a, &r));
	for (i = 0; i < 12; i++) {
		T_IN_CHILD(check_heap(p, 3););
		if (i == 2) {
			maps = ta_vmas(NULL, NULL);
			descriptors = ta_descriptors();
		}
	}
	EXPECT_EQ(maps, ta_vmas(NULL, NULL));
	EXPECT_EQ(descriptors, ta_descriptors());
	ASSERT_EQ(0, secmalloc_heap_report(a, &later));
	for (i = 0; i < SECMALLOC_TIERS; i++)
		EXPECT_EQ(r.tier[i].mapped, later.tier[i].mapped);
	EXPECT_EQ(0, later.degraded);
}

/* A copy that its budget has no room for: zeros, and it is counted. */
TEST_F(child, without_room_for_a_copy_gets_zeros)
{
	struct secmalloc_config c = { .need = variant->tier.need,
				      .flags = variant->tier.flags,
				      .max_bytes = 1 << 19,
				      .child = SECMALLOC_CHILD_COPY };
	struct secmalloc_report r = { .size = sizeof(r) };
	secmalloc_heap *a = secmalloc_heap_create(&c);
	unsigned char *p;

	ASSERT_NOT_NULL(a);
	p = secmalloc_heap_malloc(a, 300000);
	ASSERT_NOT_NULL(p);
	memset(p, 1, 300000);
	T_IN_CHILD(EXPECT_EQ(1, ta_holds(p, 300000, 0)); secfree(p););
	ASSERT_EQ(0, secmalloc_heap_report(a, &r));
	EXPECT_EQ(1, r.degraded);
	EXPECT_EQ(1, ta_holds(p, 300000, 1));
}

TEST_F(child, checks_its_copy_as_its_parent_does)
{
	secmalloc_heap *a = ta_heap(&variant->tier, SECMALLOC_CHILD_COPY);
	unsigned char *p = ta_hide(secmalloc_heap_malloc(a, 40));

	ASSERT_NOT_NULL(p);
	EXPECT_DEATH(SIGABRT, SECM_DIE_OVERFLOW, {
		p[40]++;
		secfree(p);
	});
	EXPECT_DEATH(SIGABRT, SECM_DIE_DOUBLE_FREE, {
		secfree(p);
		secfree(p);
	});
}

static secmalloc_heap *window_heap;
static unsigned char *window[3];

/* Runs after the library's own: it registered before. */
static void allocate_in_the_window(void)
{
	if (!window_heap)
		return;
	secfree(window[0]);
	window[0] = NULL;
	window[1] = secmalloc_heap_malloc(window_heap, 5000);
	window[2] = secmalloc_heap_guarded(window_heap, 50);
	t_fill(window[1], 5000, 1);
	t_fill(window[2], 50, 2);
	(void)secmalloc_trim();
}

/* In the parent, where the child may be looking at its copy already. */
static void allocate_after_the_fork(void)
{
	if (window_heap)
		secfree(secmalloc_heap_malloc(window_heap, 100));
}

/* Before the library's constructor, which has no priority. */
__attribute__((__constructor__(101))) static void register_early(void)
{
	(void)pthread_atfork(allocate_in_the_window, allocate_after_the_fork,
			     NULL);
}

TEST_F(child, of_handlers_that_change_the_heap_has_what_they_made)
{
	secmalloc_heap *a = ta_heap(&variant->tier, SECMALLOC_CHILD_COPY);
	unsigned char *p[N];

	fill_heap(a, p, 6);
	window_heap = a;
	window[0] = secmalloc_heap_malloc(a, 3000);
	T_IN_CHILD(window_heap = NULL; check_heap(p, 6);
		   EXPECT_TRUE(t_is_filled(window[1], 5000, 1));
		   EXPECT_TRUE(t_is_filled(window[2], 50, 2));
		   secfree(window[1]); secfree(window[2]); free_heap(p););
	window_heap = NULL;
	check_heap(p, 6);
	free_heap(p);
	secfree(window[1]);
	secfree(window[2]);
	EXPECT_EQ(0, objects_in(a));
}

static int stop;

static void *churn(void *arg)
{
	unsigned char *p[N];
	uint64_t seed = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		fill_heap(arg, p, ++seed);
		check_heap(p, seed);
		free_heap(p);
	}
	return NULL;
}

TEST_F(child, of_threads_at_work)
{
	secmalloc_heap *a = ta_heap(&variant->tier, SECMALLOC_CHILD_COPY);
	unsigned char *p[N];
	pthread_t thread[2];
	int i;

	fill_heap(a, p, 77);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, churn,
					    i ? a : NULL));
	for (i = 0; i < 15; i++)
		T_IN_CHILD(check_heap(p, 77); free_heap(p); fill_heap(a, p, 78);
			   check_heap(p, 78);
			   EXPECT_GT(secmalloc_verify(), 0););
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	check_heap(p, 77);
}
