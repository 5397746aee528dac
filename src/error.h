/* SPDX-License-Identifier: MIT */
/*
 * error.h - only documented errors leave the library
 */
#ifndef SECM_ERROR_H
#define SECM_ERROR_H

#include "compat.h"

/* Sets errno from an internal result: 0 for 0, else -1.  What is not on the
 * list of secmalloc.h becomes ENOMEM. */
int secm_error(int r);

/* The errno that it would set; 0 for 0. */
int secm_error_filter(int r);

#endif /* SECM_ERROR_H */
