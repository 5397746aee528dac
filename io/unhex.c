/* SPDX-License-Identifier: MIT */
/*
 * unhex.c - hexadecimal digits, in a time that does not depend on them
 *
 * Callers: decode.c.  No state, no lock.  Keeps I1, I2 and I3 of decode.h.
 * White space may be between bytes, not between the two digits of one: there it
 * is more likely that a digit was lost.
 */
#include "decode.h"

#include <errno.h>

SECM_STATIC_ASSERT('0' == 48 && 'a' == 97 && 'A' == 65);

/* The digit's value, or SECM_IO_NO_DIGIT where it is none. */
static uint32_t value(unsigned char c)
{
	uint32_t number = secm_io_among(c, '0', 10);
	uint32_t letter = secm_io_among(c | 0x20, 'a', 6);

	return (number & ((uint32_t)c - '0')) |
	       (letter & (((uint32_t)c | 0x20) - 'a' + 10)) |
	       (~(number | letter) & SECM_IO_NO_DIGIT);
}

/* How many digits there are; anything but 0 in *bad: it is not valid. */
static size_t survey(const struct secm_io_text *t, uint32_t *bad)
{
	size_t i, digits = 0;
	uint32_t within = 0; /* a mask: the first digit of two was seen */

	*bad = 0;
	for (i = 0; i < t->length; i++) {
		unsigned char c = t->text[i];
		uint32_t space = secm_io_is_space(c);

		digits += ~space & 1;
		*bad |= (space & within) |
			(~space & value(c) & SECM_IO_NO_DIGIT);
		within ^= ~space;
	}
	*bad |= within;
	return digits;
}

/* Never more than size bytes, should somebody change the text meanwhile. */
static void write_bytes(const struct secm_io_text *t, size_t size)
{
	uint32_t high = 0;
	size_t i, digits = 0;

	for (i = 0; i < t->length && digits / 2 < size; i++) {
		unsigned char c = t->text[i];
		uint32_t v;

		if (SECM_IO_PUBLIC(secm_io_is_space(c)) != 0)
			continue;
		v = value(c) & 15;
		if (digits % 2)
			t->bytes[digits / 2] = (unsigned char)(high << 4 | v);
		high = v;
		digits++;
	}
}

int secm_io_unhex(const struct secm_io_text *t, size_t *got)
{
	uint32_t bad;
	size_t digits = survey(t, &bad);

	if (SECM_IO_PUBLIC(bad) != 0)
		return -EINVAL;
	*got = SECM_IO_PUBLIC(digits) / 2;
	if (*got > t->room)
		return -ERANGE;
	write_bytes(t, *got);
	return 0;
}
