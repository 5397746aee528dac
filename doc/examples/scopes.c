/* SPDX-License-Identifier: MIT */
/*
 * scopes.c - a key that can be touched while it is in use, and not else
 *
 * A stray pointer or an over-read that reaches the key outside of sign() ends
 * the program instead of giving the key away.  Prints how that is done here.
 */
#include <secmalloc.h>
#include <stdio.h>
#include <string.h>

enum { CANNOT = 77, KEY = 32 };

static unsigned char *key;

/* 0, or -1 and errno.  The scope ends with the function. */
static int sign(const unsigned char *data, size_t size, unsigned char *tag)
{
	size_t i;

	if (secmalloc_begin(key, SECMALLOC_READONLY) != 0)
		return -1;
	*tag = 0;
	for (i = 0; i < size; i++) /* stands for a signature */
		*tag = (unsigned char)(*tag * 31 + (data[i] ^ key[i % KEY]));
	secmalloc_end(key, SECMALLOC_READONLY);
	return 0;
}

static int load(secmalloc_heap *heap)
{
	int r;

	key = secmalloc_heap_malloc(heap, KEY);
	if (!key || secmalloc_begin(key, SECMALLOC_READWRITE) != 0)
		return -1;
	r = secmalloc_random(key, KEY);
	secmalloc_end(key, SECMALLOC_READWRITE);
	return r;
}

int main(void)
{
	static const char *const how[] = { "not at all", "by a protection key",
					   "by mprotect" };
	static const unsigned char data[] = "a message";
	struct secmalloc_config config;
	struct secmalloc_report report;
	struct secmalloc_object object;
	secmalloc_heap *heap;
	unsigned char a, b;

	memset(&config, 0, sizeof(config));
	memset(&report, 0, sizeof(report));
	memset(&object, 0, sizeof(object));
	report.size = sizeof(report);
	object.size = sizeof(object);
	config.access = SECMALLOC_ACCESS_SCOPES;
	heap = secmalloc_heap_create(&config);
	if (!heap || load(heap) != 0) {
		perror("no memory for secrets here");
		return CANNOT;
	}
	if (sign(data, sizeof(data), &a) != 0 ||
	    sign(data, sizeof(data), &b) != 0 || a != b ||
	    secmalloc_heap_report(heap, &report) != 0 ||
	    secmalloc_report_object(key, &object) != 0)
		return 1;
	printf("between two uses the key is closed %s\n", how[report.access]);
	if (object.access != SECMALLOC_NOACCESS)
		return 1;
	secmalloc_heap_destroy(heap);
	return 0;
}
