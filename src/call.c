/* SPDX-License-Identifier: MIT */
/*
 * call.c - a function on a stack that is a secret
 *
 * Callers: programs.  The stack is a guarded object that fills its pages, so
 * that it ends at the guard on both sides:
 *
 *	|guard| <- the stack grows |guard|
 *	      ^object              ^its end, and that of the pages
 *
 * It is wiped where objects are, when it is freed; registers are cleared by
 * arch/ before the ordinary stack is in use again.
 */
#include <errno.h>
#include <pthread.h>

#include "annotate.h"
#include "api.h"
#include "arch/arch.h"
#include "error.h"
#include "index.h"
#include "run.h"
#include "secmalloc.h"
#include "size.h"

static struct secm_heap *const heap = &secm_default_heap;

struct call {
	char *stack;
	size_t size;
	int returned;
	unsigned watched; /* what the debugger calls it */
};

/* A run may have more pages than were asked for; then the stack takes them
 * all.  What it holds are zeros. */
static void take_all_pages(void **out, size_t *size)
{
	struct secm_span *span = secm_index_find(*out);

	span->u.run.stack = 1;
	*size = span->filled * secm_os.page;
	if (span->u.run.size != *size &&
	    !secm_run_slide(heap, span, *size, out))
		*size = span->u.run.size; /* cannot be: no page is missing */
}

static int try_stack(size_t size, struct call *call)
{
	void *p;
	int r = secm_enter(heap);

	if (r)
		return r;
	if (secm_size_round(size, secm_os.page, &size) == 0)
		r = secm_heap_alloc(heap, size, SECM_HOW_GUARDED, &p);
	else
		r = -ENOMEM;
	if (r == 0) {
		take_all_pages(&p, &call->size);
		call->stack = p;
	}
	secm_leave();
	return r;
}

/* A C library that ends threads without going back to the caller's stack runs
 * this on the very stack that it is about: then that stays, until shutdown. */
static void done(void *arg)
{
	struct call *call = arg;
	char here;
	uintptr_t at = (uintptr_t)&here, stack = (uintptr_t)call->stack;

	if (at >= stack && at - stack < call->size)
		return;
	if (!call->returned)
		secm_arch_clear();
	secm_annotate_unstack(call->watched);
	secfree(call->stack);
}

static int run(struct call *call, void (*fn)(void *), void *arg)
{
	int r;

	pthread_cleanup_push(done, call);
	r = secm_arch_call(call->stack, call->size, fn, arg);
	call->returned = 1;
	pthread_cleanup_pop(1);
	return r;
}

SECM_API int secmalloc_call(void (*fn)(void *), void *arg, size_t size)
{
	struct call call = { 0 };
	int saved = errno, r;

	if (!fn || size > SECMALLOC_STACK_MAX)
		return secm_error(-EINVAL);
	if (size == 0)
		size = SECMALLOC_STACK_DEFAULT;
	if (size < SECMALLOC_STACK_MIN)
		size = SECMALLOC_STACK_MIN;
	do
		r = try_stack(size, &call);
	while (r && secm_oom_ask(heap, size, secm_error_filter(r)));
	if (r)
		return secm_error(r);
	secm_arch_init(secm_os.vectors);
	call.watched = secm_annotate_stack(call.stack, call.size);
	errno = saved; /* for fn; what it leaves there stays */
	return secm_error(run(&call, fn, arg));
}
