/* SPDX-License-Identifier: MIT */
/*
 * meta.h - memory for what we know about secrets, never next to them
 */
#ifndef SECM_META_H
#define SECM_META_H

#include <stddef.h>

#include "compat.h"

/* Zeroed, aligned to 16, never given back: descriptors are recycled by their
 * owners.  NULL: no memory. */
void *secm_meta_alloc(size_t size) SECM_CHECK;

/* The same, aligned to a line of the processor's cache. */
void *secm_meta_line(size_t size) SECM_CHECK;

/* Zeroed pages of their own between two guards, for at least so many bytes.
 * NULL: no memory. */
void *secm_meta_pages(size_t size) SECM_CHECK;

/* They, and their guards, stay as they are from now on, if the system can do
 * that: the last thing that is asked for them. */
void secm_meta_seal(void *pages, size_t size);

/* How much all of it is, and how much of that is sealed. */
void secm_meta_sizes(size_t *bytes, size_t *of_them_sealed);

#endif /* SECM_META_H */
