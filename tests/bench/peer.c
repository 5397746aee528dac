/* SPDX-License-Identifier: MIT */
/*
 * peer.c - the list of peers, and how their libraries are found
 *
 * Callers: drive.c, worker.c, main.c.  Nothing of a peer's library is needed
 * when this program is built: its few prototypes are in its own file.
 */
#include "bench.h"

#include <dlfcn.h>

/* The first two have their places: BENCH_SECMALLOC, BENCH_REFERENCE. */
const struct bench_peer *const bench_peers[] = {
	&bench_secmalloc, &bench_wiping, &bench_malloc,	  &bench_sodium,
	&bench_openssl,	  &bench_gcrypt, &bench_jemalloc, &bench_mimalloc,
	&bench_hardened,  NULL,
};

int bench_find_peer(const char *name)
{
	int i;

	for (i = 0; bench_peers[i]; i++)
		if (strcmp(bench_peers[i]->name, name) == 0)
			return i;
	return -1;
}

/* The first of the names that can be loaded. */
static void *open_library(const char *names)
{
	char name[64];
	size_t n;
	void *library;

	for (; *names; names += n + (names[n] == ' ')) {
		n = strcspn(names, " ");
		snprintf(name, sizeof(name), "%.*s", (int)n, names);
		library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
		if (library)
			return library;
	}
	return NULL;
}

const char *bench_load_peer(const struct bench_peer *peer)
{
	void *library = RTLD_DEFAULT;

	if (peer->symbol && !dlsym(RTLD_DEFAULT, peer->symbol))
		return "the library was not found";
	if (peer->library) {
		library = open_library(peer->library);
		if (!library)
			return "the library was not found";
	}
	if (peer->load && peer->load(library) < 0)
		return "the library lacks a function";
	return NULL;
}
