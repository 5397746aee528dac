/* SPDX-License-Identifier: MIT */
/*
 * enter.c - run a function on another stack, by what this build has for it
 *
 * Callers: call.c, without a lock.  No state.
 */
#include "arch.h"

#include <errno.h>

int secm_arch_vectors;

/*
 * What may leave fn by unwinding, in words of the unwinders' interface: an
 * exception may not, as nobody would clear the registers; asked in its search
 * for a handler we say that there can be none, which ends the process.  The end
 * of a thread (it is forced) goes on to where call.c cleans up.
 */
enum { SEARCH_PHASE = 1, FORCED = 8, FATAL_IN_SEARCH = 3, CONTINUE = 8 };

int secm_arch_personality(int version, int actions, uint64_t class,
			  void *exception, void *context)
{
	(void)version;
	(void)class;
	(void)exception;
	(void)context;
	if ((actions & SEARCH_PHASE) && !(actions & FORCED))
		return FATAL_IN_SEARCH;
	return CONTINUE;
}

#ifndef SECM_ARCH_X86
void secm_arch_init(int vectors)
{
	secm_arch_vectors = vectors;
}
#endif

#if !defined(SECM_ARCH_X86) && !defined(SECM_ARCH_AARCH64)
#if defined(__has_attribute)
#if __has_attribute(zero_call_used_regs)
#define CLEARING __attribute__((zero_call_used_regs("all")))
#endif
#endif
#ifndef CLEARING
#define CLEARING
#endif

/* The compiler clears what it knows of; many know of nothing. */
SECM_NOINLINE CLEARING void secm_arch_clear(void)
{
	secm_compiler_fence();
}
#endif

#if defined(SECM_ARCH_SWITCH)
int secm_arch_call(void *stack, size_t size, void (*fn)(void *), void *arg)
{
	secm_arch_switch((char *)stack + size, fn, arg);
	return 0;
}
#elif HAVE_MAKECONTEXT && HAVE_SWAPCONTEXT && HAVE_DECL_MAKECONTEXT
#include <ucontext.h>

struct visit {
	ucontext_t here, there;
	void (*fn)(void *);
	void *arg;
};

/* makecontext() passes on ints: a pointer in two of them. */
static void start(unsigned high, unsigned low)
{
	const struct visit *visit =
		(void *)(uintptr_t)((uint64_t)high << 32 | low);

	visit->fn(visit->arg);
	secm_arch_clear();
}

/* Neither context ever has anything of fn's: one is saved before it starts, the
 * other not at all. */
int secm_arch_call(void *stack, size_t size, void (*fn)(void *), void *arg)
{
	struct visit visit = { .fn = fn, .arg = arg };
	uint64_t bits = (uintptr_t)&visit;

	if (getcontext(&visit.there) != 0)
		return -ENOTSUP;
	visit.there.uc_stack.ss_sp = stack;
	visit.there.uc_stack.ss_size = size;
	visit.there.uc_link = &visit.here;
	makecontext(&visit.there, (void (*)(void))start, 2,
		    (unsigned)(bits >> 32), (unsigned)bits);
	return swapcontext(&visit.here, &visit.there) == 0 ? 0 : -ENOTSUP;
}
#else
int secm_arch_call(void *stack, size_t size, void (*fn)(void *), void *arg)
{
	(void)stack;
	(void)size;
	(void)fn;
	(void)arg;
	return -ENOTSUP;
}
#endif
