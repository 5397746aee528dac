/* SPDX-License-Identifier: MIT */
/*
 * live_uring.c - io_uring on objects: what takes hold of their pages, and what
 * copies
 *
 * The former gets nothing that is hidden (EFAULT) and all that is not; the
 * latter works on every tier, as read(2) and write(2) do.  Each attack runs on
 * ordinary memory first.
 */
#include "t_ring.h"

#include <sys/syscall.h>

/* What headers may be too old for. */
enum {
	OP_SEND_ZC = 47,	 /* 6.0 */
	REGISTER_PBUF_RING = 22, /* 5.19 */
	UNREGISTER_PBUF_RING = 23,
	SETUP_NO_MMAP = 1 << 14 /* 6.5 */
};

FIXTURE(uring)
{
	struct io_uring ring;
};

TA_VARIANTS(uring);

KSFT_PROGRAM_SKIP_IF(t_no_ring);

/* Rings count against the lock limit of the user, and those that were closed do
 * so for a while. */
FIXTURE_SETUP(uring)
{
	const char *why;

	TA_BEGIN(&variant->tier);
	why = t_ring_begin(&self->ring, 0);
	if (why)
		SKIP(return, "%s", why);
}

FIXTURE_TEARDOWN(uring)
{
	io_uring_queue_exit(&self->ring);
}

/* A page comes from one pipe and goes to another one. */
static int through_pipes(struct io_uring *ring, unsigned flags, int read_op,
			 int write_op, unsigned char *page)
{
	int in[2], out[2], e;

	t_pin_pipe(in, 1);
	ASSERT_EQ(0, pipe(out));
	e = t_ring_io(ring, read_op, flags, in[0], page);
	if (e == 0 && !t_is_filled(page, ta_page(), 1))
		e = -EIO;
	t_fill(page, ta_page(), 2);
	if (e == 0)
		e = t_ring_io(ring, write_op, flags, out[1], page);
	if (e == 0)
		e = t_pin_got(out[0], 2);
	t_pin_close(in);
	t_pin_close(out);
	return e;
}

static int registered(void *arg, unsigned char *page)
{
	int e = t_ring_register(arg, page);

	if (e < 0)
		return e;
	e = through_pipes(arg, 0, IORING_OP_READ_FIXED, IORING_OP_WRITE_FIXED,
			  page);
	ASSERT_EQ(0, io_uring_unregister_buffers(arg));
	return e;
}

TEST_F(uring, registered_buffers_are_never_of_hidden_pages)
{
	t_pin(registered, &self->ring, -EFAULT);
}

/* Where one that is not hidden was registered nothing else can be reached. */
static int beside(void *arg, unsigned char *page)
{
	unsigned char *other = t_pin_page();
	int e = t_ring_register(arg, other);

	if (e == 0)
		e = through_pipes(arg, 0, IORING_OP_READ_FIXED,
				  IORING_OP_WRITE_FIXED, page);
	ASSERT_EQ(0, io_uring_unregister_buffers(arg));
	return e;
}

TEST_F(uring, registered_buffers_open_no_page_beside)
{
	int e = registered(&self->ring, t_pin_page());

	if (e != 0)
		SKIP(return, "attack does not work here: %s", strerror(-e));
	EXPECT_EQ(-EFAULT, beside(&self->ring, t_pin_object()));
}

static int direct_read(struct io_uring *ring, unsigned flags,
		       unsigned char *page)
{
	int fd = t_pin_direct_file(3), e;

	if (fd < 0)
		return -EOPNOTSUPP;
	e = t_ring_io(ring, IORING_OP_READ, flags, fd, page);
	if (e == 0 && !t_is_filled(page, ta_page(), 3))
		e = -EIO;
	(void)close(fd);
	return e;
}

static int direct_write(struct io_uring *ring, unsigned flags,
			unsigned char *page)
{
	int fd = t_pin_direct_file(3), e;

	if (fd < 0)
		return -EOPNOTSUPP;
	t_fill(page, ta_page(), 4);
	e = t_ring_io(ring, IORING_OP_WRITE, flags, fd, page);
	if (e == 0)
		e = t_pin_file_has(fd, 4);
	(void)close(fd);
	return e;
}

static int direct(void *arg, unsigned char *page)
{
	int e = direct_read(arg, 0, page), f = direct_write(arg, 0, page);

	return e == f ? e : -EIO;
}

static int direct_async(void *arg, unsigned char *page)
{
	int e = direct_read(arg, IOSQE_ASYNC, page);
	int f = direct_write(arg, IOSQE_ASYNC, page);

	return e == f ? e : -EIO;
}

TEST_F(uring, past_the_page_cache_go_no_hidden_pages)
{
	t_pin(direct, &self->ring, -EFAULT);
}

TEST_F(uring, nor_by_a_worker_of_the_kernel)
{
	t_pin(direct_async, &self->ring, -EFAULT);
}

/* The second result says that the kernel has let go of the page. */
static int send_zc(void *arg, unsigned char *page)
{
	struct io_uring_cqe *cqe;
	int fd[2], e;

	if (t_pin_sockets(fd) != 0)
		return -ENETUNREACH;
	t_fill(page, ta_page(), 5);
	e = t_ring_io(arg, OP_SEND_ZC, 0, fd[1], page);
	if (e == 0)
		e = t_pin_got(fd[0], 5);
	t_pin_close(fd);
	if (e == 0)
		(void)t_ring_result(arg);
	while (io_uring_peek_cqe(arg, &cqe) == 0)
		io_uring_cqe_seen(arg, cqe);
	return e;
}

TEST_F(uring, hidden_pages_are_not_sent_without_a_copy)
{
	t_pin(send_zc, &self->ring, -EFAULT);
}

struct buf {
	uint64_t address;
	uint32_t size;
	uint16_t id, tail; /* the first one's is that of the ring */
};

struct buf_reg {
	uint64_t address;
	uint32_t entries;
	uint16_t group, flags;
	uint64_t resv[3];
};

static int call_register(struct io_uring *ring, unsigned op, void *arg)
{
	return syscall(SYS_io_uring_register, ring->ring_fd, op, arg, 1) < 0
		       ? -errno
		       : 0;
}

/* The kernel chooses where to read to: what the entry of bufs says. */
static int read_to_buffer(struct io_uring *ring, unsigned char *page)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	int fd[2], n;

	t_pin_pipe(fd, 6);
	io_uring_prep_read(sqe, fd[0], NULL, (unsigned)ta_page(), 0);
	io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
	sqe->buf_group = 1;
	t_ring_go(ring);
	n = t_ring_result(ring);
	t_pin_close(fd);
	if (n < 0)
		return n;
	return t_is_filled(page, ta_page(), 6) ? 0 : -EIO;
}

static int by_buffer_ring(struct io_uring *ring, struct buf *bufs,
			  unsigned char *page)
{
	struct buf_reg reg = { (uintptr_t)bufs, 8, 1, 0, { 0 } };
	int e = call_register(ring, REGISTER_PBUF_RING, &reg);

	if (e < 0)
		return e;
	bufs[0].address = (uintptr_t)page;
	bufs[0].size = (uint32_t)ta_page();
	bufs[0].id = 1;
	__atomic_store_n(&bufs[0].tail, 1, __ATOMIC_RELEASE);
	e = read_to_buffer(ring, page);
	ASSERT_EQ(0, call_register(ring, UNREGISTER_PBUF_RING, &reg));
	return e;
}

static int buffer_ring(void *arg, unsigned char *page)
{
	memset(page, 0, ta_page());
	return by_buffer_ring(arg, (void *)page, t_pin_page());
}

TEST_F(uring, a_ring_of_provided_buffers_is_not_in_hidden_pages)
{
	t_pin(buffer_ring, &self->ring, -EFAULT);
}

static int ring_itself(void *arg, unsigned char *page)
{
	unsigned char *other = t_pin_page();
	struct io_uring_params p = { .flags = SETUP_NO_MMAP };
	int fd;

	(void)arg;
	memset(page, 0, ta_page());
	p.sq_off.resv2 = (uintptr_t)other; /* of the requests */
	p.cq_off.resv2 = (uintptr_t)page;  /* of the two rings */
	fd = (int)syscall(SYS_io_uring_setup, 1, &p);
	if (fd < 0)
		return -errno;
	(void)close(fd);
	return ((uint32_t *)(void *)(page + p.sq_off.ring_entries))[0] == 1
		       ? 0
		       : -EIO;
}

TEST_F(uring, a_ring_is_not_in_hidden_pages)
{
	t_pin(ring_itself, NULL, -EFAULT);
}

/* From here on what copies, and works with hidden pages as well. */
static int provided(void *arg, unsigned char *page)
{
	return by_buffer_ring(arg, (void *)t_pin_page(), page);
}

TEST_F(uring, reading_into_a_provided_buffer_is_a_copy)
{
	t_pin(provided, &self->ring, 0);
}

static int provided_one(void *arg, unsigned char *page)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(arg);
	int e;

	io_uring_prep_provide_buffers(sqe, page, (int)ta_page(), 1, 1, 0);
	t_ring_go(arg);
	e = t_ring_result(arg);
	return e < 0 ? e : read_to_buffer(arg, page);
}

TEST_F(uring, so_it_is_into_one_that_a_request_provided)
{
	t_pin(provided_one, &self->ring, 0);
}

static int copies(void *arg, unsigned char *page)
{
	return through_pipes(arg, 0, IORING_OP_READ, IORING_OP_WRITE, page);
}

static int copies_async(void *arg, unsigned char *page)
{
	return through_pipes(arg, IOSQE_ASYNC, IORING_OP_READ, IORING_OP_WRITE,
			     page);
}

TEST_F(uring, reading_and_writing_is_a_copy)
{
	t_pin(copies, &self->ring, 0);
}

TEST_F(uring, so_it_is_by_a_worker_of_the_kernel)
{
	t_pin(copies_async, &self->ring, 0);
}

TEST_F(uring, and_by_a_thread_of_the_kernel_that_looks_for_requests)
{
	struct io_uring ring;
	const char *why = t_ring_begin(&ring, IORING_SETUP_SQPOLL);

	if (why)
		SKIP(return, "%s", why);
	t_pin(copies, &ring, 0);
	io_uring_queue_exit(&ring);
}

static int sends(void *arg, unsigned char *page)
{
	int fd[2], e;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	t_fill(page, ta_page(), 7);
	e = t_ring_io(arg, IORING_OP_SEND, 0, fd[1], page);
	if (e == 0)
		e = t_pin_got(fd[0], 7);
	if (e == 0)
		e = t_pin_send(fd[1], 8);
	if (e == 0)
		e = t_ring_io(arg, IORING_OP_RECV, 0, fd[0], page);
	t_pin_close(fd);
	return e == 0 && !t_is_filled(page, ta_page(), 8) ? -EIO : e;
}

TEST_F(uring, so_are_sending_and_receiving)
{
	t_pin(sends, &self->ring, 0);
}
