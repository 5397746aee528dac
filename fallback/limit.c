/* SPDX-License-Identifier: MIT */
/*
 * limit.c - how many bytes may be locked
 *
 * RLIMIT_MEMLOCK is not in POSIX; where configure did not find it the limit is
 * unknown, which is what SIZE_MAX says.  Called by policy.c and facts.c.
 * Lock: none.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdint.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "os.h"

#if HAVE_DECL_RLIMIT_MEMLOCK
/* An unlimited or unreadable limit: both RLIM_INFINITY. */
static void get(struct rlimit *limit)
{
	if (getrlimit(RLIMIT_MEMLOCK, limit) == 0)
		return;
	limit->rlim_cur = RLIM_INFINITY;
	limit->rlim_max = RLIM_INFINITY;
}

static int set(const struct rlimit *limit)
{
	return setrlimit(RLIMIT_MEMLOCK, limit);
}
#else
static void get(struct rlimit *limit)
{
	limit->rlim_cur = RLIM_INFINITY;
	limit->rlim_max = RLIM_INFINITY;
}

/* Never called: an unknown limit is not below itself. */
static int set(const struct rlimit *limit)
{
	(void)limit;
	return -1;
}
#endif

/* rlim_t can be wider than size_t. */
static size_t bytes(rlim_t limit)
{
	if (limit == RLIM_INFINITY || limit >= SIZE_MAX)
		return SIZE_MAX;
	return (size_t)limit;
}

void secm_os_lock_limit(size_t *soft, size_t *hard)
{
	struct rlimit limit;

	get(&limit);
	*soft = bytes(limit.rlim_cur);
	*hard = bytes(limit.rlim_max);
}

int secm_os_raise_lock_limit(void)
{
	struct rlimit limit;

	get(&limit);
	if (bytes(limit.rlim_cur) >= bytes(limit.rlim_max))
		return 0;
	limit.rlim_cur = limit.rlim_max;
	return set(&limit) == 0;
}
