/* SPDX-License-Identifier: MIT */
/*
 * death_misuse.c - each misuse of an object ends the process with its line
 *
 * All lines of src/die.h, for objects in slabs, large and guarded ones, on
 * each tier.  A death with another line, by another signal or none fails.
 */
#include "t_api.h"

#include <signal.h>
#include <stdlib.h>

#include "bits.h"
#include "die.h"
#include "heap.h"
#include "index.h"
#include "ksft.h"

enum { SMALL = 40, LARGE = 100005, GUARDED = 100, REUSES = 5000 };

FIXTURE(misuse)
{
	unsigned char *p;
	size_t size;
};

FIXTURE_VARIANT(misuse)
{
	struct ta_tier tier;
	size_t size;
	int guarded;
};

#define TIER(name, tier)                                                    \
	FIXTURE_VARIANT_ADD(misuse, name##_slab) { tier, SMALL, 0 };        \
	FIXTURE_VARIANT_ADD(misuse, name##_large) { tier, LARGE, 0 };       \
	FIXTURE_VARIANT_ADD(misuse, name##_guarded) { tier, GUARDED, 1 }

TIER(secret, TA_TIER_SECRET);
TIER(locked, TA_TIER_LOCKED);
TIER(plain, TA_TIER_PLAIN);

static unsigned char *get(size_t size, int guarded)
{
	return ta_hide(guarded ? secmalloc_guarded(size) : secmalloc(size));
}

/* With a neighbour below, not a guard page: any but the first slot of a slab.
 * That neighbour is no object, as there is no other. */
static unsigned char *get_alone(size_t size, int guarded)
{
	unsigned char *p;

	while ((p = get(size, guarded)) && (uintptr_t)p % ta_page() == 0)
		secfree(p);
	return p;
}

FIXTURE_SETUP(misuse)
{
	TA_BEGIN(&variant->tier);
	self->size = variant->size;
	self->p = get_alone(variant->size, variant->guarded);
	ASSERT_NOT_NULL(self->p);
	memset(self->p, 0x5a, self->size);
}

FIXTURE_TEARDOWN(misuse)
{
}

#define DIES(name, line) TEST_F_DEATH(misuse, name, SIGABRT, line)

/* What is not even a bug: the control. */
TEST_F(misuse, use_within_the_object_is_fine)
{
	memset(self->p, 0, self->size);
	self->p = secrealloc(self->p, self->size - 1);
	ASSERT_NOT_NULL(self->p);
	self->p[self->size - 2] = 0;
	secfree(self->p);
}

DIES(one_byte_written_after_the_end, SECM_DIE_OVERFLOW)
{
	self->p[self->size] ^= 1;
	secfree(self->p);
}

DIES(a_zero_written_after_the_end, SECM_DIE_OVERFLOW)
{
	self->p[self->size] = 0;
	secfree(self->p);
}

DIES(the_last_byte_before_the_next_object_or_guard, SECM_DIE_OVERFLOW)
{
	self->p[(self->size + 15) / 16 * 16 - 1] ^= 0x80;
	secfree(self->p);
}

DIES(an_overflow_is_found_by_realloc, SECM_DIE_OVERFLOW)
{
	self->p[self->size] ^= 0x10;
	self->p = secrealloc(self->p, 3 * self->size);
}

DIES(an_overflow_is_found_by_verify, SECM_DIE_OVERFLOW)
{
	self->p[self->size] ^= 0x10;
	EXPECT_EQ(0, secmalloc_verify());
}

DIES(an_overflow_after_realloc_in_place_is_found, SECM_DIE_OVERFLOW)
{
	unsigned char *q = secrealloc(self->p, self->size - 1);

	ASSERT_EQ(self->p, q);
	q[self->size - 1] = 0;
	secfree(q);
}

DIES(one_byte_written_before_the_start, SECM_DIE_UNDERFLOW)
{
	self->p[-1] ^= 1;
	secfree(self->p);
}

/* Before a small object there is an empty slot: that must be zero. */
TEST_F(misuse, an_underflow_is_found_by_verify)
{
	const char *line = variant->size == SMALL ? SECM_DIE_WRITE_AFTER_FREE
						  : SECM_DIE_UNDERFLOW;

	EXPECT_EQ(1, secmalloc_verify());
	EXPECT_DEATH(SIGABRT, line, {
		self->p = get_alone(variant->size, variant->guarded);
		self->p[-1] ^= 1;
		EXPECT_EQ(0, secmalloc_verify());
	});
}

DIES(an_underflow_is_found_by_realloc, SECM_DIE_UNDERFLOW)
{
	self->p[-8] ^= 1;
	self->p = secrealloc(self->p, 3 * self->size);
}

DIES(free_twice, SECM_DIE_DOUBLE_FREE)
{
	secfree(self->p);
	secfree(self->p);
}

DIES(free_twice_with_others_between, SECM_DIE_DOUBLE_FREE)
{
	unsigned char *others[100];
	int i;

	for (i = 0; i < 100; i++)
		others[i] = get(self->size, variant->guarded);
	secfree(self->p);
	for (i = 0; i < 100; i++)
		secfree(others[i]);
	secfree(self->p);
}

DIES(free_after_realloc_moved_it, SECM_DIE_DOUBLE_FREE)
{
	unsigned char *q = secrealloc(self->p, 3 * self->size + 20000);

	ASSERT_NOT_NULL(q);
	ASSERT_NE(q, self->p);
	secfree(ta_hide(self->p));
}

DIES(free_with_a_size_that_is_one_too_large, SECM_DIE_SIZE)
{
	secmalloc_free_sized(self->p, self->size + 1);
}

DIES(free_with_a_size_that_is_one_too_small, SECM_DIE_SIZE)
{
	secmalloc_free_sized(self->p, self->size - 1);
}

DIES(free_of_the_second_byte, SECM_DIE_INTERIOR)
{
	secfree(self->p + 1);
}

DIES(free_of_an_aligned_interior_pointer, SECM_DIE_INTERIOR)
{
	secfree(self->p + 16);
}

DIES(free_of_the_last_byte, SECM_DIE_INTERIOR)
{
	secfree(self->p + self->size - 1);
}

DIES(realloc_of_an_interior_pointer, SECM_DIE_INTERIOR)
{
	self->p = secrealloc(self->p + 16, 10);
}

DIES(realloc_of_a_freed_object, SECM_DIE_REUSE)
{
	secfree(self->p);
	self->p = secrealloc(ta_hide(self->p), self->size);
}

DIES(realloc_to_zero_of_a_freed_object, SECM_DIE_DOUBLE_FREE)
{
	secfree(self->p);
	self->p = secrealloc(ta_hide(self->p), 0);
}

/* The bytes must not come back to the program: somebody held on to them. */
static void write_freed(unsigned char *p, size_t size, int guarded, size_t at)
{
	int i;

	secfree(p);
	p[at] = 1;
	for (i = 0; i < REUSES && get(size, guarded); i++)
		;
}

DIES(write_to_the_first_byte_after_free, SECM_DIE_WRITE_AFTER_FREE)
{
	write_freed(self->p, self->size, variant->guarded, 0);
}

DIES(write_to_the_last_byte_after_free, SECM_DIE_WRITE_AFTER_FREE)
{
	write_freed(self->p, self->size, variant->guarded, self->size - 1);
}

DIES(write_after_free_is_found_by_verify, SECM_DIE_WRITE_AFTER_FREE)
{
	secfree(self->p);
	self->p[self->size / 2] = 1;
	EXPECT_EQ(0, secmalloc_verify());
}

FIXTURE(wild)
{
	char *heap;
};

TA_VARIANTS(wild);

FIXTURE_SETUP(wild)
{
	TA_BEGIN(&variant->tier);
	ASSERT_NOT_NULL(secmalloc(10));
	self->heap = malloc(100);
	ASSERT_NOT_NULL(self->heap);
}

FIXTURE_TEARDOWN(wild)
{
	free(self->heap);
}

#define WILD(name) TEST_F_DEATH(wild, name, SIGABRT, SECM_DIE_WILD)

WILD(free_of_a_stack_object)
{
	char local[32];

	secfree(ta_hide(local));
}

WILD(free_of_a_global)
{
	static char global[32];

	secfree(ta_hide(global));
}

WILD(free_of_a_string)
{
	secfree(ta_hide((void *)(uintptr_t) "secret"));
}

WILD(free_of_a_malloc_object)
{
	secfree(ta_hide(self->heap));
}

WILD(free_of_a_small_number)
{
	secfree(ta_hide((void *)16));
}

WILD(free_of_the_largest_address)
{
	secfree(ta_hide((void *)UINTPTR_MAX));
}

WILD(free_of_a_noncanonical_address)
{
	secfree(ta_hide((void *)(UINTPTR_MAX / 2 + 1)));
}

WILD(realloc_of_a_malloc_object)
{
	self->heap = secrealloc(ta_hide(self->heap), 10);
}

WILD(realloc_to_zero_of_a_malloc_object)
{
	self->heap = secrealloc(ta_hide(self->heap), 0);
}

/* Address space of ours where no object ever was. */
WILD(free_behind_the_last_slot)
{
	char *p = secmalloc(10000);

	ASSERT_NOT_NULL(p);
	while (ta_access(p) == SECM_READWRITE)
		p += ta_page();
	secfree(p);
}

WILD(free_in_the_guard_of_a_guarded_object)
{
	char *p = secmalloc_guarded(16);

	ASSERT_NOT_NULL(p);
	secfree(p);
	secfree(p - 16);
}

TEST_DEATH(free_before_anything_was_allocated, SIGABRT, SECM_DIE_WILD)
{
	char local;

	secfree(ta_hide(&local));
}

/* The last two lines tell of damage to the allocator itself; tests do it. */
TEST_DEATH(a_lock_that_fails, SIGABRT, SECM_DIE_LOCK)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&secm_heap_lock.mutex, &attr);
	pthread_mutex_lock(&secm_heap_lock.mutex);
	ASSERT_NULL(secmalloc(10));
}

TEST_DEATH(a_bitmap_that_contradicts_itself, SIGABRT, SECM_DIE_META)
{
	static const struct ta_tier plain = {
		SECM_HIDDEN | SECM_LOCKED, 0,
		SECMALLOC_BEST_EFFORT | SECMALLOC_NO_CACHES
	};
	struct secm_span *span;
	size_t w;
	char *p;

	ASSERT_EQ(0, ta_start(&plain));
	p = secmalloc(10);
	ASSERT_NOT_NULL(p);
	span = secm_index_find(p);
	ASSERT_NOT_NULL(span);
	for (w = 0; w < secm_bits_words(span->u.slab.slots); w++)
		span->u.slab.taken[w] = ~(uint64_t)0;
	ASSERT_NULL(secmalloc(10));
}
