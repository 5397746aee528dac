/* SPDX-License-Identifier: MIT */
/*
 * forked.c - what fork(2) does to our pages, and what is done about it
 *
 * POSIX gives a child a copy of every page of this backend (they are all
 * private), without the locks.  Where minherit(2) can give it zeros instead,
 * secm_os_map() asks for that; elsewhere the core's fork handlers wipe.
 * Called by the core.  Lock: none.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "fallback.h"
#include "os.h"

int secm_os_at_fork(void (*prepare)(void), void (*parent)(void),
		    void (*child)(void))
{
	return pthread_atfork(prepare, parent, child) == 0 ? 0 : -ENOMEM;
}

int secm_os_zero_on_fork(void *at, size_t len)
{
	if (!(secm_posix.props & ~secm_posix.hide & SECM_FORK_ZERO))
		return -ENOTSUP;
	return secm_extra_inherit_zero(at, len) == 0 ? 0 : -ENOTSUP;
}

int secm_os_inherit(void *at, size_t len)
{
	if (!(secm_posix.props & SECM_FORK_ZERO))
		return 0; /* they do anyway */
	return secm_extra_inherit_copy(at, len) == 0 ? 0 : -ENOTSUP;
}

/*
 * A place without MAP_FIXED is only a wish: a system that cannot grant it
 * answers with another place, which is given back.
 */
int secm_os_reclaim(void *at, size_t len)
{
	void *got = secm_posix_space(at, len, 0, secm_posix.conceal);

	if (got == MAP_FAILED) {
		secm_posix_expect(errno);
		return -ENOMEM;
	}
	if (got == at)
		return 0;
	(void)munmap(got, len); /* ours, whole: cannot fail */
	return -EEXIST;
}
