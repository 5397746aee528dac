/* SPDX-License-Identifier: MIT */
/*
 * death_slot.c - small objects: each byte around them, whichever way they go
 *
 * What death_misuse.c tells of each kind of object, here to the byte, for
 * slots of all shapes and for each of the three ways to them.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <signal.h>

#include "die.h"
#include "ksft.h"
#include "slot.h"
#include "t_heap.h"
#include "t_way.h"

T_WAYS(slot_dies);

#define DIES(line, ...) EXPECT_DEATH(SIGABRT, line, __VA_ARGS__)

/* The last two of each way: with a whole word of slack and no more. */
static const size_t sizes[] = { 0,  1,	 7,   8,   24,	 33,   56,   120,
				300, 512, 520, 521, 1000, 5000, 8200, 16392 };
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]), MANY = 300 };

static void flip(char *p)
{
	*(volatile char *)p ^= 0x04;
}

/* The control: an object may be filled to its last byte, and read behind. */
TEST_F(slot_dies, not_of_writing_all_of_an_object)
{
	size_t i;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < SIZES; i++) {
		char *p = t_get(sizes[i]), *q = t_get(sizes[i]);

		EXPECT_NE(0, p[t_slot(p) - 1]);
		EXPECT_EQ(2, secmalloc_verify());
		secfree(p);
		t_free_in_thread(q);
	}
	EXPECT_EQ(0, secmalloc_verify());
	T_SOUND(self->heap);
}

/* The first, the last eight, and some between. */
static size_t next(size_t at, size_t size, size_t slot)
{
	if (at + 9 >= slot || slot - size <= 32)
		return at + 1;
	at += 1 + (slot - size) / 8;
	return at < slot - 8 ? at : slot - 8;
}

TEST_F(slot_dies, of_each_byte_of_the_slack)
{
	size_t i, at, slot;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 0; i < SIZES; i++) {
		slot = t_slot(t_get(sizes[i]));
		ASSERT_GE(slot, sizes[i] + SECM_CANARY_MIN);
		for (at = sizes[i]; at < slot; at = next(at, sizes[i], slot))
			DIES(SECM_DIE_OVERFLOW, {
				char *p = t_get(sizes[i]);

				flip(p + at);
				secfree(p);
			});
	}
}

TEST_F(slot_dies, of_a_zero_or_a_one_written_behind_the_end)
{
	size_t i;
	int byte;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < SIZES; i++)
		for (byte = 0; byte < 2; byte++)
			DIES(SECM_DIE_OVERFLOW, {
				char *p = t_get(sizes[i]);

				/* A canary may begin with a one. */
				if (byte == 1 && p[sizes[i]] == 1)
					byte = 3;
				p[sizes[i]] = (char)byte;
				secfree(p);
			});
}

/* Of an object of the same size: all that is behind its end. */
TEST_F(slot_dies, of_the_canary_of_another_object)
{
	size_t i;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < SIZES; i++)
		DIES(SECM_DIE_OVERFLOW, {
			char *p = t_get(sizes[i]), *q = t_get(sizes[i]);

			memcpy(p + sizes[i], q + sizes[i],
			       t_slot(p) - sizes[i]);
			secfree(p);
		});
}

/* By another thread, whose cache would have to take a slot of ours. */
TEST_F(slot_dies, of_an_overflow_that_another_thread_finds)
{
	size_t i;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < SIZES; i++)
		DIES(SECM_DIE_OVERFLOW, {
			char *p = t_get(sizes[i]);

			flip(p + sizes[i]);
			t_free_in_thread(p);
		});
}

TEST_F(slot_dies, of_an_overflow_that_any_call_finds)
{
	size_t i;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < SIZES; i++) {
#define FOUND_BY(call)                                   \
	DIES(SECM_DIE_OVERFLOW, {                        \
		char *p = t_get(sizes[i]);               \
                                                         \
		flip(p + sizes[i] + 3);                  \
		if (call) /* the result does not matter */ \
			TH_LOG("lived");                 \
	})
		FOUND_BY(secrealloc(p, sizes[i] + 1));
		FOUND_BY(secrealloc(p, 20000));
		FOUND_BY(secmalloc_resize(p, sizes[i]));
		FOUND_BY(secmalloc_split(p, 1));
		FOUND_BY(secmalloc_verify());
		FOUND_BY((secmalloc_free_sized(p, sizes[i]), 0));
#undef FOUND_BY
	}
}

/* One with a neighbour below, in the same slab. */
static char *with_neighbour(size_t size, char **neighbour)
{
	static char *p[MANY];
	size_t i, k, n = size > 2000 ? 40 : MANY;

	for (i = 0; i < n; i++)
		p[i] = t_get(size);
	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			if (p[k] == p[i] - t_slot(p[i])) {
				*neighbour = p[k];
				return p[i];
			}
	return NULL;
}

static void underflow(size_t size, int at, int free_first, int other)
{
	char *below = NULL, *p = with_neighbour(size, &below);

	ASSERT_NOT_NULL(p);
	if (free_first)
		secfree(below);
	flip(p - at);
	if (other)
		t_free_in_thread(p);
	else
		secfree(p);
}

/* A canary below if that object lives, else zeros. */
TEST_F(slot_dies, of_each_byte_of_the_word_before_it)
{
	size_t i;
	int at, how;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 1; i < SIZES; i += 5)
		for (at = 1; at <= 8; at++)
			for (how = 0; how < 4; how++)
				DIES(SECM_DIE_UNDERFLOW,
				     underflow(sizes[i], at, how & 1, how > 1));
}

/* What comes before the first slot is a guard. */
TEST_F(slot_dies, of_the_guards_of_its_slab)
{
	size_t i;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < SIZES; i++) {
		T_FAULTS(flip(t_span(t_get(sizes[i]))->data - 1));
		T_FAULTS(flip(secm_span_end(t_span(t_get(sizes[i])))));
	}
}

TEST_F(slot_dies, of_a_free_of_any_byte_but_the_first)
{
	size_t i, at, slot, step;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 0; i < SIZES; i += 2) {
		slot = t_slot(t_get(sizes[i]));
		step = slot > 64 ? slot / 16 - 1 : 1;
		for (at = 1; at < slot; at += step)
			DIES(SECM_DIE_INTERIOR, secfree(t_get(sizes[i]) + at));
		DIES(SECM_DIE_INTERIOR, secfree(t_get(sizes[i]) + slot - 1));
		DIES(SECM_DIE_INTERIOR, t_free_in_thread(t_get(sizes[i]) + 16 -
							 (slot == 16)));
	}
}

/* Slots that have no page yet, to the end of the slab's address space. */
TEST_F(slot_dies, of_a_free_of_a_slot_without_memory)
{
	size_t i, n;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < SIZES; i++)
		for (n = 0; n < 3; n++)
			DIES(SECM_DIE_WILD, {
				struct secm_span *span =
					t_span(t_get(sizes[i]));
				size_t most = span->capacity * secm_os.page /
					      span->u.slab.slot;
				size_t first = span->u.slab.slots;

				secfree(secm_slot_at(
					span, n == 0 ? first :
					      n == 1 ? (first + most) / 2 :
						       most));
			});
}

TEST_F(slot_dies, of_a_wrong_size_at_the_free)
{
	size_t i;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < SIZES; i++) {
		size_t size = sizes[i];

		secmalloc_free_sized(t_get(size), size); /* the control */
		DIES(SECM_DIE_SIZE,
		     secmalloc_free_sized(t_get(size), size + 1));
		DIES(SECM_DIE_SIZE,
		     secmalloc_free_sized(t_get(size), size - 1));
		DIES(SECM_DIE_SIZE,
		     secmalloc_free_sized(t_get(size), SIZE_MAX));
		DIES(SECM_DIE_SIZE, {
			char *p = t_get(size);

			secmalloc_free_sized(p, t_slot(p));
		});
	}
	DIES(SECM_DIE_SIZE, secmalloc_free_sized(t_get(10), 0));
}

/* The pointer is judged before the size. */
TEST_F(slot_dies, of_a_wrong_pointer_rather_than_its_size)
{
	T_BEGIN_WAY(NULL);
	secmalloc_free_sized(NULL, 10);
	DIES(SECM_DIE_INTERIOR, secmalloc_free_sized(t_get(100) + 16, 84));
	DIES(SECM_DIE_DOUBLE_FREE, {
		char *p = t_get(100);

		secmalloc_free_sized(p, 100);
		secmalloc_free_sized(p, 100);
	});
	DIES(SECM_DIE_WILD, secmalloc_free_sized((void *)1, 0));
}

/* Whatever is asked with a pointer that is not one. */
TEST_F(slot_dies, of_wrong_pointers_in_other_calls)
{
	int r = 0;

	T_BEGIN_WAY(NULL);
	DIES(SECM_DIE_WILD, secfree((void *)1));
	DIES(SECM_DIE_WILD, r = secmalloc_resize((void *)1, 10));
	DIES(SECM_DIE_INTERIOR, r = secmalloc_resize(t_get(100) + 1, 10));
	DIES(SECM_DIE_INTERIOR, r = !secmalloc_split(t_get(100) + 16, 10));
	DIES(SECM_DIE_REUSE, {
		char *p = t_get(100);

		secfree(p);
		r = secmalloc_resize(p, 10);
	});
	DIES(SECM_DIE_REUSE, {
		char *p = t_get(100);

		secfree(p);
		r = !secmalloc_split(p, 10);
	});
	DIES(SECM_DIE_REUSE, {
		char *p = t_get(100);

		t_free_in_thread(p);
		r = !secmalloc_realloc_array(p, 3, 10);
	});
	EXPECT_EQ(0, r);
}
