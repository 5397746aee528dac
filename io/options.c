/* SPDX-License-Identifier: MIT */
/*
 * options.c - what callers ask for, looked at once
 *
 * Called by every loader.  Lock: none.
 */
#include "io.h"

#include <errno.h>
#include <stdint.h>

enum {
	ALL_FLAGS = SECMALLOC_LOAD_NOFOLLOW | SECMALLOC_LOAD_PRIVATE |
		    SECMALLOC_LOAD_REGULAR | SECMALLOC_LOAD_STRING |
		    SECMALLOC_LOAD_GUARDED | SECMALLOC_LOAD_CACHED |
		    SECMALLOC_LOAD_STDIN | SECMALLOC_LOAD_NO_RING
};

int secm_io_options(const struct secmalloc_load_options *in,
		    struct secmalloc_load_options *out)
{
	static const struct secmalloc_load_options defaults = { 0 };

	*out = in ? *in : defaults;
	if ((out->size != 0 && out->size != sizeof(*out)) ||
	    (out->flags & ~(unsigned)ALL_FLAGS) ||
	    (out->deadline && !secm_io_is_deadline(out->deadline)))
		return -EINVAL;
	if (out->max == 0)
		out->max = SECMALLOC_LOAD_MAX;
	/* So that one more, and a zero byte, can be counted. */
	if (out->max > PTRDIFF_MAX - 2)
		out->max = PTRDIFF_MAX - 2;
	return 0;
}

int secm_io_result(struct secmalloc_loaded **loaded,
		   struct secmalloc_loaded *own)
{
	struct secmalloc_loaded *l = *loaded;

	if (!l) {
		l = own;
		l->size = sizeof(*l);
		l->path = NULL;
		*loaded = l;
	}
	if (l->size != sizeof(*l))
		return -EINVAL;
	l->data = NULL;
	l->length = 0;
	l->error = 0;
	l->way = SECMALLOC_WAY_NONE;
	l->cached = -1;
	l->ring = 0;
	l->ring_errno = 0;
	return 0;
}
