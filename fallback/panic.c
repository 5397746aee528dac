/* SPDX-License-Identifier: MIT */
/*
 * panic.c - the last line of a process
 *
 * Called by die.c when an attack is detected, and here when a system call
 * answers what cannot be.  Lock: none; calls nothing that is not
 * async-signal-safe.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "os.h"

void secm_os_panic(const char *line)
{
	size_t len = strlen(line);

	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* nobody reads it: dying matters more */
		line += n;
		len -= (size_t)n;
	}
	abort();
}
