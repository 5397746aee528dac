/* SPDX-License-Identifier: MIT */
/*
 * test_call_registers.c - what registers hold when a function has returned
 *
 * One that fills all of them with a pattern is called directly, which is the
 * control, and on another stack; then they are stored at once, before any code
 * of a compiler runs.
 */
#include "t_api.h"

#include <pthread.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "ksft.h"
#include "t_registers.h"

#ifdef T_REGISTERS
enum { STACK = 65536 };
static char stack[STACK] __attribute__((__aligned__(64)));

#define PATTERN UINT64_C(0x5ec2e7a17ab1e5d3)
static const uint64_t pattern[8] = { PATTERN, PATTERN, PATTERN, PATTERN,
				     PATTERN, PATTERN, PATTERN, PATTERN };
static struct t_registers stored;
static struct secm_os_info info;

#ifdef SECM_ARCH_X86
#include <cpuid.h>

static uint64_t parts_of_cpu(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 0;
	__asm__ volatile(".byte 0x0f, 0x01, 0xd0" : "=a"(a), "=d"(d) : "c"(0));
	return a;
}

/* The image begins with control words, which are the caller's. */
enum { CONTROLS = 32, LEAST = 8 + 16 };
#else
static uint64_t parts_of_cpu(void)
{
	return (uint64_t)info.vectors;
}

enum { CONTROLS = 0, LEAST = 17 + 2 * 24 };
#endif

static struct t_fill fill;

/* Every register, whatever it is in, of which four bytes are the pattern's. */
static int patterns(const void *p, size_t size)
{
	const unsigned char *bytes = p;
	uint32_t word, half = (uint32_t)PATTERN;
	int n = 0;
	size_t i;

	for (i = 0; i + 4 <= size; i += 4) {
		memcpy(&word, bytes + i, 4);
		n += word == half || word == (uint32_t)(PATTERN >> 32);
	}
	return n;
}

static int count(void)
{
	return patterns(stored.general, sizeof(stored.general)) +
	       patterns(stored.vectors, sizeof(stored.vectors));
}

static void on_other_stack(void *arg)
{
	if (secm_arch_call(stack, STACK, t_fill_registers, arg) != 0)
		abort();
}

static void on_secret_stack(void *arg)
{
	if (secmalloc_call(t_fill_registers, arg, 0) != 0)
		abort();
}

static int after(void (*fn)(void *))
{
	memset(&stored, 0, sizeof(stored));
	stored.parts = fill.parts;
	t_store_registers(fn, &fill, &stored);
	return count();
}

static const char *set_up(void)
{
	struct secmalloc_config config = { .flags = SECMALLOC_BEST_EFFORT };

	secm_os_init(&info);
	secm_arch_init(info.vectors);
	fill.u.size_of_it = 0;
	fill.u.pattern = pattern;
	fill.parts = parts_of_cpu();
	if (CONTROLS > 0 && !fill.parts)
		return "registers cannot be stored here";
	return secmalloc_init(&config) == 0 ? NULL : "no memory";
}

TEST(registers_that_functions_need_not_keep_hold_nothing_of_fn)
{
	const char *why = set_up();
	int direct;

	if (why)
		SKIP(return, "%s", why);
	direct = after(t_fill_registers);
	EXPECT_GE(direct, LEAST);
	EXPECT_EQ(0, after(on_other_stack));
	EXPECT_EQ(0, after(on_secret_stack));
}

/* Whatever this processor has: in the image there is nothing but zeros and
 * what says so. */
TEST(vector_registers_are_as_they_are_in_a_new_process)
{
	const char *why = set_up();
	int direct, i, rest = 0;

	if (why)
		SKIP(return, "%s", why);
	direct = after(t_fill_registers);
	EXPECT_GT(direct, 0);
	(void)after(on_other_stack);
	for (i = CONTROLS; i < (int)sizeof(stored.vectors); i++)
		rest += stored.vectors[i] != 0 &&
			!(CONTROLS > 0 && i >= 512 && i < 576);
	if (CONTROLS > 0)
		EXPECT_EQ(0, rest);
	else
		EXPECT_LE(rest, 8 * 8); /* the caller's d8 to d15 */
}

#if defined(__GLIBC__)
static int in_cleanup;

static void nothing(void *arg)
{
	(void)arg;
}

static void clean(void *arg)
{
	t_store_registers(nothing, arg, &stored);
	in_cleanup = count();
}

/* Nobody between the two touches what the unwinder does not need. */
static void fill_and_exit(void *arg)
{
	t_fill_registers(arg);
	pthread_exit(NULL);
}

static void fill_and_be_cancelled(void *arg)
{
	(void)pthread_cancel(pthread_self());
	t_fill_registers(arg);
	pthread_testcancel();
}

struct thread {
	void (*end)(void *arg);
	int directly;
};

static void *run(void *arg)
{
	struct thread *t = arg;

	pthread_cleanup_push(clean, NULL);
	if (t->directly)
		t->end(&fill);
	else if (secmalloc_call(t->end, &fill, 262144) != 0)
		abort();
	pthread_cleanup_pop(0);
	return NULL;
}

static int in_cleanup_after(void (*end)(void *), int directly)
{
	struct thread t = { end, directly };
	pthread_t thread;

	memset(&stored, 0, sizeof(stored));
	stored.parts = fill.parts;
	in_cleanup = -1;
	if (pthread_create(&thread, NULL, run, &t) != 0 ||
	    pthread_join(thread, NULL) != 0)
		abort();
	return in_cleanup;
}

TEST(cleanup_handlers_find_nothing_of_fn_in_registers)
{
	const char *why = set_up();

	KSFT_SANITIZER_SKIP("threads end otherwise");
	if (why)
		SKIP(return, "%s", why);
	(void)in_cleanup_after(nothing, 1); /* loads the unwinder */
	EXPECT_EQ(0, in_cleanup_after(fill_and_exit, 0));
	EXPECT_EQ(0, in_cleanup_after(fill_and_be_cancelled, 0));
	if (in_cleanup_after(fill_and_exit, 1) == 0)
		SKIP(return, "control: the C library uses all registers");
	EXPECT_GT(in_cleanup_after(fill_and_be_cancelled, 1), 0);
}
#endif

#ifdef SECM_ARCH_X86
/* Rounding and masks belong to the caller. */
TEST(control_words_are_kept)
{
	const char *why = set_up();
	uint32_t mxcsr = 0x5f80, mxcsr_after = 0;
	uint16_t cw = 0x77f, cw_after = 0;

	if (why)
		SKIP(return, "%s", why);
	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" ::"m"(mxcsr), "m"(cw));
	on_other_stack(&fill);
	__asm__ volatile("stmxcsr %0\n\tfnstcw %1"
			 : "=m"(mxcsr_after), "=m"(cw_after));
	EXPECT_EQ(mxcsr, mxcsr_after & 0xffc0);
	EXPECT_EQ(cw, cw_after);
}
#endif
#else
TEST(registers_that_functions_need_not_keep_hold_nothing_of_fn)
{
	SKIP(return, "t_registers.S does not know this processor");
}
#endif
