/* SPDX-License-Identifier: MIT */
/*
 * keyscope.h - what is known of a key without reading it
 */
#ifndef SECM_KEYSCOPE_H
#define SECM_KEYSCOPE_H

#include "compat.h"
#include "secmalloc.h"

struct secm_heap;

/* secretkey.c: that heap is destroyed, under the lock.  If it was the one of all
 * keys, which a report of any of them tells, the next key makes another. */
void secm_key_heap_gone(const struct secm_heap *heap);

/* Its size; 0 for NULL.  Dies if it is no object.  -EPERM: it is from before a
 * fork or shutdown, and *size is still right, or this is a child without fork
 * handlers; -EINVAL: no key. */
int secm_key_size(const secmalloc_key *key, size_t *size) SECM_CHECK;

#endif /* SECM_KEYSCOPE_H */
