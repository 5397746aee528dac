/* SPDX-License-Identifier: MIT */
/*
 * decode.h - what the decoders share: arithmetic instead of decisions
 *
 * Text that stands for a secret is one.  A table would be read at places that
 * are secret, and a branch be taken or not by a secret; caches and branch
 * predictors tell others of both.  So a character is compared by arithmetic on
 * unsigned numbers, whose result is a mask: all ones for yes, 0 for no.
 *
 *  I1  No branch and no address depends on a character, except by
 *      SECM_IO_PUBLIC().
 *  I2  The text is read twice: first all of it to find out whether it is valid,
 *      and only then, if it is and there is room, is anything written.
 *  I3  When n characters have been read at most n bytes have been written, so
 *      the output may take the place of the text.
 */
#ifndef SECM_IO_DECODE_H
#define SECM_IO_DECODE_H

#include <stddef.h>

#include "compat.h"

/*
 * What depends on characters, and may be known: where white space and the lines
 * around a block are, how many digits and padding characters there are, and
 * whether all of it is valid.  tests/test_consttime.sh builds the decoders with
 * a function of this name, which says so to memcheck; any other use of a
 * character that shows in the time is a report there.
 */
#ifdef SECM_IO_PUBLIC
size_t SECM_IO_PUBLIC(size_t x);
#else
#define SECM_IO_PUBLIC(x) (x)
#endif

/* Bits of no value: the character is not a digit. */
enum { SECM_IO_NO_DIGIT = 0x100 };

/* All ones if the highest bit of 32 is set, else 0. */
static inline uint32_t secm_io_mask(uint32_t x)
{
	return 0u - (x >> 31);
}

/* Whether c is one of count characters that begin with first. */
static inline uint32_t secm_io_among(unsigned char c, unsigned char first,
				     uint32_t count)
{
	uint32_t at = (uint32_t)c - first; /* "negative" below the first */

	return secm_io_mask((at - count) & ~at);
}

static inline uint32_t secm_io_is(unsigned char c, unsigned char other)
{
	return secm_io_mask(((uint32_t)c ^ other) - 1);
}

/* Space, tab, line feed, vertical tab, form feed, carriage return. */
static inline uint32_t secm_io_is_space(unsigned char c)
{
	return secm_io_among(c, 9, 5) | secm_io_is(c, 32);
}

/* Text and the memory that it becomes bytes in.  The two may be the same. */
struct secm_io_text {
	const volatile unsigned char *text;
	size_t length;
	unsigned char *bytes;
	size_t room;
};

/* How base64 is written. */
enum { SECM_IO_URL = 1 }; /* "-_" for "+/"; padding may be left out */

/*
 * base64.c, unhex.c, pem.c.  0 and the number of bytes in *got; -EINVAL: not
 * valid; -ERANGE: valid, but there is no room for the *got bytes; pem.c also
 * -ENOENT and -ENOTSUP.  After an error nothing was written.  What is left of
 * the text behind the bytes stays, where it is the same memory.
 */
int secm_io_base64(const struct secm_io_text *t, int flags,
		   size_t *got) SECM_CHECK;
int secm_io_unhex(const struct secm_io_text *t, size_t *got) SECM_CHECK;
int secm_io_pem(const struct secm_io_text *t, const char *label,
		size_t *got) SECM_CHECK;

#endif /* SECM_IO_DECODE_H */
