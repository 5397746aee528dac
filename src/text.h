/* SPDX-License-Identifier: MIT */
/*
 * text.h - a string that may turn out longer than its buffer
 */
#ifndef SECM_TEXT_H
#define SECM_TEXT_H

#include <stddef.h>

#include "compat.h"

struct secm_text {
	char *buf;
	size_t size, len; /* len: of the whole text */
};

void secm_put(struct secm_text *t, const char *format, ...) SECM_PRINTF(2, 3);

/* What functions like snprintf(3) return; -1 and errno if that is too much. */
int secm_text_length(const struct secm_text *t);

#endif /* SECM_TEXT_H */
