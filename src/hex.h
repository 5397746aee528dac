/* SPDX-License-Identifier: MIT */
/*
 * hex.h - hexadecimal digits, in a time that does not depend on them
 */
#ifndef SECM_HEX_H
#define SECM_HEX_H

#include <stddef.h>

#include "compat.h"

/* Writes 2 * size lower-case digits and no zero byte. */
void secm_hex(char *hex, const void *bytes, size_t size);

/* Reads 2 * size digits, upper or lower case, into size bytes: 0, or -EINVAL if
 * one of the characters is none; the bytes are wiped then. */
int secm_unhex(void *bytes, size_t size, const char *hex) SECM_CHECK;

#endif /* SECM_HEX_H */
