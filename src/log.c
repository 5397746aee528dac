/* SPDX-License-Identifier: MIT */
/*
 * log.c - lines for people, told when no lock is held
 *
 * Callers: everything that works under the heap's lock takes lines down; the
 * entry points, when they are done, let go of the lock by secm_log_unlock().
 *
 * A line waits in a buffer, because a logger may take locks of its own and call
 * us, and because writing may take long:
 *
 *	text  | level | line | 0 | level | line | 0 | unused .. |
 *
 * Before the lock is let go the buffer moves to the stack of the thread that
 * filled it.  That copy is a delivery.  What a logger itself gives cause to is
 * put behind the lines of the delivery it runs in, and told after them.
 *
 * I1  Where the lock is free no line waits, except one taken down between the
 *     fork handlers.  So lines come from the thread that caused them.
 * I2  A delivery never becomes longer than its buffer and is never begun inside
 *     another one of the same thread: whatever a logger does, one call tells a
 *     bounded number of lines.
 * I3  A delivery is in the list as long as its logger may run.
 */
#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "heap.h"
#include "os.h"

struct secm_delivery {
	struct secm_delivery *next;
	pthread_t thread;
	secmalloc_logger *log;
	void *arg;
	unsigned level; /* that the program wants to hear */
	size_t told;	/* bytes of lines.text */
	struct secm_lines lines;
};

/* The calling thread's, if it is inside a logger. */
static struct secm_delivery *own(const struct secm_log *log)
{
	struct secm_delivery *d = log->deliveries;

	while (d && !pthread_equal(d->thread, pthread_self()))
		d = d->next;
	return d;
}

/* 1, or 0 if there is no room. */
static int put(struct secm_lines *lines, int level, const char *format,
	       va_list args)
{
	size_t room = sizeof(lines->text) - lines->used;
	char *record = lines->text + lines->used;
	size_t most = SECM_LOG_LINE;
	int n;

	if (room < 2)
		return 0;
	if (most > room - 1)
		most = room - 1;
	n = vsnprintf(record + 1, most, format, args);
	if (n < 0 || ((size_t)n >= most && most < SECM_LOG_LINE))
		return 0;
	record[0] = (char)level;
	lines->used += 1 + strlen(record + 1) + 1;
	return 1;
}

static void take_down(int level, const char *format, va_list args)
{
	struct secm_log *log = &secm_default_heap.log; /* for all heaps */
	struct secm_delivery *d = own(log);	       /* I2 */
	struct secm_lines *lines = d ? &d->lines : &log->lines;

	if (!put(lines, level, format, args))
		lines->lost++;
	if (!d)
		secm_store(&log->pending, 1);
}

void secm_log(struct secm_heap *heap, int level, const char *format, ...)
{
	va_list args;

	if (SECM_LIKELY((unsigned)level > heap->policy.config.log_level))
		return;
	va_start(args, format);
	take_down(level, format, args);
	va_end(args);
}

void secm_log_always(struct secm_heap *heap, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)heap;
	take_down(SECMALLOC_LOG_ERROR, format, args);
	va_end(args);
}

static void tell(const struct secm_delivery *d, int level, const char *line)
{
	char text[SECM_LOG_LINE + 16];

	if (d->log && (unsigned)level <= d->level) {
		d->log(level, line, d->arg);
		return;
	}
	(void)snprintf(text, sizeof(text), "secmalloc: %s\n", line); /* fits */
	secm_os_log(text, strlen(text));
}

/* The delivery may grow meanwhile, behind what is told. */
static void tell_lines(struct secm_delivery *d)
{
	while (d->told < d->lines.used) {
		const char *record = d->lines.text + d->told;

		d->told += 1 + strlen(record + 1) + 1;
		tell(d, record[0], record + 1);
	}
}

static void tell_all(struct secm_delivery *d)
{
	char line[SECM_LOG_LINE];
	unsigned lost;

	tell_lines(d);
	lost = d->lines.lost;
	if (!lost)
		return;
	d->lines.lost = 0; /* from here on, those that this causes */
	(void)snprintf(line, sizeof(line), "%u line%s lost", lost,
		       lost == 1 ? "" : "s"); /* fits */
	tell(d, SECMALLOC_LOG_ERROR, line);
	tell_lines(d);
}

/* Moves the lines out. */
static void begin(struct secm_heap *heap, struct secm_delivery *d)
{
	const struct secmalloc_config *c = &heap->policy.config;
	struct secm_log *log = &heap->log;

	d->thread = pthread_self();
	d->log = c->log;
	d->arg = c->log_arg;
	d->level = c->log_level;
	d->told = 0;
	d->lines.used = log->lines.used;
	d->lines.lost = log->lines.lost;
	memcpy(d->lines.text, log->lines.text, log->lines.used);
	log->lines.used = log->lines.lost = 0;
	secm_store(&log->pending, 0);
	d->next = log->deliveries;
	log->deliveries = d;
}

/* What telling about lost lines lost is told by the next delivery. */
static void end(struct secm_heap *heap, const struct secm_delivery *d)
{
	struct secm_delivery **link = &heap->log.deliveries;

	while (*link && *link != d)
		link = &(*link)->next;
	if (*link)
		*link = d->next;
	if (!d->lines.lost)
		return;
	heap->log.lines.lost += d->lines.lost;
	secm_store(&heap->log.pending, 1);
}

/* While a thread forks it has the locks of others too, and a logger might want
 * one of them: lines wait for the next call (I1).  Allocation is no place where
 * a thread may be cancelled, and a delivery has to come to its end (I3). */
void secm_log_unlock(struct secm_heap *heap)
{
	struct secm_delivery d;
	int saved = errno, cancel;

	if (!secm_log_pending(&heap->log) || own(&heap->log) ||
	    secm_lock_is_kept(&secm_heap_lock)) {
		secm_unlock(&secm_heap_lock);
		return;
	}
	begin(heap, &d);
	secm_unlock(&secm_heap_lock);
	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	tell_all(&d);
	secm_lock(&secm_heap_lock);
	end(heap, &d);
	secm_unlock(&secm_heap_lock);
	(void)pthread_setcancelstate(cancel, &cancel);
	errno = saved;
}

/* The thread that forks may be inside a logger; the others are not here. */
void secm_log_forked(struct secm_heap *heap)
{
	struct secm_delivery *d = own(&heap->log);

	heap->log.lines.used = heap->log.lines.lost = 0;
	secm_store(&heap->log.pending, 0);
	heap->log.deliveries = d;
	if (!d)
		return;
	d->next = NULL;
	d->told = d->lines.used;
	d->lines.lost = 0;
}
