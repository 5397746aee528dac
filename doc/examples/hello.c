/* SPDX-License-Identifier: MIT */
/*
 * hello.c - the classic four calls, on memory for secrets
 *
 *	cc hello.c $(pkg-config --cflags --libs secmalloc)
 *
 * Nothing has to be set up first: the first allocation does it, with the
 * defaults.  They are strict, so what comes back is locked in RAM and left out
 * of core dumps, or it is NULL.
 */
#include <secmalloc.h>
#include <stdio.h>
#include <string.h>

enum { CANNOT = 77 }; /* "make check" counts this as skipped */

int main(void)
{
	unsigned char *key, *longer;
	char *words;

	key = secmalloc(32);
	if (!key) {
		perror("no memory for secrets here");
		return CANNOT;
	}
	if (secmalloc_random(key, 32) != 0) {
		perror("secmalloc_random");
		return 1;
	}

	/* What the object held before is wiped if it has to move. */
	longer = secrealloc(key, 64);
	if (!longer) {
		perror("secrealloc");
		secfree(key); /* still there, as with realloc(3) */
		return 1;
	}

	words = seccalloc(4, 16);
	if (!words) {
		perror("seccalloc");
		secfree(longer);
		return 1;
	}
	(void)strcpy(words, "correct horse");
	printf("%lu bytes of key, %lu bytes of words\n",
	       (unsigned long)secmalloc_usable_size(longer),
	       (unsigned long)secmalloc_usable_size(words));

	/* No wiping by hand: secfree() does it. */
	secfree(words);
	secfree(longer);
	return 0;
}
