/* SPDX-License-Identifier: MIT */
/*
 * table.c - which threads read and write which keys
 *
 * Callers: turn.c, turns.c, holder.c.  State under secm_turn_lock.
 *
 * Everything is out of band and by address:
 *
 *	bucket -> turn -> turn -> ..     keys that are open or waited for
 *	           |-> share             a thread reads or writes it, so often
 *	           |-> share
 *
 * D1  There is a turn for a key only as long as it has shares, is waited for or
 *     torn.
 * D2  Shares that are in force all read, at most one for each thread, or there is
 *     a single one, which writes.
 * D3  Lost ones are not in force: they are what the forking thread had in the
 *     parent, and only wait to be ended.
 * D4  Descriptors are recycled, never freed.
 * D5  A key is torn where another thread of the parent wrote it when this child
 *     was made: it may have half of each, and is not read before it is written.
 */
#include "table.h"

#include <errno.h>

#include "meta.h"
#include "turn.h"

struct secm_turn *secm_turn_table[SECM_TURN_BUCKETS];
static struct secm_turn *spare_turns;
static struct secm_share *spare_shares;
static pthread_cond_t changed[SECM_TURN_BUCKETS]; /* valid once can_wait */
static int can_wait;

static unsigned bucket_of(const void *p)
{
	uint64_t hash = (uint64_t)(uintptr_t)p * 0x9e3779b97f4a7c15u;

	return (unsigned)(hash >> (64 - SECM_TURN_BITS));
}

struct secm_turn **secm_turn_find(const void *p)
{
	struct secm_turn **link = &secm_turn_table[bucket_of(p)];

	while (*link && (*link)->p != p)
		link = &(*link)->next;
	return link;
}

struct secm_share **secm_turn_share(struct secm_turn *t,
				    const struct secm_holder *who, int write)
{
	struct secm_share **link, **found = NULL;

	for (link = &t->shares; *link; link = &(*link)->next)
		if ((*link)->who == who && (*link)->write == write &&
		    (!found || (*found)->lost))
			found = link;
	return found;
}

const struct secm_share *secm_turn_in_force(const struct secm_turn *t)
{
	const struct secm_share *s = t->shares;

	while (s && s->lost)
		s = s->next;
	return s; /* D2 */
}

void *secm_turn_memory(size_t size)
{
	void *p;

	secm_lock(&secm_heap_lock);
	secm_heap_probe();
	p = secm_meta_alloc(size);
	secm_unlock(&secm_heap_lock);
	return p;
}

struct secm_turn *secm_turn_make(const void *p)
{
	struct secm_turn **link = &secm_turn_table[bucket_of(p)];
	struct secm_turn *t = spare_turns;

	if (t)
		spare_turns = t->next;
	else
		t = secm_turn_memory(sizeof(*t));
	if (!t)
		return NULL;
	t->p = p;
	t->shares = NULL;
	t->waiting[0] = t->waiting[1] = t->admitted = 0;
	t->torn = 0;
	t->next = *link;
	*link = t;
	return t;
}

struct secm_share *secm_turn_make_share(struct secm_holder *who, int write)
{
	struct secm_share *s = spare_shares;

	if (s)
		spare_shares = s->next;
	else
		s = secm_turn_memory(sizeof(*s));
	if (!s)
		return NULL;
	s->who = who;
	s->count = 1;
	s->write = write;
	s->lost = 0;
	return s;
}

void secm_turn_put_share(struct secm_turn *t, struct secm_share *s)
{
	s->next = t->shares;
	t->shares = s;
	s->who->open++;
}

void secm_turn_spare_share(struct secm_share *s)
{
	s->next = spare_shares;
	spare_shares = s;
}

void secm_turn_drop_share(struct secm_turn *t, struct secm_share **link)
{
	struct secm_share *s = *link;

	*link = s->next;
	if (!s->lost) {
		s->who->open--;
		if (s->write)
			t->admitted = t->waiting[0];
	}
	secm_turn_spare_share(s);
	if ((t->waiting[0] || t->waiting[1]) &&
	    pthread_cond_broadcast(&changed[bucket_of(t->p)]) != 0)
		secm_die(SECM_DIE_LOCK);
}

void secm_turn_drop_if_over(struct secm_turn **link)
{
	struct secm_turn *t = *link;

	if (t->shares || t->waiting[0] || t->waiting[1] || t->torn)
		return; /* D1 */
	*link = t->next;
	t->next = spare_turns;
	spare_turns = t;
}

void secm_turn_wait(const struct secm_turn *t)
{
	secm_lock_sleep(&secm_turn_lock, &changed[bucket_of(t->p)]);
}

int secm_turn_ready(void)
{
	unsigned i;

	for (i = 0; i < SECM_TURN_BUCKETS && !can_wait; i++)
		if (pthread_cond_init(&changed[i], NULL) != 0)
			return -ENOMEM;
	can_wait = 1;
	return 0;
}

void secm_turn_forget_waiters(void)
{
	can_wait = 0; /* made anew: those of before know of other threads */
}
