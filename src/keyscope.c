/* SPDX-License-Identifier: MIT */
/*
 * keyscope.c - read and write keys: scopes of threads
 *
 * Public functions.  Whose turn it is turn.c decides; the heap that a key is in
 * opens and closes its bytes.
 *
 * K1  A thread has its turn before the bytes are opened and until they are
 *     closed, and neither lock in between.
 * K2  Nested scopes of one thread are one to the heap.
 */
#include "keyscope.h"

#include <errno.h>
#include <string.h>

#include "api.h"
#include "error.h"
#include "fork.h"
#include "holder.h"
#include "index.h"
#include "scope.h"
#include "turn.h"

static void *address(const secmalloc_key *key)
{
	return (void *)(uintptr_t)key;
}

/* A key's size and span, under the lock.  Dies if it is no object.  -EPERM:
 * there is nothing left of it; -EINVAL: no key. */
static int look_at(const secmalloc_key *key, struct secm_span **span,
		   size_t *size)
{
	struct secm_heap *heap = secm_heap_of(key);
	struct secm_whole *whole;

	if (secm_heap_size(heap, key, size) != 0)
		*size = secm_heap_check(heap, address(key), span, &whole);
	*span = secm_index_find(key);
	if (!secm_scope_has(*span))
		return -EINVAL;
	return (*span)->dead ? -EPERM : 0;
}

int secm_key_size(const secmalloc_key *key, size_t *size)
{
	struct secm_span *span;
	int r;

	*size = 0;
	if (!key)
		return -EINVAL;
	r = secm_enter_anyway();
	if (r)
		return r;
	r = look_at(key, &span, size);
	secm_leave();
	return r;
}

static int open_bytes(const secmalloc_key *key, int access)
{
	struct secm_span *span;
	size_t size;
	int r = secm_enter_anyway();

	if (r)
		return r;
	r = look_at(key, &span, &size);
	if (r == 0)
		r = secm_scope_begin(span, key, (enum secm_access)access);
	secm_leave();
	return r;
}

/* The bytes; NULL and errno. */
static void *begin(const secmalloc_key *key, int access, int wait)
{
	int write = access == SECMALLOC_READWRITE, saved = errno, r;

	if (!key)
		r = -EINVAL;
	else if (secm_fork_stale())
		r = -EPERM;
	else
		r = secm_turn_take(key, write, wait);
	if (r == 0) {
		r = open_bytes(key, access); /* K1 */
		if (r)
			secm_turn_give(key, secm_holder_self(), write);
	} else if (r > 0) {
		r = 0; /* K2 */
	}
	if (secm_error(r) != 0)
		return NULL;
	errno = saved;
	return address(key);
}

static void end(const secmalloc_key *key, int access)
{
	int write = access == SECMALLOC_READWRITE, saved = errno;

	if (secm_fork_stale())
		return; /* nothing of it is in this process */
	if (secm_turn_last(key, write)) {
		secmalloc_end(key, access);
		secm_turn_give(key, secm_holder_self(), write); /* K1 */
	}
	errno = saved;
}

SECM_API const void *secmalloc_key_read(const secmalloc_key *key)
{
	return begin(key, SECMALLOC_READONLY, 1);
}

SECM_API const void *secmalloc_key_try_read(const secmalloc_key *key)
{
	return begin(key, SECMALLOC_READONLY, 0);
}

SECM_API void *secmalloc_key_write(secmalloc_key *key)
{
	return begin(key, SECMALLOC_READWRITE, 1);
}

SECM_API void *secmalloc_key_try_write(secmalloc_key *key)
{
	return begin(key, SECMALLOC_READWRITE, 0);
}

SECM_API void secmalloc_key_read_end(const secmalloc_key *key)
{
	end(key, SECMALLOC_READONLY);
}

SECM_API void secmalloc_key_write_end(secmalloc_key *key)
{
	end(key, SECMALLOC_READWRITE);
}

/* What a variable of any type of pointer holds. */
static secmalloc_key *held_by(const void *variable)
{
	secmalloc_key *key;

	memcpy(&key, variable, sizeof(key));
	return key;
}

SECM_API void secmalloc_key_read_cleanup(void *variable)
{
	if (held_by(variable))
		secmalloc_key_read_end(held_by(variable));
}

SECM_API void secmalloc_key_write_cleanup(void *variable)
{
	if (held_by(variable))
		secmalloc_key_write_end(held_by(variable));
}
