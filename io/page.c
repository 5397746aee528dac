/* SPDX-License-Identifier: MIT */
/*
 * page.c - sizes in whole pages
 *
 * Lock: none.
 */
#include "io.h"

#include <unistd.h>

size_t secm_io_pages(size_t size)
{
	const long page = sysconf(_SC_PAGESIZE);
	const size_t mask = (page > 0 ? (size_t)page : 4096) - 1;

	return (size + mask) & ~mask;
}
