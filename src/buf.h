/* SPDX-License-Identifier: MIT */
/*
 * buf.h - what is known of a buffer
 */
#ifndef SECM_BUF_H
#define SECM_BUF_H

#include "compat.h"
#include "secmalloc.h"

/* Its size; 0 for NULL.  Dies if it is no object.  -EPERM: it is from before a
 * fork or shutdown (I2), and *size is still right, or this is a child without
 * fork handlers; -EINVAL: NULL. */
int secm_buf_size(const secmalloc_buf *buf, size_t *size) SECM_CHECK;

#endif /* SECM_BUF_H */
