/* SPDX-License-Identifier: MIT */
/*
 * peer_malloc.c - secmalloc, and malloc with and without wiping
 *
 * The other mallocs are these functions too, in a worker that was started with
 * that library in LD_PRELOAD.
 */
#include "bench.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "secmalloc.h"

static void release_secret(void *p, size_t size)
{
	(void)size;
	secfree(p);
}

static void *zalloc_secret(size_t size)
{
	return seccalloc(1, size);
}

static void *resize_secret(void *p, size_t old, size_t size)
{
	(void)old;
	return secrealloc(p, size);
}

static int rest_secret(void *p)
{
	return secmalloc_protect(p, SECMALLOC_NOACCESS);
}

static int open_secret(void *p)
{
	return secmalloc_begin(p, SECMALLOC_READWRITE);
}

static int close_secret(void *p)
{
	secmalloc_end(p, SECMALLOC_READWRITE);
	return 0;
}

static void secmalloc_says(char *text, size_t size)
{
	snprintf(text, size, "%s", secmalloc_version());
}

const struct bench_peer bench_secmalloc = {
	.name = "secmalloc",
	.what = "this library, the shared one of this build",
	.locks = 1,
	.version = secmalloc_says,
	.alloc = secmalloc,
	.zalloc = zalloc_secret,
	.resize = resize_secret,
	.release = release_secret,
	.guarded = secmalloc_guarded,
	.guarded_release = secfree,
	.rest = rest_secret,
	.open = open_secret,
	.close = close_secret,
};

/* ---- malloc ------------------------------------------------------------ */

static void *zalloc_plain(size_t size)
{
	return calloc(1, size);
}

static void *resize_plain(void *p, size_t old, size_t size)
{
	(void)old;
	return realloc(p, size);
}

static void release_plain(void *p, size_t size)
{
	(void)size;
	free(p);
}

static void release_wiped(void *p, size_t size)
{
	if (p)
		bench_wipe(p, size);
	free(p);
}

/* As a careful program does it: realloc(3) may leave a copy behind. */
static void *resize_wiped(void *p, size_t old, size_t size)
{
	void *q = malloc(size);

	if (!q)
		return NULL;
	memcpy(q, p, old < size ? old : size);
	release_wiped(p, old);
	return q;
}

static void libc_says(char *text, size_t size)
{
	const char *(*says)(void) = NULL;
	void *f = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");

	if (!f) {
		snprintf(text, size, "the C library's");
		return;
	}
	memcpy(&says, &f, sizeof(says));
	snprintf(text, size, "glibc %s", says());
}

static void jemalloc_says(char *text, size_t size)
{
	int (*ask)(const char *, void *, size_t *, void *, size_t) = NULL;
	void *f = dlsym(RTLD_DEFAULT, "mallctl");
	const char *version = "?";
	size_t n = sizeof(version);

	memcpy(&ask, &f, sizeof(ask));
	if (f && ask("version", (void *)&version, &n, NULL, 0) != 0)
		version = "?";
	snprintf(text, size, "%.*s", (int)strcspn(version, "-"), version);
}

static void mimalloc_says(char *text, size_t size)
{
	int (*says)(void) = NULL;
	void *f = dlsym(RTLD_DEFAULT, "mi_version");
	int n;

	memcpy(&says, &f, sizeof(says));
	n = f ? says() : 0;
	snprintf(text, size, "%d.%d.%d", n / 100, n / 10 % 10, n % 10);
}

static void hardened_says(char *text, size_t size)
{
	snprintf(text, size, "of unknown version");
}

#define WIPED_MALLOC                                                     \
	.alloc = malloc, .zalloc = zalloc_plain, .resize = resize_wiped, \
	.release = release_wiped

const struct bench_peer bench_wiping = {
	.name = "malloc+bzero",
	.what = "the C library's malloc, wiped by hand before free",
	.version = libc_says,
	WIPED_MALLOC,
};

const struct bench_peer bench_malloc = {
	.name = "malloc",
	.what = "the C library's malloc, nothing wiped (for information)",
	.version = libc_says,
	.alloc = malloc,
	.zalloc = zalloc_plain,
	.resize = resize_plain,
	.release = release_plain,
};

const struct bench_peer bench_jemalloc = {
	.name = "jemalloc+bzero",
	.what = "jemalloc by LD_PRELOAD, wiped by hand before free",
	.preload = "libjemalloc.so.2",
	.symbol = "mallctl",
	.version = jemalloc_says,
	WIPED_MALLOC,
};

const struct bench_peer bench_mimalloc = {
	.name = "mimalloc+bzero",
	.what = "mimalloc by LD_PRELOAD, wiped by hand before free",
	.preload = "libmimalloc.so.3 libmimalloc.so.2 libmimalloc.so.2.0",
	.symbol = "mi_version",
	.version = mimalloc_says,
	WIPED_MALLOC,
};

const struct bench_peer bench_hardened = {
	.name = "hardened+bzero",
	.what = "hardened_malloc by LD_PRELOAD, wiped by hand before free",
	.preload = "libhardened_malloc.so libhardened_malloc-light.so",
	.symbol = "malloc_object_size",
	.version = hardened_says,
	WIPED_MALLOC,
};
