/* SPDX-License-Identifier: MIT */
/*
 * test_thread_starts.c - thread.c: while the C library is told of a cache
 *
 * It keeps a value for each thread, and may have to allocate for that: here its
 * calloc() is ours, and what happens inside is up to each test.  No lock is
 * held then.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <pthread.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "cache.h"
#include "ksft.h"
#include "t_heap.h"
#include "t_way.h"
#include "wipe.h"

T_WAYS(starts);

/* What calloc() does besides, once, in a thread that waits for it; there is
 * but one at a time. */
static void (*inside)(void);
static int calls, watched;
static pthread_t watcher; /* valid while watched */

static void watch(void)
{
	watcher = pthread_self();
	watched = 1;
}

SECM_API void *calloc(size_t count, size_t size)
{
	void (*now)(void) = NULL;
	void *p;

	if (watched && pthread_equal(watcher, pthread_self()))
		now = inside;
	if (now) {
		watched = 0;
		calls++;
		now();
		if (!inside)
			return NULL; /* it is to fail */
	}
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	p = malloc(count * size);
	if (p)
		secm_wipe(p, count * size); /* not memset: that makes a calloc() */
	return p;
}

static void begin(void *arg)
{
	static const size_t sizes[] = { 40, 3000 };
	char *p[2];
	int i;

	watch();
	for (i = 0; i < 2; i++) {
		p[i] = secmalloc(sizes[i]);
		ASSERT_NOT_NULL(p[i]);
		t_fill(p[i], sizes[i], 1);
	}
	watched = 0;
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(t_is_filled(p[i], sizes[i], 1));
		secfree(p[i]);
	}
	*(struct secm_cache **)arg = secm_cache_self();
}

/* A thread with that inside; what cache it had when it ended. */
static struct secm_cache *begin_with(void (*what)(void))
{
	struct secm_cache *cache = NULL;

	inside = what;
	t_in_thread(begin, &cache);
	inside = NULL;
	return cache;
}

static void nothing(void)
{
}

/* Values of the first keys are kept where there is room for each thread. */
#define BEGIN_LATE()                                                       \
	do {                                                               \
		pthread_key_t key_;                                        \
		int i_;                                                    \
                                                                           \
		KSFT_SANITIZER_SKIP("it has a calloc() of its own");       \
		for (i_ = 0; i_ < 40; i_++)                                \
			ASSERT_EQ(0, pthread_key_create(&key_, NULL));     \
		T_BEGIN_WAY(NULL);                                         \
		if (variant->way == T_SLOW || !SECM_ATOMICS)               \
			return; /* threads have no caches */               \
		EXPECT_NE(&secm_no_cache, begin_with(nothing));            \
		if (!calls)                                                \
			SKIP(return, "this C library does not allocate");  \
	} while (0)

/* As a program would whose calloc() is made of secmalloc(). */
static void use_heap(void)
{
	void *p = secmalloc(40), *q = secmalloc(5000);

	ASSERT_TRUE(p && q);
	EXPECT_EQ(SECM_CLOSED, secm_cache_self()->open);
	secfree(p);
	t_free_in_thread(q);
	EXPECT_LT(0, secmalloc_trim() + 1);
	EXPECT_EQ(0, secmalloc_set_thread_oom_handler(NULL, NULL) ? 0 : 1);
}

TEST_F(starts, may_allocate_and_look_meanwhile)
{
	BEGIN_LATE();
	EXPECT_NE(&secm_no_cache, begin_with(use_heap));
	EXPECT_EQ(2, calls);
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

/* Another thread begins in between, and has a cache at once. */
static void begin_another(void)
{
	struct secm_cache *cache = begin_with(nothing);

	inside = nothing; /* not to fail */
	EXPECT_NE(&secm_no_cache, cache);
	EXPECT_NE(&secm_ended_cache, cache);
}

TEST_F(starts, another_may_start_meanwhile)
{
	BEGIN_LATE();
	EXPECT_NE(&secm_no_cache, begin_with(begin_another));
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

/* The child of another thread, then: its threads have caches. */
static void in_child(void *arg)
{
	(void)arg;
	T_IN_CHILD({
		struct secm_cache *cache = begin_with(nothing);

		EXPECT_NE(&secm_no_cache, cache);
		EXPECT_NE(&secm_ended_cache, cache);
		secfree(secmalloc(10));
		EXPECT_NE(&secm_no_cache, secm_cache_self());
		EXPECT_EQ(0, secmalloc_set_thread_oom_handler(NULL, NULL));
		T_SOUND(&secm_default_heap);
	});
}

static void fork_another(void)
{
	inside = nothing;
	t_in_thread(in_child, NULL);
}

TEST_F(starts, another_may_fork_meanwhile)
{
	BEGIN_LATE();
	EXPECT_NE(&secm_no_cache, begin_with(fork_another));
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

/* And that of the thread itself: it goes on where it was. */
static pid_t child;

static void fork_here(void)
{
	child = fork();
}

TEST_F(starts, it_may_fork_itself_meanwhile)
{
	struct secm_cache *cache;

	BEGIN_LATE();
	cache = NULL;
	inside = fork_here;
	watch();
	if (t_fork()) {
		/* Only this thread is here: it begins, and forks inside. */
		t_in_thread(begin, &cache);
		EXPECT_NE(&secm_no_cache, cache);
		EXPECT_EQ(0, t_objects());
		T_SOUND(self->heap);
		if (child > 0) {
			int status;

			ASSERT_EQ(child, waitpid(child, &status, 0));
			EXPECT_EQ(0, status);
		}
		_exit(0);
	}
	watched = 0;
	EXPECT_EQ(0, t_last_child);
}

/* The allocator is shut down and begins anew in between. */
static struct t_tier tier;
static enum t_way way;

static void restart(void)
{
	secmalloc_shutdown();
	ASSERT_EQ(0, t_begin_way(&tier, way, NULL));
}

static void begin_anyhow(void *arg)
{
	char *p;

	watch();
	p = secmalloc(40);
	watched = 0;
	secfree(p); /* of before */
	p = secmalloc(40);
	ASSERT_NOT_NULL(p);
	secfree(p);
	*(struct secm_cache **)arg = secm_cache_self();
}

TEST_F(starts, a_shutdown_meanwhile_does_no_harm)
{
	struct secm_cache *cache = NULL;

	BEGIN_LATE();
	tier = variant->tier;
	way = variant->way;
	inside = restart;
	t_in_thread(begin_anyhow, &cache);
	inside = NULL;
	EXPECT_NE(&secm_no_cache, cache);
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

/* Where the C library has no memory a thread goes without a cache. */
static void fail(void)
{
	inside = NULL;
}

TEST_F(starts, a_thread_that_cannot_be_told_of_has_no_cache)
{
	struct secm_cache *cache;

	BEGIN_LATE();
	cache = begin_with(fail);
	/* Without variables of threads it is the C library that keeps this, too,
	 * and it had memory again when it was asked to. */
	EXPECT_EQ(&secm_ended_cache, cache);
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
	EXPECT_NE(&secm_no_cache, begin_with(nothing));
	T_SOUND(self->heap);
}
