/* SPDX-License-Identifier: MIT */
/*
 * test_decode_pem.c - finding a block by its label, and what is wrong with one
 *
 * As test_decode.c, for secmalloc_pem_decode().
 */
#include "t_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t_decodes.h"

TA_TIERS(pem);

enum { LENGTHS = 301, ROUNDS = 20000 };

#define KEY(text) "-----BEGIN KEY-----\n" text "-----END KEY-----\n"
#define CERT(text) "-----BEGIN CERT-----\n" text "-----END CERT-----\n"

static int decodes(const char *s, const char *label, const char *want)
{
	struct td_text t = { TD_PEM, s, strlen(s), label };

	return td_decodes(&t, want);
}

TEST(a_block_is_decoded)
{
	EXPECT_EQ(0, decodes(KEY("Zm9v\n"), "KEY", "foo"));
	EXPECT_EQ(0, decodes(KEY("Zm9v\n"), NULL, "foo"));
	EXPECT_EQ(0, decodes(KEY("Zm\n9vY\nmFy\n"), "KEY", "foobar"));
	EXPECT_EQ(0, decodes(KEY("\n  Zm9vYg==  \n\n"), "KEY", "foob"));
	EXPECT_EQ(0, decodes(KEY(""), "KEY", ""));
	EXPECT_EQ(0,
		  decodes("-----BEGIN -----\nZm9v\n-----END -----", "", "foo"));
}

TEST(lines_may_end_in_any_way)
{
	EXPECT_EQ(0, decodes("-----BEGIN KEY-----\r\nZm9v\r\nYmFy\r\n"
			     "-----END KEY-----\r\n",
			     "KEY", "foobar"));
	EXPECT_EQ(0, decodes("text\r-----BEGIN KEY-----\rZm9v\r"
			     "-----END KEY-----\r",
			     "KEY", "foo"));
	EXPECT_EQ(0, decodes("-----BEGIN KEY-----\nZm9v\n-----END KEY-----",
			     "KEY", "foo"));
	EXPECT_EQ(0, decodes("-----BEGIN KEY----- \t\nZm9v\n"
			     "-----END KEY----- \t\nx",
			     "KEY", "foo"));
}

TEST(other_text_may_stand_around)
{
	EXPECT_EQ(0,
		  decodes("Key of 2026:\n\n" KEY("Zm9v\n") "!", "KEY", "foo"));
	EXPECT_EQ(0, decodes("-----BEGIN\n-----BEGIN KEY----\n"
			     "x-----BEGIN KEY-----\n" KEY("Zm9v\n"),
			     "KEY", "foo"));
	EXPECT_EQ(0, decodes("\377\376\n" KEY("Zm9v\n") "\200\n", NULL, "foo"));
}

TEST(the_first_block_of_the_label_is_taken)
{
	static const char all[] =
		CERT("Zg==\n") "between\n" KEY("Zm9v\n") KEY("YmFy\n");

	EXPECT_EQ(0, decodes(all, "KEY", "foo"));
	EXPECT_EQ(0, decodes(all, "CERT", "f"));
	EXPECT_EQ(0, decodes(all, NULL, "f"));
	EXPECT_EQ(ENOENT, decodes(all, "KE", ""));
	EXPECT_EQ(ENOENT, decodes(all, "KEYS", ""));
	EXPECT_EQ(ENOENT, decodes(all, "key", ""));
	EXPECT_EQ(ENOENT, decodes(all, "", ""));
	/* What is wrong with others does not matter; with it, it does. */
	EXPECT_EQ(0, decodes(CERT("Z\n") KEY("Zm9v\n"), "KEY", "foo"));
	EXPECT_EQ(EINVAL, decodes(CERT("Z\n") KEY("Zm9v\n"), NULL, ""));
	EXPECT_EQ(EINVAL, decodes(KEY("Z\n") KEY("Zm9v\n"), "KEY", ""));
}

TEST(no_block_is_told_apart)
{
	EXPECT_EQ(ENOENT, decodes("", "KEY", ""));
	EXPECT_EQ(ENOENT, decodes("", NULL, ""));
	EXPECT_EQ(ENOENT, decodes("Zm9v", NULL, ""));
	EXPECT_EQ(ENOENT, decodes(" " KEY("Zm9v\n"), NULL, ""));
	EXPECT_EQ(ENOENT, decodes("-----END KEY-----\n", "KEY", ""));
	EXPECT_EQ(ENOENT, decodes("-----BEGIN KEY----\n", "KEY", ""));
	EXPECT_EQ(ENOENT, decodes("-----BEGIN KEY-----x\n", "KEY", ""));
	EXPECT_EQ(ENOENT, decodes("-----BEGIN ----\n", NULL, ""));
}

TEST(bad_blocks_are_refused)
{
	EXPECT_EQ(EINVAL, decodes("-----BEGIN KEY-----", "KEY", ""));
	EXPECT_EQ(EINVAL, decodes("-----BEGIN KEY-----\nZm9v\n", "KEY", ""));
	EXPECT_EQ(EINVAL, decodes("-----BEGIN KEY-----\nZm9v\n-----END KEY----",
				  "KEY", ""));
	EXPECT_EQ(EINVAL, decodes("-----BEGIN KEY-----\nZm9v\n"
				  "-----END CERT-----\n-----END KEY-----\n",
				  "KEY", ""));
	EXPECT_EQ(EINVAL, decodes("-----BEGIN KEY-----\nZm9v\n"
				  "-----END KEY-----x\n",
				  "KEY", ""));
	EXPECT_EQ(EINVAL, decodes("-----BEGIN KEY-----\nZm9v"
				  "-----END KEY-----\n",
				  "KEY", ""));
	EXPECT_EQ(EINVAL,
		  decodes("-----BEGIN KEY-----\n" KEY("Zm9v\n"), "KEY", ""));
	EXPECT_EQ(EINVAL, decodes(KEY("Zm9v\n\nnot base64!\n"), "KEY", ""));
	EXPECT_EQ(EINVAL, decodes(KEY("Zm9-\n"), "KEY", ""));
	EXPECT_EQ(EINVAL, decodes(KEY("Zm8\n"), "KEY", ""));
	EXPECT_EQ(EINVAL, decodes(KEY("Zm9v\n=aBcD\n"), "KEY", ""));
}

TEST(headers_are_told_apart)
{
	EXPECT_EQ(ENOTSUP, decodes(KEY("Proc-Type: 4,ENCRYPTED\n"
				       "DEK-Info: AES-128-CBC,00\n\nZm9v\n"),
				   "KEY", ""));
	EXPECT_EQ(ENOTSUP, decodes(KEY("\n \nVersion: 1\n\nZm9v\n"), NULL, ""));
	EXPECT_EQ(EINVAL, decodes(KEY("Zm9v\nVersion: 1\n"), "KEY", ""));
	/* Not those of another block. */
	EXPECT_EQ(0, decodes(CERT("Proc-Type: 4,ENCRYPTED\n\nZm9v\n")
				     KEY("Zm9v\n"),
			     "KEY", "foo"));
	EXPECT_EQ(0, decodes(KEY("") "a: b\n", "KEY", ""));
}

TEST(what_is_cut_off_anywhere_is_refused)
{
	static const char whole[] = "text\n" KEY("Zm9v\nYmFy\n");
	const size_t end = sizeof(whole) - 2; /* without the last line feed */
	struct td_text t = { TD_PEM, whole, 0, "KEY" };
	char bytes[sizeof(whole)];
	size_t got;

	for (t.length = 0; t.length < end; t.length++) {
		int e = td_decode(&t, bytes, sizeof(bytes), &got);

		ASSERT_STREQ(NULL, td_complaint(&t));
		ASSERT_TRUE(e == ENOENT || e == EINVAL)
		{
			TH_LOG("%zu: %d", t.length, e);
		}
	}
	EXPECT_EQ(0, td_decode(&t, bytes, sizeof(bytes), &got));
	EXPECT_EQ(6, got);
}

TEST(every_length_comes_back)
{
	unsigned char bytes[LENGTHS], out[LENGTHS];
	size_t size, got;

	ti_fill(bytes, sizeof(bytes), 9);
	for (size = 0; size < LENGTHS; size++) {
		char *s = td_encode(TD_PEM, bytes, size, size % 2 ? 64 : 76,
				    "PRIVATE KEY");
		struct td_text t = { TD_PEM, s, strlen(s), "PRIVATE KEY" };

		ASSERT_STREQ(NULL, td_complaint(&t))
		{
			TH_LOG("%s", s);
		}
		ASSERT_EQ(0, td_decode(&t, out, size, &got));
		ASSERT_EQ(size, got);
		ASSERT_EQ(0, memcmp(bytes, out, size));
		free(s);
	}
}

TEST(every_other_character_anywhere_is_taken_as_it_is)
{
	unsigned char bytes[16];
	char *s;
	size_t i;
	int c;

	ti_fill(bytes, sizeof(bytes), 3);
	s = td_encode(TD_PEM, bytes, sizeof(bytes), 10, "A KEY");
	for (i = 0; s[i]; i++) {
		struct td_text t = { TD_PEM, s, strlen(s), "A KEY" };
		char was = s[i];

		for (c = 0; c < 256; c++) {
			s[i] = (char)c;
			ASSERT_STREQ(NULL, td_complaint(&t))
			{
				TH_LOG("%d at %zu", c, i);
			}
		}
		s[i] = was;
	}
	free(s);
}

/* A key that was loaded as text, with another one beside it. */
TEST_F(pem, in_place_only_the_bytes_are_left)
{
	static const char text[] = CERT("YmFy\n") KEY("Zm9v\nYmFy\n") "tail";
	const size_t length = strlen(text);
	char *p = secmalloc(length);
	size_t got;

	ASSERT_NOT_NULL(p);
	memcpy(p, text, length);
	EXPECT_EQ(-1, secmalloc_pem_decode(p, length, &got, p, length, "NO"));
	EXPECT_EQ(0, memcmp(p, text, length));
	ASSERT_EQ(0, secmalloc_pem_decode(p, length, &got, p, length, "KEY"));
	EXPECT_EQ(6, got);
	EXPECT_EQ(0, memcmp(p, "foobar", 6));
	EXPECT_TRUE(ta_holds(p + 6, length - 6, 0));
	EXPECT_EQ(0, secmalloc_resize(p, got));
}

/* Pieces of such texts, put together by chance. */
TEST(random_texts_are_taken_as_the_plain_decoder_takes_them)
{
	static const char *const pieces[] = {
		"-----BEGIN KEY-----\n",
		"-----END KEY-----\n",
		"Zm9vYmFy\n",
		"-----BEGIN CERT-----\r\n",
		"-----END CERT-----\n",
		"Zm9v",
		"-----BEGIN KEY-----",
		"-----END ",
		"-----",
		"KEY",
		"\n",
		"\r",
		" ",
		"a: b\n",
		"Zg==\n",
		"-----BEGIN ",
		"=",
		"\377",
		"-----END KEY-----",
	};
	size_t i, count[4] = { 0, 0, 0, 0 };

	for (i = 0; i < ROUNDS; i++) {
		struct td_text t = { TD_PEM, NULL, 0, i % 3 ? "KEY" : NULL };
		size_t n = ksft_random() % 6, got;
		char s[400] = "", bytes[400];
		int e;

		if (ksft_random() % 2)
			strcat(s, pieces[0]);
		while (n-- > 0)
			strcat(s, pieces[ksft_random() % 19]);
		if (ksft_random() % 2)
			strcat(s, pieces[1]);
		t.text = s;
		t.length = strlen(s);
		ASSERT_STREQ(NULL, td_complaint(&t))
		{
			TH_LOG("%s", s);
		}
		e = td_decode(&t, bytes, sizeof(bytes), &got);
		count[e == 0 ? 0 : e == ENOENT ? 1 : e == EINVAL ? 2 : 3]++;
	}
	/* The last of them is the rarest: one in 80, so that half of it is nine
	 * times the deviation away. */
	for (i = 0; i < 4; i++)
		EXPECT_LT(ROUNDS / 200, count[i])
		{
			TH_LOG("%zu", i);
		}
}
