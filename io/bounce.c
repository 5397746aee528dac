/* SPDX-License-Identifier: MIT */
/*
 * bounce.c - memory that devices may write to
 *
 * Called by load.c and ring.c.  Hidden pages cannot be pinned: what comes past
 * the page cache lands here first, and is then copied.  This is a heap that
 * never uses memfd_secret, and its guarded objects, which begin at a page as
 * their size is a multiple of one:
 *
 *	| guard | canary .. | page | page ... | guard |
 *
 * Lock: that of fork.c, for the heap alone.  It is made by the first who needs
 * it and stays; after secmalloc_shutdown() it is dead, and another one is made.
 */
#include "io.h"

#include <errno.h>
#include <stdint.h>

enum { POOL = 4096, RETAIN = 65536 }; /* no more than one file needs */

static secmalloc_heap *heap;

static secmalloc_heap *create(void)
{
	const struct secmalloc_config config = {
		.size = sizeof(config),
		.need = SECMALLOC_LOCKED | SECMALLOC_NODUMP,
		.hibernation = SECMALLOC_HIBERNATION_KEEP,
		.pool_size = POOL,
		.retain = RETAIN,
	};

	return secmalloc_heap_create(&config);
}

/* The heap there is if it is another one than old; else makes one. */
static int get(const secmalloc_heap *old, secmalloc_heap **out)
{
	secmalloc_heap *new;
	int e = secm_io_lock();

	if (e < 0)
		return e;
	*out = heap;
	secm_io_unlock();
	if (*out && *out != old)
		return 0;
	new = create();
	if (!new)
		return -errno;
	e = secm_io_lock();
	if (e == 0 && heap == old) {
		heap = new;
		new = NULL;
	}
	*out = heap;
	if (e == 0)
		secm_io_unlock();
	secmalloc_heap_destroy(new);
	return e;
}

static int take_from(secmalloc_heap *from, struct secm_io_bounce *b,
		     size_t least, size_t most)
{
	for (;; most = secm_io_pages(most / 2)) {
		b->p = secmalloc_heap_guarded(from, most);
		b->size = most;
		if (b->p)
			return 0;
		if (errno != ENOMEM || most <= least)
			return -errno;
	}
}

int secm_io_bounce_take(struct secm_io_bounce *b, size_t least, size_t most)
{
	secmalloc_heap *from;
	int e = get(NULL, &from);

	if (e == 0)
		e = take_from(from, b, least, most);
	if (e == -EPERM) {
		e = get(from, &from);
		if (e == 0)
			e = take_from(from, b, least, most);
	}
	if (e == 0 && ((uintptr_t)b->p & (secm_io_pages(1) - 1)) != 0) {
		secm_io_bounce_give(b);
		e = -ENOTSUP;
	}
	return e;
}

void secm_io_bounce_give(struct secm_io_bounce *b)
{
	secfree(b->p);
	b->p = NULL;
}
