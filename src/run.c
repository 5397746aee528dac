/* SPDX-License-Identifier: MIT */
/*
 * run.c - one object in its own pages, against the upper guard
 *
 * Callers: heap.c, under the heap's lock.
 *
 *	|guard| zeros .. | front canary | object | tail canary |guard|
 *	      ^data       ^at most a page ^object ^to 16 bytes  ^end
 *
 * The object ends as close to the upper guard as 16-byte alignment allows, so
 * a linear overflow faults at once or meets the tail canary.  Whatever lies
 * before it on its first page is canary.
 *
 * I1  Pages of a run that is not live are all zero, and are checked to be when
 *     one is handed out: the first and last of them, if there are many.
 */
#include "run.h"

#include <errno.h>
#include <string.h>

#include "annotate.h"
#include "heap.h"
#include "retain.h"
#include "scope.h"
#include "wipe.h"

enum {
	FRONT_MOST = 256,	  /* bytes of canary */
	TAIL_MOST = 4096,	  /* where an object shrank */
	CHECKED_WHOLE = 20 << 10, /* runs up to this are checked to be zero, */
	CHECKED_ENDS = 4096	  /* of larger ones the first and last bytes */
};

/* Where the tail canary ends; behind it there are zeros. */
static char *tail_end(const struct secm_span *span)
{
	char *end = secm_span_end(span);
	char *object_end = span->u.run.object + span->u.run.size;

	return end - object_end > TAIL_MOST ? object_end + TAIL_MOST : end;
}

char *secm_run_tail(const struct secm_span *span)
{
	return tail_end(span);
}

/* The page of the byte before the object: from there on everything is checked
 * at free. */
static char *first_page(const struct secm_span *span)
{
	uintptr_t before = (uintptr_t)span->u.run.object - 1;
	char *page = (char *)(before & ~(uintptr_t)(secm_os.page - 1));

	return page > span->data ? page : span->data;
}

/* Where the front canary begins; before it there are zeros. */
static char *front(const struct secm_span *span)
{
	char *page = first_page(span), *object = span->u.run.object;

	return object - page > FRONT_MOST ? object - FRONT_MOST : page;
}

static void lay_canaries(struct secm_heap *heap, const struct secm_span *span)
{
	const struct secm_run *run = &span->u.run;
	uint64_t canary = secm_canary(heap->vault, run->object);

	if (run->object > span->data)
		secm_canary_fill(front(span), run->object, canary);
	secm_canary_fill(run->object + run->size, tail_end(span), canary);
}

static void check_canaries(struct secm_heap *heap, const struct secm_span *span)
{
	const struct secm_run *run = &span->u.run;
	uint64_t canary;

	if (span->dead)
		return; /* its canaries went with its pages */
	canary = secm_canary(heap->vault, run->object);
	if (!secm_canary_whole(run->object + run->size, tail_end(span), canary))
		secm_die(SECM_DIE_OVERFLOW);
	if (run->object > span->data &&
	    (!secm_canary_whole(front(span), run->object, canary) ||
	     !secm_is_zero(first_page(span),
			   (size_t)(front(span) - first_page(span)))))
		secm_die(SECM_DIE_UNDERFLOW);
}

/* What lies around the object, before it is touched; and after that. */
static void open_around(const struct secm_span *span)
{
	const struct secm_run *run = &span->u.run;
	char *end = run->object + run->size;

	if (!span->filled)
		return;
	secm_annotate_open(span->data, (size_t)(run->object - span->data));
	secm_annotate_open(end, (size_t)(secm_span_end(span) - end));
}

static void close_around(const struct secm_span *span)
{
	const struct secm_run *run = &span->u.run;
	char *end = run->object + run->size;

	if (!span->filled)
		return;
	secm_annotate_close(span->data, (size_t)(run->object - span->data));
	secm_annotate_close(end, (size_t)(secm_span_end(span) - end));
}

/* Bytes from the object to the guard; an empty object has an address too. */
static int tail_size(size_t size, size_t *tail)
{
	return secm_size_round(size ? size : 1, SECM_ALIGN, tail);
}

static size_t pages_for(size_t tail) /* pre: tail > 0 */
{
	return (tail - 1) / secm_os.page + 1;
}

static int get_span(struct secm_heap *heap, enum secm_kind kind, size_t pages,
		    struct secm_span **out)
{
	unsigned bucket = secm_page_bucket(pages);
	int r = secm_span_get(heap, kind, bucket, pages,
			      secm_bucket_pages(bucket), out);

	if (r)
		return r;
	r = secm_span_fill(heap, *out, pages);
	if (r)
		secm_retain_put(heap, *out);
	return r;
}

int secm_run_alloc(struct secm_heap *heap, enum secm_kind kind, size_t size,
		   void **out)
{
	size_t tail, pages, len;
	struct secm_span *span;
	int r;

	if (tail_size(size, &tail) != 0)
		return -ENOMEM;
	if (secm_policy_possible(heap, tail) != 0)
		return -ENOMEM;
	pages = pages_for(tail);
	do
		r = get_span(heap, kind, pages, &span);
	while (r == -EADDRINUSE);
	if (r)
		return r;
	len = span->filled * secm_os.page;
	secm_annotate_open(span->data, len);
	if (!secm_ends_are_zero(span->data, len,
				len > CHECKED_WHOLE ? CHECKED_ENDS : len))
		secm_die(SECM_DIE_WRITE_AFTER_FREE); /* I1 */
	span->u.run.object = secm_span_end(span) - tail;
	span->u.run.size = size;
	span->u.run.live = 1;
	span->u.run.divided = span->u.run.sampled = span->u.run.stack = 0;
	span->rest = SECM_READWRITE;
	secm_scope_open(span);
	lay_canaries(heap, span);
	secm_annotate_close(span->data, len);
	secm_annotate_alloc(span->u.run.object, size);
	heap->runs++;
	*out = span->u.run.object;
	return 0;
}

static void check_start(const struct secm_span *span, const char *p,
			const char *when_free)
{
	const struct secm_run *run = &span->u.run;
	int inside;

	if (run->live && p == run->object)
		return;
	inside = run->object && p > run->object &&
		 (size_t)(p - run->object) < run->size;
	/* Inside the last object a part may have begun. */
	if (!run->live && run->object &&
	    (p == run->object || (inside && run->divided)))
		secm_die(when_free);
	if (run->live || inside)
		secm_die(SECM_DIE_INTERIOR);
	secm_die(SECM_DIE_WILD);
}

/* What is not zero anyway. */
static void wipe(const struct secm_span *span)
{
	char *from = span->u.run.object > span->data ? front(span) : span->data;

	if (span->filled)
		secm_wipe(from, (size_t)(tail_end(span) - from));
}

void secm_run_free(struct secm_heap *heap, struct secm_span *span, char *p)
{
	size_t len = span->filled * secm_os.page;

	check_start(span, p, SECM_DIE_DOUBLE_FREE);
	if (!secm_span_is_lost(span))
		secm_annotate_free(p, span->u.run.size);
	secm_annotate_open(span->data, len);
	check_canaries(heap, span);
	wipe(span);
	secm_annotate_close(span->data, len);
	span->u.run.live = 0;
	secm_retain_put(heap, span);
}

size_t secm_run_checked_size(struct secm_heap *heap, struct secm_span *span,
			     char *p)
{
	check_start(span, p, SECM_DIE_REUSE);
	open_around(span);
	check_canaries(heap, span);
	close_around(span);
	return span->u.run.size;
}

int secm_run_resize(struct secm_heap *heap, struct secm_span *span, size_t size)
{
	struct secm_run *run = &span->u.run;
	size_t tail;

	if (span->dead || tail_size(size, &tail) != 0 ||
	    tail != (size_t)(secm_span_end(span) - run->object))
		return 0;
	return secm_run_stay(heap, span, size);
}

/* Pages up to there, and no more than that if it can be. */
static int fit_pages(struct secm_heap *heap, struct secm_span *span, char *end)
{
	size_t pages = pages_for((size_t)(end - span->data));

	if (pages > span->filled)
		return secm_span_fill(heap, span, pages);
	secm_span_shrink(heap, span, pages);
	return 0;
}

int secm_run_stay(struct secm_heap *heap, struct secm_span *span, size_t size)
{
	struct secm_run *run = &span->u.run;
	size_t keep = size < run->size ? size : run->size, tail;
	size_t old = run->size;
	char *wiped = run->object + keep;

	if (span->dead || tail_size(size, &tail) != 0 ||
	    tail > (size_t)(span->data + span->capacity * secm_os.page -
			    run->object))
		return 0;
	open_around(span);
	secm_wipe(wiped, (size_t)(tail_end(span) - wiped));
	if (fit_pages(heap, span, run->object + tail) == 0)
		run->size = size;
	open_around(span);
	lay_canaries(heap, span);
	secm_annotate_resize(run->object, old, run->size);
	close_around(span);
	return run->size == size;
}

/* Pages for an object that is larger than this one: 1 or 0.  Some that came and
 * could not be given back move the guard away from it. */
static int more_pages(struct secm_heap *heap, struct secm_span *span,
		      size_t pages)
{
	size_t before = span->filled;

	if (secm_span_fill(heap, span, pages) == 0)
		return 1;
	if (span->filled != before) {
		open_around(span);
		lay_canaries(heap, span);
		close_around(span);
	}
	return 0;
}

int secm_run_slide(struct secm_heap *heap, struct secm_span *span, size_t size,
		   void **out)
{
	struct secm_run *run = &span->u.run;
	size_t keep = size < run->size ? size : run->size, tail;
	size_t old = run->size;
	char *from = run->object, *before = front(span), *end;

	if (span->dead || tail_size(size, &tail) != 0 ||
	    !more_pages(heap, span, pages_for(tail)))
		return 0;
	end = secm_span_end(span);
	open_around(span);
	run->object = end - tail;
	run->size = size;
	memmove(run->object, from, keep);
	if (before < run->object)
		secm_wipe(before, (size_t)(run->object - before));
	secm_wipe(run->object + keep, (size_t)(end - run->object) - keep);
	lay_canaries(heap, span);
	secm_annotate_free(from, old);
	close_around(span);
	secm_annotate_alloc(run->object, size);
	*out = run->object;
	return 1;
}

int secm_run_find(const struct secm_span *span, const char *p, char **start,
		  size_t *size)
{
	const struct secm_run *run = &span->u.run;

	if (!run->live || p < run->object)
		return 0;
	*start = run->object;
	*size = run->size;
	return 1;
}

int secm_run_protect(struct secm_span *span, enum secm_access access)
{
	unsigned char before = span->rest;
	int r;

	if (!span->filled)
		return -ENOMEM; /* lost with a fork: nothing to open */
	span->rest = (unsigned char)access;
	r = secm_scope_apply(span);
	if (r)
		span->rest = before;
	return r;
}

void secm_run_annotate(const struct secm_span *span)
{
	const struct secm_run *run = &span->u.run;

	if (!run->live)
		return;
	close_around(span);
	if (span->dead && span->access != SECM_NONE)
		secm_annotate_open(run->object, run->size);
}

void secm_run_verify(struct secm_heap *heap, struct secm_span *span)
{
	const struct secm_run *run = &span->u.run;
	size_t len = span->filled * secm_os.page;

	if (span == heap->vault_span || (run->live && span->rest == SECM_NONE))
		return;
	if (run->live) {
		secm_scope_open(span);
		open_around(span);
		check_canaries(heap, span);
		close_around(span);
		return;
	}
	secm_annotate_open(span->data, len);
	if (!secm_is_zero(span->data, len))
		secm_die(SECM_DIE_WRITE_AFTER_FREE); /* I1 */
	secm_annotate_close(span->data, len);
}
