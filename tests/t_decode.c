/* SPDX-License-Identifier: MIT */
/*
 * t_decode.c - decoders with tables, encoders, and what has to hold
 *
 * Linked into tests and into the fuzzer.  Memory of malloc(), of just the size
 * that is needed, so that AddressSanitizer sees each byte too many.
 */
#include "t_decode.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char digits_64[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char digits_url[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char digits_16[] = "0123456789abcdef";
static const char white[] = " \t\n\v\f\r";

static void *need(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		abort();
	return p;
}

static int place(const char *alphabet, char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

int td_decode(const struct td_text *t, void *bytes, size_t room, size_t *got)
{
	int r = -1;

	errno = 0;
	if (t->kind == TD_BASE64)
		r = secmalloc_base64_decode(bytes, room, got, t->text,
					    t->length);
	else if (t->kind == TD_URL)
		r = secmalloc_base64url_decode(bytes, room, got, t->text,
					       t->length);
	else if (t->kind == TD_HEX)
		r = secmalloc_hex_decode(bytes, room, got, t->text, t->length);
	else
		r = secmalloc_pem_decode(bytes, room, got, t->text, t->length,
					 t->label);
	if (r == 0)
		return errno; /* is kept */
	return r == -1 && errno ? errno : -1;
}

/* Four digits at a time, of a text without its white space. */
static int quads(const char *alphabet, char *c, size_t n, int pad,
		 unsigned char *bytes, size_t *got)
{
	size_t at, i;

	*got = 0;
	while (pad && n % 4)
		c[n++] = '='; /* there is room for 3 */
	if (n % 4)
		return EINVAL;
	for (at = 0; at < n; at += 4) {
		unsigned long all = 0;
		size_t digits = 4;

		while (digits > 0 && c[at + digits - 1] == '=')
			digits--;
		if (digits < 2 || (digits < 4 && at + 4 != n))
			return EINVAL;
		for (i = 0; i < 4; i++) {
			int v = i < digits ? place(alphabet, c[at + i]) : 0;

			if (v < 0)
				return EINVAL;
			all = all * 64 + (unsigned)v;
		}
		if (all % (digits == 2 ? 65536 : digits == 3 ? 256 : 1))
			return EINVAL;
		for (i = 0; i + 1 < digits; i++)
			bytes[(*got)++] =
				(unsigned char)(all >> (16 - 8 * i) & 255);
	}
	return 0;
}

static int reference_64(const char *text, size_t length, int url,
			unsigned char *bytes, size_t *got)
{
	char *c = need(length + 3);
	size_t i, n = 0;
	int e, padded;

	for (i = 0; i < length; i++)
		if (place(white, text[i]) < 0)
			c[n++] = text[i];
	padded = n > 0 && c[n - 1] == '=';
	e = quads(url ? digits_url : digits_64, c, n, url && !padded, bytes,
		  got);
	free(c);
	return e;
}

static int reference_16(const char *text, size_t length, unsigned char *bytes,
			size_t *got)
{
	size_t i;

	*got = 0;
	for (i = 0; i < length; i++) {
		int v[2], j;

		if (place(white, text[i]) >= 0)
			continue;
		if (i + 1 == length)
			return EINVAL;
		for (j = 0; j < 2; j++) {
			char c = text[i + (size_t)j];

			if (c >= 'A' && c <= 'F')
				c = (char)(c - 'A' + 'a');
			v[j] = place(digits_16, c);
			if (v[j] < 0)
				return EINVAL;
		}
		bytes[(*got)++] = (unsigned char)(v[0] * 16 + v[1]);
		i++;
	}
	return 0;
}

struct label {
	const char *text; /* NULL: the line has none */
	size_t size;
};

static int is_label(struct label a, struct label b)
{
	return a.text && a.size == b.size &&
	       memcmp(a.text, b.text, a.size) == 0;
}

/* at: where the line begins; moved to the next one. */
static struct label reference_label(const struct td_text *t, size_t *at,
				    const char *mark)
{
	struct label none = { NULL, 0 }, label;
	const char *line = t->text + *at;
	size_t size = 0, left = t->length - *at, front = strlen(mark);

	while (size < left && line[size] != '\n' && line[size] != '\r')
		size++;
	*at += size + (size < left);
	while (size > 0 && place(white, line[size - 1]) >= 0)
		size--;
	if (size < front + 5 || memcmp(line, mark, front) != 0 ||
	    memcmp(line + size - 5, "-----", 5) != 0)
		return none;
	label.text = line + front;
	label.size = size - front - 5;
	return label;
}

/* Whether the first line with anything in it has a colon. */
static int reference_headers(const char *c, size_t n)
{
	size_t i = 0;

	while (i < n && place(white, c[i]) >= 0)
		i++;
	for (; i < n && c[i] != '\n' && c[i] != '\r'; i++)
		if (c[i] == ':')
			return 1;
	return 0;
}

static int reference_block(const struct td_text *t, size_t at,
			   struct label label, unsigned char *bytes,
			   size_t *got)
{
	const char *begin = t->text + at;

	while (at < t->length) {
		const char *end = t->text + at;
		size_t left = t->length - at;
		struct label other = reference_label(t, &at, "-----END ");

		if (is_label(other, label))
			return reference_headers(begin, (size_t)(end - begin))
				       ? ENOTSUP
				       : reference_64(begin,
						      (size_t)(end - begin), 0,
						      bytes, got);
		if (left >= 9 && memcmp(end, "-----END ", 9) == 0)
			return EINVAL;
	}
	return EINVAL;
}

static int reference_pem(const struct td_text *t, unsigned char *bytes,
			 size_t *got)
{
	struct label label,
		want = { t->label, t->label ? strlen(t->label) : 0 };
	size_t at = 0;

	while (at < t->length) {
		label = reference_label(t, &at, "-----BEGIN ");
		if (t->label ? is_label(label, want) : label.text != NULL)
			return reference_block(t, at, label, bytes, got);
	}
	return ENOENT;
}

int td_reference(const struct td_text *t, unsigned char *bytes, size_t *got)
{
	*got = 0;
	if (t->kind == TD_HEX)
		return reference_16(t->text, t->length, bytes, got);
	if (t->kind == TD_PEM)
		return reference_pem(t, bytes, got);
	return reference_64(t->text, t->length, t->kind == TD_URL, bytes, got);
}

static size_t encode_64(const char *alphabet, const unsigned char *b,
			size_t size, char *to)
{
	size_t i, j, n = 0;

	for (i = 0; i < size; i += 3) {
		unsigned long all = 0;

		for (j = 0; j < 3; j++)
			all = all * 256 + (i + j < size ? b[i + j] : 0);
		for (j = 0; j < 4; j++)
			to[n++] = i + j > size
					  ? '='
					  : alphabet[all >> (18 - 6 * j) & 63];
	}
	return n;
}

static size_t encode_16(const unsigned char *b, size_t size, char *to)
{
	size_t i;

	for (i = 0; i < size; i++) {
		to[2 * i] = digits_16[b[i] >> 4];
		to[2 * i + 1] = digits_16[b[i] & 15];
	}
	return 2 * size;
}

char *td_encode(enum td_kind kind, const unsigned char *bytes, size_t size,
		size_t line, const char *label)
{
	size_t most = 2 * size + 8, i, n, extra = 0;
	char *plain = need(most), *text, *to;

	if (label)
		extra = 2 * strlen(label) + 40;
	to = text = need(2 * most + extra);
	n = kind == TD_HEX ? encode_16(bytes, size, plain)
			   : encode_64(kind == TD_URL ? digits_url : digits_64,
				       bytes, size, plain);
	if (label)
		to += sprintf(to, "-----BEGIN %s-----\n", label);
	for (i = 0; i < n; i++) {
		*to++ = plain[i];
		if (line && (i + 1) % line == 0)
			*to++ = '\n';
	}
	if (label && to[-1] != '\n')
		*to++ = '\n';
	if (label)
		to += sprintf(to, "-----END %s-----\n", label);
	*to = 0;
	free(plain);
	return text;
}

static int holds(const unsigned char *p, size_t size, int byte)
{
	while (size > 0 && p[size - 1] == byte)
		size--;
	return size == 0;
}

/* Elsewhere, with so much room: the text and what lies around stay. */
static const char *elsewhere(const struct td_text *t, size_t room, int want,
			     const unsigned char *bytes, size_t size)
{
	enum { EDGE = 16, MARK = 0xa5 };
	unsigned char *out = need(EDGE + room + EDGE);
	char *text = need(t->length);
	struct td_text copy = *t;
	const char *bad = NULL;
	size_t got = SIZE_MAX;

	memset(out, MARK, EDGE + room + EDGE);
	memcpy(text, t->text, t->length);
	copy.text = text;
	if (td_decode(&copy, out + EDGE, room, &got) != want)
		bad = "the result";
	else if (got != (want && want != ERANGE ? SIZE_MAX : size))
		bad = "how many bytes there are";
	else if (want == 0 && memcmp(out + EDGE, bytes, size) != 0)
		bad = "the bytes";
	else if (want != 0)
		size = 0;
	if (!bad && (!holds(out, EDGE, MARK) ||
		     !holds(out + EDGE + size, room - size + EDGE, MARK)))
		bad = "nothing else is written";
	if (!bad && memcmp(text, t->text, t->length) != 0)
		bad = "the text stays";
	free(out);
	free(text);
	return bad;
}

static const char *in_place(const struct td_text *t, size_t room, int want,
			    const unsigned char *bytes, size_t size)
{
	unsigned char *p = need(t->length);
	struct td_text copy = *t;
	const char *bad = NULL;
	size_t got = SIZE_MAX;

	memcpy(p, t->text, t->length);
	copy.text = (const char *)p;
	if (td_decode(&copy, p, room, &got) != want)
		bad = "the result, in place";
	else if (want != 0 && memcmp(p, t->text, t->length) != 0)
		bad = "the text stays after an error, in place";
	else if (want == 0 && (got != size || memcmp(p, bytes, size) != 0))
		bad = "the bytes, in place";
	else if (want == 0 && !holds(p + size, t->length - size, 0))
		bad = "what is left of the text is wiped";
	free(p);
	return bad;
}

const char *td_complaint(const struct td_text *t)
{
	unsigned char *bytes = need(t->length);
	const char *bad;
	size_t size;
	int want = td_reference(t, bytes, &size);

	bad = elsewhere(t, t->length, want, bytes, size);
	if (!bad)
		bad = in_place(t, t->length, want, bytes, size);
	if (!bad && want == 0) {
		bad = elsewhere(t, size, 0, bytes, size);
		if (!bad)
			bad = in_place(t, size, 0, bytes, size);
	}
	if (!bad && want == 0 && size > 0) {
		bad = elsewhere(t, size - 1, ERANGE, bytes, size);
		if (!bad)
			bad = in_place(t, size - 1, ERANGE, bytes, size);
	}
	free(bytes);
	return bad;
}
