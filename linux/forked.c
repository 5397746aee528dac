/* SPDX-License-Identifier: MIT */
/*
 * forked.c - how a child is told apart from its parent
 *
 * Callers: the core's fork.c, through os.h.  No state.
 */
#include "linux.h"

#include <pthread.h>

#include "uapi.h"

int secm_os_zero_on_fork(void *at, size_t len)
{
	if (!(secm_anon_props() & SECM_FORK_ZERO))
		return -ENOTSUP;
	return madvise(at, len, MADV_WIPEONFORK) == 0 ? 0 : -ENOTSUP;
}

/* Either of them does nothing where it has nothing to undo. */
int secm_os_inherit(void *at, size_t len)
{
	int shared = madvise(at, len, MADV_DOFORK) == 0;
	int kept = madvise(at, len, MADV_KEEPONFORK) == 0;

	return shared || kept ? 0 : -ENOTSUP;
}

int secm_os_at_fork(void (*prepare)(void), void (*parent)(void),
		    void (*child)(void))
{
	return pthread_atfork(prepare, parent, child) == 0 ? 0 : -ENOMEM;
}
