/* SPDX-License-Identifier: MIT */
/*
 * environment.c - a variable of the environment becomes a secret object
 *
 * Public function alone.  Lock: none, as the environment has none.
 *
 * Its value may be in several strings: of environ, which may have the name more
 * than once, and of the block that the program was started with, which is what
 * other processes see; environ points into that until setenv() takes another
 * string in its place.
 *
 * I1  Until nothing can fail any more, nothing is changed.
 * I2  A value is read byte by byte.  What the C library does faster leaves parts
 *     of it in vector registers, and a signal takes those to the stack.
 */
#include "io.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

struct search {
	const char *name;
	char *start, *end; /* of the block, or NULL */
	int pipe[2];	   /* empty */
};

static char *value_in(char *string, const char *name)
{
	const volatile char *s = string; /* I2 */
	size_t i;

	for (i = 0; name[i] && s[i] == name[i]; i++)
		;
	return name[i] == 0 && s[i] == '=' ? string + i + 1 : NULL;
}

static size_t length_of(const char *string)
{
	const volatile char *s = string; /* I2 */
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* The value that getenv() finds, or NULL. */
static char *first_value(const char *name)
{
	char **e, *value = NULL;

	for (e = environ; e && *e && !value; e++)
		value = value_in(*e, name);
	return value;
}

/* The string of the name at p in the block, or the next one, or NULL.  The block
 * may be in use for something else, such as a title: what no zero byte ends is
 * none of its strings. */
static char *next_in_block(const struct search *s, char *p)
{
	char *q;

	for (; p < s->end; p = q + 1) {
		q = p;
		while (q < s->end && *(const volatile char *)q)
			q++;
		if (q < s->end && value_in(p, s->name))
			return p;
	}
	return NULL;
}

/* Each value: 0, or what fn() returned before it came to all. */
static int for_each(const struct search *s,
		    int (*fn)(const struct search *s, char *value))
{
	char **e, *p, *value;
	int error = 0;

	for (e = environ; e && *e && error == 0; e++) {
		value = value_in(*e, s->name);
		if (value)
			error = fn(s, value);
	}
	p = next_in_block(s, s->start);
	while (p && error == 0) {
		error = fn(s, value_in(p, s->name));
		p = next_in_block(s, p + 1);
	}
	return error;
}

/* By asking the kernel to write the zero byte at its end again, so that one that
 * may only be read, such as a literal given to putenv(), is no fault. */
static int is_writable(const struct search *s, char *value)
{
	if (write(s->pipe[1], "", 1) != 1)
		return -errno;
	return read(s->pipe[0], value + length_of(value), 1) == 1 ? 0 : -errno;
}

static int all_are_writable(struct search *s)
{
	int e;

	if (pipe(s->pipe) != 0)
		return -errno;
	e = for_each(s, is_writable);
	(void)close(s->pipe[0]); /* nothing that matters is in it */
	(void)close(s->pipe[1]);
	return e;
}

static int wipe_value(const struct search *s, char *value)
{
	(void)s;
	secmalloc_wipe(value, length_of(value));
	return 0;
}

/* Of what the program was started with; nothing of environ is there any more. */
static void wipe_names(const struct search *s)
{
	char *p = next_in_block(s, s->start);

	for (; p; p = next_in_block(s, p + 1))
		secmalloc_wipe(p, length_of(p));
}

static int copy(const char *value, size_t length,
		struct secmalloc_load_options *options, void **data)
{
	const volatile char *from = value; /* I2 */
	struct secm_io_object o;
	int e;

	if (length > options->max)
		return -EFBIG;
	options->flags |= SECMALLOC_LOAD_STRING;
	e = secm_io_object_begin(&o, options, length);
	if (e < 0)
		return e;
	e = secm_io_object_open(&o);
	if (e < 0) {
		secm_io_object_abandon(&o);
		return e;
	}
	while (o.length < length) {
		o.data[o.length] = (unsigned char)from[o.length];
		o.length++;
	}
	secm_io_object_close(&o);
	return secm_io_object_end(&o, data);
}

static int take(struct search *s, struct secmalloc_load_options *options,
		void **data)
{
	const char *value = first_value(s->name);
	int e;

	secm_io_os_env_block(&s->start, &s->end);
	if (!value && !next_in_block(s, s->start))
		return -ENOENT;
	e = all_are_writable(s);
	if (e == 0 && value)
		e = copy(value, length_of(value), options, data);
	if (e < 0)
		return e; /* I1 */
	(void)for_each(s, wipe_value);
	/* It may free its string, so that was wiped before.  Where it needs memory
	 * and has none, an empty variable stays. */
	(void)unsetenv(s->name);
	wipe_names(s);
	return value ? 0 : -ENOENT;
}

SECM_API char *secmalloc_env_take(const char *name,
				  const struct secmalloc_load_options *options)
{
	struct search s = { .name = name };
	struct secmalloc_load_options o;
	const int saved = errno;
	void *data = NULL;
	int e, state;

	e = name && *name && !strchr(name, '=') ? secm_io_options(options, &o)
						: -EINVAL;
	if (e == 0) {
		(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
		e = take(&s, &o, &data);
		(void)pthread_setcancelstate(state, &state);
	}
	errno = e < 0 ? -e : saved;
	return data;
}
