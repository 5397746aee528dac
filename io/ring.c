/* SPDX-License-Identifier: MIT */
/*
 * ring.c - many files on their way at the same time, by io_uring
 *
 * Called by files.c; the only file that knows liburing.  Lock: none.
 *
 * Each file is a flight: open, fstat, read, read ..., close.  Opening and reading
 * go through the ring, as they wait for the disk; the rest is done when an
 * answer comes, while the others wait.  What does not go well in the simplest way
 * (an error, a FIFO, a file that changes) is left to load.c, which does it once
 * more: so there is one place that decides what a file's result is.
 *
 * Invariants
 *  I1  the kernel writes to the bounce buffer alone, of which each flight has a
 *      slot: hidden memory cannot be pinned, and the kernel's own threads do not
 *      have the access scopes of ours.
 *  I2  the buffer is not given back before everything that was submitted is
 *      answered.  If that cannot be, it is never given back.
 *  I3  a ring is of one call, in one thread; no child has its descriptor or its
 *      memory.
 */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80
#endif

enum { DEPTH = 256 }; /* flights at most */

struct flight {
	struct secmalloc_loaded *file; /* NULL: free */
	int fd;			       /* -1: opening */
	unsigned char *slot;
	size_t asked; /* bytes of this read */
	int dropping; /* by RWF_DONTCACHE */
	struct stat st;
	struct secm_io_object object;
};

struct crowd {
	struct io_uring ring;
	struct secm_io_own own;
	struct secm_io_bounce bounce;
	size_t slot; /* bytes for each flight */
	unsigned depth;
	unsigned busy;	    /* flights */
	size_t outstanding; /* submitted and not answered */
	int no_drop;	    /* RWF_DONTCACHE was refused */
	struct secmalloc_loaded *files;
	size_t n, next;
	const struct secmalloc_load_options *options;
	int *kept; /* NULL: none yet */
	struct flight flights[DEPTH];
};

static int make(void *arg)
{
	struct crowd *c = arg;
	int e;

	e = io_uring_queue_init(c->depth, &c->ring, IORING_SETUP_CLAMP);
	if (e < 0)
		return e;
	e = io_uring_ring_dontfork(&c->ring);
	if (e < 0) {
		io_uring_queue_exit(&c->ring);
		return e;
	}
	c->own.fd = c->ring.ring_fd;
	return 0;
}

static void unmake(void *arg)
{
	struct crowd *c = arg;

	io_uring_queue_exit(&c->ring);
}

static void ask_open(struct crowd *c, struct flight *f)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);

	io_uring_prep_openat(sqe, AT_FDCWD, f->file->path,
			     secm_io_open_flags(c->options, 0), 0);
	io_uring_sqe_set_data(sqe, f);
}

static void ask_read(struct crowd *c, struct flight *f)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);

	io_uring_prep_read(sqe, f->fd, f->slot, (unsigned)f->asked,
			   f->object.length);
	if (f->dropping)
		sqe->rw_flags = RWF_DONTCACHE;
	io_uring_sqe_set_data(sqe, f);
}

/* Free for the next one, the file as it is. */
static void land(struct crowd *c, struct flight *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	f->file = NULL;
	c->busy--;
}

/* To load.c. */
static void leave(struct crowd *c, struct flight *f)
{
	f->file->way = SECMALLOC_WAY_NONE;
	secm_io_object_abandon(&f->object);
	land(c, f);
}

/* A FIFO and its like, with the descriptor: who waits at its other end would
 * notice that it was closed and opened again. */
static void keep(struct crowd *c, struct flight *f)
{
	size_t i;

	if (!c->kept) {
		c->kept = malloc(c->n * sizeof(*c->kept));
		for (i = 0; c->kept && i < c->n; i++)
			c->kept[i] = -1;
	}
	if (c->kept) {
		c->kept[f->file - c->files] = f->fd;
		f->fd = -1;
	}
	leave(c, f);
}

/* The part of the rest that fits into the slot; past the page cache in whole
 * blocks. */
static void read_on(struct crowd *c, struct flight *f)
{
	size_t rest = f->object.room - f->object.length;

	if (f->file->way == SECMALLOC_WAY_DIRECT)
		rest = secm_io_pages(rest);
	f->asked = rest < c->slot ? rest : c->slot;
	ask_read(c, f);
}

static void opened(struct crowd *c, struct flight *f, int fd)
{
	f->object.data = NULL;
	f->fd = fd;
	if (fd < 0 || fstat(fd, &f->st) != 0) {
		leave(c, f);
		return;
	}
	if (!S_ISREG(f->st.st_mode)) {
		keep(c, f);
		return;
	}
	if (f->st.st_size <= 0 || (uintmax_t)f->st.st_size > c->options->max ||
	    secm_io_allow(&f->st, c->options) < 0 ||
	    secm_io_object_begin(&f->object, c->options,
				 (size_t)f->st.st_size) < 0) {
		leave(c, f);
		return;
	}
	f->file->way = SECMALLOC_WAY_DROPPED;
	f->dropping = 0;
	if (!(c->options->flags & SECMALLOC_LOAD_CACHED)) {
		if (secm_io_os_direct(fd, 1) == 0)
			f->file->way = SECMALLOC_WAY_DIRECT;
		else /* all at once, else what is read ahead stays */
			f->dropping = !c->no_drop && f->object.room <= c->slot;
	}
	read_on(c, f);
}

static void finish(struct crowd *c, struct flight *f)
{
	struct secmalloc_loaded *file = f->file;
	struct stat now;

	if (fstat(f->fd, &now) != 0 || !secm_io_is_same(&f->st, &now) ||
	    secm_io_object_end(&f->object, &file->data) < 0) {
		leave(c, f);
		return;
	}
	if (f->dropping)
		file->way = SECMALLOC_WAY_DONTCACHE;
	file->length = f->object.length;
	file->ring = 1;
	secm_io_clean(f->fd, &f->st, c->options, file);
	land(c, f);
}

static void was_read(struct crowd *c, struct flight *f, int n)
{
	if (n < 0 && f->dropping) {
		c->no_drop = 1;
		f->dropping = 0;
		read_on(c, f);
	} else if (n < 0 || (size_t)n > f->object.room - f->object.length ||
		   secm_io_object_add(&f->object, f->slot, (size_t)n) < 0) {
		leave(c, f);
	} else if (f->object.length == f->object.room) {
		finish(c, f);
	} else if ((size_t)n < f->asked) { /* the end, or an early one */
		leave(c, f);
	} else {
		read_on(c, f);
	}
}

static void answer(struct crowd *c)
{
	struct io_uring_cqe *cqe;

	while (io_uring_peek_cqe(&c->ring, &cqe) == 0) {
		struct flight *f = io_uring_cqe_get_data(cqe);
		const int r = cqe->res;

		io_uring_cqe_seen(&c->ring, cqe);
		c->outstanding--;
		if (f->fd < 0)
			opened(c, f, r);
		else
			was_read(c, f, r);
	}
}

static void start(struct crowd *c)
{
	unsigned i;

	for (i = 0; i < c->depth && c->busy < c->depth && c->next < c->n; i++) {
		struct flight *f = &c->flights[i];

		if (f->file)
			continue;
		if (!c->files[c->next].path) {
			c->next++;
			continue;
		}
		f->file = &c->files[c->next++];
		f->fd = -1;
		c->busy++;
		ask_open(c, f);
	}
}

/* 0, or a negative errno: the ring does not work, and some flights are still
 * there. */
static int fly(struct crowd *c)
{
	for (;;) {
		int r;

		start(c);
		if (c->busy == 0)
			return 0;
		r = io_uring_submit_and_wait(&c->ring, 1);
		if (r > 0)
			c->outstanding += (size_t)r;
		if (r < 0 && r != -EINTR && c->outstanding == 0)
			return r;
		if (r < 0 && r != -EINTR && r != -EAGAIN && r != -EBUSY)
			return r;
		answer(c);
	}
}

/* What was not submitted is not on its way; I2 */
static void stop(struct crowd *c)
{
	const int lost = c->outstanding > 0;
	unsigned i;

	for (i = 0; i < c->depth; i++) {
		struct flight *f = &c->flights[i];

		if (!f->file)
			continue;
		if (f->fd < 0)
			f->object.data = NULL;
		leave(c, f);
	}
	secm_io_own_end(&c->own, unmake, c);
	if (!lost)
		secm_io_bounce_give(&c->bounce);
}

static int prepare(struct crowd *c)
{
	unsigned i;
	int e;

	c->slot = secm_io_pages(1);
	c->depth = c->n < DEPTH ? (unsigned)c->n : DEPTH;
	e = secm_io_bounce_take(&c->bounce, c->slot, c->slot * c->depth);
	if (e < 0)
		return e;
	c->depth = (unsigned)(c->bounce.size / c->slot);
	for (i = 0; i < c->depth; i++)
		c->flights[i].slot = c->bounce.p + i * c->slot;
	e = secm_io_own_begin(&c->own, make, c);
	if (e < 0)
		secm_io_bounce_give(&c->bounce);
	return e;
}

int secm_io_ring(struct secmalloc_loaded *files, size_t n,
		 const struct secmalloc_load_options *options, int **kept)
{
	struct crowd *c = calloc(1, sizeof(*c));
	int e;

	*kept = NULL;
	if (!c)
		return -ENOMEM;
	c->files = files;
	c->n = n;
	c->options = options;
	e = prepare(c);
	if (e == 0) {
		e = fly(c);
		stop(c);
	}
	*kept = c->kept;
	free(c);
	return e;
}
