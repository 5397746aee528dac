/* SPDX-License-Identifier: MIT */
/*
 * turn.c - whose turn it is: many readers of a key, or one writer
 *
 * Callers: keyscope.c and secretkey.c.  Has a lock of its own; no handler or
 * logger of the program is called under it.
 *
 * Neither side starves.  Readers that come while a writer waits wait behind it;
 * when it has written, those that wait by then are admitted before the next
 * writer.  A thread that has a scope, of whatever key, does not stand behind a
 * writer that only waits: else two threads that read two keys in different
 * orders, and two writers, could wait for one another for ever.
 *
 * B1  At most as many readers are admitted as wait: else writers would wait for
 *     nobody.
 */
#include "turn.h"

#include <errno.h>

#include "table.h"

struct secm_lock secm_turn_lock = SECM_LOCK_INIT;

/* 1 if the thread may go ahead.  waits: it is one of those that wait. */
static int is_next(const struct secm_turn *t, const struct secm_holder *who,
		   int write, int waits)
{
	const struct secm_share *s = secm_turn_in_force(t);

	if (write)
		return !s && !t->admitted;
	return !(s && s->write) &&
	       (!t->waiting[1] || who->open || (waits && t->admitted));
}

static void wait_for(struct secm_turn *t, const struct secm_holder *who,
		     int write)
{
	t->waiting[write]++;
	do
		secm_turn_wait(t);
	while (!is_next(t, who, write, 1));
	t->waiting[write]--;
	if (!write && t->admitted)
		t->admitted--; /* B1 */
}

/* 1 if that was enough.  -EBUSY: it would wait for itself, and is not to. */
static int take_again(struct secm_turn *t, const struct secm_holder *who,
		      int write, int wait)
{
	struct secm_share **reads = secm_turn_share(t, who, 0);
	struct secm_share **writes = secm_turn_share(t, who, 1);
	int has_read = reads && !(*reads)->lost;
	int has_write = writes && !(*writes)->lost;

	if (!has_read && !has_write)
		return 0;
	if (has_read && !write) {
		(*reads)->count++;
		return 1;
	}
	if (wait)
		secm_die(SECM_DIE_SELF);
	return -EBUSY;
}

static int take(const void *p, struct secm_holder *who, int write, int wait)
{
	struct secm_turn *t = *secm_turn_find(p);
	struct secm_share *s;
	int r = t ? take_again(t, who, write, wait) : 0;

	if (r)
		return r;
	if (t && t->torn && !write && !secm_turn_in_force(t))
		return -EPERM;
	if (!wait && t && !is_next(t, who, write, 0))
		return -EBUSY;
	s = secm_turn_make_share(who, write);
	if (!s)
		return -ENOMEM;
	if (!t)
		t = secm_turn_make(p);
	if (!t) {
		secm_turn_spare_share(s);
		return -ENOMEM;
	}
	if (!is_next(t, who, write, 0))
		wait_for(t, who, write);
	secm_turn_put_share(t, s);
	return 0;
}

int secm_turn_take(const void *p, int write, int wait)
{
	struct secm_holder *who = secm_holder_get();
	int r;

	if (!who)
		return -ENOMEM;
	secm_lock(&secm_turn_lock);
	if (secm_lock_is_kept(&secm_turn_lock))
		wait = 0; /* all others stand still while this one forks */
	r = secm_turn_ready();
	if (r == 0)
		r = take(p, who, write, wait);
	secm_unlock(&secm_turn_lock);
	return r;
}

int secm_turn_last(const void *p, int write)
{
	const struct secm_holder *who = secm_holder_self();
	struct secm_share **link = NULL;
	struct secm_turn *t;
	int last;

	secm_lock(&secm_turn_lock);
	t = *secm_turn_find(p);
	if (t && who)
		link = secm_turn_share(t, who, write);
	if (!link)
		secm_die(SECM_DIE_SCOPE);
	last = (*link)->count == 1;
	if (!last)
		(*link)->count--;
	if (write && !(*link)->lost)
		t->torn = 0;
	secm_unlock(&secm_turn_lock);
	return last;
}

void secm_turn_give(const void *p, const struct secm_holder *who, int write)
{
	struct secm_share **link = NULL;
	struct secm_turn **at;

	secm_lock(&secm_turn_lock);
	at = secm_turn_find(p);
	if (*at)
		link = secm_turn_share(*at, who, write);
	if (!link)
		secm_die(SECM_DIE_META);
	secm_turn_drop_share(*at, link);
	secm_turn_drop_if_over(at);
	secm_unlock(&secm_turn_lock);
}

void secm_turn_leave(const void *p)
{
	struct secm_turn **at;

	secm_lock(&secm_turn_lock);
	at = secm_turn_find(p);
	if (*at) {
		if (secm_turn_in_force(*at) || (*at)->waiting[0] ||
		    (*at)->waiting[1])
			secm_die(SECM_DIE_SCOPE_FREE);
		while ((*at)->shares)
			secm_turn_drop_share(*at, &(*at)->shares);
		(*at)->torn = 0;
		secm_turn_drop_if_over(at);
	}
	secm_unlock(&secm_turn_lock);
}
