/* SPDX-License-Identifier: MIT */
/*
 * test_guarded.c - objects alone between guard pages, and access to them
 *
 * What users of such allocators rely on: the bytes before and after fault, a
 * changed canary ends the process, access can be taken and given back, and
 * free and realloc work in each state.
 */
#include "t_api.h"

#include <signal.h>
#include <stdlib.h>

#include "die.h"
#include "ksft.h"

TA_TIERS(guarded);

enum { ODD_ERRNO = 4711 };

static const size_t sizes[] = { 1,    2,    8,	  15,	16,   17,
				31,   32,   33,	  100,	112,  4080,
				4095, 4096, 4097, 8192, 8200, 100000 };

enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static const int accesses[] = { SECMALLOC_NOACCESS, SECMALLOC_READONLY,
				SECMALLOC_READWRITE };
static const enum secm_access expected[] = { SECM_NONE, SECM_READ,
					     SECM_READWRITE };

static char *page_of(const char *p)
{
	return (char *)((uintptr_t)p & ~(uintptr_t)(ta_page() - 1));
}

/* End of the accessible bytes after p. */
static char *guard_after(char *p)
{
	char *page = page_of(p) + ta_page();

	while (ta_access(page) != SECM_NONE)
		page += ta_page();
	return page;
}

TEST_F(guarded, inaccessible_pages_are_on_both_sides)
{
	char *p, *end, *begin;
	int i;

	for (i = 0; i < SIZES; i++) {
		p = secmalloc_guarded(sizes[i]);
		ASSERT_NOT_NULL(p);
		EXPECT_TRUE(ta_holds(p, sizes[i], 0));
		memset(p, 0x5a, sizes[i]);
		end = guard_after(p + sizes[i] - 1);
		EXPECT_EQ(SECM_NONE, ta_access(end));
		EXPECT_EQ(SECM_NONE, ta_access(end + ta_page() - 1));
		EXPECT_EQ(SECM_READWRITE, ta_access(end - 1));
		begin = page_of(p);
		EXPECT_EQ(SECM_NONE, ta_access(begin - 1)) {
			TH_LOG("size %zu", sizes[i]);
		}
		EXPECT_EQ(SECM_NONE, ta_access(begin - ta_page()));
		EXPECT_EQ(sizes[i], secmalloc_usable_size(p));
		secfree(p);
	}
}

TEST_F(guarded, the_end_is_at_the_guard_as_close_as_alignment_allows)
{
	size_t n, gap;
	char *p;
	int i;

	for (i = 0; i < SIZES; i++) {
		n = sizes[i];
		p = secmalloc_guarded(n);
		ASSERT_NOT_NULL(p);
		EXPECT_EQ(0, (uintptr_t)p % 16);
		gap = (size_t)(guard_after(p + n - 1) - (p + n));
		EXPECT_EQ((16 - n % 16) % 16, gap) { TH_LOG("size %zu", n); }
		secfree(p);
	}
}

/* Between the object and the guard, and before the object, stands nothing
 * that reads as zeros: canary. */
TEST_F(guarded, what_is_around_the_object_is_canary)
{
	char *p = secmalloc_guarded(100);
	int i;

	ASSERT_NOT_NULL(p);
	for (i = 100; i < 112; i++)
		EXPECT_NE(0, p[i]);
	for (i = 1; i <= 16; i++)
		EXPECT_NE(0, p[-i]);
	secfree(p);
}

TEST_F(guarded, each_object_has_a_canary_of_its_own)
{
	char *p = secmalloc_guarded(1), *q = secmalloc_guarded(1);

	ASSERT_TRUE(p && q);
	EXPECT_NE(0, memcmp(p + 1, q + 1, 15));
	EXPECT_NE(0, memcmp(p - 16, q - 16, 16));
	secfree(p);
	secfree(q);
}

TEST_F_SIGNAL(guarded, one_byte_over_a_multiple_of_16_faults, SIGSEGV)
{
	char *p = ta_hide(secmalloc_guarded(64));

	KSFT_SANITIZER_SKIP("signals are taken");
	ASSERT_NOT_NULL(p);
	p[64] = 1;
}

TEST_F_SIGNAL(guarded, reading_the_guard_before_faults, SIGSEGV)
{
	volatile char *p = ta_hide(secmalloc_guarded(64));

	KSFT_SANITIZER_SKIP("signals are taken");
	ASSERT_NOT_NULL(p);
	(void)*(volatile char *)(page_of((char *)p) - 1);
}

TEST_F_SIGNAL(guarded, reading_without_access_faults, SIGSEGV)
{
	volatile char *p = ta_hide(secmalloc_guarded(64));

	KSFT_SANITIZER_SKIP("signals are taken");
	ASSERT_NOT_NULL(p);
	ASSERT_EQ(0, secmalloc_protect((void *)p, SECMALLOC_NOACCESS));
	(void)p[3];
}

TEST_F_SIGNAL(guarded, writing_a_readonly_object_faults, SIGSEGV)
{
	volatile char *p = ta_hide(secmalloc_guarded(64));

	KSFT_SANITIZER_SKIP("signals are taken");
	ASSERT_NOT_NULL(p);
	ASSERT_EQ(0, secmalloc_protect((void *)p, SECMALLOC_READONLY));
	ASSERT_EQ(0, p[3]);
	p[3] = 1;
}

static void want_access(char *p, size_t n, enum secm_access want)
{
	size_t i;

	for (i = 0; i < n; i += ta_page())
		EXPECT_EQ(want, ta_access(p + i));
	EXPECT_EQ(want, ta_access(p + n - 1));
}

TEST_F(guarded, access_changes_from_each_state_to_each)
{
	char *p;
	int i, from, to;

	for (i = 0; i < SIZES; i++) {
		p = secmalloc_guarded(sizes[i]);
		ASSERT_NOT_NULL(p);
		memset(p, 0x5a, sizes[i]);
		for (from = 0; from < 3; from++)
			for (to = 0; to < 3; to++) {
				errno = ODD_ERRNO;
				ASSERT_EQ(0, secmalloc_protect(
						     p, accesses[from]));
				ASSERT_EQ(0,
					  secmalloc_protect(p, accesses[to]));
				EXPECT_EQ(ODD_ERRNO, errno);
				want_access(p, sizes[i], expected[to]);
			}
		ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_READWRITE));
		EXPECT_TRUE(ta_holds(p, sizes[i], 0x5a));
		secfree(p);
	}
}

TEST_F(guarded, closing_one_object_leaves_the_others_open)
{
	char *p[20];
	int i, k;

	for (i = 0; i < 20; i++) {
		p[i] = secmalloc_guarded(50);
		ASSERT_NOT_NULL(p[i]);
		memset(p[i], i, 50);
	}
	for (i = 0; i < 20; i += 2)
		ASSERT_EQ(0, secmalloc_protect(p[i], SECMALLOC_NOACCESS));
	for (k = 1; k < 20; k += 2)
		EXPECT_TRUE(ta_holds(p[k], 50, k));
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(i % 2 ? SECM_READWRITE : SECM_NONE, ta_access(p[i]));
		secfree(p[i]);
	}
}

TEST_F(guarded, closed_objects_are_still_known)
{
	char *p = secmalloc_guarded(50);

	ASSERT_NOT_NULL(p);
	ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_NOACCESS));
	EXPECT_EQ(50, secmalloc_usable_size(p));
	EXPECT_EQ(1, secmalloc_owns(p + 49));
	EXPECT_EQ(0, secmalloc_owns(p + 50));
	EXPECT_EQ(SECM_NONE, ta_access(p));
	EXPECT_EQ(1, ta_report().objects);
	EXPECT_EQ(SECM_NONE, ta_access(p));
	secfree(p);
}

TEST_F(guarded, free_works_in_each_state_and_the_next_one_is_open_and_zero)
{
	char *p;
	int i, from;

	for (i = 0; i < SIZES; i++)
		for (from = 0; from < 3; from++) {
			p = secmalloc_guarded(sizes[i]);
			ASSERT_NOT_NULL(p);
			want_access(p, sizes[i], SECM_READWRITE);
			ASSERT_TRUE(ta_holds(p, sizes[i], 0));
			memset(p, 0x5a, sizes[i]);
			ASSERT_EQ(0, secmalloc_protect(p, accesses[from]));
			errno = ODD_ERRNO;
			secfree(p);
			EXPECT_EQ(ODD_ERRNO, errno);
		}
}

TEST_F(guarded, realloc_works_in_each_state)
{
	static const size_t to[] = { 10, 16, 90, 100, 111, 5000, 60000 };
	char *p, *q;
	size_t i, least;
	int from;

	for (i = 0; i < sizeof(to) / sizeof(to[0]); i++)
		for (from = 0; from < 3; from++) {
			p = secmalloc_guarded(100);
			ASSERT_NOT_NULL(p);
			memset(p, 0x5a, 100);
			ASSERT_EQ(0, secmalloc_protect(p, accesses[from]));
			q = secrealloc(p, to[i]);
			ASSERT_NOT_NULL(q);
			least = to[i] < 100 ? to[i] : 100;
			ASSERT_EQ(0, secmalloc_protect(q, SECMALLOC_READONLY));
			EXPECT_TRUE(ta_holds(q, least, 0x5a));
			EXPECT_TRUE(ta_holds(q + least, to[i] - least, 0));
			EXPECT_EQ(to[i], secmalloc_usable_size(q));
			EXPECT_EQ(SECM_NONE,
				  ta_access(guard_after(q + to[i] - 1)));
			secfree(q);
		}
}

TEST_F(guarded, failed_realloc_keeps_object_and_access)
{
	char *p = secmalloc_guarded(100);
	int i;

	ASSERT_NOT_NULL(p);
	memset(p, 0x5a, 100);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, secmalloc_protect(p, accesses[i]));
		errno = 0;
		EXPECT_NULL(secrealloc(p, PTRDIFF_MAX));
		EXPECT_EQ(ENOMEM, errno);
		EXPECT_EQ(expected[i], ta_access(p));
		EXPECT_EQ(100, secmalloc_usable_size(p));
	}
	ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_READWRITE));
	EXPECT_TRUE(ta_holds(p, 100, 0x5a));
	secfree(p);
}

TEST_F(guarded, protect_refuses_what_is_no_guarded_object)
{
	char local, *p = secmalloc(100), *big = secmalloc(100000);
	char *g = secmalloc_guarded(100), *freed = secmalloc_guarded(100);
	void *no[8];
	int i;

	ASSERT_TRUE(p && big && g && freed);
	secfree(freed);
	no[0] = NULL;
	no[1] = &local;
	no[2] = p;
	no[3] = big;
	no[4] = g + 16;
	no[5] = g - 1;
	no[6] = freed;
	no[7] = (void *)UINTPTR_MAX;
	for (i = 0; i < 8; i++) {
		errno = 0;
		EXPECT_EQ(-1, secmalloc_protect(no[i], SECMALLOC_NOACCESS));
		EXPECT_EQ(EINVAL, errno) { TH_LOG("pointer %d", i); }
	}
	for (i = -1; i < 4; i += 4) {
		errno = 0;
		EXPECT_EQ(-1, secmalloc_protect(g, i));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(SECM_READWRITE, ta_access(g));
	EXPECT_EQ(SECM_READWRITE, ta_access(p));
	EXPECT_EQ(SECM_READWRITE, ta_access(big));
}

/* A canary is checked in each state too. */
TEST_F_DEATH(guarded, a_changed_canary_is_found_behind_closed_doors, SIGABRT,
	     SECM_DIE_OVERFLOW)
{
	char *p = ta_hide(secmalloc_guarded(100));

	ASSERT_NOT_NULL(p);
	p[111] = (char)(p[111] ^ 1);
	ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_NOACCESS));
	secfree(p);
}

TEST_F_DEATH(guarded, the_first_byte_before_is_canary, SIGABRT,
	     SECM_DIE_UNDERFLOW)
{
	char *p = ta_hide(secmalloc_guarded(100));

	ASSERT_NOT_NULL(p);
	*page_of(p) = (char)(*page_of(p) ^ 0x80);
	secfree(p);
}

TEST_F(guarded, pages_have_what_the_tier_promises)
{
	static const unsigned both = SECM_LOCKED | SECM_NODUMP;
	unsigned need = variant->tier.flags ? 0 : both;
	char *p = secmalloc_guarded(9000), *q = secmalloc_guarded(10);
	int known = p ? ta_has_props(p, 9000, 0) : 0;

	ASSERT_TRUE(p && q);
	if (known < 0)
		SKIP(return, "this system tells nothing about mappings");
	EXPECT_EQ(1, ta_has_props(p, 9000, need | variant->tier.need));
	ASSERT_EQ(0, secmalloc_protect(q, SECMALLOC_NOACCESS));
	EXPECT_EQ(1, ta_has_props(q, 10, need | variant->tier.need));
}

/* Thousands, where simple allocators of this kind stop. */
TEST_F(guarded, there_can_be_many)
{
	enum { MANY = 20000 };
	static char *p[MANY];
	int i, n;

	for (n = 0; n < MANY; n++) {
		errno = 0;
		p[n] = secmalloc_guarded(32);
		if (!p[n])
			break;
		memset(p[n], n, 32);
	}
	if (n < MANY)
		EXPECT_EQ(ENOMEM, errno);
	EXPECT_GE(n, 10);
	for (i = 0; i < n; i++) {
		ASSERT_TRUE(ta_holds(p[i], 32, i));
		secfree(p[i]);
	}
	EXPECT_EQ(0, ta_report().objects);
	p[0] = secmalloc_guarded(32);
	EXPECT_NOT_NULL(p[0]);
}
