/* SPDX-License-Identifier: MIT */
/*
 * transfer.c - all of so many bytes, between a descriptor and secret memory
 *
 * Public functions alone.  Lock: none.
 *
 * A deadline needs calls that do not block.  O_NONBLOCK is a property of what is
 * open, not of this descriptor, and others may have it open too; so sockets
 * are asked with MSG_DONTWAIT, and anything else only when poll(2) has said that
 * it is ready, for no more than can go through at once.
 */
#include "io.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PIPE_BUF
#define PIPE_BUF _POSIX_PIPE_BUF
#endif

struct transfer {
	int fd;
	short event; /* POLLIN or POLLOUT: which way */
	mode_t mode; /* what is behind fd, if there is a deadline */
	const struct timespec *deadline;
	unsigned char *p;
	size_t size;
};

static mode_t kind(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_mode : 0;
}

static ssize_t once(const struct transfer *t)
{
	size_t size = t->size;

	if (t->deadline && S_ISSOCK(t->mode))
		return t->event == POLLIN
			       ? recv(t->fd, t->p, size, MSG_DONTWAIT)
			       : send(t->fd, t->p, size, MSG_DONTWAIT);
	if (t->event == POLLIN)
		return read(t->fd, t->p, size);
	if (t->deadline && !S_ISREG(t->mode) && size > PIPE_BUF)
		size = PIPE_BUF;
	return write(t->fd, t->p, size);
}

/* What passed at once, 0 at the end of the input, or a negative errno. */
static ssize_t step(const struct transfer *t)
{
	int ready = !t->deadline;

	for (;;) {
		ssize_t n;
		int e;

		if (!ready) {
			e = secm_io_wait(t->fd, t->event, t->deadline);
			if (e < 0)
				return e;
		}
		n = once(t);
		if (n >= 0)
			return n;
		if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
			return -errno;
		ready = !t->deadline && errno == EINTR;
	}
}

/* errno is the caller's again if all went well. */
static ssize_t all(struct transfer *t)
{
	const size_t want = t->size;
	const int saved = errno;
	ssize_t n = 0;

	while (t->size > 0) {
		n = step(t);
		if (n <= 0)
			break;
		t->p += n;
		t->size -= (size_t)n;
	}
	if (t->size == 0)
		errno = saved;
	else
		errno = (int)-n;
	return t->size == want && n < 0 ? -1 : (ssize_t)(want - t->size);
}

static ssize_t transfer(struct transfer *t)
{
	if (t->size > SSIZE_MAX ||
	    (t->deadline && !secm_io_is_deadline(t->deadline))) {
		errno = EINVAL;
		return -1;
	}
	if (t->size > 0 &&
	    !(secmalloc_owns(t->p) && secmalloc_owns(t->p + (t->size - 1)))) {
		errno = EFAULT;
		return -1;
	}
	if (t->deadline)
		t->mode = kind(t->fd);
	return all(t);
}

ssize_t secm_io_read(int fd, void *p, size_t size,
		     const struct timespec *deadline)
{
	const struct transfer t = { .fd = fd,
				    .event = POLLIN,
				    .mode = deadline ? kind(fd) : 0,
				    .deadline = deadline,
				    .p = p,
				    .size = size };

	return step(&t);
}

SECM_API ssize_t secmalloc_read(int fd, void *p, size_t size,
				const struct timespec *deadline)
{
	struct transfer t = { .fd = fd,
			      .event = POLLIN,
			      .deadline = deadline,
			      .p = p,
			      .size = size };

	return transfer(&t);
}

SECM_API ssize_t secmalloc_write(int fd, const void *p, size_t size,
				 const struct timespec *deadline)
{
	struct transfer t = { .fd = fd,
			      .event = POLLOUT,
			      .deadline = deadline,
			      .p = (unsigned char *)(size_t)p,
			      .size = size };

	return transfer(&t);
}
