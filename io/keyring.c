/* SPDX-License-Identifier: MIT */
/*
 * keyring.c - a key that the kernel keeps becomes a secret object
 *
 * Public function alone.  Lock: none.
 *
 * The kernel tells how long a key is, and is then told where to put it.  In
 * between others may have changed it; it says that in what it returns, and puts
 * down either nothing or a part, which is given up.
 */
#include "io.h"

#include <errno.h>
#include <pthread.h>

enum { TRIES = 100 };

/* -EAGAIN: it is longer by now. */
static int read_into(long key, size_t size,
		     const struct secmalloc_load_options *options,
		     struct secmalloc_loaded *loaded)
{
	struct secm_io_object o;
	long n;
	int e = secm_io_object_begin(&o, options, size);

	if (e < 0)
		return e;
	n = secm_io_object_open(&o);
	if (n == 0) {
		n = secm_io_os_key_read(key, o.data, size);
		secm_io_object_close(&o);
	}
	if (n > 0 && (size_t)n > size)
		n = -EAGAIN;
	if (n < 0) {
		secm_io_object_abandon(&o);
		return (int)n;
	}
	o.length = (size_t)n;
	e = secm_io_object_end(&o, &loaded->data);
	if (e == 0)
		loaded->length = (size_t)n;
	return e;
}

static int read_key(long key, const struct secmalloc_load_options *options,
		    struct secmalloc_loaded *loaded)
{
	int e = -EAGAIN, i;

	for (i = 0; i < TRIES && e == -EAGAIN; i++) {
		long n = secm_io_os_key_read(key, NULL, 0);

		if (n < 0)
			return (int)n;
		if ((size_t)n > options->max)
			return -EFBIG;
		e = read_into(key, (size_t)n, options, loaded);
	}
	return e;
}

static int find_and_read(const char *type, const char *description,
			 const struct secmalloc_load_options *options,
			 struct secmalloc_loaded *loaded)
{
	long key;

	if (!type || !description)
		return -EINVAL;
	key = secm_io_os_key_find(type, description);
	return key < 0 ? (int)key : read_key(key, options, loaded);
}

SECM_API void *secmalloc_keyring_read(
	const char *type, const char *description,
	const struct secmalloc_load_options *options,
	struct secmalloc_loaded *loaded)
{
	struct secmalloc_load_options o;
	struct secmalloc_loaded own;
	const int saved = errno;
	int e = secm_io_result(&loaded, &own), state;

	if (e == 0)
		e = secm_io_options(options, &o);
	if (e < 0) {
		errno = -e;
		return NULL;
	}
	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	e = find_and_read(type, description, &o, loaded);
	(void)pthread_setcancelstate(state, &state);
	loaded->error = -e;
	if (e == 0) {
		loaded->way = SECMALLOC_WAY_STREAM;
		loaded->cached = 0;
	}
	errno = e < 0 ? -e : saved;
	return loaded->data;
}
