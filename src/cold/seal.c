/* SPDX-License-Identifier: MIT */
/*
 * seal.c - encrypt, decrypt, and recognise what was changed
 *
 * Callers: jobs of secm_cold_run(), under the lock and on a secret stack, with
 * the key open.
 *
 * What a handle says is authenticated twice: by a short code that is checked
 * before any of it is believed, and as associated data of the ciphertext.  Both
 * have the handle's own address in them, so that a handle's bytes are of no use
 * at another one.
 */
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "cold.h"

/* No padding: all of its bytes are authenticated. */
struct label {
	uint64_t handle, sealed, size, era;
	unsigned char nonce[SECM_COLD_NONCE];
};

SECM_STATIC_ASSERT(sizeof(struct label) == 4 * 8 + SECM_COLD_NONCE);
SECM_STATIC_ASSERT(SECM_COLD_NONCE ==
		   crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
SECM_STATIC_ASSERT(SECM_COLD_TAG == crypto_aead_xchacha20poly1305_ietf_ABYTES);
SECM_STATIC_ASSERT(sizeof(((struct secm_cold_key *)0)->seal) ==
		   crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
SECM_STATIC_ASSERT(sizeof(((struct secm_cold_key *)0)->mac) ==
		   crypto_shorthash_KEYBYTES);
SECM_STATIC_ASSERT(sizeof(uint64_t) == crypto_shorthash_BYTES);

static struct label label_of(const secmalloc_cold *cold)
{
	struct label label;

	label.handle = (uintptr_t)cold;
	label.sealed = (uintptr_t)cold->sealed;
	label.size = cold->size;
	label.era = cold->era;
	memcpy(label.nonce, cold->nonce, sizeof(label.nonce));
	return label;
}

static uint64_t mac_of(const struct label *label,
		       const struct secm_cold_key *key)
{
	uint64_t mac;

	(void)crypto_shorthash((unsigned char *)&mac, /* it cannot fail */
			       (const unsigned char *)label, sizeof(*label),
			       key->mac);
	return mac;
}

int secm_cold_sealed_size(size_t size, size_t *total)
{
	if (size > PTRDIFF_MAX - SECM_COLD_TAG)
		return -ENOMEM;
	*total = size + SECM_COLD_TAG;
	return 0;
}

void secm_cold_check(const secmalloc_cold *cold,
		     const struct secm_cold_key *key)
{
	struct label label = label_of(cold);
	uint64_t mac = mac_of(&label, key);

	if (!secmalloc_equal(&mac, &cold->mac, sizeof(mac)))
		secm_cold_die(SECM_COLD_DIE_CHANGED);
}

void secm_cold_seal(secmalloc_cold *cold, const void *from,
		    const struct secm_cold_key *key)
{
	struct label label = label_of(cold);

	if (crypto_aead_xchacha20poly1305_ietf_encrypt(
		    cold->sealed, NULL, from, cold->size,
		    (const unsigned char *)&label, sizeof(label), NULL,
		    cold->nonce, key->seal) != 0)
		secm_cold_die(SECM_COLD_DIE_CHANGED); /* it cannot fail */
	cold->mac = mac_of(&label, key);
}

void secm_cold_unseal(const secmalloc_cold *cold, void *to,
		      const struct secm_cold_key *key)
{
	struct label label = label_of(cold);

	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    to, NULL, NULL, cold->sealed, cold->size + SECM_COLD_TAG,
		    (const unsigned char *)&label, sizeof(label), cold->nonce,
		    key->seal) != 0)
		secm_cold_die(SECM_COLD_DIE_CHANGED);
}
