/* SPDX-License-Identifier: MIT */
/*
 * turns.c - all turns at once: heaps that go, threads that end, children
 *
 * Callers: heaps.c and api.c before they empty heaps, holder.c, fork.c.
 *
 * F1  secm_turn_lock comes before the heap's lock, around fork too.
 */
#include "turn.h"

#include "index.h"
#include "secmalloc.h"
#include "table.h"

/* Which shares of which turns; of no share: whether they are torn. */
typedef int chooses(const struct secm_turn *t, const struct secm_share *s,
		    const void *arg);

/* Those that are chosen are over. */
static void drop_all(chooses *which, const void *arg)
{
	struct secm_turn **at;
	struct secm_share **link;
	struct secm_turn *t;
	unsigned i;

	for (i = 0; i < SECM_TURN_BUCKETS; i++) {
		for (at = &secm_turn_table[i]; (t = *at);) {
			for (link = &t->shares; *link;)
				if (which(t, *link, arg))
					secm_turn_drop_share(t, link);
				else
					link = &(*link)->next;
			if (t->torn && which(t, NULL, arg))
				t->torn = 0;
			secm_turn_drop_if_over(at);
			if (*at == t)
				at = &t->next;
		}
	}
}

static int is_in_heap(const struct secm_turn *t, const struct secm_share *s,
		      const void *heap)
{
	(void)s;
	return !heap || secm_heap_of(t->p) == heap;
}

void secm_turns_forget(const struct secm_heap *heap)
{
	secm_lock(&secm_turn_lock);
	drop_all(is_in_heap, heap);
	secm_unlock(&secm_turn_lock);
}

/* A share of that thread, whichever: its key, or NULL if it has none. */
static const void *any_of(const struct secm_holder *who, int *write)
{
	const struct secm_share *s;
	const struct secm_turn *t;
	unsigned i;

	for (i = 0; i < SECM_TURN_BUCKETS; i++)
		for (t = secm_turn_table[i]; t; t = t->next)
			for (s = t->shares; s; s = s->next)
				if (s->who == who) {
					*write = s->write;
					return t->p;
				}
	return NULL;
}

void secm_turns_end(const struct secm_holder *who)
{
	const void *p;
	int write;

	do {
		secm_lock(&secm_turn_lock);
		p = any_of(who, &write);
		secm_unlock(&secm_turn_lock);
		if (p) {
			secmalloc_end(p, write ? SECMALLOC_READWRITE
					       : SECMALLOC_READONLY);
			secm_turn_give(p, who, write);
		}
	} while (p);
}

void secm_turns_prepare(void)
{
	secm_lock_keep(&secm_turn_lock);
}

void secm_turns_parent(void)
{
	if (secm_lock_is_kept(&secm_turn_lock))
		secm_lock_let_go(&secm_turn_lock);
}

static int is_of_another(const struct secm_turn *t, const struct secm_share *s,
			 const void *self)
{
	(void)t;
	return s && s->who != self;
}

static void lose_all(const struct secm_holder *self)
{
	struct secm_share *s;
	struct secm_turn *t;
	unsigned i;

	for (i = 0; i < SECM_TURN_BUCKETS; i++)
		for (t = secm_turn_table[i]; t; t = t->next) {
			t->waiting[0] = t->waiting[1] = t->admitted = 0;
			for (s = t->shares; s; s = s->next) {
				t->torn |= s->write && s->who != self;
				s->lost = 1;
			}
		}
}

void secm_turns_child(void)
{
	if (!secm_lock_is_kept(&secm_turn_lock))
		return;
	lose_all(secm_holder_self());
	drop_all(is_of_another, secm_holder_self());
	secm_holders_forked();
	secm_turn_forget_waiters();
	secm_lock_let_go(&secm_turn_lock);
}
