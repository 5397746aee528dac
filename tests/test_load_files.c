/* SPDX-License-Identifier: MIT */
/*
 * test_load_files.c - many files at once: the same results as one by one, each
 * with its own error
 */
#include "t_io.h"
#include "t_load.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TA_TIERS(files);

enum { ODD_ERRNO = 4711, MANY = 300, MIXED = 70, FEW = 3 };

static struct secmalloc_loaded l[MANY];

static size_t size_of(size_t i)
{
	static const size_t sizes[] = { 1,    512,  1700, 4095, 4096,
					4097, 8192, 0,	  9000, 20001 };

	return sizes[i % 10];
}

static void name(size_t n, const char *(*path)(size_t i))
{
	size_t i;

	memset(l, 0, sizeof(l));
	for (i = 0; i < n; i++) {
		l[i].size = sizeof(l[i]);
		l[i].path = path(i);
	}
}

static const char *small(size_t i)
{
	return tl_quick_file(100 + i % 7, (unsigned)i);
}

TEST_F(files, all_are_loaded)
{
	size_t i;

	name(MANY, small);
	errno = ODD_ERRNO;
	ASSERT_EQ(0, secmalloc_load_files(l, MANY, NULL));
	EXPECT_EQ(ODD_ERRNO, errno);
	for (i = 0; i < MANY; i++) {
		EXPECT_EQ(0, l[i].error);
		EXPECT_EQ(100 + i % 7, l[i].length);
		EXPECT_EQ(100 + i % 7, secmalloc_usable_size(l[i].data));
		EXPECT_TRUE(ti_is(l[i].data, l[i].length, (unsigned)i));
		EXPECT_NE(SECMALLOC_WAY_NONE, l[i].way);
		EXPECT_TRUE(l[i].ring == (l[i].ring_errno == 0));
		secfree(l[i].data);
	}
}

/* Of ten there are: a missing one, a folder, a link, a public one, one that is
 * too large, one of /proc, a device, no name, and two that are well. */
static const char *mixed(size_t i)
{
	char *path = tl_quick_file(size_of(i), (unsigned)i), *other;

	switch (i % 10) {
	case 0:
		return "no such file";
	case 1:
		return ".";
	case 2:
		other = tl_name();
		ASSERT_EQ(0, symlink(path, other));
		return other;
	case 3:
		ASSERT_EQ(0, chmod(path, 0644));
		return path;
	case 4:
		ASSERT_EQ(0, truncate(path, 1 << 20));
		return path;
	case 5:
		return "/proc/self/cmdline";
	case 6:
		return "/dev/null";
	case 7:
		return NULL;
	default:
		return path;
	}
}

static const unsigned flags[] = { 0,
				  SECMALLOC_LOAD_NOFOLLOW,
				  SECMALLOC_LOAD_PRIVATE,
				  SECMALLOC_LOAD_REGULAR,
				  SECMALLOC_LOAD_STRING,
				  SECMALLOC_LOAD_GUARDED,
				  SECMALLOC_LOAD_CACHED };

TEST_F(files, each_has_the_result_that_it_has_alone)
{
	size_t i, j;

	name(MIXED, mixed);
	for (j = 0; j < sizeof(flags) / sizeof(flags[0]); j++) {
		const struct secmalloc_load_options o = { .flags = flags[j],
							  .max = 100000 };
		int first = 0;

		EXPECT_EQ(-1, secmalloc_load_files(l, MIXED, &o));
		EXPECT_EQ(ENOENT, errno);
		for (i = 0; i < MIXED; i++) {
			struct secmalloc_loaded one = { .size = sizeof(one) };

			(void)!secmalloc_load_file(l[i].path, &o, &one);
			EXPECT_EQ(one.error, l[i].error);
			EXPECT_EQ(one.length, l[i].length);
			EXPECT_EQ(!one.data, !l[i].data);
			if (one.data && i % 10 != 5)
				EXPECT_EQ(0, memcmp(one.data, l[i].data,
						    one.length));
			EXPECT_EQ(secmalloc_usable_size(one.data),
				  secmalloc_usable_size(l[i].data));
			if (one.error && !first)
				first = one.error;
			secfree(one.data);
			secfree(l[i].data);
		}
		EXPECT_EQ(ENOENT, first);
	}
}

TEST_F(files, objects_are_made_where_asked)
{
	const struct secmalloc_config scoped = {
		.access = SECMALLOC_ACCESS_SCOPES, .flags = variant->tier.flags
	};
	secmalloc_heap *heap = secmalloc_heap_create(&scoped);
	const struct secmalloc_load_options o = { .heap = heap };
	size_t i;

	ASSERT_NOT_NULL(heap);
	name(MIXED, small);
	ASSERT_EQ(0, secmalloc_load_files(l, MIXED, &o));
	ASSERT_EQ(0, secmalloc_heap_begin(heap, SECMALLOC_READONLY));
	for (i = 0; i < MIXED; i++) {
		EXPECT_TRUE(secmalloc_heap_owns(heap, l[i].data));
		EXPECT_TRUE(ti_is(l[i].data, l[i].length, (unsigned)i));
	}
	secmalloc_heap_end(heap, SECMALLOC_READONLY);
}

/* A budget for some of them: the others say so, and those are whole. */
TEST_F(files, what_there_is_no_room_for_is_an_error_of_its_own)
{
	const struct secmalloc_config small_heap = {
		.max_bytes = 256 << 10, .flags = variant->tier.flags
	};
	secmalloc_heap *heap = secmalloc_heap_create(&small_heap);
	const struct secmalloc_load_options o = { .heap = heap };
	size_t i, well = 0, before = tl_objects();

	ASSERT_NOT_NULL(heap);
	name(MIXED, mixed);
	for (i = 0; i < MIXED; i++)
		l[i].path = tl_quick_file(9000, (unsigned)i);
	EXPECT_EQ(-1, secmalloc_load_files(l, MIXED, &o));
	EXPECT_EQ(ENOMEM, errno);
	for (i = 0; i < MIXED; i++) {
		if (l[i].error) {
			EXPECT_EQ(ENOMEM, l[i].error);
			EXPECT_NULL(l[i].data);
			continue;
		}
		EXPECT_TRUE(ti_is(l[i].data, 9000, (unsigned)i));
		well++;
	}
	EXPECT_LT(10, well);
	EXPECT_LT(well, MIXED);
	EXPECT_EQ(before + well, tl_objects());
}

TEST_F(files, nothing_is_done_for_wrong_arguments)
{
	const struct secmalloc_load_options o = { .flags = 1u << 30 };

	name(MIXED, small);
	l[0].data = l;
	EXPECT_EQ(-1, secmalloc_load_files(l, MIXED, &o));
	EXPECT_EQ(EINVAL, errno);
	l[MIXED - 1].size = 1;
	EXPECT_EQ(-1, secmalloc_load_files(l, MIXED, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ((void *)l, l[0].data);
	EXPECT_EQ(-1, secmalloc_load_files(NULL, 1, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, secmalloc_load_files(NULL, 0, NULL));
	EXPECT_EQ(0, tl_objects());
}

/* Whose writers wait, and notice when they are given up. */
TEST_F(files, fifos_among_them_are_opened_once)
{
	enum { FIFOS = 5, OTHERS = 20, BYTES = 300 };
	pid_t writer[FIFOS];
	int i;

	name(OTHERS, small);
	for (i = 0; i < FIFOS; i++) {
		char *fifo = tl_name();

		ASSERT_EQ(0, mkfifo(fifo, 0600));
		l[3 * i].path = fifo;
		writer[i] = fork();
		ASSERT_LE(0, writer[i]);
		if (writer[i] == 0) {
			unsigned char bytes[BYTES];
			int fd = open(fifo, O_WRONLY);

			ti_fill(bytes, BYTES, 77);
			(void)signal(SIGPIPE, SIG_DFL);
			_exit(write(fd, bytes, BYTES) != BYTES);
		}
	}
	EXPECT_EQ(0, secmalloc_load_files(l, OTHERS, NULL));
	for (i = 0; i < FIFOS; i++) {
		EXPECT_EQ(0, ta_status(writer[i]));
		EXPECT_EQ(BYTES, l[3 * i].length);
		EXPECT_TRUE(ti_is(l[3 * i].data, BYTES, 77));
	}
}

TEST_F(files, no_descriptor_is_left)
{
	int before;

	name(MIXED, mixed);
	(void)!secmalloc_load_files(l, MIXED, NULL);
	before = ta_descriptors();
	(void)!secmalloc_load_files(l, MIXED, NULL);
	(void)!secmalloc_load_files(l, FEW, NULL);
	EXPECT_EQ(before, ta_descriptors());
}
