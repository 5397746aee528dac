/* SPDX-License-Identifier: MIT */
/*
 * util.c - public helpers that need no heap
 *
 * No state and no lock.
 */
#include <errno.h>
#include <string.h>

#include "error.h"
#include "os.h"
#include "secmalloc.h"
#include "wipe.h"

enum {
	HARDEN_ALL = SECM_HARDEN_NO_CORE | SECM_HARDEN_NOT_DUMPABLE |
		     SECM_HARDEN_NO_NEW_PRIVS | SECM_HARDEN_NO_WRITE_EXEC |
		     SECM_HARDEN_NO_TRACE
};

SECM_STATIC_ASSERT(SECMALLOC_HARDEN_NO_CORE == SECM_HARDEN_NO_CORE);
SECM_STATIC_ASSERT(SECMALLOC_HARDEN_NOT_DUMPABLE == SECM_HARDEN_NOT_DUMPABLE);
SECM_STATIC_ASSERT(SECMALLOC_HARDEN_NO_NEW_PRIVS == SECM_HARDEN_NO_NEW_PRIVS);
SECM_STATIC_ASSERT(SECMALLOC_HARDEN_NO_WRITE_EXEC == SECM_HARDEN_NO_WRITE_EXEC);
SECM_STATIC_ASSERT(SECMALLOC_HARDEN_NO_TRACE == SECM_HARDEN_NO_TRACE);

SECM_API void secmalloc_wipe(void *p, size_t size)
{
	secm_wipe(p, size);
}

SECM_API int secmalloc_equal(const void *a, const void *b, size_t size)
{
	return secm_equal(a, b, size);
}

SECM_API int secmalloc_random(void *p, size_t size)
{
	int saved = errno;

	if (size > 0 && secm_error(secm_os_random(p, size)) != 0)
		return -1;
	errno = saved;
	return 0;
}

SECM_API int secmalloc_harden(unsigned want, unsigned *got)
{
	unsigned have = 0;
	int saved = errno;

	if (want & ~(unsigned)HARDEN_ALL)
		return secm_error(-EINVAL);
	secm_os_harden(want, &have);
	if (got)
		*got = have;
	if (have != want)
		return secm_error(-ENOTSUP);
	errno = saved;
	return 0;
}

SECM_API const char *secmalloc_version(void)
{
	return SECMALLOC_VERSION_STRING;
}

SECM_API int secmalloc_fact(unsigned n, struct secmalloc_fact *fact)
{
	int saved = errno;

	if (!fact || fact->size != sizeof(*fact))
		return secm_error(-EINVAL);
	memset(fact, 0, sizeof(*fact));
	fact->size = sizeof(*fact);
	if (!secm_os_fact(n, fact))
		return secm_error(-ENOENT);
	errno = saved;
	return 0;
}
