/* SPDX-License-Identifier: MIT */
/*
 * x86.c - which registers an x86 has, and clearing them
 *
 * Callers: enter.c, wipe.c; secm_arch_switch().  State: set once, to values that
 * do not change.
 *
 * In a virtual machine each CPUID goes to the one below and takes microseconds.
 * So nothing is asked when the library is loaded, as the compiler's own
 * __builtin_cpu_supports() has it, and nothing twice.
 */
#include "arch.h"

#ifdef SECM_ARCH_X86
#include <cpuid.h>

/* Parts of the state that XSAVE knows.  Left out is what are no registers for
 * data: protection keys, bounds. */
enum {
	PART_X87 = 1 << 0,
	PART_SSE = 1 << 1,
	PART_AVX = 1 << 2,
	PART_MASKS = 1 << 5,	/* k0 to k7 */
	PART_UPPER = 1 << 6,	/* the upper halves of zmm0 to zmm15 */
	PART_MORE = 1 << 7,	/* zmm16 to zmm31 */
	PART_TILECFG = 1 << 17, /* AMX */
	PART_TILES = 1 << 18,
	PART_R16 = 1 << 19, /* APX: r16 to r31 */
	PARTS = PART_X87 | PART_SSE | PART_AVX | PART_MASKS | PART_UPPER |
		PART_MORE | PART_TILECFG | PART_TILES | PART_R16
};

/* What FXRSTOR and XRSTOR load; the words of the header that say which parts
 * are not initial are 0. */
struct state {
	uint16_t fcw, fsw;
	uint32_t ftw, ip[4], mxcsr, mxcsr_mask;
	uint8_t registers[480], header[64];
} __attribute__((__aligned__(64)));
SECM_STATIC_ASSERT(sizeof(struct state) == 576);
SECM_STATIC_ASSERT(offsetof(struct state, mxcsr) == 24);

static const struct state initial = { .fcw = 0x37f, .mxcsr = 0x1f80 };

static int parts, can_tell, known, has_state;

SECM_LOCAL void secm_x86_clear(const void *state, unsigned which, int tells);

/* XGETBV, of which older assemblers have not heard. */
static unsigned enabled(void)
{
	unsigned low, high;

	__asm__ volatile(".byte 0x0f, 0x01, 0xd0"
			 : "=a"(low), "=d"(high)
			 : "c"(0));
	return low;
}

void secm_arch_init(int vectors)
{
	unsigned a, b, c, d;

	(void)vectors;
	if (secm_load(&known))
		return;
	if (__get_cpuid(1, &a, &b, &c, &d)) {
		has_state = (d & bit_FXSAVE) && (d & bit_SSE);
		if (c & bit_OSXSAVE)
			parts = (int)(enabled() & PARTS);
	}
	/* Whoever has tiles can tell; they must not be touched by a process
	 * that was not given them. */
	if (parts && __get_cpuid_count(0xd, 1, &a, &b, &c, &d))
		can_tell = (a & 4) != 0;
	if (!can_tell)
		parts &= ~(PART_TILECFG | PART_TILES);
	secm_store(&known, 1);
}

/* AVX2, and that the system keeps its registers. */
static int ask_wide(void)
{
	unsigned a, b, c, d;

	if (__get_cpuid_max(0, 0) < 7)
		return 0;
	__cpuid(1, a, b, c, d);
	if (!(c & bit_OSXSAVE) ||
	    (enabled() & (PART_SSE | PART_AVX)) != (PART_SSE | PART_AVX))
		return 0;
	__cpuid_count(7, 0, a, b, c, d);
	return (b & bit_AVX2) != 0;
}

int secm_arch_wide;

int secm_arch_ask_wide(void)
{
	const int wide = ask_wide();

	secm_store(&secm_arch_wide, 1 + wide);
	return wide;
}

/* A processor without these instructions has no vectors. */
void secm_arch_clear(void)
{
	if (has_state)
		secm_x86_clear(&initial, (unsigned)parts, can_tell);
}
#else
typedef int secm_other_arch;
#endif
