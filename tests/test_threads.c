/* SPDX-License-Identifier: MIT */
/*
 * test_threads.c - any thread may allocate, and any other may free
 *
 * Forks meanwhile are in test_fork_threads.c.
 */
#include "t_api.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "die.h"
#include "ksft.h"
#include "t_heap.h"

TA_TIERS(threads);

enum { THREADS = 8, ROUNDS = 4000, SLOTS = 64 };

/* Each object says in its first bytes how long it is, and holds one value. */
struct box {
	size_t size;
	unsigned char value;
};

static char *make(size_t n, int guarded)
{
	struct box box = { n % 6000 + sizeof(box), (unsigned char)n };
	char *p = guarded ? secmalloc_guarded(box.size) : secmalloc(box.size);

	if (!p)
		return NULL;
	if (!ta_holds(p, box.size, 0))
		abort();
	memset(p, box.value, box.size);
	memcpy(p, &box, sizeof(box));
	return p;
}

static void destroy(char *p)
{
	struct box box;

	if (!p)
		return;
	memcpy(&box, p, sizeof(box));
	if (secmalloc_usable_size(p) != box.size ||
	    !ta_holds(p + sizeof(box), box.size - sizeof(box), box.value))
		abort();
	secfree(p);
}

/* Where threads leave objects for each other. */
static char *shared[SLOTS];
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;

static char *swap(size_t i, char *p)
{
	char *old;

	pthread_mutex_lock(&shared_lock);
	old = shared[i];
	shared[i] = p;
	pthread_mutex_unlock(&shared_lock);
	return old;
}

static void *work(void *arg)
{
	uint32_t x = (uint32_t)(uintptr_t)arg + 1;
	char *own[SLOTS] = { NULL };
	int i;

	for (i = 0; i < ROUNDS; i++) {
		x = x * 1664525u + 1013904223u;
		if (x >> 31)
			destroy(swap(x >> 8 & (SLOTS - 1),
				     make(x >> 4, i % 32 == 0)));
		destroy(own[x >> 16 & (SLOTS - 1)]);
		own[x >> 16 & (SLOTS - 1)] = make(x >> 5, i % 32 == 1);
	}
	for (i = 0; i < SLOTS; i++)
		destroy(own[i]);
	return NULL;
}

TEST_F(threads, mix_own_and_foreign_objects)
{
	pthread_t thread[THREADS];
	size_t i;

	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, work,
					    (void *)(uintptr_t)(i * 7919)));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	for (i = 0; i < SLOTS; i++)
		destroy(shared[i]);
	EXPECT_EQ(0, ta_report().objects);
	EXPECT_EQ(0, ta_report().bytes);
	T_SOUND(&secm_default_heap);
}

static void *producer(void *arg)
{
	int i;

	for (i = 0; i < ROUNDS; i++)
		destroy(swap((size_t)i & (SLOTS - 1), make((size_t)i * 13, 0)));
	return arg;
}

static void *consumer(void *arg)
{
	int i;

	for (i = 0; i < ROUNDS; i++)
		destroy(swap((size_t)i & (SLOTS - 1), NULL));
	return arg;
}

TEST_F(threads, one_makes_and_one_frees)
{
	pthread_t thread[2];
	int i;

	ASSERT_EQ(0, pthread_create(&thread[0], NULL, producer, NULL));
	ASSERT_EQ(0, pthread_create(&thread[1], NULL, consumer, NULL));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	for (i = 0; i < SLOTS; i++)
		destroy(shared[i]);
	T_SOUND(&secm_default_heap);
}

static int go; /* read and written by __atomic builtins only */

/* Spins, so that both come at the same time. */
static void *free_it(void *p)
{
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		;
	secfree(p);
	return NULL;
}

static void free_in_two_threads(void *p)
{
	pthread_t thread[2];
	int i;

	for (i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, free_it, p) != 0)
			return;
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}

#define TWO_FREE(name, what)                                                 \
	TEST_F_DEATH(threads, two_free_one_##name, SIGABRT,                  \
		     SECM_DIE_DOUBLE_FREE)                                   \
	{                                                                    \
		void *p = ta_hide(what);                                     \
                                                                             \
		ASSERT_NOT_NULL(p);                                          \
		free_in_two_threads(p);                                      \
	}                                                                    \
	TEST_F_DEATH(threads, two_free_one_##name##_among_others, SIGABRT,   \
		     SECM_DIE_DOUBLE_FREE)                                   \
	{                                                                    \
		void *p = ta_hide(what), *other = ta_hide(what);             \
                                                                             \
		ASSERT_TRUE(p && other);                                     \
		free_in_two_threads(p);                                      \
	}

TWO_FREE(small_object, secmalloc(40))
TWO_FREE(large_object, secmalloc(100000))
TWO_FREE(guarded_object, secmalloc_guarded(40))

/* Everybody at once is the first. */
static void *first(void *arg)
{
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		;
	*(char **)arg = secmalloc(100);
	return NULL;
}

TEST(the_first_use_may_be_by_many_at_once)
{
	pthread_t thread[THREADS];
	char *p[THREADS];
	int i, k;

	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, first, &p[i]));
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	if (!p[0])
		SKIP(return, "no locked memory here");
	for (i = 0; i < THREADS; i++) {
		ASSERT_NOT_NULL(p[i]);
		for (k = 0; k < i; k++)
			EXPECT_NE(p[k], p[i]);
		memset(p[i], i, 100);
	}
	for (i = 0; i < THREADS; i++) {
		EXPECT_TRUE(ta_holds(p[i], 100, i));
		secfree(p[i]);
	}
	EXPECT_EQ(0, ta_report().objects);
	T_SOUND(&secm_default_heap);
}

/* Readers of one guarded object, 20 of them, while others open and close
 * theirs. */
static void *read_all(void *p)
{
	const volatile char *c = p;
	uintptr_t sum = 0;
	int i;

	for (i = 0; i < ROUNDS; i++)
		sum += (unsigned char)c[i % 100];
	return (void *)sum;
}

static void *open_and_close(void *arg)
{
	char *p = secmalloc_guarded(100);
	int i, bad = !p;

	for (i = 0; p && i < ROUNDS / 8; i++) {
		bad |= secmalloc_protect(p, SECMALLOC_NOACCESS);
		bad |= secmalloc_protect(p, SECMALLOC_READWRITE);
		p[i % 100] = (char)i;
	}
	secfree(p);
	return bad ? "" : arg;
}

TEST_F(threads, twenty_readers_and_owners_who_close_theirs)
{
	pthread_t thread[24];
	char *p = secmalloc_guarded(100);
	void *result;
	int i;

	ASSERT_NOT_NULL(p);
	memset(p, 1, 100);
	ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_READONLY));
	for (i = 0; i < 24; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL,
					    i < 20 ? read_all : open_and_close,
					    i < 20 ? p : NULL));
	for (i = 0; i < 24; i++) {
		ASSERT_EQ(0, pthread_join(thread[i], &result));
		EXPECT_EQ(i < 20 ? ROUNDS : 0, (uintptr_t)result);
	}
	secfree(p);
}
