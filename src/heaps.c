/* SPDX-License-Identifier: MIT */
/*
 * heaps.c - heaps that a program makes besides the default one
 *
 * Public functions.  A heap has its own configuration, pools, keys, budget and
 * address space; all heaps have one lock and one index, so secfree() and its
 * like find out themselves whose an object is.  Threads keep slots of the
 * default heap alone: every call here takes the lock.
 *
 * A destroyed heap stays in the list with its address space, where pointers that
 * were left meet nothing, until another one is made of it.
 */
#include <errno.h>
#include <string.h>

#include "api.h"
#include "error.h"
#include "fork.h"
#include "keys.h"
#include "keyscope.h"
#include "meta.h"
#include "orphan.h"
#include "secmalloc.h"
#include "size.h"
#include "stats.h"
#include "turn.h"

/* What a program has is the heap itself. */
static struct secm_heap *internal(secmalloc_heap *heap)
{
	return (struct secm_heap *)(void *)heap;
}

struct secm_heap *secm_heap_alive(secmalloc_heap *handle)
{
	struct secm_heap *heap = internal(handle);
	int destroyed;

	if (!heap)
		return &secm_default_heap;
	secm_annotate_enter(); /* without the lock */
	destroyed = heap->destroyed;
	secm_annotate_leave();
	if (destroyed)
		secm_die(SECM_DIE_HEAP);
	return heap;
}

int secm_heap_has_scopes(secmalloc_heap *handle)
{
	const struct secm_heap *heap = secm_heap_alive(handle);
	int has;

	secm_annotate_enter();
	has = heap->access != SECMALLOC_BY_NOTHING;
	secm_annotate_leave();
	return has;
}

/* One that was destroyed, or new.  NULL: no memory */
static struct secm_heap *get(void)
{
	struct secm_heap *heap = secm_default_heap.next;

	while (heap && !heap->destroyed)
		heap = heap->next;
	if (heap)
		return heap;
	heap = secm_meta_alloc(sizeof(*heap));
	if (!heap)
		return NULL;
	heap->destroyed = 1;
	heap->next = secm_default_heap.next;
	secm_default_heap.next = heap;
	return heap;
}

/* A key if one can be had, before there are pages. */
static void choose_access(struct secm_heap *heap)
{
	int r = secm_keys_get(heap);

	heap->access = r ? SECMALLOC_BY_PAGES : SECMALLOC_BY_KEY;
	heap->access_errno = -r;
}

static void open_for_good(struct secm_heap *heap)
{
	secm_keys_put(heap);
	heap->access = SECMALLOC_BY_NOTHING;
	heap->access_errno = 0;
}

/* Lines of all heaps go where those of the default one do. */
static int start(struct secm_heap *heap, const struct secmalloc_config *config)
{
	static const struct secmalloc_config defaults;
	struct secmalloc_config c = config ? *config : defaults;
	int r;

	c.log_level = secm_default_heap.policy.config.log_level;
	c.log = NULL;
	heap->state = SECM_NEW;
	heap->orphan = 0;
	if (c.access == SECMALLOC_ACCESS_SCOPES)
		choose_access(heap);
	r = secm_heap_start(heap, &c);
	if (r) {
		heap->state = SECM_DOWN;
		open_for_good(heap);
	}
	heap->destroyed = r != 0;
	return r;
}

SECM_API secmalloc_heap *secmalloc_heap_create(
	const struct secmalloc_config *config)
{
	struct secm_heap *heap = NULL;
	int saved = errno, r = secm_enter_anyway();

	if (secm_error(r) != 0)
		return NULL;
	r = -EPERM;
	if (secm_default_heap.state != SECM_DOWN) {
		secm_heap_probe();
		heap = get();
		r = heap ? start(heap, config) : -ENOMEM;
	}
	secm_leave();
	if (secm_error(r) != 0)
		return NULL;
	errno = saved;
	return (secmalloc_heap *)(void *)heap;
}

SECM_API void secmalloc_heap_destroy(secmalloc_heap *handle)
{
	struct secm_heap *heap;
	int saved = errno;

	if (!handle || secm_fork_stale())
		return;
	secm_turns_forget(secm_heap_alive(handle));
	secm_take();
	heap = secm_heap_alive(handle);
	secm_heap_stop(heap);
	secm_orphan_forget(heap);
	secm_key_heap_gone(heap);
	open_for_good(heap);
	heap->destroyed = 1;
	secm_leave();
	errno = saved;
}

SECM_API void *secmalloc_heap_malloc(secmalloc_heap *heap, size_t size)
{
	return heap ? secm_allocate_in(secm_heap_alive(heap), 1, size,
				       SECM_HOW_ANY)
		    : secmalloc(size);
}

SECM_API void *secmalloc_heap_calloc(secmalloc_heap *heap, size_t count,
				     size_t size)
{
	size_t total;

	if (secm_size_mul(count, size, &total) != 0) {
		errno = ENOMEM;
		return NULL;
	}
	return secmalloc_heap_malloc(heap, total);
}

SECM_API void *secmalloc_heap_guarded(secmalloc_heap *heap, size_t size)
{
	return secm_allocate_in(secm_heap_alive(heap), 1, size,
				SECM_HOW_GUARDED);
}

SECM_API void *secmalloc_heap_aligned(secmalloc_heap *heap, size_t align,
				      size_t size)
{
	if (!secm_is_alignment(align)) {
		errno = EINVAL;
		return NULL;
	}
	return secm_allocate_in(secm_heap_alive(heap), align, size,
				SECM_HOW_ANY);
}

SECM_API int secmalloc_heap_owns(secmalloc_heap *handle, const void *p)
{
	struct secm_heap *heap = secm_heap_alive(handle);
	int owns;

	if (secm_enter_anyway() != 0)
		return 0;
	owns = secm_heap_of(p) == heap && secm_heap_owns(heap, p);
	secm_leave();
	return owns;
}

SECM_API int secmalloc_heap_stats(secmalloc_heap *heap,
				  struct secmalloc_stats *stats)
{
	return secm_stats(secm_heap_alive(heap), stats);
}

SECM_API int secmalloc_heap_report(secmalloc_heap *heap,
				   struct secmalloc_report *report)
{
	return secm_report(secm_heap_alive(heap), report);
}
