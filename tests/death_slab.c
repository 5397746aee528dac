/* SPDX-License-Identifier: MIT */
/*
 * death_slab.c - slab.c: what a slab dies of, to the byte
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <signal.h>

#include "die.h"
#include "ksft.h"
#include "slot.h"
#include "t_heap.h"
#include "t_util.h"

T_TIERS(slab_dies);
T_TIER_LOCKED(slab_dies);
T_TIER_PLAIN(slab_dies);

enum { TRIES = 3000 };

/* An object with a live one before and behind it.  NULL: no such luck. */
static char *between(size_t size)
{
	static char *p[TRIES];
	size_t i, slot;

	for (i = 0; i < 300; i++)
		p[i] = secmalloc(size);
	slot = t_slot(p[0]);
	for (i = 0; i < 300; i++) {
		struct secm_span *span = t_span(p[i]);
		size_t n = (size_t)(p[i] - span->data) / slot;

		if (n > 0 && t_is_live(span, n - 1) && t_is_live(span, n + 1))
			return p[i];
	}
	return NULL;
}

static void flip(char *p)
{
	*(volatile char *)p ^= 0x40;
}

/* From the first to the last byte behind an object. */
TEST_F(slab_dies, of_each_byte_written_behind_an_object)
{
	static const size_t sizes[] = { 0, 1, 7, 8, 20, 40, 56 };
	size_t i, at;

	T_BEGIN(NULL);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i];
		char *probe = secmalloc(size);
		size_t slot = t_slot(probe);

		ASSERT_NE(NULL, probe);
		for (at = size; at < slot; at += at % 3 + 1)
			EXPECT_DEATH(SIGABRT, SECM_DIE_OVERFLOW, {
				char *p = secmalloc(size);

				flip(p + at);
				secfree(p);
			});
		EXPECT_DEATH(SIGABRT, SECM_DIE_OVERFLOW, {
			char *p = secmalloc(size);

			p[slot - 1] = 0; /* a string's terminator */
			secfree(p);
		});
	}
}

TEST_F(slab_dies, of_each_byte_written_before_an_object)
{
	int at;

	T_BEGIN(NULL);
	for (at = 1; at <= 8; at++) {
		EXPECT_DEATH(SIGABRT, SECM_DIE_UNDERFLOW, {
			char *p = between(24);

			flip(p - at);
			secfree(p);
		});
		EXPECT_DEATH(SIGABRT, SECM_DIE_UNDERFLOW, {
			char *p = between(24);

			secfree(p - t_slot(p)); /* the slot before is free */
			flip(p - at);
			secfree(p);
		});
	}
}

TEST_F(slab_dies, of_an_overflow_found_by_realloc)
{
	T_BEGIN(NULL);
	EXPECT_DEATH(SIGABRT, SECM_DIE_OVERFLOW, {
		char *p = secmalloc(24);

		flip(p + 24);
		p = secrealloc(p, 20);
	});
	EXPECT_DEATH(SIGABRT, SECM_DIE_OVERFLOW, {
		char *p = secmalloc(24);

		flip(p + 24);
		p = secrealloc(p, 2000);
	});
}

TEST_F(slab_dies, of_a_double_free)
{
	static const size_t sizes[] = { 0, 1, 100, 520, 521, 5000, 16392 };
	size_t i;

	T_BEGIN(NULL);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		EXPECT_DEATH(SIGABRT, SECM_DIE_DOUBLE_FREE, {
			void *p = secmalloc(sizes[i]);

			secfree(p);
			secfree(p);
		});
		EXPECT_DEATH(SIGABRT, SECM_DIE_DOUBLE_FREE, {
			void *p = secmalloc(sizes[i]);
			void *keep = secmalloc(sizes[i]);

			secfree(p);
			if (keep)
				secfree(p);
		});
	}
}

TEST_F(slab_dies, of_a_realloc_of_a_freed_object)
{
	T_BEGIN(NULL);
	EXPECT_DEATH(SIGABRT, SECM_DIE_REUSE, {
		void *p = secmalloc(100);

		secfree(p);
		p = secrealloc(p, 10);
	});
}

TEST_F(slab_dies, of_a_free_of_an_interior_pointer)
{
	static const size_t offsets[] = { 1, 8, 15, 16, 99, 100, 111 };
	size_t i;

	T_BEGIN(NULL);
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
		EXPECT_DEATH(SIGABRT, SECM_DIE_INTERIOR, {
			char *p = secmalloc(100);

			secfree(p + offsets[i]);
		});
}

TEST_F(slab_dies, of_a_free_behind_the_last_slot)
{
	T_BEGIN(NULL);
	EXPECT_DEATH(SIGABRT, SECM_DIE_WILD, {
		char *p = secmalloc(100);
		struct secm_span *span = t_span(p);

		secfree(span->data + span->u.slab.slots * t_slot(p));
	});
}

/* Until the slot comes round again. */
static void use_all_of(size_t size)
{
	int i;

	for (i = 0; i < TRIES; i++)
		if (!secmalloc(size))
			break;
}

TEST_F(slab_dies, of_each_byte_written_after_free)
{
	size_t at;

	T_BEGIN(NULL);
	for (at = 0; at < 48; at += 5)
		EXPECT_DEATH(SIGABRT, SECM_DIE_WRITE_AFTER_FREE, {
			char *p = secmalloc(40);
			void *keep = secmalloc(40);

			secfree(p);
			if (keep)
				flip(p + at);
			use_all_of(40);
		});
}

TEST_F(slab_dies, of_a_touch_of_the_guards)
{
	T_BEGIN(NULL);
	T_FAULTS({
		flip(t_span(secmalloc(100))->data - 1);
	});
	T_FAULTS({
		flip(secm_span_end(t_span(secmalloc(100))));
	});
}

/* Where two threads free one object at the same instant both may keep its
 * slot, but the word can only have the tag of one. */
TEST_F(slab_dies, of_a_slot_in_a_cache_that_another_thread_has_too)
{
	T_BEGIN(NULL);
	if (!SECM_ATOMICS)
		SKIP(return, "this build has no caches");
	EXPECT_DEATH(SIGABRT, SECM_DIE_DOUBLE_FREE, {
		void *p = secmalloc(40);
		void *q = secmalloc(40);
		struct secm_span *span = t_span(q);

		secfree(p);
		secfree(q);
		span->u.slab.state[secm_slot_of(span, q)] ^=
			(uint32_t)1 << SECM_TAG_SHIFT;
		use_all_of(40);
	});
}
