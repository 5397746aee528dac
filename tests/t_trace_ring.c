/* SPDX-License-Identifier: MIT */
/*
 * t_trace_ring.c - what a traced child asks of io_uring: see t_trace.h
 *
 * The requests are in memory that the child shares with the kernel.  Where that
 * cannot be read as the child's, it can be mapped: so the ring's descriptor is
 * fetched, and its requests are looked at before the kernel takes them.
 */
#include "t_trace.h"

#ifdef __linux__
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

enum {
	RINGS = 4,
	SINGLE_ARRAY = 1 << 16, /* IORING_SETUP_NO_SQARRAY, 6.6 */
	KNOWN_FLAGS = ~(IORING_SETUP_SQPOLL | 1 << 10 /* SQE128 */ |
			1 << 14 /* NO_MMAP */)
};

static struct ring {
	pid_t pid;
	int fd;
	struct io_uring_params params;
} rings[RINGS];

void t_trace_ring_made(struct t_trace *t, pid_t pid, uint64_t params, int fd)
{
	static unsigned next;
	struct ring *r = &rings[next++ % RINGS];

	r->pid = pid;
	r->fd = fd;
	if (t_trace_peek(pid, params, &r->params, sizeof(r->params)) < 0 ||
	    (r->params.flags & ~(unsigned)KNOWN_FLAGS))
		t_trace_strange(t, "a ring with flags", r->params.flags);
}

static struct ring *find(pid_t pid, int fd)
{
	int i;

	for (i = 0; i < RINGS; i++)
		if (rings[i].pid == pid && rings[i].fd == fd)
			return &rings[i];
	return NULL;
}

/* Our own descriptor of it, or -1. */
static int fetch(pid_t pid, int fd)
{
	int own = -1, process = (int)syscall(SYS_pidfd_open, pid, 0);

	if (process >= 0) {
		own = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
		(void)close(process);
	}
	return own;
}

/* Requests that read no file. */
static int is_harmless(int op)
{
	switch (op) {
	case IORING_OP_NOP:
	case IORING_OP_POLL_ADD:
	case IORING_OP_TIMEOUT:
	case IORING_OP_ASYNC_CANCEL:
	case IORING_OP_OPENAT:
	case IORING_OP_OPENAT2:
	case IORING_OP_CLOSE:
	case IORING_OP_STATX:
	case IORING_OP_FADVISE:
		return 1;
	default:
		return 0;
	}
}

static void look(struct t_trace *t, pid_t pid, const struct io_uring_sqe *sqe)
{
	if (is_harmless(sqe->opcode))
		return;
	if (!(sqe->flags & IOSQE_FIXED_FILE) &&
	    !t_trace_is_watched(t, pid, sqe->fd))
		return;
	if ((sqe->opcode == IORING_OP_READ || sqe->opcode == IORING_OP_RECV) &&
	    !(sqe->flags & IOSQE_BUFFER_SELECT)) {
		t->ring_reads++;
		t_trace_saw(t, pid, "ring", sqe->addr, sqe->len);
	} else {
		t_trace_strange(t, "a ring's request of kind", sqe->opcode);
	}
}

static void look_at_all(struct t_trace *t, const struct ring *r,
			const unsigned char *ring,
			const struct io_uring_sqe *sqes, uint64_t n)
{
	const struct io_sqring_offsets *at = &r->params.sq_off;
	const uint32_t *head = (const void *)(ring + at->head);
	const uint32_t *tail = (const void *)(ring + at->tail);
	const uint32_t *array = (const void *)(ring + at->array);
	const uint32_t mask = r->params.sq_entries - 1;
	uint32_t i;

	for (i = *head; i != *tail && n > 0; i++, n--)
		look(t, r->pid,
		     &sqes[r->params.flags & SINGLE_ARRAY ? i & mask
							  : array[i & mask]]);
}

void t_trace_ring_enter(struct t_trace *t, pid_t pid, int fd, uint64_t n)
{
	const struct ring *r = find(pid, fd);
	size_t size, requests;
	void *ring, *sqes;
	int own;

	if (n == 0)
		return;
	own = r ? fetch(pid, fd) : -1;
	if (own < 0) {
		t_trace_strange(t, "a ring that cannot be seen:", (uint64_t)fd);
		return;
	}
	size = r->params.sq_off.array + r->params.sq_entries * 4;
	requests = r->params.sq_entries * sizeof(struct io_uring_sqe);
	ring = mmap(NULL, size, PROT_READ, MAP_SHARED, own,
		    (off_t)IORING_OFF_SQ_RING);
	sqes = mmap(NULL, requests, PROT_READ, MAP_SHARED, own,
		    (off_t)IORING_OFF_SQES);
	if (ring == MAP_FAILED || sqes == MAP_FAILED) {
		t_trace_strange(t, "a ring that cannot be seen:", (uint64_t)fd);
	} else {
		look_at_all(t, r, ring, sqes, n);
		(void)munmap(ring, size);
		(void)munmap(sqes, requests);
	}
	(void)close(own);
}
#endif
