/* SPDX-License-Identifier: MIT */
/*
 * secretkey.c - make, copy, compare and free keys
 *
 * Public functions.  A key is an object of a heap with access scopes; as for
 * buffers the handle is the object itself, and what is from before a fork or
 * shutdown is no source of another.  How keys are read is in keyscope.c.
 */
#include <errno.h>
#include <string.h>

#include "api.h"
#include "buf.h"
#include "error.h"
#include "fork.h"
#include "keyscope.h"
#include "secmalloc.h"
#include "turn.h"
#include "wipe.h"

/* For keys without a heap of the program's own; made with the first of them. */
static struct secm_heap *own_heap;

static void *bytes_of(const secmalloc_key *key)
{
	return (void *)(uintptr_t)key;
}

static secmalloc_heap *handle(struct secm_heap *heap)
{
	return (secmalloc_heap *)(void *)heap;
}

/* As the default heap is, but closed. */
static struct secmalloc_config config(void)
{
	struct secmalloc_config c = secm_default_heap.policy.config;

	c.access = SECMALLOC_ACCESS_SCOPES;
	c.initial_pools = 0;
	c.log_level = SECMALLOC_LOG_NONE;
	c.log = NULL;
	return c;
}

/* After shutdown, as the default heap. */
static int restart(void)
{
	struct secmalloc_config c = config();

	return own_heap->state == SECM_DOWN ? secm_heap_start(own_heap, &c) : 0;
}

void secm_key_heap_gone(const struct secm_heap *heap)
{
	if (heap == own_heap)
		own_heap = NULL;
}

/* Two threads may do that at once: then the second heap is in excess. */
static int make_own_heap(const struct secmalloc_config *c,
			 struct secm_heap **own)
{
	secmalloc_heap *new = secmalloc_heap_create(c);
	int r = new ? secm_enter_anyway() : -errno;

	if (r)
		return r;
	if (!own_heap) {
		own_heap = secm_heap_alive(new);
		new = NULL;
	}
	*own = own_heap;
	secm_leave();
	secmalloc_heap_destroy(new);
	return 0;
}

/* Where keys are made that are to be in *heap: 0 or a negative errno. */
static int choose_heap(secmalloc_heap **heap)
{
	struct secmalloc_config c;
	struct secm_heap *own;
	int r;

	if (*heap)
		return secm_heap_has_scopes(*heap) ? 0 : -EINVAL;
	r = secm_enter(NULL);
	if (r)
		return r;
	c = config();
	own = own_heap;
	if (own)
		r = restart();
	secm_leave();
	if (!own)
		r = make_own_heap(&c, &own);
	if (r == 0)
		*heap = handle(own);
	return r;
}

/* A new key that nobody else knows yet, open to be written; close_new() it. */
static void *make(secmalloc_heap *heap, size_t size)
{
	int saved = errno;
	void *p;

	if (secm_error(choose_heap(&heap)) != 0)
		return NULL;
	p = secmalloc_heap_malloc(heap, size);
	if (!p)
		return NULL;
	secm_turn_leave(p); /* one before it, that secfree() has freed */
	if (secmalloc_begin(p, SECMALLOC_READWRITE) != 0) {
		secfree(p); /* keeps errno */
		return NULL;
	}
	errno = saved;
	return p;
}

static secmalloc_key *close_new(void *p)
{
	secmalloc_end(p, SECMALLOC_READWRITE);
	return p;
}

SECM_API secmalloc_key *secmalloc_key_from(secmalloc_heap *heap,
					   const void *bytes, size_t size)
{
	void *p;

	if (!bytes && size > 0) {
		errno = EINVAL;
		return NULL;
	}
	p = make(heap, size);
	if (!p)
		return NULL;
	if (size > 0)
		memcpy(p, bytes, size);
	return close_new(p);
}

SECM_API secmalloc_key *secmalloc_key_take(secmalloc_heap *heap, void *bytes,
					   size_t size)
{
	secmalloc_key *key = secmalloc_key_from(heap, bytes, size);

	if (key)
		secm_wipe(bytes, size);
	return key;
}

SECM_API secmalloc_key *secmalloc_key_random(secmalloc_heap *heap, size_t size)
{
	void *p = make(heap, size);

	if (!p)
		return NULL;
	if (secmalloc_random(p, size) == 0)
		return close_new(p);
	secfree(close_new(p)); /* both keep errno */
	return NULL;
}

SECM_API secmalloc_key *secmalloc_key_from_buf(secmalloc_heap *heap,
					       secmalloc_buf *buf)
{
	secmalloc_key *key;
	int saved = errno;
	size_t size;

	if (secm_error(secm_buf_size(buf, &size)) != 0)
		return NULL;
	errno = saved;
	key = secmalloc_key_from(heap, secmalloc_buf_data(buf), size);
	if (key)
		secmalloc_buf_free(buf);
	return key;
}

SECM_API secmalloc_buf *secmalloc_key_to_buf(secmalloc_heap *heap,
					     const secmalloc_key *key)
{
	int saved = errno;
	secmalloc_buf *buf;
	const void *from;
	size_t size;

	if (secm_error(secm_key_size(key, &size)) != 0)
		return NULL;
	errno = saved;
	buf = secmalloc_buf_new(heap, size);
	if (!buf)
		return NULL;
	from = secmalloc_key_read(key);
	if (!from) {
		secmalloc_buf_free(buf);
		return NULL;
	}
	memcpy(secmalloc_buf_data(buf), from, size);
	secmalloc_key_read_end(key);
	return buf;
}

SECM_API secmalloc_key *secmalloc_key_clone(secmalloc_heap *heap,
					    const secmalloc_key *key)
{
	const void *from;
	int saved = errno;
	size_t size;
	void *p;

	if (secm_error(secm_key_size(key, &size)) != 0)
		return NULL;
	errno = saved;
	from = secmalloc_key_read(key);
	if (!from)
		return NULL;
	p = make(heap, size);
	if (p) {
		memcpy(p, from, size);
		p = close_new(p);
	}
	secmalloc_key_read_end(key);
	return p;
}

SECM_API size_t secmalloc_key_size(const secmalloc_key *key)
{
	int saved = errno, r;
	size_t size;

	r = secm_key_size(key, &size);
	errno = saved;
	return r == -EINVAL ? 0 : size; /* else it is right anyway */
}

/* Two threads that compare the same keys take them in one order. */
SECM_API int secmalloc_key_equal(const secmalloc_key *a, const secmalloc_key *b)
{
	const secmalloc_key *first = (uintptr_t)a < (uintptr_t)b ? a : b;
	const secmalloc_key *second = first == a ? b : a;
	size_t one, other;
	int saved = errno, r = secm_key_size(a, &one);

	if (r == 0)
		r = secm_key_size(b, &other);
	if (secm_error(r) != 0)
		return 0;
	errno = saved;
	if (one != other || !secmalloc_key_read(first))
		return 0;
	if (secmalloc_key_read(second)) {
		r = secm_equal(bytes_of(a), bytes_of(b), one);
		secmalloc_key_read_end(second);
	}
	secmalloc_key_read_end(first);
	return r;
}

SECM_API void secmalloc_key_free(secmalloc_key *key)
{
	if (!key || secm_fork_stale())
		return;
	secm_turn_leave(key);
	secfree(bytes_of(key));
}
