/* SPDX-License-Identifier: MIT */
/*
 * test_api.c - what secmalloc.h promises, function by function
 *
 * The contracts of malloc(3) and what goes beyond them, on each tier.  What
 * guarded objects, forks, misuse and scarcity do has files of its own.
 */
#include "t_api.h"

#include <stdlib.h>

#include "ksft.h"

TA_TIERS(api);

/* Not a value that any call here sets. */
enum { ODD_ERRNO = 4711 };

/* Around every size class, page and the border between slabs and pages. */
static const size_t sizes[] = {
	0, 1, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40, 63, 64, 100, 120, 121,
	128, 136, 137, 255, 256, 264, 265, 520, 521, 1000, 1024, 4080, 4088,
	4089, 4095, 4096, 4097, 8192, 14344, 14345, 16376, 16377, 16384, 16392,
	16393, 65535, 65536, 65537, 200000
};

enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

/* Sizes that no machine has, without telling the compiler. */
static size_t huge(int i)
{
	static const size_t all[] = {
		SIZE_MAX,	     SIZE_MAX - 1,
		SIZE_MAX - 7,	     SIZE_MAX - 15,
		SIZE_MAX - 4095,     (size_t)PTRDIFF_MAX + 1,
		PTRDIFF_MAX,	     PTRDIFF_MAX - 4095,
		SIZE_MAX / 2 - 7,    SIZE_MAX / 4 * 3,
		/* A quarter of a 32-bit space may be free. */
		sizeof(void *) > 4 ? PTRDIFF_MAX / 2 + 1 : SIZE_MAX,
	};

	return i < (int)(sizeof(all) / sizeof(all[0])) ? all[i] : 0;
}

TEST_F(api, objects_are_aligned_zeroed_and_known_to_the_byte)
{
	unsigned char *p;
	int i;

	for (i = 0; i < SIZES; i++) {
		errno = ODD_ERRNO;
		p = secmalloc(sizes[i]);
		ASSERT_NOT_NULL(p) { TH_LOG("size %zu", sizes[i]); }
		EXPECT_EQ(ODD_ERRNO, errno);
		EXPECT_EQ(0, (uintptr_t)p % 16);
		EXPECT_EQ(sizes[i], secmalloc_usable_size(p));
		EXPECT_EQ(ODD_ERRNO, errno);
		EXPECT_TRUE(ta_holds(p, sizes[i], 0));
		memset(p, 0xa5, sizes[i]);
		secfree(p);
		EXPECT_EQ(ODD_ERRNO, errno);
	}
}

TEST_F(api, reused_memory_is_zero_again)
{
	unsigned char *p[64];
	int i, k, round;

	for (i = 1; i < SIZES; i++)
		for (round = 0; round < 2; round++) {
			for (k = 0; k < 8; k++) {
				p[k] = secmalloc(sizes[i]);
				ASSERT_NOT_NULL(p[k]);
				ASSERT_TRUE(ta_holds(p[k], sizes[i], 0));
				memset(p[k], 0xff, sizes[i]);
			}
			for (k = 0; k < 8; k++)
				secfree(p[k]);
		}
}

TEST_F(api, size_zero_gives_distinct_objects_without_bytes)
{
	char *a = secmalloc(0), *b = secmalloc(0), *c = seccalloc(0, 10);
	char *d = seccalloc(10, 0), *e = secmalloc_guarded(0);

	ASSERT_TRUE(a && b && c && d && e);
	EXPECT_NE(a, b);
	EXPECT_NE(c, d);
	EXPECT_EQ(0, secmalloc_usable_size(a));
	EXPECT_EQ(0, secmalloc_usable_size(e));
	EXPECT_TRUE(secmalloc_owns(a));
	EXPECT_TRUE(secmalloc_owns(e));
	a = secrealloc(a, 100);
	ASSERT_NOT_NULL(a);
	EXPECT_TRUE(ta_holds(a, 100, 0));
	secfree(a);
	secfree(b);
	secfree(c);
	secfree(d);
	secfree(e);
}

TEST_F(api, null_is_welcome)
{
	char *p;

	errno = ODD_ERRNO;
	secfree(NULL);
	EXPECT_EQ(0, secmalloc_usable_size(NULL));
	EXPECT_FALSE(secmalloc_owns(NULL));
	EXPECT_NULL(secrealloc(NULL, 0) ? NULL : "no object");
	p = secrealloc(NULL, 50);
	ASSERT_NOT_NULL(p);
	EXPECT_EQ(50, secmalloc_usable_size(p));
	EXPECT_NULL(secrealloc(p, 0));
	EXPECT_EQ(0, secmalloc_owns(p));
	EXPECT_EQ(ODD_ERRNO, errno);
	EXPECT_EQ(0, secmalloc_usable_size(p));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(api, impossible_sizes_are_refused_at_once)
{
	size_t n;
	char *p;
	int i;

	for (i = 0; (n = huge(i)) != 0; i++) {
		errno = 0;
		EXPECT_NULL(secmalloc(n)) { TH_LOG("size %zu", n); }
		EXPECT_EQ(ENOMEM, errno);
		errno = 0;
		EXPECT_NULL(secmalloc_guarded(n));
		EXPECT_EQ(ENOMEM, errno);
		errno = 0;
		EXPECT_NULL(secrealloc(NULL, n));
		EXPECT_EQ(ENOMEM, errno);
		p = secmalloc(33);
		ASSERT_NOT_NULL(p);
		memset(p, 'x', 33);
		errno = 0;
		EXPECT_NULL(secrealloc(p, n));
		EXPECT_EQ(ENOMEM, errno);
		EXPECT_TRUE(ta_holds(p, 33, 'x'));
		EXPECT_EQ(33, secmalloc_usable_size(p));
		secfree(p);
	}
}

TEST_F(api, products_that_overflow_are_refused)
{
	static const size_t half = (size_t)1 << (sizeof(size_t) * 4);
	static const size_t pairs[][2] = {
		{ SIZE_MAX, 2 },      { 2, SIZE_MAX },
		{ SIZE_MAX, SIZE_MAX }, { half, half },
		{ half + 1, half },   { SIZE_MAX / 2 + 1, 2 },
		{ SIZE_MAX / 3, 4 },  { (size_t)PTRDIFF_MAX + 1, 1 },
		{ SIZE_MAX, 1 },      { SIZE_MAX / 16 + 1, 16 },
	};
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		errno = 0;
		EXPECT_NULL(seccalloc(pairs[i][0], pairs[i][1])) {
			TH_LOG("%zu * %zu", pairs[i][0], pairs[i][1]);
		}
		EXPECT_EQ(ENOMEM, errno);
	}
	EXPECT_NOT_NULL(seccalloc(SIZE_MAX, 0));
	EXPECT_NOT_NULL(seccalloc(0, SIZE_MAX));
}

TEST_F(api, calloc_knows_the_product)
{
	char *p = seccalloc(7, 11);

	ASSERT_NOT_NULL(p);
	EXPECT_EQ(77, secmalloc_usable_size(p));
	EXPECT_TRUE(ta_holds(p, 77, 0));
	secfree(p);
}

TEST_F(api, owns_every_byte_of_live_objects_and_no_other)
{
	static char global;
	char local, *heap = malloc(100), *p;
	size_t n;
	int i, guarded;

	for (i = 0; i < SIZES; i++)
		for (guarded = 0; guarded < 2; guarded++) {
			n = sizes[i];
			p = guarded ? secmalloc_guarded(n) : secmalloc(n);
			ASSERT_NOT_NULL(p);
			EXPECT_EQ(1, secmalloc_owns(p));
			EXPECT_EQ(1, secmalloc_owns(n ? p + n - 1 : p));
			EXPECT_EQ(0, secmalloc_owns(p + (n ? n : 1))) {
				TH_LOG("end of %zu", n);
			}
			EXPECT_EQ(0, secmalloc_owns(p - 1));
			secfree(p);
			EXPECT_EQ(0, secmalloc_owns(p));
		}
	EXPECT_EQ(0, secmalloc_owns(&global));
	EXPECT_EQ(0, secmalloc_owns(&local));
	EXPECT_EQ(0, secmalloc_owns(heap));
	EXPECT_EQ(0, secmalloc_owns((void *)1));
	EXPECT_EQ(0, secmalloc_owns((void *)UINTPTR_MAX));
	EXPECT_EQ(0, secmalloc_owns((void *)(UINTPTR_MAX / 2)));
	free(heap);
}

TEST_F(api, usable_size_of_what_is_no_object_is_an_error)
{
	char local, *p = secmalloc(100), *g = secmalloc_guarded(100);
	const void *no[] = {
		&local, p + 1, p + 16, p + 99, p + 100, p - 16,
		g + 16, g - 1, g + 112, (void *)16, (void *)UINTPTR_MAX
	};
	size_t i;

	ASSERT_TRUE(p && g);
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		errno = 0;
		EXPECT_EQ(0, secmalloc_usable_size(no[i])) {
			TH_LOG("pointer %zu", i);
		}
		EXPECT_EQ(EINVAL, errno);
	}
	secfree(p);
	secfree(g);
	errno = 0;
	EXPECT_EQ(0, secmalloc_usable_size(p));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_EQ(0, secmalloc_usable_size(g));
	EXPECT_EQ(EINVAL, errno);
}

/* Half of all pairs of sizes: in place and moved, slab and pages, both ways. */
TEST_F(api, realloc_keeps_contents_and_adds_zeros)
{
	unsigned char *p, *q;
	size_t from, to, least;
	int i, k;

	for (i = 0; i < SIZES; i++)
		for (k = i % 2; k < SIZES; k += 2) {
			from = sizes[i];
			to = sizes[k] ? sizes[k] : 5;
			least = from < to ? from : to;
			p = secmalloc(from);
			ASSERT_NOT_NULL(p);
			memset(p, 0x5a, from);
			errno = ODD_ERRNO;
			q = secrealloc(p, to);
			ASSERT_NOT_NULL(q);
			ASSERT_EQ(ODD_ERRNO, errno);
			ASSERT_EQ(to, secmalloc_usable_size(q));
			ASSERT_EQ(0, (uintptr_t)q % 16);
			ASSERT_TRUE(ta_holds(q, least, 0x5a)) {
				TH_LOG("%zu to %zu", from, to);
			}
			ASSERT_TRUE(ta_holds(q + least, to - least, 0)) {
				TH_LOG("%zu to %zu", from, to);
			}
			memset(q, 0xa5, to);
			secfree(q);
		}
}

TEST_F(api, realloc_in_place_leaves_no_residue)
{
	unsigned char *p = secmalloc(31), *q;
	size_t n;

	ASSERT_NOT_NULL(p);
	memset(p, 0x77, 31);
	/* What is cut off is canary now, which may look like one byte of the
	 * secret by chance, but not like four. */
	for (n = 27; n > 24; n--) {
		q = secrealloc(p, n);
		ASSERT_EQ(p, q);
		EXPECT_FALSE(ta_holds(p + n, 31 - n, 0x77));
		q = secrealloc(p, 31);
		ASSERT_EQ(p, q);
		EXPECT_TRUE(ta_holds(p, n, 0x77));
		EXPECT_TRUE(ta_holds(p + n, 31 - n, 0));
		memset(p, 0x77, 31);
	}
	secfree(p);
}

/* Where the old object stood there are zeros or nothing: read by the kernel,
 * which says EFAULT instead of a signal. */
static int residue(const unsigned char *p, size_t n)
{
	int fd[2], bad = 0;
	unsigned char c;
	size_t i;

	if (pipe(fd) != 0)
		return -1;
	for (i = 0; i < n; i++)
		if (write(fd[1], p + i, 1) == 1 && read(fd[0], &c, 1) == 1)
			bad += c == 0x77;
	close(fd[0]);
	close(fd[1]);
	return bad;
}

TEST_F(api, realloc_that_moves_leaves_no_residue)
{
	static const size_t pairs[][2] = { { 40, 4000 },    { 4000, 40 },
					   { 5000, 50000 }, { 50000, 40 },
					   { 50000, 5000 }, { 100, 50000 } };
	unsigned char *p, *q;
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		p = secmalloc(pairs[i][0]);
		ASSERT_NOT_NULL(p);
		memset(p, 0x77, pairs[i][0]);
		q = secrealloc(p, pairs[i][1]);
		ASSERT_NOT_NULL(q);
		EXPECT_NE(p, q);
		EXPECT_EQ(0, residue(p, pairs[i][0]));
		EXPECT_EQ(0, secmalloc_owns(p));
		secfree(q);
		EXPECT_EQ(0, residue(q, pairs[i][1]));
	}
}

TEST_F(api, free_leaves_no_residue)
{
	unsigned char *p;
	int i;

	for (i = 1; i < SIZES; i++) {
		p = secmalloc(sizes[i]);
		ASSERT_NOT_NULL(p);
		memset(p, 0x77, sizes[i]);
		secfree(p);
		EXPECT_EQ(0, residue(p, sizes[i]));
	}
}

TEST_F(api, random_fills_secret_memory)
{
	char *p = secmalloc(5000);

	ASSERT_NOT_NULL(p);
	ASSERT_EQ(0, secmalloc_random(p, 5000));
	EXPECT_FALSE(ta_holds(p + 5000 - 16, 16, 0));
	secfree(p);
}
