/* SPDX-License-Identifier: MIT */
/*
 * test_aligned.c - secmalloc_aligned() and secmalloc_try()
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "ksft.h"
#include "t_heap.h"
#include "t_way.h"

T_WAYS(aligned);

static const size_t sizes[] = { 0, 1, 15, 100, 520, 521, 4000, 16392, 30001 };
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]), UP_TO = 4096 };

static void check(char *p, size_t align, size_t size)
{
	ASSERT_EQ(0, (uintptr_t)p % align);
	ASSERT_EQ(size, secmalloc_usable_size(p));
	ASSERT_EQ(1, secmalloc_owns(p));
	ASSERT_TRUE(t_holds(p, size, 0));
	t_fill(p, size, align);
}

TEST_F(aligned, to_any_number_up_to_4096)
{
	static char *old[SIZES];
	size_t align, i;

	T_BEGIN_WAY(NULL);
	for (align = 1; align <= UP_TO; align++) {
		size_t size = sizes[i = align % SIZES];
		char *p = secmalloc_aligned(align, size);

		T_NEED(p);
		check(p, align, size);
		/* The one before it of this size is still whole. */
		if (old[i])
			ASSERT_TRUE(t_is_filled(old[i], size, align - SIZES));
		secmalloc_free_sized(old[i], size);
		old[i] = p;
		if (align % 1024 == 0)
			ASSERT_STREQ(NULL, t_broken(self->heap));
	}
	for (i = 0; i < SIZES; i++)
		secfree(old[i]);
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

TEST_F(aligned, to_large_numbers)
{
	static const size_t aligns[] = {
		4097,  8192,  10000,  12288,   16384,	99991,
		65536, 98304, 524288, 1000000, 1048575, SECMALLOC_ALIGN_MAX
	};
	size_t i, k;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < sizeof(aligns) / sizeof(aligns[0]); i++)
		for (k = 0; k < SIZES; k += 2) {
			char *p = secmalloc_aligned(aligns[i], sizes[k]);

			T_NEED(p);
			check(p, aligns[i], sizes[k]);
			secfree(p);
		}
	T_SOUND(self->heap);
}

/* As a multiple of 16 has any object, these are nothing special. */
TEST_F(aligned, to_what_is_had_anyway)
{
	static const size_t aligns[] = { 1, 2, 4, 8, 16 };
	size_t i, k;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < 5; i++)
		for (k = 0; k < SIZES; k++) {
			char *p = secmalloc_aligned(aligns[i], sizes[k]);

			T_NEED(p);
			check(p, 16, sizes[k]);
			if (sizes[k] > 1) { /* a whole object still */
				EXPECT_EQ(0, secmalloc_resize(p, 1));
				EXPECT_EQ(0, secmalloc_resize(p, sizes[k]));
			}
			secfree(p);
		}
	T_SOUND(self->heap);
}

/* A large one ends as close to the guard as its alignment allows. */
TEST_F(aligned, large_ones_are_near_the_guard)
{
	static const size_t aligns[] = { 17, 32, 48, 100, 1000, 4096 };
	size_t i, size;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < 6; i++)
		for (size = 20000; size < 20200; size += 13) {
			char *p = secmalloc_aligned(aligns[i], size);
			size_t gap;

			T_NEED(p);
			gap = (size_t)(secm_span_end(t_span(p)) - (p + size));
			EXPECT_LT(gap, aligns[i] + 16);
			secfree(p);
		}
}

TEST_F(aligned, no_alignment_is_an_error)
{
	static const size_t bad[] = { 0, SECMALLOC_ALIGN_MAX + 1,
				      SIZE_MAX / 2 + 1, SIZE_MAX };
	void *p = &p;
	size_t i;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < 4; i++) {
		errno = 0;
		EXPECT_NULL(secmalloc_aligned(bad[i], 10));
		EXPECT_EQ(EINVAL, errno);
		errno = 77;
		EXPECT_EQ(-EINVAL, secmalloc_try(&p, 10, bad[i]));
		EXPECT_EQ((void *)&p, p);
		EXPECT_EQ(77, errno);
	}
	EXPECT_EQ(-EINVAL, secmalloc_try(NULL, 10, 1));
	EXPECT_EQ(0, t_objects());
}

TEST_F(aligned, impossible_sizes_are_refused)
{
	static const size_t aligns[] = { 1, 16, 17, 32, 4096, 1048576 };
	static const size_t huge[] = { SIZE_MAX,      SIZE_MAX - 15,
				       SIZE_MAX / 2,  SIZE_MAX / 2 + 1,
				       SIZE_MAX - 17, SIZE_MAX - 1048576 };
	void *p = &p;
	size_t i, k;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < 6; i++)
		for (k = 0; k < 6; k++) {
			errno = 0;
			EXPECT_NULL(secmalloc_aligned(aligns[i], huge[k]));
			EXPECT_EQ(ENOMEM, errno);
			errno = 77;
			EXPECT_EQ(-ENOMEM,
				  secmalloc_try(&p, huge[k], aligns[i]));
			EXPECT_EQ((void *)&p, p);
			EXPECT_EQ(77, errno);
		}
	EXPECT_EQ(72, self->heap->refused);
	T_SOUND(self->heap);
}

TEST_F(aligned, success_keeps_errno)
{
	void *p = NULL, *q;

	T_BEGIN_WAY(NULL);
	errno = 77;
	q = secmalloc_aligned(64, 100);
	EXPECT_EQ(77, errno);
	EXPECT_EQ(0, secmalloc_try(&p, 100, 1));
	EXPECT_EQ(77, errno);
	ASSERT_TRUE(p && q);
	secfree(p);
	secfree(q);
	EXPECT_EQ(0, secmalloc_try(&p, 0, 4096));
	ASSERT_NOT_NULL(p);
	EXPECT_EQ(0, (uintptr_t)p % 4096);
	EXPECT_EQ(0, secmalloc_usable_size(p));
	secfree(p);
}

/* Where it stays it stays aligned; contents move whole in any case. */
TEST_F(aligned, may_be_resized)
{
	static const size_t aligns[] = { 24, 64, 100, 4096 };
	size_t i, k;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < 4; i++)
		for (k = 1; k < SIZES; k++) {
			size_t size = sizes[k], less = (size + 1) / 2;
			char *p = secmalloc_aligned(aligns[i], size), *q;

			T_NEED(p);
			check(p, aligns[i], size);
			ASSERT_EQ(0, secmalloc_resize(p, less));
			EXPECT_TRUE(t_is_filled(p, less, aligns[i]));
			ASSERT_EQ(0, secmalloc_resize(p, size));
			EXPECT_TRUE(t_is_filled(p, less, aligns[i]));
			EXPECT_TRUE(t_holds(p + less, size - less, 0));
			q = secrealloc(p, 3 * size + 5000);
			T_NEED(q);
			EXPECT_TRUE(t_is_filled(q, less, aligns[i]));
			EXPECT_TRUE(t_holds(q + less, 2 * size + 5000, 0));
			secfree(q);
		}
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

/* Neither that nor the way back is possible after a shutdown. */
TEST_F(aligned, not_after_a_shutdown)
{
	void *p, *q = NULL;

	T_BEGIN_WAY(NULL);
	p = secmalloc_aligned(64, 10);
	ASSERT_NOT_NULL(p);
	secmalloc_shutdown();
	EXPECT_NULL(secmalloc_aligned(64, 10));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-EPERM, secmalloc_try(&q, 10, 64));
	EXPECT_EQ(-EPERM, secmalloc_try(&q, 10, 1));
	EXPECT_NULL(q);
	secfree(p);
}

/* The first call of all. */
TEST(try_sets_the_allocator_up)
{
	static const struct t_tier best = { 0, 0, SECMALLOC_BEST_EFFORT };
	void *p = NULL;
	int r = secmalloc_try(&p, 100, 48);

	if (r == -ENOMEM || r == -ENOTSUP)
		SKIP(return, "no locked memory here");
	ASSERT_EQ(0, r);
	EXPECT_EQ(0, (uintptr_t)p % 48);
	EXPECT_EQ(EALREADY, t_begin(&best, NULL));
	secfree(p);
}
