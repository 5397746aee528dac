/* SPDX-License-Identifier: MIT */
/*
 * lock.c - the one lock, also around fork(2)
 *
 * The thread that forks has the lock from its prepare handler on; handlers of
 * others that run in between may call us, and for that thread the lock is open.
 * Nobody is cancelled while holding it.
 *
 * Our handlers are registered after those of libsecmalloc, whose constructor runs
 * before ours: then our prepare handler runs before theirs, and the two locks are
 * taken in their order.
 */
#include <errno.h>
#include <pthread.h>

#include "cold.h"

static struct {
	pthread_mutex_t mutex;
	int cancel;	  /* of the thread that has it */
	int forking;	  /* read without the mutex */
	pthread_t forker; /* valid for that thread while forking */
} lock = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int registered; /* read without the mutex */

static int is_kept(void)
{
	return secm_load(&lock.forking) &&
	       pthread_equal(lock.forker, pthread_self());
}

void secm_cold_lock(void)
{
	int cancel;

	if (is_kept())
		return;
	if (pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel) != 0 ||
	    pthread_mutex_lock(&lock.mutex) != 0)
		secm_cold_die(SECM_COLD_DIE_LOCK);
	lock.cancel = cancel;
}

void secm_cold_unlock(void)
{
	int cancel;

	if (is_kept())
		return;
	cancel = lock.cancel;
	if (pthread_mutex_unlock(&lock.mutex) != 0 ||
	    pthread_setcancelstate(cancel, NULL) != 0)
		secm_cold_die(SECM_COLD_DIE_LOCK);
}

static void prepare(void)
{
	secm_cold_lock();
	lock.forker = pthread_self();
	secm_store(&lock.forking, 1);
}

static void parent(void)
{
	secm_store(&lock.forking, 0);
	secm_cold_unlock();
}

static void child(void)
{
	secm_cold.forks++;
	parent();
}

static void set_up(void)
{
	secm_store(&registered, pthread_atfork(prepare, parent, child) == 0);
}

/* Not at the first use: a fork(2) that has begun by then does not ask those who
 * come later, and a child could find the lock taken, for ever. */
SECM_CONSTRUCTOR static void at_load(void)
{
	(void)pthread_once(&once, set_up);
}

int secm_cold_lock_setup(void)
{
	if (pthread_once(&once, set_up) != 0 || !secm_cold_is_set_up())
		return -ENOMEM;
	return 0;
}

int secm_cold_is_set_up(void)
{
	return secm_load(&registered);
}
