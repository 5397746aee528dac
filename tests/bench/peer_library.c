/* SPDX-License-Identifier: MIT */
/*
 * peer_library.c - the secret memory of libsodium, OpenSSL and libgcrypt
 *
 * Found by dlopen.  The prototypes are written from the libraries' manuals.
 */
#include "bench.h"

#include <dlfcn.h>

/* Functions that dlsym found: one type is as good as another to keep them. */
typedef void function(void);

static int find(void *library, const char *name, function **f)
{
	void *p = dlsym(library, name);

	memcpy(f, &p, sizeof(p));
	return p ? 0 : -1;
}

/* ---- libsodium --------------------------------------------------------- */

static struct {
	function *init, *version, *alloc, *release, *open, *close;
} sodium;

static int load_sodium(void *library)
{
	return find(library, "sodium_init", &sodium.init) |
	       find(library, "sodium_version_string", &sodium.version) |
	       find(library, "sodium_malloc", &sodium.alloc) |
	       find(library, "sodium_free", &sodium.release) |
	       find(library, "sodium_mprotect_readwrite", &sodium.open) |
	       find(library, "sodium_mprotect_noaccess", &sodium.close);
}

static const char *start_sodium(size_t arena)
{
	(void)arena;
	return ((int (*)(void))sodium.init)() < 0 ? "sodium_init() failed"
						  : NULL;
}

static void sodium_says(char *text, size_t size)
{
	snprintf(text, size, "%s", ((const char *(*)(void))sodium.version)());
}

static void *alloc_sodium(size_t size)
{
	return ((void *(*)(size_t))sodium.alloc)(size);
}

static void release_whole(void *p)
{
	((void (*)(void *))sodium.release)(p);
}

static void release_sodium(void *p, size_t size)
{
	(void)size;
	release_whole(p);
}

static void *zalloc_sodium(size_t size)
{
	void *p = alloc_sodium(size);

	return p ? memset(p, 0, size) : NULL;
}

/* It has no realloc. */
static void *resize_sodium(void *p, size_t old, size_t size)
{
	void *q = alloc_sodium(size);

	if (!q)
		return NULL;
	memcpy(q, p, old < size ? old : size);
	release_whole(p);
	return q;
}

static int open_sodium(void *p)
{
	return ((int (*)(void *))sodium.open)(p);
}

static int close_sodium(void *p)
{
	return ((int (*)(void *))sodium.close)(p);
}

const struct bench_peer bench_sodium = {
	.name = "libsodium",
	.what = "sodium_malloc: each object alone between guard pages",
	.library = "libsodium.so.26 libsodium.so.23",
	.locks = 1,
	.a_page_each = 1,
	.load = load_sodium,
	.start = start_sodium,
	.version = sodium_says,
	.alloc = alloc_sodium,
	.zalloc = zalloc_sodium,
	.resize = resize_sodium,
	.release = release_sodium,
	.guarded = alloc_sodium,
	.guarded_release = release_whole,
	.open = open_sodium,
	.close = close_sodium,
};

/* ---- OpenSSL ----------------------------------------------------------- */

static struct {
	function *init, *version, *alloc, *zalloc, *release;
} openssl;

static int load_openssl(void *library)
{
	return find(library, "CRYPTO_secure_malloc_init", &openssl.init) |
	       find(library, "OpenSSL_version", &openssl.version) |
	       find(library, "CRYPTO_secure_malloc", &openssl.alloc) |
	       find(library, "CRYPTO_secure_zalloc", &openssl.zalloc) |
	       find(library, "CRYPTO_secure_clear_free", &openssl.release);
}

/* 2 means: it works, but is not locked; the driver finds that out by itself.
 * The second argument was an int before OpenSSL 3, which 16 fits, too. */
static const char *start_openssl(size_t arena)
{
	int (*init)(size_t, size_t) = (int (*)(size_t, size_t))openssl.init;
	size_t size = 65536;

	while (size < arena)
		size *= 2;
	return init(size, 16) ? NULL : "CRYPTO_secure_malloc_init() failed";
}

static void openssl_says(char *text, size_t size)
{
	const char *version = ((const char *(*)(int))openssl.version)(0);

	if (strncmp(version, "OpenSSL ", 8) == 0)
		version += 8;
	snprintf(text, size, "%.*s", (int)strcspn(version, " "), version);
}

typedef void *openssl_alloc(size_t, const char *, int);

static void *alloc_openssl(size_t size)
{
	return ((openssl_alloc *)openssl.alloc)(size, __FILE__, __LINE__);
}

static void *zalloc_openssl(size_t size)
{
	return ((openssl_alloc *)openssl.zalloc)(size, __FILE__, __LINE__);
}

static void release_openssl(void *p, size_t size)
{
	((void (*)(void *, size_t, const char *, int))openssl.release)(
		p, size, __FILE__, __LINE__);
}

/* Its own realloc is not for secret memory. */
static void *resize_openssl(void *p, size_t old, size_t size)
{
	void *q = alloc_openssl(size);

	if (!q)
		return NULL;
	memcpy(q, p, old < size ? old : size);
	release_openssl(p, old);
	return q;
}

const struct bench_peer bench_openssl = {
	.name = "OpenSSL",
	.what = "the secure heap of libcrypto",
	.library = "libcrypto.so.3 libcrypto.so.1.1",
	.locks = 1,
	.load = load_openssl,
	.start = start_openssl,
	.version = openssl_says,
	.alloc = alloc_openssl,
	.zalloc = zalloc_openssl,
	.resize = resize_openssl,
	.release = release_openssl,
};

/* ---- libgcrypt --------------------------------------------------------- */

static struct {
	function *version, *control, *alloc, *zalloc, *resize, *release;
} gcrypt;

/* Commands of gcry_control(). */
enum { GCRYPT_INIT_SECMEM = 24, GCRYPT_NO_WARNING = 27, GCRYPT_READY = 38 };

static int load_gcrypt(void *library)
{
	return find(library, "gcry_check_version", &gcrypt.version) |
	       find(library, "gcry_control", &gcrypt.control) |
	       find(library, "gcry_malloc_secure", &gcrypt.alloc) |
	       find(library, "gcry_calloc_secure", &gcrypt.zalloc) |
	       find(library, "gcry_realloc", &gcrypt.resize) |
	       find(library, "gcry_free", &gcrypt.release);
}

static void gcrypt_says(char *text, size_t size)
{
	snprintf(text, size, "%s",
		 ((const char *(*)(const char *))gcrypt.version)(NULL));
}

static const char *start_gcrypt(size_t arena)
{
	unsigned (*control)(int, ...) = (unsigned (*)(int, ...))gcrypt.control;

	((const char *(*)(const char *))gcrypt.version)(NULL);
	control(GCRYPT_NO_WARNING, 0);
	if (control(GCRYPT_INIT_SECMEM, (unsigned)arena, 0) != 0)
		return "the secure memory of libgcrypt cannot be set up";
	control(GCRYPT_READY, 0);
	return NULL;
}

static void *alloc_gcrypt(size_t size)
{
	return ((void *(*)(size_t))gcrypt.alloc)(size);
}

static void *zalloc_gcrypt(size_t size)
{
	return ((void *(*)(size_t, size_t))gcrypt.zalloc)(1, size);
}

static void *resize_gcrypt(void *p, size_t old, size_t size)
{
	(void)old;
	return ((void *(*)(void *, size_t))gcrypt.resize)(p, size);
}

static void release_gcrypt(void *p, size_t size)
{
	(void)size;
	((void (*)(void *))gcrypt.release)(p);
}

const struct bench_peer bench_gcrypt = {
	.name = "libgcrypt",
	.what = "the secure memory of libgcrypt",
	.library = "libgcrypt.so.20",
	.locks = 1,
	.load = load_gcrypt,
	.start = start_gcrypt,
	.version = gcrypt_says,
	.alloc = alloc_gcrypt,
	.zalloc = zalloc_gcrypt,
	.resize = resize_gcrypt,
	.release = release_gcrypt,
};
