/* SPDX-License-Identifier: MIT */
/*
 * test_segment.c - segment.c: the segment of secmalloc_sbrk()
 *
 * What it dies of is in death_segment.c.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "ksft.h"
#include "t_api.h"
#include "t_heap.h"
#include "t_util.h"

T_TIERS(segment);
T_TIER_LOCKED(segment);
T_TIER_PLAIN(segment);

/* The tiers that take quota. */
T_TIERS(segment_quota);
T_TIER_LOCKED(segment_quota);

enum { MOST = 100000, STEPS = 3000, LARGEST = 1 << 28 };

static char *brk_by(ptrdiff_t by)
{
	char *end = secmalloc_sbrk(by);

	return end == (char *)-1 ? NULL : end;
}

TEST_F(segment, begins_empty_and_tells_its_end)
{
	char *p;

	T_BEGIN(NULL);
	errno = 77;
	p = brk_by(0);
	T_NEED(p);
	EXPECT_EQ(0, (uintptr_t)p % secm_os.page);
	EXPECT_EQ(p, brk_by(0));
	EXPECT_EQ(0, secmalloc_owns(p));
	EXPECT_EQ(p, brk_by(10));
	EXPECT_EQ(p + 10, brk_by(0));
	EXPECT_EQ(1, secmalloc_owns(p));
	EXPECT_EQ(p + 10, brk_by(-10));
	EXPECT_EQ(p, brk_by(0));
	EXPECT_EQ(77, errno);
	EXPECT_EQ(0, secmalloc_verify());
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

/* Against a copy of what should stand there. */
TEST_F(segment, grows_with_zeros_and_forgets_what_is_cut_off)
{
	static char want[MOST];
	size_t size = 0;
	char *p;
	int i;

	T_BEGIN(NULL);
	T_ROOM(1 << 20);
	p = brk_by(0);
	T_NEED(p);
	for (i = 0; i < STEPS; i++) {
		size_t by = (size_t)(ksft_random() >>
				     (47 + ksft_random() % 16));
		size_t at = size ? (size_t)(ksft_random() % size) : 0;

		if (ksft_random() % 2 && size + by <= MOST) {
			ASSERT_EQ(p + size, brk_by((ptrdiff_t)by));
			memset(want + size, 0, by);
			size += by;
		} else if (by <= size) {
			ASSERT_EQ(p + size, brk_by(-(ptrdiff_t)by));
			size -= by;
		}
		if (at < size) {
			want[at] = p[at] = (char)i;
			want[size - 1] = p[size - 1] = (char)i;
		}
		if (i % 16 == 0)
			ASSERT_EQ(0, memcmp(p, want, size));
		if (i % 500 == 0)
			ASSERT_STREQ(NULL, t_broken(self->heap));
	}
	ASSERT_EQ(p + size, brk_by(-(ptrdiff_t)size));
	EXPECT_EQ(p, brk_by(MOST));
	EXPECT_TRUE(t_holds(p, MOST, 0));
	T_SOUND(self->heap);
}

/* Pages behind its end are not there, and its last one is cut to the byte. */
TEST_F(segment, has_pages_up_to_its_end)
{
	size_t page, n;
	char *p;

	T_BEGIN(NULL);
	page = secm_os.page;
	p = brk_by((ptrdiff_t)(5 * page + 1));
	T_NEED(p);
	EXPECT_EQ(SECM_NONE, t_access(p - 1));
	for (n = 6; n > 0; n--) {
		EXPECT_EQ(SECM_READWRITE, t_access(p + n * page - 1));
		EXPECT_EQ(SECM_NONE, t_access(p + n * page));
		t_fill(p, (n - 1) * page + 1, n);
		ASSERT_NOT_NULL(brk_by(n > 1 ? -(ptrdiff_t)page : -1));
	}
	EXPECT_EQ(SECM_NONE, t_access(p));
	EXPECT_EQ(p, brk_by(0));
	T_SOUND(self->heap);
}

TEST_F(segment, is_locked_as_objects_are)
{
	unsigned props = SECM_LOCKED | SECM_NODUMP;
	int answer;
	char *p;

	T_BEGIN(NULL);
	T_ROOM(1 << 20);
	p = brk_by(30000);
	T_NEED(p);
	if (!t_has_quota(&variant->tier))
		props = SECM_NODUMP;
	answer = ta_has_props(p, 30000, props);
	if (answer < 0)
		SKIP(return, "this system does not tell");
	EXPECT_EQ(1, answer);
	ASSERT_NOT_NULL(brk_by(300000));
	EXPECT_EQ(1, ta_has_props(p, 330000, props));
	ASSERT_NOT_NULL(brk_by(-200000));
	EXPECT_EQ(1, ta_has_props(p, 130000, props));
	EXPECT_EQ(SECM_NONE, t_access(p + 140000));
	if (variant->tier.need)
		EXPECT_EQ(1, ta_has_props(p, 130000, SECM_HIDDEN));
}

TEST_F(segment, cannot_be_larger_or_smaller_than_it_can)
{
	char *p;

	T_BEGIN(NULL);
	p = brk_by(1000);
	T_NEED(p);
	t_fill(p, 1000, 1);
	errno = 0;
	EXPECT_NULL(brk_by(-1001));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_NULL(brk_by(PTRDIFF_MIN));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_NULL(brk_by(PTRDIFF_MAX));
	EXPECT_EQ(ENOMEM, errno);
	errno = 0;
	EXPECT_NULL(brk_by(LARGEST + (1 << 20)));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(p + 1000, brk_by(0));
	EXPECT_TRUE(t_is_filled(p, 1000, 1));
	T_SOUND(self->heap);
}

TEST_F(segment, stops_at_the_bound_of_the_program)
{
	struct secmalloc_config c = { .max_bytes = 1 << 20 };
	size_t size = 0;

	T_BEGIN(&c);
	T_ROOM(1 << 20);
	while (brk_by(20000))
		size += 20000;
	T_NEED(size ? "" : NULL);
	EXPECT_GT(size, 700000);
	EXPECT_LE(secm_heap_mapped(self->heap), c.max_bytes);
	T_SOUND(self->heap);
}

/* Its pages come from and go to where those of objects do. */
TEST_F(segment, gives_back_what_it_had)
{
	size_t before;
	char *p;

	T_BEGIN(NULL);
	p = secmalloc(1);
	T_NEED(p);
	before = secm_heap_mapped(self->heap);
	p[0] = brk_by(4 << 20) != NULL;
	T_NEED(p[0] ? p : NULL);
	EXPECT_GE(secm_heap_mapped(self->heap), 4 << 20);
	ASSERT_NOT_NULL(brk_by(-(4 << 20)));
	(void)secmalloc_trim();
	EXPECT_LE(secm_heap_mapped(self->heap), before);
	secfree(p);
	T_SOUND(self->heap);
}

/* The child reads zeros and has a segment of its own. */
TEST_F(segment, of_a_parent_is_zeros_and_not_the_childs)
{
	char *p;

	T_BEGIN(NULL);
	p = brk_by(50000);
	T_NEED(p);
	t_fill(p, 50000, 1);
	T_IN_CHILD({
		char *q;

		EXPECT_TRUE(t_holds(p, 50000, 0));
		q = brk_by(100);
		ASSERT_NOT_NULL(q);
		EXPECT_TRUE(q + 100 <= p || q >= p + LARGEST / 256);
		EXPECT_TRUE(t_holds(q, 100, 0));
		t_fill(q, 100, 2);
		EXPECT_EQ(q + 100, brk_by(-100));
		T_SOUND(self->heap);
	});
	EXPECT_TRUE(t_is_filled(p, 50000, 1));
	EXPECT_EQ(p + 50000, brk_by(0));
	T_SOUND(self->heap);
}

TEST_F(segment, is_gone_after_a_shutdown)
{
	char *p, *q;

	T_BEGIN(NULL);
	p = brk_by(50000);
	T_NEED(p);
	t_fill(p, 50000, 1);
	secmalloc_shutdown();
	EXPECT_EQ(SECM_NONE, t_access(p));
	EXPECT_NULL(brk_by(0));
	EXPECT_EQ(EPERM, errno);
	EXPECT_NULL(brk_by(-50000));
	T_BEGIN(NULL);
	q = brk_by(100);
	T_NEED(q);
	EXPECT_TRUE(t_holds(q, 100, 0));
	EXPECT_EQ(q + 100, brk_by(-100));
	T_SOUND(self->heap);
}

/* An empty one of before serves again: address space is not used up. */
TEST_F(segment, is_the_same_after_each_of_many_shutdowns)
{
	char *first;
	int i;

	T_BEGIN(NULL);
	first = brk_by(100);
	T_NEED(first);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(first + 100, brk_by(-100));
		if (i % 4 == 0)
			T_IN_CHILD(EXPECT_EQ(first, brk_by(100)));
		secmalloc_shutdown();
		T_BEGIN(NULL);
		ASSERT_EQ(first, brk_by(100));
		T_SOUND(self->heap);
	}
}

TEST_F(segment_quota, stops_at_the_lock_limit)
{
	size_t size = 0;
	char *p;

	T_LOCK_AT_MOST(256 << 10);
	T_BEGIN(NULL);
	p = brk_by(0);
	T_NEED(p);
	while (brk_by(1000))
		size += 1000;
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(SECMALLOC_REASON_LOCK_LIMIT, self->heap->policy.reason);
	EXPECT_GT(size, 128 << 10);
	EXPECT_EQ(p + size, brk_by(0));
	EXPECT_TRUE(t_holds(p, size, 0));
	EXPECT_NULL(secmalloc(50000));
	T_SOUND(self->heap);
	EXPECT_EQ(p + size, brk_by(-(ptrdiff_t)size));
	secfree(secmalloc(50000));
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}
