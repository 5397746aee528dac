/* SPDX-License-Identifier: MIT */
/*
 * live_uring_life.c - requests and registered buffers of io_uring that outlive
 * what they were made for: an access scope, an object, a fork
 *
 * A request that copies uses the mappings at the moment when the bytes pass; a
 * registered buffer is the pages themselves, whatever becomes of the mappings.
 */
#include "t_ring.h"

#include "die.h"

FIXTURE(life)
{
	struct io_uring ring;
	secmalloc_heap *heap; /* with access scopes */
	unsigned char *p;     /* a page of it */
	int by_key;
};

TA_VARIANTS(life);

KSFT_PROGRAM_SKIP_IF(t_no_ring);

FIXTURE_SETUP(life)
{
	struct secmalloc_report r = { .size = sizeof(r) };
	const char *why;

	TA_BEGIN(&variant->tier);
	/* What rings have that ended is given back a little later, and counts
	 * against the user's lock limit until then. */
	why = t_ring_begin(&self->ring, 0);
	if (why)
		SKIP(return, "%s", why);
	self->heap = ta_scoped(&variant->tier, 0);
	ASSERT_NOT_NULL(self->heap);
	ASSERT_EQ(0, secmalloc_heap_report(self->heap, &r));
	self->by_key = r.access == SECMALLOC_BY_KEY;
	self->p = secmalloc_heap_guarded(self->heap, ta_page());
	ASSERT_NOT_NULL(self->p);
}

FIXTURE_TEARDOWN(life)
{
	secmalloc_heap_destroy(self->heap);
	io_uring_queue_exit(&self->ring);
}

static void open_it(const unsigned char *p)
{
	ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READWRITE));
}

static void close_it(const unsigned char *p)
{
	secmalloc_end(p, SECMALLOC_READWRITE);
}

/* What a request to read into the page comes to, and one to write it. */
static int reads(struct io_uring *ring, unsigned flags, unsigned char *p)
{
	int fd[2], e;

	t_pin_pipe(fd, 1);
	e = t_ring_io(ring, IORING_OP_READ, flags, fd[0], p);
	t_pin_close(fd);
	return e;
}

static int writes(struct io_uring *ring, unsigned flags, unsigned char *p)
{
	int fd[2], e;

	ASSERT_EQ(0, pipe(fd));
	e = t_ring_io(ring, IORING_OP_WRITE, flags, fd[1], p);
	t_pin_close(fd);
	return e;
}

static void closed_outside(struct io_uring *ring, unsigned flags,
			   unsigned char *p)
{
	open_it(p);
	ASSERT_EQ(0, reads(ring, flags, p));
	EXPECT_TRUE(t_is_filled(p, ta_page(), 1));
	t_fill(p, ta_page(), 2);
	ASSERT_EQ(0, writes(ring, flags, p));
	close_it(p);
	EXPECT_EQ(-EFAULT, reads(ring, flags, p));
	EXPECT_EQ(-EFAULT, writes(ring, flags, p));
	open_it(p);
	EXPECT_TRUE(t_is_filled(p, ta_page(), 2));
	close_it(p);
}

TEST_F(life, what_is_closed_is_closed_for_requests)
{
	closed_outside(&self->ring, 0, self->p);
}

/* These have rights of their own where keys decide. */
#define NEEDS_PAGES()                                                \
	do {                                                         \
		if (self->by_key)                                    \
			SKIP(return, "protection keys decide here"); \
	} while (0)

TEST_F(life, and_for_a_worker_of_the_kernel)
{
	NEEDS_PAGES();
	closed_outside(&self->ring, IOSQE_ASYNC, self->p);
}

TEST_F(life, and_for_a_thread_of_the_kernel_that_looks_for_requests)
{
	struct io_uring ring;
	const char *why = t_ring_begin(&ring, IORING_SETUP_SQPOLL);

	NEEDS_PAGES();
	if (why)
		SKIP(return, "%s", why);
	closed_outside(&ring, 0, self->p);
	io_uring_queue_exit(&ring);
}

/* A request to read that has to wait for its bytes. */
static void ask(struct io_uring *ring, const int fd[2], void *p, size_t size)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;

	io_uring_prep_read(sqe, fd[0], p, (unsigned)size, 0);
	t_ring_go(ring);
	ASSERT_EQ(-EAGAIN, io_uring_peek_cqe(ring, &cqe));
}

TEST_F(life, the_scope_that_counts_is_that_of_when_the_bytes_come)
{
	int fd[2];

	NEEDS_PAGES();
	ASSERT_EQ(0, pipe(fd));
	open_it(self->p);
	ask(&self->ring, fd, self->p, ta_page());
	close_it(self->p);
	ASSERT_EQ(0, t_pin_send(fd[1], 3));
	EXPECT_EQ(-EFAULT, t_ring_result(&self->ring));
	ASSERT_EQ(0, t_pin_got(fd[0], 3));

	ask(&self->ring, fd, self->p, ta_page());
	open_it(self->p);
	EXPECT_TRUE(t_holds(self->p, ta_page(), 0));
	ASSERT_EQ(0, t_pin_send(fd[1], 4));
	EXPECT_EQ((int)ta_page(), t_ring_result(&self->ring));
	EXPECT_TRUE(t_is_filled(self->p, ta_page(), 4));
	close_it(self->p);
}

TEST_F(life, what_is_closed_is_not_registered)
{
	int e = t_ring_register(&self->ring, t_pin_page());

	if (e != 0)
		SKIP(return, "attack does not work here: %s", strerror(-e));
	ASSERT_EQ(0, io_uring_unregister_buffers(&self->ring));
	EXPECT_EQ(-EFAULT, t_ring_register(&self->ring, self->p));
}

/* Registers the open page, or finds that it is hidden. */
static int registers(struct io_uring *ring, unsigned char *p)
{
	int e = t_ring_register(ring, t_pin_page());

	if (e == 0)
		e = io_uring_unregister_buffers(ring);
	if (e != 0)
		SKIP(return 0, "attack does not work here: %s", strerror(-e));
	e = t_ring_register(ring, p);
	EXPECT_EQ(t_pin_is_hidden() ? -EFAULT : 0, e);
	return e == 0;
}

/* How many bytes of the registered page are those of seed. */
static size_t tells(struct io_uring *ring, unsigned char *p, uint64_t seed)
{
	unsigned char *want = t_pin_page(), *got = t_pin_page();
	size_t i, n = 0;
	int fd[2];

	ASSERT_EQ(0, pipe(fd));
	EXPECT_EQ(0, t_ring_io(ring, IORING_OP_WRITE_FIXED, 0, fd[1], p));
	EXPECT_EQ(ta_page(), read(fd[0], got, ta_page()));
	t_fill(want, ta_page(), seed);
	for (i = 0; i < ta_page(); i++)
		n += got[i] == want[i];
	t_pin_close(fd);
	return n;
}

/* As many of the bytes that were wiped may look like them: one in 255 does. */
#define CHANCE (ta_page() / 64)

TEST_F(life, what_was_registered_in_a_scope_stays_open_for_the_ring)
{
	open_it(self->p);
	t_fill(self->p, ta_page(), 5);
	if (!registers(&self->ring, self->p)) {
		close_it(self->p);
		return;
	}
	close_it(self->p);
	EXPECT_EQ(SECM_NONE, ta_access(self->p));
	EXPECT_EQ(ta_page(), tells(&self->ring, self->p, 5));
}

/* The object is freed, and its pages are in the hands of the ring. */
TEST_F(life, what_was_freed_is_wiped_for_the_ring_as_well)
{
	unsigned char *p = t_pin_object(), *big = secmalloc(100000), *at;

	ASSERT_NOT_NULL(big);
	at = big + ta_page() - (uintptr_t)big % ta_page();
	t_fill(p, ta_page(), 6);
	if (!registers(&self->ring, p))
		return;
	EXPECT_EQ(ta_page(), tells(&self->ring, p, 6));
	secfree(p);
	EXPECT_LT(tells(&self->ring, p, 6), CHANCE);
	ASSERT_EQ(0, io_uring_unregister_buffers(&self->ring));
	t_fill(at, ta_page(), 7);
	ASSERT_EQ(0, t_ring_register(&self->ring, at));
	EXPECT_EQ(ta_page(), tells(&self->ring, at, 7));
	secfree(big);
	(void)secmalloc_trim(); /* returns how much that was */
	EXPECT_LT(tells(&self->ring, at, 7), CHANCE);
}

/* The kernel knows of mappings, not of objects. */
TEST_F_DEATH(life, a_late_read_is_a_write_after_free, SIGABRT,
	     SECM_DIE_WRITE_AFTER_FREE)
{
	enum { SIZE = 64 };
	unsigned char *p = secmalloc(SIZE), bytes[SIZE];
	int fd[2];

	ASSERT_NOT_NULL(p);
	ASSERT_EQ(0, pipe(fd));
	ask(&self->ring, fd, p, SIZE);
	secfree(p);
	t_fill(bytes, SIZE, 8);
	ASSERT_EQ(SIZE, write(fd[1], bytes, SIZE));
	ASSERT_EQ(SIZE, t_ring_result(&self->ring));
	EXPECT_EQ(0, secmalloc_verify());
}

/* Nothing of the object is in the child's own memory; but it has the ring. */
TEST_F(life, a_child_that_inherits_the_ring_has_what_was_registered)
{
	unsigned char *p = t_pin_object();

	t_fill(p, ta_page(), 9);
	if (!registers(&self->ring, p))
		return;
	T_IN_CHILD({
		EXPECT_TRUE(t_holds(p, ta_page(), 0));
		EXPECT_EQ(ta_page(), tells(&self->ring, p, 9));
	});
}

/* That thread has the memory and the descriptors of who made the ring. */
TEST_F(life, and_of_a_ring_with_a_thread_of_the_kernel_everything)
{
	struct io_uring ring;
	const char *why = t_ring_begin(&ring, IORING_SETUP_SQPOLL);
	unsigned char *p = t_pin_object();
	int fd[2];

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, pipe(fd));
	t_fill(p, ta_page(), 10);
	T_IN_CHILD({
		EXPECT_TRUE(t_holds(p, ta_page(), 0));
		EXPECT_EQ(0, t_ring_io(&ring, IORING_OP_WRITE, 0, fd[1], p));
		EXPECT_EQ(0, t_pin_got(fd[0], 10));
	});
	io_uring_queue_exit(&ring);
}
