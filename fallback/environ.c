/* SPDX-License-Identifier: MIT */
/*
 * environ.c - the one environment variable that is listened to
 *
 * POSIX has no call that tells whether a program got privileges its caller
 * lacks; many systems have one.  Elsewhere the ids tell, as long as the program
 * has not made them equal.  Called by the core.  Lock: none.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "os.h"

static const char name[] = "SECMALLOC_CONF";

#if HAVE_SECURE_GETENV && HAVE_DECL_SECURE_GETENV
const char *secm_os_conf(void)
{
	return secure_getenv(name);
}
#elif HAVE_ISSETUGID && HAVE_DECL_ISSETUGID
const char *secm_os_conf(void)
{
	return issetugid() ? NULL : getenv(name);
}
#else
const char *secm_os_conf(void)
{
	if (getuid() != geteuid() || getgid() != getegid())
		return NULL;
	return getenv(name);
}
#endif
