/* SPDX-License-Identifier: MIT */
/*
 * panic.c - the last words of a process
 *
 * Callers: die.c of the core, and this folder where the kernel refuses what
 * cannot be refused.  No state, no stdio, no allocation.
 */
#include "linux.h"

#include <stdlib.h>
#include <string.h>

void secm_os_panic(const char *line)
{
	size_t len = strlen(line);

	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* nobody to tell */
		line += n;
		len -= (size_t)n;
	}
	abort();
}
