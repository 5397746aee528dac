/* SPDX-License-Identifier: MIT */
/*
 * access.c - none, read-only or read-write, and whether that stays so
 *
 * Called by the core for guarded objects and metadata.  Lock: none; the core
 * keeps two calls from working on one range.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <sys/mman.h>

#include "fallback.h"
#include "os.h"

static int protection(enum secm_access to)
{
	switch (to) {
	case SECM_READWRITE:
		return PROT_READ | PROT_WRITE;
	case SECM_READ:
		return PROT_READ;
	case SECM_NONE:
		break;
	}
	return PROT_NONE;
}

int secm_os_access(void *at, size_t len, enum secm_access to)
{
	if (mprotect(at, len, protection(to)) == 0)
		return 0;
	secm_posix_expect(errno);
	return -ENOMEM;
}

/* Of pages that children get as zeros OpenBSD says EPERM. */
int secm_os_seal(void *at, size_t len)
{
	int err = secm_extra_seal(at, len);

	secm_posix_expect(-err);
	return err == 0 || err == -ENOMEM ? err : -ENOTSUP;
}
