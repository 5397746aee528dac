/* SPDX-License-Identifier: MIT */
/*
 * error.c - the allow-list of errors
 *
 * Callers: the files that have public functions.  No state.
 */
#include "error.h"

#include <errno.h>

int secm_error_filter(int r)
{
	switch (r) {
	case 0:
	case -EALREADY:
	case -EINVAL:
	case -ENOTSUP:
	case -EPERM:
	case -EIO:
	case -ENOENT:
	case -EBUSY:
		return -r;
	default:
		return ENOMEM;
	}
}

int secm_error(int r)
{
	if (r == 0)
		return 0;
	errno = secm_error_filter(r);
	return -1;
}
