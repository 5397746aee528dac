/* SPDX-License-Identifier: MIT */
/*
 * threads.c - secrets that go from thread to thread, and what is kept meanwhile
 *
 * Each thread keeps some emptied objects for itself, so that threads do not
 * wait for one another.  An object may be freed by any thread.  The numbers
 * show how much is kept while the workers stand at a gate, and that a thread
 * that ends gives all of it back.
 */
#define _POSIX_C_SOURCE 200112L

#include <pthread.h>
#include <secmalloc.h>
#include <stdio.h>
#include <string.h>

enum { CANNOT = 77, WORKERS = 4, SESSIONS = 1000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static int waiting, open_gate;

/* What a worker leaves to the main thread. */
struct worker {
	pthread_t thread;
	char *ticket; /* NULL: it had no memory */
};

static void wait_at_gate(void)
{
	(void)pthread_mutex_lock(&lock);
	waiting++;
	(void)pthread_cond_broadcast(&change);
	while (!open_gate)
		(void)pthread_cond_wait(&change, &lock);
	(void)pthread_mutex_unlock(&lock);
}

static void wait_for_workers(void)
{
	(void)pthread_mutex_lock(&lock);
	while (waiting < WORKERS)
		(void)pthread_cond_wait(&change, &lock);
	(void)pthread_mutex_unlock(&lock);
}

static void open_the_gate(void)
{
	(void)pthread_mutex_lock(&lock);
	open_gate = 1;
	(void)pthread_cond_broadcast(&change);
	(void)pthread_mutex_unlock(&lock);
}

/* The last ticket, or NULL. */
static char *serve_sessions(void)
{
	char *ticket = NULL;
	int i;

	for (i = 0; i < SESSIONS; i++) {
		char *password = secmalloc_strdup("correct horse");

		secfree(ticket); /* of the session before */
		ticket = secmalloc(48);
		if (!password || !ticket) {
			secfree(password);
			secfree(ticket);
			return NULL;
		}
		memcpy(ticket, password, 14);
		secfree(password);
	}
	return ticket;
}

static void *serve(void *arg)
{
	struct worker *worker = arg;

	worker->ticket = serve_sessions();
	wait_at_gate();
	return NULL;
}

/* 0, or -1: no such numbers. */
static int show(const char *when, struct secmalloc_stats *stats)
{
	stats->size = sizeof(*stats);
	if (secmalloc_stats(stats) != 0) {
		perror("secmalloc_stats");
		return -1;
	}
	printf("%s: %lu objects of %lu ever, %lu bytes kept by %lu threads\n",
	       when, (unsigned long)stats->objects,
	       (unsigned long)stats->allocations, (unsigned long)stats->cached,
	       (unsigned long)stats->threads);
	return 0;
}

int main(void)
{
	struct worker worker[WORKERS] = { { .ticket = NULL } };
	struct secmalloc_stats stats;
	int i, bad = 0;

	for (i = 0; i < WORKERS; i++)
		if (pthread_create(&worker[i].thread, NULL, serve,
				   &worker[i]) != 0) {
			fputs("no thread\n", stderr);
			return 1;
		}
	wait_for_workers();
	if (show("served", &stats) != 0)
		return 1;
	open_the_gate();
	for (i = 0; i < WORKERS; i++)
		(void)pthread_join(worker[i].thread, NULL);
	if (show("ended", &stats) != 0)
		return 1;
	if (stats.cached > 0)
		bad = 1; /* the main thread has had nothing yet */

	for (i = 0; i < WORKERS; i++) {
		if (!worker[i].ticket) {
			puts("no memory for secrets here");
			return CANNOT;
		}
		secfree(worker[i].ticket);
	}
	if (show("freed here", &stats) != 0)
		return 1;
	return bad || stats.objects > 0;
}
