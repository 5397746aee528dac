/* SPDX-License-Identifier: MIT */
/*
 * access.c - who may touch pages: mprotect, and metadata out of dumps
 *
 * Callers: the core, through os.h.  No state.
 */
#include "linux.h"

#include "uapi.h"

int secm_os_access(void *at, size_t len, enum secm_access to)
{
	static const int prot[] = {
		[SECM_NONE] = PROT_NONE,
		[SECM_READ] = PROT_READ,
		[SECM_READWRITE] = PROT_READ | PROT_WRITE,
	};

	if (mprotect(at, len, prot[to]) == 0)
		return 0;
	if (errno == EINVAL || errno == EFAULT)
		secm_os_panic("secmalloc: mprotect failed on own memory\n");
	return -ENOMEM;
}

void secm_os_nodump(void *at, size_t len)
{
	/* A refusal leaves metadata in the dump, which holds no secret. */
	(void)madvise(at, len, MADV_DONTDUMP);
}
