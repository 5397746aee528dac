/* SPDX-License-Identifier: MIT */
/*
 * test_model.c - random operations against a model that is too simple to err
 *
 * The model knows of each object its size, its access and the seed of what it
 * holds.  Everything the allocator says is compared with that; now and then
 * its invariants are checked as a whole.  KSFT_SEED repeats a run.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "ksft.h"
#include "retain.h"
#include "t_heap.h"
#include "t_util.h"

T_TIERS(model);
T_TIER_LOCKED(model);
T_TIER_PLAIN(model);

enum { OBJECTS = 300, ROUNDS = 20000, KIB = 1024 };

struct object {
	char *p;
	size_t size;
	uint64_t seed;
	int guarded, access;
};

static struct object all[OBJECTS];
static struct secm_heap *const heap = &secm_default_heap;

/* Mostly small, now and then large. */
static size_t random_size(void)
{
	static const unsigned bits[] = { 4, 6, 8, 8, 10, 12, 14, 15, 17 };
	uint64_t x = ksft_random();

	if (x % 4096 == 0)
		return (size_t)(x >> 12) % (1500 * KIB);
	return (size_t)(x >> 12) & (((size_t)1 << bits[x % 9]) - 1);
}

static void open_up(struct object *o)
{
	if (o->access == SECMALLOC_READWRITE)
		return;
	ASSERT_EQ(0, secmalloc_protect(o->p, SECMALLOC_READWRITE));
	o->access = SECMALLOC_READWRITE;
}

static void check(const struct object *o)
{
	ASSERT_EQ(o->size, secmalloc_usable_size(o->p));
	ASSERT_EQ(0, (uintptr_t)o->p % 16);
	ASSERT_EQ(1, secmalloc_owns(o->p));
	if (o->access != SECMALLOC_NOACCESS)
		ASSERT_TRUE(t_is_filled(o->p, o->size, o->seed));
	else
		ASSERT_EQ(SECM_NONE, t_access(o->p));
}

static void fill(struct object *o)
{
	o->seed = ksft_random();
	t_fill(o->p, o->size, o->seed);
}

static void do_alloc(struct object *o)
{
	static const struct object none = { .access = SECMALLOC_READWRITE };
	unsigned how = (unsigned)(ksft_random() % 4);
	size_t size = random_size();

	*o = none;
	o->guarded = how == 0;
	if (how == 0)
		o->p = secmalloc_guarded(size);
	else if (how == 1)
		o->p = seccalloc(size / 7, 7);
	else
		o->p = secmalloc(size);
	o->size = how == 1 ? size / 7 * 7 : size;
	if (!o->p) {
		ASSERT_EQ(ENOMEM, errno);
		return;
	}
	ASSERT_TRUE(t_holds(o->p, o->size, 0));
	fill(o);
}

static void do_free(struct object *o)
{
	check(o);
	secfree(o->p);
	o->p = NULL;
}

static void do_realloc(struct object *o)
{
	size_t size = random_size(), kept;
	char *p;

	if (size == 0)
		size = 1;
	kept = size < o->size ? size : o->size;
	p = secrealloc(o->p, size);
	if (!p) {
		ASSERT_EQ(ENOMEM, errno);
		check(o);
		return;
	}
	o->p = p;
	if (o->guarded)
		o->access = SECMALLOC_READONLY; /* whatever it is now */
	open_up(o);
	ASSERT_TRUE(t_is_filled(p, kept, o->seed));
	ASSERT_TRUE(t_holds(p + kept, size - kept, 0));
	o->size = size;
	fill(o);
}

static void do_protect(struct object *o)
{
	int access = (int)(ksft_random() % 3);

	if (!o->guarded) {
		ASSERT_EQ(-1, secmalloc_protect(o->p, access));
		return;
	}
	ASSERT_EQ(0, secmalloc_protect(o->p, access));
	o->access = access;
	ASSERT_EQ(access, (int)t_access(o->p));
}

static void step(struct object *o)
{
	unsigned what = (unsigned)(ksft_random() % 16);

	if (!o->p)
		do_alloc(o);
	else if (what < 7)
		do_free(o);
	else if (what < 12)
		do_realloc(o);
	else if (what < 14)
		do_protect(o);
	else
		check(o);
}

static void check_counters(void)
{
	size_t i, objects = 0, bytes = 0;

	for (i = 0; i < OBJECTS; i++)
		if (all[i].p) {
			objects++;
			bytes += all[i].size;
		}
	ASSERT_EQ(objects, t_objects());
	ASSERT_EQ(bytes, t_bytes());
}

static void check_heap(void)
{
	size_t i;

	check_counters();
	for (i = 0; i < OBJECTS; i++)
		if (all[i].p)
			check(&all[i]);
	ASSERT_STREQ(NULL, t_broken(heap));
}

static void run(int rounds, size_t objects)
{
	int i;

	for (i = 0; i < rounds; i++) {
		step(&all[ksft_random() % objects]);
		if (i % 64 == 0)
			check_counters();
		if (i % 2500 == 2499)
			check_heap();
		if (i % 3000 == 0)
			(void)secm_retain_trim(heap); /* shuffles pages */
	}
	check_heap();
}

static void free_all(void)
{
	size_t i, pool = 0;
	const struct secm_pool *p;

	for (i = 0; i < OBJECTS; i++)
		if (all[i].p)
			do_free(&all[i]);
	check_heap();
	(void)t_drain();
	check_heap();
	for (p = heap->pools; p; p = p->next)
		pool = p->pages > pool ? p->pages : pool;
	EXPECT_LE(secm_heap_mapped(heap),
		  secm_heap_retain(heap) + heap->busy + pool * secm_os.page);
	EXPECT_EQ(secm_os.page, heap->busy / heap->vault_span->filled);
	(void)secm_retain_trim(heap);
	EXPECT_EQ(heap->pinned != 0 || secm_heap_mapped(heap) <= 64 * KIB, 1);
	T_SOUND(heap);
}

TEST_F(model, as_many_objects_as_there_is_room_for)
{
	T_BEGIN(NULL);
	run(ROUNDS, OBJECTS);
	free_all();
}

TEST_F(model, with_a_high_lock_limit)
{
	T_LOCK_AT_MOST(8 << 20);
	T_BEGIN(NULL);
	run(ROUNDS / 2, OBJECTS);
	free_all();
}

/* Most requests are refused, some at the last page. */
TEST_F(model, with_a_low_lock_limit)
{
	T_LOCK_AT_MOST(64 * KIB);
	T_BEGIN(NULL);
	run(ROUNDS / 2, OBJECTS);
	free_all();
}

TEST_F(model, with_little_kept_for_reuse)
{
	struct secmalloc_config c = { .retain = 1, .pool_size = 4096 };

	T_BEGIN(&c);
	run(ROUNDS / 4, OBJECTS / 10);
	free_all();
}

TEST_F(model, with_first_pools_and_a_bound)
{
	struct secmalloc_config c = { .initial_pools = 2,
				      .pool_size = 128 * KIB,
				      .max_bytes = 1024 * KIB,
				      .retain = 64 * KIB };

	T_BEGIN(&c);
	run(ROUNDS / 4, OBJECTS);
	EXPECT_LE(secm_heap_mapped(heap), c.max_bytes);
	free_all();
}

/* Spans of one ladder at two heights, and both changing. */
TEST(best_effort_with_a_low_lock_limit)
{
	static const struct t_tier best = { SECM_HIDDEN, 0,
					    SECMALLOC_BEST_EFFORT };

	if (!t_lock_at_most(128 * KIB))
		SKIP(return, "lock limit does not bind here");
	ASSERT_EQ(0, t_begin(&best, NULL));
	run(ROUNDS / 2, OBJECTS);
	free_all();
}
