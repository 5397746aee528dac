/* SPDX-License-Identifier: MIT */
/*
 * t_load.c - see t_load.h
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "t_load.h"
#include "t_io.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NAMES = 12000, LENGTH = 48 };

static struct {
	char name[NAMES][LENGTH];
	size_t n;
	pid_t owner;
} made;

static void remove_all(void)
{
	size_t i;

	if (getpid() != made.owner)
		return;
	for (i = 0; i < made.n; i++)
		(void)unlink(made.name[i]);
}

char *tl_name(void)
{
	char *name;

	if (made.owner != getpid()) {
		made.owner = getpid();
		made.n = 0;
		ASSERT_EQ(0, atexit(remove_all));
	}
	ASSERT_LT(made.n, NAMES);
	name = made.name[made.n];
	(void)snprintf(name, LENGTH, "load.%ld.%zu.tmp", (long)getpid(),
		       made.n++);
	return name;
}

static int write_all(int fd, size_t size, unsigned seed)
{
	unsigned char *p = malloc(size + 1);
	size_t at = 0;
	ssize_t n = 0;

	ti_fill(p, size, seed);
	for (; n >= 0 && at < size; at += (size_t)(n > 0 ? n : 0))
		n = write(fd, p + at, size - at);
	free(p);
	return at == size ? 0 : -1;
}

static int create(char *name, size_t size, unsigned seed)
{
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, write_all(fd, size, seed));
	return fd;
}

char *tl_quick_file(size_t size, unsigned seed)
{
	char *name = tl_name();

	ASSERT_EQ(0, close(create(name, size, seed)));
	return name;
}

char *tl_file(size_t size, unsigned seed)
{
	char *name = tl_name();
	int fd = create(name, size, seed);

	ASSERT_EQ(0, fsync(fd));
#ifdef POSIX_FADV_DONTNEED
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
#endif
	ASSERT_EQ(0, close(fd));
	return name;
}

size_t tl_objects(void)
{
	struct secmalloc_stats s = { .size = sizeof(s) };

	ASSERT_EQ(0, secmalloc_stats(&s));
	return s.objects;
}

void *tl_through_pipe(size_t size, unsigned seed,
		      const struct secmalloc_load_options *options)
{
	int ends[2], e;
	pid_t child;
	void *p;

	ASSERT_EQ(0, pipe(ends));
	child = fork();
	ASSERT_LE(0, child);
	if (child == 0) {
		(void)signal(SIGPIPE, SIG_IGN);
		(void)close(ends[0]);
		(void)write_all(ends[1], size, seed);
		_exit(0);
	}
	ASSERT_EQ(0, close(ends[1]));
	p = secmalloc_load_fd(ends[0], options, NULL);
	e = errno;
	ASSERT_EQ(0, close(ends[0]));
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	errno = e;
	return p;
}

struct late {
	int fd;
	unsigned seed;
	size_t size;
};

static void *write_late(void *arg)
{
	struct late *l = arg;

	(void)sched_yield();
	(void)write_all(l->fd, l->size, l->seed);
	(void)close(l->fd);
	return NULL;
}

void *tl_with_late_writer(const int ends[2], unsigned seed, size_t size)
{
	struct late l = { ends[1], seed, size };
	pthread_t thread;
	void *p;

	ASSERT_EQ(0, pthread_create(&thread, NULL, write_late, &l));
	p = secmalloc_load_fd(ends[0], NULL, NULL);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	return p;
}

#ifdef __linux__
char *tl_in_memory(const char *contents)
{
	static char path[64];
	const size_t size = strlen(contents);
	int fd = memfd_create("secret", 0);

	if (fd < 0)
		return NULL;
	ASSERT_EQ(size, write(fd, contents, size));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

long tl_cached(const char *path)
{
	int fd = open(path, O_RDONLY);
	unsigned char *in, *p;
	struct stat st;
	size_t pages, i;
	long n = 0;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	pages = ((size_t)st.st_size + ta_page() - 1) / ta_page();
	in = calloc(1, pages);
	p = mmap(NULL, pages * ta_page(), PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mincore(p, pages * ta_page(), in));
	for (i = 0; i < pages; i++)
		n += in[i] & 1;
	ASSERT_EQ(0, munmap(p, pages * ta_page()));
	ASSERT_EQ(0, close(fd));
	free(in);
	return n;
}
#else
char *tl_in_memory(const char *contents)
{
	(void)contents;
	return NULL;
}

long tl_cached(const char *path)
{
	(void)path;
	return -1;
}
#endif
