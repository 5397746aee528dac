/* SPDX-License-Identifier: MIT */
/*
 * lock.c - wait for the lock
 *
 * Callers: lock.h.
 *
 * Most often the lock is held for less than a microsecond, and several times
 * as long is what it takes to sleep and to be woken.  So we look for a while
 * whether it is free, in a way that does not take its line of the processor's
 * cache from the thread that has it.
 */
#include "lock.h"

#ifdef SECM_THREAD
SECM_THREAD int secm_locks;
#endif

enum { LOOKS = 1000 }; /* about a microsecond */

int secm_lock_wait(struct secm_lock *lock)
{
	int n;

	for (n = 0; n < LOOKS; n++)
		if (!secm_load(&lock->held) &&
		    pthread_mutex_trylock(&lock->mutex) == 0)
			return 0;
	return pthread_mutex_lock(&lock->mutex);
}
