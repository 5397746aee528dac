/* SPDX-License-Identifier: MIT */
/*
 * test_seal.c - the allocator's own records cannot be taken away
 *
 * The attacker makes the process call munmap(2) and its like on descriptors,
 * the index, a thread's cache and the guards around them.  The control is the
 * same allocator where the call that seals is refused.
 */
#include "t_seal.h"

#include <signal.h>
#include <string.h>

#include "cache.h"
#include "heap.h"
#include "index.h"
#include "ksft.h"
#include "meta.h"
#include "secmalloc.h"
#include "t_util.h"

#ifdef __linux__
#include "t_filter.h"

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

static int refuse_seals(unsigned action)
{
	return t_put_filter(SYS_mseal, action);
}

static int refuse_barriers(unsigned action)
{
	return t_put_filter(SYS_membarrier, action);
}
#else
static int refuse_barriers(unsigned action)
{
	(void)action; /* nothing to put it into */
	return -1;
}

static int refuse_seals(unsigned action)
{
	(void)action; /* nothing to put it into */
	return -1;
}
#define T_ERROR(e) (e)
#define T_KILL 0
#endif

enum { OBJECTS = 200 };

static void begin(void)
{
	static const struct secmalloc_config config = {
		.flags = SECMALLOC_BEST_EFFORT
	};

	ASSERT_EQ(0, secmalloc_init(&config));
}

static struct secmalloc_report report(void)
{
	struct secmalloc_report r = { .size = sizeof(r) };

	ASSERT_EQ(0, secmalloc_report(&r));
	return r;
}

/* 0 and whatever was used is freed again; the end if something is gone. */
static size_t use(void)
{
	void *p[OBJECTS];
	size_t i;

	for (i = 0; i < OBJECTS; i++) {
		p[i] = i % 20 ? secmalloc(i * i) : secmalloc_guarded(i);
		ASSERT_NOT_NULL(p[i]);
	}
	for (i = 0; i < OBJECTS; i++)
		secfree(p[i]);
	return secmalloc_verify();
}

static char *page_of(const void *p)
{
	return (char *)((uintptr_t)p & ~(uintptr_t)(secm_os.page - 1));
}

/* 1 if the backend can seal what it empties in children, too. */
static int seals_all(void)
{
	return strcmp(report().backend, "linux") == 0;
}

static void expect_sealed(void)
{
	struct secmalloc_report r = report();

	EXPECT_LT(0, r.sealed);
	if (seals_all())
		EXPECT_EQ(r.metadata, r.sealed);
}

/* Pages of records. */
enum { SPAN, INDEX, FREE, CACHE, GUARD, RECORDS };

static char *record(int i)
{
	char *cache = (char *)secm_default_heap.threads->cache;

	switch (i) {
	case SPAN:
		return page_of(secm_default_heap.all);
	case INDEX:
		return page_of(secm_regions[0].span);
	case FREE:
		return page_of(secm_meta_alloc(16));
	case CACHE:
		return page_of(cache);
	default:
		return page_of(cache - secm_os.page);
	}
}

/* Begun, used, and sealed; else why not. */
static const char *why_not(void)
{
	struct secmalloc_report r;

	begin();
	if (use() != 0)
		return "it does not work at all";
	r = report();
	EXPECT_LT(0, r.metadata);
	return r.sealed ? NULL : "nothing can be sealed here";
}

#define BEGIN_SEALED()                            \
	do {                                      \
		const char *why_;                 \
                                                  \
		KSFT_SANITIZER_SKIP("debugger");  \
		why_ = why_not();                 \
		if (why_)                         \
			SKIP(return, "%s", why_); \
	} while (0)

TEST(records_cannot_be_taken_away)
{
	int i;

	BEGIN_SEALED();
	if (!secm_default_heap.threads)
		SKIP(return, "this build has no caches");
	for (i = 0; i < (seals_all() ? RECORDS : CACHE); i++) {
		EXPECT_EQ(0, t_ways_to(record(i))) { TH_LOG("record %d", i); }
	}
	expect_sealed();
	EXPECT_EQ(0, use());
}

/* The control. */
TEST(unsealed_ones_can_and_that_is_the_end)
{
	KSFT_SANITIZER_SKIP("debugger");
	if (refuse_seals(T_ERROR(EPERM)) != 0)
		SKIP(return, "no filters here");
	begin();
	if (!secm_default_heap.threads && use() == 0 &&
	    !secm_default_heap.threads)
		SKIP(return, "this build has no caches");
	EXPECT_EQ(0, use());
	EXPECT_EQ(0, report().sealed);
	T_FAULTS({
		EXPECT_EQ(T_ALL_WAYS, t_ways_to(record(SPAN)));
		(void)use();
	});
	T_FAULTS({
		EXPECT_EQ(T_ALL_WAYS, t_ways_to(record(CACHE)));
		(void)use();
	});
}

TEST(children_cannot_either)
{
	BEGIN_SEALED();
	T_IN_CHILD({
		EXPECT_EQ(0, use());
		EXPECT_EQ(0, t_ways_to(page_of(secm_meta_alloc(16))));
		EXPECT_EQ(0, t_ways_to(page_of(secm_regions[0].span)));
		expect_sealed();
	});
	EXPECT_EQ(0, use());
}

TEST(starting_again_and_again_takes_no_more)
{
	size_t before;
	int i;

	BEGIN_SEALED();
	secmalloc_shutdown();
	begin();
	EXPECT_EQ(0, use());
	before = report().metadata;
	for (i = 0; i < 20; i++) {
		secmalloc_shutdown();
		begin();
		EXPECT_EQ(0, use());
	}
	EXPECT_LE(report().metadata - before, (size_t)1 << 18);
	expect_sealed();
}

TEST(a_filter_that_kills_does_not)
{
	if (refuse_seals(T_KILL) != 0)
		SKIP(return, "no filters here");
	begin();
	EXPECT_EQ(0, use());
	EXPECT_EQ(0, report().sealed);
}

/* Asked about together with another call, which is refused, or kills. */
static void besides(unsigned action)
{
	if (refuse_barriers(action) != 0)
		SKIP(return, "no filters here");
	BEGIN_SEALED();
	expect_sealed();
}

TEST(a_filter_on_something_else_does_not_matter)
{
	besides(T_ERROR(EPERM));
}

TEST(nor_one_that_kills_for_something_else)
{
	besides(T_KILL);
}

/* 1 if more records were made. */
static int grow(void)
{
	size_t before = report().metadata;
	int i;

	for (i = 0; i < 1 << 20 && report().metadata == before; i++)
		ASSERT_NOT_NULL(secm_meta_alloc(1 << 12));
	return report().metadata > before;
}

TEST(nor_does_one_that_comes_later)
{
	struct secmalloc_report r;

	BEGIN_SEALED();
	ASSERT_TRUE(grow());
	r = report();
	if (refuse_seals(T_KILL) != 0)
		SKIP(return, "no filters here");
	ASSERT_TRUE(grow());
	EXPECT_EQ(r.sealed, report().sealed);
	EXPECT_LT(r.metadata, report().metadata);
	EXPECT_EQ(0, use());
}

TEST(the_fact_agrees)
{
	struct secmalloc_fact f = { .size = sizeof(f) };
	unsigned n;

	for (n = 0; secmalloc_fact(n, &f) == 0; n++)
		if (strcmp(f.name, "mseal") == 0)
			break;
	EXPECT_STREQ("mseal", f.name);
	BEGIN_SEALED();
	EXPECT_EQ(SECMALLOC_FACT_GOOD, f.status);
}
