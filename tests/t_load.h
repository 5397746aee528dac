/* SPDX-License-Identifier: MIT */
/*
 * t_load.h - files that are there while a test runs, and ways to load
 *
 * They are in the folder that the test runs in, which is on a disk more often
 * than the one for temporary files.  Names and files are removed at the end.
 */
#ifndef T_LOAD_H
#define T_LOAD_H

#include "secmalloc_io.h"

#include <stddef.h>

/* A name that no file has yet. */
char *tl_name(void);

/* A file of so many bytes, ti_byte() of that seed; on the disk, and not in the
 * page cache where that can be told. */
char *tl_file(size_t size, unsigned seed);

/* The same, not on the disk yet: for many of them. */
char *tl_quick_file(size_t size, unsigned seed);

/* The name of a file that no disk has; NULL: there is no such thing. */
char *tl_in_memory(const char *contents);

/* Live objects. */
size_t tl_objects(void);

/* Loads that many bytes from a pipe, which a child writes. */
void *tl_through_pipe(size_t size, unsigned seed,
		      const struct secmalloc_load_options *options);

/* Loads what comes from ends[0]; a thread writes so many bytes to ends[1] when
 * the other side already waits, or is about to, and closes it. */
void *tl_with_late_writer(const int ends[2], unsigned seed, size_t size);

/* Pages of the file in the page cache as mincore(2) has it, -1: no telling. */
long tl_cached(const char *path);

#endif /* T_LOAD_H */
