/* SPDX-License-Identifier: MIT */
/*
 * test_fork_threads.c - forks while other threads allocate
 *
 * A child has one thread and a copy of every lock; one that another thread
 * held stays locked for ever there.  Each test ends within its time or is
 * killed: a hang is a failure.
 */
#include "t_api.h"

#include <pthread.h>
#include <stdlib.h>

#include "ksft.h"
#include "t_heap.h"

TA_TIERS(forking);

enum { THREADS = 3, FORKS = 40 };

static int stop; /* read and written by __atomic builtins only */

static int stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

/* All kinds of objects, all the time. */
static void *hammer(void *arg)
{
	size_t n = (size_t)(uintptr_t)arg + 1;
	char *p, *g;

	while (!stopped()) {
		n = n * 1103515245u + 12345u;
		p = secmalloc(n % 3000);
		g = secmalloc_guarded(n % 300);
		p = p ? secrealloc(p, n % 20000 + 1) : NULL;
		secfree(p);
		secfree(g);
	}
	return NULL;
}

static void start(pthread_t *thread)
{
	size_t i;

	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, hammer,
					    (void *)(uintptr_t)i));
}

static void finish(pthread_t *thread)
{
	int i;

	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	T_SOUND(&secm_default_heap);
}

static int use_heap(void)
{
	char *p = secmalloc(100), *q = secmalloc(10000);
	char *g = secmalloc_guarded(10);

	if (!p || !q || !g)
		return 1;
	memset(p, 1, 100);
	memset(q, 1, 10000);
	secfree(p);
	secfree(q);
	secfree(g);
	return 0;
}

/* In a child there is no other thread that could be at work, or be in the way
 * of a cache for this one. */
static int use_heap_alone(void)
{
	struct secmalloc_stats stats = { .size = sizeof(stats) };

	if (use_heap() != 0)
		return 1;
	if (secmalloc_stats(&stats) != 0 || stats.threads != SECM_ATOMICS)
		return 2;
	return t_broken(&secm_default_heap) ? 3 : 0;
}

TEST_F(forking, children_can_allocate)
{
	pthread_t thread[THREADS];
	pid_t pid;
	int i;

	start(thread);
	for (i = 0; i < FORKS; i++) {
		pid = fork();
		if (pid == 0)
			_exit(use_heap_alone());
		ASSERT_EQ(0, ta_status(pid));
	}
	finish(thread);
}

TEST_F(forking, children_of_children_can_allocate)
{
	pthread_t thread[THREADS];
	pid_t pid;
	int i;

	start(thread);
	for (i = 0; i < FORKS / 4; i++) {
		pid = fork();
		if (pid == 0) {
			pid = fork();
			if (pid == 0)
				_exit(use_heap_alone());
			_exit(ta_status(pid) ? 1 : use_heap_alone());
		}
		ASSERT_EQ(0, ta_status(pid));
	}
	finish(thread);
}

/* As prefork servers and language run-times do: threads fork, too. */
static void *forker(void *arg)
{
	int i, *bad = arg;
	pid_t pid;

	for (i = 0; i < FORKS / 4; i++) {
		pid = fork();
		if (pid == 0)
			_exit(use_heap_alone());
		*bad += ta_status(pid) != 0;
	}
	return NULL;
}

TEST_F(forking, two_threads_fork_at_once)
{
	int bad[2] = { 0, 0 }, i;
	pthread_t thread[THREADS], fork_thread[2];

	start(thread);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&fork_thread[i], NULL, forker,
					    &bad[i]));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_join(fork_thread[i], NULL));
	finish(thread);
	EXPECT_EQ(0, bad[0] + bad[1]);
}

/* Such a child gets an error, at once; its locks may be held for ever. */
static int use_without_handlers(void *inherited)
{
	errno = 0;
	if (secmalloc(10) || errno != EPERM)
		return 1;
	secfree(inherited);
	return secmalloc_owns(inherited);
}

/* Children in the middle of what threads do; use() says 0 in each. */
static void without_handlers(int (*use)(void *inherited))
{
	pthread_t thread[THREADS];
	char *p = secmalloc(10);
	pid_t pid;
	int i;

	KSFT_SANITIZER_SKIP("it does not know such children");
	ASSERT_NOT_NULL(p);
	if (strcmp(ta_report().backend, "linux") != 0)
		SKIP(return, "this backend cannot tell such children apart");
	start(thread);
	for (i = 0; i < FORKS * 3; i++) {
		pid = ta_raw_fork();
		if (pid == 0)
			_exit(use(p));
		ASSERT_EQ(0, ta_status(pid));
	}
	finish(thread);
}

TEST_F(forking, children_without_handlers_do_not_hang)
{
	without_handlers(use_without_handlers);
}

static int fork_without_handlers(void *inherited)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return ta_status(pid) ? 1 : use_without_handlers(inherited);
}

/* And when such a child forks by the book, the handlers must not wait. */
TEST_F(forking, children_without_handlers_can_fork)
{
	without_handlers(fork_without_handlers);
}

/* Handlers of the program that allocate, in each of the three places. */
static void *before, *after;

static void handler_prepare(void)
{
	secfree(before);
	before = secmalloc(200);
}

static void handler_after(void)
{
	secfree(after);
	after = secmalloc(300);
	secfree(before);
	before = NULL;
}

TEST_F(forking, other_fork_handlers_may_allocate)
{
	pthread_t thread[THREADS];
	pid_t pid;
	int i;

	ASSERT_EQ(0, pthread_atfork(handler_prepare, handler_after,
				    handler_after));
	start(thread);
	for (i = 0; i < FORKS / 2; i++) {
		pid = fork();
		if (pid == 0)
			_exit(after ? use_heap() : 1);
		ASSERT_EQ(0, ta_status(pid));
		ASSERT_NOT_NULL(after);
	}
	finish(thread);
}

/* The first use of all, in two threads, while a third forks. */
static void *first_use(void *arg)
{
	(void)arg;
	while (!stopped())
		;
	return use_heap() ? arg : NULL;
}

static int race_first_use(void)
{
	pthread_t thread[2];
	void *bad[2];
	pid_t pid;
	int i;

	for (i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, first_use, &bad) != 0)
			return 1;
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pid = fork();
	if (pid == 0)
		_exit(use_heap_alone());
	if (ta_status(pid) != 0)
		return 2;
	for (i = 0; i < 2; i++)
		if (pthread_join(thread[i], &bad[i]) != 0 || bad[i])
			return 3;
	return 0;
}

TEST(a_fork_during_the_first_use_does_not_hang)
{
	static const struct ta_tier any = { 0, 0, 0 };
	pid_t pid = fork();
	int i;

	if (pid == 0)
		_exit(ta_start(&any) == ENOTSUP);
	if (ta_status(pid) != 0)
		SKIP(return, "no memory that is good enough here");
	for (i = 0; i < 50; i++) {
		pid = fork();
		if (pid == 0)
			_exit(race_first_use());
		ASSERT_EQ(0, ta_status(pid));
	}
}
