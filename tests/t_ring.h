/* SPDX-License-Identifier: MIT */
/*
 * t_ring.h - what the tests share that have io_uring do something
 */
#ifndef T_RING_H
#define T_RING_H

#include "t_pin.h"

#include <liburing.h>
#include <stdio.h>
#include <string.h>

enum { T_RING_ENTRIES = 8 };

/* A ring.  NULL, or why there is none here. */
static inline const char *t_ring_begin(struct io_uring *ring, unsigned flags)
{
	static char why[80];
	int e = io_uring_queue_init(T_RING_ENTRIES, ring, flags);

	if (e == 0)
		return NULL;
	(void)snprintf(why, sizeof(why), "no io_uring here: %s", strerror(-e));
	return why;
}

/* For KSFT_PROGRAM_SKIP_IF. */
static inline const char *t_no_ring(void)
{
	struct io_uring ring;

	return t_ring_begin(&ring, 0);
}

/* Hands over what was prepared. */
static inline void t_ring_go(struct io_uring *ring)
{
	ASSERT_EQ(1, io_uring_submit(ring));
}

/* Waits for the next result. */
static inline int t_ring_result(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int e = io_uring_wait_cqe(ring, &cqe);

	if (e == 0) {
		e = cqe->res;
		io_uring_cqe_seen(ring, cqe);
	}
	return e;
}

/* Reads or writes a page, as op and the flags say: 0 or a negative errno. */
static inline int t_ring_io(struct io_uring *ring, int op, unsigned flags,
			    int fd, void *page)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	int n;

	ASSERT_NOT_NULL(sqe);
	io_uring_prep_rw(op, sqe, fd, page, (unsigned)ta_page(), 0);
	io_uring_sqe_set_flags(sqe, flags);
	t_ring_go(ring);
	n = t_ring_result(ring);
	return n == (int)ta_page() ? 0 : n < 0 ? n : -EIO;
}

/* The page becomes the ring's buffer 0: 0 or a negative errno. */
static inline int t_ring_register(struct io_uring *ring, void *page)
{
	struct iovec v = { page, ta_page() };

	return io_uring_register_buffers(ring, &v, 1);
}

#endif /* T_RING_H */
