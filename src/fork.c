/* SPDX-License-Identifier: MIT */
/*
 * fork.c - a consistent heap in the parent, an empty one in the child
 *
 * Callers: heap.c at start, the loader before main, the C library around
 * fork(2).
 *
 * prepare takes the lock and stops the caches, so that the child gets the
 * state between two operations, and no descriptor of a mapping in the making.
 * parent and child let go.  The mark is a page that the kernel empties in every child; the
 * child handler sets it again, so where it is empty no handler has run.
 */
#include "fork.h"

#include <errno.h>
#include <stddef.h>

#include "cache.h"
#include "die.h"
#include "index.h"
#include "keys.h"
#include "meta.h"
#include "orphan.h"
#include "scope.h"
#include "snapshot.h"
#include "turn.h"

static volatile char *mark; /* valid while marked */
static int marked;	    /* read without the lock; 0: nothing tells */
static int registered, mark_tried;
static int inner; /* forks inside one that keeps the lock; its thread's */

/* A child without handlers may fork in turn.  The lock is not to be had there,
 * and its children are no better off than itself.  The same goes for a signal
 * handler that has interrupted its thread inside a magazine, with a lock, or
 * between the handlers of another fork. */
static void prepare(void)
{
	struct secm_heap *heap;

	if (secm_fork_stale())
		return;
	if (secm_lock_is_kept(&secm_heap_lock)) {
		inner++;
		return;
	}
	if (secm_cache_interrupted() || secm_lock_interrupted())
		return;
	secm_turns_prepare();
	secm_lock_keep(&secm_heap_lock);
	secm_caches_stop(&secm_default_heap);
	secm_keys_open();
	for (heap = &secm_default_heap; heap; heap = heap->next)
		secm_snapshot_take(heap);
	secm_scope_settle();
	secm_keys_close();
}

void secm_fork_copy_again(void)
{
	struct secm_heap *heap;

	secm_keys_open();
	for (heap = &secm_default_heap; heap; heap = heap->next) {
		secm_snapshot_drop(heap);
		secm_snapshot_take(heap);
	}
	secm_scope_settle();
	secm_keys_close();
}

static void parent(void)
{
	struct secm_heap *heap;

	if (!secm_lock_is_kept(&secm_heap_lock))
		return;
	if (inner) {
		inner--;
		return;
	}
	secm_keys_open();
	for (heap = &secm_default_heap; heap; heap = heap->next)
		secm_snapshot_drop(heap);
	secm_keys_close();
	secm_caches_resume(&secm_default_heap);
	secm_lock_let_go(&secm_heap_lock);
	secm_turns_parent();
}

/* Where the kernel has left the child a copy of the stack that it runs on, and
 * that is one of ours, the end comes here rather than when its pages go. */
static void check_stack(void)
{
	char here = 0;

	if (secm_index_find(&here))
		secm_die(SECM_DIE_FORK);
}

static void child(void)
{
	struct secm_heap *heap;

	if (!secm_lock_is_kept(&secm_heap_lock) || inner)
		return;
	check_stack();
	if (marked)
		*mark = 1;
	secm_log_forked(&secm_default_heap);
	secm_keys_open();
	for (heap = &secm_default_heap; heap; heap = heap->next)
		secm_orphan_forked(heap);
	secm_scope_settle();
	secm_keys_close();
	secm_lock_let_go(&secm_heap_lock);
	secm_turns_child();
}

/* Without memory for it, or a kernel that helps, there is none. */
static void set_mark(void)
{
	char *page = secm_meta_pages(secm_os.page);

	mark_tried = 1;
	if (!page || secm_os_zero_on_fork(page, secm_os.page) != 0)
		return;
	secm_meta_seal(page, secm_os.page);
	*page = 1;
	mark = page;
	secm_store(&marked, 1);
}

static int register_handlers(void)
{
	if (!registered && secm_os_at_fork(prepare, parent, child) == 0)
		registered = 1;
	return registered;
}

/* Before there are other threads, one of which might fork while this one sets
 * the heap up; and before others register: then our prepare runs last. */
SECM_CONSTRUCTOR_FIRST static void at_load(void)
{
	(void)register_handlers(); /* tried again by secm_fork_setup() */
}

int secm_fork_setup(void)
{
	if (!register_handlers())
		return -ENOMEM;
	if (!mark_tried)
		set_mark();
	return 0;
}

int secm_fork_stale(void)
{
	return secm_load(&marked) && !*mark;
}
