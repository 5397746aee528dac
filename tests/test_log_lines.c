/* SPDX-License-Identifier: MIT */
/*
 * test_log_lines.c - what the core logs, and that it is true
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdio.h>
#include <stdlib.h>

#include "ksft.h"
#include "retain.h"
#include "t_heap.h"
#include "t_util.h"
#include "tell.h"

enum { KIB = 1024, MOST = 2000 };

static struct secm_heap *const heap = &secm_default_heap;

static struct {
	int level;
	char line[SECM_LOG_LINE + 20];
} told[MOST];
static int tolds;

static void note(int level, const char *line, void *arg)
{
	(void)arg;
	if (tolds == MOST)
		return;
	told[tolds].level = level;
	snprintf(told[tolds].line, sizeof(told[0].line), "%s", line);
	tolds++;
}

/* What has not been handed out. */
static void flush(void)
{
	secm_lock(&secm_heap_lock);
	secm_log_unlock(heap);
}

/* How many lines of that level have that in them. */
static int count(int level, const char *what)
{
	int i, n = 0;

	for (i = 0; i < tolds; i++)
		if (told[i].level == level && strstr(told[i].line, what))
			n++;
	return n;
}

static void show(void)
{
	int i;

	for (i = 0; i < tolds; i++)
		TH_LOG("%d %s", told[i].level, told[i].line);
}

static struct secmalloc_config at(unsigned level)
{
	struct secmalloc_config c = { .log_level = level, .log = note };

	return c;
}

/* As the tier's memory is called. */
static const char *name_of(const struct t_tier *tier)
{
	if (!tier->hide)
		return "memfd_secret";
	return tier->hide & SECM_LOCKED ? "partial" : "locked";
}

/* Sum of "address[bytes] word, tier". */
static size_t bytes(const char *word, const char *tier)
{
	size_t sum = 0;
	char rest[40];
	void *p;
	size_t n;
	int i;

	snprintf(rest, sizeof(rest), "] %s, %s", word, tier);
	for (i = 0; i < tolds; i++)
		if (told[i].level == SECMALLOC_LOG_DEBUG &&
		    strstr(told[i].line, rest) &&
		    sscanf(told[i].line, "%p[%zu]", &p, &n) == 2)
			sum += n;
	return sum;
}

T_TIERS(lines);
T_TIER_LOCKED(lines);
T_TIER_PLAIN(lines);

TEST_F(lines, mappings_add_up_to_what_is_mapped)
{
	struct secmalloc_config c = at(SECMALLOC_LOG_DEBUG);
	const char *tier = name_of(&variant->tier);
	size_t had, gone = 0;
	void *p[40];
	int i, round;

	c.retain = 1;
	T_BEGIN(&c);
	flush();
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 40; i++) {
			p[i] = secmalloc((size_t)i * 900);
			T_NEED(p[i]);
			flush();
		}
		for (i = 0; i < 40; i++) {
			secfree(p[i]);
			flush();
		}
		had = bytes("mapped", tier);
		gone = bytes("unmapped", tier);
		EXPECT_EQ(secm_heap_mapped(heap), had - gone) { show(); }
	}
	EXPECT_GT(gone, 0);
	ASSERT_LT(tolds, MOST);
	EXPECT_EQ(0, count(SECMALLOC_LOG_ERROR, " lost"));
}

TEST_F(lines, below_debug_mappings_are_not_told)
{
	struct secmalloc_config c = at(SECMALLOC_LOG_INFO);

	T_BEGIN(&c);
	secfree(secmalloc(50000));
	flush();
	EXPECT_EQ(0, count(SECMALLOC_LOG_DEBUG, ""));
}

TEST_F(lines, nothing_of_an_object_is_told)
{
	struct secmalloc_config c = at(SECMALLOC_LOG_DEBUG);
	static const char secret[] = "s3cr3t";
	char *p;
	int i;

	c.retain = 1;
	T_BEGIN(&c);
	for (i = 0; i < 30; i++) {
		p = secmalloc(10000);
		T_NEED(p);
		memcpy(p, secret, sizeof(secret));
		memcpy(p + 9990, secret, sizeof(secret));
		p = secrealloc(p, 30000);
		T_NEED(p);
		flush();
		secfree(p);
		flush();
	}
	EXPECT_GT(tolds, 0);
	for (i = SECMALLOC_LOG_ERROR; i <= SECMALLOC_LOG_DEBUG; i++)
		EXPECT_EQ(0, count(i, secret));
}

TEST_F(lines, what_trimming_gives_back_is_told)
{
	struct secmalloc_config c = at(SECMALLOC_LOG_INFO);
	size_t before, gone = 0;
	char line[80];
	void *p;

	T_BEGIN(&c);
	p = secmalloc(400 * KIB);
	T_NEED(p);
	secfree(p);
	flush();
	tolds = 0;
	before = secm_heap_mapped(heap);
	secm_lock(&secm_heap_lock);
	(void)!secm_retain_trim(heap); /* what it returns is not mapped bytes */
	gone = before - secm_heap_mapped(heap);
	secm_log_unlock(heap);
	ASSERT_GE(gone, 400 * KIB);
	snprintf(line, sizeof(line),
		 "%zu bytes that waited for reuse were given back", gone);
	ASSERT_EQ(1, tolds) { show(); }
	EXPECT_STREQ(line, told[0].line);
	EXPECT_EQ(SECMALLOC_LOG_INFO, told[0].level);
	/* Nothing more to give, nothing to tell. */
	secm_lock(&secm_heap_lock);
	(void)!secm_retain_trim(heap);
	secm_log_unlock(heap);
	EXPECT_EQ(1, tolds) { show(); }
}

T_TIERS(limit);
T_TIER_LOCKED(limit);

TEST_F(limit, raising_it_is_told)
{
	struct secmalloc_config c = at(SECMALLOC_LOG_INFO);

	if (!t_lock_limits(64 * KIB, 1024 * KIB))
		SKIP(return, "lock limit does not bind here");
	T_BEGIN(&c);
	T_NEED(secmalloc(500 * KIB));
	flush();
	EXPECT_EQ(1, count(SECMALLOC_LOG_INFO,
			   "lock limit raised to 1048576 bytes")) { show(); }
}

TEST_F(limit, less_protection_is_told_once)
{
	struct secmalloc_config c = at(SECMALLOC_LOG_WARNING);
	int i;

	if (!t_lock_limits(64 * KIB, 64 * KIB))
		SKIP(return, "lock limit does not bind here");
	c.flags = SECMALLOC_BEST_EFFORT;
	secm_os_mask(variant->tier.hide);
	ASSERT_EQ(0, secmalloc_init(&c));
	for (i = 0; i < 100; i++) {
		ASSERT_NOT_NULL(secmalloc(5000));
		flush();
	}
	EXPECT_GT(heap->mapped[SECMALLOC_TIER_PARTIAL], 0);
	EXPECT_EQ(1, count(SECMALLOC_LOG_WARNING,
			   "only partial memory: RLIMIT_MEMLOCK is used up")) {
		show();
	}
	EXPECT_EQ(1, tolds);
}

/* What the heap does where an allocation fails, without the heap. */
static void refuse(size_t size, enum secmalloc_reason reason, int error)
{
	secm_lock(&secm_heap_lock);
	secm_policy_blame(&heap->policy, reason, error);
	secm_tell_refused(heap, size);
	secm_log_unlock(heap);
}

TEST(a_refusal_is_told_when_its_reason_is_another)
{
	struct secmalloc_config c = at(SECMALLOC_LOG_ERROR);

	c.flags = SECMALLOC_BEST_EFFORT;
	ASSERT_EQ(0, secmalloc_init(&c));
	tolds = 0;
	refuse(100, SECMALLOC_REASON_LOCK_LIMIT, EAGAIN);
	refuse(200, SECMALLOC_REASON_LOCK_LIMIT, EAGAIN);
	refuse(300, SECMALLOC_REASON_MAX_BYTES, 0);
	refuse(400, SECMALLOC_REASON_MAX_BYTES, 0);
	refuse(500, SECMALLOC_REASON_LOCK_LIMIT, EAGAIN);
	ASSERT_EQ(3, tolds) { show(); }
	EXPECT_NOT_NULL(strstr(told[0].line, "100 bytes refused: "
					     "RLIMIT_MEMLOCK is used up "
					     "(errno "));
	EXPECT_STREQ("300 bytes refused: max_bytes of the configuration",
		     told[1].line);
	EXPECT_NOT_NULL(strstr(told[2].line, "500 bytes refused: "));
	EXPECT_EQ(3, count(SECMALLOC_LOG_ERROR, "refused"));
}

static void started(int r)
{
	tolds = 0;
	secm_lock(&secm_heap_lock);
	secm_tell_start(heap, r);
	secm_log_unlock(heap);
}

TEST(a_start_is_told)
{
	struct secmalloc_config c = at(SECMALLOC_LOG_INFO);
	char line[SECM_LOG_LINE];

	c.flags = SECMALLOC_BEST_EFFORT;
	secm_os_mask(SECM_HIDDEN | SECM_LOCKED);
	ASSERT_EQ(0, secmalloc_init(&c));
	flush();
	started(0);
	snprintf(line, sizeof(line),
		 "started: %s backend, tiers partial to partial",
		 secm_os.name);
	ASSERT_GE(tolds, 1);
	EXPECT_STREQ(line, told[0].line);
	EXPECT_EQ(1, count(SECMALLOC_LOG_INFO, "no better tier: ")) {
		show();
	}
	heap->orphan = 1;
	started(0);
	EXPECT_EQ(1, count(SECMALLOC_LOG_INFO, "started in a child: "));
	heap->orphan = 0;
	secm_policy_blame(&heap->policy, SECMALLOC_REASON_LOCK_LIMIT, EAGAIN);
	started(-ENOMEM);
	EXPECT_EQ(1, count(SECMALLOC_LOG_ERROR, "not started: RLIMIT_MEMLOCK"));
	started(-ENOMEM);
	EXPECT_EQ(0, tolds);
	started(-EINVAL);
	EXPECT_EQ(1, count(SECMALLOC_LOG_ERROR,
			   "not started: the configuration is not valid"));
}
