/* SPDX-License-Identifier: MIT */
/*
 * cold.c - ten thousand keys of customers, one of which is used now and then
 *
 * As objects of secmalloc() they would need about half a megabyte of locked
 * memory.  Frozen they are ciphertexts in ordinary memory, and two pages are
 * locked.
 */
#include <secmalloc_cold.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CANNOT = 77, CUSTOMERS = 10000, KEY = 32 };

static secmalloc_cold *customer[CUSTOMERS];

/* Stands for a signature: 0, or -1 and errno. */
static int sign(secmalloc_cold *cold, const char *text, unsigned char *tag)
{
	const unsigned char *key = secmalloc_cold_open(cold);
	size_t i;

	if (!key)
		return -1;
	*tag = 0;
	for (i = 0; text[i]; i++)
		*tag = (unsigned char)(*tag * 31 + (text[i] ^ key[i % KEY]));
	secmalloc_cold_close(cold);
	return 0;
}

/* One buffer serves for all of them. */
static int load(void)
{
	unsigned char *key = secmalloc(KEY);
	int i, r = key ? 0 : -1;

	for (i = 0; i < CUSTOMERS && r == 0; i++) {
		r = secmalloc_random(key, KEY);
		if (r == 0)
			customer[i] = secmalloc_cold_freeze(key, KEY);
		if (!customer[i])
			r = -1;
	}
	secfree(key);
	return r;
}

int main(void)
{
	struct secmalloc_cold_report report;
	unsigned char before, after;
	int i;

	if (load() != 0) {
		perror("no memory for secrets here");
		return CANNOT;
	}
	memset(&report, 0, sizeof(report));
	report.size = sizeof(report);
	if (secmalloc_cold_report(&report) != 0)
		return 1;
	printf("%lu keys: %lu bytes locked, %lu bytes of ordinary memory\n",
	       (unsigned long)report.secrets, (unsigned long)report.locked,
	       (unsigned long)report.ordinary);
	/* Now and then, all of them under another key. */
	if (sign(customer[4711], "a message", &before) != 0 ||
	    secmalloc_cold_rekey() != 0 ||
	    sign(customer[4711], "a message", &after) != 0 || before != after)
		return 1;
	for (i = 0; i < CUSTOMERS; i++)
		secmalloc_cold_free(customer[i]);
	return 0;
}
