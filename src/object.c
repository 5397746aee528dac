/* SPDX-License-Identifier: MIT */
/*
 * object.c - the protection of one object, as obtained and as the kernel has it
 *
 * A public function; takes the lock while it looks.
 */
#include <errno.h>
#include <string.h>

#include "api.h"
#include "error.h"
#include "index.h"
#include "policy.h"
#include "scope.h"
#include "secmalloc.h"
#include "size.h"

/* Bytes of an object, and what the kernel says of all that were seen. */
struct question {
	uintptr_t at;
	size_t len, seen;
	unsigned props;
};

static void answer(void *arg, const void *at, size_t len, unsigned props)
{
	struct question *q = arg;
	size_t both = secm_overlap((uintptr_t)at, len, q->at, q->len);

	if (both == 0)
		return;
	q->seen += both;
	q->props &= props;
}

/* A dead object without pages faults, or reads as zeros where the system has
 * such pages for nothing: orphan.c. */
static enum secm_access access_now(const struct secm_span *span)
{
	if (span->filled)
		return secm_scope_now(span);
	return span->shown ? SECM_READ : SECM_NONE;
}

/* Without pages of its own a dead object has no protection, and needs none. */
static void fill(struct secmalloc_object *o, const struct secm_span *span,
		 const char *start, size_t bytes)
{
	struct question q = { (uintptr_t)start, bytes ? bytes : 1, 0,
			      SECM_PROPS };

	memset(o, 0, sizeof(*o));
	o->size = sizeof(*o);
	o->start = start;
	o->bytes = bytes;
	if (span->heap != &secm_default_heap)
		o->heap = (secmalloc_heap *)(void *)span->heap;
	o->dead = span->dead;
	o->child = span->heap->policy.config.child;
	o->guarded = span->kind == SECM_GUARDED;
	o->access = (int)access_now(span);
	if (span->filled)
		o->protections = span->props & SECM_PROPS;
	o->tier = secm_policy_tier(o->protections);
	o->verified = secm_os_observe(answer, &q) == 0;
	if (o->verified && q.seen == q.len)
		o->confirmed = q.props & SECM_PROPS;
}

SECM_STATIC_ASSERT(SECMALLOC_NOACCESS == (int)SECM_NONE);
SECM_STATIC_ASSERT(SECMALLOC_READONLY == (int)SECM_READ);
SECM_STATIC_ASSERT(SECMALLOC_READWRITE == (int)SECM_READWRITE);

SECM_API int secmalloc_report_object(const void *p,
				     struct secmalloc_object *object)
{
	int saved = errno, r;
	size_t bytes;
	char *start;

	if (!p || !object || object->size != sizeof(*object))
		return secm_error(-EINVAL);
	r = secm_enter_anyway();
	if (r)
		return secm_error(r);
	r = -EINVAL;
	if (secm_heap_owns(secm_heap_of(p), p) &&
	    secm_heap_find(secm_heap_of(p), p, &start, &bytes)) {
		fill(object, secm_index_find(p), start, bytes);
		r = 0;
	}
	secm_leave();
	if (r == 0)
		errno = saved;
	return secm_error(r);
}
