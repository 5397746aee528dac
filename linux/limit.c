/* SPDX-License-Identifier: MIT */
/*
 * limit.c - RLIMIT_MEMLOCK: how much may be locked
 *
 * Callers: the core's policy and report, through os.h.  No state.
 */
#include "linux.h"

#include <sys/resource.h>

static size_t bytes(rlim_t limit)
{
	if (limit == RLIM_INFINITY || limit > SIZE_MAX)
		return SIZE_MAX;
	return (size_t)limit;
}

void secm_os_lock_limit(size_t *soft, size_t *hard)
{
	struct rlimit r;

	*soft = *hard = SIZE_MAX;
	if (getrlimit(RLIMIT_MEMLOCK, &r) != 0)
		return;
	*soft = bytes(r.rlim_cur);
	*hard = bytes(r.rlim_max);
}

int secm_os_raise_lock_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_MEMLOCK, &r) != 0 || r.rlim_cur == r.rlim_max)
		return 0;
	r.rlim_cur = r.rlim_max;
	return setrlimit(RLIMIT_MEMLOCK, &r) == 0;
}
