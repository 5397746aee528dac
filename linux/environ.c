/* SPDX-License-Identifier: MIT */
/*
 * environ.c - the one environment variable that is listened to
 *
 * Callers: the core, through os.h.  No state.
 */
#include "linux.h"

#include <stdlib.h>
#include <sys/auxv.h>

/* The kernel's own word: set for files with capabilities too, and where a
 * security module says so.  A kernel that says nothing is not trusted. */
static int has_gained(void)
{
	errno = 0;
	return getauxval(AT_SECURE) != 0 || errno == ENOENT;
}

const char *secm_os_conf(void)
{
	return has_gained() ? NULL : getenv("SECMALLOC_CONF");
}
