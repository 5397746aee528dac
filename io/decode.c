/* SPDX-License-Identifier: MIT */
/*
 * decode.c - public functions: text of a secret into its bytes
 *
 * Callers: programs.  No state, no lock; safe in signal handlers.  The work is
 * done in base64.c, unhex.c and pem.c; here are the arguments and, where the
 * bytes take the place of the text, the wiping of what is left of it.
 */
#include "decode.h"

#include <errno.h>

#include "io.h"

enum kind { BASE64, BASE64URL, HEX, PEM };

/* In the same place, or nowhere near. */
static int may_be(const struct secm_io_text *t)
{
	uintptr_t from = (uintptr_t)t->text, to = (uintptr_t)t->bytes;

	if ((!t->text && t->length > 0) || (!t->bytes && t->room > 0))
		return 0;
	if (t->length == 0 || t->room == 0 || from == to)
		return 1;
	return from < to ? to - from >= t->length : from - to >= t->room;
}

static int decode_kind(enum kind kind, const struct secm_io_text *t,
		       const char *label, size_t *got)
{
	switch (kind) {
	case HEX:
		return secm_io_unhex(t, got);
	case PEM:
		return secm_io_pem(t, label, got);
	case BASE64URL:
		return secm_io_base64(t, SECM_IO_URL, got);
	case BASE64:
	default:
		return secm_io_base64(t, 0, got);
	}
}

static int decode(enum kind kind, const struct secm_io_text *t,
		  const char *label, size_t *got)
{
	size_t size = 0;
	int e;

	if (!got || !may_be(t)) {
		errno = EINVAL;
		return -1;
	}
	e = decode_kind(kind, t, label, &size);
	if (e == 0 || e == -ERANGE)
		*got = size;
	if (e < 0) {
		errno = -e;
		return -1;
	}
	if (t->bytes == t->text && t->length > size)
		secmalloc_wipe(t->bytes + size, t->length - size);
	return 0;
}

/* pre: text is not changed unless it is also bytes */
static struct secm_io_text arguments(void *bytes, size_t room, const char *text,
				     size_t length)
{
	struct secm_io_text t = { (const volatile unsigned char *)text, length,
				  bytes, room };

	return t;
}

SECM_API int secmalloc_base64_decode(void *bytes, size_t room, size_t *got,
				     const char *text, size_t length)
{
	struct secm_io_text t = arguments(bytes, room, text, length);

	return decode(BASE64, &t, NULL, got);
}

SECM_API int secmalloc_base64url_decode(void *bytes, size_t room, size_t *got,
					const char *text, size_t length)
{
	struct secm_io_text t = arguments(bytes, room, text, length);

	return decode(BASE64URL, &t, NULL, got);
}

SECM_API int secmalloc_hex_decode(void *bytes, size_t room, size_t *got,
				  const char *text, size_t length)
{
	struct secm_io_text t = arguments(bytes, room, text, length);

	return decode(HEX, &t, NULL, got);
}

SECM_API int secmalloc_pem_decode(void *bytes, size_t room, size_t *got,
				  const char *text, size_t length,
				  const char *label)
{
	struct secm_io_text t = arguments(bytes, room, text, length);

	return decode(PEM, &t, label, got);
}
