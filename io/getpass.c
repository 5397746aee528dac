/* SPDX-License-Identifier: MIT */
/*
 * getpass.c - ask for a pass phrase
 *
 * Lock: that of fork.c, around the flag that somebody asks.  What is read goes
 * into the secret object alone, by read(2); its rest, if it is too long, too:
 * what is read from a terminal that does not echo is wiped by the kernel, what is
 * flushed only forgotten.
 */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { FIRST = 255 }; /* bytes of most pass phrases */

struct question {
	const char *prompt;
	int in, out; /* out: of the prompt, and its errors count if it is in */
	int own;     /* in is closed in the end */
	int signals; /* tells that there was one; -1: nobody catches them */
	struct secm_io_object answer;
};

static int asking;

void secm_io_getpass_forget(void)
{
	asking = 0;
}

/* One at a time: 0, or a negative errno. */
static int take_turn(void)
{
	int e = secm_io_signals_set_up();

	if (e == 0)
		e = secm_io_lock();
	if (e < 0)
		return e;
	if (asking)
		e = -EBUSY;
	asking = 1;
	secm_io_unlock();
	return e;
}

static void end_turn(void)
{
	const int locked = secm_io_lock() == 0;

	asking = 0;
	if (locked)
		secm_io_unlock();
}

static int wait_for(const struct question *q, int fd, short events)
{
	const int e = secm_io_wait_both(fd, events, q->signals,
					q->answer.options->deadline);

	return e == 1 ? -EINTR : e;
}

/* Bytes, 0 at the end, or a negative errno.  One who waits has no scope open; of
 * what is no terminal not a byte more than the line is taken. */
static ssize_t get(struct question *q, size_t at, size_t size)
{
	ssize_t n;
	int e;

	for (;;) {
		e = wait_for(q, q->in, POLLIN);
		if (e == 0)
			e = secm_io_object_open(&q->answer);
		if (e < 0)
			return e;
		n = read(q->in, q->answer.data + at, q->signals < 0 ? 1 : size);
		e = errno;
		secm_io_object_close(&q->answer);
		if (n >= 0)
			return n;
		if (e != EINTR && e != EAGAIN && e != EWOULDBLOCK)
			return -e;
	}
}

/* Whether the byte is a newline, which is wiped. */
static int take_newline(struct question *q, size_t at, int *is)
{
	unsigned char *p = q->answer.data + at;
	const int e = secm_io_object_open(&q->answer);

	if (e < 0)
		return e;
	*is = *p == '\n';
	if (*is)
		*p = 0;
	secm_io_object_close(&q->answer);
	return 0;
}

/* The rest of a line that is too long. */
static int skip(struct question *q)
{
	int e, last = 0;

	while (!last) {
		const ssize_t n = get(q, 0, q->answer.room);

		if (n <= 0)
			return n < 0 ? (int)n : -EFBIG;
		e = take_newline(q, (size_t)n - 1, &last);
		if (e < 0)
			return e;
	}
	return -EFBIG;
}

static int get_line(struct question *q)
{
	struct secm_io_object *o = &q->answer;
	int e, last = 0;

	while (!last) {
		ssize_t n;

		e = secm_io_object_grow(o);
		if (e < 0)
			return e == -EFBIG ? skip(q) : e;
		n = get(q, o->length, o->room - o->length);
		if (n == 0)
			return o->length > 0 ? 0 : -ENODATA;
		if (n < 0)
			return (int)n;
		o->length += (size_t)n;
		e = take_newline(q, o->length - 1, &last);
		if (e < 0)
			return e;
	}
	o->length--;
	return 0;
}

static int say(const struct question *q, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t n = wait_for(q, q->out, POLLOUT);

		if (n < 0)
			return (int)n;
		n = write(q->out, text, left);
		if (n > 0) {
			text += n;
			left -= (size_t)n;
		} else if (n < 0 && errno != EINTR && errno != EAGAIN &&
			   errno != EWOULDBLOCK) {
			return q->out == q->in ? -errno : 0;
		}
	}
	return 0;
}

/* The cursor stands behind the prompt still: nobody has pressed the key that
 * moves it. */
static void leave_line(const struct question *q)
{
	struct pollfd p = { .fd = q->out, .events = POLLOUT };

	if (secm_io_terminal_is_ours() && poll(&p, 1, 0) == 1)
		(void)!write(q->out, "\n", 1);
}

/* From an empty answer on. */
static int start(struct question *q)
{
	struct secm_io_object *o = &q->answer;
	const int e = secm_io_object_open(o);

	if (e < 0)
		return e;
	secmalloc_wipe(o->data, o->room);
	secm_io_object_close(o);
	o->length = 0;
	return 0;
}

static int ask_once(struct question *q)
{
	int e = start(q);

	if (e < 0)
		return e;
	e = secm_io_terminal_quiet();
	if (e == 0)
		e = say(q, q->prompt);
	return e == 0 ? get_line(q) : e;
}

/* Who was stopped, and continued, is asked again.  A child that a handler made
 * meanwhile is not: it has no terminal any more. */
static int ask(struct question *q)
{
	int e, handled;

	secm_io_terminal_use(q->in, q->own);
	do {
		e = secm_io_signals_begin();
		if (e < 0)
			break;
		q->signals = secm_io_signals_fd();
		e = ask_once(q);
		if (e < 0 && e != -EFBIG)
			leave_line(q);
		secm_io_terminal_restore(e < 0);
		handled = secm_io_signals_end();
	} while (e == -EINTR && handled == 0 && secm_io_terminal_is_used());
	q->own = q->own && secm_io_terminal_is_used();
	secm_io_terminal_use(-1, 0);
	return e;
}

/* What is read and what is written to: 1 if it is a terminal. */
static int find(const struct secmalloc_load_options *options,
		struct question *q)
{
	q->in = -1;
	if (!(options->flags & SECMALLOC_LOAD_STDIN))
		q->in = open("/dev/tty",
			     O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	q->out = q->in;
	q->own = q->in >= 0;
	if (q->own)
		return 1;
	q->in = STDIN_FILENO;
	q->out = STDERR_FILENO;
	return isatty(q->in);
}

/* A string in *data, or a negative errno. */
static int answer(const char *prompt,
		  const struct secmalloc_load_options *options, void **data)
{
	struct question q = { .prompt = prompt ? prompt : "", .signals = -1 };
	int e, terminal;

	e = secm_io_object_begin(&q.answer, options,
				 options->max < FIRST ? options->max + 1
						      : FIRST);
	if (e < 0)
		return e;
	terminal = find(options, &q);
	e = terminal ? ask(&q) : get_line(&q);
	if (q.own)
		(void)close(q.in);
	if (e == 0)
		return secm_io_object_end(&q.answer, data);
	secm_io_object_abandon(&q.answer);
	return e;
}

SECM_API char *secmalloc_getpass(const char *prompt,
				 const struct secmalloc_load_options *options)
{
	const int saved = errno;
	struct secmalloc_load_options o;
	void *data = NULL;
	int e, state;

	e = secm_io_options(options, &o);
	if (e == 0)
		e = take_turn();
	if (e == 0) {
		o.flags |= SECMALLOC_LOAD_STRING;
		(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
		e = answer(prompt, &o, &data);
		(void)pthread_setcancelstate(state, NULL);
		end_turn();
	}
	errno = e < 0 ? -e : saved;
	return data;
}
