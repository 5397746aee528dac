/* SPDX-License-Identifier: MIT */
/*
 * test_transfer.c - secmalloc_read() and secmalloc_write(): all bytes, a clear
 * short count, deadlines
 */
#include "t_io.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

TA_TIERS(transfer);

enum { SIZE = 3000, LARGE = 1000000, ODD_ERRNO = 4711, SHORT_MS = 20 };

TEST_F(transfer, bytes_pass_and_errno_is_kept)
{
	unsigned char *from = secmalloc(SIZE), *to = secmalloc(SIZE);
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	ti_fill(from, SIZE, 1);
	errno = ODD_ERRNO;
	EXPECT_EQ(SIZE, secmalloc_write(ends[1], from, SIZE, NULL));
	EXPECT_EQ(SIZE, secmalloc_read(ends[0], to, SIZE, NULL));
	EXPECT_EQ(ODD_ERRNO, errno);
	EXPECT_TRUE(ti_is(to, SIZE, 1));
}

TEST_F(transfer, the_end_of_input_is_a_short_count_without_error)
{
	unsigned char *p = secmalloc(SIZE);
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(5, write(ends[1], "12345", 5));
	ASSERT_EQ(0, close(ends[1]));
	errno = ODD_ERRNO;
	EXPECT_EQ(5, secmalloc_read(ends[0], p, SIZE, NULL));
	EXPECT_EQ(0, errno);
	errno = ODD_ERRNO;
	EXPECT_EQ(0, secmalloc_read(ends[0], p, SIZE, NULL));
	EXPECT_EQ(0, errno);
}

TEST_F(transfer, ordinary_memory_is_refused)
{
	char ordinary[16];
	unsigned char *p = secmalloc(16);
	int zero = open("/dev/zero", O_RDWR);

	ASSERT_LE(0, zero);
	EXPECT_EQ(-1, secmalloc_read(zero, ordinary, 16, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, secmalloc_write(zero, ordinary, 16, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, secmalloc_read(zero, p, 17, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(16, secmalloc_read(zero, p, 16, NULL));
}

TEST_F(transfer, a_deadline_ends_a_read)
{
	unsigned char *p = secmalloc(SIZE);
	struct timespec until = ti_in(SHORT_MS);
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(-1, secmalloc_read(ends[0], p, SIZE, &until));
	EXPECT_EQ(ETIMEDOUT, errno);
	ASSERT_EQ(5, write(ends[1], "12345", 5));
	EXPECT_EQ(5, secmalloc_read(ends[0], p, SIZE, &until));
	EXPECT_EQ(ETIMEDOUT, errno);
}

/* All three: they are waited for in three ways. */
enum way { PIPE, PIPE_NONBLOCK, SOCKET };

static void open_ends(enum way way, int *ends)
{
	int i;

	if (way == SOCKET)
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	else
		ASSERT_EQ(0, pipe(ends));
	for (i = 0; i < 2 && way == PIPE_NONBLOCK; i++)
		ASSERT_EQ(0, fcntl(ends[i], F_SETFL, O_NONBLOCK));
}

/* How much fits; all of it is taken out again. */
static ssize_t capacity(enum way way)
{
	static char bytes[4096];
	ssize_t n, all = 0;
	int ends[2];

	open_ends(way, ends);
	ASSERT_EQ(0, fcntl(ends[1], F_SETFL, O_NONBLOCK));
	while ((n = write(ends[1], bytes, sizeof(bytes))) > 0)
		all += n;
	ASSERT_EQ(EAGAIN, errno);
	close(ends[0]);
	close(ends[1]);
	return all;
}

FIXTURE(ways)
{
	int ends[2];
};

FIXTURE_VARIANT(ways)
{
	enum way way;
};

FIXTURE_VARIANT_ADD(ways, pipe){ PIPE };
FIXTURE_VARIANT_ADD(ways, nonblocking){ PIPE_NONBLOCK };
FIXTURE_VARIANT_ADD(ways, socket){ SOCKET };

FIXTURE_SETUP(ways)
{
	open_ends(variant->way, self->ends);
}

FIXTURE_TEARDOWN(ways)
{
}

TEST_F(ways, a_full_pipe_and_a_deadline_are_a_short_count)
{
	const ssize_t fits = capacity(variant->way);
	unsigned char *p = secmalloc(LARGE), *q = secmalloc(LARGE);
	struct timespec until = ti_in(SHORT_MS);
	ssize_t n;

	if (!p || !q)
		SKIP(return, "too little may be locked here");

	ti_fill(p, LARGE, 1);
	n = secmalloc_write(self->ends[1], p, LARGE, &until);
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_LT(0, n);
	EXPECT_LT(n, LARGE);
	if (variant->way != SOCKET) /* which count in their own way */
		EXPECT_EQ(fits, n);
	EXPECT_EQ(-1, secmalloc_write(self->ends[1], p, 1, &until));
	EXPECT_EQ(ETIMEDOUT, errno);
	/* The time is over, and what is there is read all the same. */
	EXPECT_EQ(n, secmalloc_read(self->ends[0], q, LARGE, &until));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_TRUE(ti_is(q, (size_t)n, 1));
	/* And what fits is written. */
	EXPECT_EQ(SIZE, secmalloc_write(self->ends[1], p, SIZE, &until));
}

TEST_F(ways, invalid_times_and_sizes)
{
	struct timespec bad[] = { { 1, -1 }, { 1, 1000000000 }, { -1, 0 } };
	unsigned char *p = secmalloc(SIZE);
	size_t i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-1, secmalloc_read(self->ends[0], p, 1, &bad[i]));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(-1, secmalloc_write(self->ends[1], p, 1, &bad[i]));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(-1, secmalloc_read(self->ends[0], p, (size_t)SSIZE_MAX + 1,
				     NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, secmalloc_write(self->ends[1], p, SIZE_MAX, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, secmalloc_read(self->ends[0], p, SSIZE_MAX, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, secmalloc_read(self->ends[0], NULL, 1, NULL));
	EXPECT_EQ(EFAULT, errno);
	errno = ODD_ERRNO;
	EXPECT_EQ(0, secmalloc_read(self->ends[0], p, 0, NULL));
	EXPECT_EQ(0, secmalloc_read(self->ends[0], NULL, 0, NULL));
	EXPECT_EQ(0, secmalloc_write(self->ends[1], NULL, 0,
				     &(struct timespec){ 0, 0 }));
	EXPECT_EQ(ODD_ERRNO, errno);
}

struct other {
	int fd;
	unsigned seed;
	const struct timespec *deadline;
};

static void *write_slowly(void *arg)
{
	const struct other *o = arg;
	unsigned char bytes[777];
	size_t at, i, n;

	for (at = 0; at < LARGE; at += n) {
		n = LARGE - at < sizeof(bytes) ? LARGE - at : sizeof(bytes);
		for (i = 0; i < n; i++)
			bytes[i] = ti_byte(at + i, o->seed);
		for (i = 0; i < n;) {
			ssize_t k = write(o->fd, bytes + i, n - i);

			if (k > 0)
				i += (size_t)k;
			else
				ASSERT_EQ(EAGAIN, errno);
		}
	}
	return NULL;
}

static void *read_slowly(void *arg)
{
	const struct other *o = arg;
	unsigned char bytes[777];
	size_t at = 0;
	ssize_t n, i;

	while (at < LARGE) {
		n = read(o->fd, bytes, sizeof(bytes));
		if (n < 0) {
			ASSERT_EQ(EAGAIN, errno);
			continue;
		}
		for (i = 0; i < n; i++)
			ASSERT_EQ(ti_byte(at + (size_t)i, o->seed), bytes[i]);
		at += (size_t)n;
	}
	return NULL;
}

/* Many times what fits, with and without a time that is far enough. */
static void pass_much(int *ends, const struct timespec *deadline)
{
	unsigned char *p = secmalloc(LARGE);
	struct other reads = { ends[0], 2, NULL },
		     writes = { ends[1], 3, NULL };
	pthread_t thread;

	if (!p)
		SKIP(return, "too little may be locked here");
	ti_fill(p, LARGE, 2);
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_slowly, &reads));
	EXPECT_EQ(LARGE, secmalloc_write(ends[1], p, LARGE, deadline));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_slowly, &writes));
	EXPECT_EQ(LARGE, secmalloc_read(ends[0], p, LARGE, deadline));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(ti_is(p, LARGE, 3));
	secfree(p);
}

TEST_F(ways, much_more_than_fits_passes)
{
	const struct timespec far = ti_in(1000000);

	pass_much(self->ends, NULL);
	pass_much(self->ends, &far);
}

enum { SIGNALS = 300 };
static volatile sig_atomic_t calls;
static int feed_fd;

static void feed(int sig)
{
	(void)sig;
	if (++calls == SIGNALS)
		(void)!write(feed_fd, "12345678", 8);
}

static void *interrupt(void *arg)
{
	pthread_t *reader = arg;

	while (calls < SIGNALS)
		(void)pthread_kill(*reader, SIGUSR1);
	return NULL;
}

/* No SA_RESTART. */
TEST_F(ways, handlers_do_not_end_it)
{
	struct sigaction a = { .sa_handler = feed };
	const struct timespec far = ti_in(1000000);
	unsigned char *p = secmalloc(SIZE);
	pthread_t me = pthread_self(), thread;

	feed_fd = self->ends[1];
	ASSERT_EQ(0, sigaction(SIGUSR1, &a, NULL));
	ASSERT_EQ(0, pthread_create(&thread, NULL, interrupt, &me));
	EXPECT_EQ(4, secmalloc_read(self->ends[0], p, 4, NULL));
	EXPECT_EQ(4, secmalloc_read(self->ends[0], p, 4, &far));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_LE(SIGNALS, calls);
}

TEST_F(ways, nobody_reads)
{
	unsigned char *p = secmalloc(SIZE);
	const struct timespec far = ti_in(1000000);

	close(self->ends[0]);
	ASSERT_NE(SIG_ERR, signal(SIGPIPE, SIG_DFL));
	EXPECT_SIGNAL(SIGPIPE, {
		p = secmalloc(SIZE);
		EXPECT_EQ(-1, secmalloc_write(self->ends[1], p, SIZE, NULL));
	});
	EXPECT_SIGNAL(SIGPIPE, {
		p = secmalloc(SIZE);
		EXPECT_EQ(-1, secmalloc_write(self->ends[1], p, SIZE, &far));
	});
	ASSERT_NE(SIG_ERR, signal(SIGPIPE, SIG_IGN));
	EXPECT_EQ(-1, secmalloc_write(self->ends[1], p, SIZE, NULL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(-1, secmalloc_write(self->ends[1], p, SIZE, &far));
	EXPECT_EQ(EPIPE, errno);
}

static void *take_some_and_close(void *arg)
{
	const struct other *o = arg;
	char bytes[1000];

	while (read(o->fd, bytes, sizeof(bytes)) < 0)
		ASSERT_EQ(EAGAIN, errno);
	close(o->fd);
	return NULL;
}

TEST_F(ways, an_error_after_some_bytes_is_a_short_count_with_errno)
{
	unsigned char *p = secmalloc(LARGE);
	struct other reads = { self->ends[0], 0, NULL };
	pthread_t thread;
	ssize_t n;

	if (!p)
		SKIP(return, "too little may be locked here");
	ASSERT_NE(SIG_ERR, signal(SIGPIPE, SIG_IGN));
	ASSERT_EQ(0,
		  pthread_create(&thread, NULL, take_some_and_close, &reads));
	n = secmalloc_write(self->ends[1], p, LARGE, NULL);
	EXPECT_EQ(EPIPE, errno);
	EXPECT_LT(0, n);
	EXPECT_LT(n, LARGE);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-1, secmalloc_write(self->ends[1], p, LARGE, NULL));
	EXPECT_EQ(EPIPE, errno);
}

TEST(errors_of_descriptors)
{
	const struct timespec past = { 0, 0 };
	unsigned char *p = secmalloc(SIZE);
	int folder = open("/", O_RDONLY), null = open("/dev/null", O_RDONLY);

	ASSERT_LE(0, null);
	EXPECT_EQ(-1, secmalloc_read(folder, p, SIZE, NULL));
	EXPECT_EQ(EISDIR, errno);
	EXPECT_EQ(-1, secmalloc_read(folder, p, SIZE, &past));
	EXPECT_EQ(EISDIR, errno);
	EXPECT_EQ(-1, secmalloc_write(null, p, SIZE, NULL));
	EXPECT_EQ(EBADF, errno);
	close(null);
	EXPECT_EQ(-1, secmalloc_read(null, p, SIZE, NULL));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, secmalloc_write(null, p, SIZE, &past));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, secmalloc_read(-1, p, SIZE, &past));
	EXPECT_EQ(EBADF, errno);
}

TEST(messages_of_a_socket_come_one_by_one)
{
	unsigned char *p = secmalloc(SIZE);
	struct timespec until = ti_in(SHORT_MS);
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	ASSERT_EQ(2, send(ends[1], "ab", 2, 0));
	ASSERT_EQ(2, send(ends[1], "cd", 2, 0));
	EXPECT_EQ(4, secmalloc_read(ends[0], p, 4, &until));
	EXPECT_EQ(0, memcmp(p, "abcd", 4));
	EXPECT_EQ(-1, secmalloc_read(ends[0], p, 4, &until));
	EXPECT_EQ(ETIMEDOUT, errno);
}
