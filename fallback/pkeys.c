/* SPDX-License-Identifier: MIT */
/*
 * pkeys.c - no system that this backend is for has protection keys
 *
 * Callers: the core, through os.h.  No state.
 */
#include <errno.h>

#include "os.h"

int secm_os_key_new(void)
{
	return -ENOTSUP;
}

int secm_os_key_pages(void *at, size_t len, unsigned key)
{
	(void)at;
	(void)len;
	(void)key;
	return -ENOMEM;
}

uint32_t secm_os_rights(uint32_t mask, uint32_t bits)
{
	(void)mask;
	(void)bits;
	return 0;
}
