/* SPDX-License-Identifier: MIT */
/*
 * trusted.c - variables that no stranger has set
 *
 * Called by io/credential.c.  No state.
 */
#include "io.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/auxv.h>

/* What the kernel says about the program holds from its start on, whatever it
 * has done with its ids since.  A kernel that says nothing is not trusted. */
const char *secm_io_os_trusted_env(const char *name)
{
	unsigned long gained;

	errno = 0;
	gained = getauxval(AT_SECURE);
	return gained || errno == ENOENT ? NULL : getenv(name);
}
