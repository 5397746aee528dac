/* SPDX-License-Identifier: MIT */
/*
 * t_forking.c - threads that begin to use something while another forks
 *
 * Of the handlers that are there when fork(2) begins the last one is called first:
 * that is ours, and lets the threads go.
 */
#include "t_forking.h"

#include <pthread.h>
#include <sched.h>

#include "ksft.h"

enum { THREADS = 4, ENOUGH = 2 * THREADS };

static pthread_t thread[THREADS];
static int go, stop, uses;
static void (*use)(void);

static void *use_it(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		(void)sched_yield();
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		use();
		__atomic_add_fetch(&uses, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void prepare(void)
{
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&uses, __ATOMIC_ACQUIRE) < ENOUGH)
		(void)sched_yield();
}

void t_forking_begin(void (*fn)(void))
{
	int i;

	use = fn;
	ASSERT_EQ(0, pthread_atfork(prepare, NULL, NULL));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, use_it, NULL));
}

void t_forking_end(void)
{
	int i;

	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
}
