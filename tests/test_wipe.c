/* SPDX-License-Identifier: MIT */
/*
 * test_wipe.c - wipe.c: zeroing that stays, comparing that tells nothing
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <string.h>
#include <unistd.h>

#include "ksft.h"
#include "secmalloc.h"
#include "size.h"
#include "t_util.h"
#include "wipe.h"

enum { MOST = 96 };

TEST(wipe_zeroes_its_bytes_and_no_others)
{
	unsigned char buf[2 * MOST];
	size_t from, n;

	for (from = 0; from < 17; from++)
		for (n = 0; n <= MOST; n++) {
			t_fill(buf, sizeof(buf), n);
			secm_wipe(buf + from, n);
			ASSERT_TRUE(t_holds(buf + from, n, 0));
			t_fill(buf + from, n, 1);
			secmalloc_wipe(buf + from, n);
			ASSERT_TRUE(t_holds(buf + from, n, 0));
			if (from > 0)
				ASSERT_NE(0, buf[from - 1]);
			ASSERT_NE(0, buf[from + n]);
		}
}

TEST(wipe_of_no_bytes_takes_any_pointer)
{
	secm_wipe(NULL, 0);
	secmalloc_wipe(NULL, 0);
	secmalloc_wipe((void *)1, 0);
}

/* Where the dead buffer of a function that has returned was. */
static uintptr_t grave;

static void nothing(void *p, size_t n)
{
	(void)p;
	(void)n;
}

static void (*volatile then)(void *, size_t);

static void __attribute__((__noinline__)) keep_secret(int wipe)
{
	char secret[256];

	t_fill(secret, sizeof(secret), 7);
	grave = (uintptr_t)secret;
	then(secret, sizeof(secret));
	if (wipe)
		secm_wipe(secret, sizeof(secret));
}

/* How many bytes of the secret still stand on the stack.  The kernel reads
 * them: to the compiler they are gone. */
static size_t left_behind(int wipe)
{
	unsigned char left[256], whole[256];
	size_t i, n = 0;
	int fd[2];

	t_fill(whole, sizeof(whole), 7);
	then = nothing;
	/* The first call of each would have the linker at work on the stack. */
	if (pipe(fd) != 0 || write(fd[1], whole, sizeof(left)) < 0 ||
	    read(fd[0], left, sizeof(left)) < 0)
		return sizeof(left) + 1;
	keep_secret(wipe);
	if (write(fd[1], (void *)grave, sizeof(left)) != sizeof(left) ||
	    read(fd[0], left, sizeof(left)) != sizeof(left))
		return sizeof(left) + 1;
	for (i = 0; i < sizeof(left); i++)
		n += left[i] == whole[i];
	return n;
}

TEST(wipe_of_a_buffer_that_nobody_reads_again_stays)
{
	KSFT_SANITIZER_SKIP("the stack of a function that has returned");
	if (left_behind(0) < 100)
		SKIP(return, "control: stack is used again at once");
	EXPECT_LT(left_behind(1), 10);
}

TEST(equal_finds_each_difference_at_each_place)
{
	unsigned char a[MOST], b[MOST];
	size_t n, i;
	int bit;

	t_fill(a, sizeof(a), 1);
	for (n = 0; n <= MOST; n++) {
		memcpy(b, a, sizeof(b));
		ASSERT_EQ(1, secm_equal(a, b, n));
		ASSERT_EQ(1, secmalloc_equal(a, b, n));
		for (i = 0; i < n; i++)
			for (bit = 0; bit < 8; bit++) {
				b[i] ^= (unsigned char)(1 << bit);
				ASSERT_EQ(0, secm_equal(a, b, n));
				ASSERT_EQ(0, secm_equal(b, a, n));
				b[i] ^= (unsigned char)(1 << bit);
			}
		if (n < MOST) {
			b[n] ^= 0x80; /* past the end: not looked at */
			ASSERT_EQ(1, secm_equal(a, b, n));
		}
	}
}

/* Differences must not cancel. */
TEST(equal_finds_many_differences)
{
	unsigned char a[MOST], b[MOST];
	size_t n;

	memset(a, 0, sizeof(a));
	memset(b, 0xff, sizeof(b));
	for (n = 1; n <= MOST; n++)
		EXPECT_EQ(0, secm_equal(a, b, n));
	memset(b, 0x80, sizeof(b));
	for (n = 1; n <= MOST; n++)
		EXPECT_EQ(0, secm_equal(a, b, n));
}

TEST(is_zero_finds_each_bit_at_each_place)
{
	unsigned char a[MOST + 16];
	size_t from, n, i;

	memset(a, 0, sizeof(a));
	for (from = 0; from < 9; from++)
		for (n = 0; n <= MOST; n++) {
			ASSERT_EQ(1, secm_is_zero(a + from, n));
			for (i = 0; i < n; i++) {
				a[from + i] = (unsigned char)(1 << i % 8);
				ASSERT_EQ(0, secm_is_zero(a + from, n));
				a[from + i] = 0;
			}
			a[from + n] = 1; /* past the end */
			ASSERT_EQ(1, secm_is_zero(a + from, n));
			a[from + n] = 0;
		}
}

/* Slots lie side by side: from a multiple of 16 to another. */
enum { LARGEST = SECM_SMALL_SLOT };
static union {
	long double aligned; /* to 16, or as far as this machine minds */
	unsigned char bytes[16 + LARGEST + 16 + 16];
} room;

static unsigned char *slot_room(void)
{
	uintptr_t at = (uintptr_t)room.bytes + 16;

	return (unsigned char *)(at + (16 - at % 16) % 16);
}

/* As a cache does it; the shape has to be a constant. */
static void wipe_slot(char *p, size_t n)
{
	uint16_t at[2];

	secm_pieces(n, at);
	if (n <= SECM_TINY_SLOT)
		secm_wipe_slot(p, n, at, SECM_SHAPE_TINY);
	else if (n <= SECM_MEDIUM_SLOT)
		secm_wipe_slot(p, n, at, SECM_SHAPE_SMALL);
	else
		secm_wipe_slot(p, n, at, SECM_SHAPE_MEDIUM);
}

static int slot_is_zero(const char *p, size_t n)
{
	uint16_t at[2];

	secm_pieces(n, at);
	if (n <= SECM_TINY_SLOT)
		return secm_slot_is_zero(p, n, at, SECM_SHAPE_TINY);
	if (n <= SECM_MEDIUM_SLOT)
		return secm_slot_is_zero(p, n, at, SECM_SHAPE_SMALL);
	return secm_slot_is_zero(p, n, at, SECM_SHAPE_MEDIUM);
}

TEST(a_slot_of_each_size_is_wiped_and_nothing_beside_it)
{
	unsigned char *slot = slot_room();
	size_t n;

	for (n = 16; n <= LARGEST; n += 16) {
		t_fill(room.bytes, sizeof(room.bytes), n);
		wipe_slot((char *)slot, n);
		ASSERT_TRUE(t_holds(slot, n, 0));
		ASSERT_EQ(NULL, memchr(room.bytes, 0,
				       (size_t)(slot - room.bytes)));
		ASSERT_EQ(NULL, memchr(slot + n, 0,
				       (size_t)(room.bytes +
						sizeof(room.bytes) -
						(slot + n))));
	}
}

TEST(each_bit_of_a_slot_of_each_size_is_seen_and_none_beside_it)
{
	unsigned char *slot = slot_room();
	size_t n, i;

	for (n = 16; n <= LARGEST; n += 16) {
		memset(room.bytes, 0, sizeof(room.bytes));
		ASSERT_EQ(1, slot_is_zero((char *)slot, n));
		for (i = 0; i < 8 * n; i++) {
			slot[i / 8] = (unsigned char)(1 << i % 8);
			ASSERT_EQ(0, slot_is_zero((char *)slot, n));
			slot[i / 8] = 0;
		}
		slot[-1] = slot[n] = 0xff;
		ASSERT_EQ(1, slot_is_zero((char *)slot, n));
	}
}

TEST(the_ends_of_a_range_are_looked_at_and_all_of_a_short_one)
{
	enum { LEN = 3000, END = 500 };
	static char p[LEN];
	size_t i, n;

	for (n = 0; n <= LEN; n += 100)
		for (i = 0; i < n; i++) {
			int seen = i < END || i >= n - END;

			p[i] = 1;
			ASSERT_EQ(!seen, secm_ends_are_zero(p, n, END));
			p[i] = 0;
		}
}

/* Long enough for wide registers, with every rest. */
TEST(a_byte_anywhere_in_a_long_range_is_seen)
{
	static char p[700];
	size_t i, n;

	for (n = 250; n < sizeof(p); n += 7) {
		ASSERT_EQ(1, secm_is_zero(p, n));
		for (i = 0; i < n; i++) {
			p[i] = (char)0x80;
			ASSERT_EQ(0, secm_is_zero(p, n));
			p[i] = 0;
		}
		p[n] = 1;
		ASSERT_EQ(1, secm_is_zero(p, n));
		p[n] = 0;
	}
}
