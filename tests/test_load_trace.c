/* SPDX-License-Identifier: MIT */
/*
 * test_load_trace.c - whatever is loaded, the kernel puts it into secret memory
 *
 * A child loads files in each way there is, and is stopped at its system calls:
 * no byte of them is read to, or mapped in, memory that is not secret.  Reading
 * the same files by other means is the control: it is caught.
 */
#include "t_api.h"

#include "t_io.h"

#ifdef __linux__
#include "t_trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef T_WITH_RING
#include "t_ring.h"
#endif

enum { FILES = 24 };

FIXTURE(traced)
{
	char folder[4096];
	struct t_trace trace;
	secmalloc_heap *heap;
};

TA_VARIANTS(traced);

/* Of one byte up to more than a bounce buffer takes at a time. */
static size_t size_of(int i)
{
	return (size_t)i * i * i * 17 + (size_t)i + 1;
}

static char paths[FILES][4200];

static void make_files(const char *folder)
{
	unsigned char *bytes = malloc(size_of(FILES));
	int i, fd;

	ASSERT_NOT_NULL(bytes);
	for (i = 0; i < FILES; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "%s/%d", folder, i);
		fd = open(paths[i], O_WRONLY | O_CREAT | O_EXCL, 0600);
		ASSERT_LE(0, fd);
		ti_fill(bytes, size_of(i), (unsigned)i);
		ASSERT_EQ(size_of(i), write(fd, bytes, size_of(i)));
		ASSERT_EQ(0, fsync(fd));
		ASSERT_EQ(0, close(fd));
	}
	free(bytes);
}

FIXTURE_SETUP(traced)
{
	int plain = variant->tier.hide & SECM_LOCKED;

	TA_BEGIN(&variant->tier);
	ASSERT_NOT_NULL(getcwd(self->folder, sizeof(self->folder) - 30));
	strcat(self->folder, "/secmalloc-test.XXXXXX");
	ASSERT_NOT_NULL(mkdtemp(self->folder));
	make_files(self->folder);
	self->trace.prefix = self->folder;
	self->trace.need = SECM_NODUMP | (plain ? 0 : SECM_LOCKED);
	self->heap = ta_scoped(&variant->tier, 0);
	ASSERT_NOT_NULL(self->heap);
}

FIXTURE_TEARDOWN(traced)
{
	int i;

	for (i = 0; i < FILES; i++)
		EXPECT_EQ(0, unlink(paths[i]));
	EXPECT_EQ(0, rmdir(self->folder));
}

#define TRACE(fn, arg)                                                 \
	do {                                                           \
		int e_ = t_trace(&self->trace, fn, arg);               \
                                                                       \
		if (e_)                                                \
			SKIP(return, "nothing can be traced here: %s", \
				   strerror(e_));                      \
		EXPECT_EQ(0, self->trace.status);                      \
	} while (0)

/* What was read, all of it to secret memory. */
#define IS_SECRET(fn, arg)                                             \
	do {                                                           \
		TRACE(fn, arg);                                        \
		EXPECT_LT(0, self->trace.reads);                       \
		EXPECT_EQ(0, self->trace.astray);                      \
		EXPECT_EQ(0, self->trace.strange);                     \
		if (self->trace.last[0])                               \
			TH_LOG("%s", self->trace.last);                \
	} while (0)

#define IS_CAUGHT(fn, arg)                                             \
	do {                                                           \
		TRACE(fn, arg);                                        \
		EXPECT_LT(0, self->trace.astray);                      \
	} while (0)

/* 0, or the number of the check that failed. */
static int check(const void *p, int i, int scoped)
{
	int is;

	if (!p)
		return 10;
	if (scoped && secmalloc_begin(p, SECMALLOC_READONLY) != 0)
		return 11;
	is = secmalloc_owns(p) && ti_is(p, size_of(i), (unsigned)i);
	if (scoped)
		secmalloc_end(p, SECMALLOC_READONLY);
	return is ? 0 : 12;
}

static int one_by_one(void *arg)
{
	const struct secmalloc_load_options *o = arg;
	int i, e = 0;
	void *p;

	for (i = 0; i < FILES && !e; i++) {
		p = secmalloc_load_file(paths[i], o, NULL);
		e = check(p, i, o && o->heap);
		secfree(p);
	}
	return e;
}

static int by_descriptor(void *arg)
{
	int i, fd, e = 0;
	void *p;

	for (i = 0; i < FILES && !e; i++) {
		fd = open(paths[i], O_RDONLY);
		p = secmalloc_load_fd(fd, arg, NULL);
		e = check(p, i, 0);
		secfree(p);
		(void)close(fd);
	}
	return e;
}

static int all_at_once(void *arg)
{
	const struct secmalloc_load_options *o = arg;
	struct secmalloc_loaded files[FILES];
	int i, e = 0;

	memset(files, 0, sizeof(files));
	for (i = 0; i < FILES; i++) {
		files[i].size = sizeof(files[i]);
		files[i].path = paths[i];
	}
	if (secmalloc_load_files(files, FILES, arg) != 0)
		return 20;
	for (i = 0; i < FILES && !e; i++) {
		e = check(files[i].data, i, o && o->heap);
		secfree(files[i].data);
	}
	return e;
}

TEST_F(traced, files_are_read_to_secret_memory)
{
	IS_SECRET(one_by_one, NULL);
}

TEST_F(traced, so_are_files_that_the_page_cache_may_keep)
{
	struct secmalloc_load_options o = { .size = sizeof(o),
					    .flags = SECMALLOC_LOAD_CACHED };

	IS_SECRET(one_by_one, &o);
	IS_SECRET(all_at_once, &o);
}

TEST_F(traced, and_those_for_strings_and_guarded_objects)
{
	struct secmalloc_load_options o = { .size = sizeof(o),
					    .flags = SECMALLOC_LOAD_STRING |
						     SECMALLOC_LOAD_GUARDED };

	IS_SECRET(one_by_one, &o);
	IS_SECRET(all_at_once, &o);
}

TEST_F(traced, and_those_for_objects_with_access_scopes)
{
	struct secmalloc_load_options o = { .size = sizeof(o),
					    .heap = self->heap };

	IS_SECRET(one_by_one, &o);
	IS_SECRET(all_at_once, &o);
}

TEST_F(traced, and_what_comes_from_descriptors)
{
	IS_SECRET(by_descriptor, NULL);
}

TEST_F(traced, so_are_many_at_once)
{
	IS_SECRET(all_at_once, NULL);
}

static int through_a_pipe(void *arg)
{
	unsigned char bytes[3000];
	int fd[2], e;
	void *p;

	(void)arg;
	ti_fill(bytes, sizeof(bytes), 1);
	if (pipe(fd) != 0 || write(fd[1], bytes, sizeof(bytes)) < 0 ||
	    close(fd[1]) != 0)
		return 30;
	p = secmalloc_load_fd(fd[0], NULL, NULL);
	e = p && ti_is(p, sizeof(bytes), 1) ? 0 : 31;
	secfree(p);
	return e;
}

TEST_F(traced, or_through_a_pipe)
{
	self->trace.prefix = "pipe:";
	IS_SECRET(through_a_pipe, NULL);
}

/* From here on the controls. */
static int by_stdio(void *arg)
{
	FILE *f = fopen(paths[5], "r");
	unsigned char *p = secmalloc(size_of(5));
	size_t n;

	(void)arg;
	if (!f || !p)
		return 40;
	n = fread(p, 1, size_of(5), f);
	(void)fclose(f);
	return n == size_of(5) ? check(p, 5, 0) : 41;
}

TEST_F(traced, control_stdio_is_caught)
{
	IS_CAUGHT(by_stdio, NULL);
}

static int by_mapping(void *arg)
{
	int fd = open(paths[5], O_RDONLY);
	unsigned char *p = secmalloc(size_of(5));
	void *m = mmap(NULL, size_of(5), PROT_READ, MAP_SHARED, fd, 0);

	(void)arg;
	if (!p || m == MAP_FAILED)
		return 50;
	memcpy(p, m, size_of(5));
	(void)munmap(m, size_of(5));
	return check(p, 5, 0);
}

TEST_F(traced, control_a_mapping_is_caught)
{
	IS_CAUGHT(by_mapping, NULL);
}

/* So many bytes to a page that counts as secret, and the next one, which does
 * not.  By calls that no sanitizer changes. */
static int read_to_pages(void *arg)
{
	const size_t page = ta_page(), *size = arg;
	unsigned char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open(paths[FILES - 1], O_RDONLY);

	if (p == MAP_FAILED || syscall(SYS_mlock, p, page) != 0 ||
	    madvise(p, page, MADV_DONTDUMP) != 0)
		return 60;
	return read(fd, p, *size) == (ssize_t)*size ? 0 : 61;
}

TEST_F(traced, control_a_byte_too_far_is_caught)
{
	size_t size = ta_page();

	IS_SECRET(read_to_pages, &size);
	size++;
	IS_CAUGHT(read_to_pages, &size);
}
#ifdef T_WITH_RING
static int by_ring(void *arg)
{
	int fd = open(paths[FILES - 1], O_RDONLY), e;
	struct io_uring ring;

	(void)arg;
	if (t_ring_begin(&ring, 0))
		return 77;
	e = t_ring_io(&ring, IORING_OP_READ, 0, fd, t_pin_page());
	io_uring_queue_exit(&ring);
	return e ? 70 : 0;
}

TEST_F(traced, control_a_ring_is_caught)
{
	if (t_no_ring())
		SKIP(return, "%s", t_no_ring());
	IS_CAUGHT(by_ring, NULL);
	EXPECT_LT(0, self->trace.ring_reads);
}

TEST_F(traced, which_come_by_a_ring)
{
	if (t_no_ring())
		SKIP(return, "%s", t_no_ring());
	IS_SECRET(all_at_once, NULL);
	if (self->trace.need & SECM_LOCKED) /* else there is no buffer for it */
		EXPECT_LT(0, self->trace.ring_reads);
}
#endif
#else
TEST(where_the_kernel_reads_to)
{
	SKIP(return, "children are traced on Linux alone");
}
#endif
