/* SPDX-License-Identifier: MIT */
/*
 * t_way.c - the ways to a small object, and other threads that take them
 *
 * See t_way.h.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "t_way.h"

#include <pthread.h>
#include <stdlib.h>

#include "cache.h"
#include "ksft.h"

enum { THREADS = 64, MOST = 3000 };

int t_begin_way(const struct t_tier *tier, enum t_way way,
		const struct secmalloc_config *config)
{
	struct t_tier t = *tier;
	int error;

	if (way == T_SLOW)
		t.flags |= SECMALLOC_NO_CACHES;
	error = t_begin(&t, config);
	if (way == T_OTHER)
		secm_os.barrier = 0;
	if (error == 0)
		secfree(secmalloc(1)); /* the first one makes a cache */
	return error;
}

int t_goes(enum t_way way)
{
	int open = secm_cache_self()->open;

	if (!SECM_ATOMICS || way == T_SLOW)
		return secm_cache_self() == &secm_no_cache;
	if (secm_default_heap.policy.config.sample)
		return open == SECM_OPEN_OTHER;
	return open == (secm_os.barrier ? SECM_OPEN_QUICK : SECM_OPEN_OTHER);
}

struct call {
	void (*one)(void *arg);
	void (*many)(void *arg, unsigned i);
	void *arg;
	unsigned i, n;
	unsigned *there; /* threads that are ready */
};

static void *run(void *p)
{
	struct call *c = p;
	volatile unsigned spin;

	if (c->one) {
		c->one(c->arg);
		return NULL;
	}
	(void)__atomic_fetch_add(c->there, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(c->there, __ATOMIC_ACQUIRE) < c->n)
		secm_os_yield(); /* there may be but one processor */
	for (spin = 0; spin < c->i; spin++)
		;
	c->many(c->arg, c->i);
	return NULL;
}

void t_in_thread(void (*call)(void *arg), void *arg)
{
	struct call c = { .one = call, .arg = arg };
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, &c) != 0 ||
	    pthread_join(thread, NULL) != 0)
		abort();
}

void t_free_in_thread(void *p)
{
	t_in_thread(secfree, p);
}

char *t_get(size_t size)
{
	char *p = secmalloc(size);

	ASSERT_NOT_NULL(p);
	memset(p, 0x5a, size);
	return p;
}

static void get_in_thread(void *arg)
{
	char **p = arg;

	*p = t_get((size_t)*p);
}

char *t_foreign(size_t size)
{
	char *p = (char *)size;

	t_in_thread(get_in_thread, &p);
	return p;
}

char *t_with_company(size_t size)
{
	char *p = t_get(size);

	ASSERT_NE(p, t_get(size));
	return p;
}

void t_hand_out_all(size_t size)
{
	int i;

	for (i = 0; i < MOST; i++)
		if (!secmalloc(size))
			break;
}

void t_at_once(unsigned n, void (*call)(void *arg, unsigned i), void *arg)
{
	struct call c[THREADS];
	pthread_t thread[THREADS];
	unsigned there = 0, i;

	for (i = 0; i < n; i++) {
		c[i].one = NULL;
		c[i].many = call;
		c[i].arg = arg;
		c[i].i = i;
		c[i].n = n;
		c[i].there = &there;
		if (pthread_create(&thread[i], NULL, run, &c[i]) != 0)
			abort();
	}
	for (i = 0; i < n; i++)
		if (pthread_join(thread[i], NULL) != 0)
			abort();
}
