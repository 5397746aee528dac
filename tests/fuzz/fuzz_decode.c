/* SPDX-License-Identifier: MIT */
/*
 * fuzz_decode.c - any bytes as text for a decoder
 *
 * Built by fuzz.sh with libFuzzer, and into tests/test_fuzz_decode, which needs
 * no other compiler.  The first byte says which decoder it is and whether a
 * label is asked for; the rest is the text.  In the corpus it is a digit:
 *
 *	0 4	base64		3	PEM, any label
 *	1 5	base64url	7	PEM, label KEY
 *	2 6	hexadecimal
 *
 * Ends the process by SIGABRT if something does not hold that has to hold.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "t_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct td_text t;
	const char *bad;
	size_t i;

	if (size == 0)
		return 0;
	t.kind = (enum td_kind)(data[0] & 3);
	t.text = (const char *)data + 1;
	t.length = size - 1;
	t.label = data[0] & 4 ? "KEY" : NULL;
	bad = td_complaint(&t);
	if (!bad)
		return 0;
	(void)fprintf(stderr, "does not hold: %s\nby the input \"", bad);
	for (i = 0; i < size; i++)
		(void)fprintf(stderr,
			      data[i] < 32 || data[i] > 126 ? "\\%03o" : "%c",
			      data[i]);
	(void)fprintf(stderr, "\"\n");
	abort();
}
