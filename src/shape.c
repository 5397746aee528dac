/* SPDX-License-Identifier: MIT */
/*
 * shape.c - other sizes, other places: realloc, resize, align, split
 *
 * Callers: api.c and family.c, under the heap's lock.
 *
 * An alignment that slots do not have anyway is found inside a larger object,
 * which then has one part (parts.c).
 */
#include <errno.h>
#include <string.h>

#include "heap.h"
#include "index.h"
#include "run.h"
#include "scope.h"
#include "slot.h"

/* An object that was checked, as the functions below pass it on. */
struct checked {
	struct secm_span *span;
	struct secm_whole *whole; /* or NULL */
	char *p;
	size_t size;
};

/* Where it is: 1, or 0 and nothing changed. */
static int stay(struct secm_heap *heap, const struct checked *o, size_t size)
{
	if (size > PTRDIFF_MAX)
		return 0;
	if (o->whole)
		return secm_parts_resize(heap, o->span, o->whole, o->p, size);
	if (o->span->kind == SECM_SLAB)
		return secm_slot_resize(heap, o->span, o->p, size);
	return secm_run_stay(heap, o->span, size);
}

/* The same if the new size suits the place. */
static int stay_well(struct secm_heap *heap, const struct checked *o,
		     size_t size)
{
	if (heap->policy.config.flags & SECMALLOC_ALWAYS_MOVE)
		return 0;
	if (o->whole || o->span->kind == SECM_SLAB)
		return (o->whole || !secm_slot_misfits(o->span, size)) &&
		       stay(heap, o, size);
	return secm_run_resize(heap, o->span, size);
}

/* To another place. */
static int relocate(struct secm_heap *heap, const struct checked *o,
		    size_t size, void **out)
{
	int guarded = o->span->kind == SECM_GUARDED && !o->span->u.run.sampled;
	int r = secm_heap_alloc(heap, size,
				guarded ? SECM_HOW_GUARDED : SECM_HOW_ANY, out);

	if (r)
		return r;
	if (o->span->filled) /* else dead, and nothing is there to copy */
		memcpy(*out, o->p, o->size < size ? o->size : size);
	secm_heap_free(heap, o->p);
	return 0;
}

/* 1 if the pages that a large object has, and a few more, are about right. */
static int may_slide(const struct secm_heap *heap, const struct checked *o,
		     size_t size)
{
	const struct secm_span *span = o->span;
	size_t pages = size / secm_os.page + 1;

	if (o->whole || span->kind == SECM_SLAB || span->dead ||
	    pages > span->capacity ||
	    (heap->policy.config.flags & SECMALLOC_ALWAYS_MOVE))
		return 0;
	if (span->kind == SECM_RUN && size <= SECM_SLAB_LARGEST)
		return 0;
	return pages >= span->filled / 2;
}

/* Within its pages: 1 or 0. */
static int slide(struct secm_heap *heap, const struct checked *o, size_t size,
		 void **out)
{
	if (!may_slide(heap, o, size) ||
	    !secm_run_slide(heap, o->span, size, out))
		return 0;
	if (*out != o->p)
		secm_scope_leave(o->p);
	return 1;
}

static int change(struct secm_heap *heap, const struct checked *o, size_t size,
		  void **out)
{
	int r;

	*out = o->p;
	if (stay_well(heap, o, size) || slide(heap, o, size, out))
		return 0;
	r = relocate(heap, o, size, out);
	/* Rather too much room than an error for asking for less. */
	if (r && size < o->size && stay(heap, o, size)) {
		heap->refused--;
		*out = o->p;
		return 0;
	}
	return r;
}

static struct checked check(struct secm_heap *heap, void *p)
{
	struct checked o = { .p = p };

	o.size = secm_heap_check(heap, p, &o.span, &o.whole);
	return o;
}

int secm_heap_realloc(struct secm_heap *heap, void *p, size_t size, void **out)
{
	struct checked o = check(heap, p);
	int r = change(heap, &o, size, out);

	if (r == 0)
		o.span->rest = SECM_READWRITE;
	return r;
}

int secm_heap_resize(struct secm_heap *heap, void *p, size_t size)
{
	struct checked o = check(heap, p);

	if (!stay(heap, &o, size))
		return -ENOMEM;
	o.span->rest = SECM_READWRITE;
	return 0;
}

/* The first multiple of align from p on; align need not be a power of two. */
static char *round_up(char *p, size_t align)
{
	size_t over = (uintptr_t)p % align;

	return over ? p + (align - over) : p;
}

static size_t common_divisor(size_t a, size_t b)
{
	while (b) {
		size_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Keeps [start, start + size) of a fresh object of so many bytes. */
static int carve(struct secm_heap *heap, char *object, size_t whole,
		 char *start, size_t size)
{
	struct secm_span *span = secm_index_find(object);

	if (start == object && span->kind == SECM_SLAB &&
	    secm_slot_resize(heap, span, object, size))
		return 0;
	if (start == object && size == whole)
		return 0;
	return secm_parts_make(heap, span, object, whole, start, size);
}

int secm_heap_aligned(struct secm_heap *heap, size_t align, size_t size,
		      void **out)
{
	size_t spare = align - common_divisor(align, SECM_ALIGN), whole;
	void *object;
	char *start;
	int r;

	if (spare == 0)
		return secm_heap_alloc(heap, size, SECM_HOW_ANY, out);
	/* An empty object has an address inside, too. */
	if (secm_size_add(size ? size : 1, spare, &whole) != 0) {
		heap->refused++;
		return -ENOMEM;
	}
	r = secm_heap_alloc(heap, whole, SECM_HOW_PLAIN, &object);
	if (r)
		return r;
	start = round_up(object, align);
	if (secm_index_find(object)->kind != SECM_SLAB) /* near the guard */
		start += (size_t)((char *)object + whole - start -
				  (size ? size : 1)) /
			 align * align;
	r = carve(heap, object, whole, start, size);
	if (r) {
		heap->refused++;
		secm_heap_free(heap, object);
		return r;
	}
	*out = start;
	return 0;
}

int secm_heap_split(struct secm_heap *heap, void *p, size_t at, void **out)
{
	struct checked o = check(heap, p);
	int r = 0;

	if (at == 0 || at >= o.size || o.span->dead ||
	    (o.span->kind == SECM_GUARDED && !o.span->u.run.sampled))
		return -EINVAL;
	if (!o.whole) {
		r = secm_parts_make(heap, o.span, p, o.size, p, o.size);
		o.whole = secm_parts_of(heap, o.span, p);
	}
	if (r == 0)
		r = secm_parts_split(heap, o.whole, p, at);
	if (r == 0)
		*out = (char *)p + at;
	return r;
}
