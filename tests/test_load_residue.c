/* SPDX-License-Identifier: MIT */
/*
 * test_load_residue.c - what loading leaves in the rest of the process's memory
 *
 * Files are written by children, so that this process has their bytes from
 * loading alone.  A signal comes before each scan, so that what is in registers
 * is on the stack, too.  The controls load the ordinary way, and are found out.
 */
#include "t_io.h"
#include "t_load.h"
#include "t_scan.h"
#include "t_util.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TA_TIERS(residue);

enum { MANY = 8 };

/* Within a page, and over more than what is read at once. */
static const size_t sizes[] = { 13, 1700, 70001 };
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]), LARGEST = 70001 };

static void write_it(int fd, size_t size, unsigned seed)
{
	static unsigned char bytes[LARGEST];

	ti_fill(bytes, size, seed);
	_exit(fd >= 0 && write(fd, bytes, size) == (ssize_t)size &&
			      (lseek(fd, 0, SEEK_CUR) < 0 || fsync(fd) == 0)
		      ? 0
		      : 1);
}

static const char *file_of_another(size_t size, unsigned seed)
{
	const char *name = tl_name();

	T_IN_CHILD(write_it(open(name, O_WRONLY | O_CREAT | O_EXCL, 0600), size,
			    seed));
	return name;
}

static void nothing(int sig)
{
	(void)sig;
}

static void save_registers(void)
{
	ASSERT_NE(SIG_ERR, signal(SIGUSR1, nothing));
	ASSERT_EQ(0, raise(SIGUSR1));
}

/* Nothing while it is there, and nothing when it was freed. */
static void is_alone(void *p, size_t size, unsigned seed)
{
	save_registers();
	ASSERT_NOT_NULL(p);
	TI_IS_NOWHERE(ti_byte, size, seed);
	EXPECT_TRUE(ti_is(p, size, seed));
	secfree(p);
	TI_IS_NOWHERE(ti_byte, size, seed);
}

TEST_F(residue, what_was_loaded_is_nowhere_else)
{
	static const unsigned flags[] = { 0, SECMALLOC_LOAD_CACHED,
					  SECMALLOC_LOAD_STRING,
					  SECMALLOC_LOAD_GUARDED };
	unsigned i, j;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		for (j = 0; j < SIZES; j++) {
			const struct secmalloc_load_options o = {
				.flags = flags[i]
			};
			const char *name = file_of_another(sizes[j], i);

			is_alone(secmalloc_load_file(name, &o, NULL), sizes[j],
				 i);
		}
}

TEST_F(residue, nor_is_what_came_by_descriptors)
{
	int ends[2], fd;
	unsigned i;

	for (i = 0; i < SIZES; i++) {
		fd = open(file_of_another(sizes[i], 10 + i), O_RDONLY);
		is_alone(secmalloc_load_fd(fd, NULL, NULL), sizes[i], 10 + i);
		ASSERT_EQ(0, close(fd));
	}
	/* A pipe has room for so much. */
	for (i = 0; i < SIZES && sizes[i] < 4096; i++) {
		ASSERT_EQ(0, pipe(ends));
		T_IN_CHILD(write_it(ends[1], sizes[i], 20 + i));
		ASSERT_EQ(0, close(ends[1]));
		is_alone(secmalloc_load_fd(ends[0], NULL, NULL), sizes[i],
			 20 + i);
		ASSERT_EQ(0, close(ends[0]));
	}
}

TEST_F(residue, nor_are_many_at_once)
{
	struct secmalloc_loaded l[MANY];
	unsigned i;

	for (i = 0; i < MANY; i++) {
		l[i].size = sizeof(l[i]);
		l[i].path = file_of_another(sizes[i % 2], 100 + i);
	}
	if (secmalloc_load_files(l, MANY, NULL) != 0 && errno == ENOMEM)
		SKIP(return, "too little may be locked here");
	save_registers();
	for (i = 0; i < MANY; i++)
		is_alone(l[i].data, sizes[i % 2], 100 + i);
}

TEST_F(residue, nor_is_what_was_refused_half_way)
{
	const struct secmalloc_load_options o = { .max = LARGEST - 1 };

	EXPECT_NULL(tl_through_pipe(LARGEST, 30, &o));
	EXPECT_EQ(EFBIG, errno);
	TI_IS_NOWHERE(ti_byte, LARGEST, 30);
}

/* Within an access scope for each touch. */
TEST_F(residue, nor_is_what_is_closed_at_rest)
{
	const struct secmalloc_config scoped = {
		.access = SECMALLOC_ACCESS_SCOPES, .flags = variant->tier.flags
	};
	secmalloc_heap *heap = secmalloc_heap_create(&scoped);
	const struct secmalloc_load_options o = { .heap = heap };
	unsigned i;
	void *p;

	ASSERT_NOT_NULL(heap);
	for (i = 0; i < SIZES; i++) {
		p = secmalloc_load_file(file_of_another(sizes[i], 200 + i), &o,
					NULL);
		save_registers();
		ASSERT_NOT_NULL(p);
		TI_IS_NOWHERE(ti_byte, sizes[i], 200 + i);
		secfree(p);
		TI_IS_NOWHERE(ti_byte, sizes[i], 200 + i);
	}
	secmalloc_heap_destroy(heap);
}

/* What stdio leaves in a buffer that it freed, though the rest is in secret
 * memory. */
TEST_F(residue, control_what_stdio_loads_is)
{
	unsigned char *p = secmalloc(1700);
	FILE *f = fopen(file_of_another(1700, 300), "re");

	ASSERT_TRUE(p && f);
	ASSERT_EQ(1, fread(p, 1, 1, f));
	ASSERT_EQ(1699, fread(p + 1, 1, 1699, f));
	ASSERT_EQ(0, fclose(f));
	TI_IS_SOMEWHERE(ti_byte, 1700, 300);
}

/* What is in secret memory alone, and was copied there by the C library. */
TEST_F(residue, control_what_memcpy_copies_is)
{
	unsigned char *p = secmalloc(1700), *q = secmalloc(1700);
	volatile size_t size = 1700; /* it is called, not compiled in */
	int fd = open(file_of_another(1700, 301), O_RDONLY);

	ASSERT_TRUE(p && q);
	ASSERT_EQ(1700, read(fd, p, 1700));
	ASSERT_EQ(0, close(fd));
	memcpy(q, p, size);
	save_registers();
	if (ti_places(ti_byte, 1700, 301) == 0)
		SKIP(return, "this memcpy() leaves nothing in registers");
	TI_IS_SOMEWHERE(ti_byte, 1700, 301);
}
