/* SPDX-License-Identifier: MIT */
/*
 * observe.c - asking the system what holds
 *
 * POSIX has no call that tells whether a page is locked or left out of dumps,
 * so this backend never confirms anything.  Called by report.c.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>

#include "os.h"

int secm_os_observe(secm_os_see *see, void *arg)
{
	(void)see; /* there is nothing to see */
	(void)arg;
	return -ENOTSUP;
}
