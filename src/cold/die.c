/* SPDX-License-Identifier: MIT */
/*
 * die.c - one line, then SIGABRT
 *
 * Callers: whoever finds corruption or misuse.  Takes no lock, allocates
 * nothing, and returns to nobody.  The one file of this library that includes a
 * header of the system.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cold.h"

void secm_cold_die(const char *line)
{
	size_t len = strlen(line);
	ssize_t n;

	while (len > 0) {
		n = write(STDERR_FILENO, line, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* nobody to tell */
		line += n;
		len -= (size_t)n;
	}
	abort();
}
