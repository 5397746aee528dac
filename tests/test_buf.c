/* SPDX-License-Identifier: MIT */
/*
 * test_buf.c - what secmalloc.h promises of secmalloc_buf
 */
#include "t_api.h"

#include <signal.h>

#include "die.h"
#include "ksft.h"
#include "t_util.h"

TA_TIERS(buf);

enum { ODD_ERRNO = 4711 };

static const size_t sizes[] = { 0, 1, 15, 16, 32, 100, 1000, 20000, 100000 };
#define EACH_SIZE(i) for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)

/* A buffer of bytes that depend on seed. */
static secmalloc_buf *make(secmalloc_heap *heap, size_t size, uint64_t seed)
{
	secmalloc_buf *buf = secmalloc_buf_new(heap, size);

	EXPECT_NOT_NULL(buf);
	t_fill(secmalloc_buf_data(buf), size, seed);
	return buf;
}

TEST_F(buf, a_new_one_is_zeros_of_that_size)
{
	size_t i;

	EACH_SIZE(i)
	{
		secmalloc_buf *buf = secmalloc_buf_new(NULL, sizes[i]);

		ASSERT_NOT_NULL(buf);
		EXPECT_EQ(sizes[i], secmalloc_buf_size(buf));
		EXPECT_TRUE(ta_holds(secmalloc_buf_data(buf), sizes[i], 0));
		EXPECT_EQ(0, (uintptr_t)secmalloc_buf_data(buf) % 16);
		EXPECT_EQ(1, secmalloc_owns(secmalloc_buf_data(buf)));
		secmalloc_buf_free(buf);
	}
	EXPECT_EQ(0, ta_report().objects);
}

TEST_F(buf, from_copies_and_take_wipes_the_source)
{
	static unsigned char bytes[100000];
	size_t i;

	EACH_SIZE(i)
	{
		secmalloc_buf *a, *b;

		t_fill(bytes, sizes[i], i);
		a = secmalloc_buf_from(NULL, bytes, sizes[i]);
		ASSERT_NOT_NULL(a);
		EXPECT_TRUE(t_is_filled(bytes, sizes[i], i));
		b = secmalloc_buf_take(NULL, bytes, sizes[i]);
		ASSERT_NOT_NULL(b);
		EXPECT_TRUE(ta_holds(bytes, sizes[i], 0));
		EXPECT_TRUE(t_is_filled(secmalloc_buf_data(a), sizes[i], i));
		EXPECT_TRUE(t_is_filled(secmalloc_buf_data(b), sizes[i], i));
		EXPECT_EQ(1, secmalloc_buf_equal(a, b));
		secmalloc_buf_free(a);
		secmalloc_buf_free(b);
	}
}

TEST_F(buf, take_keeps_the_source_when_it_fails)
{
	unsigned char bytes[100];

	t_fill(bytes, sizeof(bytes), 1);
	secmalloc_shutdown();
	EXPECT_NULL(secmalloc_buf_take(NULL, bytes, sizeof(bytes)));
	EXPECT_EQ(EPERM, errno);
	EXPECT_TRUE(t_is_filled(bytes, sizeof(bytes), 1));
}

TEST_F(buf, random_ones_differ)
{
	secmalloc_buf *a = secmalloc_buf_random(NULL, 32);
	secmalloc_buf *b = secmalloc_buf_random(NULL, 32);
	secmalloc_buf *none = secmalloc_buf_random(NULL, 0);

	ASSERT_NOT_NULL(a);
	ASSERT_NOT_NULL(b);
	ASSERT_NOT_NULL(none);
	EXPECT_EQ(0, secmalloc_buf_equal(a, b));
	EXPECT_FALSE(ta_holds(secmalloc_buf_data(a), 32, 0));
	EXPECT_EQ(0, secmalloc_buf_size(none));
}

TEST_F(buf, concatenation_has_both)
{
	size_t i, j;

	EACH_SIZE(i)
	{
		EACH_SIZE(j)
		{
			secmalloc_buf *a = make(NULL, sizes[i], 1);
			secmalloc_buf *b = make(NULL, sizes[j], 2);
			secmalloc_buf *c = secmalloc_buf_concat(NULL, a, b);
			char *p = secmalloc_buf_data(c);

			ASSERT_NOT_NULL(c);
			EXPECT_EQ(sizes[i] + sizes[j], secmalloc_buf_size(c));
			EXPECT_TRUE(t_is_filled(p, sizes[i], 1));
			EXPECT_TRUE(t_is_filled(p + sizes[i], sizes[j], 2));
			secmalloc_buf_free(a);
			secmalloc_buf_free(b);
			secmalloc_buf_free(c);
		}
	}
}

TEST_F(buf, a_clone_is_another_with_the_same)
{
	secmalloc_heap *heap = ta_heap(&variant->tier, 0);
	secmalloc_buf *a = make(NULL, 77, 3);
	secmalloc_buf *b = secmalloc_buf_clone(heap, a);

	ASSERT_NOT_NULL(b);
	EXPECT_NE(a, b);
	EXPECT_EQ(1, secmalloc_buf_equal(a, b));
	EXPECT_EQ(1, secmalloc_heap_owns(heap, secmalloc_buf_data(b)));
	EXPECT_EQ(0, secmalloc_heap_owns(heap, secmalloc_buf_data(a)));
	secmalloc_buf_free(a);
	EXPECT_TRUE(t_is_filled(secmalloc_buf_data(b), 77, 3));
	secmalloc_buf_free(b);
	secmalloc_heap_destroy(heap);
}

TEST_F(buf, equal_looks_at_every_byte)
{
	secmalloc_buf *a = make(NULL, 300, 5),
		      *b = secmalloc_buf_clone(NULL, a);
	secmalloc_buf *shorter =
		secmalloc_buf_from(NULL, secmalloc_buf_data(a), 299);
	unsigned char *p = secmalloc_buf_data(b);
	size_t i;

	EXPECT_EQ(0, secmalloc_buf_equal(a, shorter));
	EXPECT_EQ(0, secmalloc_buf_equal_bytes(a, p, 299));
	for (i = 0; i < 300; i++) {
		EXPECT_EQ(1, secmalloc_buf_equal(a, b));
		EXPECT_EQ(1, secmalloc_buf_equal_bytes(a, p, 300));
		p[i] ^= (unsigned char)(1 << i % 8);
		EXPECT_EQ(0, secmalloc_buf_equal(a, b));
		EXPECT_EQ(0, secmalloc_buf_equal(b, a));
		EXPECT_EQ(0, secmalloc_buf_equal_bytes(a, p, 300));
		p[i] ^= (unsigned char)(1 << i % 8);
	}
	EXPECT_EQ(0, secmalloc_buf_equal(a, NULL));
	EXPECT_EQ(0, secmalloc_buf_equal(NULL, a));
	EXPECT_EQ(0, secmalloc_buf_equal(NULL, NULL));
	EXPECT_EQ(0, secmalloc_buf_equal_bytes(NULL, "", 0));
	EXPECT_EQ(0, secmalloc_buf_equal_bytes(a, NULL, 300));
	EXPECT_EQ(1, secmalloc_buf_equal_bytes(secmalloc_buf_new(NULL, 0), NULL,
					       0));
}

TEST_F(buf, bad_arguments_are_errors)
{
	secmalloc_buf *a = make(NULL, 10, 1);

	EXPECT_NULL(secmalloc_buf_from(NULL, NULL, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_buf_take(NULL, NULL, 1));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_NULL(secmalloc_buf_concat(NULL, a, NULL));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_NULL(secmalloc_buf_concat(NULL, NULL, a));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_NULL(secmalloc_buf_clone(NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_NULL(secmalloc_buf_to_hex(NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_buf_new(NULL, SIZE_MAX));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_NULL(secmalloc_buf_random(NULL, SIZE_MAX));
	EXPECT_EQ(ENOMEM, errno);
	errno = ODD_ERRNO;
	EXPECT_EQ(0, secmalloc_buf_size(NULL));
	EXPECT_NULL(secmalloc_buf_data(NULL));
	secmalloc_buf_free(NULL);
	secmalloc_buf_free(a);
	EXPECT_EQ(ODD_ERRNO, errno);
}

TEST_F(buf, success_keeps_errno)
{
	secmalloc_buf *a, *b, *c, *d, *e;
	char *hex, digits[] = "00ff";

	errno = ODD_ERRNO;
	a = secmalloc_buf_take(NULL, digits, 4);
	b = secmalloc_buf_random(NULL, 4);
	c = secmalloc_buf_concat(NULL, a, b);
	d = secmalloc_buf_clone(NULL, c);
	e = secmalloc_buf_from_hex(NULL, "00ff", 4);
	hex = secmalloc_buf_to_hex(NULL, c);
	EXPECT_EQ(1, secmalloc_buf_equal(c, d));
	EXPECT_EQ(0, secmalloc_buf_equal(a, e));
	EXPECT_EQ(8, secmalloc_buf_size(c));
	EXPECT_NOT_NULL(hex);
	secfree(hex);
	secmalloc_buf_free(e);
	EXPECT_EQ(ODD_ERRNO, errno);
}

/* T62: the zeros that are left of a buffer are no secret and match nothing. */
TEST_F(buf, in_a_child_it_equals_nothing_and_is_no_source)
{
	secmalloc_buf *a = make(NULL, 32, 1), *b = make(NULL, 32, 2);
	secmalloc_heap *heap = ta_heap(&variant->tier, 0);
	secmalloc_buf *c = make(heap, 32, 3);
	static const char zeros[32];

	EXPECT_EQ(1, secmalloc_buf_equal(a, a)); /* control */
	T_IN_CHILD({
		EXPECT_EQ(32, secmalloc_buf_size(a));
		EXPECT_TRUE(ta_holds(secmalloc_buf_data(a), 32, 0));
		EXPECT_EQ(0, secmalloc_buf_equal(a, b));
		EXPECT_EQ(0, secmalloc_buf_equal(a, a));
		EXPECT_EQ(0, secmalloc_buf_equal(c, c));
		EXPECT_EQ(0, secmalloc_buf_equal_bytes(a, zeros, 32));
		EXPECT_NULL(secmalloc_buf_clone(NULL, c));
		EXPECT_EQ(EPERM, errno);
		errno = 0;
		EXPECT_NULL(secmalloc_buf_concat(NULL, a, b));
		EXPECT_EQ(EPERM, errno);
		errno = 0;
		EXPECT_NULL(secmalloc_buf_to_hex(NULL, a));
		EXPECT_EQ(EPERM, errno);
		secmalloc_buf_free(a);
		secmalloc_buf_free(c);
		a = make(NULL, 32, 4);
		EXPECT_EQ(1, secmalloc_buf_equal(a, a));
	});
	EXPECT_TRUE(t_is_filled(secmalloc_buf_data(a), 32, 1));
}

/* T62, too: after shutdown its bytes are not even looked at. */
TEST_F(buf, after_shutdown_it_equals_nothing)
{
	secmalloc_buf *a = make(NULL, 32, 1);

	secmalloc_shutdown();
	EXPECT_EQ(0, secmalloc_buf_equal(a, a));
	EXPECT_NULL(secmalloc_buf_clone(NULL, a));
	EXPECT_EQ(EPERM, errno);
	ASSERT_EQ(0, ta_start(&variant->tier));
	EXPECT_NULL(secmalloc_buf_clone(NULL, a));
	EXPECT_EQ(EPERM, errno);
	secmalloc_buf_free(a);
}

#define DIES(line, ...)                                                  \
	EXPECT_DEATH(SIGABRT, line, {                                    \
		secmalloc_buf *b = ta_hide(secmalloc_buf_new(NULL, 40)); \
		unsigned char *p = ta_hide(secmalloc_buf_data(b));       \
                                                                         \
		(void)p;                                                 \
		__VA_ARGS__;                                             \
	})

TEST_F(buf, misuse_dies_with_its_line)
{
	static char own[100];

	DIES(SECM_DIE_OVERFLOW, p[40]++; secmalloc_buf_free(b));
	DIES(SECM_DIE_DOUBLE_FREE, secmalloc_buf_free(b);
	     secmalloc_buf_free(b));
	DIES(SECM_DIE_REUSE, secmalloc_buf_free(b);
	     EXPECT_EQ(0, secmalloc_buf_size(b)));
	DIES(SECM_DIE_REUSE, secmalloc_buf_free(b);
	     EXPECT_EQ(0, secmalloc_buf_equal(b, b)));
	DIES(SECM_DIE_INTERIOR,
	     EXPECT_NULL(secmalloc_buf_clone(
		     NULL, (secmalloc_buf *)(void *)(p + 16))));
	DIES(SECM_DIE_WILD,
	     EXPECT_EQ(0, secmalloc_buf_size((secmalloc_buf *)(void *)own)));
}
