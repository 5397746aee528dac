/* SPDX-License-Identifier: MIT */
/*
 * canary.c - canaries over ranges of any length and alignment
 *
 * Callers: run.c and parts.c, under the heap's lock.  No state.
 */
#include "canary.h"

enum { WORD = SECM_CANARY_WORD };

static size_t phase(const char *p)
{
	return (uintptr_t)p % WORD;
}

void secm_canary_fill(char *from, char *end, uint64_t canary)
{
	char bytes[WORD];

	memcpy(bytes, &canary, WORD);
	for (; from < end && phase(from); from++)
		*from = bytes[phase(from)];
	for (; end - from >= WORD; from += WORD)
		memcpy(from, &canary, WORD);
	for (; from < end; from++)
		*from = bytes[phase(from)];
}

int secm_canary_whole(const char *from, const char *end, uint64_t canary)
{
	char bytes[WORD];
	uint64_t word, diff = 0;

	memcpy(bytes, &canary, WORD);
	for (; from < end && phase(from); from++)
		diff |= (uint64_t)(*from ^ bytes[phase(from)]);
	for (; end - from >= WORD; from += WORD) {
		memcpy(&word, from, WORD);
		diff |= word ^ canary;
	}
	for (; from < end; from++)
		diff |= (uint64_t)(*from ^ bytes[phase(from)]);
	return diff == 0;
}
