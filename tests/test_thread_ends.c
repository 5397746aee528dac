/* SPDX-License-Identifier: MIT */
/*
 * test_thread_ends.c - thread.c: however a thread ends, it leaves nothing
 *
 * And what it does at its very end, when its cache is gone, works all the same.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "cache.h"
#include "ksft.h"
#include "meta.h"
#include "t_api.h"
#include "t_heap.h"
#include "t_way.h"

T_WAYS(ends);

enum { SHORT = 10000, FEWER = 500, KEYS = 5 };

/* Slots of small and large classes, all of which stay in the cache. */
static void use_heap(void)
{
	static const size_t sizes[] = { 1, 40, 500, 1000, 9000 };
	void *p[30];
	int i, k;

	for (k = 0; k < 5; k++) {
		for (i = 0; i < 30; i++)
			p[i] = secmalloc(sizes[k]);
		for (i = 0; i < 30; i++)
			secfree(p[i]);
	}
}

static size_t threads_ever(const struct secm_heap *heap)
{
	const struct secm_thread *t;
	size_t n = 0;

	for (t = heap->threads; t; t = t->next)
		n++;
	return n;
}

static size_t threads_now(void)
{
	struct secmalloc_stats s = { .size = sizeof(s) };

	EXPECT_EQ(0, secmalloc_stats(&s));
	return s.threads;
}

/* Without what this thread keeps there is nothing in any cache. */
static void want_nothing_left(struct secm_heap *heap)
{
	struct secmalloc_stats s = { .size = sizeof(s) };

	T_SOUND(heap);
	secm_caches_stop(heap);
	(void)secm_caches_drain(heap, SECM_CLASSES);
	secm_caches_resume(heap);
	ASSERT_EQ(0, secmalloc_stats(&s));
	EXPECT_EQ(0, s.objects);
	EXPECT_EQ(0, s.cached);
	EXPECT_EQ(0, s.slabs);
	EXPECT_LE(s.threads, 1);
}

/* The ways in which threads end. */
static sem_t ended;

static void tell(void *arg)
{
	(void)arg;
	(void)sem_post(&ended);
}

static void *returns(void *arg)
{
	use_heap();
	return arg;
}

static void *exits(void *arg)
{
	use_heap();
	pthread_exit(arg);
}

static void *waits(void *never)
{
	use_heap();
	pthread_cleanup_push(tell, NULL);
	(void)sem_post(&ended);
	for (;;)
		(void)sem_wait(never); /* a cancellation point */
	pthread_cleanup_pop(0);
	return NULL;
}

/* A handler that allocates when the thread is cancelled. */
static void free_late(void *p)
{
	secfree(p);
	use_heap();
}

static void *waits_with_object(void *never)
{
	char *p = secmalloc(100);

	pthread_cleanup_push(free_late, p);
	(void)sem_post(&ended);
	for (;;)
		(void)sem_wait(never);
	pthread_cleanup_pop(0);
	return NULL;
}

TEST_F(ends, by_return_and_by_pthread_exit)
{
	pthread_t thread;
	int i;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL,
					    i % 2 ? returns : exits, NULL));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_LE(threads_now(), 1);
	}
	EXPECT_LE(threads_ever(self->heap), 2);
	want_nothing_left(self->heap);
}

TEST_F(ends, by_cancellation)
{
	pthread_t thread;
	sem_t never;
	int i;

	T_BEGIN_WAY(NULL);
	ASSERT_EQ(0, sem_init(&never, 0, 0));
	ASSERT_EQ(0, sem_init(&ended, 0, 0));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL,
					    i % 2 ? waits : waits_with_object,
					    &never));
		while (sem_wait(&ended) != 0)
			;
		ASSERT_EQ(0, pthread_cancel(thread));
		ASSERT_EQ(0, pthread_join(thread, NULL));
	}
	EXPECT_LE(threads_ever(self->heap), 2);
	want_nothing_left(self->heap);
}

/* As long as it takes on a busy machine: the harness ends the test. */
static void wait_for(size_t threads)
{
	while (threads_now() > threads)
		secm_os_yield();
}

TEST_F(ends, detached)
{
	pthread_attr_t attr;
	pthread_t thread;
	int i;

	T_BEGIN_WAY(NULL);
	ASSERT_EQ(0, pthread_attr_init(&attr));
	ASSERT_EQ(0, pthread_attr_setdetachstate(&attr,
						 PTHREAD_CREATE_DETACHED));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, pthread_create(&thread, &attr, returns, NULL));
	/* There may be one that has not even begun: then it has no cache. */
	while (threads_ever(self->heap) < 2 && variant->way != T_SLOW &&
	       SECM_ATOMICS)
		secm_os_yield();
	wait_for(1);
}

/* The first thread may end before the others do. */
static void *outlive(void *arg)
{
	if (pthread_join(*(pthread_t *)arg, NULL) != 0)
		_exit(2);
	use_heap();
	_exit(secmalloc_verify() == 1 ? 0 : 3);
}

TEST_F(ends, the_first_before_the_others)
{
	static pthread_t first;
	pthread_t thread;

	T_BEGIN_WAY(NULL);
	if (t_fork()) {
		first = pthread_self();
		use_heap();
		if (!secmalloc(10) ||
		    pthread_create(&thread, NULL, outlive, &first) != 0)
			_exit(1);
		pthread_exit(NULL);
	}
	EXPECT_EQ(0, t_last_child);
}

/* Other destructors, before and after ours, round after round. */
static pthread_key_t key[KEYS];
static int rounds_left = 3; /* of one thread at a time */

static void destroy(void *p)
{
	int i;

	secfree(p);
	use_heap();
	for (i = 0; i < KEYS && rounds_left > 0; i++)
		if (!pthread_getspecific(key[i])) {
			rounds_left--;
			(void)pthread_setspecific(key[i], secmalloc(70));
		}
}

static void *with_values(void *arg)
{
	int i;

	for (i = 0; i < KEYS; i++)
		(void)pthread_setspecific(key[i],
					  i % 2 ? secmalloc(50) :
						  secmalloc_guarded(50));
	rounds_left = 3;
	use_heap();
	return arg;
}

TEST_F(ends, other_destructors_may_free_and_allocate)
{
	pthread_t thread;
	int i;

	for (i = 0; i < KEYS - 2; i++)
		ASSERT_EQ(0, pthread_key_create(&key[i], destroy));
	T_BEGIN_WAY(NULL); /* our key is between them */
	for (; i < KEYS; i++)
		ASSERT_EQ(0, pthread_key_create(&key[i], destroy));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, with_values, NULL));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(0, t_objects());
		EXPECT_LE(threads_now(), 1);
	}
	EXPECT_LE(threads_ever(self->heap), 2);
	want_nothing_left(self->heap);
}

static void *user(void *arg)
{
	secfree(secmalloc(40));
	secfree(secmalloc(4000));
	return arg;
}

TEST_F(ends, ten_thousand_threads_leave_no_trace)
{
	int i, n = variant->way == T_QUICK && variant->tier.flags ? SHORT :
								    FEWER;
	size_t mapped = 0;
	char *meta = NULL;
	pthread_t thread;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, user, NULL));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		if (i != 10)
			continue;
		mapped = secm_heap_mapped(self->heap);
		meta = secm_meta_alloc(16);
	}
	EXPECT_EQ(meta + 16, (char *)secm_meta_alloc(16));
	EXPECT_EQ(mapped, secm_heap_mapped(self->heap));
	EXPECT_LE(threads_ever(self->heap), 2);
	want_nothing_left(self->heap);
}

/* A start that failed leaves threads without a cache, not without memory. */
TEST(threads_may_begin_before_the_allocator_can)
{
	static const struct t_tier good = { SECM_HIDDEN | SECM_LOCKED, 0,
					    SECMALLOC_BEST_EFFORT };
	static const struct t_tier bad = { SECM_HIDDEN, SECMALLOC_HIDDEN, 0 };
	pthread_t thread;
	int i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(ENOTSUP, t_begin(&bad, NULL));
		secfree(NULL);
		EXPECT_EQ(0, threads_now());
	}
	ASSERT_EQ(0, t_begin(&good, NULL));
	ASSERT_EQ(0, pthread_create(&thread, NULL, returns, NULL));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	use_heap();
	want_nothing_left(&secm_default_heap);
}

static void *exit_alone(void *arg)
{
	(void)arg;
	pthread_exit(NULL);
}

/* A child without fork handlers may end its only thread that way: our
 * destructor must not wait for a lock that nobody releases. */
TEST_F(ends, in_a_child_without_fork_handlers)
{
	pid_t pid;

	KSFT_SANITIZER_SKIP("it does not know such children");
	T_BEGIN_WAY(NULL);
	if (strcmp(secm_os.name, "linux") != 0)
		SKIP(return, "this backend cannot tell such children apart");
	use_heap();
	secm_lock(&secm_heap_lock);
	pid = ta_raw_fork();
	if (pid == 0)
		(void)exit_alone(NULL);
	secm_unlock(&secm_heap_lock);
	EXPECT_EQ(0, ta_status(pid));
	want_nothing_left(self->heap);
}
