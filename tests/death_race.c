/* SPDX-License-Identifier: MIT */
/*
 * death_race.c - two threads free one object at the same instant
 *
 * Both may be taken for the first.  Then the process ends when the slot leaves
 * one of the two places where it is, at the latest with the threads.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <pthread.h>
#include <signal.h>

#include "cache.h"
#include "die.h"
#include "ksft.h"
#include "t_heap.h"
#include "t_way.h"

T_WAYS(race_dies);

#define DIES(line, ...) EXPECT_DEATH(SIGABRT, line, __VA_ARGS__)

/* Slots that are wiped in line, and others. */
static const size_t sizes[] = { 0, 40, 520, 521, 3000, 16392 };
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]), RACES = 24 };

/* Two and more threads free one object as much at once as can be had. */
static void free_one(void *p, unsigned i)
{
	(void)i;
	secfree(p);
}

static void race(unsigned threads, size_t size, int own)
{
	char *p = own ? t_with_company(size) : t_foreign(size);

	(void)t_with_company(size);
	t_at_once(threads, free_one, p);
	t_hand_out_all(size);
}

TEST_F(race_dies, of_frees_at_the_same_instant)
{
	int i;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 0; i < RACES; i++)
		DIES(SECM_DIE_DOUBLE_FREE,
		     race(i % 3 ? 2 : 3, sizes[(size_t)i % SIZES], i % 2));
}

/* Here one of the two has made the object, which is the one that needs no
 * atomic instruction to free it. */
struct duel {
	size_t size;
	char *p;
	int made; /* by __atomic builtins only */
	int delay;
};

static void fight(void *arg, unsigned i)
{
	struct duel *d = arg;
	volatile int spin;

	if (i == 0) {
		secfree(t_get(1)); /* now it has a cache, and a tag */
		d->p = t_get(d->size);
		__atomic_store_n(&d->made, 1, __ATOMIC_RELEASE);
		for (spin = 0; spin < d->delay; spin++)
			;
	} else {
		while (!__atomic_load_n(&d->made, __ATOMIC_ACQUIRE))
			;
	}
	secfree(d->p);
}

TEST_F(race_dies, of_frees_by_its_maker_and_another_at_the_same_instant)
{
	int i;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 0; i < 2 * RACES; i++)
		DIES(SECM_DIE_DOUBLE_FREE, {
			struct duel d = { .size = sizes[(size_t)i % SIZES],
					  .delay = i * 2 };

			(void)t_with_company(d.size);
			t_at_once(2, fight, &d);
		});
}

/*
 * The same without chance: its maker has looked at the word already when
 * another thread frees the object, and goes on.  Both have the slot then.
 */
struct twice {
	size_t size;
	char *p;
	pthread_barrier_t meet;
	int cached;   /* the other has a cache, else it takes the lock */
	int hand_out; /* and uses the slots up before it ends */
};

static void *other(void *arg)
{
	struct twice *t = arg;

	if (t->cached)
		secfree(t_get(1));
	secfree(t->p);
	(void)pthread_barrier_wait(&t->meet);
	(void)pthread_barrier_wait(&t->meet);
	if (t->hand_out)
		t_hand_out_all(t->size);
	return NULL;
}

static void free_as_if_at_once(char *p, struct twice *t, pthread_t *thread)
{
	const struct secm_span *span = t_span(p);
	uint32_t *word = &span->u.slab.state[secm_slot_of(span, p)];
	uint32_t seen = *word;
	char bytes[SECM_SMALL_SLOT];

	memcpy(bytes, p, t_slot(p));
	t->p = p;
	ASSERT_EQ(0, pthread_barrier_init(&t->meet, NULL, 2));
	ASSERT_EQ(0, pthread_create(thread, NULL, other, t));
	(void)pthread_barrier_wait(&t->meet);
	ASSERT_NE(seen, *word);
	*word = seen;
	memcpy(p, bytes, t_slot(p));
	secfree(p);
}

static void free_twice(size_t size, int cached, int end)
{
	struct twice t = { .size = size,
			   .cached = cached,
			   .hand_out = end == 1 };
	pthread_t thread;

	free_as_if_at_once(t_with_company(size), &t, &thread);
	if (end == 2)
		t_hand_out_all(size);
	if (end == 3)
		secmalloc_shutdown();
	(void)pthread_barrier_wait(&t.meet);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	if (end == 0 && !cached)
		(void)t_drain(); /* the slab has it already */
}

TEST_F(race_dies, of_a_slot_that_two_caches_have)
{
	size_t i;
	int end, cached;

	T_BEGIN_WAY(NULL);
	if (secm_cache_self()->open != SECM_OPEN_QUICK)
		return; /* both swap the word: one of them is the first */
	for (i = 0; i < SIZES && sizes[i] <= SECM_SMALL; i++)
		for (end = 0; end < 4; end++)
			for (cached = 0; cached < 2; cached++)
				DIES(SECM_DIE_DOUBLE_FREE,
				     free_twice(sizes[i], cached, end));
}

/*
 * And as it looks to one that takes the lock: the other is at work in its cache
 * until it is to stop, has wiped the object and notes then that it has it.  The
 * zeros are no overflow.
 */
static void *wipe(void *arg)
{
	struct twice *t = arg;
	const struct secm_span *span = t_span(t->p);
	struct secm_cache *cache;

	secfree(t_get(1)); /* now it has one */
	cache = secm_cache_self();
	secm_store(&cache->busy, 1); /* as secm_quick_enter() */
	memset(t->p, 0, t_slot(t->p));
	(void)pthread_barrier_wait(&t->meet);
	while (secm_load(&cache->open) != SECM_CLOSED)
		secm_os_yield();
	secm_poke(&span->u.slab.state[secm_slot_of(span, t->p)], cache->tag);
	secm_store(&cache->busy, 0);
	return NULL;
}

static void free_wiped(size_t size)
{
	struct twice t = { .size = size, .p = t_with_company(size) };
	pthread_t thread;

	ASSERT_EQ(0, pthread_barrier_init(&t.meet, NULL, 2));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wipe, &t));
	(void)pthread_barrier_wait(&t.meet);
	secfree(t.p);
}

TEST_F(race_dies, of_a_free_of_what_another_thread_wipes_just_now)
{
	size_t i;

	T_BEGIN_WAY(NULL);
	if (secm_cache_self()->open != SECM_OPEN_QUICK)
		return; /* the word comes first, by a swap */
	for (i = 0; i < SIZES; i++)
		DIES(SECM_DIE_DOUBLE_FREE, free_wiped(sizes[i]));
}
