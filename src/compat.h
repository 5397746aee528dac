/* SPDX-License-Identifier: MIT */
/*
 * compat.h - what C99 lacks: static assert, attributes, bits, threads' memory
 *
 * Included by every file of the core.  The only place in src/ that looks at
 * the compiler.
 */
#ifndef SECM_COMPAT_H
#define SECM_COMPAT_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdint.h>

/* Fails to compile when the condition does not hold. */
#define SECM_STATIC_ASSERT(cond) extern char secm_static_assert[(cond) ? 1 : -1]

/*
 * SECM_ATOMICS: threads can have caches.  Else every call takes the lock, and
 * the plain accesses below are enough.
 * SECM_THREAD: a variable for each thread.  Else pthread_getspecific().
 */
#if (defined(__GNUC__) || defined(__clang__)) && !defined(SECM_NO_ATOMICS)
#define SECM_ATOMICS 1
#else
#define SECM_ATOMICS 0
#endif

#if defined(SECM_TLS) && !defined(SECM_NO_TLS)
#define SECM_THREAD SECM_TLS
#endif

#if defined(__GNUC__) || defined(__clang__)
#define SECM_UNUSED __attribute__((__unused__))
#define SECM_NORETURN __attribute__((__noreturn__))
#define SECM_CHECK __attribute__((__warn_unused_result__))
#define SECM_NOT_NULL __attribute__((__returns_nonnull__))
#define SECM_PRINTF(f, a) __attribute__((__format__(__printf__, f, a)))
#define SECM_API __attribute__((__visibility__("default")))
#define SECM_CONSTRUCTOR __attribute__((__constructor__))
#ifdef __ELF__ /* of a program that all is linked into, the first ones */
#define SECM_CONSTRUCTOR_FIRST __attribute__((__constructor__(60000)))
#else
#define SECM_CONSTRUCTOR_FIRST SECM_CONSTRUCTOR
#endif
#define SECM_NOINLINE __attribute__((__noinline__))
/* What the compiler knows about the value is not to be used. */
#if UINTPTR_MAX > 0xffffffff
#define SECM_OPAQUE(x) __asm__("" : "+r"(x))
#else /* it may not fit into a register */
#define SECM_OPAQUE(x) ((void)(x))
#endif
#define SECM_INLINE inline __attribute__((__always_inline__))
/* Alone in its lines of the processor's cache: one is written to, the other is
 * only read, by many. */
#define SECM_LINE __attribute__((__aligned__(64)))
/* A variable that needs no table to be found by other files. */
#define SECM_LOCAL __attribute__((__visibility__("hidden")))
#if !defined(__i386__) || defined(__SSE2__)
typedef uint64_t secm_vector
	__attribute__((__vector_size__(16), __may_alias__));
#define SECM_VECTOR secm_vector
#endif
#if defined(__x86_64__) && !defined(SECM_NO_WIDE)
typedef uint64_t secm_wide
	__attribute__((__vector_size__(32), __may_alias__, __aligned__(1)));
#define SECM_WIDE __attribute__((__target__("avx2")))
#endif
#define SECM_LIKELY(x) __builtin_expect(!!(x), 1)
#define SECM_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* What was written before a store is seen after a load that sees it. */
static inline int secm_load(const int *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void secm_store(int *p, int value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

/* What was there before; of those who ask at the same time one gets it. */
static inline int secm_exchange(int *p, int value)
{
	return __atomic_exchange_n(p, value, __ATOMIC_ACQ_REL);
}

#define SECM_ASSUME(x)                           \
	do {                                     \
		if (!(x))                        \
			__builtin_unreachable(); \
	} while (0)

/* A word that one thread writes and others may read meanwhile. */
static inline uint32_t secm_peek(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void secm_poke(uint32_t *p, uint32_t value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

/* 1 if it was old, and is now new. */
static inline int secm_swap(uint32_t *p, uint32_t old, uint32_t new)
{
	return __atomic_compare_exchange_n(p, &old, new, 0, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

/* Orders what stands before and behind it for the compiler, and for the
 * processor. */
static inline void secm_compiler_fence(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void secm_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline unsigned secm_ctz64(uint64_t x) /* pre: x != 0 */
{
	return (unsigned)__builtin_ctzll(x);
}

static inline unsigned secm_log2(uint64_t x) /* pre: x != 0; rounds down */
{
	return 63u - (unsigned)__builtin_clzll(x);
}
#else
#define SECM_UNUSED
#define SECM_NORETURN
#define SECM_CHECK
#define SECM_NOT_NULL
#define SECM_PRINTF(f, a)
#define SECM_API
#define SECM_OPAQUE(x) ((void)(x))
#define SECM_CONSTRUCTOR
#define SECM_CONSTRUCTOR_FIRST
#define SECM_NOINLINE
#define SECM_INLINE inline
#define SECM_LOCAL
#define SECM_LINE
#define SECM_ASSUME(x) ((void)0)
#define SECM_LIKELY(x) (x)
#define SECM_UNLIKELY(x) (x)

static inline int secm_load(const int *p)
{
	return *(const volatile int *)p;
}

static inline void secm_store(int *p, int value)
{
	*(volatile int *)p = value;
}

/* Two who ask at the same time may both get it: of a signal, which nothing can
 * lock out, io/signals.c may make two then. */
static inline int secm_exchange(int *p, int value)
{
	const int before = secm_load(p);

	secm_store(p, value);
	return before;
}

static inline uint32_t secm_peek(const uint32_t *p)
{
	return *(const volatile uint32_t *)p;
}

static inline void secm_poke(uint32_t *p, uint32_t value)
{
	*(volatile uint32_t *)p = value;
}

static inline unsigned secm_ctz64(uint64_t x)
{
	unsigned n = 0;

	while (!(x & 1)) {
		x >>= 1;
		n++;
	}
	return n;
}

static inline unsigned secm_log2(uint64_t x)
{
	unsigned n = 0;

	while (x >>= 1)
		n++;
	return n;
}
#endif

/* A number below n out of the upper half of 64 random bits.  pre: n < 2^32 */
static inline uint64_t secm_scale(uint64_t random, uint64_t n)
{
	return (random >> 32) * n >> 32;
}

#endif /* SECM_COMPAT_H */
