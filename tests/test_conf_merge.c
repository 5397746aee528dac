/* SPDX-License-Identifier: MIT */
/*
 * test_conf_merge.c - conf.c: what it makes of a configuration is never weaker
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <limits.h>
#include <stdio.h>

#include "conf.h"
#include "ksft.h"
#include "t_heap.h"
#include "t_util.h"

enum { DEFAULT = SECM_LOCKED | SECM_NODUMP, KIB = 1024 };

/* With its defaults, as secm_policy_set() fills them in. */
static struct secmalloc_config filled(struct secmalloc_config c)
{
	static struct secm_policy policy;

	if (!secm_os.page)
		secm_os_init(&secm_os);
	secm_os.props = SECM_PROPS;
	secm_os.madvise_lies = 0;
	c.flags |= SECMALLOC_IGNORE_ENVIRONMENT;
	memset(&policy, 0, sizeof(policy));
	ASSERT_NE(-EINVAL, secm_policy_set(&policy, &c));
	return policy.config;
}

/* And with what a text adds. */
static struct secmalloc_config merged(struct secmalloc_config c,
				      const char *text)
{
	struct secm_conf conf;

	secm_conf_parse(text, &conf);
	EXPECT_EQ(0, conf.mistakes) { TH_LOG("%s", text); }
	secm_conf_merge(&conf, &c);
	return c;
}

#define WITH(text, ...) \
	merged(filled((struct secmalloc_config){ __VA_ARGS__ }), text)

TEST(need_is_added_to_what_the_program_needs)
{
	enum { BEST = SECMALLOC_BEST_EFFORT };

	EXPECT_EQ(DEFAULT, WITH("strict", 0).need);
	EXPECT_EQ(DEFAULT | SECM_HIDDEN, WITH("need=hidden", 0).need);
	EXPECT_EQ(DEFAULT, WITH("need=locked", 0).need);
	EXPECT_EQ(SECM_LOCKED | SECM_NODUMP,
		  WITH("need=nodump", .need = SECM_LOCKED).need);
	EXPECT_EQ(SECM_NODUMP, WITH("need=nodump", .flags = BEST).need);
	EXPECT_EQ(0, WITH("log=info", .flags = BEST).need);
	EXPECT_EQ(DEFAULT, WITH("strict", .flags = BEST).need);
	EXPECT_EQ(DEFAULT | SECM_FORK_GONE,
		  WITH("strict,need=fork_gone", .flags = BEST).need);
	EXPECT_EQ(SECM_NODUMP,
		  WITH("strict", .flags = BEST, .need = SECM_NODUMP).need);
	EXPECT_EQ(0, WITH("strict", .flags = BEST).flags & BEST);
	EXPECT_EQ(BEST, WITH("need=locked", .flags = BEST).flags & BEST);
}

TEST(the_smaller_or_the_larger_of_both)
{
	EXPECT_EQ(50, WITH("sample=50", 0).sample);
	EXPECT_EQ(50, WITH("sample=50", .sample = 60).sample);
	EXPECT_EQ(4, WITH("sample=50", .sample = 4).sample);
	EXPECT_EQ(0, WITH("log=info", 0).sample);
	EXPECT_EQ(17, WITH("quarantine=17", 0).quarantine);
	EXPECT_EQ(8, WITH("quarantine=7", 0).quarantine);
	EXPECT_EQ(15, WITH("quarantine=15", .quarantine = 3).quarantine);
	EXPECT_EQ(99, WITH("quarantine=15", .quarantine = 99).quarantine);
	EXPECT_EQ(1024 * KIB, WITH("retain=2m", 0).retain);
	EXPECT_EQ(512 * KIB, WITH("retain=512k", 0).retain);
	EXPECT_EQ(100, WITH("retain=512k", .retain = 100).retain);
	EXPECT_EQ(1, WITH("retain=0", 0).retain); /* 0 were the default */
	EXPECT_EQ(1024 * KIB, WITH("cache=1m", 0).cache);
	EXPECT_EQ(32 * KIB, WITH("cache=512", 0).cache);
	EXPECT_EQ(512, WITH("cache=512", .cache = 100).cache);
	EXPECT_EQ(32 * KIB, WITH("cache=0", 0).cache);
	EXPECT_EQ(SECMALLOC_LOG_INFO, WITH("log=info", 0).log_level);
	EXPECT_EQ(SECMALLOC_LOG_DEBUG,
		  WITH("log=info", .log_level = SECMALLOC_LOG_DEBUG).log_level);
	EXPECT_EQ(SECMALLOC_LOG_ERROR,
		  WITH("log=none", .log_level = SECMALLOC_LOG_ERROR).log_level);
}

TEST(flags_are_added)
{
	enum {
		NONE = SECMALLOC_NO_CACHES,
		MOVE = SECMALLOC_ALWAYS_MOVE,
		KEEP = SECMALLOC_KEEP_LIMIT
	};

	EXPECT_EQ(MOVE, WITH("always_move", 0).flags & MOVE);
	EXPECT_EQ(NONE | MOVE | KEEP,
		  WITH("always_move", .flags = KEEP | NONE).flags &
			  (KEEP | NONE | MOVE));
	EXPECT_EQ(0, WITH("strict", 0).flags & (KEEP | NONE | MOVE));
}

static int is_taken(const char *text)
{
	struct secm_conf conf;

	secm_conf_parse(text, &conf);
	return conf.mistakes == 0 && conf.given != 0;
}

/* No hidden memory has it. */
TEST(hidden_memory_is_not_taken_away)
{
	EXPECT_FALSE(is_taken("need=fork_zero"));
	EXPECT_EQ(DEFAULT | SECM_FORK_ZERO,
		  WITH("need=locked", .need = DEFAULT | SECM_FORK_ZERO).need);
}

/* Without caches there is no quarantine, and small ones have a short one. */
TEST(a_quarantine_stays)
{
	enum { NONE = SECMALLOC_NO_CACHES };

	EXPECT_FALSE(is_taken("no_caches"));
	EXPECT_EQ(NONE, WITH("quarantine=17", .flags = NONE).flags & NONE);
	EXPECT_FALSE(is_taken("sample=15"));
	EXPECT_EQ(16, WITH("sample=16", 0).sample);
	EXPECT_EQ(99, WITH("cache=0", .cache = 99).cache);
}

static unsigned below(unsigned n)
{
	return (unsigned)(ksft_random() % n);
}

static size_t size(void)
{
	static const size_t some[] = { 0,     1,    100,     4096,    16384,
				       32768, 65536, 1 << 20, 1 << 22 };

	return some[below(sizeof(some) / sizeof(some[0]))];
}

/* Any that secm_policy_set() takes. */
static struct secmalloc_config any_config(void)
{
	static const unsigned counts[] = { 0, 1, 7, 8, 9, 1000, UINT_MAX };
	struct secmalloc_config c = { 0 };

	c.need = below(2) ? below(SECM_PROPS + 1) : 0;
	c.flags = below(0x20);
	c.hibernation = below(3);
	if (c.need & SECM_HIDDEN)
		c.hibernation &= 2;
	c.initial_pools = below(3);
	c.pool_size = size();
	c.retain = size();
	c.pool_growth = size();
	c.cache = size();
	c.max_bytes = below(2) ? (size_t)1 << 24 : 0;
	c.quarantine = counts[below(7)];
	c.sample = counts[below(7)];
	c.log_level = below(5);
	return c;
}

static void any_text(char *text, size_t len)
{
	static const char *const items[][4] = {
		{ "log=none", "log=error", "log=info", "log=debug" },
		{ "sample=16", "sample=17", "sample=100", "sample=4294967295" },
		{ "quarantine=1", "quarantine=8", "quarantine=9",
		  "quarantine=5000" },
		{ "need=locked", "need=nodump+fork_gone", "need=hidden",
		  "need=fork_gone+hidden" },
		{ "strict", "strict", "strict", "strict" },
		{ "always_move", "always_move", "always_move", "always_move" },
		{ "retain=0", "retain=64k", "retain=1m", "retain=1g" },
		{ "cache=0", "cache=4k", "cache=32k", "cache=1g" },
	};
	size_t used = 0, i;

	text[0] = 0;
	for (i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		if (below(2))
			used += (size_t)snprintf(text + used, len - used,
						 "%s%s", used ? "," : "",
						 items[i][below(4)]);
}

/* What is asked for: as good as a, or better. */
static int is_weaker(const struct secmalloc_config *b,
		     const struct secmalloc_config *a)
{
	const unsigned strong = SECMALLOC_KEEP_LIMIT | SECMALLOC_ALWAYS_MOVE |
				SECMALLOC_NO_CACHES |
				SECMALLOC_IGNORE_ENVIRONMENT;
	const unsigned weak = SECMALLOC_BEST_EFFORT | SECMALLOC_NO_CACHES;

	return (a->need & ~b->need) || (a->flags & strong & ~b->flags) ||
	       (b->flags & ~a->flags & weak) ||
	       (b->need & ~a->need & SECM_FORK_ZERO) ||
	       (!b->need && !(b->flags & SECMALLOC_BEST_EFFORT)) ||
	       b->retain > a->retain || b->cache < a->cache || !b->retain ||
	       b->quarantine < a->quarantine ||
	       (a->sample && (!b->sample || b->sample > a->sample)) ||
	       (b->sample != a->sample && b->sample < 16) ||
	       b->log_level < a->log_level;
}

/* What the environment has no say in. */
static int is_other(const struct secmalloc_config *b,
		    const struct secmalloc_config *a)
{
	return a->size != b->size || a->hibernation != b->hibernation ||
	       a->initial_pools != b->initial_pools ||
	       a->pool_size != b->pool_size || a->max_bytes != b->max_bytes ||
	       a->pool_growth != b->pool_growth || a->log != b->log ||
	       a->log_arg != b->log_arg ||
	       ((a->flags ^ b->flags) & SECMALLOC_KEEP_LIMIT);
}

static int are_equal(const struct secmalloc_config *b,
		     const struct secmalloc_config *a)
{
	return !is_other(b, a) && a->need == b->need && a->flags == b->flags &&
	       a->retain == b->retain && a->cache == b->cache &&
	       a->quarantine == b->quarantine && a->sample == b->sample &&
	       a->log_level == b->log_level;
}

TEST(the_judge_knows_what_is_weaker_control)
{
	struct secmalloc_config a = WITH("", .sample = 5), b = a;

	EXPECT_FALSE(is_weaker(&b, &a));
	b.need = SECM_LOCKED;
	EXPECT_TRUE(is_weaker(&b, &a));
	b = a;
	b.sample = 0;
	EXPECT_TRUE(is_weaker(&b, &a));
	b = a;
	b.flags |= SECMALLOC_BEST_EFFORT;
	EXPECT_TRUE(is_weaker(&b, &a));
	b = a;
	b.retain++;
	EXPECT_TRUE(is_weaker(&b, &a));
}

TEST(no_text_makes_any_configuration_weaker)
{
	int i, stronger = 0;

	for (i = 0; i < 20000; i++) {
		struct secmalloc_config c = any_config(), before, after, again;
		char text[256];

		any_text(text, sizeof(text));
		before = filled(c);
		after = merged(before, text);
		again = merged(after, text);
		ASSERT_FALSE(is_weaker(&after, &before)) { TH_LOG("%s", text); }
		ASSERT_FALSE(is_other(&after, &before)) { TH_LOG("%s", text); }
		ASSERT_TRUE(are_equal(&after, &again)) { TH_LOG("%s", text); }
		stronger += !are_equal(&after, &before);
	}
	EXPECT_GT(stronger, 10000);
}

/* Whatever the machine can do, the least that is handed out has what the least
 * had without the text; or nothing is handed out. */
TEST(no_text_makes_what_is_handed_out_weaker)
{
	struct secm_policy a, b;
	int i, refused = 0;

	for (i = 0; i < 20000; i++) {
		struct secmalloc_config c = any_config(), after;
		char text[256];

		any_text(text, sizeof(text));
		after = merged(filled(c), text);
		c.flags |= SECMALLOC_IGNORE_ENVIRONMENT;
		secm_os.props = below(SECM_PROPS + 1);
		secm_os.hibernation = (int)below(2);
		memset(&a, 0, sizeof(a));
		memset(&b, 0, sizeof(b));
		if (secm_policy_set(&a, &c) != 0)
			continue;
		refused += secm_policy_set(&b, &after) != 0;
		if (b.rungs)
			ASSERT_EQ(0, a.rung[a.rungs - 1].need &
					     ~b.rung[b.rungs - 1].need) {
				TH_LOG("%s", text);
			}
	}
	EXPECT_GT(refused, 0);
}
