/* SPDX-License-Identifier: MIT */
/*
 * t_io.h - what the tests of secret I/O share
 */
#ifndef T_IO_H
#define T_IO_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "ksft.h"
#include "secmalloc_io.h"
#include "t_api.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* A time of CLOCK_MONOTONIC that many milliseconds from now. */
static inline struct timespec ti_in(long ms)
{
	struct timespec t = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* Bytes that look like nothing else: number i of the secret that seed names.
 * volatile keeps compilers from storing the secret among their constants. */
static volatile unsigned ti_nothing;
static inline unsigned char ti_byte(size_t i, unsigned seed)
{
	uint32_t x = (uint32_t)i * 2654435761u + (seed + ti_nothing) * 40503u +
		     12345;

	x = (x ^ x >> 16) * 0x45d9f3bu;
	return (unsigned char)(x >> 16);
}

static inline void ti_fill(void *to, size_t size, unsigned seed)
{
	unsigned char *p = to;
	size_t i;

	for (i = 0; i < size; i++)
		p[i] = ti_byte(i, seed);
}

static inline int ti_is(const void *at, size_t size, unsigned seed)
{
	const unsigned char *p = at;
	size_t i;

	for (i = 0; i < size && p[i] == ti_byte(i, seed); i++)
		;
	return i == size;
}

/* 1 if it is an object of exactly these bytes. */
static inline int ti_is_object(const void *p, size_t size, unsigned seed)
{
	return p && secmalloc_usable_size(p) == size && ti_is(p, size, seed);
}

#endif /* T_IO_H */
