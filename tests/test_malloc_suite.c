/* SPDX-License-Identifier: MIT */
/*
 * test_malloc_suite.c - what programs rely on in any malloc
 *
 * The semantics that test suites of C libraries hold an allocator to: errno,
 * alignment, distinctness, contents over long chains of realloc, large counts.
 */
#include "t_api.h"

#include <stdlib.h>

#include "ksft.h"
#include "t_heap.h"

TA_TIERS(suite);

enum { ODD_ERRNO = 4711, CACHE = 32 << 10 };

TEST_F(suite, free_keeps_errno)
{
	static const size_t sizes[] = { 0,     1,      16,	1000,
					5000,  20000,  100000, 1000000,
					5000000 };
	size_t i;
	void *p;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = secmalloc(sizes[i]);
		if (!p && sizes[i] > 100000)
			continue; /* the lock limit */
		ASSERT_NOT_NULL(p);
		errno = ODD_ERRNO;
		secfree(p);
		EXPECT_EQ(ODD_ERRNO, errno);
		errno = 0;
		secfree(NULL);
		EXPECT_EQ(0, errno);
	}
}

TEST_F(suite, success_keeps_errno)
{
	void *p;

	errno = ODD_ERRNO;
	p = secmalloc(100000);
	EXPECT_EQ(ODD_ERRNO, errno);
	p = secrealloc(p, 10);
	EXPECT_EQ(ODD_ERRNO, errno);
	p = secrealloc(p, 200000);
	EXPECT_EQ(ODD_ERRNO, errno);
	secfree(p);
	p = seccalloc(100, 100);
	EXPECT_EQ(ODD_ERRNO, errno);
	secfree(p);
}

TEST_F(suite, every_size_up_to_4096_is_aligned_and_writable_whole)
{
	enum { AT_ONCE = 512 }; /* for the lock limit's sake */
	static char *p[AT_ONCE];
	size_t i, from;

	for (from = 0; from <= 4096; from += AT_ONCE) {
		for (i = 0; i < AT_ONCE; i++) {
			p[i] = secmalloc(from + i);
			ASSERT_NOT_NULL(p[i]);
			ASSERT_EQ(0, (uintptr_t)p[i] % 16);
			memset(p[i], (int)i, from + i);
		}
		for (i = 0; i < AT_ONCE; i++) {
			ASSERT_TRUE(ta_holds(p[i], from + i, (int)i)) {
				TH_LOG("size %zu", from + i);
			}
			ASSERT_EQ(from + i, secmalloc_usable_size(p[i]));
			secfree(p[i]);
		}
	}
}

TEST_F(suite, objects_hold_any_type)
{
	struct {
		char c;
		long double d;
		void *p;
	} *s = secmalloc(sizeof(*s) * 3);

	ASSERT_NOT_NULL(s);
	s[2].d = 1.5L;
	s[2].p = s;
	EXPECT_TRUE(s[2].d > 1.4L && s[2].p == s);
	secfree(s);
}

static int by_address(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return (*x > *y) - (*x < *y);
}

TEST_F(suite, objects_never_overlap)
{
	enum { N = 3000 };
	static char *p[N];
	size_t i, size;

	for (i = 0; i < N; i++) {
		p[i] = secmalloc(i * 13 % 700);
		ASSERT_NOT_NULL(p[i]);
	}
	qsort(p, N, sizeof(p[0]), by_address);
	for (i = 0; i + 1 < N; i++) {
		size = secmalloc_usable_size(p[i]);
		ASSERT_LE(p[i] + (size ? size : 1), p[i + 1]);
	}
	for (i = 0; i < N; i++)
		secfree(p[i]);
}

/* Contents that depend on their place and a seed. */
static void paint(unsigned char *p, size_t from, size_t to, unsigned seed)
{
	size_t i;

	for (i = from; i < to; i++)
		p[i] = (unsigned char)(i * 7 + i / 251 + seed);
}

static int is_painted(const unsigned char *p, size_t size, unsigned seed)
{
	unsigned char want;
	size_t i;

	for (i = 0; i < size; i++) {
		want = (unsigned char)(i * 7 + i / 251 + seed);
		if (p[i] != want)
			return 0;
	}
	return 1;
}

TEST_F(suite, realloc_grows_by_one_from_nothing_to_20000)
{
	unsigned char *p = NULL;
	size_t n;

	for (n = 1; n <= 20000; n++) {
		p = secrealloc(p, n);
		ASSERT_NOT_NULL(p);
		ASSERT_EQ(0, p[n - 1]);
		paint(p, n - 1, n, 1);
		if (n % 997 == 0)
			ASSERT_TRUE(is_painted(p, n, 1));
	}
	EXPECT_TRUE(is_painted(p, 20000, 1));
	for (n = 20000; n > 0; n -= 7 < n ? 7 : n) {
		p = secrealloc(p, n);
		ASSERT_NOT_NULL(p);
		if (n % 991 == 0)
			ASSERT_TRUE(is_painted(p, n, 1));
	}
	secfree(p);
}

TEST_F(suite, realloc_chains_at_random_keep_contents)
{
	enum { N = 60, ROUNDS = 6000 };
	unsigned char *p[N] = { NULL }, *q;
	size_t size[N] = { 0 }, n, least;
	int i, round;

	for (round = 0; round < ROUNDS; round++) {
		i = (int)(ksft_random() % N);
		n = ksft_random() % (round % 16 ? 600 : 40000) + 1;
		q = secrealloc(p[i], n);
		ASSERT_NOT_NULL(q);
		least = n < size[i] ? n : size[i];
		ASSERT_TRUE(is_painted(q, least, (unsigned)i));
		ASSERT_TRUE(ta_holds(q + least, n - least, 0));
		paint(q, least, n, (unsigned)i);
		p[i] = q;
		size[i] = n;
	}
	for (i = 0; i < N; i++)
		secfree(p[i]);
	EXPECT_EQ(0, ta_report().objects);
}

TEST_F(suite, many_objects_live_at_once)
{
	enum { MANY = 100000 };
	static unsigned *p[MANY];
	unsigned i, n;

	for (n = 0; n < MANY; n++) {
		p[n] = secmalloc(sizeof(**p));
		if (!p[n])
			break; /* the lock limit */
		*p[n] = n;
	}
	EXPECT_GT(n, 500);
	EXPECT_EQ(n, ta_report().objects);
	for (i = 0; i < n; i += 2)
		secfree(p[i]);
	for (i = 1; i < n; i += 2) {
		ASSERT_EQ(i, *p[i]);
		secfree(p[i]);
	}
	EXPECT_EQ(0, ta_report().objects);
}

TEST_F(suite, freed_memory_can_be_had_again)
{
	size_t first, last;
	int i, round;
	void *p[100];

	first = last = 0;
	for (round = 0; round < 50; round++) {
		for (i = 0; i < 100; i++) {
			p[i] = secmalloc((size_t)(round * 100 + i) % 5000);
			ASSERT_NOT_NULL(p[i]);
		}
		for (i = 0; i < 100; i++)
			secfree(p[(i * 37) % 100]);
		last = ta_report().tier[ta_only_tier()].mapped;
		if (round == 5)
			first = last;
	}
	/* What is kept for reuse has a limit, and what is in the cache. */
	EXPECT_LE(last, first + (2 << 20) + SECMALLOC_CLASSES * CACHE);
	EXPECT_EQ(SECM_ATOMICS, t_drain() > 0);
	last = ta_report().tier[ta_only_tier()].mapped;
	EXPECT_LE(last, first + (2 << 20));
}

TEST_F(suite, calloc_of_everything)
{
	static const size_t pairs[][2] = {
		{ 0, 0 },     { 1, 0 },	   { 0, 1 },	{ 1, 1 },
		{ 3, 5 },     { 4096, 1 }, { 1, 4096 }, { 100, 100 },
		{ 1000, 200 }
	};
	char *p;
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		p = secmalloc(pairs[i][0] * pairs[i][1]);
		ASSERT_NOT_NULL(p);
		memset(p, 0xff, pairs[i][0] * pairs[i][1]);
		secfree(p);
		p = seccalloc(pairs[i][0], pairs[i][1]);
		ASSERT_NOT_NULL(p);
		EXPECT_TRUE(ta_holds(p, pairs[i][0] * pairs[i][1], 0));
		secfree(p);
	}
}

TEST_F(suite, a_refused_request_costs_nothing)
{
	char *p = secmalloc(100);
	/* More than a machine has, or than an address space may have free. */
	const size_t possible = sizeof(void *) > 4 ?
					(size_t)(UINT64_C(1) << 40) :
					PTRDIFF_MAX;
	size_t before, n;

	ASSERT_NOT_NULL(p);
	memset(p, 1, 100);
	before = ta_report().tier[ta_only_tier()].mapped;
	for (n = SIZE_MAX; n > possible; n = n / 3 * 2) {
		errno = 0;
		ASSERT_NULL(secmalloc(n));
		ASSERT_EQ(ENOMEM, errno);
		ASSERT_NULL(seccalloc(n / 2 + 1, 2));
		ASSERT_NULL(secrealloc(p, n));
	}
	EXPECT_EQ(before, ta_report().tier[ta_only_tier()].mapped);
	EXPECT_TRUE(ta_holds(p, 100, 1));
	EXPECT_EQ(1, ta_report().objects);
	secfree(p);
}
