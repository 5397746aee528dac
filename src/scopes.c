/* SPDX-License-Identifier: MIT */
/*
 * scopes.c - begin and end access scopes
 *
 * Public functions.  Those of a heap with a key take no lock: what they change
 * is the calling thread's own.  All others take it.
 */
#include <errno.h>

#include "api.h"
#include "error.h"
#include "fork.h"
#include "index.h"
#include "keys.h"
#include "scope.h"
#include "secmalloc.h"

static int is_scope(int access)
{
	return access == SECMALLOC_READONLY || access == SECMALLOC_READWRITE;
}

/* The span of the object that starts at p and can have scopes: NULL if there is
 * none. */
static struct secm_span *span_with_scopes(const void *p)
{
	struct secm_span *span = secm_index_find(p);
	size_t size;

	if (!span || secm_heap_size(span->heap, p, &size) != 0 ||
	    !secm_scope_has(span))
		return NULL;
	return span;
}

SECM_API int secmalloc_begin(const void *p, int access)
{
	struct secm_span *span;
	int saved = errno, r;

	if (!p || !is_scope(access))
		return secm_error(-EINVAL);
	r = secm_enter_anyway();
	if (r)
		return secm_error(r);
	span = span_with_scopes(p);
	r = span ? secm_scope_begin(span, p, (enum secm_access)access)
		 : -EINVAL;
	secm_leave();
	if (r == 0)
		errno = saved;
	return secm_error(r);
}

SECM_API void secmalloc_end(const void *p, int access)
{
	struct secm_span *span;
	int saved = errno;

	if (!is_scope(access))
		secm_die(SECM_DIE_SCOPE);
	if (secm_enter_anyway() != 0)
		return; /* nothing of it is in this process */
	span = secm_index_find(p);
	if (!span)
		secm_die(SECM_DIE_SCOPE);
	secm_scope_end(span, p, (enum secm_access)access);
	secm_leave();
	errno = saved;
}

/* The heap if the quick way will do: a destroyed one has no key. */
static inline struct secm_heap *with_key(secmalloc_heap *handle, int access)
{
	struct secm_heap *heap = (struct secm_heap *)(void *)handle;

	return heap && heap->key && is_scope(access) ? heap : NULL;
}

SECM_API int secmalloc_heap_begin(secmalloc_heap *handle, int access)
{
	struct secm_heap *heap = with_key(handle, access);
	int saved, r;

	if (SECM_LIKELY(heap != NULL)) {
		secm_keys_add(heap, access == SECMALLOC_READWRITE);
		secm_keys_apply(heap);
		return 0;
	}
	heap = secm_heap_alive(handle);
	if (!is_scope(access) || heap->access == SECMALLOC_BY_NOTHING)
		return secm_error(-EINVAL);
	saved = errno;
	r = secm_enter_anyway();
	if (r)
		return secm_error(r);
	r = secm_scope_begin_heap(heap, (enum secm_access)access);
	secm_leave();
	if (r == 0)
		errno = saved;
	return secm_error(r);
}

SECM_API void secmalloc_heap_end(secmalloc_heap *handle, int access)
{
	struct secm_heap *heap = with_key(handle, access);
	int saved;

	if (SECM_LIKELY(heap != NULL)) {
		secm_keys_take(heap, access == SECMALLOC_READWRITE);
		secm_keys_apply(heap);
		return;
	}
	heap = secm_heap_alive(handle);
	if (!is_scope(access) || heap->access == SECMALLOC_BY_NOTHING)
		secm_die(SECM_DIE_SCOPE);
	saved = errno;
	if (secm_enter_anyway() != 0)
		return;
	secm_scope_end_heap(heap, (enum secm_access)access);
	secm_leave();
	errno = saved;
}

SECM_API void secmalloc_scope_end(struct secmalloc_scope *scope)
{
	if (scope->begun && scope->p)
		secmalloc_end(scope->p, scope->access);
	else if (scope->begun)
		secmalloc_heap_end(scope->heap, scope->access);
}
