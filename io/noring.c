/* SPDX-License-Identifier: MIT */
/*
 * noring.c - in place of ring.c where there is no liburing
 *
 * Called by files.c.  Lock: none.
 */
#include "io.h"

#include <errno.h>

int secm_io_ring(struct secmalloc_loaded *files, size_t n,
		 const struct secmalloc_load_options *options, int **kept)
{
	*kept = NULL;
	(void)files;
	(void)n;
	(void)options;
	return -ENOSYS;
}
