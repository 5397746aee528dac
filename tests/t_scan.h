/* SPDX-License-Identifier: MIT */
/*
 * t_scan.h - is a secret anywhere in this process's other memory?
 *
 * Reads all that /proc/self/maps calls readable through /proc/self/mem: heaps,
 * stacks of all threads down to their ends, variables, libraries' buffers, what
 * was freed.  The secret is named by how its bytes are computed, so looking for
 * it makes no copy of it; nor does the scan allocate, which could write over
 * what it is to find.
 *
 * Bytes of live objects of the library, of the segment and of secret stacks do
 * not count: that is where the secret belongs.  Memory from memfd_secret(2)
 * cannot be read that way at all.
 */
#ifndef T_SCAN_H
#define T_SCAN_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "ksft.h"

#include <stddef.h>

/* Byte number i of the secret that seed names: ti_byte() or the like. */
typedef unsigned char ti_sequence(size_t i, unsigned seed);

#ifdef KSFT_SANITIZED
#define TI_BLIND "sanitizer build: its memory is too large to be searched"
#else
#define TI_BLIND "memory cannot be read here"
#endif

/* A find is that many bytes of the secret one after the other, or all of one
 * that is shorter. */
#define TI_PIECE 12

/* The places where a piece of the first size bytes is: of more than 4096 pieces
 * 4096 evenly spread ones are looked for.  -1 where the system does not show
 * memory. */
int ti_places(ti_sequence *byte, size_t size, unsigned seed);

/* Logs where the first of them are. */
void ti_log_places(void);

#define TI_PLACES_(op, byte, size, seed)                      \
	do {                                                  \
		int ti_places_ = ti_places(byte, size, seed); \
                                                              \
		if (ti_places_ < 0)                           \
			SKIP(return, TI_BLIND);               \
		op(0, ti_places_)                             \
		{                                             \
			ti_log_places();                      \
		}                                             \
	} while (0)

/* The secret is in no other memory; and the control, that it is found. */
#define TI_IS_NOWHERE(byte, size, seed) TI_PLACES_(EXPECT_EQ, byte, size, seed)
#define TI_IS_SOMEWHERE(byte, size, seed) \
	TI_PLACES_(ASSERT_LT, byte, size, seed)

#endif /* T_SCAN_H */
