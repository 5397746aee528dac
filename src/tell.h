/* SPDX-License-Identifier: MIT */
/*
 * tell.h - lines of the log about what a heap could and could not get
 *
 * The reason is the policy's; it is told when it is another than the last one
 * that was told.
 */
#ifndef SECM_TELL_H
#define SECM_TELL_H

#include <stddef.h>

struct secm_heap;

/* That a start ended with r. */
void secm_tell_start(struct secm_heap *heap, int r);

/* That an allocation of so many bytes failed. */
void secm_tell_refused(struct secm_heap *heap, size_t size);

/* That memory with these properties was obtained and better was not, though
 * the machine has it. */
void secm_tell_degraded(struct secm_heap *heap, unsigned props);

#endif /* SECM_TELL_H */
