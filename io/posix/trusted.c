/* SPDX-License-Identifier: MIT */
/*
 * trusted.c - variables that no stranger has set
 *
 * Called by io/credential.c.  No state.
 *
 * A program that was started with rights its caller lacks is told apart by what
 * the system offers for that; else by its ids, as long as it has left them
 * unequal.
 */
#include "io.h"

#include <stdlib.h>
#include <unistd.h>

#if HAVE_SECURE_GETENV && HAVE_DECL_SECURE_GETENV
const char *secm_io_os_trusted_env(const char *name)
{
	return secure_getenv(name);
}
#elif HAVE_ISSETUGID && HAVE_DECL_ISSETUGID
const char *secm_io_os_trusted_env(const char *name)
{
	return issetugid() ? NULL : getenv(name);
}
#else
const char *secm_io_os_trusted_env(const char *name)
{
	int same = getuid() == geteuid() && getgid() == getegid();

	return same ? getenv(name) : NULL;
}
#endif
