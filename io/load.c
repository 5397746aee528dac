/* SPDX-License-Identifier: MIT */
/*
 * load.c - a file, or what comes from a descriptor, as one secret object
 *
 * Called by files.c, which has the public functions; ring.c does a part of the
 * same for many files at a time.  Lock: none.
 *
 *	regular, of some size	by_best_way()	past the page cache, or by way of
 *						it, into an object of that size
 *	anything else		until_end()	into an object that grows
 */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

#ifndef O_CLOEXEC
#define O_CLOEXEC 0
#endif

enum { TRIES = 3, BOUNCE = 65536 };

int secm_io_open_flags(const struct secmalloc_load_options *options, int wait)
{
	return O_RDONLY | O_NOCTTY | O_CLOEXEC |
	       (options->flags & SECMALLOC_LOAD_NOFOLLOW ? O_NOFOLLOW : 0) |
	       (wait ? 0 : O_NONBLOCK);
}

int secm_io_open(const char *path, const struct secmalloc_load_options *options,
		 int wait)
{
	const int flags = secm_io_open_flags(options, wait);
	int fd;

	do
		fd = open(path, flags);
	while (fd < 0 && errno == EINTR);
	return fd >= 0 ? fd : -errno;
}

int secm_io_allow(const struct stat *st,
		  const struct secmalloc_load_options *options)
{
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if ((options->flags & SECMALLOC_LOAD_REGULAR) && !S_ISREG(st->st_mode))
		return -EINVAL;
	if ((options->flags & SECMALLOC_LOAD_PRIVATE) &&
	    ((st->st_mode & (S_IRWXG | S_IRWXO)) ||
	     (st->st_uid != 0 && st->st_uid != geteuid())))
		return -EPERM;
	return 0;
}

#if HAVE_STRUCT_STAT_ST_MTIM
static int same_fraction(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}
#else
static int same_fraction(const struct stat *a, const struct stat *b)
{
	(void)a;
	(void)b;
	return 1;
}
#endif

int secm_io_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtime == b->st_mtime &&
	       a->st_ctime == b->st_ctime && same_fraction(a, b);
}

static ssize_t read_at(int fd, void *p, size_t size, off_t at)
{
	ssize_t n = pread(fd, p, size, at);

	return n >= 0 ? n : -errno;
}

/* Up to st_size or the end of the file.  Where a read ends early, the next one
 * does not begin where a block does, and this way is over. */
static int by_direct(int fd, struct secm_io_object *o)
{
	const size_t page = secm_io_pages(1);
	const size_t most = secm_io_pages(o->room);
	struct secm_io_bounce b;
	ssize_t n = 1;
	int e;

	e = secm_io_bounce_take(&b, page, most < BOUNCE ? most : BOUNCE);
	if (e < 0)
		return e;
	e = secm_io_os_direct(fd, 1);
	while (e == 0 && n != 0 && o->length < o->room) {
		n = read_at(fd, b.p, b.size, (off_t)o->length);
		if (n < 0)
			e = n == -EINTR ? 0 : (int)n;
		else if ((size_t)n > o->room - o->length)
			e = -EAGAIN; /* it grew; once() asks again */
		else
			e = secm_io_object_add(o, b.p, (size_t)n);
	}
	secm_io_bounce_give(&b);
	return e;
}

/* Into the object itself.  read_some: read_at(), or what drops. */
static int by_cache(int fd, struct secm_io_object *o,
		    ssize_t (*read_some)(int fd, void *p, size_t size,
					 off_t at))
{
	ssize_t n = 1;
	int e = 0;

	while (e == 0 && n > 0 && o->length < o->room) {
		e = secm_io_object_open(o);
		if (e < 0)
			break;
		n = read_some(fd, o->data + o->length, o->room - o->length,
			      (off_t)o->length);
		secm_io_object_close(o);
		if (n > 0)
			o->length += (size_t)n;
		else if (n < 0 && n != -EINTR)
			e = (int)n;
		else if (n < 0)
			n = 1;
	}
	return e;
}

/* The first way that this file can be read; the last one has the last word. */
static int by_best_way(int fd, struct secm_io_object *o,
		       struct secmalloc_loaded *loaded)
{
	if (!(o->options->flags & SECMALLOC_LOAD_CACHED)) {
		loaded->way = SECMALLOC_WAY_DIRECT;
		if (by_direct(fd, o) == 0)
			return 0;
		(void)!secm_io_os_direct(fd, 0);
		o->length = 0;
		loaded->way = SECMALLOC_WAY_DONTCACHE;
		if (by_cache(fd, o, secm_io_os_pread_drop) == 0)
			return 0;
		o->length = 0;
	}
	loaded->way = SECMALLOC_WAY_DROPPED;
	return by_cache(fd, o, read_at);
}

/* Into an object that grows. */
static int until_end(int fd, struct secm_io_object *o)
{
	ssize_t n = 1;
	int e = 0;

	while (e == 0 && n > 0) {
		e = secm_io_object_grow(o);
		if (e == 0)
			e = secm_io_object_open(o);
		if (e < 0)
			break;
		n = secm_io_read(fd, o->data + o->length, o->room - o->length,
				 o->options->deadline);
		secm_io_object_close(o);
		if (n < 0)
			e = (int)n;
		else
			o->length += (size_t)n;
	}
	return e;
}

/* The object becomes the result; or, after an error, nothing. */
static int end(struct secm_io_object *o, int e, struct secmalloc_loaded *loaded)
{
	if (e < 0) {
		secm_io_object_abandon(o);
		return e;
	}
	loaded->length = o->length;
	return secm_io_object_end(o, &loaded->data);
}

/* -EAGAIN: it changed meanwhile.  *st is what it was when that was seen. */
static int once(int fd, struct stat *st,
		const struct secmalloc_load_options *options,
		struct secmalloc_loaded *loaded)
{
	struct secm_io_object o;
	struct stat now;
	int e;

	if ((uintmax_t)st->st_size > options->max)
		return -EFBIG;
	e = secm_io_object_begin(&o, options, (size_t)st->st_size);
	if (e < 0)
		return e;
	loaded->way = SECMALLOC_WAY_STREAM;
	e = st->st_size > 0 ? by_best_way(fd, &o, loaded) : until_end(fd, &o);
	if (fstat(fd, &now) != 0) {
		e = e < 0 ? e : -errno;
	} else if (!secm_io_is_same(st, &now)) {
		*st = now;
		e = e < 0 ? e : -EAGAIN;
	}
	return end(&o, e, loaded);
}

/* A regular file.  One that says that it is empty may be anything, as those of
 * /proc, or one that somebody is just writing to. */
static int whole(int fd, struct stat *st,
		 const struct secmalloc_load_options *options,
		 struct secmalloc_loaded *loaded)
{
	int e = -EAGAIN, i;

	for (i = 0; i < TRIES && e == -EAGAIN; i++) {
		if (i > 0) { /* it may be empty now, and be read so */
			(void)!secm_io_os_direct(fd, 0);
			if (lseek(fd, 0, SEEK_SET) != 0)
				break;
		}
		e = once(fd, st, options, loaded);
	}
	if (loaded->way == SECMALLOC_WAY_STREAM && st->st_size == 0)
		loaded->cached = 0;
	else if (loaded->way != SECMALLOC_WAY_NONE) /* it was touched */
		secm_io_clean(fd, st, options, loaded);
	return e;
}

/* Of what a disk has, the page cache has what was read. */
static int stream(int fd, size_t expected,
		  const struct secmalloc_load_options *options,
		  struct secmalloc_loaded *loaded)
{
	struct secm_io_object o;
	struct stat st;
	int e = secm_io_object_begin(&o, options, expected);

	if (e < 0)
		return e;
	loaded->way = SECMALLOC_WAY_STREAM;
	loaded->cached = 0;
	e = end(&o, until_end(fd, &o), loaded);
	if (fstat(fd, &st) == 0 &&
	    (S_ISBLK(st.st_mode) || (S_ISREG(st.st_mode) && st.st_size > 0))) {
		loaded->way = SECMALLOC_WAY_DROPPED;
		secm_io_clean(fd, &st, options, loaded);
	}
	return e;
}

/* What is open, if the options allow for it. */
static int look(int fd, const struct secmalloc_load_options *options,
		struct stat *st)
{
	return fstat(fd, st) == 0 ? secm_io_allow(st, options) : -errno;
}

static int load_open(int fd, const struct secmalloc_load_options *options,
		     struct secmalloc_loaded *loaded)
{
	struct stat st;
	int e = look(fd, options, &st);

	if (e < 0)
		return e;
	return S_ISREG(st.st_mode) ? whole(fd, &st, options, loaded)
				   : stream(fd, 0, options, loaded);
}

/* What is left of a regular file from where the descriptor is; one more, so that
 * its end is seen without growing. */
static int expect(int fd, const struct stat *st,
		  const struct secmalloc_load_options *options, size_t *room)
{
	off_t at = lseek(fd, 0, SEEK_CUR);

	*room = 0;
	if (at < 0 || at >= st->st_size)
		return 0;
	if ((uintmax_t)(st->st_size - at) > options->max)
		return -EFBIG;
	*room = (size_t)(st->st_size - at) + 1;
	return 0;
}

static int load_fd(int fd, const struct secmalloc_load_options *options,
		   struct secmalloc_loaded *loaded)
{
	struct stat st;
	size_t room;
	int e = look(fd, options, &st);

	if (e < 0)
		return e;
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return stream(fd, 0, options, loaded);
	e = expect(fd, &st, options, &room);
	return e == 0 ? stream(fd, room, options, loaded) : e;
}

/* Opened without waiting: a FIFO that nobody writes to yet seems to be at its end
 * until poll(2) has waited. */
static int load_kept(int fd, const struct secmalloc_load_options *options,
		     struct secmalloc_loaded *loaded)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
	    !(options->flags & SECMALLOC_LOAD_REGULAR)) {
		int e = secm_io_wait(fd, POLLIN, options->deadline);

		if (e < 0)
			return e;
	}
	return load_open(fd, options, loaded);
}

/* Opening does not wait for a writer where only regular files are taken, or
 * there is a deadline. */
static int load_path(const char *path,
		     const struct secmalloc_load_options *options,
		     struct secmalloc_loaded *loaded)
{
	const int wait = !(options->flags & SECMALLOC_LOAD_REGULAR) &&
			 !options->deadline;
	int e, fd;

	if (!path)
		return -EINVAL;
	fd = secm_io_open(path, options, wait);
	if (fd < 0)
		return fd;
	e = wait ? load_open(fd, options, loaded)
		 : load_kept(fd, options, loaded);
	(void)close(fd);
	return e;
}

static void finish(struct secmalloc_loaded *loaded, int e)
{
	loaded->error = -e;
	if (e < 0) {
		loaded->data = NULL;
		loaded->length = 0;
		loaded->way = SECMALLOC_WAY_NONE;
	}
}

void secm_io_load_path(const char *path,
		       const struct secmalloc_load_options *options,
		       struct secmalloc_loaded *loaded)
{
	finish(loaded, load_path(path, options, loaded));
}

void secm_io_load_kept(int fd, const struct secmalloc_load_options *options,
		       struct secmalloc_loaded *loaded)
{
	finish(loaded, load_kept(fd, options, loaded));
	(void)close(fd);
}

void secm_io_load_fd(int fd, const struct secmalloc_load_options *options,
		     struct secmalloc_loaded *loaded)
{
	finish(loaded, load_fd(fd, options, loaded));
}
