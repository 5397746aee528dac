/* SPDX-License-Identifier: MIT */
/*
 * test_resize.c - secmalloc_resize(): another size at the same place, or none
 *
 * Parts of split objects are in test_parts.c.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "ksft.h"
#include "slot.h"
#include "t_heap.h"
#include "t_way.h"

T_WAYS(resize);

enum { GUARDED = 1, ALIGNED = 2, KINDS = 3 };

static const size_t sizes[] = { 0,   1,	  40,  120,   500,   520,
				521, 3000, 16392, 16393, 50000 };
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static char *get(int kind, size_t size)
{
	char *p;

	if (kind == GUARDED)
		p = secmalloc_guarded(size);
	else if (kind == ALIGNED)
		p = secmalloc_aligned(80, size);
	else
		p = secmalloc(size);
	if (p)
		t_fill(p, size, 1);
	return p;
}

/* The largest size that it can have where it is: all of its slot, or of its
 * address space; what is aligned lies in an object that is a little larger. */
static size_t most(char *p, int kind, size_t size)
{
	size_t top = size;

	if (kind == ALIGNED) {
		while (secmalloc_resize(p, top + 1) == 0)
			top++;
		EXPECT_LE(top, (size + 80) / 4 * 5 + 16);
		return top;
	}
	if (t_span(p)->kind == SECM_SLAB)
		top = t_slot(p) - SECM_CANARY_MIN;
	else
		top = (size_t)(t_span(p)->data - p) +
		      t_span(p)->capacity * secm_os.page;
	EXPECT_EQ(0, secmalloc_resize(p, top));
	return top;
}

static void as_large_as_can_be(char *p, int kind, size_t size)
{
	size_t top = most(p, kind, size);

	EXPECT_EQ(top, secmalloc_usable_size(p));
	EXPECT_TRUE(t_is_filled(p, size, 1));
	EXPECT_TRUE(t_holds(p + size, top - size, 0));
	errno = 0;
	EXPECT_EQ(-1, secmalloc_resize(p, top + 1));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(top, secmalloc_usable_size(p));
	EXPECT_TRUE(t_is_filled(p, size, 1));
	t_fill(p, top, 1);
}

/* Words at p that stand where they stood when it was filled: eight bytes, as
 * four of a canary are the same by chance once in ten thousand runs.  Pages
 * that it does not need any more are gone. */
static size_t left_of(const char *p, size_t from, size_t end)
{
	static char was[100000];
	size_t i, n = 0;

	if (end > (size_t)(secm_span_end(t_span(p)) - p))
		end = (size_t)(secm_span_end(t_span(p)) - p);
	ASSERT_LE(end, sizeof(was));
	t_fill(was, end, 1);
	for (i = from; i + 8 <= end; i++)
		n += memcmp(p + i, was + i, 8) == 0;
	return n;
}

static void down_to_nothing(char *p, size_t size)
{
	size_t less, before = size;

	for (less = size; less > 0; less -= less / 3 + 1) {
		errno = 77;
		ASSERT_EQ(0, secmalloc_resize(p, less));
		EXPECT_EQ(77, errno);
		EXPECT_EQ(less, secmalloc_usable_size(p));
		EXPECT_TRUE(t_is_filled(p, less, 1));
		EXPECT_EQ(0, left_of(p, less, before));
		before = less;
	}
	ASSERT_EQ(0, secmalloc_resize(p, 0));
	EXPECT_EQ(0, left_of(p, 0, before));
	EXPECT_EQ(1, secmalloc_owns(p));
	ASSERT_EQ(0, secmalloc_resize(p, size));
	EXPECT_TRUE(t_holds(p, size, 0));
}

TEST_F(resize, grows_in_its_slot_or_pages_and_shrinks_to_nothing)
{
	size_t i;
	int kind;

	T_BEGIN_WAY(NULL);
	for (kind = 0; kind < KINDS; kind++)
		for (i = 0; i < SIZES; i++) {
			char *p = get(kind, sizes[i]);

			T_NEED(p);
			as_large_as_can_be(p, kind, sizes[i]);
			ASSERT_STREQ(NULL, t_broken(self->heap));
			down_to_nothing(p, secmalloc_usable_size(p));
			ASSERT_STREQ(NULL, t_broken(self->heap));
			secfree(p);
		}
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

TEST_F(resize, to_what_is_impossible_changes_nothing)
{
	static const size_t huge[] = { SIZE_MAX,     SIZE_MAX - 7,
				       SIZE_MAX / 2, SIZE_MAX / 2 + 1,
				       1 << 20 };
	size_t i, k;
	int kind;

	T_BEGIN_WAY(NULL);
	errno = 0;
	EXPECT_EQ(-1, secmalloc_resize(NULL, 10));
	EXPECT_EQ(EINVAL, errno);
	for (kind = 0; kind < KINDS; kind++)
		for (i = 0; i < SIZES; i++) {
			char *p = get(kind, sizes[i]);

			T_NEED(p);
			for (k = 0; k < 5; k++) {
				errno = 0;
				EXPECT_EQ(-1, secmalloc_resize(p, huge[k]));
				EXPECT_EQ(ENOMEM, errno);
			}
			EXPECT_TRUE(t_is_filled(p, sizes[i], 1));
			secmalloc_free_sized(p, sizes[i]);
		}
	T_SOUND(self->heap);
}

/* Never, not even where secrealloc() always does. */
TEST_F(resize, does_not_move)
{
	struct secmalloc_config c = { .flags = SECMALLOC_ALWAYS_MOVE };
	char *p;

	T_BEGIN_WAY(&c);
	p = get(0, 1000);
	T_NEED(p);
	EXPECT_EQ(0, secmalloc_resize(p, 900));
	EXPECT_EQ(900, secmalloc_usable_size(p));
	EXPECT_NE(p, secrealloc(p, 899));
	EXPECT_EQ(1, t_objects());
	T_SOUND(self->heap);
}

/* What a large one leaves by shrinking goes back, and comes back. */
TEST_F(resize, changes_how_many_pages_a_large_one_has)
{
	size_t page, before, n;
	char *p;

	T_BEGIN_WAY(NULL);
	page = secm_os.page;
	p = get(0, 20 * page);
	T_NEED(p);
	before = self->heap->busy;
	for (n = 19; n > 3; n -= 3) {
		EXPECT_EQ(0, secmalloc_resize(p, n * page));
		EXPECT_EQ(before - (20 - n) * page, self->heap->busy);
		EXPECT_EQ(SECM_READWRITE, t_access(p + n * page - 1));
		EXPECT_EQ(SECM_NONE, t_access(p + n * page));
		T_SOUND(self->heap);
	}
	EXPECT_EQ(0, secmalloc_resize(p, 20 * page));
	EXPECT_EQ(before, self->heap->busy);
	EXPECT_TRUE(t_is_filled(p, 4 * page, 1));
	EXPECT_TRUE(t_holds(p + 4 * page, 16 * page, 0));
	secfree(p);
	T_SOUND(self->heap);
}

/* Closed ones stay closed if nothing is changed, and open if it is. */
TEST_F(resize, opens_a_guarded_object_that_it_changes)
{
	int access;

	T_BEGIN_WAY(NULL);
	for (access = SECMALLOC_NOACCESS; access <= SECMALLOC_READWRITE;
	     access++) {
		char *p = get(GUARDED, 100);

		T_NEED(p);
		ASSERT_EQ(0, secmalloc_protect(p, access));
		EXPECT_EQ(-1, secmalloc_resize(p, 1 << 20));
		EXPECT_EQ(access, (int)t_access(p));
		EXPECT_EQ(0, secmalloc_resize(p, 110));
		EXPECT_EQ(SECM_READWRITE, t_access(p));
		EXPECT_TRUE(t_is_filled(p, 100, 1));
		EXPECT_TRUE(t_holds(p + 100, 10, 0));
		secfree(p);
	}
	T_SOUND(self->heap);
}

static void resize_it(void *p)
{
	EXPECT_EQ(0, secmalloc_resize(p, 41));
	EXPECT_EQ(0, secmalloc_resize(p, 44));
}

/* Who made a slot's object is written beside its size. */
TEST_F(resize, by_another_thread_leaves_whose_it_is)
{
	char *p;
	int i;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < 100; i++) {
		p = get(0, 47);
		ASSERT_NOT_NULL(p);
		t_in_thread(resize_it, p);
		EXPECT_TRUE(t_is_filled(p, 41, 1));
		EXPECT_TRUE(t_holds(p + 41, 3, 0));
		if (i % 2)
			secfree(p);
		else
			t_free_in_thread(p);
	}
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

TEST_F(resize, is_not_for_dead_objects)
{
	char *p;

	T_BEGIN_WAY(NULL);
	p = get(0, 100);
	T_NEED(p);
	T_IN_CHILD({
		EXPECT_EQ(-1, secmalloc_resize(p, 90));
		EXPECT_EQ(ENOMEM, errno);
		EXPECT_EQ(100, secmalloc_usable_size(p));
		secfree(p);
		T_SOUND(self->heap);
	});
	secmalloc_shutdown();
	EXPECT_EQ(-1, secmalloc_resize(p, 90));
	secfree(p);
}
