/* SPDX-License-Identifier: MIT */
/*
 * keys.c - protection keys of heaps, and what each thread has opened of them
 *
 * Callers: api.c, scope.c, scopes.c and heaps.c.  A thread's counts and the
 * register with its rights are its own; all else here is under the lock.
 *
 * Every page of such a heap has its key.  The library opens all keys of ours in
 * the thread that has the lock, and lets the thread's counts hold when it lets
 * go.  So a thread that was made inside a scope, and got its maker's rights
 * with that, loses them at the latest in its first call that takes the lock.
 *
 * K1  A key is never given back to the kernel, which would not take it off the
 *     pages that have it; it waits for another heap of ours.
 */
#include "keys.h"

#include <errno.h>

#include "annotate.h"
#include "die.h"
#include "os.h"

#ifdef SECM_THREAD
enum { CAN_COUNT = 1 };
#else
enum { CAN_COUNT = 0 };
#endif

SECM_OF_THREAD struct secm_scopes secm_own_scopes;

static unsigned char ours[SECM_KEYS], idle[SECM_KEYS];
static uint32_t all;   /* the bits of ours in a word of rights */
static unsigned depth; /* of secm_keys_open() */

static int take_idle(void)
{
	int key;

	for (key = 1; key < SECM_KEYS; key++)
		if (idle[key]) {
			idle[key] = 0;
			return key;
		}
	return 0;
}

/* One that is open in this thread, as all of ours are just now. */
static int new_key(void)
{
	int key = CAN_COUNT && !secm_watched ? secm_os_key_new() : -ENOTSUP;

	if (key < 0)
		return key;
	if (key == 0 || key >= SECM_KEYS)
		return -ENOSPC; /* nothing that is known has such keys */
	if (!all)
		depth = 1; /* the call that is under way */
	ours[key] = 1;
	all |= secm_keys_mask((unsigned)key);
	return key;
}

int secm_keys_get(struct secm_heap *heap)
{
	int key = take_idle();

	if (!key)
		key = new_key();
	if (key < 0)
		return key;
	heap->key = (unsigned)key;
	return 0;
}

void secm_keys_put(struct secm_heap *heap)
{
	if (heap->key && secm_heap_mapped(heap) == 0)
		idle[heap->key] = 1; /* K1 */
	heap->key = 0;
}

void secm_keys_open(void)
{
	if (SECM_LIKELY(!all) || depth++)
		return;
	(void)secm_os_rights(all, 0);
}

void secm_keys_close(void)
{
	uint32_t rights = 0;
	unsigned key;

	if (SECM_LIKELY(!all) || --depth)
		return;
	for (key = 1; key < SECM_KEYS; key++)
		if (ours[key])
			rights |= secm_keys_bits(key, secm_keys_allowed(key));
	(void)secm_os_rights(all, rights);
}

void secm_keys_take_lost(const struct secm_heap *heap, int write)
{
	if (secm_own_scopes.lost[heap->key][write]-- == 0)
		secm_die(SECM_DIE_SCOPE);
}

void secm_keys_forget(const struct secm_heap *heap, int forked)
{
	struct secm_scopes *own = &secm_own_scopes;
	unsigned key = heap->key, i;

	for (i = 0; key && i < 2; i++) {
		own->lost[key][i] += own->open[key][i];
		if (!forked)
			own->lost[key][i] = 0;
		own->open[key][i] = 0;
	}
}
