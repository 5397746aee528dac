/* SPDX-License-Identifier: MIT */
/*
 * annotate.c - what memcheck and AddressSanitizer are told
 *
 * Callers: the inline functions of annotate.h, under the heap's lock, and only
 * while one of the two watches.  State: set once, at the first setup.
 *
 * Valgrind's client requests are a few instructions that do nothing on a
 * processor; they come from a header alone and link with nothing.  ASan's
 * functions are weak references: who links an instrumented program brings them
 * along, so that the ordinary library serves such programs, too.
 *
 * ASan can close the end of 8 aligned bytes, not their beginning.  Objects
 * begin at multiples of 16, so that is exact to the byte; where an alignment
 * below 8 was asked for up to 7 bytes before an object stay open.
 */
#include "annotate.h"

struct watcher {
	void (*alloc)(void *p, size_t size);
	void (*gone)(void *p, size_t size);
	void (*resize)(void *p, size_t old, size_t size);
	void (*open)(void *p, size_t size);
	void (*close)(void *p, size_t size);
	void (*region)(void *p, size_t size);
	void (*metadata)(void *p, size_t size);
	void (*enter)(void);
	void (*leave)(void);
	unsigned (*stack)(void *p, size_t size);
	void (*unstack)(unsigned id);
};

int secm_watched;
static const struct watcher *watcher; /* valid while secm_watched */

static void SECM_UNUSED no_range(void *p, size_t size)
{
	(void)p;
	(void)size;
}

static void SECM_UNUSED nothing(void)
{
}

static unsigned SECM_UNUSED no_stack(void *p, size_t size)
{
	no_range(p, size);
	return 0;
}

static void SECM_UNUSED no_unstack(unsigned id)
{
	(void)id;
}

#ifdef HAVE_VALGRIND
#include <valgrind/memcheck.h>

/* Objects start as zeros, and the header says so: they count as defined. */
static void memcheck_alloc(void *p, size_t size)
{
	VALGRIND_MALLOCLIKE_BLOCK(p, size, 0, 1);
}

static void memcheck_free(void *p, size_t size)
{
	(void)size; /* it knows */
	VALGRIND_FREELIKE_BLOCK(p, 0);
}

static void memcheck_open(void *p, size_t size)
{
	(void)VALGRIND_MAKE_MEM_DEFINED(p, size);
}

static void memcheck_close(void *p, size_t size)
{
	(void)VALGRIND_MAKE_MEM_NOACCESS(p, size);
}

/* Bytes that the program left undefined stay so; added ones are zeros.  A block
 * may have 0 bytes, but not by a resize. */
static void memcheck_resize(void *p, size_t old, size_t size)
{
	if (size == 0) {
		VALGRIND_FREELIKE_BLOCK(p, 0);
		VALGRIND_MALLOCLIKE_BLOCK(p, 0, 0, 1);
		return;
	}
	VALGRIND_RESIZEINPLACE_BLOCK(p, old, size, 0);
	if (size > old)
		memcheck_open((char *)p + old, size - old);
}

/* The leak search takes an address that lies anywhere in accessible memory for
 * a way to the object there.  So our own notes are closed, too, and memcheck is
 * not to mind what a thread that has the lock does. */
static void memcheck_enter(void)
{
	VALGRIND_DISABLE_ERROR_REPORTING;
}

static void memcheck_leave(void)
{
	VALGRIND_ENABLE_ERROR_REPORTING;
}

static unsigned memcheck_stack(void *p, size_t size)
{
	return VALGRIND_STACK_REGISTER(p, (char *)p + size - 1);
}

static void memcheck_unstack(unsigned id)
{
	VALGRIND_STACK_DEREGISTER(id);
}

/* Other tools of valgrind do not answer, and have nothing to gain from us. */
static const struct watcher *in_memcheck(void)
{
	static const struct watcher memcheck = {
		.alloc = memcheck_alloc,
		.gone = memcheck_free,
		.resize = memcheck_resize,
		.open = memcheck_open,
		.close = memcheck_close,
		.region = no_range,
		.metadata = memcheck_close,
		.enter = memcheck_enter,
		.leave = memcheck_leave,
		.stack = memcheck_stack,
		.unstack = memcheck_unstack,
	};

	const char byte = 0;
	char bits;

	return VALGRIND_GET_VBITS(&byte, &bits, 1) == 1 ? &memcheck : NULL;
}
#else
static const struct watcher *in_memcheck(void)
{
	return NULL;
}
#endif

#if defined(__ELF__) && (defined(__GNUC__) || defined(__clang__))
#define WEAK __attribute__((__weak__))
void __asan_poison_memory_region(const volatile void *p, size_t size) WEAK;
void __asan_unpoison_memory_region(const volatile void *p, size_t size) WEAK;
int __asan_address_is_poisoned(const volatile void *p) WEAK;
void __lsan_register_root_region(const void *p, size_t size) WEAK;

static void asan_open(void *p, size_t size)
{
	__asan_unpoison_memory_region(p, size);
}

static void asan_close(void *p, size_t size)
{
	__asan_poison_memory_region(p, size);
}

static void asan_resize(void *p, size_t old, size_t size)
{
	if (size > old)
		asan_open(p, size);
	else
		asan_close((char *)p + size, old - size);
}

/* ASan's leak search looks into mappings only where it is told to, and skips
 * what cannot be read. */
static void asan_region(void *p, size_t size)
{
	if (__lsan_register_root_region)
		__lsan_register_root_region(p, size);
}

/* With allow_user_poisoning=0 in its options it does not want to be told. */
static const struct watcher *in_asan(void)
{
	static const struct watcher asan = {
		.alloc = asan_open,
		.gone = asan_close,
		.resize = asan_resize,
		.open = asan_open,
		.close = asan_close,
		.region = asan_region,
		.metadata = no_range,
		.enter = nothing,
		.leave = nothing,
		.stack = no_stack,
		.unstack = no_unstack,
	};

	static uint64_t probe;
	int closes;

	if (!__asan_poison_memory_region || !__asan_unpoison_memory_region ||
	    !__asan_address_is_poisoned)
		return NULL;
	asan_close(&probe, sizeof(probe));
	closes = __asan_address_is_poisoned(&probe);
	asan_open(&probe, sizeof(probe));
	return closes ? &asan : NULL;
}
#else
static const struct watcher *in_asan(void)
{
	return NULL;
}
#endif

void secm_annotate_init(void)
{
	watcher = in_memcheck();
	if (!watcher)
		watcher = in_asan();
	secm_watched = watcher != NULL;
}

void secm_watch_alloc(void *p, size_t size)
{
	watcher->alloc(p, size);
}

void secm_watch_free(void *p, size_t size)
{
	watcher->gone(p, size);
}

void secm_watch_resize(void *p, size_t old, size_t size)
{
	watcher->resize(p, old, size);
}

void secm_watch_open(void *p, size_t size)
{
	watcher->open(p, size);
}

void secm_watch_close(void *p, size_t size)
{
	watcher->close(p, size);
}

void secm_watch_region(void *p, size_t size)
{
	watcher->region(p, size);
}

void secm_watch_enter(void)
{
	watcher->enter();
}

void secm_watch_leave(void)
{
	watcher->leave();
}

unsigned secm_watch_stack(void *p, size_t size)
{
	return watcher->stack(p, size);
}

void secm_watch_unstack(unsigned id)
{
	watcher->unstack(id);
}

void secm_watch_metadata(void *p, size_t size)
{
	watcher->metadata(p, size);
}
