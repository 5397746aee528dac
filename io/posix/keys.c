/* SPDX-License-Identifier: MIT */
/*
 * keys.c - keys that the kernel keeps: POSIX has none
 *
 * Called by io/keyring.c.
 */
#include "io.h"

#include <errno.h>

long secm_io_os_key_find(const char *type, const char *description)
{
	(void)type;
	(void)description;
	return -ENOTSUP;
}

long secm_io_os_key_read(long key, void *p, size_t size)
{
	(void)key;
	(void)p;
	(void)size;
	return -ENOTSUP;
}
