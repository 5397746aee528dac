/* SPDX-License-Identifier: MIT */
/*
 * t_pin.h - what the tests share that have the kernel take hold of pages
 *
 * An attack makes the kernel read or write a whole page of memory in some way,
 * and says whether the bytes came out right at the other end.  t_pin() runs it
 * on ordinary memory first, where it has to succeed.
 */
#ifndef T_PIN_H
#define T_PIN_H

#include "t_api.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "ksft.h"
#include "t_util.h"

/* arg is what t_pin() was given.  0, or a negative errno: EIO if it went
 * through and the bytes are wrong. */
typedef int t_pin_attack(void *arg, unsigned char *page);

/* A page of ordinary memory. */
static inline unsigned char *t_pin_page(void)
{
	void *p = mmap(NULL, ta_page(), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	return p;
}

/* A page that is an object. */
static inline unsigned char *t_pin_object(void)
{
	unsigned char *p = secmalloc_guarded(ta_page());

	ASSERT_NOT_NULL(p);
	ASSERT_EQ(0, (uintptr_t)p % ta_page());
	return p;
}

static inline int t_pin_is_hidden(void)
{
	int tier = ta_only_tier();

	return tier >= 0 &&
	       (ta_report().tier[tier].protections & SECMALLOC_HIDDEN) != 0;
}

/* Succeeds on ordinary memory; on an object it ends with `hidden` where objects
 * are hidden, and succeeds where they are not. */
static inline void t_pin(t_pin_attack *attack, void *arg, int hidden)
{
	unsigned char *object = t_pin_object();
	int e = attack(arg, t_pin_page());

	ASSERT_NE(-EIO, e);
	if (e != 0)
		SKIP(return, "attack does not work here: %s", strerror(-e));
	EXPECT_EQ(t_pin_is_hidden() ? hidden : 0, attack(arg, object));
	secfree(object);
}

/* What the other end got, or is to send. */
static inline int t_pin_send(int fd, uint64_t seed)
{
	unsigned char *p = t_pin_page();
	ssize_t n;

	t_fill(p, ta_page(), seed);
	n = write(fd, p, ta_page());
	ASSERT_EQ(0, munmap(p, ta_page()));
	return n == (ssize_t)ta_page() ? 0 : -EIO;
}

static inline int t_pin_got(int fd, uint64_t seed)
{
	unsigned char *p = t_pin_page();
	size_t got = 0;
	ssize_t n;
	int is;

	do {
		n = read(fd, p + got, ta_page() - got);
		got += n > 0 ? (size_t)n : 0;
	} while (n > 0 && got < ta_page());
	is = got == ta_page() && t_is_filled(p, got, seed);
	ASSERT_EQ(0, munmap(p, ta_page()));
	return is ? 0 : -EIO;
}

/* A pipe with a page of the bytes of seed. */
static inline void t_pin_pipe(int fd[2], uint64_t seed)
{
	ASSERT_EQ(0, pipe(fd));
	ASSERT_EQ(0, t_pin_send(fd[1], seed));
}

static inline void t_pin_close(const int fd[2])
{
	(void)close(fd[0]);
	(void)close(fd[1]);
}

/* TCP with oneself: only there do pages go without a copy.  0 or -1 */
static inline int t_pin_sockets(int fd[2])
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	socklen_t size = sizeof(to);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int e;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd[0] = -1;
	fd[1] = socket(AF_INET, SOCK_STREAM, 0);
	e = bind(listener, (struct sockaddr *)&to, size) ||
	    listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&to, &size) ||
	    connect(fd[1], (struct sockaddr *)&to, size);
	if (!e)
		fd[0] = accept(listener, NULL, NULL);
	(void)close(listener);
	if (fd[0] < 0) {
		(void)close(fd[1]);
		return -1;
	}
	return 0;
}

static inline int t_pin_set_direct(int fd, int on)
{
	int flags = fcntl(fd, F_GETFL);

	flags = on ? flags | O_DIRECT : flags & ~O_DIRECT;
	return fcntl(fd, F_SETFL, flags);
}

/* A file system that takes a single byte has copied it, whatever it was asked
 * for. */
static inline int t_pin_is_direct(int fd)
{
	static const char two[2];

	return t_pin_set_direct(fd, 1) == 0 && pwrite(fd, two + 1, 1, 0) < 0 &&
	       errno == EINVAL;
}

/* A page of the bytes of seed in a file without a name, to be read and written
 * past the page cache; -1: no file system has that here. */
static inline int t_pin_direct_file(uint64_t seed)
{
	static const char *const folders[] = { ".", "/var/tmp", "/tmp" };
	char path[64];
	int i, fd;

	for (i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/secmalloc-test.XXXXXX",
			       folders[i]);
		fd = mkstemp(path);
		if (fd < 0)
			continue;
		ASSERT_EQ(0, unlink(path));
		ASSERT_EQ(0, t_pin_send(fd, seed));
		ASSERT_EQ(0, fsync(fd));
		if (t_pin_is_direct(fd))
			return fd;
		(void)close(fd);
	}
	return -1;
}

/* What is in such a file now, and no longer after that. */
static inline int t_pin_file_has(int fd, uint64_t seed)
{
	int e;

	ASSERT_EQ(0, t_pin_set_direct(fd, 0));
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	e = t_pin_got(fd, seed);
	ASSERT_EQ(0, ftruncate(fd, 0));
	return e;
}

#endif /* T_PIN_H */
