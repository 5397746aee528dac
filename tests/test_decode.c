/* SPDX-License-Identifier: MIT */
/*
 * test_decode.c - base64 and hexadecimal text into bytes, elsewhere and in place
 *
 * What has to hold for every text is td_complaint() of t_decode.h, which compares
 * with plain decoders; here are the texts, and what those decoders do not know.
 */
#include "t_io.h"

#include <stdlib.h>
#include <string.h>

#include "t_decodes.h"

TA_TIERS(decode);

enum { ODD_ERRNO = 4711, LENGTHS = 301, ROUNDS = 20000 };

static const char *const kinds[] = { "base64", "base64url", "hex" };

static struct td_text text_of(enum td_kind kind, const char *s)
{
	struct td_text t = { kind, s, strlen(s), NULL };

	return t;
}

static int decodes(enum td_kind kind, const char *s, const char *want)
{
	struct td_text t = text_of(kind, s);

	return td_decodes(&t, want);
}

TEST(vectors_of_the_rfc)
{
	static const char *const vectors[][3] = {
		{ "", "", "" },
		{ "f", "Zg==", "66" },
		{ "fo", "Zm8=", "666F" },
		{ "foo", "Zm9v", "666F6F" },
		{ "foob", "Zm9vYg==", "666F6F62" },
		{ "fooba", "Zm9vYmE=", "666F6F6261" },
		{ "foobar", "Zm9vYmFy", "666F6F626172" },
		{ "\x14\xfb\x9c\x03\xd9\x7e", "FPucA9l+", "14fb9C03D97e" },
		{ "\xff\xff\xfe", "///+", "FFfffe" },
	};
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		EXPECT_EQ(0, decodes(TD_BASE64, vectors[i][1], vectors[i][0]));
		EXPECT_EQ(0, decodes(TD_HEX, vectors[i][2], vectors[i][0]));
	}
	EXPECT_EQ(0, decodes(TD_URL, "FPucA9l-", "\x14\xfb\x9c\x03\xd9\x7e"));
	EXPECT_EQ(0, decodes(TD_URL, "___-", "\xff\xff\xfe"));
}

TEST(padding_is_strict)
{
	static const char *const bad[] = {
		"Zg",		"Zg=",	    "Zg===",	"Zm8",
		"Zm8==",	"Zm9v=",    "Zm9v====", "=",
		"==",		"====",	    "Z===",	"Z",
		"Zm9vZ",	"Zm9vZ===", "Zg=a",	"Zg==Zg==",
		"Z=g=",		"=Zg=",	    "Zm8=Zm8=", "Zm8=Zm9v",
		"Zh==",		"Zi==",	    "Zo==",	"Z/==",
		"Zm9=",		"Zm+=",	    "Zm/=",	"Zm9vZm9vZx==",
		"Zm9vZm9vZm9=",
	};
	static const char *const url[] = { "Zg=", "Zg===", "Zm8==", "Z",   "Zh",
					   "Zm9", "=",	   "Zm9vZ", "Z===" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(EINVAL, decodes(TD_BASE64, bad[i], ""))
		{
			TH_LOG("%s", bad[i]);
		}
	for (i = 0; i < sizeof(url) / sizeof(url[0]); i++)
		EXPECT_EQ(EINVAL, decodes(TD_URL, url[i], ""))
		{
			TH_LOG("%s", url[i]);
		}
	EXPECT_EQ(0, decodes(TD_URL, "Zg", "f"));
	EXPECT_EQ(0, decodes(TD_URL, "Zg==", "f"));
	EXPECT_EQ(0, decodes(TD_URL, "Zm8", "fo"));
	EXPECT_EQ(0, decodes(TD_URL, "Zm9vYmE=", "fooba"));
}

TEST(white_space_is_skipped)
{
	EXPECT_EQ(0, decodes(TD_BASE64, " \t\n\v\f\r", ""));
	EXPECT_EQ(0, decodes(TD_BASE64, "\r\nZ m\t9\nv\v\f", "foo"));
	EXPECT_EQ(0, decodes(TD_BASE64, "Zm9vYg\r\n=\r\n=\r\n", "foob"));
	EXPECT_EQ(0, decodes(TD_URL, "Zm9vY g\n", "foob"));
	EXPECT_EQ(EINVAL, decodes(TD_BASE64, "Zm9vYg= \n", ""));
	EXPECT_EQ(0, decodes(TD_HEX, "\n66 6f\r\n6F\t", "foo"));
	EXPECT_EQ(0, decodes(TD_HEX, " \t\n\v\f\r", ""));
	EXPECT_EQ(EINVAL, decodes(TD_HEX, "66 6 f", ""));
	EXPECT_EQ(EINVAL, decodes(TD_HEX, "666", ""));
	EXPECT_EQ(EINVAL, decodes(TD_HEX, "66 6", ""));
	EXPECT_EQ(EINVAL, decodes(TD_HEX, "66:6f", ""));
	EXPECT_EQ(EINVAL, decodes(TD_HEX, "0x66", ""));
}

/* Not one for both: it would be another text for the same bytes. */
TEST(each_alphabet_has_its_own_last_digits)
{
	EXPECT_EQ(EINVAL, decodes(TD_URL, "FPucA9l+", ""));
	EXPECT_EQ(EINVAL, decodes(TD_URL, "///-", ""));
	EXPECT_EQ(EINVAL, decodes(TD_BASE64, "FPucA9l-", ""));
	EXPECT_EQ(EINVAL, decodes(TD_BASE64, "___+", ""));
}

/* Round trips: the encoders' text is valid, and stands for their bytes. */
TEST(every_length_comes_back)
{
	unsigned char bytes[LENGTHS], out[LENGTHS];
	size_t size, got;
	int kind;

	ti_fill(bytes, sizeof(bytes), 7);
	for (kind = TD_BASE64; kind <= TD_HEX; kind++)
		for (size = 0; size < LENGTHS; size++) {
			char *s =
				td_encode(kind, bytes, size,
					  size % 3 ? 4 * (size % 5) : 64, NULL);
			struct td_text t = text_of(kind, s);

			ASSERT_STREQ(NULL, td_complaint(&t))
			{
				TH_LOG("%s: %s", kinds[kind], s);
			}
			ASSERT_EQ(0, td_decode(&t, out, size, &got));
			ASSERT_EQ(size, got);
			ASSERT_EQ(0, memcmp(bytes, out, size));
			free(s);
		}
}

TEST(every_other_character_anywhere_is_refused)
{
	unsigned char bytes[16];
	int kind, c;
	size_t i;

	ti_fill(bytes, sizeof(bytes), 3);
	for (kind = TD_BASE64; kind <= TD_HEX; kind++) {
		char *s = td_encode(kind, bytes, sizeof(bytes), 0, NULL);
		struct td_text t = text_of(kind, s);
		int valid = 0;

		for (i = 0; i < t.length; i++) {
			char was = s[i];

			for (c = 0; c < 256; c++) {
				unsigned char out[17];
				size_t got;

				s[i] = (char)c;
				ASSERT_STREQ(NULL, td_complaint(&t))
				{
					TH_LOG("%s: %d at %zu", kinds[kind], c,
					       i);
				}
				valid += !td_decode(&t, out, 17, &got);
			}
			s[i] = was;
		}
		/* 21 digits, one that has only 2 bits, the first padding,
		 * which may be a digit of 4, and the second. */
		EXPECT_EQ(kind == TD_HEX ? 32 * 22 : 21 * 64 + 4 + 17 + 1,
			  valid)
		{
			TH_LOG("%s", kinds[kind]);
		}
		free(s);
	}
}

TEST(room_and_arguments_are_checked)
{
	char bytes[4] = "abc";
	size_t got = 99;

	EXPECT_EQ(-1, secmalloc_base64_decode(bytes, 2, &got, "Zm9v", 4));
	EXPECT_EQ(ERANGE, errno);
	EXPECT_EQ(3, got);
	EXPECT_STREQ("abc", bytes);
	EXPECT_EQ(-1, secmalloc_hex_decode(NULL, 0, &got, "Zm", 2));
	EXPECT_EQ(EINVAL, errno); /* not for want of room */
	EXPECT_EQ(-1, secmalloc_hex_decode(bytes, 4, NULL, "66", 2));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, secmalloc_hex_decode(NULL, 4, &got, "66", 2));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, secmalloc_hex_decode(bytes, 4, &got, NULL, 2));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_STREQ("abc", bytes);
	errno = ODD_ERRNO;
	EXPECT_EQ(0, secmalloc_hex_decode(NULL, 0, &got, NULL, 0));
	EXPECT_EQ(0, got);
	EXPECT_EQ(0, secmalloc_base64url_decode(NULL, 0, &got, "\n", 1));
	EXPECT_EQ(0, secmalloc_base64_decode(bytes, 4, &got, "Zm8=", 4));
	EXPECT_EQ(2, got);
	EXPECT_EQ(ODD_ERRNO, errno);
	EXPECT_EQ('c', bytes[2]);
}

/* Next to each other they may be, in the same place too; not in between. */
TEST(bytes_and_text_must_not_overlap_otherwise)
{
	char all[32];
	size_t at, got;

	for (at = 0; at <= 16; at++) {
		int apart = at == 8 || at <= 4 || at >= 12;

		memset(all, '6', sizeof(all));
		errno = 0;
		EXPECT_EQ(apart ? 0 : -1,
			  secmalloc_hex_decode(all + at, 4, &got, all + 8, 4));
		EXPECT_EQ(apart ? 0 : EINVAL, errno);
		EXPECT_EQ(apart ? 'f' : '6', all[at]);
	}
}

TEST_F(decode, in_place_only_the_bytes_are_left)
{
	static const char text[] = "Zm9v\nYmFy\nZm9vYmFyZm9vYmFyZm9vYg==\n";
	static const char want[] = "foobarfoobarfoobarfoob";
	const size_t length = strlen(text), size = strlen(want);
	char *p = secmalloc(length);
	size_t got;

	ASSERT_NOT_NULL(p);
	memcpy(p, text, length);
	ASSERT_EQ(0, secmalloc_base64_decode(p, length, &got, p, length));
	EXPECT_EQ(size, got);
	EXPECT_EQ(0, memcmp(p, want, size));
	EXPECT_TRUE(ta_holds(p + size, length - size, 0));
	EXPECT_EQ(0, secmalloc_resize(p, got));
	EXPECT_EQ(size, secmalloc_usable_size(p));
	EXPECT_EQ(0, memcmp(p, want, size));
}

/* Up to two characters are changed, doubled or taken away. */
static void spoil(char *s, size_t *length)
{
	static const char some[] = "AZaz09+/-_= \n\r\tfFgG:@[`{\x7f\x80\xff";
	size_t n = ksft_random() % 3, at;

	while (n-- > 0 && *length > 0) {
		at = ksft_random() % *length;
		switch (ksft_random() % 4) {
		case 0:
			s[at] = some[ksft_random() % (sizeof(some) - 1)];
			break;
		case 1:
			s[at] = (char)ksft_random();
			break;
		case 2:
			memmove(s + at, s + at + 1, *length - at - 1);
			--*length;
			break;
		default:
			memmove(s + at + 1, s + at, *length - at);
			++*length;
			break;
		}
	}
}

TEST(random_texts_are_taken_as_the_plain_decoders_take_them)
{
	unsigned char bytes[80], out[500];
	size_t i, got, valid = 0;

	for (i = 0; i < ROUNDS; i++) {
		enum td_kind kind = (enum td_kind)(ksft_random() % TD_PEM);
		size_t size = ksft_random() % sizeof(bytes), j;
		char *s, changed[500];
		struct td_text t;

		for (j = 0; j < size; j++)
			bytes[j] = (unsigned char)ksft_random();
		s = td_encode(kind, bytes, size, ksft_random() % 20, NULL);
		t = text_of(kind, s);
		memcpy(changed, s, t.length);
		t.text = changed;
		spoil(changed, &t.length);
		ASSERT_STREQ(NULL, td_complaint(&t))
		{
			TH_LOG("%s: %.*s", kinds[kind], (int)t.length, changed);
		}
		valid += td_decode(&t, out, sizeof(out), &got) == 0;
		free(s);
	}
	EXPECT_LT(ROUNDS / 5, valid);
	EXPECT_LT(ROUNDS / 5, ROUNDS - valid);
}
