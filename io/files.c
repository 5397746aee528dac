/* SPDX-License-Identifier: MIT */
/*
 * files.c - the public functions that load
 *
 * Lock: none.  No thread is cancelled inside: it would leave descriptors and
 * objects behind.
 */
#include "io.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { FEW = 3 }; /* that are faster one by one */

struct call {
	struct secmalloc_load_options options;
	struct secmalloc_loaded own;
	int cancel;
	int saved; /* errno */
};

static int begin(struct call *c, const struct secmalloc_load_options *options)
{
	int e;

	c->saved = errno;
	e = secm_io_options(options, &c->options);
	if (e == 0)
		e = -pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &c->cancel);
	return e;
}

static void end(const struct call *c, int error)
{
	int unused;

	(void)pthread_setcancelstate(c->cancel, &unused);
	errno = error ? error : c->saved;
}

/* A file by its path, which may be NULL, or what comes from the descriptor. */
static void *load(const char *path, int fd,
		  const struct secmalloc_load_options *options,
		  struct secmalloc_loaded *loaded, int is_path)
{
	struct call c;
	int e = secm_io_result(&loaded, &c.own);

	if (e == 0)
		e = begin(&c, options);
	if (e < 0) {
		errno = -e;
		return NULL;
	}
	if (is_path)
		secm_io_load_path(path, &c.options, loaded);
	else
		secm_io_load_fd(fd, &c.options, loaded);
	end(&c, loaded->error);
	return loaded->data;
}

SECM_API void *secmalloc_load_file(const char *path,
				   const struct secmalloc_load_options *options,
				   struct secmalloc_loaded *loaded)
{
	return load(path, -1, options, loaded, 1);
}

SECM_API void *secmalloc_load_fd(int fd,
				 const struct secmalloc_load_options *options,
				 struct secmalloc_loaded *loaded)
{
	return load(NULL, fd, options, loaded, 0);
}

static int empty(struct secmalloc_loaded *files, size_t n)
{
	size_t i;

	if (!files && n > 0)
		return -EINVAL;
	for (i = 0; i < n; i++)
		if (files[i].size != sizeof(files[i]))
			return -EINVAL;
	for (i = 0; i < n; i++) {
		struct secmalloc_loaded *one = &files[i];

		(void)!secm_io_result(&one, NULL);
	}
	return 0;
}

/* What the ring left, and the first error. */
static int rest(struct secmalloc_loaded *files, size_t n, int why,
		const int *kept, const struct secmalloc_load_options *options)
{
	int error = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		struct secmalloc_loaded *f = &files[i];

		if (f->way == SECMALLOC_WAY_NONE && f->error == 0) {
			f->ring_errno = why;
			if (kept && kept[i] >= 0)
				secm_io_load_kept(kept[i], options, f);
			else
				secm_io_load_path(f->path, options, f);
		}
		if (error == 0)
			error = f->error;
	}
	return error;
}

SECM_API int secmalloc_load_files(struct secmalloc_loaded *files, size_t n,
				  const struct secmalloc_load_options *options)
{
	struct call c;
	int e = begin(&c, options), error, why = 0, *kept = NULL;

	if (e < 0) {
		errno = -e;
		return -1;
	}
	e = empty(files, n);
	if (e < 0) {
		end(&c, -e);
		return -1;
	}
	if (n > FEW && !(c.options.flags & SECMALLOC_LOAD_NO_RING))
		why = -secm_io_ring(files, n, &c.options, &kept);
	error = rest(files, n, why, kept, &c.options);
	free(kept);
	end(&c, error);
	return error ? -1 : 0;
}
