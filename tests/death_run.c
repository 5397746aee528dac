/* SPDX-License-Identifier: MIT */
/*
 * death_run.c - run.c: what an object with pages of its own dies of
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <signal.h>

#include "die.h"
#include "ksft.h"
#include "t_heap.h"
#include "t_util.h"

T_TIERS(run_dies);
T_TIER_LOCKED(run_dies);
T_TIER_PLAIN(run_dies);

static void flip(char *p)
{
	*(volatile char *)p ^= 0x40;
}

static char *large(size_t more)
{
	return secmalloc(SECM_SLAB_LARGEST + more);
}

TEST_F(run_dies, of_each_byte_between_the_object_and_its_guard)
{
	size_t at;

	T_BEGIN(NULL);
	T_NEED(large(1));
	for (at = 1; at < 16; at++) {
		EXPECT_DEATH(SIGABRT, SECM_DIE_OVERFLOW, {
			char *p = secmalloc_guarded(33);

			flip(p + 33 + at % 15);
			secfree(p);
		});
		EXPECT_DEATH(SIGABRT, SECM_DIE_OVERFLOW, {
			char *p = large(at);
			size_t size = SECM_SLAB_LARGEST + at;
			size_t tail = (16 - size % 16) % 16;

			if (tail == 0)
				size = SECM_SLAB_LARGEST + at - 16;
			flip(p + (tail ? size + at % tail : size + 15));
			secfree(p);
			secm_die(SECM_DIE_OVERFLOW); /* size % 16 == 0 */
		});
	}
}

TEST_F(run_dies, of_an_overflow_by_one_that_meets_the_guard)
{
	T_BEGIN(NULL);
	T_FAULTS(flip((char *)secmalloc_guarded(32) + 32));
	T_FAULTS({
		char *p = large(8);

		if (p)
			flip(p + SECM_SLAB_LARGEST + 8);
	});
}

/* A small object that has pages of its own by chance; without that the byte
 * behind it can be written, and is found later. */
TEST_F(run_dies, of_an_overflow_by_one_of_a_small_one_that_is_sampled)
{
	struct secmalloc_config config = { .sample = 1 };

	T_BEGIN(&config);
	T_NEED(secmalloc(32));
	T_FAULTS(flip((char *)secmalloc(32) + 32));
	T_FAULTS(flip(t_span(secmalloc(32))->data - 1));
	secmalloc_shutdown();
	T_BEGIN(NULL);
	EXPECT_DEATH(SIGABRT, SECM_DIE_OVERFLOW, {
		char *p = secmalloc(32);

		flip(p + 32);
		secfree(p);
	});
}

TEST_F(run_dies, of_each_byte_before_the_object_on_its_page)
{
	static const size_t before[] = { 1, 2, 8, 9, 100, 2000, 4000 };
	size_t i;

	T_BEGIN(NULL);
	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		EXPECT_DEATH(SIGABRT, SECM_DIE_UNDERFLOW, {
			char *p = secmalloc_guarded(16);

			flip(p - before[i]);
			secfree(p);
		});
	T_FAULTS({
		char *p = secmalloc_guarded(secm_os.page);

		flip(p - 1);
	});
	/* At a page's start the page before is where the canary lies. */
	EXPECT_DEATH(SIGABRT, SECM_DIE_UNDERFLOW, {
		char *p = secmalloc_guarded(10 * secm_os.page);

		secfree(p);
		p = secmalloc_guarded(9 * secm_os.page);
		flip(p - 1);
		secfree(p);
	});
}

TEST_F(run_dies, of_an_overflow_found_by_realloc)
{
	T_BEGIN(NULL);
	EXPECT_DEATH(SIGABRT, SECM_DIE_OVERFLOW, {
		char *p = secmalloc_guarded(20);

		flip(p + 20);
		p = secrealloc(p, 21);
	});
	EXPECT_DEATH(SIGABRT, SECM_DIE_UNDERFLOW, {
		char *p = secmalloc_guarded(20);

		flip(p - 1);
		p = secrealloc(p, 2000);
	});
}

TEST_F(run_dies, of_a_double_free)
{
	static const size_t sizes[] = { 0, 1, 16, 100, 5000, 40000 };
	size_t i;

	T_BEGIN(NULL);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		EXPECT_DEATH(SIGABRT, SECM_DIE_DOUBLE_FREE, {
			void *p = secmalloc_guarded(sizes[i]);

			secfree(p);
			secfree(p);
		});
	EXPECT_DEATH(SIGABRT, SECM_DIE_REUSE, {
		void *p = secmalloc_guarded(100);

		secfree(p);
		p = secrealloc(p, 10);
	});
}

TEST_F(run_dies, of_a_free_of_any_other_pointer_into_it)
{
	static const long offsets[] = { 1, 15, 16, 99, 100, -1, -16, -100 };
	size_t i;

	T_BEGIN(NULL);
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
		EXPECT_DEATH(SIGABRT, SECM_DIE_INTERIOR, {
			char *p = secmalloc_guarded(100);

			secfree(p + offsets[i]);
		});
	/* None is there any more, and that is not where it began. */
	EXPECT_DEATH(SIGABRT, SECM_DIE_INTERIOR, {
		char *p = secmalloc_guarded(100);

		secfree(p);
		secfree(p + 16);
	});
	EXPECT_DEATH(SIGABRT, SECM_DIE_WILD, {
		char *p = secmalloc_guarded(100);

		secfree(p);
		secfree(p - 16);
	});
}

TEST_F(run_dies, of_a_free_of_the_vault)
{
	T_BEGIN(NULL);
	EXPECT_DEATH(SIGABRT, SECM_DIE_WILD, {
		void *p = secmalloc(1);

		if (p)
			secfree(secm_default_heap.vault);
	});
	EXPECT_DEATH(SIGABRT, SECM_DIE_WILD, {
		void *p = secmalloc(1);

		p = secrealloc(secm_default_heap.vault, p ? 8 : 9);
	});
}

TEST_F(run_dies, of_a_byte_written_after_free)
{
	T_BEGIN(NULL);
	EXPECT_DEATH(SIGABRT, SECM_DIE_WRITE_AFTER_FREE, {
		char *p = secmalloc_guarded(100);

		secfree(p);
		flip(p + 99);
		p = secmalloc_guarded(30);
	});
	EXPECT_DEATH(SIGABRT, SECM_DIE_WRITE_AFTER_FREE, {
		char *p = secmalloc_guarded(100);

		secfree(p);
		flip(t_span(p)->data); /* where only canary was */
		p = secmalloc_guarded(30);
	});
}

TEST_F(run_dies, of_an_access_that_is_not_allowed)
{
	T_BEGIN(NULL);
	T_FAULTS({
		char *p = secmalloc_guarded(100);

		if (secmalloc_protect(p, SECMALLOC_READONLY) == 0 && *p == 0)
			flip(p);
	});
	T_FAULTS({
		volatile char *p = secmalloc_guarded(100);

		if (secmalloc_protect((void *)(uintptr_t)p,
				      SECMALLOC_NOACCESS) == 0)
			(void)*p;
	});
}
