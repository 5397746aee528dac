/* SPDX-License-Identifier: MIT */
/*
 * threads.c - waiting for another thread
 *
 * Callers: the core's cache.c, through os.h.  POSIX has no way to make other
 * threads execute a barrier, so they do that by themselves.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <sched.h>

#include "os.h"

void secm_os_barrier(void)
{
	/* secm_os_info.barrier is 0: the other threads fence themselves */
}

void secm_os_yield(void)
{
	(void)sched_yield(); /* only a hint */
}
