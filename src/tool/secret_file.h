/* SPDX-License-Identifier: MIT */
/*
 * secret_file.h - where the demonstration's secret comes from
 */
#ifndef SECRET_FILE_H
#define SECRET_FILE_H

#include <stddef.h>

#define SECRET_SIZE_MAX (1024UL * 1024) /* bytes of a file */

/* The bytes are in secmalloc memory, or in the file, and nowhere else. */
struct secret {
	const char *name; /* for people */
	size_t size;
	unsigned char *bytes; /* a copy in secmalloc memory */
	int file;	      /* open for reading, or -1: made up */
	int stream;	      /* see secret_pour() */
};

/* Each returns 0 or one of CMD_*, and has said why. */
int secret_open(struct secret *s, const char *path);
int secret_make(struct secret *s);

/* The bytes of a made-up secret go to children by a pipe: fills it with as
 * many copies.  To be called before each fork.  0 or an errno. */
int secret_pour(struct secret *s, int copies);
void secret_pour_end(struct secret *s);

/* For struct attack_scene: in any child, arg is the struct secret. */
int secret_load(void *arg, void *to, size_t size);

void secret_close(struct secret *s);

#endif /* SECRET_FILE_H */
