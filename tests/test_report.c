/* SPDX-License-Identifier: MIT */
/*
 * test_report.c - the report tells the truth
 *
 * As struct, text and JSON; its numbers against what the test counted itself
 * and against the test's own reading of the kernel's list of mappings.
 */
#include "t_api.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "ksft.h"

TA_TIERS(report);

/*
 * A checker of JSON: each function takes one thing from *s and says whether
 * it was whole.
 */
static int json_value(const char **s);

static int json_take(const char **s, char c)
{
	while (isspace((unsigned char)**s))
		++*s;
	if (**s != c)
		return 0;
	++*s;
	return 1;
}

static int json_string(const char **s)
{
	if (!json_take(s, '"'))
		return 0;
	while (**s && **s != '"') {
		if ((unsigned char)**s < ' ' || **s == '\\')
			return 0; /* we write none of these */
		++*s;
	}
	return json_take(s, '"');
}

/* Members of an object or an array, up to the closing character. */
static int json_members(const char **s, int named, char close)
{
	if (json_take(s, close))
		return 1;
	do {
		if (named && !(json_string(s) && json_take(s, ':')))
			return 0;
		if (!json_value(s))
			return 0;
	} while (json_take(s, ','));
	return json_take(s, close);
}

static int json_word(const char **s)
{
	static const char *const words[] = { "true", "false", "null" };
	char *end;
	int i;

	for (i = 0; i < 3; i++)
		if (strncmp(*s, words[i], strlen(words[i])) == 0) {
			*s += strlen(words[i]);
			return 1;
		}
	if (!isdigit((unsigned char)**s))
		return 0;
	(void)strtoull(*s, &end, 10);
	*s = end;
	return 1;
}

static int json_value(const char **s)
{
	while (isspace((unsigned char)**s))
		++*s;
	if (json_take(s, '{'))
		return json_members(s, 1, '}');
	if (json_take(s, '['))
		return json_members(s, 0, ']');
	return **s == '"' ? json_string(s) : json_word(s);
}

static int is_json(const char *s)
{
	return json_value(&s) && json_take(&s, '\0');
}

TEST(the_json_checker_checks)
{
	EXPECT_TRUE(is_json("{\"a\":[1,2,{\"b\":null}],\"c\":true} \n"));
	EXPECT_TRUE(is_json("[]"));
	EXPECT_FALSE(is_json("{\"a\":[1,2,]}"));
	EXPECT_FALSE(is_json("{\"a\":1"));
	EXPECT_FALSE(is_json("{a:1}"));
	EXPECT_FALSE(is_json("{\"a\":1}}"));
	EXPECT_FALSE(is_json("{\"a\":-}"));
	EXPECT_FALSE(is_json(""));
}

/* The number that follows "key": in JSON; SIZE_MAX if there is none. */
static size_t json_number(const char *json, const char *key)
{
	char quoted[64];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(json, quoted);
	if (!at || !isdigit((unsigned char)at[strlen(quoted)]))
		return SIZE_MAX;
	return (size_t)strtoull(at + strlen(quoted), NULL, 10);
}

static size_t sum_of(const struct secmalloc_report *r, int confirmed)
{
	size_t sum = 0;
	int i;

	for (i = 0; i < SECMALLOC_TIERS; i++)
		sum += confirmed ? r->tier[i].confirmed : r->tier[i].mapped;
	return sum;
}

/* Objects of all kinds; how many bytes. */
static size_t fill(void **p, int n)
{
	size_t sum = 0, size;
	int i;

	for (i = 0; i < n; i++) {
		size = i % 7 == 0 ? 30000u + (unsigned)i : (unsigned)i * 3;
		p[i] = i % 5 == 0 ? secmalloc_guarded(size) : secmalloc(size);
		if (!p[i])
			return 0;
		memset(p[i], 1, size);
		sum += size;
	}
	return sum;
}

TEST_F(report, counts_objects_and_bytes)
{
	struct secmalloc_report r = ta_report();
	void *p[200];
	size_t bytes;
	int i;

	EXPECT_EQ(0, r.objects);
	EXPECT_EQ(0, r.bytes);
	bytes = fill(p, 200);
	ASSERT_GT(bytes, 0);
	r = ta_report();
	EXPECT_EQ(200, r.objects);
	EXPECT_EQ(bytes, r.bytes);
	EXPECT_GE(sum_of(&r, 0), bytes);
	EXPECT_GT(r.pools, 0);
	for (i = 0; i < 200; i += 2) {
		bytes -= secmalloc_usable_size(p[i]);
		secfree(p[i]);
	}
	p[1] = secrealloc(p[1], 100);
	bytes += 100 - 3;
	p[3] = secrealloc(p[3], 10);
	bytes += 10 - 9;
	r = ta_report();
	EXPECT_EQ(100, r.objects);
	EXPECT_EQ(bytes, r.bytes);
	EXPECT_EQ(0, r.refused);
	EXPECT_NULL(secmalloc(SIZE_MAX));
	EXPECT_NULL(secmalloc_guarded(PTRDIFF_MAX));
	EXPECT_EQ(2, ta_report().refused);
}

static size_t allocations(void)
{
	struct secmalloc_stats stats = { .size = sizeof(stats) };

	EXPECT_EQ(0, secmalloc_stats(&stats));
	return stats.allocations;
}

/* A child is a new process, and after shutdown all is new. */
TEST_F(report, allocations_are_counted_from_the_start)
{
	void *p[200];
	pid_t pid;
	int i;

	EXPECT_EQ(0, allocations());
	ASSERT_GT(fill(p, 200), 0);
	EXPECT_EQ(200, allocations());
	for (i = 0; i < 200; i++)
		secfree(p[i]);
	EXPECT_EQ(200, allocations());
	pid = fork();
	if (pid == 0) {
		EXPECT_EQ(0, allocations());
		secfree(secmalloc(1));
		_exit(allocations() != 1);
	}
	EXPECT_EQ(0, ta_status(pid));
	EXPECT_EQ(200, allocations());
	secmalloc_shutdown();
	ASSERT_EQ(0, ta_start(&variant->tier));
	EXPECT_EQ(0, allocations());
}

/* Bytes of mappings by what they have, read by the test. */
struct seen {
	size_t secret, locked, nodump;
};

static void add(void *arg, const struct ta_vma *vma)
{
	size_t size = vma->end - vma->start;
	struct seen *seen = arg;

	if (vma->props & SECM_HIDDEN)
		seen->secret += size;
	else if (vma->props & SECM_LOCKED)
		seen->locked += size;
	else if ((vma->props & SECM_NODUMP) && (vma->props & SECM_FORK_ZERO))
		seen->nodump += size;
}

TEST_F(report, mapped_is_what_the_kernel_shows)
{
	struct seen before = { 0, 0, 0 }, seen = { 0, 0, 0 };
	struct secmalloc_report r;
	void *p[200];
	size_t other;

	secfree(secmalloc(1)); /* this thread's cache stays, and looks alike */
	secmalloc_shutdown();
	if (ta_vmas(add, &before) < 0)
		SKIP(return, "this system tells nothing about mappings");
	ASSERT_EQ(0, ta_start(&variant->tier));
	ASSERT_GT(fill(p, 200), 0);
	r = ta_report();
	ta_vmas(add, &seen);
	EXPECT_EQ(r.tier[SECMALLOC_TIER_SECRET].mapped,
		  seen.secret - before.secret);
	EXPECT_EQ(r.tier[SECMALLOC_TIER_LOCKED].mapped,
		  seen.locked - before.locked);
	other = r.tier[SECMALLOC_TIER_PARTIAL].mapped;
	if (other && (r.tier[SECMALLOC_TIER_PARTIAL].protections &
		      SECMALLOC_FORK_ZERO))
		EXPECT_EQ(other, seen.nodump - before.nodump);
	EXPECT_EQ(1, ta_has_props(p[1], 3, 0));
}

TEST_F(report, confirmed_is_mapped)
{
	struct secmalloc_report r;
	void *p[200];
	int i, k;

	ASSERT_GT(fill(p, 200), 0);
	for (k = 0; k < 2; k++) {
		r = ta_report();
		if (!r.verified)
			SKIP(return, "this backend cannot ask");
		for (i = 0; i < SECMALLOC_TIERS; i++)
			EXPECT_EQ(r.tier[i].mapped, r.tier[i].confirmed);
		for (i = 0; k == 0 && i < 200; i++)
			secfree(p[i]);
	}
}

/* The control: what is not as promised is not confirmed. */
TEST(what_lost_its_lock_is_not_confirmed)
{
	static const struct ta_tier locked = TA_TIER_LOCKED;
	struct secmalloc_report r;
	char *p;

	KSFT_SANITIZER_SKIP("it makes munlock() do nothing");
	TA_BEGIN(&locked);
	p = secmalloc(100000);
	r = ta_report();
	ASSERT_NOT_NULL(p);
	if (!r.verified)
		SKIP(return, "this backend cannot ask");
	p -= (uintptr_t)p % ta_page();
	ASSERT_EQ(0, ta_unlock(p, ta_page()));
	r = ta_report();
	EXPECT_EQ(r.tier[SECMALLOC_TIER_LOCKED].mapped - ta_page(),
		  r.tier[SECMALLOC_TIER_LOCKED].confirmed);
}

TEST_F(report, protections_are_those_of_every_object)
{
	struct secmalloc_report r;
	void *p[200];
	int i, tier;

	ASSERT_GT(fill(p, 200), 0);
	tier = ta_only_tier();
	ASSERT_GE(tier, 0);
	r = ta_report();
	EXPECT_EQ(r.need, r.tier[tier].protections & r.need);
	for (i = 0; i < SECMALLOC_TIERS; i++)
		if (i != tier)
			EXPECT_EQ(0, r.tier[i].protections);
	if (ta_has_props(p[0], 1, 0) < 0 || !r.verified)
		SKIP(return, "this backend cannot ask");
	for (i = 0; i < 200; i++)
		EXPECT_EQ(1, ta_has_props(p[i], 1, r.tier[tier].protections)) {
			TH_LOG("object %d", i);
		}
}

TEST_F(report, text_and_json_say_the_same)
{
	static char text[8192], json[8192];
	struct secmalloc_report r;
	char quoted[64];
	void *p[200];
	int n;

	ASSERT_GT(fill(p, 200), 0);
	n = secmalloc_report_json(json, sizeof(json));
	EXPECT_EQ(strlen(json), n);
	EXPECT_TRUE(is_json(json)) { TH_LOG("%s", json); }
	r = ta_report();
	EXPECT_EQ(r.objects, json_number(json, "objects"));
	EXPECT_EQ(r.bytes, json_number(json, "bytes"));
	EXPECT_EQ(r.pools, json_number(json, "pools"));
	EXPECT_EQ(r.refused, json_number(json, "refused"));
	EXPECT_EQ(r.degraded, json_number(json, "degraded"));
	EXPECT_EQ(r.lock_limit, json_number(json, "lock_limit"));
	EXPECT_EQ(r.reason_errno, json_number(json, "reason_errno"));
	snprintf(quoted, sizeof(quoted), "\"backend\":\"%s\"", r.backend);
	EXPECT_NOT_NULL(strstr(json, quoted));
	EXPECT_NOT_NULL(strstr(json, secmalloc_reason_string(r.reason)));
	n = secmalloc_report_text(text, sizeof(text));
	EXPECT_EQ(strlen(text), n);
	EXPECT_NOT_NULL(strstr(text, r.backend));
	EXPECT_NOT_NULL(strstr(text, secmalloc_reason_string(r.reason)));
	snprintf(quoted, sizeof(quoted), "%zu bytes", sum_of(&r, 0));
	EXPECT_NOT_NULL(strstr(text, quoted)) { TH_LOG("%s", text); }
	EXPECT_EQ('\n', text[n - 1]);
}

TEST_F(report, strings_are_cut_like_snprintf)
{
	char whole[4096], part[4096];
	int (*const write[])(char *, size_t) = { secmalloc_report_text,
						 secmalloc_report_json };
	int i, n;
	size_t k;

	for (i = 0; i < 2; i++) {
		n = write[i](whole, sizeof(whole));
		ASSERT_GT(n, 0);
		ASSERT_LT(n, sizeof(whole));
		EXPECT_EQ(n, write[i](NULL, 0));
		for (k = 1; k <= (size_t)n + 2; k += k < 9 ? 1 : 97) {
			memset(part, 'x', sizeof(part));
			EXPECT_EQ(n, write[i](part, k));
			EXPECT_EQ(k > (size_t)n ? (size_t)n : k - 1,
				  strlen(part));
			EXPECT_EQ(0, strncmp(part, whole, strlen(part)));
			EXPECT_TRUE(ta_holds(part + k, 50, 'x'));
		}
	}
}

TEST(wrong_sizes_are_refused)
{
	struct secmalloc_report r = { .size = 0 };

	EXPECT_EQ(-1, secmalloc_report(&r));
	EXPECT_EQ(EINVAL, errno);
	r.size = sizeof(r) + 1;
	EXPECT_EQ(-1, secmalloc_report(&r));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, secmalloc_report(NULL));
	EXPECT_EQ(EINVAL, errno);
}

TEST(reasons_have_words)
{
	int i;

	for (i = 0; i <= SECMALLOC_REASON_UNVERIFIED; i++) {
		EXPECT_NOT_NULL(secmalloc_reason_string(i));
		EXPECT_STRNE("", secmalloc_reason_string(i));
		EXPECT_STRNE("unknown", secmalloc_reason_string(i));
	}
	EXPECT_STREQ("unknown", secmalloc_reason_string(i));
	EXPECT_STREQ("unknown", secmalloc_reason_string(-1));
}
