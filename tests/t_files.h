/* SPDX-License-Identifier: MIT */
/*
 * t_files.h - what the tests share that load the same files again and again
 */
#ifndef T_FILES_H
#define T_FILES_H

#include "t_api.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t_io.h"
#include "t_util.h"

enum { FILES = 12 };

static char names[FILES + 1][16];

static inline size_t size_of(int i)
{
	return (size_t)i * 700 + 1;
}

/* In the folder where the tests run: it may be read past the page cache. */
static inline void make_files(char *folder)
{
	unsigned char bytes[FILES * 700];
	int i, fd;

	ASSERT_NOT_NULL(mkdtemp(folder));
	ASSERT_EQ(0, chmod(folder, 0755)); /* privileges are given up, too */
	ASSERT_EQ(0, chdir(folder));
	for (i = 0; i < FILES; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%d", i);
		fd = open(names[i], O_WRONLY | O_CREAT | O_EXCL, 0644);
		ASSERT_LE(0, fd);
		ti_fill(bytes, size_of(i), (unsigned)i);
		ASSERT_EQ(size_of(i), write(fd, bytes, size_of(i)));
		ASSERT_EQ(0, fsync(fd));
		ASSERT_EQ(0, close(fd));
	}
}

static inline void remove_files(const char *folder)
{
	int i;

	for (i = 0; i < FILES; i++)
		EXPECT_EQ(0, unlink(names[i]));
	ASSERT_EQ(0, chdir(".."));
	EXPECT_EQ(0, rmdir(folder));
}

/* One object, as it has to be: 0, or the number of what is wrong. */
static inline int check(const struct secmalloc_loaded *f, int i, int scoped)
{
	int is;

	if (!f->data || f->error != 0 || f->length != size_of(i))
		return 1;
	if (!secmalloc_owns(f->data) ||
	    secmalloc_usable_size(f->data) != size_of(i))
		return 2;
	if (scoped && (ta_access(f->data) != SECM_NONE ||
		       secmalloc_begin(f->data, SECMALLOC_READONLY) != 0))
		return 3;
	is = ti_is(f->data, size_of(i), (unsigned)i);
	if (scoped)
		secmalloc_end(f->data, SECMALLOC_READONLY);
	return is ? 0 : 4;
}

static inline void prepare(struct secmalloc_loaded *files, int n)
{
	int i;

	memset(files, 0, (size_t)n * sizeof(*files));
	for (i = 0; i < n; i++) {
		files[i].size = sizeof(*files);
		files[i].path = names[i];
	}
}

/* Loads so many at once, looks at them and frees them; 0 if all is well. */
static inline int load_as(struct secmalloc_loaded *files, int n,
			  secmalloc_heap *heap, unsigned flags)
{
	struct secmalloc_load_options o = { .size = sizeof(o),
					    .flags = flags,
					    .heap = heap };
	int i, e = 0;

	prepare(files, n);
	if (secmalloc_load_files(files, (size_t)n, &o) != 0)
		return errno ? errno : -1;
	for (i = 0; i < n; i++) {
		if (e == 0)
			e = check(&files[i], i, heap != NULL);
		secfree(files[i].data);
	}
	return e;
}

static inline int load(struct secmalloc_loaded *files, int n,
		       secmalloc_heap *heap)
{
	return load_as(files, n, heap, 0);
}

#endif /* T_FILES_H */
