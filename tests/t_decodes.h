/* SPDX-License-Identifier: MIT */
/*
 * t_decodes.h - a text, and the bytes that are wanted of it
 *
 * For the tests of decoders; the fuzzer has t_decode.h alone, and no harness.
 */
#ifndef T_DECODES_H
#define T_DECODES_H

#include <string.h>

#include "ksft.h"
#include "t_decode.h"

/* 0 or an errno; the result is compared with what is wanted. */
static inline int td_decodes(const struct td_text *t, const char *want)
{
	char bytes[800];
	size_t got = 0;
	int e = td_decode(t, bytes, sizeof(bytes), &got);

	EXPECT_STREQ(NULL, td_complaint(t))
	{
		TH_LOG("%s", t->text);
	}
	if (e == 0) {
		EXPECT_EQ(strlen(want), got)
		{
			TH_LOG("%s", t->text);
		}
		EXPECT_EQ(0, memcmp(want, bytes, got))
		{
			TH_LOG("%s", t->text);
		}
	}
	return e;
}

#endif /* T_DECODES_H */
