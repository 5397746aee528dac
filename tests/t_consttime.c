/* SPDX-License-Identifier: MIT */
/*
 * t_consttime.c - what decodes and compares secrets, with secrets that memcheck
 * knows of
 *
 *	t_consttime CASE...
 *
 * Built and run by test_consttime.sh.  Bytes that were never set are followed by
 * memcheck wherever they go, and it reports each branch and each address that
 * depends on them.  So secrets are declared to be such bytes, and a report is
 * what others could learn from the time.
 *
 * Built with -DSECM_IO_PUBLIC=t_public and the sources of the decoders, or with
 * -DT_AS_BUILT and the library: then nothing declares public what may be known,
 * so only those bits of a character are secret that leave it a digit.
 *
 * Ends with 0; with 1 if a result is wrong, or if it is not as secret as the
 * text was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/memcheck.h>

#include <secmalloc.h>
#include <secmalloc_io.h>

enum { MOST = 512 };

static unsigned char text[MOST], bytes[MOST], bits[MOST];
static volatile int sink;

static void must(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "failed: %s\n", what);
		exit(1);
	}
}

size_t t_public(size_t x);
size_t t_public(size_t x)
{
	(void)VALGRIND_MAKE_MEM_DEFINED(&x, sizeof(x));
	return x;
}

static int told(int x)
{
	(void)VALGRIND_MAKE_MEM_DEFINED(&x, sizeof(x));
	return x;
}

/* Which bits of a character are secret. */
#ifndef T_AS_BUILT
enum { ALL_OF_IT = 1 };

static unsigned char secret_bits(unsigned char c)
{
	(void)c;
	return 0xff;
}
#else
enum { ALL_OF_IT = 0 };

/* L to O, l to o and 4 to 7 differ in the two lowest ones, b and c in the lowest
 * one.  What is in no such row is no secret.  Memcheck knows the least and the
 * greatest number that some bits can make, so it sees that all of a row are
 * digits; in longer rows a carry can go so far that it does not. */
static unsigned char secret_bits(unsigned char c)
{
	if ((c & 0xdc) == 0x4c || (c & 0xfc) == 0x34)
		return 3;
	return c && strchr("bcBC", c) ? 1 : 0;
}
#endif

/* The text is secret, but for its last characters: there padding may decide.
 * The lines around a block are if all is. */
static size_t hide(const char *s, size_t but)
{
	size_t i, n = strlen(s);
	int dashes = 0;

	must(n < MOST, "there is room");
	memcpy(text, s, n);
	for (i = 0; i < n; i++) {
		if (i == 0 || s[i - 1] == '\n')
			dashes = s[i] == '-' && !ALL_OF_IT;
		bits[i] = 0;
		if (i + but < n && !dashes)
			bits[i] = secret_bits(text[i]);
	}
	(void)VALGRIND_SET_VBITS(text, bits, n);
	return n;
}

/* Each of the bytes (or one, where not all was) has secret bits, and all are
 * those of want. */
static void is_secret(const void *p, const char *want, size_t n)
{
	size_t i, secret = 0;

	if (RUNNING_ON_VALGRIND) {
		must(VALGRIND_GET_VBITS(p, bits, n) == 1, "bits are known");
		for (i = 0; i < n; i++)
			secret += bits[i] != 0;
		must(secret >= (ALL_OF_IT ? n : 1), "it is secret still");
	}
	(void)VALGRIND_MAKE_MEM_DEFINED(p, n);
	must(memcmp(p, want, n) == 0, "what was decoded is right");
}

/* As the letters are that memcheck may know only a part of. */
#define LINE_64 "HIJKLMNOhijklmno01234567\n"
#define BYTES_64                                               \
	"\x1c\x82\x4a\x2c\xc3\x4e\x86\x28\xe4\x96\x69\xe8\xd3" \
	"\x5d\xb7\xe3\x9e\xbb"
#define LAST_64 "HQ==\n"

static void finish(int r, void *p, size_t got, const char *want, size_t size)
{
	must(told(r) == 0 && got == size, "it is valid");
	is_secret(p, want, size);
}

static void base64(void)
{
	size_t got, n = hide(LINE_64 LINE_64, 0);
	int r = secmalloc_base64_decode(bytes, MOST, &got, (char *)text, n);

	finish(r, bytes, got, BYTES_64 BYTES_64, 36);
}

/* Where it is, with padding at the end; what is left is wiped. */
static void base64_in_place(void)
{
	size_t got, n = hide(LINE_64 LAST_64, 5);
	int r = secmalloc_base64_decode(text, n, &got, (char *)text, n);

	must(told(r) == 0 && got == 19, "it is valid");
	must(text[18] == 0x1d && text[19] == 0, "the rest is wiped");
	is_secret(text, BYTES_64, 18);
}

static void base64url(void)
{
	size_t got, n = hide(LINE_64 LINE_64 "HQ", 2);
	int r = secmalloc_base64url_decode(bytes, MOST, &got, (char *)text, n);

	finish(r, bytes, got - 1, BYTES_64 BYTES_64, 36);
}

static void hex(void)
{
	size_t got, n = hide("01234567 bcdeBCDE\n76543210\n", 0);
	int r = secmalloc_hex_decode(bytes, MOST, &got, (char *)text, n);

	finish(r, bytes, got,
	       "\x01\x23\x45\x67\xbc\xde\xbc\xde\x76\x54\x32\x10", 12);
}

/* The other block is as secret as the one that is wanted. */
static void pem(void)
{
	size_t got, n;
	int r;

	n = hide("text\n-----BEGIN OTHER-----\n" LINE_64 LINE_64
		 "-----END OTHER-----\n-----BEGIN KEY-----\r\n" LINE_64
		 "-----END KEY-----\n",
		 0);
	r = secmalloc_pem_decode(bytes, MOST, &got, (char *)text, n, "KEY");
	finish(r, bytes, got, BYTES_64, 18);
	n = hide("-----BEGIN KEY-----\n" LINE_64 "-----END KEY-----\n", 0);
	r = secmalloc_pem_decode(text, n, &got, (char *)text, n, NULL);
	finish(r, text, got, BYTES_64, 18);
}

/* That it is not valid may be known, not why. */
static void bad(void)
{
	static const char *const all[] = { LINE_64 "!", "HIJ!====", "H?LM",
					   "HIJ\x80", LINE_64 "H=LM" };
	size_t i, got;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		size_t n = hide(all[i], 0);
		int r = secmalloc_base64_decode(bytes, MOST, &got, (char *)text,
						n);
		int s = secmalloc_hex_decode(bytes, MOST, &got, (char *)text,
					     n);

		must(told(r) == -1 && told(s) == -1, "it is not valid");
	}
}

/* The core's. */
static void equal(void)
{
	size_t n = hide(LINE_64, 0);
	int r = secmalloc_equal(text, LINE_64, n);

	must(told(r) == 1, "it is equal");
	r = secmalloc_equal(text, BYTES_64 BYTES_64, n);
	must(told(r) == 0, "it is not equal");
}

static void to_hex(void)
{
	size_t n = hide("secret", 0);
	int r = secmalloc_to_hex((char *)bytes, MOST, text, n);

	must(told(r) == 0, "there is room");
	is_secret(bytes, "736563726574", 12);
}

/* As built only: nobody says to memcheck that its last branch, by whether all
 * are digits, may be known. */
static void from_hex(void)
{
	size_t n = hide("01234567bcdeBCDE76543210", 0);
	int r = secmalloc_from_hex(bytes, MOST, (char *)text, n);

	must(told(r) == 0, "it is valid");
	is_secret(bytes, "\x01\x23\x45\x67\xbc\xde\xbc\xde\x76\x54\x32\x10",
		  12);
}

/* Controls: how it must not be done. */
static void by_table(void)
{
	static unsigned char table[256];
	size_t i, n = hide("4567", 0);

	for (i = 0; i < 10; i++)
		table['0' + i] = (unsigned char)i;
	for (i = 0; i < n; i++)
		bytes[i] = table[text[i]];
}

static void by_branch(void)
{
	size_t i, n = hide("4567", 0);

	for (i = 0; i < n; i++)
		if (text[i] >= '6')
			sink++;
}

static void by_loop(void)
{
	size_t i, n = hide(LINE_64, 0);

	for (i = 0; i < n && text[i] == LINE_64[i]; i++)
		;
	sink = (int)i;
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "base64", base64 },
	{ "base64_in_place", base64_in_place },
	{ "base64url", base64url },
	{ "hex", hex },
	{ "pem", pem },
	{ "bad", bad },
	{ "equal", equal },
	{ "to_hex", to_hex },
	{ "from_hex", from_hex },
	{ "by_table", by_table },
	{ "by_branch", by_branch },
	{ "by_loop", by_loop },
};

int main(int argc, char **argv)
{
	size_t i, n = sizeof(cases) / sizeof(cases[0]);

	while (--argc > 0) {
		argv++;
		for (i = 0; i < n && strcmp(cases[i].name, *argv) != 0; i++)
			;
		must(i < n, *argv);
		cases[i].run();
	}
	return 0;
}
