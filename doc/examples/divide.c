/* SPDX-License-Identifier: MIT */
/*
 * divide.c - key material that comes in one piece and is used in several
 *
 * A key derivation often fills one buffer with all keys of a connection, some
 * of which are needed for a moment only.  Split, each part is an object of its
 * own: it is freed, and wiped, as soon as it has served, and nothing has to be
 * copied.  The buffer is aligned for a cipher that wants it so.
 */
#include <secmalloc.h>
#include <stdint.h>
#include <stdio.h>

enum { CANNOT = 77, ALIGN = 64, MAC = 32, CIPHER = 32, IV = 12 };

/* Stands for the key derivation: 0, or -1. */
static int derive(unsigned char *keys, size_t size)
{
	return secmalloc_random(keys, size);
}

static int is_zero(const unsigned char *p, size_t size)
{
	while (size > 0)
		if (p[--size])
			return 0;
	return 1;
}

/* Three keys out of one object: 0, or -1 and the object is as it was or has
 * fewer parts. */
static int divide(unsigned char *cipher, unsigned char **mac,
		  unsigned char **iv)
{
	*mac = secmalloc_split(cipher, CIPHER);
	if (!*mac)
		return -1;
	*iv = secmalloc_split(*mac, MAC);
	if (!*iv) {
		secfree(*mac);
		return -1;
	}
	return 0;
}

int main(void)
{
	const size_t all = CIPHER + MAC + IV;
	unsigned char *cipher = secmalloc_aligned(ALIGN, all), *mac, *iv;

	if (!cipher) {
		perror("no memory for secrets here");
		return CANNOT;
	}
	if ((uintptr_t)cipher % ALIGN != 0 || derive(cipher, all) != 0) {
		fputs("no keys\n", stderr);
		return 1;
	}
	if (divide(cipher, &mac, &iv) != 0) {
		perror("secmalloc_split");
		return 1;
	}
	printf("%lu, %lu and %lu bytes\n",
	       (unsigned long)secmalloc_usable_size(cipher),
	       (unsigned long)secmalloc_usable_size(mac),
	       (unsigned long)secmalloc_usable_size(iv));

	/* The first message is out, its IV has served.  The key before it may
	 * have the place: it grows without moving, and what it gets is zero. */
	secmalloc_free_sized(iv, IV);
	if (secmalloc_resize(mac, MAC + IV) != 0) {
		perror("secmalloc_resize");
		return 1;
	}
	if (!is_zero(mac + MAC, IV)) {
		fputs("the IV is still there\n", stderr);
		return 1;
	}
	secfree(cipher);
	secmalloc_free_sized(mac, MAC + IV);
	return 0;
}
