/* SPDX-License-Identifier: MIT */
/*
 * fork.h - what a child may still touch
 */
#ifndef SECM_FORK_H
#define SECM_FORK_H

#include "compat.h"

/* The handlers are registered and, where the kernel can, the mark is set, when
 * this returns 0; may be called again.  -ENOMEM */
int secm_fork_setup(void) SECM_CHECK;

/* 1 in a child that was made without fork handlers, where the kernel lets us
 * know.  Needs no lock: in such a child any lock may be held for ever. */
int secm_fork_stale(void);

/* Another fork handler has used a heap, after it was copied for the child. */
void secm_fork_copy_again(void);

#endif /* SECM_FORK_H */
