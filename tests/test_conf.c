/* SPDX-License-Identifier: MIT */
/*
 * test_conf.c - conf.c: reading SECMALLOC_CONF, and what it does to a
 * configuration
 *
 * Texts and configurations only; test_conf_start.c has real starts.
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

static struct secm_conf conf;

static int given(enum secm_conf_key key)
{
	return conf.given == 1u << key && conf.mistakes == 0;
}

TEST(nothing_is_nothing)
{
	static const struct secm_conf none;

	memset(&conf, 0x55, sizeof(conf));
	secm_conf_parse("", &conf);
	EXPECT_EQ(none.given, conf.given);
	EXPECT_EQ(0, conf.mistakes);
	EXPECT_EQ(0, conf.need | conf.sample | conf.quarantine |
			  conf.log_level);
}

TEST(levels)
{
	static const char *const texts[] = { "log=none", "log=error",
					     "log=warning", "log=info",
					     "log=debug" };
	unsigned i;

	for (i = 0; i < 5; i++) {
		secm_conf_parse(texts[i], &conf);
		EXPECT_TRUE(given(SECM_CONF_LOG)) {
			TH_LOG("%s", texts[i]);
		}
		EXPECT_EQ(i, conf.log_level);
	}
}

TEST(counts)
{
	static const struct {
		const char *text;
		unsigned value;
	} good[] = {
		{ "1", 1 },		   { "16", 16 },
		{ "007", 7 },		   { "4294967295", 4294967295u },
		{ "04294967295", 4294967295u }, { "1000000", 1000000 },
	};
	char text[64];
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), "sample=%s", good[i].text);
		secm_conf_parse(text, &conf);
		EXPECT_EQ(good[i].value >= 16, given(SECM_CONF_SAMPLE)) {
			TH_LOG("%s", text);
		}
		if (given(SECM_CONF_SAMPLE))
			EXPECT_EQ(good[i].value, conf.sample);
		snprintf(text, sizeof(text), "quarantine=%s", good[i].text);
		secm_conf_parse(text, &conf);
		EXPECT_TRUE(given(SECM_CONF_QUARANTINE)) {
			TH_LOG("%s", text);
		}
		EXPECT_EQ(good[i].value, conf.quarantine);
	}
}

TEST(bytes)
{
	static const struct {
		const char *text;
		size_t value;
	} good[] = {
		{ "0", 0 },
		{ "0g", 0 },
		{ "1", 1 },
		{ "4097", 4097 },
		{ "64k", 65536 },
		{ "3m", 3 << 20 },
		{ "1g", 1 << 30 },
		{ "003g", (size_t)3 << 30 },
		{ "4294967295", 4294967295u },
	};
	char text[64];
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), "retain=%s", good[i].text);
		secm_conf_parse(text, &conf);
		EXPECT_TRUE(given(SECM_CONF_RETAIN)) { TH_LOG("%s", text); }
		EXPECT_EQ(good[i].value, conf.retain);
		snprintf(text, sizeof(text), "cache=%s", good[i].text);
		secm_conf_parse(text, &conf);
		EXPECT_TRUE(given(SECM_CONF_CACHE));
		EXPECT_EQ(good[i].value, conf.cache);
	}
	snprintf(text, sizeof(text), "retain=%zu", SIZE_MAX);
	secm_conf_parse(text, &conf);
	EXPECT_EQ(SIZE_MAX, conf.retain);
	snprintf(text, sizeof(text), "retain=%zum", SIZE_MAX >> 20);
	secm_conf_parse(text, &conf);
	EXPECT_EQ(SIZE_MAX >> 20 << 20, conf.retain);
}

TEST(protections)
{
	static const struct {
		const char *text;
		unsigned value;
	} good[] = {
		{ "need=locked", SECMALLOC_LOCKED },
		{ "need=nodump", SECMALLOC_NODUMP },
		{ "need=hidden", SECMALLOC_HIDDEN },
		{ "need=fork_gone", SECMALLOC_FORK_GONE },
		{ "need=nodump+locked", DEFAULT },
		{ "need=locked+locked", SECMALLOC_LOCKED },
		{ "need=locked+nodump+hidden+fork_gone",
		  SECM_PROPS & ~(unsigned)SECM_FORK_ZERO },
	};
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		secm_conf_parse(good[i].text, &conf);
		EXPECT_TRUE(given(SECM_CONF_NEED)) {
			TH_LOG("%s", good[i].text);
		}
		EXPECT_EQ(good[i].value, conf.need);
	}
}

TEST(all_of_them_in_any_order)
{
	static const char text[] = "cache=1k,retain=2k,always_move,strict,"
				   "need=hidden,quarantine=3,sample=40,"
				   "log=debug";

	secm_conf_parse(text, &conf);
	EXPECT_EQ(0, conf.mistakes);
	EXPECT_EQ((1u << SECM_CONF_KEYS) - 1, conf.given);
	EXPECT_EQ(KIB, conf.cache);
	EXPECT_EQ(2 * KIB, conf.retain);
	EXPECT_EQ(SECM_HIDDEN, conf.need);
	EXPECT_EQ(3, conf.quarantine);
	EXPECT_EQ(40, conf.sample);
	EXPECT_EQ(SECMALLOC_LOG_DEBUG, conf.log_level);
}

static const char option[] = "no such option",
		  count[] = "not a number from 1 to 4294967295",
		  rate[] = "not a number from 16 to 4294967295",
		  bytes[] = "not a number of bytes, with k, m or g "
			    "or none",
		  level[] = "no such level",
		  protection[] = "no such protection",
		  without[] = "it takes no value", with[] = "it needs a value";
static const struct {
	const char *item, *why;
} bad[] = {
	{ "", option },
	{ "smaple=3", option },
	{ "Sample=3", option },
	{ " strict", option },
	{ "strict ", option },
	{ "stric", option },
	{ "strictly", option },
	{ "=3", option },
	{ "max_bytes=100", option },
	{ "best_effort", option },
	{ "sample", with },
	{ "retain", with },
	{ "need", with },
	{ "log", with },
	{ "strict=", without },
	{ "strict=1", without },
	{ "no_caches", option },
	{ "always_move=no", without },
	{ "sample=", rate },
	{ "sample=0", rate },
	{ "sample=15", rate },
	{ "sample=00", rate },
	{ "sample=-1", rate },
	{ "sample=+1", rate },
	{ "sample= 1", rate },
	{ "sample=1 ", rate },
	{ "sample=1.5", rate },
	{ "sample=0x10", rate },
	{ "sample=1k", rate },
	{ "sample=4294967296", rate },
	{ "sample=18446744073709551617", rate },
	{ "quarantine=0", count },
	{ "quarantine=1e3", count },
	{ "retain=", bytes },
	{ "retain=k", bytes },
	{ "retain=-1", bytes },
	{ "retain=1K", bytes },
	{ "retain=1kk", bytes },
	{ "retain=1kb", bytes },
	{ "retain=k1", bytes },
	{ "retain=1t", bytes },
	{ "retain=18446744073709551616", bytes },
	{ "retain=17179869184g", bytes },
	{ "cache=99999999999999999999999", bytes },
	{ "cache=0.5m", bytes },
	{ "log=", level },
	{ "log=4", level },
	{ "log=Info", level },
	{ "log=info+debug", level },
	{ "log=debugging", level },
	{ "need=", protection },
	{ "need=+", protection },
	{ "need=locked+", protection },
	{ "need=+locked", protection },
	{ "need=locked++nodump", protection },
	{ "need=locked+secret", protection },
	{ "need=3", protection },
	{ "need=fork_zero", protection },
};

/* Each is one mistake, told so, and what stands beside it applies. */
TEST(mistakes_are_told_and_nothing_else_is_lost)
{
	char text[200];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "always_move,%s,cache=7",
			 bad[i].item);
		secm_conf_parse(text, &conf);
		ASSERT_EQ(1, conf.mistakes) { TH_LOG("%s", bad[i].item); }
		EXPECT_STREQ(bad[i].item, conf.mistake[0].item);
		EXPECT_STREQ(bad[i].why, conf.mistake[0].why);
		EXPECT_EQ(0, conf.need | conf.sample | conf.quarantine |
				  conf.log_level | conf.retain);
		EXPECT_EQ(1u << SECM_CONF_ALWAYS_MOVE | 1u << SECM_CONF_CACHE,
			  conf.given);
		EXPECT_EQ(7, conf.cache);
	}
}

TEST(a_repeated_key_is_a_mistake_and_the_first_one_counts)
{
	secm_conf_parse("sample=50,strict,sample=30,strict,sample=x", &conf);
	EXPECT_EQ(50, conf.sample);
	ASSERT_EQ(3, conf.mistakes);
	EXPECT_STREQ("it was given before", conf.mistake[0].why);
	EXPECT_STREQ("sample=30", conf.mistake[0].item);
	EXPECT_STREQ("strict", conf.mistake[1].item);
	/* After a mistake the key is still to be had. */
	secm_conf_parse("sample=x,sample=300", &conf);
	EXPECT_EQ(1, conf.mistakes);
	EXPECT_EQ(300, conf.sample);
}

TEST(mistakes_are_bounded_and_printable)
{
	char text[SECM_CONF_LONGEST + 1], item[2];
	unsigned byte;
	size_t i;

	for (byte = 1; byte < 256; byte++) {
		if (byte == ',')
			continue;
		item[0] = (char)byte;
		item[1] = 0;
		secm_conf_parse(item, &conf);
		ASSERT_EQ(1, conf.mistakes);
		if (byte < ' ' || byte > '~')
			item[0] = '?';
		EXPECT_STREQ(item, conf.mistake[0].item);
	}
	memset(text, 'q', sizeof(text));
	text[SECM_CONF_LONGEST] = 0;
	secm_conf_parse(text, &conf);
	ASSERT_EQ(1, conf.mistakes);
	EXPECT_STREQ("no such option", conf.mistake[0].why);
	EXPECT_EQ(SECM_CONF_ITEM - 1, strlen(conf.mistake[0].item));
	EXPECT_STREQ("qq...", conf.mistake[0].item + SECM_CONF_ITEM - 6);
	for (i = 0; i < SECM_CONF_LONGEST; i += 2)
		text[i] = ',';
	secm_conf_parse(text, &conf);
	EXPECT_EQ(SECM_CONF_LONGEST / 2 + 1, conf.mistakes);
	EXPECT_STREQ("", conf.mistake[0].item);
	EXPECT_STREQ("q", conf.mistake[SECM_CONF_MISTAKES - 1].item);
}

TEST(a_text_that_is_too_long_is_ignored_whole)
{
	char text[2 * SECM_CONF_LONGEST];

	memset(text, 'q', sizeof(text));
	memcpy(text, "strict,", 7);
	text[SECM_CONF_LONGEST] = 0;
	secm_conf_parse(text, &conf);
	EXPECT_EQ(1u << SECM_CONF_STRICT, conf.given);
	text[SECM_CONF_LONGEST] = 'q';
	text[SECM_CONF_LONGEST + 1] = 0;
	secm_conf_parse(text, &conf);
	EXPECT_EQ(0, conf.given);
	ASSERT_EQ(1, conf.mistakes);
	EXPECT_STREQ("longer than 1024 bytes", conf.mistake[0].why);
}
