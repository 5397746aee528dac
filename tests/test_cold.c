/* SPDX-License-Identifier: MIT */
/*
 * test_cold.c - what secmalloc_cold.h promises of freezing and opening
 */
#include "t_cold.h"

#include <stdlib.h>

TA_TIERS(cold);

enum { ODD_ERRNO = 4711, MANY = 10000, SECRET = 32 };

#define COLD_BEGIN()                                      \
	do {                                              \
		ASSERT_EQ(0, tc_init(&variant->tier, 0)); \
		errno = ODD_ERRNO;                        \
	} while (0)

static const size_t sizes[] = { 0,    1,    15,	   16,	  17,	63,
				64,   65,   1000,  4095,  4096, 4097,
				8192, 9999, 65536, 100001 };
enum { SIZES = sizeof(sizes) / sizeof(*sizes) };

TEST_F(cold, what_was_frozen_is_what_opens_and_thaws)
{
	secmalloc_cold *c[SIZES];
	unsigned char *p;
	int i;

	COLD_BEGIN();
	for (i = 0; i < SIZES; i++)
		ASSERT_NOT_NULL(c[i] = tc_freeze(sizes[i], (uint64_t)i));
	for (i = 0; i < SIZES; i++) {
		EXPECT_TRUE(tc_holds(c[i], sizes[i], (uint64_t)i));
		EXPECT_EQ(0, c[i]->opens);
		EXPECT_NULL(c[i]->open);
	}
	EXPECT_EQ(SIZES, tc_report().secrets);
	EXPECT_EQ(ODD_ERRNO, errno);
	for (i = 0; i < SIZES; i++) {
		ASSERT_NOT_NULL(p = secmalloc_cold_thaw(c[i]));
		EXPECT_EQ(sizes[i], secmalloc_usable_size(p));
		EXPECT_TRUE(t_is_filled(p, sizes[i], (uint64_t)i));
		secfree(p);
	}
	EXPECT_EQ(0, tc_report().secrets);
	EXPECT_EQ(0, secmalloc_cold_freeze(NULL, 0) == NULL);
	EXPECT_EQ(ODD_ERRNO, errno);
}

/* The first freeze does what init would. */
TEST(it_needs_no_init)
{
	struct secmalloc_object o = { .size = sizeof(o) };
	secmalloc_cold *c;

	if (ta_begin(&(struct ta_tier)TA_TIER_LOCKED))
		SKIP(return, "no locked memory here");
	EXPECT_EQ(0, tc_report().locked);
	ASSERT_NOT_NULL(c = tc_freeze(SECRET, 1));
	EXPECT_TRUE(tc_holds(c, SECRET, 1));
	EXPECT_EQ(-1, secmalloc_cold_init(NULL));
	EXPECT_EQ(EALREADY, errno);
	ASSERT_EQ(0, secmalloc_report_object(secm_cold.home.key, &o));
	EXPECT_TRUE(o.protections & SECMALLOC_LOCKED);
	EXPECT_TRUE(o.protections & SECMALLOC_NODUMP);
	EXPECT_EQ(o.protections, tc_report().protections & o.protections);
	secmalloc_cold_free(c);
}

TEST_F(cold, opens_are_counted_and_share_one_object)
{
	size_t objects;
	secmalloc_cold *c;
	const char *p;
	int i;

	COLD_BEGIN();
	ASSERT_NOT_NULL(c = tc_freeze(SECRET, 1));
	objects = ta_report().objects;
	ASSERT_NOT_NULL(p = secmalloc_cold_open(c));
	EXPECT_EQ(objects + 1, ta_report().objects);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(p, secmalloc_cold_open(c));
	EXPECT_EQ(1, tc_report().open);
	for (i = 0; i < 5; i++)
		secmalloc_cold_close(c);
	EXPECT_TRUE(secmalloc_owns(p));
	EXPECT_TRUE(t_is_filled(p, SECRET, 1));
	secmalloc_cold_close(c);
	EXPECT_FALSE(secmalloc_owns(p));
	EXPECT_EQ(0, tc_report().open);
	EXPECT_EQ(objects, ta_report().objects);
	EXPECT_EQ(ODD_ERRNO, errno);
}

TEST_F(cold, what_is_written_to_an_open_one_is_lost)
{
	secmalloc_cold *c;
	char *p;

	COLD_BEGIN();
	ASSERT_NOT_NULL(c = tc_freeze(SECRET, 1));
	ASSERT_NOT_NULL(p = (char *)(uintptr_t)secmalloc_cold_open(c));
	memset(p, 0, SECRET);
	secmalloc_cold_close(c);
	EXPECT_TRUE(tc_holds(c, SECRET, 1));
}

TEST_F(cold, replacing_gives_other_contents_and_another_nonce)
{
	unsigned char nonce[SECM_COLD_NONCE], *p = secmalloc(100001);
	secmalloc_cold *c;
	int i;

	COLD_BEGIN();
	ASSERT_NOT_NULL(p);
	t_fill(p, 100001, 2);
	ASSERT_NOT_NULL(c = tc_freeze(SECRET, 1));
	for (i = 0; i < SIZES; i++) {
		memcpy(nonce, c->nonce, sizeof(nonce));
		ASSERT_EQ(0, secmalloc_cold_replace(c, p, sizes[i]));
		EXPECT_NE(0, memcmp(nonce, c->nonce, sizeof(nonce)));
		EXPECT_TRUE(tc_holds(c, sizes[i], 2));
	}
	EXPECT_EQ(ODD_ERRNO, errno);
	EXPECT_EQ(-1, secmalloc_cold_replace(c, NULL, 1));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_NOT_NULL(secmalloc_cold_open(c));
	EXPECT_EQ(-1, secmalloc_cold_replace(c, p, 1));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_NULL(secmalloc_cold_thaw(c));
	EXPECT_EQ(EBUSY, errno);
	secmalloc_cold_close(c);
	EXPECT_TRUE(tc_holds(c, 100001, 2));
}

TEST_F(cold, arguments_that_cannot_be_are_errors)
{
	struct secmalloc_cold_report r = { .size = sizeof(r) - 1 };
	struct secmalloc_config config = { .size = 1 };

	EXPECT_EQ(-1, secmalloc_cold_init(&config));
	EXPECT_EQ(EINVAL, errno);
	COLD_BEGIN();
	EXPECT_EQ(-1, tc_init(&variant->tier, 0));
	EXPECT_EQ(EALREADY, errno);
	EXPECT_NULL(secmalloc_cold_freeze(NULL, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_cold_freeze("", SIZE_MAX));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(-1, secmalloc_cold_report(&r));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, secmalloc_cold_report(NULL));
	secmalloc_cold_free(NULL);
	EXPECT_EQ(0, tc_report().secrets);
}

/* The table of handles grows, and loses them in another order. */
TEST_F(cold, ten_thousand_take_no_more_locked_memory_than_one)
{
	secmalloc_cold **c = calloc(MANY, sizeof(*c));
	struct secmalloc_report before, after;
	struct secmalloc_cold_report r;
	size_t locked;
	int i, bad = 0;

	COLD_BEGIN();
	ASSERT_NOT_NULL(c);
	ASSERT_NOT_NULL(c[0] = tc_freeze(SECRET, 0));
	ASSERT_TRUE(tc_holds(c[0], SECRET, 0));
	locked = tc_report().locked;
	before = ta_report();
	for (i = 1; i < MANY; i++)
		ASSERT_NOT_NULL(c[i] = tc_freeze(SECRET, (uint64_t)i));
	after = ta_report();
	r = tc_report();
	TH_LOG("%zu locked, of %zu a page; %zu ordinary for %zu", r.locked,
	       ta_page(), r.ordinary, r.bytes);
	EXPECT_EQ(locked, r.locked);
	EXPECT_EQ(before.objects, after.objects);
	for (i = 0; i < SECMALLOC_TIERS; i++)
		EXPECT_EQ(before.tier[i].mapped, after.tier[i].mapped);
	EXPECT_EQ(MANY, r.secrets);
	EXPECT_EQ((size_t)MANY * SECRET, r.bytes);
	for (i = 0; i < MANY; i++)
		bad += !tc_holds(c[i], SECRET, (uint64_t)i);
	for (i = 0; i < MANY; i += 2)
		secmalloc_cold_free(c[i]);
	for (i = MANY - 1; i > 0; i -= 2) {
		bad += !tc_holds(c[i], SECRET, (uint64_t)i);
		secmalloc_cold_free(c[i]);
	}
	EXPECT_EQ(0, bad);
	EXPECT_EQ(0, tc_report().secrets);
	free(c);
}

/* One page for objects, and what a heap has for itself. */
TEST_F(cold, the_key_takes_one_page_more_than_its_heap)
{
	struct secmalloc_config config = { .need = variant->tier.need,
					   .flags = variant->tier.flags,
					   .pool_size = 1,
					   .initial_pools = 1,
					   .access = SECMALLOC_ACCESS_SCOPES };
	struct secmalloc_report r = { .size = sizeof(r) };
	secmalloc_heap *heap = secmalloc_heap_create(&config);
	size_t own = 0;
	int i;

	ASSERT_NOT_NULL(heap);
	EXPECT_EQ(0, secmalloc_heap_report(heap, &r));
	for (i = 0; i < SECMALLOC_TIERS; i++)
		own += r.tier[i].mapped;
	COLD_BEGIN();
	TH_LOG("%zu, an empty heap %zu", tc_report().locked, own);
	EXPECT_LE(tc_report().locked, own + ta_page());
}

/* Without the protection that is needed for objects no secret stack can be had
 * either, and then nothing is computed elsewhere. */
TEST(where_nothing_may_be_handed_out_nothing_is_frozen)
{
	struct secmalloc_config config = { .flags = SECMALLOC_BEST_EFFORT };

	secm_os_mask(SECM_HIDDEN | SECM_LOCKED);
	ASSERT_EQ(0, secmalloc_cold_init(&config));
	EXPECT_NULL(secmalloc_cold_freeze("abc", 3));
	EXPECT_EQ(ENOTSUP, errno);
	EXPECT_EQ(0, tc_report().secrets);
	/* Control: with objects it is. */
	ASSERT_EQ(0, secmalloc_init(&config));
	EXPECT_NOT_NULL(secmalloc_cold_freeze("abc", 3));
}

static struct secm_oom_tale {
	secmalloc_cold *cold;
	int calls;
} tale;

/* Makes room by closing a cold secret: our lock is not held. */
static int make_room(const struct secmalloc_oom *oom, void *arg)
{
	struct secm_oom_tale *t = arg;

	(void)oom;
	t->calls++;
	if (!t->cold)
		return 0;
	secmalloc_cold_close(t->cold);
	t->cold = NULL;
	return 1;
}

TEST(handlers_for_lack_of_memory_may_close_others)
{
	struct secmalloc_config config = { .flags = SECMALLOC_BEST_EFFORT,
					   .max_bytes = 512 << 10,
					   .retain = 1 };
	enum { LARGE = 300 << 10 };
	secmalloc_cold *a, *b;

	ASSERT_EQ(0, secmalloc_init(&config));
	config.max_bytes = 0;
	ASSERT_EQ(0, secmalloc_cold_init(&config));
	ASSERT_NOT_NULL(a = tc_freeze(LARGE, 1));
	ASSERT_NOT_NULL(b = tc_freeze(LARGE, 2));
	ASSERT_NOT_NULL(secmalloc_cold_open(a));
	EXPECT_NULL(secmalloc_cold_open(b));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_NULL(secmalloc_cold_thaw(b));
	EXPECT_EQ(ENOMEM, errno);
	secmalloc_set_oom_handler(make_room, &tale);
	tale.cold = a;
	EXPECT_TRUE(tc_holds(b, LARGE, 2));
	EXPECT_EQ(1, tale.calls);
	EXPECT_TRUE(tc_holds(a, LARGE, 1));
}
