/* SPDX-License-Identifier: MIT */
/*
 * test_canary.c - canary.h, canary.c and vault.c: the allocator's own secrets
 *
 * Where they must not be is the subject of test_copies.c.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdlib.h>
#include <string.h>

#include "canary.h"
#include "ksft.h"
#include "size.h"
#include "t_util.h"

static void make_vault(struct secm_vault *vault)
{
	ASSERT_EQ(0, secm_vault_fill(vault));
}

static int zero_bytes(uint64_t x)
{
	int i, n = 0;

	for (i = 0; i < 64; i += 8)
		n += (x >> i & 0xff) == 0;
	return n;
}

TEST(no_byte_of_a_canary_is_zero)
{
	struct secm_vault vault;
	int round, i;

	for (round = 0; round < 20; round++) {
		make_vault(&vault);
		for (i = 0; i < 5000; i++)
			ASSERT_EQ(0, zero_bytes(secm_canary(
				&vault, (void *)(uintptr_t)ksft_random())));
	}
	memset(vault.canary_key, 0, sizeof(vault.canary_key)); /* the worst */
	for (i = 0; i < 5000; i++)
		ASSERT_EQ(0, zero_bytes(secm_canary(
			&vault, (void *)((uintptr_t)i * 16))));
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

TEST(each_slot_has_its_own_canary)
{
	enum { SLOTS = 65536 };
	static uint64_t canary[SLOTS];
	struct secm_vault vault;
	uintptr_t base = (uintptr_t)1 << 30;
	size_t i, same = 0;

	make_vault(&vault);
	for (i = 0; i < SLOTS; i++)
		canary[i] = secm_canary(&vault, (void *)(base + i * 16));
	qsort(canary, SLOTS, sizeof(canary[0]), ascending);
	for (i = 1; i < SLOTS; i++)
		same += canary[i] == canary[i - 1];
	EXPECT_EQ(0, same);
}

TEST(each_process_has_its_own_canaries)
{
	struct secm_vault a, b;
	int i;

	make_vault(&a);
	make_vault(&b);
	EXPECT_NE(0, memcmp(&a, &b, sizeof(a)));
	for (i = 0; i < 100; i++)
		EXPECT_NE(secm_canary(&a, (void *)((uintptr_t)i * 16)),
			  secm_canary(&b, (void *)((uintptr_t)i * 16)));
	EXPECT_EQ(secm_canary(&a, &b), secm_canary(&a, &b));
}

enum { ROOM = 64, LONGEST = 40 };

/* Every change of a bit in [from, from + n), and no change beside it. */
static void check_each_bit(char *from, size_t n, uint64_t canary)
{
	char *p;
	int bit;

	for (p = from - 8; p < from + n + 8; p++)
		for (bit = 0; bit < 8; bit++) {
			int in = p >= from && p < from + n;

			*p = (char)(*p ^ 1 << bit);
			ASSERT_EQ(!in, secm_canary_whole(from, from + n,
							 canary));
			*p = (char)(*p ^ 1 << bit);
		}
}

TEST(every_changed_bit_at_every_place_and_length_is_seen)
{
	static char room[8 + 8 + LONGEST + ROOM];
	struct secm_vault vault;
	uint64_t canary;
	size_t at, n;

	make_vault(&vault);
	canary = secm_canary(&vault, room);
	for (at = 0; at < 8; at++)
		for (n = 0; n <= LONGEST; n++) {
			char *from = room + 8 + at;

			memset(room, 0, sizeof(room));
			secm_canary_fill(from, from + n, canary);
			ASSERT_EQ(1, secm_canary_whole(from, from + n,
						       canary));
			ASSERT_TRUE(t_holds(room, (size_t)(from - room), 0));
			ASSERT_TRUE(t_holds(from + n, ROOM / 2, 0));
			ASSERT_EQ(NULL, memchr(from, 0, n));
			check_each_bit(from, n, canary);
		}
}

TEST(a_byte_of_the_canary_depends_on_its_address_alone)
{
	static char whole[64], part[64];
	struct secm_vault vault;
	uint64_t canary;
	size_t from, end;

	make_vault(&vault);
	canary = secm_canary(&vault, whole);
	secm_canary_fill(whole, whole + 64, canary);
	for (from = 0; from < 64; from++)
		for (end = from; end <= 64; end++) {
			size_t skew = ((uintptr_t)part - (uintptr_t)whole) % 8;

			if (skew)
				SKIP(return, "arrays are not aligned alike");
			memset(part, 0, sizeof(part));
			secm_canary_fill(part + from, part + end, canary);
			ASSERT_EQ(0, memcmp(part + from, whole + from,
					    end - from));
			ASSERT_EQ(1, secm_canary_whole(whole + from,
						       whole + end, canary));
		}
}

/* The quick ways of caches are the same as those for any range: from nothing
 * but zeros, and whatever is before and behind them. */
enum { KINDS = 3 };
static const size_t most_of[KINDS] = { SECM_SLACK_TINY, SECM_SLACK_SMALL,
				       SECM_SLOT_MAX };

/* The third argument has to be a constant. */
static void lay(int kind, char *end, size_t slack, uint64_t canary)
{
	if (kind == 0)
		secm_canary_lay(end, slack, SECM_SLACK_TINY, canary);
	else if (kind == 1)
		secm_canary_lay(end, slack, SECM_SLACK_SMALL, canary);
	else
		secm_canary_lay(end, slack, SECM_SLOT_MAX, canary);
}

static int stands(int kind, const char *end, size_t slack, uint64_t canary)
{
	if (kind == 0)
		return secm_canary_stands(end, slack, SECM_SLACK_TINY, canary);
	if (kind == 1)
		return secm_canary_stands(end, slack, SECM_SLACK_SMALL, canary);
	return secm_canary_stands(end, slack, SECM_SLOT_MAX, canary);
}

enum { MOST_SLACK = 100, AROUND = 16 };

static void check_slack(int kind, size_t slack, uint64_t canary)
{
	static union {
		uint64_t aligned;
		char bytes[AROUND + MOST_SLACK / 8 * 8 + 8 + AROUND];
	} quick, slow;
	const size_t to = sizeof(quick.bytes) - AROUND;
	char *end = quick.bytes + to, *other = slow.bytes + to;
	size_t i;

	memset(&quick, 0, sizeof(quick));
	memset(&slow, 0, sizeof(slow));
	lay(kind, end, slack, canary);
	secm_canary_fill(other - slack, other, canary);
	ASSERT_EQ(0, memcmp(&quick, &slow, sizeof(slow)));
	for (i = 0; i < 8 * sizeof(quick.bytes); i++) {
		char *p = quick.bytes + i / 8;
		int in = p >= end - slack && p < end;

		*p = (char)(*p ^ 1 << i % 8);
		ASSERT_EQ(!in, stands(kind, end, slack, canary));
		*p = (char)(*p ^ 1 << i % 8);
	}
	memset(quick.bytes, 0x5a, to - slack);
	ASSERT_EQ(1, stands(kind, end, slack, canary));
}

TEST(the_canary_of_a_slot_is_laid_and_checked_as_that_of_a_range)
{
	struct secm_vault vault;
	size_t slack;
	int kind;

	make_vault(&vault);
	for (kind = 0; kind < KINDS; kind++)
		for (slack = SECM_CANARY_MIN;
		     slack <= MOST_SLACK && slack <= most_of[kind]; slack++)
			check_slack(kind, slack, secm_canary(&vault, &vault));
}

TEST(random_numbers_do_not_repeat_and_use_all_bits)
{
	enum { NUMBERS = 20000 };
	static uint64_t number[NUMBERS];
	uint64_t ones = 0, zeros = 0;
	struct secm_vault vault;
	size_t i, set = 0, bit;

	make_vault(&vault);
	for (i = 0; i < NUMBERS; i++) {
		number[i] = secm_rng_next(vault.rng);
		ones |= number[i];
		zeros |= ~number[i];
		for (bit = 0; bit < 64; bit++)
			set += number[i] >> bit & 1;
	}
	EXPECT_EQ(~UINT64_C(0), ones);
	EXPECT_EQ(~UINT64_C(0), zeros);
	EXPECT_GT(set, NUMBERS * 64 * 49 / 100);
	EXPECT_LT(set, NUMBERS * 64 * 51 / 100);
	qsort(number, NUMBERS, sizeof(number[0]), ascending);
	for (i = 1; i < NUMBERS; i++)
		ASSERT_NE(number[i - 1], number[i]);
}
