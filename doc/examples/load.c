/* SPDX-License-Identifier: MIT */
/*
 * load.c - files straight into secret memory, and what is left of them
 *
 *	load FILE...
 *
 * The first file is the key: refused if it is a link, or if others may use it.
 * The page cache loses it on the way, and the result says whether it did.  If it
 * is a PEM file, it is decoded where it is, so that the text is nowhere else
 * either.  Then all of the files are loaded at once, as a server does that has a
 * key for each of its names.  Without FILE keys are made up, in a folder that is
 * removed again.
 */
#define _XOPEN_SOURCE 700

#include <errno.h>
#include <fcntl.h>
#include <secmalloc_io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CANNOT = 77, MANY = 100, DIGITS = 64, NAME = 40 };

static const char first[] = "-----BEGIN PRIVATE KEY-----\n",
		  last[] = "\n-----END PRIVATE KEY-----\n";
enum { FIRST = sizeof(first) - 1, LAST = sizeof(last) - 1 };

static char folder[] = "load.XXXXXX", made[MANY][NAME];
static int n_made;

static const char *came(enum secmalloc_way way)
{
	switch (way) {
	case SECMALLOC_WAY_DIRECT:
		return "it came past the page cache";
	case SECMALLOC_WAY_DONTCACHE:
		return "it came through the page cache, which dropped it";
	case SECMALLOC_WAY_DROPPED:
		return "the page cache had it, and was told to drop it";
	case SECMALLOC_WAY_CACHED:
		return "it came through the page cache, which keeps it";
	default:
		return "it came as a stream";
	}
}

/* 77 where the machine has no memory for it. */
static int failed(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(error));
	return error == ENOMEM || error == ENOTSUP ? CANNOT : 1;
}

/* Stands for the handshake that needs the key. */
static int use(const unsigned char *key, size_t size)
{
	unsigned char any = 0;

	while (size > 0)
		any |= key[--size];
	return any != 0;
}

/* The bytes that a PEM file stands for, in its place; what is none stays as it
 * is.  0, or -1 and errno. */
static int decode(unsigned char *key, size_t *size)
{
	const size_t length = *size;

	if (secmalloc_pem_decode(key, length, size, (char *)key, length,
				 NULL) == 0)
		return secmalloc_resize(key, *size);
	*size = length;
	return errno == ENOENT ? 0 : -1;
}

static int load_one(const char *path)
{
	struct secmalloc_load_options options;
	struct secmalloc_loaded loaded;
	unsigned char *key;
	size_t size;
	int status = 0;

	memset(&options, 0, sizeof(options));
	options.size = sizeof(options);
	options.flags = SECMALLOC_LOAD_NOFOLLOW | SECMALLOC_LOAD_PRIVATE;
	memset(&loaded, 0, sizeof(loaded));
	loaded.size = sizeof(loaded);
	key = secmalloc_load_file(path, &options, &loaded);
	if (!key)
		return failed(path, errno);
	printf("%s: %lu bytes; %s; ", path, (unsigned long)loaded.length,
	       came(loaded.way));
	if (loaded.cached < 0)
		printf("the system does not say what is cached\n");
	else
		printf("%ld pages of it are cached\n", loaded.cached);
	size = loaded.length;
	if (decode(key, &size) != 0)
		status = failed(path, errno);
	else
		printf("a key of %lu bytes, %s\n", (unsigned long)size,
		       use(key, size) ? "used" : "all of them zero");
	secfree(key);
	return status;
}

static void tell(const struct secmalloc_loaded *files, size_t n)
{
	unsigned long ring = 0, cached = 0, bytes = 0;
	int why = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		bytes += (unsigned long)files[i].length;
		ring += (unsigned long)files[i].ring;
		cached += files[i].cached != 0;
		if (files[i].ring_errno)
			why = files[i].ring_errno;
	}
	printf("%lu files of %lu bytes, %lu of them by io_uring%s%s\n",
	       (unsigned long)n, bytes, ring, why ? ": " : "",
	       why ? strerror(why) : "");
	printf("%lu of them are cached, or may be\n", cached);
}

static int load_many(char *const *paths, size_t n)
{
	struct secmalloc_loaded *files = calloc(n, sizeof(*files));
	int status = 0;
	size_t i;

	if (!files)
		return failed("no memory", errno);
	for (i = 0; i < n; i++) {
		files[i].size = sizeof(files[i]);
		files[i].path = paths[i];
	}
	if (secmalloc_load_files(files, n, NULL) != 0)
		status = failed("not all were loaded", errno);
	else
		tell(files, n);
	for (i = 0; i < n; i++)
		secfree(files[i].data);
	free(files);
	return status;
}

/* A key file in secret memory: the digits A to P are enough. */
static int make_text(char *text)
{
	size_t i;

	if (secmalloc_random(text + FIRST, DIGITS) != 0)
		return -1;
	for (i = FIRST; i < FIRST + DIGITS; i++)
		text[i] = (char)('A' + (text[i] & 15));
	memcpy(text, first, FIRST);
	memcpy(text + FIRST + DIGITS, last, LAST);
	return 0;
}

static int make_one(char *name, char *text)
{
	const ssize_t size = FIRST + DIGITS + LAST;
	int fd, r;

	if (make_text(text) != 0)
		return -1;
	(void)snprintf(name, NAME, "%s/%d", folder, n_made);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return -1;
	n_made++;
	r = secmalloc_write(fd, text, (size_t)size, NULL) == size ? 0 : -1;
	if (close(fd) != 0)
		r = -1;
	return r;
}

/* 0, or -1 and errno. */
static int make_up(char **paths)
{
	char *text = secmalloc(FIRST + DIGITS + LAST);
	int i, r = text && mkdtemp(folder) ? 0 : -1;

	for (i = 0; i < MANY && r == 0; i++) {
		paths[i] = made[i];
		r = make_one(made[i], text);
	}
	secfree(text);
	return r;
}

static void remove_made(void)
{
	while (n_made > 0)
		(void)unlink(made[--n_made]);
	(void)rmdir(folder);
}

int main(int argc, char **argv)
{
	char *own[MANY], **paths = argc > 1 ? argv + 1 : own;
	size_t n = argc > 1 ? (size_t)argc - 1 : MANY;
	int status = CANNOT;

	if (argc <= 1 && make_up(own) != 0) {
		perror("cannot make up keys");
	} else {
		status = load_one(paths[0]);
		if (status == 0)
			status = load_many(paths, n);
	}
	if (argc <= 1)
		remove_made();
	return status;
}
