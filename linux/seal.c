/* SPDX-License-Identifier: MIT */
/*
 * seal.c - mseal(2): mappings that stay as they are
 *
 * Callers: the core, through os.h, one at a time; probe.c and facts.c.  State:
 * whether the call works.  Without a filter that is found out when it is first
 * wanted: tools that know no such call complain about it, and then the core does
 * not want it.
 */
#include "linux.h"

#include "uapi.h"

static enum secm_seal state;

/* Nothing is sealed, but the kernel says whether it could be. */
int secm_seal_try(void)
{
	return syscall(SYS_mseal, NULL, (size_t)0, 0ul) == 0 ? 0 : errno;
}

int secm_seal_errno(void)
{
	return secm_seccomp_ask(secm_seal_try);
}

void secm_seal_init(enum secm_seal how)
{
	state = how;
}

/* A filter that has come since the start may end the process for asking. */
static int works(void)
{
	if (secm_seccomp_changed())
		return 0;
	if (state == SECM_SEAL_ASK)
		state = secm_seal_try() == 0 ? SECM_SEAL_WORKS
					     : SECM_SEAL_MISSING;
	return state == SECM_SEAL_WORKS;
}

int secm_os_seal(void *at, size_t len)
{
	if (!works())
		return -ENOTSUP;
	if (syscall(SYS_mseal, at, len, 0ul) == 0)
		return 0;
	if (errno == EINVAL)
		secm_os_panic("secmalloc: mseal failed on own memory\n");
	return errno == ENOMEM ? -ENOMEM : -ENOTSUP;
}
