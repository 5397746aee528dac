/* SPDX-License-Identifier: MIT */
/*
 * test_cold_rekey.c - another key for everything, or for nothing
 */
#include "t_cold.h"

#include <stdlib.h>

TA_TIERS(rekey);

enum { MANY = 300, ROUNDS = 3 };

static size_t size_of(int i)
{
	return (size_t)i * i % 5003;
}

/* Handle and ciphertext as they are now. */
struct copy {
	secmalloc_cold handle;
	unsigned char *sealed;
};

static struct copy copy_of(const secmalloc_cold *cold)
{
	struct copy copy = { .handle = *cold };

	copy.sealed = malloc(cold->size + SECM_COLD_TAG);
	ASSERT_NOT_NULL(copy.sealed);
	memcpy(copy.sealed, cold->sealed, cold->size + SECM_COLD_TAG);
	return copy;
}

static int is_as(const secmalloc_cold *cold, const struct copy *copy)
{
	return memcmp(cold->nonce, copy->handle.nonce, sizeof(cold->nonce)) ==
		       0 &&
	       memcmp(cold->sealed, copy->sealed, cold->size + SECM_COLD_TAG) ==
		       0;
}

static secmalloc_cold *c[MANY];
static struct copy copy[MANY];

static void freeze_many(void)
{
	int i;

	for (i = 0; i < MANY; i++)
		ASSERT_NOT_NULL(c[i] = tc_freeze(size_of(i), (uint64_t)i));
}

/* How many are as they were copied, and open. */
static int unchanged(void)
{
	int i, n = 0;

	for (i = 0; i < MANY; i++)
		n += is_as(c[i], &copy[i]);
	return n;
}

static int sound(void)
{
	int i, n = 0;

	for (i = 0; i < MANY; i++)
		n += tc_holds(c[i], size_of(i), (uint64_t)i);
	return n;
}

static void copy_many(void)
{
	int i;

	for (i = 0; i < MANY; i++) {
		free(copy[i].sealed);
		copy[i] = copy_of(c[i]);
	}
}

TEST_F(rekey, all_are_encrypted_anew_and_open)
{
	struct secm_cold_home old;
	size_t locked;
	int round;

	ASSERT_EQ(0, tc_init(&variant->tier, 0));
	freeze_many();
	locked = tc_report().locked;
	for (round = 0; round < ROUNDS; round++) {
		copy_many();
		old = secm_cold.home;
		errno = 4711;
		ASSERT_EQ(0, secmalloc_cold_rekey());
		EXPECT_EQ(4711, errno);
		EXPECT_NE(old.key, secm_cold.home.key);
		EXPECT_FALSE(secmalloc_owns(old.key));
		EXPECT_TRUE(secmalloc_owns(secm_cold.home.key)); /* control */
		EXPECT_EQ(0, unchanged());
		EXPECT_EQ(MANY, sound());
		EXPECT_EQ(locked, tc_report().locked);
		EXPECT_EQ(round + 1, tc_report().rekeys);
	}
}

TEST_F(rekey, nonces_are_all_different)
{
	int i, j, same = 0;

	ASSERT_EQ(0, tc_init(&variant->tier, 0));
	freeze_many();
	ASSERT_EQ(0, secmalloc_cold_rekey());
	for (i = 0; i < MANY; i++)
		for (j = 0; j < i; j++)
			same += memcmp(c[i]->nonce, c[j]->nonce,
				       SECM_COLD_NONCE) == 0;
	EXPECT_EQ(0, same);
}

TEST_F(rekey, what_is_open_stays_open)
{
	const void *p;

	ASSERT_EQ(0, tc_init(&variant->tier, 0));
	freeze_many();
	ASSERT_NOT_NULL(p = secmalloc_cold_open(c[7]));
	ASSERT_EQ(0, secmalloc_cold_rekey());
	EXPECT_TRUE(t_is_filled(p, size_of(7), 7));
	EXPECT_EQ(p, secmalloc_cold_open(c[7]));
	secmalloc_cold_close(c[7]);
	secmalloc_cold_close(c[7]);
	EXPECT_TRUE(tc_holds(c[7], size_of(7), 7));
}

TEST_F(rekey, without_a_secret_it_makes_a_key)
{
	ASSERT_EQ(0, tc_init(&variant->tier, 0));
	ASSERT_EQ(0, secmalloc_cold_rekey());
	ASSERT_EQ(0, secmalloc_cold_rekey());
	EXPECT_EQ(2, tc_report().rekeys);
	EXPECT_EQ(0, tc_report().secrets);
}

TEST(before_everything_it_makes_the_first_key)
{
	struct ta_tier tier = TA_TIER_LOCKED;

	if (ta_begin(&tier))
		SKIP(return, "no locked memory here");
	ASSERT_EQ(0, secmalloc_cold_rekey());
	EXPECT_EQ(0, tc_report().rekeys);
	EXPECT_NE(0, tc_report().locked);
}

/* There is no room for the largest of them: then none is changed. */
TEST(out_of_memory_nothing_changes)
{
	struct secmalloc_config config = { .flags = SECMALLOC_BEST_EFFORT,
					   .max_bytes = 512 << 10,
					   .retain = 1 };
	enum { LARGE = 300 << 10 };
	secmalloc_cold *large;
	struct secm_cold_home home;
	void *p;

	ASSERT_EQ(0, secmalloc_init(&config));
	config.max_bytes = 0;
	ASSERT_EQ(0, secmalloc_cold_init(&config));
	freeze_many();
	ASSERT_NOT_NULL(large = tc_freeze(LARGE, 1));
	ASSERT_NOT_NULL(p = secmalloc(LARGE));
	copy_many();
	home = secm_cold.home;
	EXPECT_EQ(-1, secmalloc_cold_rekey());
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(0, tc_report().rekeys);
	EXPECT_EQ(home.key, secm_cold.home.key);
	EXPECT_EQ(MANY, unchanged());
	/* Control: with room it does. */
	secfree(p);
	ASSERT_EQ(0, secmalloc_cold_rekey());
	EXPECT_EQ(0, unchanged());
	EXPECT_TRUE(tc_holds(large, LARGE, 1));
}

/* Nor if there is none for another key. */
TEST(without_room_for_a_key_nothing_changes)
{
	struct secmalloc_config config = { .flags = SECMALLOC_BEST_EFFORT };

	ASSERT_EQ(0, secmalloc_init(&config));
	ASSERT_EQ(0, secmalloc_cold_init(&config));
	freeze_many();
	copy_many();
	secm_cold.config.max_bytes = 1; /* of a heap for the next one */
	EXPECT_EQ(-1, secmalloc_cold_rekey());
	EXPECT_NE(0, errno);
	EXPECT_EQ(MANY, unchanged());
	EXPECT_EQ(MANY, sound());
	secm_cold.config.max_bytes = 0;
	EXPECT_EQ(0, secmalloc_cold_rekey());
	EXPECT_EQ(1, tc_report().rekeys);
}
