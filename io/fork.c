/* SPDX-License-Identifier: MIT */
/*
 * fork.c - what a child shall not have, and the library's one lock
 *
 * Called by bounce.c and ring.c.  The lock is held for moments, and nothing of
 * libsecmalloc is called inside: so it makes no difference which of the two
 * libraries fork(2) asks first.  fork(2) waits for it, and the child closes what
 * is on the list.  A child that was made without fork handlers does not.
 */
#include "io.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int registered; /* what pthread_atfork() returned */
static struct secm_io_own *list;

static void prepare(void)
{
	(void)pthread_mutex_lock(&mutex);
}

static void parent(void)
{
	(void)pthread_mutex_unlock(&mutex);
}

static void child(void)
{
	for (; list; list = list->next)
		(void)close(list->fd);
	(void)pthread_mutex_unlock(&mutex);
}

static void set_up(void)
{
	registered = pthread_atfork(prepare, parent, child);
}

/* Not at the first use: a fork(2) that has begun by then does not ask those who
 * come later, and another thread's ring would be in the child. */
SECM_CONSTRUCTOR static void at_load(void)
{
	(void)pthread_once(&once, set_up);
}

int secm_io_lock(void)
{
	if (pthread_once(&once, set_up) != 0 || registered != 0 ||
	    pthread_mutex_lock(&mutex) != 0)
		return -ENOMEM;
	return 0;
}

void secm_io_unlock(void)
{
	(void)pthread_mutex_unlock(&mutex);
}

int secm_io_own_begin(struct secm_io_own *own, int (*fn)(void *), void *arg)
{
	int e = secm_io_lock();

	if (e < 0)
		return e;
	e = fn(arg);
	if (e == 0) {
		own->next = list;
		list = own;
	}
	secm_io_unlock();
	return e;
}

/* Its number may be another file's as soon as it is closed. */
void secm_io_own_end(struct secm_io_own *own, void (*fn)(void *), void *arg)
{
	const int locked = secm_io_lock() == 0;
	struct secm_io_own **at;

	for (at = &list; *at && *at != own; at = &(*at)->next)
		;
	if (*at)
		*at = own->next;
	fn(arg);
	if (locked)
		secm_io_unlock();
}
