/* SPDX-License-Identifier: MIT */
/*
 * scope.c - who may touch an object's pages: at rest, in scopes, in the library
 *
 * Callers: scopes.c, and whatever touches bytes of spans; under the heap's
 * lock.
 *
 *	rest     what secmalloc_protect() chose; nothing in a heap with scopes
 *	scopes   of the object, of its neighbours on the same pages, of the heap
 *	library  everything, as long as a call lasts
 *
 * What holds is the most of these.  In a heap that has a protection key, scopes
 * and the library open the key (keys.c), and the pages stay as they are.
 *
 * A1  Where the lock is free a span with objects has the access that wanted()
 *     says, and a call that fails changes no access.
 * A2  A span without objects is read-write: what fills, moves and wipes pages
 *     need not look.
 * A3  Each open scope of an object has a record here; the span and the heap
 *     count them.
 */
#include "scope.h"

#include <errno.h>
#include <pthread.h>

#include "annotate.h"
#include "keys.h"
#include "meta.h"
#include "orphan.h"
#include "run.h"

enum { BUCKETS = 256 };

/* Of one object; with keys also of one thread. */
struct scope {
	struct scope *next;
	struct secm_span *span;
	const void *p;
	pthread_t thread;
	unsigned count[2]; /* to read, to write */
	int lost;	   /* begun by the parent of this child */
};

struct secm_span *secm_scope_opened;
static struct scope *scopes[BUCKETS], *spare;

void secm_scope_panic(void)
{
	secm_os_panic("secmalloc: cannot close a guarded object\n");
}

static int by_pages(const struct secm_heap *heap)
{
	return heap->access == SECMALLOC_BY_PAGES;
}

static int is_internal(const struct secm_span *span)
{
	return span == span->heap->vault_span || span->kind == SECM_SEGMENT;
}

/* Rest does not count in heaps that scopes alone open. */
static enum secm_access wanted(const struct secm_span *span)
{
	const struct secm_heap *heap = span->heap;

	if (is_internal(span) || !secm_span_has_objects(span))
		return SECM_READWRITE; /* A2 */
	if (span->writers || heap->writers)
		return SECM_READWRITE;
	if (!by_pages(heap) && span->rest != SECM_NONE)
		return (enum secm_access)span->rest;
	return span->readers || heap->readers ? SECM_READ : SECM_NONE;
}

/* A debugger takes pages whose access changed for new ones. */
static void annotate(struct secm_span *span)
{
	if (!secm_watched)
		return;
	if (span->kind == SECM_SLAB)
		secm_orphan_annotate(span->heap, span);
	else
		secm_run_annotate(span);
}

static int set(struct secm_span *span, enum secm_access access)
{
	int r;

	if (span->access == access)
		return 0;
	if (span->filled) {
		r = secm_os_access(span->data, secm_span_bytes(span), access);
		if (r)
			return r;
	}
	span->access = (unsigned char)access;
	annotate(span);
	return 0;
}

int secm_scope_apply(struct secm_span *span)
{
	return set(span, wanted(span));
}

int secm_scope_try(struct secm_span *span)
{
	int r = set(span, SECM_READWRITE);

	if (r == 0 && !span->listed) {
		span->opened = secm_scope_opened;
		secm_scope_opened = span;
		span->listed = 1;
	}
	return r;
}

/* Between two guards the way there is the way back: no mapping is split. */
void secm_scope_open_now(struct secm_span *span)
{
	if (secm_scope_try(span) != 0)
		secm_os_panic("secmalloc: cannot open a guarded object\n");
}

void secm_scope_settle_all(void)
{
	struct secm_span *span;

	while ((span = secm_scope_opened)) {
		secm_scope_opened = span->opened;
		span->opened = NULL;
		span->listed = 0;
		if (secm_scope_apply(span) != 0) /* A1 */
			secm_scope_panic();
	}
}

enum secm_access secm_scope_now(const struct secm_span *span)
{
	enum secm_access by_key = secm_keys_now(span->heap);
	enum secm_access pages = (enum secm_access)span->access;

	return by_key < pages ? by_key : pages;
}

int secm_scope_has(const struct secm_span *span)
{
	if (span->heap->access != SECMALLOC_BY_NOTHING)
		return 1;
	return span->kind == SECM_GUARDED && !span->u.run.sampled;
}

static struct scope **bucket(const void *p)
{
	uintptr_t n = (uintptr_t)p / SECM_ALIGN;

	return &scopes[(n ^ n / BUCKETS) % BUCKETS];
}

static struct scope *find(const struct secm_heap *heap, const void *p)
{
	struct scope *s;

	for (s = *bucket(p); s; s = s->next)
		if (s->p == p &&
		    (!heap->key || pthread_equal(s->thread, pthread_self())))
			return s;
	return NULL;
}

static struct scope *record(struct secm_span *span, const void *p)
{
	struct scope *s = find(span->heap, p);

	if (s && !s->lost)
		return s;
	s = spare;
	if (s)
		spare = s->next;
	else
		s = secm_meta_alloc(sizeof(*s));
	if (!s)
		return NULL;
	s->span = span;
	s->p = p;
	s->thread = pthread_self();
	s->count[0] = s->count[1] = 0;
	s->lost = 0;
	s->next = *bucket(p);
	*bucket(p) = s;
	return s;
}

static void erase(struct scope *s)
{
	struct scope **link = bucket(s->p);

	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	s->next = spare;
	spare = s;
}

static void erase_if_over(struct scope *s)
{
	if (s->count[0] == 0 && s->count[1] == 0)
		erase(s);
}

static void count(unsigned *readers, unsigned *writers, int write, int by)
{
	unsigned *n = write ? writers : readers;

	*n += (unsigned)by;
}

int secm_scope_begin(struct secm_span *span, const void *p,
		     enum secm_access access)
{
	int write = access == SECM_READWRITE, r = 0;
	struct scope *s = span->filled ? record(span, p) : NULL;

	if (!s)
		return -ENOMEM; /* or lost with a fork: nothing to open */
	if (span->heap->key) {
		secm_keys_add(span->heap, write);
	} else {
		count(&span->readers, &span->writers, write, 1);
		r = secm_scope_apply(span);
		if (r)
			count(&span->readers, &span->writers, write, -1);
	}
	if (r == 0)
		s->count[write]++; /* A3 */
	erase_if_over(s);
	return r;
}

void secm_scope_end(struct secm_span *span, const void *p,
		    enum secm_access access)
{
	int write = access == SECM_READWRITE;
	struct scope *s = find(span->heap, p);

	if (!s || s->count[write] == 0)
		secm_die(SECM_DIE_SCOPE);
	s->count[write]--;
	if (span->heap->key && s->lost) {
		secm_keys_take_lost(span->heap, write);
	} else if (span->heap->key) {
		secm_keys_take(span->heap, write);
	} else if (!s->lost) {
		count(&span->readers, &span->writers, write, -1);
		if (secm_scope_apply(span) != 0)
			secm_scope_panic();
	}
	erase_if_over(s);
}

/* Every span of the heap: 0, or -ENOMEM and some have changed. */
static int apply_all(struct secm_heap *heap)
{
	struct secm_span *span;
	int r;

	for (span = heap->all; span; span = span->all) {
		r = secm_scope_apply(span);
		if (r)
			return r;
	}
	return 0;
}

int secm_scope_begin_heap(struct secm_heap *heap, enum secm_access access)
{
	int write = access == SECM_READWRITE, r;

	count(&heap->readers, &heap->writers, write, 1);
	r = apply_all(heap);
	if (r == 0)
		return 0;
	count(&heap->readers, &heap->writers, write, -1);
	if (apply_all(heap) != 0)
		secm_scope_panic();
	return r;
}

void secm_scope_end_heap(struct secm_heap *heap, enum secm_access access)
{
	int write = access == SECM_READWRITE;

	if (!(write ? heap->writers : heap->readers)) {
		if (heap->lost[write]-- == 0)
			secm_die(SECM_DIE_SCOPE);
		return;
	}
	count(&heap->readers, &heap->writers, write, -1);
	if (apply_all(heap) != 0)
		secm_scope_panic();
}

void secm_scope_leave(const void *p)
{
	struct scope *s, *next;

	for (s = *bucket(p); s; s = next) {
		next = s->next;
		if (s->p != p)
			continue;
		if (!s->lost)
			secm_die(SECM_DIE_SCOPE_FREE);
		erase(s);
	}
}

/* The scopes of the heap's objects in one list. */
static void forget_some(const struct secm_heap *heap, struct scope *s,
			int forked)
{
	struct scope *next;

	for (; s; s = next) {
		next = s->next;
		if (s->span->heap != heap)
			continue;
		if (forked)
			s->lost = 1;
		else
			erase(s);
	}
}

void secm_scope_forget(struct secm_heap *heap, int forked)
{
	struct secm_span *span;
	unsigned i;

	for (i = 0; i < BUCKETS; i++)
		forget_some(heap, scopes[i], forked);
	for (span = heap->all; span; span = span->all)
		span->readers = span->writers = 0;
	heap->lost[0] = forked ? heap->lost[0] + heap->readers : 0;
	heap->lost[1] = forked ? heap->lost[1] + heap->writers : 0;
	heap->readers = heap->writers = 0;
	secm_keys_forget(heap, forked);
}
