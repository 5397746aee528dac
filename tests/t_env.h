/* SPDX-License-Identifier: MIT */
/*
 * t_env.h - what the tests of secmalloc_env_take() share
 *
 * Values are strings of bytes that ti_byte() makes, none of them zero.
 */
#ifndef T_ENV_H
#define T_ENV_H

#include "t_io.h"
#include "t_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

#define TE_NAME "TEST_ENV_SECRET"

/* A compiler that knows the seed may have the whole value as a constant. */
static inline unsigned char te_byte(size_t i, unsigned seed)
{
	const volatile unsigned unknown = seed;
	unsigned char byte = ti_byte(i, unknown);

	return byte ? byte : 1;
}

static inline void te_fill(char *to, size_t length, unsigned seed)
{
	size_t i;

	for (i = 0; i < length; i++)
		to[i] = (char)te_byte(i, seed);
	to[length] = 0;
}

/* 1 if it is an object with that string and nothing else. */
static inline int te_is(const char *p, size_t length, unsigned seed)
{
	size_t i;

	if (!p || secmalloc_usable_size(p) != length + 1)
		return 0;
	for (i = 0; i < length && (unsigned char)p[i] == te_byte(i, seed); i++)
		;
	return i == length && p[i] == 0;
}

/* setenv(), of something else that is as long: what the C library copies stays in
 * vector registers, and the next function that is looked up puts these on the
 * stack. */
static inline int te_set(size_t length, unsigned seed)
{
	char *value = malloc(length + 1);
	int r;

	memset(value, '-', length);
	value[length] = 0;
	r = setenv(TE_NAME, value, 1);
	free(value);
	if (r == 0)
		te_fill(getenv(TE_NAME), length, seed);
	return r;
}

/* How many variables of that name there are. */
static inline int te_count(const char *name)
{
	size_t n = strlen(name);
	int found = 0;
	char **e;

	for (e = environ; e && *e; e++)
		found += strncmp(*e, name, n) == 0 && (*e)[n] == '=';
	return found;
}

#endif /* T_ENV_H */
