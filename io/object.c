/* SPDX-License-Identifier: MIT */
/*
 * object.c - the secret object that something is loaded into
 *
 * Called by every loader.  Lock: none; an object belongs to one call until it is
 * handed to the caller.
 *
 * A growing object moves by being copied and wiped, so it is never left in two
 * places.  It must not be freed inside a scope of its own; that is why scopes are
 * opened around each touch, and not once.
 *
 * I1  Contents are copied word by word, and not by secrealloc().  What the C
 *     library does faster leaves parts of them in vector registers, half a
 *     kilobyte and more, and the next signal takes those to the stack.
 */
#include "io.h"

#include <errno.h>
#include <stdint.h>

/* No more than that is in a register. */
#if defined(__GNUC__) || defined(__clang__)
typedef size_t word __attribute__((__may_alias__));
#else
typedef unsigned char word;
#endif

enum { FIRST = 1000 }; /* bytes of what does not say how long it is */

static size_t tail(const struct secm_io_object *o)
{
	return o->options->flags & SECMALLOC_LOAD_STRING ? 1 : 0;
}

static void *make(const struct secm_io_object *o, size_t size)
{
	return o->options->flags & SECMALLOC_LOAD_GUARDED
		       ? secmalloc_heap_guarded(o->options->heap, size)
		       : secmalloc_heap_malloc(o->options->heap, size);
}

/* I1: volatile keeps the compiler from doing what the C library does.  Objects
 * and the bounce buffer begin where words do. */
static void copy(void *to, const void *from, size_t size)
{
	const volatile unsigned char *p = from;
	unsigned char *q = to;
	size_t i = 0;

	if (((uintptr_t)to | (uintptr_t)from) % sizeof(word) == 0)
		for (; size - i >= sizeof(word); i += sizeof(word))
			*(word *)(q + i) = *(const volatile word *)(p + i);
	for (; i < size; i++)
		q[i] = p[i];
}

int secm_io_object_begin(struct secm_io_object *o,
			 const struct secmalloc_load_options *options,
			 size_t room)
{
	o->options = options;
	o->length = 0;
	o->room = room;
	o->data = make(o, room + tail(o));
	if (!o->data)
		return -errno;
	o->scoped = options->heap &&
		    secmalloc_begin(o->data, SECMALLOC_READWRITE) == 0;
	if (o->scoped)
		secmalloc_end(o->data, SECMALLOC_READWRITE);
	return 0;
}

/* The contents into another object of that size. */
static int move(struct secm_io_object *o, size_t size)
{
	struct secm_io_object to = *o;
	int e;

	to.data = make(o, size);
	if (!to.data)
		return -errno;
	e = secm_io_object_open(&to);
	if (e == 0) {
		e = secm_io_object_open(o);
		if (e == 0) {
			copy(to.data, o->data, o->length);
			secm_io_object_close(o);
		}
		secm_io_object_close(&to);
	}
	if (e < 0) {
		secfree(to.data);
		return e;
	}
	secfree(o->data);
	o->data = to.data;
	return 0;
}

/* Where it is, unless most of that would be left over, or elsewhere. */
static int set_room(struct secm_io_object *o, size_t room)
{
	const size_t size = room + tail(o);
	const int saved = errno;
	int e = 0;

	if (size <= o->room / 2 || secmalloc_resize(o->data, size) != 0)
		e = move(o, size);
	if (e < 0 && size <= o->room / 2 &&
	    secmalloc_resize(o->data, size) == 0)
		e = 0;
	if (e < 0)
		return e;
	o->room = room;
	errno = saved;
	return 0;
}

int secm_io_object_grow(struct secm_io_object *o)
{
	const size_t most = o->options->max + 1;
	size_t room;

	if (o->length > o->options->max)
		return -EFBIG;
	if (o->length < o->room)
		return 0;
	room = o->room < FIRST	    ? FIRST
	       : o->room > most / 2 ? most
				    : 2 * o->room;
	if (room > most)
		room = most;
	return set_room(o, room);
}

int secm_io_object_open(const struct secm_io_object *o)
{
	if (!o->scoped)
		return 0;
	return secmalloc_begin(o->data, SECMALLOC_READWRITE) == 0 ? 0 : -errno;
}

void secm_io_object_close(const struct secm_io_object *o)
{
	if (o->scoped)
		secmalloc_end(o->data, SECMALLOC_READWRITE);
}

int secm_io_object_add(struct secm_io_object *o, const void *bytes, size_t size)
{
	int e = secm_io_object_open(o);

	if (e < 0)
		return e;
	copy(o->data + o->length, bytes, size);
	secm_io_object_close(o);
	o->length += size;
	return 0;
}

/* What an earlier try left behind the length may be where the zero byte is to
 * be; the rest of it is wiped when it is cut off. */
static int end_string(const struct secm_io_object *o)
{
	int e;

	if (tail(o) == 0)
		return 0;
	e = secm_io_object_open(o);
	if (e < 0)
		return e;
	o->data[o->length] = 0;
	secm_io_object_close(o);
	return 0;
}

int secm_io_object_end(struct secm_io_object *o, void **data)
{
	int e = o->length > o->options->max ? -EFBIG : end_string(o);

	if (e == 0 && o->length < o->room)
		e = set_room(o, o->length);
	if (e < 0) {
		secm_io_object_abandon(o);
		return e;
	}
	*data = o->data;
	return 0;
}

void secm_io_object_abandon(struct secm_io_object *o)
{
	secfree(o->data);
	o->data = NULL;
}
