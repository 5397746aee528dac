/* SPDX-License-Identifier: MIT */
/*
 * keyfile.c - from a file straight into a guarded object, then sealed
 *
 *	keyfile FILE
 *
 * read(2) puts the bytes where they are to stay: there is no stdio buffer and
 * no copy on the stack or in the ordinary heap.  (The kernel's page cache still
 * has the file; load.c shows how libsecmalloc-io sees to that.)  When the key is
 * in place the object becomes read-only, and between uses inaccessible, for the
 * whole process.  Without FILE a key is made up and written to a temporary file
 * first.
 */
#define _XOPEN_SOURCE 600

#include <errno.h>
#include <fcntl.h>
#include <secmalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CANNOT = 77, LARGEST = 1 << 20 };

/* All of size bytes: 0, or -1. */
static int read_all(int fd, unsigned char *to, size_t size)
{
	while (size > 0) {
		ssize_t n = read(fd, to, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1; /* an error, or the file got shorter */
		to += n;
		size -= (size_t)n;
	}
	return 0;
}

/* The contents of the file, read-only.  NULL and errno. */
static unsigned char *load(int fd, size_t *size)
{
	unsigned char *key;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > LARGEST) {
		errno = EINVAL;
		return NULL;
	}
	key = secmalloc_guarded((size_t)st.st_size);
	if (!key)
		return NULL;
	if (read_all(fd, key, (size_t)st.st_size) != 0 ||
	    secmalloc_protect(key, SECMALLOC_READONLY) != 0) {
		secfree(key);
		errno = EIO;
		return NULL;
	}
	*size = (size_t)st.st_size;
	return key;
}

/* Something to read: a descriptor, or -1. */
static int make_up(void)
{
	char name[] = "/tmp/keyfile.XXXXXX";
	int fd = mkstemp(name);
	unsigned char *key;

	if (fd < 0)
		return -1;
	(void)unlink(name);
	key = secmalloc(48);
	if (!key || secmalloc_random(key, 48) != 0 ||
	    write(fd, key, 48) != 48 || lseek(fd, 0, SEEK_SET) != 0) {
		(void)close(fd);
		fd = -1;
	}
	secfree(key);
	return fd;
}

/* Stands for the signature or the handshake that needs the key. */
static int use(const unsigned char *key, size_t size)
{
	unsigned char any = 0;

	while (size > 0)
		any |= key[--size];
	return any != 0;
}

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDONLY) : make_up();
	unsigned char *key;
	size_t size;
	int error;

	if (fd < 0) {
		perror(argc > 1 ? argv[1] : "cannot make up a key");
		return argc > 1 ? 1 : CANNOT;
	}
	key = load(fd, &size);
	error = errno;
	(void)close(fd); /* only read from */
	if (!key) {
		fprintf(stderr, "cannot load the key: %s\n", strerror(error));
		return error == ENOMEM || error == ENOTSUP ? CANNOT : 1;
	}

	/* Closed while nobody needs it; a stray access ends by SIGSEGV. */
	if (secmalloc_protect(key, SECMALLOC_NOACCESS) != 0)
		perror("secmalloc_protect");
	/* ... */
	if (secmalloc_protect(key, SECMALLOC_READONLY) != 0) {
		perror("secmalloc_protect");
		return 1;
	}
	printf("%lu bytes, %s\n", (unsigned long)size,
	       use(key, size) ? "used" : "all of them zero");

	secfree(key); /* in any state */
	return 0;
}
