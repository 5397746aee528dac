/* SPDX-License-Identifier: MIT */
/*
 * cold.h - what the files of libsecmalloc-cold share
 *
 * Uses the public functions of libsecmalloc, libsodium and the C library.  All
 * state is secm_cold, under secm_cold_lock().
 *
 * Order of locks: ours before that of libsecmalloc.  Nothing is allocated by
 * functions that ask out-of-memory handlers while ours is held.
 */
#ifndef SECM_COLD_H
#define SECM_COLD_H

#include <stddef.h>
#include <stdint.h>

#include "compat.h"
#include "secmalloc_cold.h"

#define SECM_COLD_DIE_CHANGED \
	"secmalloc: cold secret or its handle was changed\n"
#define SECM_COLD_DIE_HANDLE "secmalloc: not a cold secret, or a freed one\n"
#define SECM_COLD_DIE_CLOSE \
	"secmalloc: close of a cold secret that is not open\n"
#define SECM_COLD_DIE_FREE "secmalloc: cold secret freed while it is open\n"
#define SECM_COLD_DIE_LOCK "secmalloc: lock of cold secrets is corrupt\n"

void secm_cold_die(const char *line) SECM_NORETURN;

enum { SECM_COLD_NONCE = 24, SECM_COLD_TAG = 16 };

/* A handle.  Who can write to ordinary memory can write to it. */
struct secmalloc_cold {
	size_t size;	       /* of the secret */
	unsigned char *sealed; /* size + SECM_COLD_TAG bytes */
	uint64_t era;	       /* of its key; another one: that is gone */
	unsigned char nonce[SECM_COLD_NONCE];
	uint64_t mac; /* of all above and the handle's address */
	size_t opens;
	void *open;	/* while opens > 0 */
	unsigned forks; /* of the process that opened it */
};

/* In secret memory alone.  What an inherited or dead object reads as, zeros, is
 * no key. */
struct secm_cold_key {
	unsigned char seal[32];
	unsigned char mac[16];
	uint64_t alive;
};

/* A key and the heap that it has for itself. */
struct secm_cold_home {
	secmalloc_heap *heap; /* NULL: none */
	struct secm_cold_key *key;
};

/* The live handles: see table.c. */
struct secm_cold_table {
	secmalloc_cold **slot;
	size_t slots; /* a power of two, or 0 */
	size_t used;
};

struct secm_cold_state {
	struct secm_cold_home home;
	uint64_t era; /* from 1; a new one with each key */
	size_t rekeys;
	unsigned forks; /* how many are between us and the first process */
	struct secmalloc_config config; /* of heaps for keys */
	struct secm_cold_table table;
};
extern struct secm_cold_state secm_cold;

/* lock.c */
int secm_cold_lock_setup(void) SECM_CHECK; /* after the first heap is there */
int secm_cold_is_set_up(void);
void secm_cold_lock(void);
void secm_cold_unlock(void);

/* table.c */
int secm_cold_table_reserve(struct secm_cold_table *table) SECM_CHECK;
void secm_cold_table_add(struct secm_cold_table *table, secmalloc_cold *cold);
int secm_cold_table_has(const struct secm_cold_table *table,
			const secmalloc_cold *cold);
void secm_cold_table_remove(struct secm_cold_table *table,
			    const secmalloc_cold *cold);

/* key.c */
int secm_cold_make_home(struct secm_cold_home *home,
			const struct secmalloc_config *config) SECM_CHECK;
void secm_cold_drop_home(struct secm_cold_home *home);
struct secm_cold_home secm_cold_settle(struct secm_cold_home *home);

/* One job under the lock, on a secret stack.  key is open meanwhile: NULL if
 * there is none (any more). */
struct secm_cold_job {
	int (*fn)(struct secm_cold_job *job, struct secm_cold_key *key);
	secmalloc_cold *cold; /* has to be a live one; NULL: is of no concern */
	const void *from;
	void *object;
	size_t size; /* of from, object or sealed */
	unsigned char *sealed;
	unsigned char nonce[SECM_COLD_NONCE];
	struct secm_cold_home home; /* a new key, taken if there is none */
	int result;
};
/* What fn returned, or a negative errno and it did not run. */
int secm_cold_run(struct secm_cold_job *job) SECM_CHECK;
int secm_cold_run_here(struct secm_cold_job *job); /* on the caller's stack */

/* seal.c: pre: key is open, nonce and size of cold are set */
int secm_cold_sealed_size(size_t size, size_t *total) SECM_CHECK;
void secm_cold_seal(secmalloc_cold *cold, const void *from,
		    const struct secm_cold_key *key);
void secm_cold_unseal(const secmalloc_cold *cold, void *to,
		      const struct secm_cold_key *key);
void secm_cold_check(const secmalloc_cold *cold,
		     const struct secm_cold_key *key);

#endif /* SECM_COLD_H */
