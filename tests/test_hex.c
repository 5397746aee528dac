/* SPDX-License-Identifier: MIT */
/*
 * test_hex.c - hexadecimal digits: every digit, every other character
 */
#include "t_api.h"

#include <stdio.h>

#include "ksft.h"
#include "t_util.h"

TA_TIERS(hex);

/* What the C library says of a character; -1: it is no digit. */
static int reference(int c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at;

	if (c >= 'A' && c <= 'F')
		c += 'a' - 'A';
	at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

TEST(every_byte_is_written)
{
	unsigned char byte;
	char hex[3], want[3];
	int i;

	for (i = 0; i < 256; i++) {
		byte = (unsigned char)i;
		memset(hex, 'x', sizeof(hex));
		ASSERT_EQ(0, secmalloc_to_hex(hex, sizeof(hex), &byte, 1));
		(void)snprintf(want, sizeof(want), "%02x", (unsigned)i);
		EXPECT_STREQ(want, hex);
	}
}

TEST(every_pair_of_characters_is_read_or_refused)
{
	int high, low;

	for (high = 0; high < 256; high++)
		for (low = 0; low < 256; low++) {
			char hex[2] = { (char)high, (char)low };
			int h = reference(high), l = reference(low);
			unsigned char byte = 0xa5;

			errno = 0;
			if (h >= 0 && l >= 0) {
				ASSERT_EQ(0,
					  secmalloc_from_hex(&byte, 1, hex, 2));
				ASSERT_EQ(h * 16 + l, byte);
				continue;
			}
			ASSERT_EQ(-1, secmalloc_from_hex(&byte, 1, hex, 2));
			ASSERT_EQ(EINVAL, errno);
			ASSERT_EQ(0, byte);
		}
}

TEST(one_bad_character_anywhere_is_refused)
{
	char hex[201];
	unsigned char bytes[100];
	size_t i;

	t_fill(bytes, sizeof(bytes), 1);
	ASSERT_EQ(0, secmalloc_to_hex(hex, sizeof(hex), bytes, sizeof(bytes)));
	for (i = 0; i < 200; i++) {
		char was = hex[i];

		hex[i] = 'g';
		t_fill(bytes, sizeof(bytes), 1);
		ASSERT_EQ(-1, secmalloc_from_hex(bytes, 100, hex, 200));
		ASSERT_EQ(EINVAL, errno);
		ASSERT_TRUE(ta_holds(bytes, sizeof(bytes), 0));
		hex[i] = was;
	}
	ASSERT_EQ(0, secmalloc_from_hex(bytes, 100, hex, 200));
	EXPECT_TRUE(t_is_filled(bytes, sizeof(bytes), 1));
}

TEST(room_is_respected)
{
	unsigned char bytes[4] = { 1, 2, 3, 4 };
	char hex[12];

	memset(hex, 'x', sizeof(hex));
	EXPECT_EQ(-1, secmalloc_to_hex(hex, 8, bytes, 4));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ('x', hex[0]);
	EXPECT_EQ(0, secmalloc_to_hex(hex, 9, bytes, 4));
	EXPECT_STREQ("01020304", hex);
	EXPECT_EQ('x', hex[9]);
	EXPECT_EQ(-1, secmalloc_to_hex(hex, 0, bytes, 0));
	EXPECT_EQ(0, secmalloc_to_hex(hex, 1, NULL, 0));
	EXPECT_STREQ("", hex);
	EXPECT_EQ(-1, secmalloc_to_hex(hex, 12, bytes, SIZE_MAX));
	EXPECT_EQ(-1, secmalloc_to_hex(hex, 12, bytes, SIZE_MAX / 2 + 1));
	EXPECT_EQ(-1, secmalloc_to_hex(hex, SIZE_MAX, NULL, 1));
	EXPECT_EQ(-1, secmalloc_to_hex(NULL, 12, bytes, 4));
	EXPECT_EQ(-1, secmalloc_from_hex(bytes, 3, "0a0b0c0d", 8));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, secmalloc_from_hex(bytes, 4, "0a0b0c0", 7));
	EXPECT_EQ(-1, secmalloc_from_hex(bytes, 4, NULL, 8));
	EXPECT_EQ(-1, secmalloc_from_hex(NULL, 4, "0a0b0c0d", 8));
	EXPECT_EQ(1, bytes[0]); /* nothing was written */
	EXPECT_EQ(0, secmalloc_from_hex(bytes, 4, "0a0B", 4));
	EXPECT_EQ(0x0a, bytes[0]);
	EXPECT_EQ(0x0b, bytes[1]);
	EXPECT_EQ(3, bytes[2]);
	EXPECT_EQ(0, secmalloc_from_hex(NULL, 0, NULL, 0));
}

TEST_F(hex, of_buffers_stays_in_secret_memory)
{
	secmalloc_buf *a = secmalloc_buf_from_hex(NULL, "00fF7a", 6), *b;
	secmalloc_buf *none = secmalloc_buf_from_hex(NULL, NULL, 0);
	char *hex = secmalloc_buf_to_hex(NULL, a);

	ASSERT_NOT_NULL(a);
	ASSERT_NOT_NULL(none);
	EXPECT_EQ(3, secmalloc_buf_size(a));
	EXPECT_EQ(1, secmalloc_buf_equal_bytes(a, "\x00\xff\x7a", 3));
	EXPECT_STREQ("00ff7a", hex);
	EXPECT_EQ(1, secmalloc_owns(hex));
	EXPECT_EQ(7, secmalloc_usable_size(hex));
	b = secmalloc_buf_from_hex(NULL, hex, strlen(hex));
	EXPECT_EQ(1, secmalloc_buf_equal(a, b));
	secfree(hex);
	hex = secmalloc_buf_to_hex(NULL, none);
	EXPECT_STREQ("", hex);
}

TEST_F(hex, bad_digits_make_no_buffer)
{
	size_t before = ta_report().objects;

	errno = 0;
	EXPECT_NULL(secmalloc_buf_from_hex(NULL, "00f", 3));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_NULL(secmalloc_buf_from_hex(NULL, "00fx", 4));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_NULL(secmalloc_buf_from_hex(NULL, NULL, 4));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(before, ta_report().objects);
}
