/* SPDX-License-Identifier: MIT */
/*
 * t_key.h - what the tests of keys share
 */
#ifndef T_KEY_H
#define T_KEY_H

#include <pthread.h>
#include <sched.h>

#include "ksft.h"
#include "t_api.h"
#include "t_util.h"
#include "table.h"
#include "turn.h"

/* A key of bytes that depend on seed. */
static inline secmalloc_key *t_key(secmalloc_heap *heap, size_t size,
				   uint64_t seed)
{
	static unsigned char bytes[100000];
	secmalloc_key *key;

	t_fill(bytes, size, seed);
	key = secmalloc_key_take(heap, bytes, size);
	EXPECT_NOT_NULL(key);
	return key;
}

/* 1 if it can be read and has these bytes. */
static inline int t_key_is(const secmalloc_key *key, size_t size, uint64_t seed)
{
	const void *bytes = secmalloc_key_read(key);
	int is = bytes && secmalloc_key_size(key) == size &&
		 t_is_filled(bytes, size, seed);

	if (bytes)
		secmalloc_key_read_end(key);
	return is;
}

/* Threads that wait to read or write the key, now. */
static inline unsigned t_waiting(const secmalloc_key *key, int write)
{
	struct secm_turn *t;
	unsigned n;

	secm_lock(&secm_turn_lock);
	t = *secm_turn_find(key);
	n = t ? t->waiting[write] : 0;
	secm_unlock(&secm_turn_lock);
	return n;
}

static inline void t_until_waiting(const secmalloc_key *key, int write,
				   unsigned n)
{
	while (t_waiting(key, write) != n)
		(void)sched_yield();
}

/* Whether anything is noted for any key. */
static inline int t_no_turns(void)
{
	unsigned i;

	for (i = 0; i < SECM_TURN_BUCKETS; i++)
		if (secm_turn_table[i])
			return 0;
	return 1;
}

#endif /* T_KEY_H */
