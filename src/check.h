/* SPDX-License-Identifier: MIT */
/*
 * check.h - debug builds look at whole data structures
 */
#ifndef SECM_CHECK_H
#define SECM_CHECK_H

#include "compat.h"

/* Dies if an invariant of a heap does not hold.  Does nothing unless
 * configured with --enable-debug. */
#ifdef SECM_DEBUG
void secm_check_heaps(void);
#else
static inline void secm_check_heaps(void)
{
}
#endif

#endif /* SECM_CHECK_H */
