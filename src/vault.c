/* SPDX-License-Identifier: MIT */
/*
 * vault.c - the allocator's own secrets
 *
 * Callers: heap.c at start and after fork, slab.c for random slots, under the
 * heap's lock; cache.c for a lane, by the thread whose cache it belongs to.
 *
 * The generator decides which slot is handed out next.  It has to be fast and
 * unknown, not to withstand cryptanalysis: its output is never shown.  Three
 * words are mixed by shifts and sums, the fourth counts, so that no state can
 * have a short cycle.
 */
#include "vault.h"

#include "os.h"

enum { WARM_UP = 12 };

static void stir(uint64_t rng[4])
{
	int i;

	for (i = 0; i < WARM_UP; i++)
		(void)secm_rng_next(rng);
}

int secm_vault_fill(struct secm_vault *vault)
{
	int r = secm_os_random(vault, offsetof(struct secm_vault, lane));

	if (r)
		return r;
	vault->canary_key[1] |= 1;
	vault->canary_key[2] |= 1;
	vault->canary_bits = SECM_CANARY_BITS;
	stir(vault->rng);
	return 0;
}

int secm_vault_stir(struct secm_vault *vault)
{
	int r = secm_os_random(vault->rng, sizeof(vault->rng));

	if (r == 0)
		stir(vault->rng);
	return r;
}

void secm_vault_lane(struct secm_vault *vault, struct secm_lane *lane)
{
	lane->x = secm_rng_next(vault->rng);
	lane->step = secm_rng_next(vault->rng) | 1;
	lane->key = secm_rng_next(vault->rng);
}

uint64_t secm_rng_next(uint64_t rng[4])
{
	uint64_t out = rng[0] + rng[1] + rng[3]++;

	rng[0] = rng[1] ^ rng[1] >> 11;
	rng[1] = rng[2] + (rng[2] << 3);
	rng[2] = (rng[2] << 24 | rng[2] >> 40) + out;
	return out;
}
