/* SPDX-License-Identifier: MIT */
/*
 * canary.h - bytes around an object that must not change
 *
 * A canary is computed from the object's address and a key in the vault, so it
 * is stored nowhere but where it stands, and each slot has its own.  Byte i of
 * the canary stands at every address that is i modulo 8.
 */
#ifndef SECM_CANARY_H
#define SECM_CANARY_H

#include <stddef.h>
#include <string.h>

#include "vault.h"

enum { SECM_CANARY_WORD = 8 };

/* The canary of the object at that address: eight bytes, none of them zero, so
 * that a string's stray terminator changes it. */
static SECM_INLINE uint64_t secm_canary(const struct secm_vault *vault,
					const void *object)
{
	uint64_t x = (uint64_t)(uintptr_t)object ^ vault->canary_key[0];

	/* The first product is best in its upper half, and only that reaches
	 * every bit of the second. */
	x *= vault->canary_key[1];
	x = x >> 32 | x << 32;
	x *= vault->canary_key[2];
	return x | vault->canary_bits;
}

/* The word of canary that begins so many bytes before a multiple of 8: each
 * byte has its place. */
static SECM_INLINE uint64_t secm_canary_at(size_t before, uint64_t canary)
{
	static const uint16_t one = 1;
	unsigned turn = (unsigned)before * 8;

	SECM_OPAQUE(turn); /* or it is reduced to 6 bits before a rotation */
	if (*(const unsigned char *)&one) /* the first byte is the lowest */
		return canary << (turn & 63) | canary >> (-turn & 63);
	return canary >> (turn & 63) | canary << (-turn & 63);
}

static SECM_INLINE void secm_canary_put(char *p, uint64_t word)
{
	memcpy(p, &word, sizeof(word));
}

static SECM_INLINE uint64_t secm_canary_diff(const char *p, uint64_t word)
{
	uint64_t found;

	memcpy(&found, p, sizeof(found));
	return found ^ word;
}

/* Least and most slack that the functions below do without a branch. */
enum { SECM_SLACK_TINY = 23, SECM_SLACK_SMALL = 39 };

/*
 * Writes it over the `slack` bytes before end, and checks it there: 0 if whole.
 * Whole words count from the first byte, and the last word ends at the end.
 * Up to `most` bytes are done without a branch, some words twice: which there
 * are would be hard to predict.
 * pre: end is a multiple of 8, slack at least 8, most is constant
 */
static SECM_INLINE void secm_canary_lay(char *end, size_t slack, size_t most,
					uint64_t canary)
{
	char *from = end - slack;
	uint64_t word = secm_canary_at(slack, canary);
	size_t last = (slack / SECM_CANARY_WORD - 1) * SECM_CANARY_WORD;
	size_t at = last < SECM_CANARY_WORD ? last : SECM_CANARY_WORD;

	secm_canary_put(end - SECM_CANARY_WORD, canary);
	secm_canary_put(from, word);
	secm_canary_put(from + last, word);
	if (most <= SECM_SLACK_TINY)
		return;
	secm_canary_put(from + at, word);
	secm_canary_put(from + last - at, word);
	if (most <= SECM_SLACK_SMALL)
		return;
	while ((at += SECM_CANARY_WORD) < last)
		secm_canary_put(from + at, word);
}

static SECM_INLINE uint64_t secm_canary_wrong(const char *end, size_t slack,
					      size_t most, uint64_t canary)
{
	const char *from = end - slack;
	uint64_t word = secm_canary_at(slack, canary), diff;
	size_t last = (slack / SECM_CANARY_WORD - 1) * SECM_CANARY_WORD;
	size_t at = last < SECM_CANARY_WORD ? last : SECM_CANARY_WORD;

	diff = secm_canary_diff(from, word);
	diff |= secm_canary_diff(from + last, word);
	diff |= secm_canary_diff(end - SECM_CANARY_WORD, canary);
	if (most <= SECM_SLACK_TINY)
		return diff;
	diff |= secm_canary_diff(from + at, word);
	diff |= secm_canary_diff(from + last - at, word);
	if (most <= SECM_SLACK_SMALL)
		return diff;
	while ((at += SECM_CANARY_WORD) < last)
		diff |= secm_canary_diff(from + at, word);
	return diff;
}

static SECM_INLINE int secm_canary_stands(const char *end, size_t slack,
					  size_t most, uint64_t canary)
{
	return secm_canary_wrong(end, slack, most, canary) == 0;
}

/* The same for any range. */
void secm_canary_fill(char *from, char *end, uint64_t canary);
int secm_canary_whole(const char *from, const char *end, uint64_t canary);

#endif /* SECM_CANARY_H */
