/* SPDX-License-Identifier: MIT */
/*
 * death_cold.c - changed ciphertexts and handles, and misuse of cold secrets
 */
#include "t_cold.h"

#include <stddef.h>
#include <stdlib.h>

TA_TIERS(cold_dies);

enum { SECRET = 40, SEALED = SECRET + SECM_COLD_TAG };

/* Two of them, alike. */
static secmalloc_cold *a, *b;

static void freeze_two(void)
{
	ASSERT_NOT_NULL(a = tc_freeze(SECRET, 1));
	ASSERT_NOT_NULL(b = tc_freeze(SECRET, 1));
}

static void begin(const struct ta_tier *tier)
{
	ASSERT_EQ(0, tc_init(tier, 0));
	freeze_two();
}

/* In a child that has its own key. */
#define DIES(line, ...)               \
	EXPECT_DEATH(SIGABRT, line, { \
		freeze_two();         \
		__VA_ARGS__;          \
	})

static void flip(void *p, size_t i)
{
	((unsigned char *)p)[i] ^= 1;
}

/* Everything that looks at it. */
static void use(int how)
{
	switch (how) {
	case 0:
		(void)!secmalloc_cold_open(a);
		break;
	case 1:
		(void)!secmalloc_cold_thaw(a);
		break;
	case 2:
		(void)!secmalloc_cold_rekey();
		break;
	case 3:
		(void)!secmalloc_cold_replace(a, "abc", 3);
		break;
	default:
		secmalloc_cold_free(a);
	}
}
enum { USES_CONTENTS = 3, USES = 5 };

TEST_F(cold_dies, what_nobody_changed_lives_control)
{
	int i;

	begin(&variant->tier);
	for (i = 0; i < USES; i++)
		T_IN_CHILD(freeze_two(); flip(a->sealed, 0); flip(a->sealed, 0);
			   use(i));
}

TEST_F(cold_dies, a_changed_byte_of_the_ciphertext_is_found)
{
	size_t i;
	int how;

	KSFT_SANITIZER_SKIP("a line of its own comes first");
	begin(&variant->tier);
	for (i = 0; i < SEALED; i += 5)
		DIES(SECM_COLD_DIE_CHANGED, flip(a->sealed, i); use(0));
	for (how = 0; how < USES_CONTENTS; how++)
		DIES(SECM_COLD_DIE_CHANGED, flip(a->sealed, SEALED - 1);
		     use(how));
}

TEST_F(cold_dies, so_is_one_of_the_handle)
{
	size_t i;
	int how;

	KSFT_SANITIZER_SKIP("a line of its own comes first");
	begin(&variant->tier);
	for (i = 0; i < offsetof(secmalloc_cold, opens); i++) {
		if (i >= offsetof(secmalloc_cold, era) &&
		    i < offsetof(secmalloc_cold, nonce))
			continue; /* of another key: that is EPERM */
		DIES(SECM_COLD_DIE_CHANGED, flip(a, i); use((int)i % USES));
	}
	for (how = 0; how < USES; how++)
		DIES(SECM_COLD_DIE_CHANGED, flip(&a->size, 0); use(how));
	DIES(SECM_COLD_DIE_CHANGED, a->size = SIZE_MAX; use(0));
	DIES(SECM_COLD_DIE_CHANGED, ASSERT_NOT_NULL(secmalloc_cold_open(a));
	     a->open = secmalloc(SECRET + 1); use(0));
	DIES(SECM_COLD_DIE_CHANGED, ASSERT_NOT_NULL(secmalloc_cold_open(a));
	     flip(a->nonce, 3); use(0));
}

TEST_F(cold_dies, what_is_of_another_key_is_no_secret)
{
	begin(&variant->tier);
	flip(&a->era, 0);
	EXPECT_NULL(secmalloc_cold_open(a));
	EXPECT_EQ(EPERM, errno);
}

static void exchange(void *p, void *q, size_t size)
{
	unsigned char copy[128];

	ASSERT_LE(size, sizeof(copy));
	memcpy(copy, p, size);
	memcpy(p, q, size);
	memcpy(q, copy, size);
}

/* Contents of one size, handles alike: only the place tells them apart. */
TEST_F(cold_dies, secrets_that_changed_places_are_found)
{
	KSFT_SANITIZER_SKIP("a line of its own comes first");
	begin(&variant->tier);
	DIES(SECM_COLD_DIE_CHANGED, exchange(a, b, sizeof(*a)); use(0));
	DIES(SECM_COLD_DIE_CHANGED, exchange(a, b, sizeof(*a)); use(1));
	DIES(SECM_COLD_DIE_CHANGED, exchange(a->sealed, b->sealed, SEALED);
	     use(0));
	DIES(SECM_COLD_DIE_CHANGED,
	     exchange(&a->sealed, &b->sealed, sizeof(a->sealed));
	     use(0));
	DIES(SECM_COLD_DIE_CHANGED, exchange(a->sealed, b->sealed, SEALED);
	     exchange(a->nonce, b->nonce, sizeof(a->nonce));
	     exchange(&a->mac, &b->mac, sizeof(a->mac)); use(0));
}

TEST_F(cold_dies, handles_that_are_none_are_found)
{
	secmalloc_cold other;

	KSFT_SANITIZER_SKIP("a line of its own comes first");
	memset(&other, 0, sizeof(other));
	EXPECT_DEATH(SIGABRT, SECM_COLD_DIE_HANDLE,
		     (void)!secmalloc_cold_open(&other));
	EXPECT_DEATH(SIGABRT, SECM_COLD_DIE_HANDLE,
		     (void)!secmalloc_cold_size(NULL));
	begin(&variant->tier);
	DIES(SECM_COLD_DIE_HANDLE, secmalloc_cold_free(a);
	     secmalloc_cold_free(a));
	DIES(SECM_COLD_DIE_HANDLE, secmalloc_cold_free(&other));
	DIES(SECM_COLD_DIE_HANDLE, (void)!secmalloc_cold_open(NULL));
	DIES(SECM_COLD_DIE_HANDLE, secmalloc_cold_close(&other));
	DIES(SECM_COLD_DIE_HANDLE, (void)!secmalloc_cold_size(&other));
	DIES(SECM_COLD_DIE_HANDLE, (void)!secmalloc_cold_thaw(&other));
	DIES(SECM_COLD_DIE_HANDLE,
	     (void)!secmalloc_cold_replace(&other, "abc", 3));
	DIES(SECM_COLD_DIE_HANDLE, ASSERT_NOT_NULL(secmalloc_cold_thaw(a));
	     secmalloc_cold_free(a));
	DIES(SECM_COLD_DIE_HANDLE, other = *a; secmalloc_cold_free(&other));
}

TEST_F(cold_dies, opens_and_closes_have_to_agree)
{
	begin(&variant->tier);
	DIES(SECM_COLD_DIE_CLOSE, secmalloc_cold_close(a));
	DIES(SECM_COLD_DIE_CLOSE, ASSERT_NOT_NULL(secmalloc_cold_open(a));
	     secmalloc_cold_close(a); secmalloc_cold_close(a));
	DIES(SECM_COLD_DIE_FREE, ASSERT_NOT_NULL(secmalloc_cold_open(a));
	     secmalloc_cold_free(a));
}
