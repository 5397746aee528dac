/* SPDX-License-Identifier: MIT */
/*
 * random.c - secret random bytes: getrandom(2)
 *
 * Callers: the core, through os.h.  No state.
 */
#include "linux.h"

#include <sys/random.h>

int secm_os_random(void *buf, size_t len)
{
	char *p = buf;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
