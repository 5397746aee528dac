/* SPDX-License-Identifier: MIT */
/*
 * test_transfer_memory.c - what secmalloc_read() and secmalloc_write() may touch,
 * and that nothing else gets to see it
 */
#include "t_io.h"
#include "t_scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TA_TIERS(memory);

enum { SIZE = 3000, LARGE = 60000, CONTROL = 9 };

/* A pipe with the secret in it, byte by byte. */
static int secret_pipe(size_t size, unsigned seed)
{
	int ends[2];
	size_t i;

	ASSERT_EQ(0, pipe(ends));
	for (i = 0; i < size; i++) {
		unsigned char byte = ti_byte(i, seed);

		ASSERT_EQ(1, write(ends[1], &byte, 1));
	}
	ASSERT_EQ(0, close(ends[1]));
	return ends[0];
}

static unsigned char letter_of_pipe(int fd)
{
	unsigned char byte;

	ASSERT_EQ(1, read(fd, &byte, 1));
	return byte;
}

static int is_in_pipe(int fd, size_t size, unsigned seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (letter_of_pipe(fd) != ti_byte(i, seed))
			return 0;
	return 1;
}

TEST_F(memory, what_is_read_is_nowhere_else)
{
	unsigned char *p = secmalloc(LARGE);
	const struct timespec far = ti_in(1000000);
	int fd = secret_pipe(SIZE, 1);

	EXPECT_EQ(SIZE, secmalloc_read(fd, p, LARGE, NULL));
	EXPECT_TRUE(ti_is(p, SIZE, 1));
	TI_IS_NOWHERE(ti_byte, SIZE, 1);
	fd = secret_pipe(SIZE, 2);
	EXPECT_EQ(SIZE, secmalloc_read(fd, p, LARGE, &far));
	TI_IS_NOWHERE(ti_byte, SIZE, 2);
	secfree(p);
	TI_IS_NOWHERE(ti_byte, SIZE, 2);
}

TEST_F(memory, stdio_leaves_a_copy)
{
	unsigned char *p = secmalloc(SIZE);
	FILE *f = fdopen(secret_pipe(SIZE, CONTROL), "r");

	ASSERT_NOT_NULL(f);
	ASSERT_EQ(100, fread(p, 1, 100, f));
	TI_IS_SOMEWHERE(ti_byte, 100, CONTROL);
}

TEST_F(memory, what_is_written_is_nowhere_else)
{
	unsigned char *p = secmalloc(SIZE);
	const struct timespec far = ti_in(1000000);
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	ti_fill(p, SIZE, 3);
	EXPECT_EQ(SIZE, secmalloc_write(ends[1], p, SIZE, NULL));
	EXPECT_EQ(SIZE, secmalloc_write(ends[1], p, SIZE, &far));
	TI_IS_NOWHERE(ti_byte, SIZE, 3);
	EXPECT_TRUE(is_in_pipe(ends[0], SIZE, 3));
	EXPECT_TRUE(is_in_pipe(ends[0], SIZE, 3));
}

TEST_F(memory, stdio_keeps_what_it_wrote)
{
	unsigned char *p = secmalloc(SIZE);
	FILE *f = fopen("/dev/null", "w");

	ASSERT_NOT_NULL(f);
	ti_fill(p, SIZE, CONTROL);
	ASSERT_EQ(SIZE, fwrite(p, 1, SIZE, f));
	fflush(f);
	TI_IS_SOMEWHERE(ti_byte, SIZE, CONTROL);
}

/* Reads and writes: both work, or both are EFAULT and no byte passes. */
static void expect_access(void *p, size_t size, int readable, int writable)
{
	int in = secret_pipe(size, 4), ends[2];

	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(writable ? (ssize_t)size : -1,
		  secmalloc_read(in, p, size, NULL));
	if (!writable) {
		EXPECT_EQ(EFAULT, errno);
		EXPECT_TRUE(is_in_pipe(in, size, 4));
	}
	EXPECT_EQ(readable ? (ssize_t)size : -1,
		  secmalloc_write(ends[1], p, size, NULL));
	if (!readable)
		EXPECT_EQ(EFAULT, errno);
	close(in);
	close(ends[0]);
	close(ends[1]);
}

TEST_F(memory, guarded_objects_as_protected)
{
	unsigned char *p = secmalloc_guarded(SIZE);

	expect_access(p, SIZE, 1, 1);
	ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_READONLY));
	expect_access(p, SIZE, 1, 0);
	ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_NOACCESS));
	expect_access(p, SIZE, 0, 0);
	ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READWRITE));
	expect_access(p, SIZE, 1, 1);
	secmalloc_end(p, SECMALLOC_READWRITE);
	expect_access(p, SIZE, 0, 0);
	ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_READONLY));
	EXPECT_TRUE(ti_is(p, SIZE, 4));
}

TEST_F(memory, keys_inside_of_scopes_alone)
{
	secmalloc_key *key = secmalloc_key_random(NULL, SIZE);
	const void *bytes;
	void *w;

	ASSERT_NOT_NULL(key);
	bytes = secmalloc_key_read(key);
	ASSERT_NOT_NULL(bytes);
	expect_access((void *)(uintptr_t)bytes, SIZE, 1, 0);
	secmalloc_key_read_end(key);
	expect_access((void *)(uintptr_t)bytes, SIZE, 0, 0);
	w = secmalloc_key_write(key);
	ASSERT_NOT_NULL(w);
	expect_access(w, SIZE, 1, 1);
	EXPECT_TRUE(ti_is(w, SIZE, 4));
	secmalloc_key_write_end(key);
	expect_access(w, SIZE, 0, 0);
	secmalloc_key_free(key);
}

TEST_F(memory, the_segment_up_to_its_end)
{
	unsigned char *p = secmalloc_sbrk(SIZE);

	ASSERT_NE((void *)-1, p);
	expect_access(p, SIZE, 1, 1);
	EXPECT_EQ(-1, secmalloc_read(0, p, SIZE + 1, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_NE((void *)-1, secmalloc_sbrk(-SIZE));
	EXPECT_EQ(-1, secmalloc_read(0, p, 1, NULL));
	EXPECT_EQ(EFAULT, errno);
}

static void on_the_stack(void *arg)
{
	unsigned char bytes[SIZE];

	EXPECT_EQ(SIZE, secmalloc_read(*(int *)arg, bytes, SIZE, NULL));
	EXPECT_TRUE(ti_is(bytes, SIZE, 5));
	TI_IS_NOWHERE(ti_byte, SIZE, 5);
}

TEST_F(memory, a_secret_stack)
{
	int fd = secret_pipe(SIZE, 5);

	if (secmalloc_call(on_the_stack, &fd, 256 * 1024) != 0)
		SKIP(return, "no secret stack here: errno %d", errno);
	TI_IS_NOWHERE(ti_byte, SIZE, 5);
}

TEST_F(memory, freed_memory_and_what_lies_behind_are_refused)
{
	unsigned char *p = secmalloc(SIZE), *q = p;
	int fd = secret_pipe(SIZE, 6);

	EXPECT_EQ(-1, secmalloc_read(fd, p + 1, SIZE, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, secmalloc_read(fd, p - 1, SIZE, NULL));
	EXPECT_EQ(EFAULT, errno);
	secfree(p);
	EXPECT_EQ(-1, secmalloc_read(fd, q, SIZE, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_TRUE(is_in_pipe(fd, SIZE, 6));
}

/* A child has objects of its own, and the parent's as zeros. */
TEST_F(memory, a_child)
{
	unsigned char *p = secmalloc(SIZE);
	int in = secret_pipe(SIZE, 7), ends[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(ends));
	ti_fill(p, SIZE, 8);
	pid = fork();
	if (pid == 0) {
		unsigned char *q = secmalloc(SIZE);

		EXPECT_EQ(SIZE, secmalloc_read(in, q, SIZE, NULL));
		EXPECT_TRUE(ti_is(q, SIZE, 7));
		EXPECT_EQ(SIZE, secmalloc_write(ends[1], q, SIZE, NULL));
		EXPECT_EQ(SIZE, secmalloc_write(ends[1], p, SIZE, NULL));
		_exit(0);
	}
	EXPECT_EQ(0, ta_status(pid));
	EXPECT_TRUE(is_in_pipe(ends[0], SIZE, 7));
	EXPECT_EQ(SIZE, secmalloc_read(ends[0], p, SIZE, NULL));
	EXPECT_TRUE(ta_holds(p, SIZE, 0));
}

/* Files never wait: a time that is over changes nothing. */
TEST_F(memory, regular_files_and_a_deadline)
{
	unsigned char *p = secmalloc(LARGE);
	const struct timespec past = { 0, 0 };
	FILE *f = tmpfile();

	ASSERT_NOT_NULL(f);
	ti_fill(p, LARGE, 10);
	EXPECT_EQ(LARGE, secmalloc_write(fileno(f), p, LARGE, &past));
	secmalloc_wipe(p, LARGE);
	ASSERT_EQ(0, lseek(fileno(f), 0, SEEK_SET));
	EXPECT_EQ(LARGE, secmalloc_read(fileno(f), p, LARGE, &past));
	EXPECT_TRUE(ti_is(p, LARGE, 10));
	EXPECT_EQ(0, secmalloc_read(fileno(f), p, LARGE, &past));
	EXPECT_EQ(0, errno);
}
