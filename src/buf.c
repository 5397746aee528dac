/* SPDX-License-Identifier: MIT */
/*
 * buf.c - secrets of a fixed length that can always be read
 *
 * Public functions.  No state, no lock of their own.
 *
 * I1  A handle is the object itself: its first byte is the first of the data,
 *     and its size the one that the allocator knows.  There is no second
 *     structure that could be overwritten or go out of step.
 * I2  What is from before a fork or shutdown is no source and equals nothing:
 *     its zeros are not the secret that it was.
 */
#include "buf.h"

#include <errno.h>
#include <string.h>

#include "api.h"
#include "error.h"
#include "hex.h"
#include "quick.h"
#include "size.h"
#include "wipe.h"

static void *data(const secmalloc_buf *buf)
{
	return (void *)(uintptr_t)buf;
}

int secm_buf_size(const secmalloc_buf *buf, size_t *size)
{
	struct secm_whole *whole;
	struct secm_span *span;
	int r;

	*size = 0;
	if (!buf)
		return -EINVAL;
	if (secm_quick_size(buf, size) == 0)
		return 0;
	r = secm_enter_anyway();
	if (r)
		return r;
	*size = secm_heap_check(secm_heap_of(buf), data(buf), &span, &whole);
	if (span->dead)
		r = -EPERM;
	secm_leave();
	return r;
}

SECM_API secmalloc_buf *secmalloc_buf_new(secmalloc_heap *heap, size_t size)
{
	if (secm_heap_has_scopes(heap)) {
		errno = EINVAL;
		return NULL;
	}
	return secmalloc_heap_malloc(heap, size);
}

SECM_API secmalloc_buf *secmalloc_buf_from(secmalloc_heap *heap,
					   const void *bytes, size_t size)
{
	secmalloc_buf *buf;

	if (!bytes && size > 0) {
		errno = EINVAL;
		return NULL;
	}
	buf = secmalloc_buf_new(heap, size);
	if (buf && size > 0)
		memcpy(data(buf), bytes, size);
	return buf;
}

SECM_API secmalloc_buf *secmalloc_buf_take(secmalloc_heap *heap, void *bytes,
					   size_t size)
{
	secmalloc_buf *buf = secmalloc_buf_from(heap, bytes, size);

	if (buf)
		secm_wipe(bytes, size);
	return buf;
}

SECM_API secmalloc_buf *secmalloc_buf_random(secmalloc_heap *heap, size_t size)
{
	secmalloc_buf *buf = secmalloc_buf_new(heap, size);

	if (!buf || secmalloc_random(data(buf), size) == 0)
		return buf;
	secfree(data(buf)); /* keeps errno */
	return NULL;
}

SECM_API secmalloc_buf *secmalloc_buf_concat(secmalloc_heap *heap,
					     const secmalloc_buf *a,
					     const secmalloc_buf *b)
{
	size_t first, second, all;
	secmalloc_buf *buf;
	int saved = errno, r = secm_buf_size(a, &first);

	if (r == 0)
		r = secm_buf_size(b, &second);
	if (r == 0)
		r = secm_size_add(first, second, &all);
	if (secm_error(r) != 0)
		return NULL;
	errno = saved;
	buf = secmalloc_buf_new(heap, all);
	if (!buf)
		return NULL;
	memcpy(data(buf), data(a), first);
	memcpy((char *)data(buf) + first, data(b), second);
	return buf;
}

SECM_API secmalloc_buf *secmalloc_buf_clone(secmalloc_heap *heap,
					    const secmalloc_buf *buf)
{
	int saved = errno;
	size_t size;

	if (secm_error(secm_buf_size(buf, &size)) != 0)
		return NULL;
	errno = saved;
	return secmalloc_buf_from(heap, data(buf), size);
}

SECM_API void *secmalloc_buf_data(const secmalloc_buf *buf)
{
	return data(buf);
}

SECM_API size_t secmalloc_buf_size(const secmalloc_buf *buf)
{
	int saved = errno, r;
	size_t size;

	r = secm_buf_size(buf, &size);
	errno = saved;
	return r == -EINVAL ? 0 : size; /* else it is right anyway */
}

SECM_API int secmalloc_buf_equal(const secmalloc_buf *a, const secmalloc_buf *b)
{
	int saved = errno, r;
	size_t first, second;

	r = secm_buf_size(a, &first) == 0 && secm_buf_size(b, &second) == 0 &&
	    first == second && secm_equal(data(a), data(b), first);
	errno = saved;
	return r;
}

SECM_API int secmalloc_buf_equal_bytes(const secmalloc_buf *buf,
				       const void *bytes, size_t size)
{
	int saved = errno, r;
	size_t have;

	r = secm_buf_size(buf, &have) == 0 && have == size &&
	    (bytes || size == 0) && secm_equal(data(buf), bytes, size);
	errno = saved;
	return r;
}

SECM_API int secmalloc_to_hex(char *hex, size_t room, const void *bytes,
			      size_t size)
{
	if (!hex || (!bytes && size > 0) || room == 0 || size > (room - 1) / 2)
		return secm_error(-EINVAL);
	secm_hex(hex, bytes, size);
	hex[2 * size] = 0;
	return 0;
}

SECM_API int secmalloc_from_hex(void *bytes, size_t room, const char *hex,
				size_t length)
{
	if (length == 0)
		return 0;
	if (!bytes || !hex || length % 2 || length / 2 > room)
		return secm_error(-EINVAL);
	return secm_error(secm_unhex(bytes, length / 2, hex));
}

SECM_API char *secmalloc_buf_to_hex(secmalloc_heap *heap,
				    const secmalloc_buf *buf)
{
	int saved = errno, r;
	size_t size, length;
	char *hex;

	r = secm_buf_size(buf, &size);
	if (r == 0)
		r = secm_size_mul(size, 2, &length);
	if (r == 0)
		r = secm_size_add(length, 1, &length);
	if (secm_error(r) != 0)
		return NULL;
	errno = saved;
	hex = data(secmalloc_buf_new(heap, length));
	if (hex)
		secm_hex(hex, data(buf), size); /* the zero is there */
	return hex;
}

SECM_API secmalloc_buf *secmalloc_buf_from_hex(secmalloc_heap *heap,
					       const char *hex, size_t length)
{
	secmalloc_buf *buf;

	if (length % 2 || (!hex && length > 0)) {
		errno = EINVAL;
		return NULL;
	}
	buf = secmalloc_buf_new(heap, length / 2);
	if (!buf || length == 0 || secm_unhex(data(buf), length / 2, hex) == 0)
		return buf;
	secfree(data(buf));
	errno = EINVAL;
	return NULL;
}

SECM_API void secmalloc_buf_free(secmalloc_buf *buf)
{
	secfree(data(buf));
}
