/* SPDX-License-Identifier: MIT */
/*
 * base64.c - RFC 4648, strictly, in a time that does not depend on the digits
 *
 * Callers: decode.c, pem.c.  No state, no lock.  Keeps I1, I2 and I3 of
 * decode.h.
 *
 * Strictly: one alphabet; the padding that is due, at the end; no bits in the
 * last digit that no byte has.  So some bytes have one text only, but for the
 * white space, which may be anywhere.
 */
#include "decode.h"

#include <errno.h>

SECM_STATIC_ASSERT('A' == 65 && 'Z' == 90 && 'a' == 97 && 'z' == 122);

/* What the first reading finds.  Everything but url depends on the text. */
struct survey {
	int url;
	size_t digits, pads;
	uint32_t last;	/* the value of the last digit */
	uint32_t ended; /* a mask: there was padding */
	uint32_t bad;	/* anything but 0: not valid */
};

/* The digit's value, or SECM_IO_NO_DIGIT where it is none. */
static uint32_t value(unsigned char c, int url)
{
	uint32_t upper = secm_io_among(c, 'A', 26);
	uint32_t lower = secm_io_among(c, 'a', 26);
	uint32_t number = secm_io_among(c, '0', 10);
	uint32_t last_but_one = secm_io_is(c, url ? '-' : '+');
	uint32_t last = secm_io_is(c, url ? '_' : '/');
	uint32_t any = upper | lower | number | last_but_one | last;

	return (upper & ((uint32_t)c - 'A')) |
	       (lower & ((uint32_t)c - 'a' + 26)) |
	       (number & ((uint32_t)c - '0' + 52)) | (last_but_one & 62) |
	       (last & 63) | (~any & SECM_IO_NO_DIGIT);
}

static void look(struct survey *s, unsigned char c)
{
	uint32_t v = value(c, s->url);
	uint32_t space = secm_io_is_space(c), pad = secm_io_is(c, '=');
	uint32_t digit = ~(space | pad);

	s->digits += digit & 1;
	s->pads += pad & 1;
	s->bad |= digit & (v & SECM_IO_NO_DIGIT);
	s->bad |= digit & s->ended;
	s->last = (s->last & ~digit) | (v & digit);
	s->ended |= pad;
}

/* How many bytes it is; 0 or -EINVAL. */
static int judge(struct survey *s, size_t *size)
{
	size_t digits = SECM_IO_PUBLIC(s->digits);
	size_t pads = SECM_IO_PUBLIC(s->pads), rest = digits % 4;

	if (rest == 1)
		return -EINVAL;
	if (pads != (rest ? 4 - rest : 0) && !(s->url && pads == 0))
		return -EINVAL;
	if (rest)
		s->bad |= s->last & (rest == 2 ? 15 : 3);
	if (SECM_IO_PUBLIC(s->bad) != 0)
		return -EINVAL;
	*size = digits / 4 * 3 + (rest ? rest - 1 : 0);
	return 0;
}

/* Never more than size bytes, should somebody change the text meanwhile. */
static void write_bytes(const struct secm_io_text *t, int url, size_t size)
{
	uint32_t pending = 0; /* the lowest bits are still to be written */
	unsigned bits = 0;
	size_t i, n = 0;

	for (i = 0; i < t->length && n < size; i++) {
		unsigned char c = t->text[i];

		if (SECM_IO_PUBLIC(secm_io_is_space(c)) != 0)
			continue;
		pending = (pending & 63) << 6 | (value(c, url) & 63);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		t->bytes[n++] = (unsigned char)(pending >> bits);
	}
}

int secm_io_base64(const struct secm_io_text *t, int flags, size_t *got)
{
	struct survey s = { .url = (flags & SECM_IO_URL) != 0 };
	size_t i;
	int e;

	for (i = 0; i < t->length; i++)
		look(&s, t->text[i]);
	e = judge(&s, got);
	if (e < 0)
		return e;
	if (*got > t->room)
		return -ERANGE;
	write_bytes(t, s.url, *got);
	return 0;
}
