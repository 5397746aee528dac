/* SPDX-License-Identifier: MIT */
/*
 * pool.c - mappings, and which of their pages are at which span
 *
 * Callers: span.c and heap.c, under the heap's lock.
 *
 * A pool is one mapping.  It takes the lock quota when it is made; its pages
 * cost memory from their first use on.  Spans borrow pages: they are moved to
 * the span's address (the backend moves page-table entries, not bytes) and
 * moved home when the span no longer wants them, so that pages serve one size
 * class after another while addresses never do.
 *
 *	home  | p0 | p1 | .. | hole | hole | p5 | .. | guard |
 *	                        |      |
 *	span         | guard | p3   | p4   | guard |
 *
 * I1  a bit in away is set exactly for pages not at home; out + gone is their
 *     number.
 * I2  pages at home hold zeros.
 * I3  a pool is unmapped only when all of it is at home, so that the kernel
 *     frees it and gives the quota back.
 */
#include "pool.h"

#include <errno.h>

#include "bits.h"
#include "heap.h"
#include "index.h"
#include "meta.h"

static char *page_at(const struct secm_pool *pool, size_t i)
{
	return pool->home + i * secm_os.page;
}

/* A descriptor whose home has room for so many pages, but not far more. */
static struct secm_pool *recycle(struct secm_heap *heap, size_t pages)
{
	struct secm_pool **link, *pool;

	for (link = &heap->spare_pools; (pool = *link); link = &pool->next) {
		if (pool->room < pages || pool->room / 4 > pages)
			continue;
		*link = pool->next;
		return pool;
	}
	return NULL;
}

static struct secm_pool *describe(struct secm_heap *heap, size_t pages)
{
	size_t units = pages / SECM_UNIT_PAGES + 1; /* and a guard page */
	size_t room = units * SECM_UNIT_PAGES - 1;
	size_t words = secm_bits_words(room);
	struct secm_pool *pool = recycle(heap, pages);

	if (pool)
		return pool;
	pool = secm_meta_alloc(sizeof(*pool));
	if (!pool)
		return NULL;
	pool->away = secm_meta_alloc(2 * words * sizeof(uint64_t));
	if (!pool->away)
		return NULL;
	pool->warm = pool->away + words;
	pool->room = room;
	pool->home = secm_index_reserve(units);
	return pool->home ? pool : NULL;
}

static void retire(struct secm_heap *heap, struct secm_pool *pool)
{
	secm_bits_clear(pool->away, 0, pool->pages);
	secm_bits_clear(pool->warm, 0, pool->pages);
	pool->pages = pool->out = pool->gone = pool->needed = 0;
	pool->pinned = pool->stuck = 0;
	if (pool->placed || pool->lost)
		return; /* the address space is not its own any more */
	pool->next = heap->spare_pools;
	heap->spare_pools = pool;
}

/* Ever smaller ones, so that the last of a quota is usable too. */
static int map_some(struct secm_heap *heap, struct secm_pool *pool,
		    unsigned rung, size_t least, size_t most)
{
	size_t pages = most;
	int r;

	for (;;) {
		r = secm_policy_map(heap, rung, pool->home,
				    pages * secm_os.page, &pool->props);
		if (r == 0)
			break;
		if ((r != -EAGAIN && r != -ENOMEM) || pages == least)
			return r;
		pages = pages / 2 > least ? pages / 2 : least;
	}
	pool->pages = pages;
	return 0;
}

/* Makes pages at home present. */
static int warm_up(struct secm_heap *heap, struct secm_pool *pool, size_t first,
		   size_t pages)
{
	size_t i, n, end = first + pages;
	int r;

	for (i = first; i < end; i += n) {
		n = secm_bits_run(pool->warm, i, end);
		if (secm_bit(pool->warm, i))
			continue;
		r = secm_policy_populate(heap, page_at(pool, i),
					 n * secm_os.page);
		if (r)
			return r;
		secm_bits_set(pool->warm, i, n);
	}
	return 0;
}

int secm_pool_new(struct secm_heap *heap, unsigned rung, size_t least,
		  size_t most, int pinned)
{
	struct secm_pool *pool = describe(heap, most);
	enum secmalloc_reason reason = heap->policy.reason;
	int error = heap->policy.reason_errno, r;

	if (!pool)
		return -ENOMEM;
	r = map_some(heap, pool, rung, least, most);
	if (r) {
		if (r != -EADDRINUSE)
			retire(heap, pool);
		return r;
	}
	/* Larger ones that were refused did not matter after all. */
	heap->policy.reason = reason;
	heap->policy.reason_errno = error;
	pool->rung = (unsigned char)rung;
	/* A pool for later is no use if its pages can be refused later. */
	if (pinned && secm_os.hidden_lazy &&
	    warm_up(heap, pool, 0, pool->pages) != 0) {
		if (secm_policy_unmap(heap, pool->home,
				      pool->pages * secm_os.page,
				      pool->props) == 0)
			retire(heap, pool);
		return -EAGAIN;
	}
	pool->pinned = pinned != 0;
	if (pinned)
		heap->pinned += pool->pages * secm_os.page;
	pool->next = heap->pools;
	heap->pools = pool;
	return 0;
}

/* Where so many pages in a row are at home; pool->pages if nowhere. */
static size_t find_run(const struct secm_pool *pool, size_t pages)
{
	size_t i, n;

	if (pool->pages - pool->out - pool->gone < pages)
		return pool->pages;
	for (i = pool->placed; i < pool->pages; i += n) {
		n = secm_bits_run(pool->away, i, pool->pages);
		if (!secm_bit(pool->away, i) && n >= pages)
			return i;
	}
	return pool->pages;
}

static int move_out(struct secm_heap *heap, struct secm_pool *pool,
		    size_t first, size_t pages, char *to,
		    struct secm_extent *extent)
{
	int r = secm_os_move(page_at(pool, first), to, pages * secm_os.page);

	if (r == -ENOTSUP) {
		secm_os.can_move = 0; /* any more: see span.c */
		secm_log(heap, SECMALLOC_LOG_INFO,
			 "pages cannot be moved any more");
	}
	if (r != 0 && r != -ESTALE)
		return r;
	secm_bits_set(pool->away, first, pages); /* I1 */
	pool->out += pages;
	extent->pool = pool;
	extent->first = first;
	extent->pages = pages;
	extent->homeless = r == -ESTALE;
	pool->lost |= extent->homeless;
	return 0;
}

/* Without a mapping to spare nothing can be moved.  Unmapping frees some: the
 * kernel joins what is left with the reserved space around it. */
static int give_up(struct secm_heap *heap, const struct secm_extent *extent,
		   char *from)
{
	struct secm_pool *pool = extent->pool;
	int r = secm_policy_unmap(heap, from, extent->pages * secm_os.page,
				  pool->props);

	if (r == 0)
		pool->gone += extent->pages;
	return r;
}

int secm_pool_give(struct secm_heap *heap, struct secm_extent *extent,
		   char *from)
{
	struct secm_pool *pool = extent->pool, *p;
	int r = -ENOMEM;

	if (!extent->homeless)
		r = secm_os_move(from, page_at(pool, extent->first),
				 extent->pages * secm_os.page);
	if (r == -EADDRINUSE)
		extent->homeless = pool->lost = 1;
	if (r == 0 || r == -ESTALE)
		secm_bits_clear(pool->away, extent->first, extent->pages);
	else
		r = give_up(heap, extent, from);
	if (r != 0 && r != -ESTALE)
		return r;
	pool->out -= extent->pages;
	for (p = heap->pools; p; p = p->next)
		p->stuck = 0; /* quota may be free again */
	return r;
}

struct secm_pool *secm_pool_place(struct secm_heap *heap, size_t units,
				  char **at)
{
	size_t pages = units * SECM_UNIT_PAGES;
	struct secm_pool *pool;

	for (pool = heap->pools; pool; pool = pool->next) {
		char *guard;

		if (!pool->pinned || pool->pages - pool->placed < pages)
			continue;
		guard = page_at(pool, pool->placed + pages - 1);
		if (secm_policy_unmap(heap, guard, secm_os.page, pool->props) !=
		    0)
			continue;
		heap->pinned -= secm_os.page;
		*at = page_at(pool, pool->placed);
		secm_bits_set(pool->away, pool->placed, pages);
		pool->placed += pages;
		pool->out += pages;
		return pool;
	}
	return NULL;
}

/* Page by page, so to say: what is unmapped is gone, whatever comes next. */
static int unmap_home(struct secm_heap *heap, struct secm_pool *pool)
{
	size_t i, n;

	for (i = 0; i < pool->pages; i += n) {
		n = secm_bits_run(pool->away, i, pool->pages);
		if (secm_bit(pool->away, i))
			continue;
		if (secm_policy_unmap(heap, page_at(pool, i), n * secm_os.page,
				      pool->props) != 0)
			return 0;
		secm_bits_set(pool->away, i, n);
		pool->gone += n;
	}
	return 1;
}

void secm_pool_release(struct secm_heap *heap, struct secm_pool *pool)
{
	struct secm_pool **link = &heap->pools;

	if (pool->out || !unmap_home(heap, pool)) /* I3 */
		return;
	while (*link != pool)
		link = &(*link)->next;
	*link = pool->next;
	retire(heap, pool);
}

int secm_pool_take(struct secm_heap *heap, unsigned rung, size_t pages,
		   char *to, struct secm_extent *extent)
{
	struct secm_pool *pool, *next;
	size_t first;

	for (pool = heap->pools; pool; pool = next) {
		next = pool->next;
		if (pool->rung != rung || pool->stuck)
			continue;
		first = find_run(pool, pages);
		if (first == pool->pages)
			continue;
		if (warm_up(heap, pool, first, pages) == 0)
			return move_out(heap, pool, first, pages, to, extent);
		pool->stuck = 1;
		if (!pool->pinned) /* the quota it has is no use to it */
			secm_pool_release(heap, pool);
	}
	return -ENOMEM;
}

/* The part of its home where pages were becomes reserved space again. */
static int orphan(struct secm_pool *pool, int forked)
{
	int gone = forked && (pool->props & SECM_FORK_GONE);
	size_t i, n;
	int r = 0;

	for (i = 0; i < pool->pages && r == 0; i += n) {
		n = secm_bits_run(pool->away, i, pool->pages);
		if (secm_bit(pool->away, i))
			continue;
		r = gone ? secm_os_reclaim(page_at(pool, i), n * secm_os.page)
			 : secm_os_unmap(page_at(pool, i), n * secm_os.page);
	}
	return r;
}

void secm_pool_orphan_all(struct secm_heap *heap, int forked)
{
	struct secm_pool *pool;

	while ((pool = heap->pools)) {
		heap->pools = pool->next;
		/* What could not be had back is never used again. */
		if (orphan(pool, forked) == 0)
			retire(heap, pool);
	}
	heap->pinned = 0;
}
