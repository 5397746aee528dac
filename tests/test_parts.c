/* SPDX-License-Identifier: MIT */
/*
 * test_parts.c - split objects: each part lives a life of its own
 *
 * What parts die of is in death_parts.c.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "ksft.h"
#include "parts.h"
#include "t_heap.h"
#include "t_way.h"

T_WAYS(parts);

static const size_t wholes[] = { 2, 40, 500, 521, 9000, 16392, 16393, 70000 };
enum { KINDS = sizeof(wholes) / sizeof(wholes[0]) };

static char *get(size_t size, uint64_t seed)
{
	char *p = secmalloc(size);

	ASSERT_NOT_NULL(p);
	t_fill(p, size, seed);
	return p;
}

TEST_F(parts, both_keep_their_bytes_and_know_their_size)
{
	size_t i, at, n;
	char *p, *q;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 0; i < KINDS; i++)
		for (n = 0; n < 5; n++) {
			at = n == 0 ? 1 : wholes[i] * n / 5 + (n < 3);
			if (at >= wholes[i])
				at = wholes[i] - 1;
			p = get(wholes[i], 1);
			errno = 77;
			q = secmalloc_split(p, at);
			ASSERT_EQ(p + at, q);
			EXPECT_EQ(77, errno);
			EXPECT_EQ(at, secmalloc_usable_size(p));
			EXPECT_EQ(wholes[i] - at, secmalloc_usable_size(q));
			EXPECT_TRUE(t_is_filled(p, wholes[i], 1));
			EXPECT_EQ(2, t_objects());
			EXPECT_EQ(wholes[i], t_bytes());
			EXPECT_EQ(2, secmalloc_verify());
			T_SOUND(self->heap);
			secfree(n % 2 ? p : q);
			secfree(n % 2 ? q : p);
			EXPECT_EQ(0, t_objects());
			T_SOUND(self->heap);
		}
}

/* What is asked of it that cannot be. */
TEST_F(parts, some_objects_cannot_be_split_there)
{
	size_t i;
	char *p;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	EXPECT_NULL(secmalloc_split(NULL, 1));
	EXPECT_EQ(EINVAL, errno);
	for (i = 0; i < KINDS; i++) {
		p = get(wholes[i], 1);
		errno = 0;
		EXPECT_NULL(secmalloc_split(p, 0));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_NULL(secmalloc_split(p, wholes[i]));
		EXPECT_NULL(secmalloc_split(p, wholes[i] + 1));
		EXPECT_NULL(secmalloc_split(p, SIZE_MAX));
		EXPECT_TRUE(t_is_filled(p, wholes[i], 1));
		secmalloc_free_sized(p, wholes[i]);
	}
	p = secmalloc_guarded(100);
	ASSERT_NOT_NULL(p);
	ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_READONLY));
	errno = 0;
	EXPECT_NULL(secmalloc_split(p, 50));
	EXPECT_EQ(EINVAL, errno);
	/* As it was, to its access. */
	EXPECT_EQ(100, secmalloc_usable_size(p));
	EXPECT_EQ(SECM_READ, t_access(p));
	secfree(p);
	p = secmalloc(0);
	EXPECT_NULL(secmalloc_split(p, 0));
	EXPECT_NULL(secmalloc_split(p, 1));
	secfree(p);
	T_SOUND(self->heap);
}

/* To single bytes, which are freed in no order. */
TEST_F(parts, can_be_split_to_the_last_byte)
{
	enum { MOST = 500 };
	char *p[MOST];
	size_t i, n, k, left;

	T_BEGIN_WAY(NULL);
	for (n = 40; n <= MOST; n += MOST - 40) {
		p[0] = get(n, 1);
		for (i = 1; i < n; i++) {
			p[i] = secmalloc_split(p[i - 1], 1);
			ASSERT_EQ(p[0] + i, p[i]);
		}
		EXPECT_EQ(n, secmalloc_verify());
		EXPECT_TRUE(t_is_filled(p[0], n, 1));
		T_SOUND(self->heap);
		for (left = n; left > 0; left--) {
			k = (size_t)(ksft_random() % left);
			secmalloc_free_sized(p[k], 1);
			p[k] = p[left - 1];
			EXPECT_EQ(left - 1, t_objects());
		}
		T_SOUND(self->heap);
	}
}

/* No byte of a freed part is left, though the memory stays. */
TEST_F(parts, one_that_is_freed_is_wiped_at_once)
{
	char *p, *q, *r;
	size_t i, n, k;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 1; i < KINDS; i++) {
		n = wholes[i] / 3;
		p = get(wholes[i], 1);
		q = secmalloc_split(p, n);
		r = secmalloc_split(q, n);
		ASSERT_TRUE(q && r);
		t_fill(q, n, 2);
		secfree(q);
		for (k = 0; k + 8 <= n; k++) {
			char was[8];

			t_fill(was, 8, 2); /* it depends on the place */
			EXPECT_NE(0, memcmp(q + k, was, 8));
		}
		EXPECT_FALSE(t_is_filled(q, n, 2));
		EXPECT_EQ(0, secmalloc_owns(q));
		EXPECT_EQ(0, secmalloc_owns(q + n - 1));
		EXPECT_EQ(1, secmalloc_owns(q - 1));
		EXPECT_EQ(1, secmalloc_owns(r));
		EXPECT_EQ(0, secmalloc_usable_size(q));
		EXPECT_TRUE(t_is_filled(p, n, 1));
		secfree(p);
		secfree(r);
		T_SOUND(self->heap);
	}
}

/* A part may grow over what is free behind it, up to the next live one. */
TEST_F(parts, one_grows_over_freed_neighbours)
{
	char *p, *q, *r;
	size_t i, n;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 1; i < KINDS; i++) {
		n = wholes[i] / 4;
		p = get(wholes[i], 1);
		q = secmalloc_split(p, n);
		r = secmalloc_split(q, n);
		ASSERT_TRUE(q && r);
		EXPECT_EQ(-1, secmalloc_resize(p, n + 1));
		EXPECT_EQ(ENOMEM, errno);
		secfree(q);
		errno = 77;
		EXPECT_EQ(0, secmalloc_resize(p, n + n / 2));
		EXPECT_EQ(77, errno);
		EXPECT_TRUE(t_is_filled(p, n, 1));
		EXPECT_TRUE(t_holds(p + n, n / 2, 0));
		T_SOUND(self->heap);
		t_fill(p, n + n / 2, 3);
		EXPECT_EQ(0, secmalloc_resize(p, 2 * n));
		EXPECT_EQ(-1, secmalloc_resize(p, 2 * n + 1));
		EXPECT_TRUE(t_is_filled(p, n + n / 2, 3));
		EXPECT_TRUE(t_holds(p + n + n / 2, 2 * n - n - n / 2, 0));
		secfree(r);
		EXPECT_EQ(0, secmalloc_resize(p, wholes[i]));
		EXPECT_EQ(-1, secmalloc_resize(p, wholes[i] + 1));
		EXPECT_EQ(wholes[i], secmalloc_usable_size(p));
		EXPECT_TRUE(t_is_filled(p, n + n / 2, 3));
		T_SOUND(self->heap);
		secfree(p);
	}
}

/* What was cut off is no one's until it is taken again, as zeros. */
TEST_F(parts, one_that_shrinks_and_grows_again_has_zeros)
{
	char *p, *q;
	size_t i, n;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 1; i < KINDS; i++) {
		n = wholes[i] / 2;
		p = get(wholes[i], 1);
		q = secmalloc_split(p, n);
		ASSERT_NOT_NULL(q);
		EXPECT_EQ(0, secmalloc_resize(p, n / 2));
		EXPECT_EQ(0, secmalloc_resize(q, 0));
		EXPECT_EQ(1, secmalloc_owns(q));
		EXPECT_EQ(0, secmalloc_owns(p + n / 2));
		EXPECT_EQ(2, secmalloc_verify());
		T_SOUND(self->heap);
		EXPECT_EQ(0, secmalloc_resize(p, n));
		EXPECT_TRUE(t_is_filled(p, n / 2, 1));
		EXPECT_TRUE(t_holds(p + n / 2, n - n / 2, 0));
		EXPECT_EQ(0, secmalloc_resize(q, wholes[i] - n));
		EXPECT_TRUE(t_holds(q, wholes[i] - n, 0));
		secfree(q);
		secfree(p);
		T_SOUND(self->heap);
	}
}

/* secrealloc() moves a part that has no room, and only that. */
TEST_F(parts, realloc_of_parts)
{
	char *p, *q, *r, *s;
	size_t i, n;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 1; i < KINDS; i++) {
		n = wholes[i] / 3;
		p = get(wholes[i], 1);
		q = secmalloc_split(p, n);
		r = secmalloc_split(q, n);
		ASSERT_TRUE(q && r);
		t_fill(q, n, 2);
		s = secrealloc(q, n / 2 + 1);
		EXPECT_EQ(q, s);
		s = secrealloc(q, 3 * n);
		ASSERT_NOT_NULL(s);
		EXPECT_NE(q, s);
		EXPECT_TRUE(t_is_filled(s, n / 2 + 1, 2));
		EXPECT_TRUE(t_holds(s + n / 2 + 1, 3 * n - n / 2 - 1, 0));
		EXPECT_TRUE(t_is_filled(p, n, 1));
		EXPECT_EQ(3, secmalloc_verify());
		T_SOUND(self->heap);
		EXPECT_NULL(secrealloc(p, 0));
		secfree(r);
		EXPECT_EQ(1, secmalloc_verify());
		secfree(s);
		T_SOUND(self->heap);
	}
}

/* In a child all parts are zeros, and freed as others are. */
TEST_F(parts, inherited_ones_are_dead_objects)
{
	char *p, *q, *r;
	size_t i, n;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 1; i < KINDS; i++) {
		n = wholes[i] / 3;
		p = get(wholes[i], 1);
		q = secmalloc_split(p, n);
		r = secmalloc_split(q, n);
		ASSERT_TRUE(q && r);
		T_IN_CHILD({
			EXPECT_TRUE(t_holds(p, wholes[i], 0));
			EXPECT_EQ(n, secmalloc_usable_size(q));
			secfree(get(10, 1));
			EXPECT_EQ(0, t_objects());
			EXPECT_EQ(0, t_bytes());
			EXPECT_EQ(0, secmalloc_verify());
			T_SOUND(self->heap);
			EXPECT_NULL(secmalloc_split(r, 1));
			EXPECT_EQ(EINVAL, errno);
			EXPECT_EQ(-1, secmalloc_resize(q, n));
			q = secrealloc(q, 20);
			ASSERT_NOT_NULL(q);
			EXPECT_TRUE(t_holds(q, 20, 0));
			secfree(p);
			secfree(r);
			secfree(q);
			T_SOUND(self->heap);
		});
		EXPECT_TRUE(t_is_filled(p, wholes[i], 1));
		secfree(r);
		secfree(p);
		secfree(q);
	}
}

/* After a shutdown they can be freed, which does nothing. */
TEST_F(parts, of_before_a_shutdown_can_be_freed)
{
	char *p, *q;
	size_t i;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 1; i < KINDS; i++) {
		p = get(wholes[i], 1);
		q = secmalloc_split(p, 1);
		ASSERT_NOT_NULL(q);
		secmalloc_shutdown();
		secfree(p);
		EXPECT_EQ(0, t_objects());
		ASSERT_EQ(0, t_begin_way(&variant->tier, variant->way, NULL));
		secfree(q);
		secfree(get(wholes[i], 1));
		EXPECT_EQ(0, t_objects());
		T_SOUND(self->heap);
	}
}

/* Descriptions of parts are used again, not made anew. */
TEST_F(parts, splitting_for_ever_costs_nothing)
{
	char *p, *q;
	int i, spare = 0;
	const struct secm_part *part;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < 3000; i++) {
		p = get(100, 1);
		q = secmalloc_split(p, 30);
		ASSERT_NOT_NULL(q);
		if (i % 3 == 0)
			p = secrealloc(p, 2000);
		secfree(p);
		secfree(q);
	}
	for (part = self->heap->spare_parts; part; part = part->next)
		spare++;
	EXPECT_EQ(2, spare);
	T_SOUND(self->heap);
}
