/* SPDX-License-Identifier: MIT */
/*
 * hex.c - hexadecimal digits, in a time that does not depend on them
 *
 * Callers: buf.c.  No state, no lock.
 *
 * The usual table would be read at places that are secret, and a branch taken
 * or not by a secret; caches and branch predictors tell others of both.  So all
 * is arithmetic on unsigned numbers: the difference of two small ones has its
 * highest bit set when the first is the smaller one.  Of the input only its
 * length shows in the time, and in the end whether all were digits.
 */
#include "hex.h"

#include <errno.h>

#include "wipe.h"

SECM_STATIC_ASSERT(sizeof(unsigned) == 4);
SECM_STATIC_ASSERT('a' == 97 && 'f' == 102 && 'A' == 65 && '0' == 48);

/* All ones if the highest bit is set, else 0. */
static unsigned mask(unsigned x)
{
	return 0u - (x >> 31);
}

/* pre: n < 16 */
static char digit(unsigned n)
{
	return (char)('0' + n + (mask(9u - n) & ('a' - '0' - 10)));
}

/* The digit's value, or bits above the lowest four where it is none. */
static unsigned value(char c)
{
	unsigned u = (unsigned char)c;
	unsigned number = u - '0', letter = (u | 0x20) - 'a';
	unsigned is_number = mask((number - 10) & ~number);
	unsigned is_letter = mask((letter - 6) & ~letter);

	return (number & is_number) | ((letter + 10) & is_letter) |
	       (~(is_number | is_letter) & 0x100);
}

void secm_hex(char *hex, const void *bytes, size_t size)
{
	const volatile unsigned char *b = bytes;
	size_t i;

	for (i = 0; i < size; i++) {
		unsigned byte = b[i];

		hex[2 * i] = digit(byte >> 4);
		hex[2 * i + 1] = digit(byte & 15);
	}
}

int secm_unhex(void *bytes, size_t size, const char *hex)
{
	const volatile char *c = hex;
	unsigned char *b = bytes;
	unsigned all = 0;
	size_t i;

	for (i = 0; i < size; i++) {
		unsigned high = value(c[2 * i]), low = value(c[2 * i + 1]);

		all |= high | low;
		b[i] = (unsigned char)(high << 4 | low);
	}
	if (all < 16)
		return 0;
	secm_wipe(bytes, size);
	return -EINVAL;
}
