/* SPDX-License-Identifier: MIT */
/*
 * test_orphan.c - orphan.c: objects that outlive their pages
 *
 * After fork in the child, and after shutdown.  What a child checks fails the
 * test as well.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <signal.h>
#include <sys/types.h>
#include <sys/resource.h>

#include "die.h"
#include "index.h"
#include "ksft.h"
#include "t_heap.h"
#include "t_util.h"

T_TIERS(orphan);
T_TIER_LOCKED(orphan);
T_TIER_PLAIN(orphan);

enum { OBJECTS = 60 };

static char *object[OBJECTS];
static struct secm_heap *const heap = &secm_default_heap;

static size_t size_of(int i)
{
	return (size_t)i * (size_t)i * 7;
}

/* Objects of all kinds, each third one guarded. */
static int make_objects(void)
{
	int i;

	for (i = 0; i < OBJECTS; i++) {
		object[i] = i % 3 ? secmalloc(size_of(i)) :
				    secmalloc_guarded(size_of(i));
		if (!object[i])
			return 0;
		t_fill(object[i], size_of(i), (uint64_t)i);
	}
	return 1;
}

#define MAKE_OBJECTS()                                                      \
	do {                                                                \
		if (!make_objects())                                        \
			SKIP(return, "the lock limit is too low for this"); \
	} while (0)

static void check_objects(void)
{
	int i;

	for (i = 0; i < OBJECTS; i++)
		ASSERT_TRUE(t_is_filled(object[i], size_of(i), (uint64_t)i));
}

static void check_zeros(void)
{
	int i;

	for (i = 0; i < OBJECTS; i++) {
		ASSERT_EQ(SECM_READWRITE, t_access(object[i]));
		ASSERT_TRUE(t_holds(object[i], size_of(i), 0));
	}
}

static void free_objects(void)
{
	int i;

	for (i = 0; i < OBJECTS; i++)
		secfree(object[i]);
}

TEST_F(orphan, a_child_reads_zeros_and_the_parent_keeps_its_own)
{
	T_BEGIN(NULL);
	MAKE_OBJECTS();
	T_IN_CHILD({
		check_zeros();
		t_fill(object[10], size_of(10), 99); /* its own pages */
		EXPECT_TRUE(t_is_filled(object[10], size_of(10), 99));
		EXPECT_EQ(0, t_objects());
		T_SOUND(heap);
		free_objects();
		T_SOUND(heap);
	});
	check_objects();
	T_SOUND(heap);
	free_objects();
}

TEST_F(orphan, a_child_allocates_frees_and_ends_without_a_trace)
{
	T_BEGIN(NULL);
	MAKE_OBJECTS();
	T_IN_CHILD({
		char *old[OBJECTS];

		memcpy(old, object, sizeof(old));
		ASSERT_TRUE(make_objects());
		T_SOUND(heap);
		check_objects();
		EXPECT_EQ(OBJECTS, t_objects());
		free_objects();
		memcpy(object, old, sizeof(old));
		free_objects();
		EXPECT_EQ(0, t_objects());
		EXPECT_EQ(0, t_bytes());
		T_SOUND(heap);
		secmalloc_shutdown();
	});
	check_objects();
	T_SOUND(heap);
}

TEST_F(orphan, inherited_objects_are_resized_and_freed_once)
{
	T_BEGIN(NULL);
	MAKE_OBJECTS();
	T_IN_CHILD({
		char *p = secrealloc(object[20], 5000);

		ASSERT_NE(NULL, p);
		EXPECT_TRUE(t_holds(p, 5000, 0));
		EXPECT_EQ(1, t_objects());
		EXPECT_EQ(size_of(21), secmalloc_usable_size(object[21]));
		EXPECT_EQ(1, secmalloc_owns(object[21] + 5));
		secfree(p);
	});
	EXPECT_DEATH(SIGABRT, SECM_DIE_DOUBLE_FREE, {
		secfree(object[20]);
		secfree(object[20]);
	});
	EXPECT_DEATH(SIGABRT, SECM_DIE_DOUBLE_FREE, {
		secfree(object[21]);
		secfree(object[21]);
	});
	EXPECT_DEATH(SIGABRT, SECM_DIE_INTERIOR, secfree(object[21] + 1));
	check_objects();
}

/* As every daemon does: nothing is allocated in between. */
TEST_F(orphan, a_grandchild_reads_zeros_too)
{
	T_BEGIN(NULL);
	MAKE_OBJECTS();
	T_IN_CHILD({
		t_fill(object[30], size_of(30), 7);
		T_IN_CHILD({
			T_IN_CHILD(check_zeros());
			check_zeros();
			T_SOUND(heap);
			free_objects();
			ASSERT_TRUE(make_objects());
			check_objects();
			T_SOUND(heap);
		});
		EXPECT_TRUE(t_is_filled(object[30], size_of(30), 7));
		ASSERT_NE(NULL, secmalloc(1));
		T_IN_CHILD(check_zeros());
	});
	check_objects();
}

TEST_F(orphan, access_to_guarded_objects_is_inherited)
{
	T_BEGIN(NULL);
	MAKE_OBJECTS();
	ASSERT_EQ(0, secmalloc_protect(object[3], SECMALLOC_NOACCESS));
	ASSERT_EQ(0, secmalloc_protect(object[6], SECMALLOC_READONLY));
	T_IN_CHILD({
		EXPECT_EQ(SECM_NONE, t_access(object[3]));
		EXPECT_EQ(SECM_READ, t_access(object[6]));
		EXPECT_TRUE(t_holds(object[6], size_of(6), 0));
		ASSERT_EQ(0, secmalloc_protect(object[3], SECMALLOC_READWRITE));
		EXPECT_TRUE(t_holds(object[3], size_of(3), 0));
		secfree(object[3]);
		secfree(object[6]);
		T_SOUND(heap);
	});
	EXPECT_EQ(SECM_NONE, t_access(object[3]));
	EXPECT_EQ(SECM_READ, t_access(object[6]));
}

TEST_F(orphan, a_child_has_the_same_configuration_without_first_pools)
{
	struct secmalloc_config c = { .retain = 48 << 10,
				      .max_bytes = 4 << 20,
				      .initial_pools = 2,
				      .pool_size = 16 << 10 };
	unsigned need;

	T_BEGIN(&c);
	need = heap->policy.config.need;
	ASSERT_LT(0, heap->pinned);
	T_IN_CHILD({
		EXPECT_EQ(0, secm_heap_mapped(heap));
		ASSERT_NE(NULL, secmalloc(1));
		EXPECT_EQ(need, heap->policy.config.need);
		EXPECT_EQ(c.retain, heap->policy.config.retain);
		EXPECT_EQ(c.max_bytes, heap->policy.config.max_bytes);
		EXPECT_EQ(0, heap->pinned);
		T_SOUND(heap);
	});
	T_IN_CHILD({ /* but it may ask for its own */
		ASSERT_EQ(0, t_begin(&variant->tier, &c));
		EXPECT_LT(0, heap->pinned);
		T_SOUND(heap);
	});
}

TEST_F(orphan, a_refused_start_in_a_child_changes_nothing)
{
	struct secmalloc_config bad = { .flags = 0x80 };
	struct secmalloc_config c = { .max_bytes = 6 << 20 };
	unsigned need;

	T_BEGIN(&c);
	MAKE_OBJECTS();
	need = heap->policy.config.need;
	T_IN_CHILD({
		EXPECT_EQ(-1, secmalloc_init(&bad));
		EXPECT_EQ(EINVAL, errno);
		check_zeros();
		ASSERT_NE(NULL, secmalloc(1));
		EXPECT_EQ(need, heap->policy.config.need);
		EXPECT_EQ(c.max_bytes, heap->policy.config.max_bytes);
		T_SOUND(heap);
	});
	T_IN_CHILD({
		bad = c;
		bad.pool_size = 3 << 20;
		bad.initial_pools = 2; /* with the dead ones it is too much */
		EXPECT_NE(0, t_begin(&variant->tier, &bad));
		EXPECT_EQ(ENOMEM, errno);
		check_zeros();
		free_objects();
		ASSERT_NE(NULL, secmalloc(1));
		T_SOUND(heap);
	});
}

#ifdef RLIMIT_NOFILE
TEST(a_start_that_failed_in_a_child_keeps_its_needs)
{
	static const struct t_tier secret = T_SECRET;
	struct rlimit limit;
	unsigned need;
	char *p;

	if (t_begin(&secret, NULL) != 0)
		SKIP(return, "no hidden memory here");
	p = secmalloc(100);
	ASSERT_NE(NULL, p);
	t_fill(p, 100, 1);
	need = heap->policy.config.need;
	T_IN_CHILD({
		ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
		limit.rlim_cur = 0;
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
		EXPECT_NULL(secmalloc(1));
		EXPECT_EQ(ENOMEM, errno);
		EXPECT_EQ(SECMALLOC_REASON_DESCRIPTORS, heap->policy.reason);
		EXPECT_TRUE(t_holds(p, 100, 0)); /* faults if it is gone */
		limit.rlim_cur = limit.rlim_max;
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
		EXPECT_NOT_NULL(secmalloc(1));
		EXPECT_EQ(need, heap->policy.config.need);
		T_SOUND(heap);
	});
}
#endif

TEST_F(orphan, dead_spans_serve_again_when_their_last_object_is_freed)
{
	struct secm_span *span;
	char *slab[3];

	T_BEGIN(NULL);
	slab[0] = secmalloc(50);
	slab[1] = secmalloc(50);
	slab[2] = secmalloc_guarded(50);
	ASSERT_TRUE(slab[0] && slab[1] && slab[2]);
	span = t_span(slab[0]);
	T_IN_CHILD({
		char *p = secmalloc(50);

		ASSERT_NE(NULL, p);
		EXPECT_NE(span, t_span(p)); /* dead ones get no objects */
		secfree(slab[0]);
		EXPECT_EQ(1, span->dead);
		secfree(slab[1]);
		EXPECT_EQ(0, span->dead);
		secfree(slab[2]);
		EXPECT_EQ(slab[2], secmalloc_guarded(50));
		secfree(p);
		T_SOUND(heap);
		EXPECT_TRUE(t_span(secmalloc(50))->bucket == span->bucket);
		T_SOUND(heap);
	});
}

TEST_F(orphan, shutdown_gives_all_back_and_old_objects_fault)
{
	int i;

	T_BEGIN(NULL);
	MAKE_OBJECTS();
	ASSERT_EQ(0, secmalloc_protect(object[3], SECMALLOC_NOACCESS));
	secmalloc_shutdown();
	EXPECT_EQ(0, secm_heap_mapped(heap));
	EXPECT_EQ(0, t_objects());
	for (i = 0; i < OBJECTS; i++)
		EXPECT_EQ(SECM_NONE, t_access(object[i]));
	T_FAULTS(*(volatile char *)object[1] = 1);
	EXPECT_NULL(secmalloc(1));
	EXPECT_EQ(EPERM, errno);
	free_objects(); /* nothing happens */
	EXPECT_DEATH(SIGABRT, SECM_DIE_DOUBLE_FREE, secfree(object[1]));
	secmalloc_shutdown(); /* nothing happens */
	T_SOUND(heap);
}

TEST_F(orphan, shutdown_and_start_can_be_repeated)
{
	char *old[OBJECTS];
	int i;

	for (i = 0; i < 4; i++) {
		T_BEGIN(NULL);
		MAKE_OBJECTS();
		T_SOUND(heap);
		if (i % 2)
			free_objects();
		memcpy(old, object, sizeof(old));
		secmalloc_shutdown();
		ASSERT_EQ(0, secm_heap_mapped(heap));
	}
	T_BEGIN(NULL);
	MAKE_OBJECTS();
	for (i = 0; i < OBJECTS; i++) /* addresses keep their purpose */
		EXPECT_EQ(t_span(old[i])->kind, t_span(object[i])->kind);
	check_objects();
	T_SOUND(heap);
}

TEST_F(orphan, fork_before_the_start_and_after_the_end)
{
	T_BEGIN(NULL);
	MAKE_OBJECTS();
	secmalloc_shutdown();
	T_IN_CHILD({
		EXPECT_NULL(secmalloc(1));
		EXPECT_EQ(EPERM, errno);
		free_objects();
		ASSERT_EQ(0, t_begin(&variant->tier, NULL));
		ASSERT_TRUE(make_objects());
		check_objects();
		T_SOUND(heap);
	});
	EXPECT_NULL(secmalloc(1));
}

/* Where dead objects get no pages, only writing to them fails. */
TEST_F(orphan, a_child_without_room_for_zeros_frees_and_fails_in_peace)
{
	struct secmalloc_config c = { .max_bytes = 8 << 20 };
	char *p;

	T_BEGIN(&c);
	MAKE_OBJECTS();
	p = secmalloc_guarded(100);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_NOACCESS));
	heap->policy.config.max_bytes = 1;
	T_IN_CHILD({
		EXPECT_EQ(SECM_READ, t_access(object[5]));
		EXPECT_EQ(0, *(char *)object[5]);
		EXPECT_NULL(secmalloc(1));
		EXPECT_NULL(secrealloc(object[5], 10));
		heap->policy.config.max_bytes = c.max_bytes;
		EXPECT_NOT_NULL(secmalloc(1));
		EXPECT_EQ(-1, secmalloc_protect(p, SECMALLOC_READWRITE));
		EXPECT_NULL(secrealloc(p, PTRDIFF_MAX));
		free_objects();
		secfree(p);
		T_SOUND(heap);
	});
}
