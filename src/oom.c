/* SPDX-License-Identifier: MIT */
/*
 * oom.c - out-of-memory handlers, of the process and of threads
 *
 * Callers: programs; api.c and family.c when they would have to give up.  The
 * handlers are kept under the heap's lock and called without it.
 */
#include <errno.h>

#include "annotate.h"
#include "api.h"
#include "cache.h"
#include "error.h"
#include "secmalloc.h"

static struct secm_heap *const heap = &secm_default_heap;

/* What to call, copied under the lock. */
struct hook {
	secmalloc_oom_handler *handler;
	void *arg;
};

SECM_API void secmalloc_set_oom_handler(secmalloc_oom_handler *handler,
					void *arg)
{
	int saved = errno;

	if (secm_enter_anyway() != 0)
		return;
	heap->oom = handler;
	heap->oom_arg = arg;
	secm_leave();
	errno = saved;
}

SECM_API int secmalloc_set_thread_oom_handler(secmalloc_oom_handler *handler,
					      void *arg)
{
	int saved = errno, r = secm_enter(NULL);
	struct secm_thread *thread;

	if (r)
		return secm_error(r);
	secm_leave();
	secm_cache_start(heap, 1);
	thread = secm_cache_self()->thread;
	if (!thread)
		return secm_error(-ENOMEM);
	if (secm_enter_anyway() != 0)
		return secm_error(-EPERM);
	thread->oom = handler;
	thread->oom_arg = arg;
	secm_leave();
	errno = saved;
	return 0;
}

/* Marks the thread as inside a handler; 0: it is already, or it cannot be
 * marked, as a thread that is about to end. */
static int begin(const struct secm_heap *of, struct hook *thread_hook,
		 struct hook *process_hook, struct secmalloc_oom *oom)
{
	struct secm_thread *thread = secm_cache_self()->thread;
	int ok;

	if (secm_enter_anyway() != 0)
		return 0;
	ok = thread && !thread->asking && (thread->oom || heap->oom);
	if (ok) {
		thread->asking = 1;
		thread_hook->handler = thread->oom;
		thread_hook->arg = thread->oom_arg;
		process_hook->handler = heap->oom;
		process_hook->arg = heap->oom_arg;
		oom->reason = of->policy.reason;
	}
	secm_leave();
	return ok;
}

static int call(const struct hook *hook, const struct secmalloc_oom *oom)
{
	return hook->handler && hook->handler(oom, hook->arg);
}

int secm_oom_ask(const struct secm_heap *of, size_t size, int error)
{
	struct secmalloc_oom oom = { .size = size, .error = error };
	struct hook of_thread, of_process;
	int again;

	if (error != ENOMEM)
		return 0;
	secm_cache_start(heap, heap->oom != NULL);
	if (!begin(of, &of_thread, &of_process, &oom))
		return 0;
	again = call(&of_thread, &oom) || call(&of_process, &oom);
	secm_annotate_enter();
	secm_cache_self()->thread->asking = 0;
	secm_annotate_leave();
	return again;
}
