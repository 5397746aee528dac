/* SPDX-License-Identifier: MIT */
/*
 * api.c - the public entry points: check arguments, try the thread's cache,
 * else lock, call down, filter errors
 *
 * No logic and no state.  What a cache can do by itself needs no lock and no
 * look at the process: after fork caches are closed.  Each other function that
 * may find itself in a child made without fork handlers asks secm_fork_stale()
 * before it takes the lock, which might be held there for ever.
 */
#include <errno.h>
#include <string.h>

#include "api.h"
#include "check.h"
#include "error.h"
#include "fork.h"
#include "keys.h"
#include "quick.h"
#include "run.h"
#include "scope.h"
#include "secmalloc.h"
#include "size.h"
#include "turn.h"
#include "wipe.h"

static struct secm_heap *const heap = &secm_default_heap;

void secm_take(void)
{
	secm_lock(&secm_heap_lock);
	secm_keys_open();
}

int secm_enter_anyway(void)
{
	if (secm_fork_stale())
		return -EPERM;
	secm_take();
	return 0;
}

/* Under the lock, which is let go of after an error. */
static int make_ready(struct secm_heap *h)
{
	int r = secm_heap_ready(h);

	if (r) {
		h->refused++;
		secm_leave();
	}
	return r;
}

int secm_enter(struct secm_heap *h)
{
	int r = secm_enter_anyway();

	return r ? r : make_ready(h ? h : heap);
}

void secm_leave(void)
{
	if (SECM_UNLIKELY(heap->shed.on != heap->shut))
		secm_caches_shut(heap, heap->shed.on);
	secm_scope_settle();
	secm_check_heaps();
	secm_keys_close();
	if (SECM_UNLIKELY(secm_lock_is_kept(&secm_heap_lock)))
		secm_fork_copy_again();
	if (SECM_UNLIKELY(secm_log_pending(&heap->log)))
		secm_log_unlock(heap);
	else
		secm_unlock(&secm_heap_lock);
}

int secm_try(struct secm_heap *h, size_t align, size_t size, enum secm_how how,
	     void **out)
{
	int r = secm_enter(h);

	if (r)
		return r;
	r = align > 1 ? secm_heap_aligned(h, align, size, out)
		      : secm_heap_alloc(h, size, how, out);
	secm_leave();
	return r;
}

SECM_NOINLINE void *secm_allocate_in(struct secm_heap *h, size_t align,
				     size_t size, enum secm_how how)
{
	int saved = errno, r;
	void *p = NULL;

	do
		r = secm_try(h, align, size, how, &p);
	while (r && secm_oom_ask(h, size, secm_error_filter(r)));
	if (secm_error(r) != 0)
		return NULL;
	errno = saved;
	return p;
}

SECM_NOINLINE void *secm_allocate(size_t size, enum secm_how how)
{
	void *p = how == SECM_HOW_ANY ? secm_quick_alloc_rest(size) : NULL;
	int saved;

	if (p)
		return p;
	p = secm_allocate_in(heap, 1, size, how);
	if (p) {
		saved = errno;
		secm_cache_start(heap, 0);
		errno = saved;
	}
	return p;
}

SECM_API int secmalloc_init(const struct secmalloc_config *config)
{
	int saved = errno, r;

	if (config && config->access != SECMALLOC_ACCESS_ALWAYS)
		return secm_error(-EINVAL); /* threads keep slots of this one */
	r = secm_enter_anyway();
	if (r)
		return secm_error(r);
	r = secm_heap_start(heap, config);
	secm_leave();
	if (secm_error(r) != 0)
		return -1;
	errno = saved;
	return 0;
}

static SECM_INLINE void *quick(size_t size)
{
	void *p = secm_quick_alloc(size);

	return SECM_LIKELY(p != NULL) ? p : secm_allocate(size, SECM_HOW_ANY);
}

SECM_API void *secmalloc(size_t size)
{
	return quick(size);
}

/* The same for the others: small objects start as zeros anyway. */
static SECM_NOINLINE void *alloc(size_t size)
{
	return quick(size);
}

SECM_API void *secmalloc_guarded(size_t size)
{
	return secm_allocate(size, SECM_HOW_GUARDED);
}

SECM_API void *seccalloc(size_t count, size_t size)
{
	size_t total;

	if (secm_size_mul(count, size, &total) != 0) {
		errno = ENOMEM;
		return NULL;
	}
	return alloc(total);
}

static SECM_NOINLINE void release(void *p)
{
	int saved;

	/* Without fork handlers nothing of ours is in this process. */
	if (!p || secm_quick_free_rest(p) || secm_fork_stale())
		return;
	saved = errno;
	secm_take();
	secm_heap_free(secm_heap_of(p), p);
	secm_leave();
	secm_cache_start(heap, 0);
	errno = saved;
}

SECM_API void secfree(void *p)
{
	if (SECM_UNLIKELY(!secm_quick_free(p)))
		release(p);
}

/* Without the lock, from one small object to another: NULL, do it otherwise. */
static void *quick_realloc(void *p, size_t size)
{
	int move = heap->policy.config.flags & SECMALLOC_ALWAYS_MOVE;
	size_t old;
	void *new;

	if (secm_fork_stale() || size > SECM_SLAB_LARGEST ||
	    secm_quick_size(p, &old) != 0)
		return NULL;
	if (!move && secm_quick_resize(p, size))
		return p;
	if (!move && secm_object_class(size) == secm_object_class(old))
		return NULL;
	new = secm_quick_alloc(size);
	if (!new)
		new = secm_quick_alloc_rest(size);
	if (!new)
		return NULL;
	memcpy(new, p, old < size ? old : size);
	secfree(p);
	return new;
}

/* *of: the heap that it was tried in. */
static int slow_realloc(void *p, size_t size, void **out, struct secm_heap **of)
{
	int r = secm_enter_anyway();

	if (r)
		return r;
	*of = secm_heap_of(p);
	r = make_ready(*of);
	if (r)
		return r;
	r = secm_heap_realloc(*of, p, size, out);
	secm_leave();
	return r;
}

SECM_API void *secrealloc(void *p, size_t size)
{
	int saved = errno, r;
	struct secm_heap *of = heap;
	void *new = NULL;

	if (!p)
		return alloc(size);
	if (size == 0) {
		secfree(p);
		return NULL;
	}
	new = quick_realloc(p, size);
	if (new)
		return new;
	do
		r = slow_realloc(p, size, &new, &of);
	while (r && secm_oom_ask(of, size, secm_error_filter(r)));
	if (secm_error(r) != 0)
		return NULL;
	errno = saved;
	return new;
}

SECM_API int secmalloc_protect(void *p, int access)
{
	struct secm_span *span;
	int saved = errno, r;

	if (access < SECMALLOC_NOACCESS || access > SECMALLOC_READWRITE)
		return secm_error(-EINVAL);
	r = secm_enter_anyway();
	if (r)
		return secm_error(r);
	r = secm_heap_guarded(secm_heap_of(p), p, &span);
	if (r == 0 && span->heap->access != SECMALLOC_BY_NOTHING)
		r = -EINVAL;
	if (r == 0)
		r = secm_run_protect(span, (enum secm_access)access);
	secm_leave();
	if (secm_error(r) != 0)
		return -1;
	errno = saved;
	return 0;
}

SECM_API size_t secmalloc_usable_size(const void *p)
{
	size_t size = 0;
	int r;

	if (!p)
		return 0;
	if (secm_fork_stale()) {
		errno = EINVAL;
		return 0;
	}
	if (secm_quick_size(p, &size) == 0)
		return size;
	secm_take();
	r = secm_heap_size(secm_heap_of(p), p, &size);
	secm_leave();
	if (r)
		(void)secm_error(r); /* sets errno; the answer is 0 */
	return size;
}

SECM_API int secmalloc_owns(const void *p)
{
	int owns;

	if (secm_enter_anyway() != 0)
		return 0;
	owns = secm_heap_owns(secm_heap_of(p), p);
	secm_leave();
	return owns;
}

SECM_API void secmalloc_shutdown(void)
{
	int saved = errno;
	struct secm_heap *h;

	if (secm_fork_stale())
		return;
	secm_turns_forget(NULL);
	secm_take();
	for (h = heap; h; h = h->next)
		secm_heap_stop(h);
	secm_leave();
	errno = saved;
}
