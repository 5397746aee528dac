/* SPDX-License-Identifier: MIT */
/*
 * pem.c - the block of a label in a text, as RFC 7468 has it
 *
 * Callers: decode.c.  No state, no lock.  Keeps I1, I2 and I3 of decode.h.
 *
 *	explanatory text, or other blocks
 *	-----BEGIN PRIVATE KEY-----
 *	base64, in lines of any length
 *	-----END PRIVATE KEY-----
 *
 * A line ends with CR, LF or both.  Other blocks may be secret too, so even the
 * search for a line compares all of its beginning, and shows the result only.
 */
#include "decode.h"

#include <errno.h>
#include <string.h>

/* Characters of the text, from one place up to another. */
struct part {
	size_t begin, end;
};

static const char dashes[] = "-----";
static const char begin_mark[] = "-----BEGIN ", end_mark[] = "-----END ";

static int is_end_of_line(unsigned char c)
{
	return SECM_IO_PUBLIC(secm_io_is(c, '\n') | secm_io_is(c, '\r')) != 0;
}

/* The line that begins there, without what ends it. */
static struct part line_at(const struct secm_io_text *t, size_t at)
{
	struct part line = { at, at };

	while (line.end < t->length && !is_end_of_line(t->text[line.end]))
		line.end++;
	return line;
}

/* Where the next line begins, maybe an empty one between CR and LF. */
static size_t after(const struct secm_io_text *t, struct part line)
{
	return line.end < t->length ? line.end + 1 : line.end;
}

/* Whether these characters are in the part, from its offset on. */
static int has(const struct secm_io_text *t, struct part p, size_t offset,
	       const char *string, size_t size)
{
	uint32_t diff = 0;
	size_t i;

	if (p.end - p.begin < offset || p.end - p.begin - offset < size)
		return 0;
	for (i = 0; i < size; i++)
		diff |= (uint32_t)t->text[p.begin + offset + i] ^
			(unsigned char)string[i];
	return SECM_IO_PUBLIC(diff) == 0;
}

static int same(const struct secm_io_text *t, struct part a, struct part b)
{
	size_t i, size = a.end - a.begin;
	uint32_t diff = 0;

	if (b.end - b.begin != size)
		return 0;
	for (i = 0; i < size; i++)
		diff |= (uint32_t)t->text[a.begin + i] ^ t->text[b.begin + i];
	return SECM_IO_PUBLIC(diff) == 0;
}

static struct part trimmed(const struct secm_io_text *t, struct part p)
{
	while (p.end > p.begin &&
	       SECM_IO_PUBLIC(secm_io_is_space(t->text[p.end - 1])) != 0)
		p.end--;
	return p;
}

/* The label of a line that begins with mark and ends with dashes, or 0. */
static int label_in(const struct secm_io_text *t, struct part line,
		    const char *mark, struct part *label)
{
	const size_t front = strlen(mark), back = sizeof(dashes) - 1;
	size_t size;

	if (!has(t, line, 0, mark, front))
		return 0;
	line = trimmed(t, line);
	size = line.end - line.begin;
	if (size < front + back || !has(t, line, size - back, dashes, back))
		return 0;
	label->begin = line.begin + front;
	label->end = line.end - back;
	return 1;
}

static int is_wanted(const struct secm_io_text *t, struct part label,
		     const char *want)
{
	size_t size = want ? strlen(want) : 0;

	return !want || (label.end - label.begin == size &&
			 has(t, label, 0, want, size));
}

/* The first block of that label: where it begins, behind its first line. */
static int find_begin(const struct secm_io_text *t, const char *want,
		      struct part *label, size_t *begin)
{
	size_t at;

	for (at = 0; at < t->length;) {
		struct part line = line_at(t, at);

		at = after(t, line);
		if (label_in(t, line, begin_mark, label) &&
		    is_wanted(t, *label, want)) {
			*begin = at;
			return 0;
		}
	}
	return -ENOENT;
}

/* The text of the block up to its last line, which has the same label. */
static int find_end(const struct secm_io_text *t, struct part label,
		    struct part *body)
{
	size_t at;

	for (at = body->begin; at < t->length;) {
		struct part line = line_at(t, at), other;

		if (has(t, line, 0, end_mark, sizeof(end_mark) - 1)) {
			body->end = at;
			return label_in(t, line, end_mark, &other) &&
					       same(t, label, other)
				       ? 0
				       : -EINVAL;
		}
		at = after(t, line);
	}
	return -EINVAL;
}

/* The first line that is not empty has a colon in it: "Proc-Type: ..." */
static int has_headers(const struct secm_io_text *t, struct part body)
{
	uint32_t colon = 0;
	struct part line;
	size_t i;

	do {
		line = line_at(t, body.begin);
		body.begin = after(t, line);
		line = trimmed(t, line);
	} while (line.begin == line.end && body.begin < body.end);
	for (i = line.begin; i < line.end && i < body.end; i++)
		colon |= secm_io_is(t->text[i], ':');
	return SECM_IO_PUBLIC(colon) != 0;
}

int secm_io_pem(const struct secm_io_text *t, const char *label, size_t *got)
{
	struct secm_io_text inner = *t;
	struct part found, body;
	int e;

	e = find_begin(t, label, &found, &body.begin);
	if (e < 0)
		return e;
	e = find_end(t, found, &body);
	if (e < 0)
		return e;
	if (has_headers(t, body))
		return -ENOTSUP;
	inner.text += body.begin;
	inner.length = body.end - body.begin;
	return secm_io_base64(&inner, 0, got);
}
