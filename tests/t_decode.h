/* SPDX-License-Identifier: MIT */
/*
 * t_decode.h - what the tests of decoders share
 *
 * Plain decoders with tables, written from the RFCs and in another way than
 * those of io/, to compare with; encoders; and one call for each of the library's
 * functions.  Also linked into the fuzzer, so without the harness.
 */
#ifndef T_DECODE_H
#define T_DECODE_H

#include <stddef.h>

#include "secmalloc_io.h"

enum td_kind { TD_BASE64, TD_URL, TD_HEX, TD_PEM };
enum { TD_KINDS = 4 };

/* A text, and for TD_PEM the label that is asked for, or NULL. */
struct td_text {
	enum td_kind kind;
	const char *text;
	size_t length;
	const char *label;
};

/* What the library makes of it: 0 or an errno. */
int td_decode(const struct td_text *t, void *bytes, size_t room, size_t *got);

/* What it should be.  bytes has room for t->length. */
int td_reference(const struct td_text *t, unsigned char *bytes, size_t *got);

/* Text of size bytes and a zero, for free(); with a line feed behind each so
 * many characters unless line is 0.  TD_PEM: a block of that label. */
char *td_encode(enum td_kind kind, const unsigned char *bytes, size_t size,
		size_t line, const char *label);

/*
 * Everything that has to hold for a text: the result is that of the reference,
 * with all the room and with just enough of it, elsewhere and in place; a byte
 * of room too little is told; after an error nothing has changed; nothing is
 * written outside; what is left of a text in place is wiped.  NULL, or which of
 * these does not hold.
 */
const char *td_complaint(const struct td_text *t);

#endif /* T_DECODE_H */
