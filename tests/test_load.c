/* SPDX-License-Identifier: MIT */
/*
 * test_load.c - files of all kinds as one secret object
 */
#include "t_io.h"
#include "t_load.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TA_TIERS(load);

enum { ODD_ERRNO = 4711, SIZE = 1700, SHORT_MS = 20 };

static const size_t sizes[] = { 1,    2,     15,    16,	   17,	  511,	512,
				513,  1700,  4095,  4096,  4097,  8191, 8192,
				8193, 65535, 65536, 65537, 200001 };
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

TEST_F(load, an_object_has_the_exact_contents)
{
	size_t i;

	for (i = 0; i < SIZES; i++) {
		struct secmalloc_loaded l = { .size = sizeof(l) };
		char *path = tl_file(sizes[i], (unsigned)i);
		void *p;

		errno = ODD_ERRNO;
		p = secmalloc_load_file(path, NULL, &l);
		ASSERT_NOT_NULL(p)
		{
			TH_LOG("%zu: %d", sizes[i], errno);
		}
		EXPECT_EQ(ODD_ERRNO, errno);
		EXPECT_EQ(p, l.data);
		EXPECT_EQ(sizes[i], l.length);
		EXPECT_EQ(sizes[i], secmalloc_usable_size(p));
		EXPECT_EQ(0, l.error);
		EXPECT_EQ(0, l.ring);
		EXPECT_NE(SECMALLOC_WAY_NONE, l.way);
		EXPECT_NE(SECMALLOC_WAY_STREAM, l.way);
		EXPECT_TRUE(ti_is(p, sizes[i], (unsigned)i));
		secfree(p);
	}
}

TEST_F(load, each_flag_does_the_same)
{
	static const unsigned flags[] = {
		SECMALLOC_LOAD_CACHED,
		SECMALLOC_LOAD_GUARDED,
		SECMALLOC_LOAD_NOFOLLOW | SECMALLOC_LOAD_PRIVATE |
			SECMALLOC_LOAD_REGULAR,
	};
	size_t i, j;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		for (j = 0; j < SIZES; j++) {
			struct secmalloc_load_options o = { .size = sizeof(o),
							    .flags = flags[i] };
			char *path = tl_file(sizes[j], (unsigned)j);
			void *p = secmalloc_load_file(path, &o, NULL);

			ASSERT_NOT_NULL(p);
			EXPECT_EQ(sizes[j], secmalloc_usable_size(p));
			EXPECT_TRUE(ti_is(p, sizes[j], (unsigned)j));
			secfree(p);
		}
}

TEST_F(load, a_string_ends_with_a_zero_byte)
{
	const struct secmalloc_load_options o = {
		.flags = SECMALLOC_LOAD_STRING
	};
	struct secmalloc_loaded l = { .size = sizeof(l) };
	int ends[2];
	size_t i;

	for (i = 0; i < SIZES; i++) {
		char *p = secmalloc_load_file(tl_file(sizes[i], 3), &o, &l);

		ASSERT_NOT_NULL(p);
		EXPECT_EQ(sizes[i], l.length);
		EXPECT_EQ(sizes[i] + 1, secmalloc_usable_size(p));
		EXPECT_EQ(0, p[sizes[i]]);
		EXPECT_TRUE(ti_is(p, sizes[i], 3));
	}
	EXPECT_STREQ("", secmalloc_load_file(tl_file(0, 3), &o, &l));
	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(3, write(ends[1], "abc", 3));
	ASSERT_EQ(0, close(ends[1]));
	EXPECT_STREQ("abc", secmalloc_load_fd(ends[0], &o, &l));
	EXPECT_EQ(3, l.length);
}

TEST_F(load, an_empty_file_is_an_object_of_no_bytes)
{
	struct secmalloc_loaded l = { .size = sizeof(l) };
	void *p = secmalloc_load_file(tl_file(0, 0), NULL, &l);

	ASSERT_NOT_NULL(p);
	EXPECT_EQ(0, l.length);
	EXPECT_EQ(0, secmalloc_usable_size(p));
	EXPECT_EQ(SECMALLOC_WAY_STREAM, l.way);
	EXPECT_TRUE(secmalloc_owns(p) || l.length == 0);
	secfree(p);
}

TEST_F(load, more_than_max_is_refused)
{
	static const size_t max[] = { 1, 10, 999, 1000, 1001, 4096, 70000 };
	size_t i, before;

	for (i = 0; i < sizeof(max) / sizeof(max[0]); i++) {
		struct secmalloc_load_options o = { .max = max[i] };
		void *p = secmalloc_load_file(tl_file(max[i], 1), &o, NULL);

		EXPECT_NOT_NULL(p);
		secfree(p);
		before = tl_objects();
		EXPECT_NULL(
			secmalloc_load_file(tl_file(max[i] + 1, 1), &o, NULL));
		EXPECT_EQ(EFBIG, errno);
		p = tl_through_pipe(max[i], 2, &o);
		ASSERT_NOT_NULL(p);
		EXPECT_EQ(max[i], secmalloc_usable_size(p));
		EXPECT_TRUE(ti_is(p, max[i], 2));
		secfree(p);
		EXPECT_NULL(tl_through_pipe(max[i] + 1, 2, &o));
		EXPECT_EQ(EFBIG, errno);
		EXPECT_EQ(before, tl_objects());
	}
}

TEST_F(load, a_huge_file_is_refused_before_it_is_read)
{
	char *path = tl_file(1, 0);

	if (truncate(path, (off_t)1 << 40) != 0)
		SKIP(return, "no sparse file of 1 TiB here");
	EXPECT_NULL(secmalloc_load_file(path, NULL, NULL));
	EXPECT_EQ(EFBIG, errno);
}

TEST_F(load, links_are_followed_unless_asked_not_to)
{
	struct secmalloc_load_options o = { .flags = SECMALLOC_LOAD_NOFOLLOW };
	char *path = tl_file(SIZE, 5), *link = tl_name();

	ASSERT_EQ(0, symlink(path, link));
	EXPECT_NOT_NULL(secmalloc_load_file(link, NULL, NULL));
	EXPECT_NULL(secmalloc_load_file(link, &o, NULL));
	EXPECT_EQ(ELOOP, errno);
	EXPECT_NOT_NULL(secmalloc_load_file(path, &o, NULL));
}

TEST_F(load, what_others_may_use_is_refused_on_request)
{
	static const mode_t open_to[] = { 0640, 0620, 0610, 0604, 0602, 0601 };
	struct secmalloc_load_options o = { .flags = SECMALLOC_LOAD_PRIVATE };
	char *path = tl_file(SIZE, 5);
	size_t i;

	for (i = 0; i < sizeof(open_to) / sizeof(open_to[0]); i++) {
		ASSERT_EQ(0, chmod(path, open_to[i]));
		EXPECT_NOT_NULL(secmalloc_load_file(path, NULL, NULL));
		EXPECT_NULL(secmalloc_load_file(path, &o, NULL));
		EXPECT_EQ(EPERM, errno);
	}
	ASSERT_EQ(0, chmod(path, 0600));
	EXPECT_NOT_NULL(secmalloc_load_file(path, &o, NULL));
	if (geteuid() != 0 || chown(path, 65534, (gid_t)-1) != 0)
		SKIP(return, "only root gives files away");
	EXPECT_NULL(secmalloc_load_file(path, &o, NULL));
	EXPECT_EQ(EPERM, errno);
}

TEST_F(load, what_is_no_file_has_its_error)
{
	const struct secmalloc_load_options flag = { .flags = 1u << 20 },
					    size = { .size = 3 };
	const struct timespec never = { 0, 1000000000 };
	const struct secmalloc_load_options time = { .deadline = &never };
	struct secmalloc_loaded l = { .size = sizeof(l) },
				wrong = { .size = sizeof(l) - 1 };

	EXPECT_NULL(secmalloc_load_file(".", NULL, &l));
	EXPECT_EQ(EISDIR, errno);
	EXPECT_EQ(EISDIR, l.error);
	EXPECT_EQ(SECMALLOC_WAY_NONE, l.way);
	EXPECT_NULL(secmalloc_load_file("no such file", NULL, NULL));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_NULL(secmalloc_load_file(NULL, NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_load_file(tl_file(1, 1), &flag, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_load_file(tl_file(1, 1), &size, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_load_file(tl_file(1, 1), &time, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_load_file(tl_file(1, 1), NULL, &wrong));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_load_fd(-1, NULL, NULL));
	EXPECT_EQ(EBADF, errno);
}

TEST_F(load, a_regular_file_is_insisted_on)
{
	const struct secmalloc_load_options o = {
		.flags = SECMALLOC_LOAD_REGULAR
	};
	char *fifo = tl_name();

	ASSERT_EQ(0, mkfifo(fifo, 0600));
	EXPECT_NULL(secmalloc_load_file(fifo, &o, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_load_file("/dev/null", &o, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NOT_NULL(secmalloc_load_file("/dev/null", NULL, NULL));
}

TEST_F(load, a_fifo_is_waited_for_until_the_deadline)
{
	struct timespec until = ti_in(SHORT_MS);
	const struct secmalloc_load_options o = { .deadline = &until };
	char *fifo = tl_name();
	unsigned char *p;
	pid_t child;
	int status;

	ASSERT_EQ(0, mkfifo(fifo, 0600));
	EXPECT_NULL(secmalloc_load_file(fifo, &o, NULL));
	EXPECT_EQ(ETIMEDOUT, errno);
	child = fork();
	ASSERT_LE(0, child);
	if (child == 0) {
		unsigned char some[SIZE];
		int fd = open(fifo, O_WRONLY);

		ti_fill(some, SIZE, 4);
		_exit(fd < 0 || write(fd, some, SIZE) != SIZE);
	}
	p = secmalloc_load_file(fifo, NULL, NULL);
	ASSERT_NOT_NULL(p);
	EXPECT_EQ(SIZE, secmalloc_usable_size(p));
	EXPECT_TRUE(ti_is(p, SIZE, 4));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(load, a_socket_and_a_non_blocking_pipe_are_read_to_the_end)
{
	unsigned char some[SIZE];
	int ends[2], i;

	for (i = 0; i < 2; i++) {
		void *p;

		ASSERT_EQ(0, i ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends)
			       : pipe(ends));
		ASSERT_EQ(0, fcntl(ends[0], F_SETFL, O_NONBLOCK));
		ti_fill(some, SIZE, 6);
		ASSERT_EQ(SIZE, write(ends[1], some, SIZE));
		p = tl_with_late_writer(ends, 6, SIZE);
		ASSERT_NOT_NULL(p);
		EXPECT_EQ(2 * SIZE, secmalloc_usable_size(p));
		EXPECT_TRUE(ti_is(p, SIZE, 6));
	}
}

TEST_F(load, a_descriptor_is_read_from_where_it_is)
{
	struct secmalloc_loaded l = { .size = sizeof(l) };
	unsigned char *p, first[100];
	int fd = open(tl_file(SIZE, 8), O_RDONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(100, read(fd, first, 100));
	p = secmalloc_load_fd(fd, NULL, &l);
	ASSERT_NOT_NULL(p);
	EXPECT_EQ(SIZE - 100, l.length);
	EXPECT_EQ(SIZE - 100, secmalloc_usable_size(p));
	EXPECT_EQ(ti_byte(100, 8), p[0]);
	EXPECT_EQ(ti_byte(SIZE - 1, 8), p[SIZE - 101]);
	p = secmalloc_load_fd(fd, NULL, &l);
	ASSERT_NOT_NULL(p);
	EXPECT_EQ(0, l.length);
	EXPECT_EQ(0, close(fd));
}

TEST_F(load, files_of_proc_are_read_until_they_end)
{
	struct secmalloc_loaded l = { .size = sizeof(l) };
	char *p = secmalloc_load_file("/proc/self/status", NULL, &l);

	if (!p && errno == ENOENT)
		SKIP(return, "no /proc/self/status");
	ASSERT_NOT_NULL(p);
	EXPECT_EQ(SECMALLOC_WAY_STREAM, l.way);
	EXPECT_EQ(0, memcmp(p, "Name:", 5));
	EXPECT_EQ('\n', p[l.length - 1]);
}

TEST_F(load, files_that_claim_a_page_may_be_shorter)
{
	static const char path[] =
		"/sys/kernel/mm/transparent_hugepage/enabled";
	struct secmalloc_loaded l = { .size = sizeof(l) };
	char *p = secmalloc_load_file(path, NULL, &l);

	if (!p && (errno == ENOENT || errno == EACCES))
		SKIP(return, "no such file here");
	ASSERT_NOT_NULL(p);
	EXPECT_LT(0, l.length);
	EXPECT_GT(1000, l.length);
	EXPECT_EQ('\n', p[l.length - 1]);
}

TEST_F(load, objects_of_any_heap_can_be_loaded)
{
	const struct secmalloc_config scoped = {
		.access = SECMALLOC_ACCESS_SCOPES, .flags = variant->tier.flags
	};
	secmalloc_heap *heap = secmalloc_heap_create(&scoped);
	struct secmalloc_load_options o = { .heap = heap };
	size_t i;

	ASSERT_NOT_NULL(heap);
	for (i = 0; i < SIZES; i++) {
		void *p = secmalloc_load_file(tl_file(sizes[i], 9), &o, NULL);
		void *q = tl_through_pipe(sizes[i], 9, &o);

		ASSERT_NOT_NULL(p);
		ASSERT_NOT_NULL(q);
		EXPECT_TRUE(secmalloc_heap_owns(heap, p));
		ASSERT_EQ(0, secmalloc_heap_begin(heap, SECMALLOC_READONLY));
		EXPECT_TRUE(ti_is(p, sizes[i], 9));
		EXPECT_TRUE(ti_is(q, sizes[i], 9));
		secmalloc_heap_end(heap, SECMALLOC_READONLY);
		secfree(p);
		secfree(q);
	}
	secmalloc_heap_destroy(heap);
}
