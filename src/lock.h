/* SPDX-License-Identifier: MIT */
/*
 * lock.h - a mutex that a forking thread may keep
 *
 * Between the fork handlers prepare and parent or child the lock is held by
 * the thread that forks.  Handlers of others run in that window too, and those
 * may allocate: for that thread the lock is open.  Everywhere else a second
 * lock by the same thread waits for ever, as it should (a signal handler).  So
 * that a handler may fork all the same, each thread counts the locks that it
 * has, from just before it tries until just after it has let go.
 *
 * The thread cannot be cancelled meanwhile: what we ask of the system opens and
 * reads files at times, and these are cancellation points.
 *
 * A failing mutex call means that memory is corrupt or the program is wrong in
 * a way that leaves nothing to rely on, so it ends the process.
 */
#ifndef SECM_LOCK_H
#define SECM_LOCK_H

#include <pthread.h>

#include "annotate.h"
#include "die.h"

struct secm_lock {
	pthread_mutex_t mutex;
	int cancel; /* of the thread that has it */
	int held;   /* read without the mutex, as is forking */
	int forking;
	pthread_t forker; /* valid for that thread while forking */
};

#define SECM_LOCK_INIT                             \
	{                                          \
		.mutex = PTHREAD_MUTEX_INITIALIZER \
	}

static inline int secm_lock_is_kept(struct secm_lock *lock)
{
	return SECM_UNLIKELY(secm_load(&lock->forking)) &&
	       pthread_equal(lock->forker, pthread_self());
}

#ifdef SECM_THREAD
extern SECM_LOCAL SECM_THREAD int secm_locks;

static inline void secm_lock_count(int by)
{
	secm_store(&secm_locks, secm_locks + by);
}

/* 1 if the calling thread has a lock, or nearly: this is a signal handler. */
static inline int secm_lock_interrupted(void)
{
	return secm_locks > 0;
}
#else
static inline void secm_lock_count(int by)
{
	(void)by;
}

static inline int secm_lock_interrupted(void)
{
	return 0; /* what can be asked in a handler does not know */
}
#endif

/* Waits for the mutex: as pthread_mutex_lock(). */
int secm_lock_wait(struct secm_lock *lock) SECM_CHECK;

static inline void secm_lock(struct secm_lock *lock)
{
	int cancel;

	if (secm_lock_is_kept(lock)) {
		secm_annotate_enter();
		return;
	}
	secm_lock_count(1);
	if (pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel) != 0 ||
	    secm_lock_wait(lock) != 0)
		secm_die(SECM_DIE_LOCK);
	secm_store(&lock->held, 1);
	lock->cancel = cancel;
	secm_annotate_enter();
}

static inline void secm_unlock(struct secm_lock *lock)
{
	int cancel;

	secm_annotate_leave();
	if (secm_lock_is_kept(lock))
		return;
	cancel = lock->cancel;
	secm_store(&lock->held, 0);
	if (pthread_mutex_unlock(&lock->mutex) != 0)
		secm_die(SECM_DIE_LOCK);
	secm_lock_count(-1);
	if (pthread_setcancelstate(cancel, NULL) != 0)
		secm_die(SECM_DIE_LOCK);
}

/* Lets go of the lock until another thread says that something changed.  Not
 * while it is kept. */
static inline void secm_lock_sleep(struct secm_lock *lock,
				   pthread_cond_t *changed)
{
	int cancel = lock->cancel;

	secm_store(&lock->held, 0);
	secm_lock_count(-1); /* a handler that runs now may take it */
	if (pthread_cond_wait(changed, &lock->mutex) != 0)
		secm_die(SECM_DIE_LOCK);
	secm_lock_count(1);
	secm_store(&lock->held, 1);
	lock->cancel = cancel; /* others have had it */
}

static inline void secm_lock_keep(struct secm_lock *lock)
{
	secm_lock(lock);
	lock->forker = pthread_self();
	secm_store(&lock->forking, 1);
}

static inline void secm_lock_let_go(struct secm_lock *lock)
{
	secm_store(&lock->forking, 0);
	secm_unlock(lock);
}

#endif /* SECM_LOCK_H */
