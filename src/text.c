/* SPDX-License-Identifier: MIT */
/*
 * text.c - a string that may turn out longer than its buffer
 *
 * Callers: report.c, stats.c, picture.c.  No state.
 */
#include "text.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

void secm_put(struct secm_text *t, const char *format, ...)
{
	size_t used = t->len < t->size ? t->len : t->size;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->size > used ? t->buf + used : NULL, t->size - used,
		      format, args);
	va_end(args);
	if (n > 0)
		t->len += (size_t)n;
}

int secm_text_length(const struct secm_text *t)
{
	if (t->len <= INT_MAX)
		return (int)t->len;
	errno = ENOMEM;
	return -1;
}
