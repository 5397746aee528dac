/* SPDX-License-Identifier: MIT */
/*
 * test_pool.c - pool.c: mappings, and which of their pages are where
 *
 * Pages go to address space that the test reserves for itself and come home.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <string.h>

#include "bits.h"
#include "index.h"
#include "ksft.h"
#include "retain.h"
#include "t_heap.h"
#include "t_util.h"

T_TIERS(pool);
T_TIER_LOCKED(pool);
T_TIER_PLAIN(pool);

/* The tiers that take quota. */
T_TIERS(pool_quota);
T_TIER_LOCKED(pool_quota);

enum { PAGES = 5 };

/* A first pool for the vault alone: 64 KiB of quota are enough for all. */
static const struct secmalloc_config small = { .pool_size = 1 };

/* A pool of that many pages in front of all others. */
static struct secm_pool *new_pool(struct secm_heap *heap, size_t pages)
{
	if (secm_pool_new(heap, 0, pages, pages, 0) != 0)
		return NULL;
	return heap->pools;
}

static size_t bytes(size_t pages)
{
	return pages * secm_os.page;
}

#define NEED_MOVE()                                                      \
	do {                                                             \
		if (!secm_os.can_move)                                   \
			SKIP(return, "this backend does not move pages"); \
	} while (0)

TEST_F(pool, a_new_one_is_all_at_home_between_guards)
{
	size_t before;
	struct secm_pool *pool;

	T_BEGIN(&small);
	before = secm_heap_mapped(self->heap);
	pool = new_pool(self->heap, PAGES);
	ASSERT_NE(NULL, pool);
	EXPECT_EQ(PAGES, pool->pages);
	EXPECT_GE(pool->room, PAGES);
	EXPECT_EQ(0, pool->out);
	EXPECT_EQ(bytes(PAGES), secm_heap_mapped(self->heap) - before);
	EXPECT_EQ(SECM_NONE, t_access(pool->home - 1));
	EXPECT_EQ(SECM_NONE, t_access(pool->home + bytes(PAGES)));
	EXPECT_EQ(SECM_READWRITE, t_access(pool->home));
	EXPECT_EQ(SECM_READWRITE, t_access(pool->home + bytes(PAGES) - 1));
	EXPECT_TRUE(t_holds(pool->home, bytes(PAGES), 0));
	EXPECT_NULL(secm_index_find(pool->home)); /* no object is there */
	T_SOUND(self->heap);
}

TEST_F(pool, pages_move_with_what_they_hold_and_come_home)
{
	struct secm_extent a, b;
	struct secm_pool *pool;
	char *to, *other;

	T_BEGIN(&small);
	NEED_MOVE();
	pool = new_pool(self->heap, PAGES);
	to = secm_index_reserve(1);
	other = secm_index_reserve(1);
	ASSERT_TRUE(pool && to && other);
	ASSERT_EQ(0, secm_pool_take(self->heap, 0, 2, to, &a));
	ASSERT_EQ(0, secm_pool_take(self->heap, 0, 3, other, &b));
	EXPECT_EQ(pool, a.pool);
	EXPECT_EQ(0, a.first);
	EXPECT_EQ(2, b.first);
	EXPECT_EQ(PAGES, pool->out);
	EXPECT_EQ(SECM_NONE, t_access(pool->home));
	EXPECT_EQ(SECM_NONE, t_access(to + bytes(2)));
	EXPECT_TRUE(t_holds(to, bytes(2), 0));
	t_fill(to, bytes(2), 1);
	t_fill(other, bytes(3), 2);
	EXPECT_TRUE(t_is_filled(to, bytes(2), 1));
	memset(to, 0, bytes(2));
	ASSERT_EQ(0, secm_pool_give(self->heap, &a, to));
	EXPECT_EQ(3, pool->out);
	EXPECT_EQ(SECM_NONE, t_access(to));
	EXPECT_EQ(SECM_READWRITE, t_access(pool->home));
	EXPECT_TRUE(t_is_filled(other, bytes(3), 2));
	EXPECT_EQ(0, secm_bit(pool->away, 1));
	EXPECT_EQ(1, secm_bit(pool->away, 2));
	secm_pool_release(self->heap, pool);
	EXPECT_EQ(PAGES, pool->pages); /* I3: not while pages are out */
	memset(other, 0, bytes(3));
	ASSERT_EQ(0, secm_pool_give(self->heap, &b, other));
	secm_pool_release(self->heap, pool);
	EXPECT_EQ(0, pool->pages);
	EXPECT_EQ(SECM_NONE, t_access(pool->home));
	T_SOUND(self->heap);
}

TEST_F(pool, a_hole_is_filled_before_a_new_pool_is_needed)
{
	struct secm_extent e[PAGES], again;
	char *to[PAGES + 1];
	int i;

	T_BEGIN(&small);
	NEED_MOVE();
	ASSERT_NE(NULL, new_pool(self->heap, PAGES));
	for (i = 0; i <= PAGES; i++) {
		to[i] = secm_index_reserve(1);
		ASSERT_NE(NULL, to[i]);
	}
	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(0, secm_pool_take(self->heap, 0, 1, to[i], &e[i]));
	ASSERT_EQ(0, secm_pool_give(self->heap, &e[1], to[1]));
	ASSERT_EQ(0, secm_pool_give(self->heap, &e[3], to[3]));
	ASSERT_EQ(0, secm_pool_take(self->heap, 0, 1, to[PAGES], &again));
	EXPECT_EQ(1, again.first);
	EXPECT_EQ(e[1].pool, again.pool);
}

TEST_F(pool, more_in_a_row_than_there_are_is_refused)
{
	struct secm_extent e;
	char *to;

	T_BEGIN(&small);
	NEED_MOVE();
	ASSERT_NE(NULL, new_pool(self->heap, PAGES));
	to = secm_index_reserve(8);
	ASSERT_NE(NULL, to);
	EXPECT_EQ(-ENOMEM, secm_pool_take(self->heap, 0, 17, to, &e));
	EXPECT_EQ(-ENOMEM, secm_pool_take(self->heap, 2, 1, to, &e));
	EXPECT_EQ(SECM_NONE, t_access(to));
	T_SOUND(self->heap);
}

TEST_F(pool, home_of_a_released_one_serves_the_next)
{
	struct secm_pool *pool, *next;
	char *home;
	int i;

	T_BEGIN(&small);
	pool = new_pool(self->heap, PAGES);
	ASSERT_NE(NULL, pool);
	home = pool->home;
	for (i = 0; i < 50; i++) {
		secm_pool_release(self->heap, self->heap->pools);
		next = new_pool(self->heap, PAGES);
		ASSERT_EQ(pool, next);
		ASSERT_EQ(home, next->home);
		ASSERT_EQ(PAGES, next->pages);
		ASSERT_TRUE(t_holds(home, bytes(PAGES), 0));
	}
	T_SOUND(self->heap);
}

TEST_F(pool_quota, under_the_limit_it_is_as_large_as_may_be)
{
	enum { LIMIT = 16 };
	struct secm_heap *heap = self->heap;
	size_t page = 4096, mapped;
	int r = 0;

	T_LOCK_AT_MOST(LIMIT * page);
	T_BEGIN(&small);
	if (secm_os.page != page || secm_os.hidden_lazy)
		SKIP(return, "other pages or another accounting");
	while (r == 0)
		r = secm_pool_new(heap, 0, 1, 1 << 10, 0);
	EXPECT_TRUE(r == -EAGAIN || r == -ENOMEM);
	mapped = secm_heap_mapped(heap);
	EXPECT_EQ(LIMIT * page, mapped);
	EXPECT_EQ(SECMALLOC_REASON_LOCK_LIMIT, heap->policy.reason);
	T_SOUND(heap);
}

TEST_F(pool, max_bytes_bounds_the_last_one)
{
	struct secmalloc_config c = { .pool_size = 1 };
	struct secm_heap *heap = self->heap;
	int r = 0;

	c.max_bytes = 10 * (size_t)sysconf(_SC_PAGESIZE);
	T_BEGIN(&c);
	while (r == 0)
		r = secm_pool_new(heap, heap->policy.rungs - 1, 1, 6, 0);
	EXPECT_EQ(-ENOMEM, r);
	EXPECT_EQ(c.max_bytes, secm_heap_mapped(heap));
	EXPECT_EQ(SECMALLOC_REASON_MAX_BYTES, heap->policy.reason);
}

TEST_F(pool, first_ones_are_locked_at_once_and_never_given_back)
{
	struct secmalloc_config c = { .initial_pools = 3, .pool_size = 10000 };
	struct secm_pool *pool;
	size_t mapped, n = 0;
	void *p;

	T_BEGIN(&c);
	for (pool = self->heap->pools; pool; pool = pool->next) {
		n++;
		EXPECT_EQ(1, pool->pinned);
		EXPECT_EQ((c.pool_size + secm_os.page - 1) / secm_os.page,
			  pool->pages);
	}
	EXPECT_EQ(3, n);
	mapped = secm_heap_mapped(self->heap);
	p = secmalloc(2000);
	EXPECT_TRUE(secm_index_find(p) != NULL);
	secfree(p);
	(void)secm_retain_trim(self->heap); /* whatever that gains */
	for (n = 0, pool = self->heap->pools; pool; pool = pool->next)
		n += pool->pinned;
	EXPECT_EQ(3, n);
	EXPECT_GE(secm_heap_mapped(self->heap) + 4 * secm_os.page, mapped);
	T_SOUND(self->heap);
}

TEST_F(pool, first_ones_serve_objects_when_nothing_else_can_be_had)
{
	struct secmalloc_config c = { .initial_pools = 2,
				      .pool_size = 1 << 16,
				      .max_bytes = 1 << 17 };
	size_t n = 0;

	T_BEGIN(&c);
	while (n < 100000 && secmalloc(1000))
		n++;
	/* Backends that cannot move lose a guard page of each four. */
	EXPECT_GT(n, (c.max_bytes * (secm_os.can_move ? 7 : 4) / 8) / 1024);
	EXPECT_LE(secm_heap_mapped(self->heap), c.max_bytes);
	T_SOUND(self->heap);
}
