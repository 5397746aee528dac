/* SPDX-License-Identifier: MIT */
/*
 * test_load_changes.c - files that change, and reads that end early, while one
 * is loaded
 *
 * pread() and read() are ours here: so what happens between two reads does so
 * always.
 */
#include "t_io.h"
#include "t_load.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SIZE = 10000, STEP = 100 };

static struct {
	const char *path;
	int reads;
	int changes;	/* how many more times it changes */
	off_t size;	/* that it then has */
	int interrupts; /* how many more reads are interrupted */
	size_t most;	/* bytes of a read, 0: all */
	int broken;	/* reads fail by EIO */
	int fills;	/* how many more times it is written to from its start,
			   each time with other bytes, before a read() */
} now;

static ssize_t read_really(int fd, void *p, size_t size)
{
	const struct iovec v = { p, size };

	return readv(fd, &v, 1);
}

static void fill(void)
{
	static char bytes[SIZE];
	int fd = open(now.path, O_WRONLY);

	ASSERT_LE(0, fd);
	memset(bytes, 'a' + now.fills % 26, SIZE);
	ASSERT_EQ(SIZE, pwrite(fd, bytes, SIZE, 0));
	ASSERT_EQ(0, close(fd));
}

/* Others read random bytes, too. */
static int is_it(int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(now.path, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

ssize_t read(int fd, void *p, size_t size)
{
	if (now.fills > 0 && is_it(fd)) {
		fill();
		now.fills--;
	}
	return read_really(fd, p, size);
}

static void change(void)
{
	int fd = open(now.path, O_WRONLY);
	struct stat st;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	if (now.size > st.st_size)
		ASSERT_EQ(1, pwrite(fd, "x", 1, now.size - 1));
	else
		ASSERT_EQ(0, ftruncate(fd, now.size));
	now.size += now.size < SIZE ? -STEP : STEP;
	ASSERT_EQ(0, close(fd));
}

ssize_t pread(int fd, void *p, size_t size, off_t at)
{
	now.reads++;
	if (now.changes > 0) {
		now.changes--;
		change();
	}
	if (now.interrupts > 0) {
		now.interrupts--;
		errno = EINTR;
		return -1;
	}
	if (now.broken) {
		errno = EIO;
		return -1;
	}
	if (now.most && size > now.most)
		size = now.most;
	if (lseek(fd, at, SEEK_SET) != at)
		return -1;
	return read_really(fd, p, size);
}

TA_TIERS(changes);

/* Past the page cache, if those are our reads too, and by way of it. */
static size_t ways(unsigned flags[2])
{
	const struct secmalloc_load_options o = { 0 };
	int before = now.reads;

	flags[0] = SECMALLOC_LOAD_CACHED;
	flags[1] = 0;
	secfree(secmalloc_load_file(tl_file(SIZE, 1), &o, NULL));
	return now.reads > before ? 2 : 1;
}

static void *load(unsigned flags)
{
	const struct secmalloc_load_options o = { .flags = flags };

	return secmalloc_load_file(now.path, &o, NULL);
}

TEST_F(changes, reads_that_end_early_go_on)
{
	static const size_t most[] = { 1, 7, 511, 512, 4096, 9999 };
	size_t i;

	now.path = tl_file(SIZE, 1);
	for (i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		void *p;

		now.most = most[i];
		p = load(0);
		ASSERT_NOT_NULL(p);
		EXPECT_EQ(SIZE, secmalloc_usable_size(p));
		EXPECT_TRUE(ti_is(p, SIZE, 1));
		p = load(SECMALLOC_LOAD_CACHED);
		ASSERT_NOT_NULL(p);
		EXPECT_TRUE(ti_is(p, SIZE, 1));
	}
	EXPECT_LT(SIZE, now.reads);
}

TEST_F(changes, interrupted_reads_go_on)
{
	void *p;

	now.path = tl_file(SIZE, 1);
	now.interrupts = 5;
	p = load(0);
	ASSERT_NOT_NULL(p);
	EXPECT_TRUE(ti_is(p, SIZE, 1));
	now.interrupts = 5;
	p = load(SECMALLOC_LOAD_CACHED);
	ASSERT_NOT_NULL(p);
	EXPECT_TRUE(ti_is(p, SIZE, 1));
	EXPECT_EQ(0, now.interrupts);
}

TEST_F(changes, a_file_that_grows_once_is_read_anew)
{
	unsigned flags[2];
	size_t i, n = ways(flags);

	for (i = 0; i < n; i++) {
		unsigned char *p;

		now.path = tl_file(SIZE, 2);
		now.size = SIZE + STEP;
		now.changes = 1;
		p = load(flags[i]);
		ASSERT_NOT_NULL(p);
		EXPECT_EQ(SIZE + STEP, secmalloc_usable_size(p));
		EXPECT_TRUE(ti_is(p, SIZE, 2));
		EXPECT_EQ('x', p[SIZE + STEP - 1]);
	}
}

TEST_F(changes, a_file_that_is_cut_once_is_read_anew)
{
	unsigned flags[2];
	size_t i, n = ways(flags);

	for (i = 0; i < n; i++) {
		unsigned char *p;

		now.path = tl_file(SIZE, 2);
		now.size = STEP;
		now.changes = 1;
		p = load(flags[i]);
		ASSERT_NOT_NULL(p);
		EXPECT_EQ(STEP, secmalloc_usable_size(p));
		EXPECT_TRUE(ti_is(p, STEP, 2));
	}
}

TEST_F(changes, a_file_that_never_rests_is_an_error)
{
	const size_t before = tl_objects();
	unsigned flags[2];
	size_t i, n = ways(flags);

	now.path = tl_file(SIZE, 2);
	for (i = 0; i < n; i++) {
		now.reads = 0;
		now.size = SIZE + STEP;
		now.changes = 1000;
		EXPECT_NULL(load(flags[i]));
		EXPECT_EQ(EAGAIN, errno);
		EXPECT_GT(20, now.reads);
	}
	EXPECT_EQ(before, tl_objects());
}

/* Half of it would be of before, and half of after that. */
TEST_F(changes, an_empty_file_that_is_written_meanwhile_is_read_anew)
{
	char *p;

	now.path = tl_file(0, 1);
	now.fills = 2;
	p = load(SECMALLOC_LOAD_CACHED);
	ASSERT_NOT_NULL(p);
	EXPECT_EQ(0, now.fills);
	ASSERT_EQ(SIZE, secmalloc_usable_size(p));
	EXPECT_EQ(0, memcmp(p, p + 1, SIZE - 1));
}

/* By then it may have been read past the page cache, where nothing else can be
 * read. */
TEST_F(changes, so_is_one_that_was_emptied_at_first)
{
	unsigned flags[2];
	size_t i, n = ways(flags);

	for (i = 0; i < n; i++) {
		char *p;

		now.path = tl_file(SIZE, 2);
		now.size = 0;
		now.changes = 1;
		now.fills = 1;
		p = load(flags[i]);
		ASSERT_NOT_NULL(p);
		EXPECT_EQ(0, now.fills);
		ASSERT_EQ(SIZE, secmalloc_usable_size(p));
		EXPECT_EQ(0, memcmp(p, p + 1, SIZE - 1));
	}
}

TEST_F(changes, and_is_an_error_if_it_never_rests)
{
	const size_t before = tl_objects();

	now.path = tl_file(0, 1);
	now.fills = 1000;
	now.size = SIZE + STEP;
	now.changes = 1000;
	EXPECT_NULL(load(SECMALLOC_LOAD_CACHED));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(before, tl_objects());
}

/* A descriptor is read as it is; but what the page cache has of it is told. */
TEST_F(changes, an_empty_descriptor_that_is_written_to_is_cleaned)
{
	struct secmalloc_loaded l = { .size = sizeof(l) };
	int fd;

	now.path = tl_file(0, 1);
	fd = open(now.path, O_RDONLY);
	ASSERT_LE(0, fd);
	now.fills = 1;
	ASSERT_NOT_NULL(secmalloc_load_fd(fd, NULL, &l));
	EXPECT_EQ(SIZE, l.length);
	EXPECT_NE(SECMALLOC_WAY_STREAM, l.way);
	EXPECT_EQ(0, close(fd));
}

TEST_F(changes, what_grows_over_max_is_refused)
{
	const struct secmalloc_load_options o = { .flags =
							  SECMALLOC_LOAD_CACHED,
						  .max = SIZE };

	now.path = tl_file(SIZE, 2);
	now.size = SIZE + STEP;
	now.changes = 1;
	EXPECT_NULL(secmalloc_load_file(now.path, &o, NULL));
	EXPECT_EQ(EFBIG, errno);
}

TEST_F(changes, an_error_of_the_disk_is_told)
{
	const size_t before = tl_objects();

	now.path = tl_file(SIZE, 2);
	now.broken = 1;
	EXPECT_NULL(load(SECMALLOC_LOAD_CACHED));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(before, tl_objects());
	now.broken = 0;
	EXPECT_NOT_NULL(load(SECMALLOC_LOAD_CACHED));
}
