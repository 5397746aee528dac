/* SPDX-License-Identifier: MIT */
/*
 * vault.h - the allocator's own secrets, kept like everybody else's
 *
 * One page of secret memory of the heap holds the canary key and the state of
 * the random generators, so that no copy of them lies in ordinary memory.
 *
 *	| key | generator of the heap | lane 0 | lane 1 | ...  a line each
 *
 * A lane is the generator of one thread's cache.  With more threads than lanes
 * some share one: that costs speed and, at worst, repeats a choice.
 */
#ifndef SECM_VAULT_H
#define SECM_VAULT_H

#include <stddef.h>

#include "compat.h"

enum { SECM_LANES = 60, SECM_LANE_BYTES = 64 };

/* One in each byte.  It is kept beside the key, as it is shorter to get there. */
#define SECM_CANARY_BITS UINT64_C(0x0101010101010101)

struct secm_lane {
	uint64_t x, step, key;
	uint64_t spare[5];
};

struct secm_vault {
	uint64_t canary_key[3]; /* the second and third are odd */
	uint64_t canary_bits;	/* that all have: SECM_CANARY_BITS */
	uint64_t spare[4];
	uint64_t rng[4];
	uint64_t more_spare[4];
	struct secm_lane lane[SECM_LANES];
};

SECM_STATIC_ASSERT(sizeof(struct secm_lane) == SECM_LANE_BYTES);
SECM_STATIC_ASSERT(sizeof(struct secm_vault) <= 4096);

/* Fills a fresh vault.  -EIO: no good random bytes. */
int secm_vault_fill(struct secm_vault *vault) SECM_CHECK;

/* Other random numbers from now on, and the same canaries.  -EIO */
int secm_vault_stir(struct secm_vault *vault) SECM_CHECK;

/* Seeds a lane from the heap's generator. */
void secm_vault_lane(struct secm_vault *vault, struct secm_lane *lane);

/* 64 bits that an attacker outside the vault cannot foretell. */
uint64_t secm_rng_next(uint64_t rng[4]);

/* The same from a lane, faster: a secret step, and a product by a secret.  The
 * upper bits are the better ones. */
static SECM_INLINE uint64_t secm_lane_next(struct secm_lane *lane)
{
	uint64_t x = lane->x + lane->step;

	lane->x = x;
	return x * (x ^ lane->key);
}

#endif /* SECM_VAULT_H */
