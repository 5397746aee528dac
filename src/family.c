/* SPDX-License-Identifier: MIT */
/*
 * family.c - the public functions around the classic four
 *
 * Arrays, strings, alignment, parts, sizes in place, the segment.  As in api.c
 * there is no logic here and no state.
 */
#include <errno.h>
#include <string.h>

#include "api.h"
#include "error.h"
#include "quick.h"
#include "secmalloc.h"
#include "segment.h"
#include "size.h"

static struct secm_heap *const heap = &secm_default_heap;

SECM_API void *secmalloc_array(size_t count, size_t size)
{
	return seccalloc(count, size);
}

SECM_API void *secmalloc_realloc_array(void *p, size_t count, size_t size)
{
	size_t total;

	if (secm_size_mul(count, size, &total) != 0) {
		errno = ENOMEM;
		return NULL;
	}
	return secrealloc(p, total);
}

static char *copy(const char *s, size_t length)
{
	char *p = secmalloc(length + 1);

	if (p)
		memcpy(p, s, length); /* the zero behind it is there */
	return p;
}

SECM_API char *secmalloc_strdup(const char *s)
{
	return copy(s, strlen(s));
}

SECM_API char *secmalloc_strndup(const char *s, size_t size)
{
	const char *end = memchr(s, 0, size);

	if (size > PTRDIFF_MAX - 1 && !end) {
		errno = ENOMEM;
		return NULL;
	}
	return copy(s, end ? (size_t)(end - s) : size);
}

SECM_API void *secmalloc_aligned(size_t align, size_t size)
{
	if (!secm_is_alignment(align)) {
		errno = EINVAL;
		return NULL;
	}
	return secm_allocate_in(heap, align, size, SECM_HOW_ANY);
}

SECM_API int secmalloc_try(void **p, size_t size, size_t align)
{
	int saved = errno, r;

	if (!p || !secm_is_alignment(align))
		return -EINVAL;
	r = secm_try(heap, align, size, SECM_HOW_ANY, p);
	errno = saved;
	return -secm_error_filter(r);
}

SECM_API int secmalloc_resize(void *p, size_t size)
{
	int saved = errno, r;

	if (!p)
		return secm_error(-EINVAL);
	r = secm_enter_anyway();
	if (r)
		return secm_error(r);
	r = secm_heap_resize(secm_heap_of(p), p, size);
	secm_leave();
	if (r == 0)
		errno = saved;
	return secm_error(r);
}

SECM_API void *secmalloc_split(void *p, size_t at)
{
	int saved = errno, r = p ? secm_enter_anyway() : -EINVAL;
	void *rest = NULL;

	if (r == 0) {
		r = secm_heap_split(secm_heap_of(p), p, at, &rest);
		secm_leave();
	}
	if (secm_error(r) != 0)
		return NULL;
	errno = saved;
	return rest;
}

/* The size of an object that nobody but the caller frees or resizes now. */
static int size_of(const void *p, size_t *size)
{
	int r = secm_quick_size(p, size);

	if (r == 0)
		return 0;
	r = secm_enter_anyway();
	if (r == 0) {
		r = secm_heap_size(secm_heap_of(p), p, size);
		secm_leave();
	}
	return r;
}

SECM_API void secmalloc_free_sized(void *p, size_t size)
{
	int saved = errno;
	size_t found;

	/* What is no object at all is told by secfree(). */
	if (p && size_of(p, &found) == 0 && found != size)
		secm_die(SECM_DIE_SIZE);
	errno = saved;
	secfree(p);
}

SECM_API void *secmalloc_sbrk(ptrdiff_t increment)
{
	int saved = errno, r = secm_enter(heap);
	void *end = NULL;

	if (r == 0) {
		r = secm_segment_move(heap, increment, &end);
		secm_leave();
	}
	if (secm_error(r) != 0)
		return (void *)-1;
	errno = saved;
	return end;
}
