/* SPDX-License-Identifier: MIT */
/*
 * death_parts.c - parts of split objects, and objects that are aligned more
 *
 * Between them and around them canary stands; between two live parts nothing.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <signal.h>

#include "die.h"
#include "ksft.h"
#include "t_heap.h"
#include "t_way.h"

T_WAYS(part_dies);

#define DIES(line, ...) EXPECT_DEATH(SIGABRT, line, __VA_ARGS__)

enum { PARTS = 3, KINDS = 4 };

/* An object in three parts: in small and large slots, and with own pages. */
static const size_t wholes[KINDS] = { 60, 500, 9000, 50007 };

struct split {
	char *p[PARTS];
	size_t size[PARTS];
};

static void split(struct split *s, int kind)
{
	size_t size = wholes[kind];

	s->size[0] = size / 3;
	s->size[1] = size / 4;
	s->size[2] = size - s->size[0] - s->size[1];
	s->p[0] = secmalloc(size);
	ASSERT_NOT_NULL(s->p[0]);
	t_fill(s->p[0], size, 1);
	s->p[1] = secmalloc_split(s->p[0], s->size[0]);
	s->p[2] = secmalloc_split(s->p[1], s->size[1]);
	ASSERT_EQ(s->p[0] + s->size[0], s->p[1]);
	ASSERT_EQ(s->p[1] + s->size[1], s->p[2]);
}

static void flip(char *p)
{
	*(volatile char *)p ^= 0x04;
}

/* In each order; and there is no canary between live ones. */
TEST_F(part_dies, not_of_what_it_may_do)
{
	static const int order[6][PARTS] = { { 0, 1, 2 }, { 0, 2, 1 },
					     { 1, 0, 2 }, { 1, 2, 0 },
					     { 2, 0, 1 }, { 2, 1, 0 } };
	struct split s;
	int kind, i, k;

	T_BEGIN_WAY(NULL);
	for (kind = 0; kind < KINDS; kind++)
		for (i = 0; i < 6; i++) {
			split(&s, kind);
			flip(s.p[0] + s.size[0]);
			flip(s.p[2] - 1);
			for (k = 0; k < PARTS; k++) {
				EXPECT_EQ(PARTS - k, secmalloc_verify());
				if (i % 2)
					t_free_in_thread(s.p[order[i][k]]);
				else
					secmalloc_free_sized(
						s.p[order[i][k]],
						s.size[order[i][k]]);
			}
			EXPECT_EQ(0, secmalloc_verify());
			T_SOUND(self->heap);
		}
}

TEST_F(part_dies, of_a_second_free)
{
	int kind, i, thread;

	T_BEGIN_WAY(NULL);
	for (kind = 0; kind < KINDS; kind++)
		for (i = 0; i < PARTS; i++)
			for (thread = 0; thread < 2; thread++)
				DIES(SECM_DIE_DOUBLE_FREE, {
					struct split s;

					split(&s, kind);
					secfree(s.p[i]);
					if (thread)
						t_free_in_thread(s.p[i]);
					else
						secfree(s.p[i]);
				});
}

/* When the last part is gone their list is gone as well. */
TEST_F(part_dies, of_a_second_free_when_all_are_freed)
{
	int kind, i, k, again;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (kind = 0; kind < KINDS; kind++)
		for (i = 0; i < PARTS; i++)
			for (again = 0; again < 2; again++)
				DIES(again ? SECM_DIE_REUSE
					   : SECM_DIE_DOUBLE_FREE,
				     {
					     struct split s;

					     ASSERT_NOT_NULL(
						     secmalloc(wholes[kind]));
					     split(&s, kind);
					     for (k = 0; k < PARTS; k++)
						     secfree(s.p[k]);
					     if (!again)
						     secfree(s.p[i]);
					     else if (secmalloc_resize(s.p[i],
								       1))
						     s.p[i] = NULL;
				     });
}

/* Where nothing ever had parts none can begin inside of what was freed. */
TEST_F(part_dies, of_a_free_inside_of_what_was_freed_and_had_none)
{
	int kind;

	T_BEGIN_WAY(NULL);
	for (kind = 0; kind < KINDS; kind++)
		DIES(SECM_DIE_INTERIOR, {
			char *p = secmalloc(wholes[kind]);

			/* beside slots; 64 KiB have no room for two runs */
			ASSERT_NOT_NULL(secmalloc(wholes[kind] % 10000));
			ASSERT_NOT_NULL(p);
			secfree(p);
			secfree(p + 16);
		});
}

TEST_F(part_dies, of_the_use_of_a_freed_part)
{
	int kind, i, how;

	T_BEGIN_WAY(NULL);
	for (kind = 0; kind < KINDS; kind++)
		for (i = 0; i < PARTS; i++)
			for (how = 0; how < 3; how++)
				DIES(SECM_DIE_REUSE, {
					struct split s;
					void *p = NULL;

					split(&s, kind);
					secfree(s.p[i]);
					if (how == 0)
						p = secrealloc(s.p[i], 5);
					if (how == 1 &&
					    secmalloc_resize(s.p[i], 5))
						p = NULL;
					if (how == 2)
						p = secmalloc_split(s.p[i], 1);
					secfree(p);
				});
}

TEST_F(part_dies, of_a_free_of_any_byte_inside_a_part)
{
	int kind, i;
	size_t at;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (kind = 0; kind < KINDS; kind++)
		for (i = 0; i < PARTS; i++) {
			struct split sizes;

			split(&sizes, kind);
			for (at = 1; at < sizes.size[i];
			     at += 1 + sizes.size[i] / 5)
				DIES(SECM_DIE_INTERIOR, {
					struct split s;

					split(&s, kind);
					secfree(s.p[i] + at);
				});
		}
}

TEST_F(part_dies, of_a_wrong_size)
{
	int kind, i, more;

	T_BEGIN_WAY(NULL);
	for (kind = 0; kind < KINDS; kind++)
		for (i = 0; i < PARTS; i++)
			for (more = -1; more < 2; more += 2)
				DIES(SECM_DIE_SIZE, {
					struct split s;

					split(&s, kind);
					secmalloc_free_sized(
						s.p[i],
						s.size[i] + (size_t)more);
				});
}

/* A freed part is canary at once: its neighbours find what was written. */
TEST_F(part_dies, of_a_byte_written_to_a_freed_part)
{
	int kind, finder;
	size_t at;

	T_BEGIN_WAY(NULL);
	for (kind = 0; kind < KINDS; kind++)
		for (at = 0; at < wholes[kind] / 4; at += 1 + wholes[kind] / 20)
			for (finder = 0; finder < 4; finder++)
				DIES(finder == 2 ? SECM_DIE_UNDERFLOW
						 : SECM_DIE_OVERFLOW,
				     {
					     struct split s;

					     split(&s, kind);
					     secfree(s.p[1]);
					     flip(s.p[1] + at);
					     if (finder == 3)
						     finder = secmalloc_resize(
							     s.p[0], 1);
					     else if (finder == 1)
						     finder = (int)
							     secmalloc_verify();
					     secfree(s.p[finder % PARTS]);
				     });
}

/* Behind the last part, what is behind the whole. */
TEST_F(part_dies, of_each_byte_behind_the_last)
{
	int kind;
	size_t at, end;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (kind = 0; kind < KINDS; kind++) {
		struct split probe;

		split(&probe, kind);
		end = kind == KINDS - 1 ? 9 : t_slot(probe.p[0]) - wholes[kind];
		for (at = 0; at < end; at += 1 + end / 20)
			DIES(SECM_DIE_OVERFLOW, {
				struct split s;

				split(&s, kind);
				flip(s.p[2] + s.size[2] + at);
				secfree(s.p[2]);
			});
	}
}

/* What was cut off is canary, too, and so is what a part left by shrinking. */
TEST_F(part_dies, of_each_byte_behind_one_that_shrank)
{
	int kind, i;
	size_t at;

	T_BEGIN_WAY(NULL);
	for (kind = 0; kind < KINDS; kind++)
		for (i = 0; i < PARTS; i++)
			for (at = 0; at < 5; at++)
				DIES(SECM_DIE_OVERFLOW, {
					struct split s;

					split(&s, kind);
					ASSERT_EQ(0, secmalloc_resize(
							     s.p[i],
							     s.size[i] - 5));
					flip(s.p[i] + s.size[i] - 5 + at);
					secfree(s.p[i]);
				});
}

/* Objects that do not begin where their slot or their pages do. */
static char *off_start(size_t size, size_t *before)
{
	int i;

	for (i = 0; i < 200; i++) {
		char *p = secmalloc_aligned(64, size);
		struct secm_span *span = t_span(p);

		ASSERT_NOT_NULL(p);
		*before = (size_t)(p - span->data);
		if (span->kind == SECM_SLAB)
			*before %= t_slot(p);
		if (*before > 0)
			return p;
	}
	return NULL;
}

TEST_F(part_dies, of_each_byte_before_an_aligned_object)
{
	static const size_t sizes[] = { 10, 700, 40000 };
	size_t i, at, before, rest;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 0; i < 3; i++) {
		ASSERT_NOT_NULL(off_start(sizes[i], &before));
		for (at = 1; at <= 16; at++)
			DIES(SECM_DIE_UNDERFLOW, {
				char *p = off_start(sizes[i], &rest);

				flip(p - at);
				secfree(p);
			});
	}
}

TEST_F(part_dies, of_each_byte_behind_an_aligned_object)
{
	static const size_t sizes[] = { 10, 700, 40001 };
	size_t i, at, rest;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < 3; i++)
		for (at = 0; at < 15; at++)
			DIES(SECM_DIE_OVERFLOW, {
				char *p = off_start(sizes[i], &rest);

				flip(p + sizes[i] + at % 8);
				if (at < 8)
					secfree(p);
				else
					EXPECT_EQ(0, secmalloc_verify());
			});
}

TEST_F(part_dies, of_a_second_free_of_an_aligned_object)
{
	static const size_t sizes[] = { 10, 700, 5000, 40001 };
	size_t i, rest;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < 4; i++) {
		DIES(SECM_DIE_DOUBLE_FREE, {
			char *p = off_start(sizes[i], &rest);

			secfree(p);
			secfree(p);
		});
		DIES(SECM_DIE_DOUBLE_FREE, {
			char *p = off_start(sizes[i], &rest);

			secfree(p);
			t_free_in_thread(p);
		});
		DIES(SECM_DIE_REUSE, {
			char *p = off_start(sizes[i], &rest);

			secfree(p);
			p = secrealloc(p, 2 * sizes[i]);
			secfree(p);
		});
	}
}

TEST_F(part_dies, of_a_free_of_what_an_aligned_object_lies_in)
{
	static const size_t sizes[] = { 10, 700, 40001 };
	size_t i, before;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < 3; i++) {
		DIES(SECM_DIE_INTERIOR, {
			char *p = off_start(sizes[i], &before);

			secfree(p - 16);
		});
		DIES(SECM_DIE_DOUBLE_FREE, {
			char *p = off_start(sizes[i], &before);
			char *q = secmalloc_split(p, 1);

			secfree(p);
			if (q)
				secfree(p);
		});
	}
}
