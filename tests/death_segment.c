/* SPDX-License-Identifier: MIT */
/*
 * death_segment.c - the segment of secmalloc_sbrk() is no object
 *
 * Nor is any part of it; and what was not handed out yet must be zero.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <signal.h>

#include "die.h"
#include "ksft.h"
#include "t_heap.h"
#include "t_util.h"

T_TIERS(segment_dies);
T_TIER_LOCKED(segment_dies);
T_TIER_PLAIN(segment_dies);

#define DIES(line, ...) EXPECT_DEATH(SIGABRT, line, __VA_ARGS__)

enum { SIZE = 10000 };

static char *segment(void)
{
	char *p = secmalloc_sbrk(SIZE);

	ASSERT_NE((void *)-1, p);
	return p;
}

TEST_F(segment_dies, of_a_free_of_any_byte)
{
	static const size_t at[] = { 0, 1, 16, 4095, 4096, SIZE - 1, SIZE };
	size_t i;

	T_BEGIN(NULL);
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		DIES(SECM_DIE_WILD, secfree(segment() + at[i]));
		DIES(SECM_DIE_WILD, {
			char *p = segment();

			secmalloc_free_sized(p + at[i], SIZE - at[i]);
		});
	}
	DIES(SECM_DIE_WILD, {
		char *p = segment();

		ASSERT_NE((void *)-1, secmalloc_sbrk(-SIZE));
		secfree(p);
	});
}

TEST_F(segment_dies, of_being_resized_or_split)
{
	void *p = NULL;

	T_BEGIN(NULL);
	DIES(SECM_DIE_WILD, p = secrealloc(segment(), 10));
	DIES(SECM_DIE_WILD, p = secrealloc(segment(), 0));
	DIES(SECM_DIE_WILD, p = secmalloc_realloc_array(segment(), 1, SIZE));
	DIES(SECM_DIE_WILD, p = secmalloc_split(segment(), 100));
	DIES(SECM_DIE_WILD, p = secmalloc_resize(segment(), 10) ? NULL : "");
	EXPECT_NULL(p);
}

/* Before it and behind its last page there is nothing. */
TEST_F(segment_dies, of_a_touch_of_its_guards)
{
	T_BEGIN(NULL);
	T_FAULTS(segment()[-1] = 1);
	T_FAULTS({
		char *p = segment();
		size_t page = secm_os.page;

		p[(SIZE + page - 1) / page * page] = 1;
	});
}

/* From its end to the end of the page: found when it grows again. */
TEST_F(segment_dies, of_a_byte_written_behind_its_end)
{
	size_t at, rest;

	T_BEGIN(NULL);
	rest = secm_os.page - SIZE % secm_os.page;
	for (at = 0; at < rest; at += 1 + rest / 10)
		DIES(SECM_DIE_OVERFLOW, {
			char *p = segment();

			p[SIZE + at] = 1;
			p = secmalloc_sbrk(1);
		});
	DIES(SECM_DIE_OVERFLOW, {
		char *p = segment();

		p[SIZE + rest - 1] = 1;
		p = secmalloc_sbrk((ptrdiff_t)rest);
	});
}

/* What may be written, and is none of the allocator's business. */
TEST_F(segment_dies, not_of_its_own_bytes)
{
	char *p;

	T_BEGIN(NULL);
	p = segment();
	t_fill(p, SIZE, 1);
	EXPECT_EQ(0, secmalloc_verify());
	EXPECT_EQ(p + SIZE, (char *)secmalloc_sbrk(SIZE));
	EXPECT_TRUE(t_is_filled(p, SIZE, 1));
	EXPECT_TRUE(t_holds(p + SIZE, SIZE, 0));
	EXPECT_EQ(0, secmalloc_usable_size(p));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(1, secmalloc_owns(p));
	EXPECT_EQ(1, secmalloc_owns(p + 2 * SIZE - 1));
	EXPECT_EQ(0, secmalloc_owns(p + 2 * SIZE));
	EXPECT_EQ(-1, secmalloc_protect(p, SECMALLOC_NOACCESS));
	T_SOUND(self->heap);
}
