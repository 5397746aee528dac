/* SPDX-License-Identifier: MIT */
/*
 * test_oom.c - oom.c: who is asked before an allocation fails
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <pthread.h>
#include <string.h>

#include "ksft.h"
#include "t_heap.h"
#include "t_way.h"

T_WAYS(oom);

enum { SIZE = 3000, MOST = 200, TOO_MUCH = 400000 };

static const struct secmalloc_config little = { .max_bytes = 256 << 10 };

/* All that there is room for. */
static void *object[MOST];
static int objects;

static void fill_up(void)
{
	while (objects < MOST &&
	       secmalloc_try(&object[objects], SIZE, 1) == 0)
		objects++;
	ASSERT_LT(10, objects);
	ASSERT_LT(objects, MOST);
}

static void clear(void)
{
	while (objects > 0)
		secfree(object[--objects]);
	EXPECT_EQ(0, t_objects());
	T_SOUND(&secm_default_heap);
}

/* What a handler was told, and what it is to answer. */
struct tale {
	int calls, yes; /* how often it says so */
	int frees;	/* objects, each time */
	struct secmalloc_oom told;
	int order; /* when it was called last */
	pthread_t thread;
};

static int calls_of_all;

static int handler(const struct secmalloc_oom *oom, void *arg)
{
	struct tale *tale = arg;
	int i;

	tale->calls++;
	tale->told = *oom;
	tale->thread = pthread_self();
	tale->order = ++calls_of_all;
	for (i = 0; i < tale->frees && objects > 0; i++)
		secfree(object[--objects]);
	errno = 5; /* nobody may notice */
	return tale->yes-- > 0;
}

TEST_F(oom, a_handler_is_told_what_is_wrong)
{
	struct tale t = { .yes = 0 };

	T_BEGIN_WAY(&little);
	secmalloc_set_oom_handler(handler, &t);
	errno = 0;
	EXPECT_NULL(secmalloc(TOO_MUCH));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(1, t.calls);
	EXPECT_EQ(TOO_MUCH, t.told.size);
	EXPECT_EQ(ENOMEM, t.told.error);
	EXPECT_EQ(SECMALLOC_REASON_MAX_BYTES, t.told.reason);
	EXPECT_TRUE(pthread_equal(pthread_self(), t.thread));
	EXPECT_EQ(1, self->heap->refused);
	secfree(secmalloc(SIZE)); /* the control: not asked */
	EXPECT_EQ(1, t.calls);
	secmalloc_set_oom_handler(NULL, NULL);
	EXPECT_NULL(secmalloc(TOO_MUCH));
	EXPECT_EQ(1, t.calls);
}

TEST_F(oom, a_handler_that_frees_makes_the_allocation_succeed)
{
	struct tale t = { .yes = 1000, .frees = 3 };
	void *p;

	T_BEGIN_WAY(&little);
	T_ROOM(1 << 20);
	fill_up();
	secmalloc_set_oom_handler(handler, &t);
	errno = 77;
	p = secmalloc(SIZE);
	ASSERT_NOT_NULL(p);
	EXPECT_EQ(77, errno);
	EXPECT_EQ(1, t.calls);
	EXPECT_TRUE(t_holds(p, SIZE, 0));
	secfree(p);
	/* And as often as it takes. */
	p = secmalloc(100000);
	ASSERT_NOT_NULL(p);
	EXPECT_EQ(77, errno);
	EXPECT_LT(5, t.calls);
	secfree(p);
	clear();
}

TEST_F(oom, it_is_called_again_until_it_gives_up)
{
	struct tale t = { .yes = 7 };

	T_BEGIN_WAY(&little);
	secmalloc_set_oom_handler(handler, &t);
	errno = 0;
	EXPECT_NULL(secmalloc_guarded(TOO_MUCH));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(8, t.calls);
	EXPECT_EQ(8, self->heap->refused);
}

TEST_F(oom, the_threads_comes_before_the_process_s)
{
	struct tale mine = { .yes = 2 }, all = { .yes = 1 };

	T_BEGIN_WAY(&little);
	secmalloc_set_oom_handler(handler, &all);
	errno = 77;
	ASSERT_EQ(0, secmalloc_set_thread_oom_handler(handler, &mine));
	EXPECT_EQ(77, errno);
	EXPECT_NULL(secmalloc(TOO_MUCH));
	/* 1 and 2: yes; 3 no, 4 yes; 5 no, 6 no */
	EXPECT_EQ(4, mine.calls);
	EXPECT_EQ(2, all.calls);
	EXPECT_EQ(5, mine.order);
	EXPECT_EQ(6, all.order);
	ASSERT_EQ(0, secmalloc_set_thread_oom_handler(NULL, NULL));
	EXPECT_NULL(secmalloc(TOO_MUCH));
	EXPECT_EQ(4, mine.calls);
	EXPECT_EQ(3, all.calls);
	secmalloc_set_oom_handler(NULL, NULL);
	ASSERT_EQ(0, secmalloc_set_thread_oom_handler(handler, &mine));
	EXPECT_NULL(secmalloc(TOO_MUCH));
	EXPECT_EQ(5, mine.calls);
	EXPECT_EQ(3, all.calls);
}

#define ASKS(n, call)                       \
	do {                                \
		int before_ = t.calls;      \
                                            \
		EXPECT_FALSE(call);         \
		EXPECT_EQ(n, t.calls - before_); \
	} while (0)

TEST_F(oom, every_call_asks_but_those_that_say_not)
{
	static char s[TOO_MUCH + 1];
	struct tale t = { .yes = 0 };
	void *p = NULL;
	char *kept;

	T_BEGIN_WAY(&little);
	memset(s, 'x', TOO_MUCH);
	kept = secmalloc(100);
	ASSERT_NOT_NULL(kept);
	t_fill(kept, 100, 1);
	secmalloc_set_oom_handler(handler, &t);
	ASKS(1, secmalloc(TOO_MUCH));
	ASKS(1, seccalloc(TOO_MUCH / 10, 10));
	EXPECT_EQ(TOO_MUCH, t.told.size);
	ASKS(1, secmalloc_array(10, TOO_MUCH / 10));
	ASKS(1, secmalloc_guarded(TOO_MUCH));
	ASKS(1, secmalloc_aligned(1, TOO_MUCH));
	ASKS(1, secmalloc_aligned(4096, TOO_MUCH));
	EXPECT_EQ(TOO_MUCH, t.told.size);
	ASKS(1, secmalloc_strdup(s));
	ASKS(1, secmalloc_strndup(s, TOO_MUCH - 1));
	EXPECT_EQ(TOO_MUCH, t.told.size);
	ASKS(1, secrealloc(NULL, TOO_MUCH));
	ASKS(1, secrealloc(kept, TOO_MUCH));
	ASKS(1, secmalloc_realloc_array(kept, 10, TOO_MUCH / 10));
	EXPECT_EQ(TOO_MUCH, t.told.size);
	ASKS(1, secmalloc(SIZE_MAX));
	ASKS(0, secmalloc_try(&p, TOO_MUCH, 1) == 0);
	ASKS(0, secmalloc_try(&p, TOO_MUCH, 4096) == 0);
	ASKS(0, secmalloc_resize(kept, TOO_MUCH) == 0);
	ASKS(0, secmalloc_sbrk(TOO_MUCH) != (void *)-1);
	ASKS(0, seccalloc(SIZE_MAX, 2));
	ASKS(0, secmalloc_aligned(0, TOO_MUCH));
	EXPECT_TRUE(t_is_filled(kept, 100, 1));
	secmalloc_free_sized(kept, 100);
	EXPECT_NULL(p);
	clear();
}

/* Inside a handler allocations fail as if there were none. */
static int deep;

static int try_inside(const struct secmalloc_oom *oom, void *arg)
{
	struct tale *t = arg;
	char *p = secmalloc(10);

	deep++;
	t->calls++;
	EXPECT_EQ(1, deep);
	EXPECT_NULL(secmalloc(oom->size));
	EXPECT_NULL(secmalloc_aligned(64, oom->size));
	EXPECT_NULL(secrealloc(p, oom->size));
	secfree(p);
	deep--;
	return t->calls < 3;
}

TEST_F(oom, inside_one_no_other_is_asked)
{
	struct tale t = { .calls = 0 }, all = { .calls = 0 };

	T_BEGIN_WAY(&little);
	ASSERT_EQ(0, secmalloc_set_thread_oom_handler(try_inside, &t));
	secmalloc_set_oom_handler(handler, &all);
	EXPECT_NULL(secmalloc(TOO_MUCH));
	EXPECT_EQ(3, t.calls);
	EXPECT_EQ(1, all.calls);
	clear();
}

/* Handlers may set handlers, look at everything, and give all back. */
static int change_all(const struct secmalloc_oom *oom, void *arg)
{
	struct secmalloc_stats stats = { .size = sizeof(stats) };

	EXPECT_LT(0, oom->size);
	EXPECT_EQ(0, secmalloc_stats(&stats));
	EXPECT_EQ(stats.objects, secmalloc_verify());
	(void)secmalloc_trim();
	secmalloc_set_oom_handler(handler, arg);
	EXPECT_EQ(0, secmalloc_set_thread_oom_handler(NULL, NULL));
	return 1;
}

TEST_F(oom, one_may_put_another_in_its_place)
{
	struct tale t = { .calls = 0 };

	T_BEGIN_WAY(&little);
	ASSERT_EQ(0, secmalloc_set_thread_oom_handler(change_all, &t));
	EXPECT_NULL(secmalloc(TOO_MUCH));
	EXPECT_EQ(1, t.calls);
	EXPECT_NULL(secmalloc(TOO_MUCH));
	EXPECT_EQ(2, t.calls);
}

static int leave(const struct secmalloc_oom *oom, void *arg)
{
	(void)oom;
	_exit(*(int *)arg);
}

TEST_F(oom, one_may_end_the_process)
{
	int status = 33;

	T_BEGIN_WAY(&little);
	if (t_fork()) {
		secmalloc_set_oom_handler(leave, &status);
		(void)!secmalloc(TOO_MUCH);
		_exit(0);
	}
	EXPECT_EQ(33 << 8, t_last_child);
}

/* Threads. */
static void ask_in_thread(void *arg)
{
	(void)arg;
	EXPECT_NULL(secmalloc(TOO_MUCH));
}

static void ask_with_own(void *own)
{
	ASSERT_EQ(0, secmalloc_set_thread_oom_handler(handler, own));
	EXPECT_NULL(secmalloc(TOO_MUCH));
}

TEST_F(oom, that_of_a_thread_is_its_own_and_goes_with_it)
{
	struct tale mine = { .yes = 0 }, own = { .yes = 0 };
	int i;

	T_BEGIN_WAY(&little);
	ASSERT_EQ(0, secmalloc_set_thread_oom_handler(handler, &mine));
	t_in_thread(ask_in_thread, NULL);
	EXPECT_EQ(0, mine.calls);
	for (i = 1; i < 5; i++) {
		t_in_thread(ask_with_own, &own);
		EXPECT_EQ(i, own.calls);
		t_in_thread(ask_in_thread, NULL); /* in the same place */
		EXPECT_EQ(i, own.calls);
	}
	EXPECT_EQ(0, mine.calls);
	EXPECT_NULL(secmalloc(TOO_MUCH));
	EXPECT_EQ(1, mine.calls);
}

TEST_F(oom, that_of_the_process_is_everybodys)
{
	struct tale all = { .yes = 0 };

	T_BEGIN_WAY(&little);
	secmalloc_set_oom_handler(handler, &all);
	t_in_thread(ask_in_thread, NULL);
	EXPECT_EQ(1, all.calls);
	EXPECT_FALSE(pthread_equal(pthread_self(), all.thread));
}

/* First calls of all, at the same instant: none is told there is no room. */
static void ask_at_once(void *tales, unsigned i)
{
	ask_with_own((struct tale *)tales + i);
}

TEST_F(oom, many_may_set_theirs_at_once)
{
	static struct tale t[16];
	int i, round;

	T_BEGIN_WAY(&little);
	for (round = 1; round <= 20; round++) {
		t_at_once(16, ask_at_once, t);
		for (i = 0; i < 16; i++)
			EXPECT_EQ(round, t[i].calls);
	}
}

TEST_F(oom, a_child_has_both)
{
	struct tale mine = { .yes = 0 }, all = { .yes = 0 };

	T_BEGIN_WAY(&little);
	secmalloc_set_oom_handler(handler, &all);
	ASSERT_EQ(0, secmalloc_set_thread_oom_handler(handler, &mine));
	T_IN_CHILD({
		EXPECT_NULL(secmalloc(TOO_MUCH));
		EXPECT_EQ(1, mine.calls);
		EXPECT_EQ(1, all.calls);
		t_in_thread(ask_in_thread, NULL);
		EXPECT_EQ(1, mine.calls);
		EXPECT_EQ(2, all.calls);
	});
}

TEST_F(oom, nobody_is_asked_after_a_shutdown)
{
	struct tale all = { .yes = 100 };

	T_BEGIN_WAY(&little);
	secmalloc_set_oom_handler(handler, &all);
	secmalloc_shutdown();
	EXPECT_NULL(secmalloc(TOO_MUCH));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, secmalloc_set_thread_oom_handler(handler, &all));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(0, all.calls);
}
