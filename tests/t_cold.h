/* SPDX-License-Identifier: MIT */
/*
 * t_cold.h - what the tests of cold secrets share
 */
#ifndef T_COLD_H
#define T_COLD_H

#include "t_api.h"

#include "cold/cold.h"
#include "ksft.h"
#include "t_util.h"

/* Both the default heap and the one of the key on a tier. */
static inline int tc_init(const struct ta_tier *tier, unsigned child)
{
	struct secmalloc_config c = { .need = tier->need,
				      .flags = tier->flags,
				      .hibernation =
					      SECMALLOC_HIBERNATION_GIVE_UP,
				      .child = child };

	return secmalloc_cold_init(&c);
}

/* Frozen, with contents that depend on size and seed. */
static inline secmalloc_cold *tc_freeze(size_t size, uint64_t seed)
{
	unsigned char *p = secmalloc(size);
	secmalloc_cold *cold;

	ASSERT_NOT_NULL(p);
	t_fill(p, size, seed);
	cold = secmalloc_cold_freeze(p, size);
	secfree(p);
	return cold;
}

/* 1 if it opens and has these contents. */
static inline int tc_holds(secmalloc_cold *cold, size_t size, uint64_t seed)
{
	const unsigned char *p = secmalloc_cold_open(cold);
	int holds;

	if (!p)
		return 0;
	holds = secmalloc_usable_size(p) == size &&
		secmalloc_cold_size(cold) == size && t_is_filled(p, size, seed);
	secmalloc_cold_close(cold);
	return holds;
}

static inline struct secmalloc_cold_report tc_report(void)
{
	struct secmalloc_cold_report r = { .size = sizeof(r) };

	EXPECT_EQ(0, secmalloc_cold_report(&r));
	return r;
}

#endif /* T_COLD_H */
