/* SPDX-License-Identifier: MIT */
/*
 * arch.h - the processor: another stack, and registers that hold nothing
 *
 * The only part of the core that is not the same C everywhere.  What a build
 * has follows from the compiler's own macros, not from configure, so that one
 * configuration serves -m32 and several -arch:
 *
 *	stack      x86_64.S, aarch64.S, else makecontext(3), else none
 *	registers  x86.c and x86_clear.S, aarch64.S, else what the compiler
 *	           can do (zero_call_used_regs)
 *
 * Each file is empty where another one serves.
 */
#ifndef SECM_ARCH_H
#define SECM_ARCH_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

/* SECM_ARCH_SWITCH: secm_arch_switch() is there.  Only pointers of 64 bits, and
 * only ELF: the directives in these files are for that. */
#if defined(__ELF__) && defined(__LP64__) && !defined(SECM_NO_ASSEMBLY) && \
	(defined(__x86_64__) || defined(__aarch64__))
#define SECM_ARCH_SWITCH 1
#endif

/* Which of the files clears registers. */
#if defined(__ELF__) && (defined(__x86_64__) || defined(__i386__))
#define SECM_ARCH_X86 1
#elif defined(__ELF__) && defined(__aarch64__)
#define SECM_ARCH_AARCH64 1
#endif

#ifndef __ASSEMBLER__
#include <stddef.h>

#include "compat.h"

/* Finds out what this processor has.  Any number of times.
 * vectors: the system says that it has vectors of any length (aarch64) */
void secm_arch_init(int vectors);

/*
 * Runs fn(arg) on the size bytes at stack, from their end downwards, and clears
 * the registers that a function need not keep while it still stands there:
 * a signal that comes later finds nothing of fn's in them.
 * pre: stack and size are multiples of 64; secm_arch_init() was called
 * -ENOTSUP  this processor and system have no such means
 */
int secm_arch_call(void *stack, size_t size, void (*fn)(void *),
		   void *arg) SECM_CHECK;

/* Clears these registers; control words are kept. */
SECM_LOCAL void secm_arch_clear(void);

/* The part of secm_arch_call() that is assembly.  top: the end of the stack */
SECM_LOCAL void secm_arch_switch(void *top, void (*fn)(void *), void *arg);

/* What unwinders ask at secm_arch_switch(). */
SECM_LOCAL int secm_arch_personality(int version, int actions, uint64_t class,
				     void *exception, void *context);

/* Whether SECM_WIDE functions can be called. */
#ifdef SECM_ARCH_X86
extern SECM_LOCAL int secm_arch_wide; /* 0: not asked, 1: no, 2: yes */
SECM_LOCAL int secm_arch_ask_wide(void);

static inline int secm_arch_has_wide(void)
{
	const int w = secm_load(&secm_arch_wide);

	return SECM_LIKELY(w != 0) ? w > 1 : secm_arch_ask_wide();
}
#else
static inline int secm_arch_has_wide(void)
{
	return 0;
}
#endif

/* Not 0: there are vectors of any length (aarch64). */
extern SECM_LOCAL int secm_arch_vectors;
#endif

#endif /* SECM_ARCH_H */
