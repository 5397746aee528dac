/* SPDX-License-Identifier: MIT */
/*
 * t_registers.h - fill all registers with a pattern; call, and store them
 *
 * For the processors that t_registers.S knows.
 */
#ifndef T_REGISTERS_H
#define T_REGISTERS_H

#include <stdint.h>

#if defined(__ELF__) &&                                \
	((defined(__x86_64__) && defined(__LP64__)) || \
	 (defined(__aarch64__) && defined(__LP64__)) || defined(__i386__))
#define T_REGISTERS 1
#endif

struct t_fill {
	union {
		const uint64_t *pattern; /* 64 bytes */
		uint64_t size_of_it;
	} u;
	uint64_t parts; /* x86: the words that XGETBV tells; aarch64: SVE */
};

struct t_registers {
	uint64_t general[18];
	uint64_t parts; /* aarch64: set before */
	uint64_t unused[45];
	unsigned char vectors[16384]; /* x86: the image of XSAVE */
} __attribute__((__aligned__(64)));

void t_fill_registers(void *fill);
void t_store_registers(void (*fn)(void *), void *arg, void *to);

#endif /* T_REGISTERS_H */
