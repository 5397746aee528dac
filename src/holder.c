/* SPDX-License-Identifier: MIT */
/*
 * holder.c - threads that read and write keys
 *
 * Callers: turn.c; its lock covers the list here.
 *
 * A pthread_t may be that of a later thread once its own has ended; a holder is
 * given back only when its thread has ended and has no share any more, so it
 * stands for one thread as long as anything is noted for it.
 */
#include "holder.h"

#include <errno.h>

#include "fork.h"
#include "turn.h"

static pthread_key_t own; /* valid once own_made */
static int own_made;
static struct secm_holder *holders;

static void give_back(struct secm_holder *h)
{
	secm_lock(&secm_turn_lock);
	h->used = 0;
	secm_unlock(&secm_turn_lock);
}

/* Nobody could end its scopes any more: its keys would stay open, and others
 * wait for ever. */
static void thread_ends(void *arg)
{
	int saved = errno;

	if (secm_fork_stale())
		return;
	secm_turns_end(arg);
	give_back(arg);
	errno = saved;
}

static struct secm_holder *make(void)
{
	struct secm_holder *h = holders;

	if (!own_made && pthread_key_create(&own, thread_ends) != 0)
		return NULL;
	secm_store(&own_made, 1);
	while (h && h->used)
		h = h->next;
	if (!h) {
		h = secm_turn_memory(sizeof(*h));
		if (!h)
			return NULL;
		h->next = holders;
		holders = h;
	}
	h->used = 1;
	h->open = 0;
	return h;
}

struct secm_holder *secm_holder_self(void)
{
	return secm_load(&own_made) ? pthread_getspecific(own) : NULL;
}

/* The C library may allocate for the value, so that is done without a lock. */
struct secm_holder *secm_holder_get(void)
{
	struct secm_holder *h = secm_holder_self();

	if (h)
		return h;
	secm_lock(&secm_turn_lock);
	h = make();
	secm_unlock(&secm_turn_lock);
	if (!h || pthread_setspecific(own, h) == 0)
		return h;
	give_back(h);
	return NULL;
}

void secm_holders_forked(void)
{
	struct secm_holder *self = secm_holder_self(), *h;

	for (h = holders; h; h = h->next) {
		h->used = h == self;
		h->open = 0;
	}
}
