/* SPDX-License-Identifier: MIT */
/*
 * test_stats.c - statistics, their JSON, the picture, and giving back on demand
 *
 * That the numbers agree with the heap's structures is what t_broken() checks;
 * here they follow what a program does.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksft.h"
#include "t_heap.h"
#include "t_way.h"

T_WAYS(stats);

enum { MANY = 300, TEXT = 1 << 16 };

static struct secmalloc_stats now(void)
{
	struct secmalloc_stats s = { .size = sizeof(s) };

	EXPECT_EQ(0, secmalloc_stats(&s));
	return s;
}

TEST_F(stats, follow_what_is_done)
{
	struct secmalloc_stats s;
	void *p[4], *q;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	s = now();
	EXPECT_EQ(0, s.objects);
	EXPECT_EQ(1, s.allocations); /* the one that makes the cache */
	p[0] = secmalloc(40);
	p[1] = secmalloc(50000);
	p[2] = secmalloc_guarded(100);
	p[3] = secmalloc_aligned(64, 1000);
	T_NEED(p[1]);
	ASSERT_TRUE(p[0] && p[2] && p[3]);
	s = now();
	EXPECT_EQ(4, s.objects);
	EXPECT_EQ(51140, s.bytes);
	EXPECT_EQ(2, s.large);
	EXPECT_EQ(1, s.guarded);
	EXPECT_EQ(5, s.allocations);
	EXPECT_EQ(0, s.sampled);
	EXPECT_EQ(0, s.refused);
	EXPECT_EQ(variant->way == T_SLOW || !SECM_ATOMICS ? 0 : 1, s.threads);
	EXPECT_EQ(secm_heap_mapped(self->heap), s.mapped);
	EXPECT_LE(51140, s.mapped);
	EXPECT_LE(s.mapped, s.peak);
	EXPECT_NULL(secmalloc(SIZE_MAX));
	EXPECT_NULL(secmalloc(SIZE_MAX / 2));
	EXPECT_EQ(2, now().refused);
	q = secmalloc_split(p[1], 20000);
	ASSERT_NOT_NULL(q);
	s = now();
	EXPECT_EQ(5, s.objects);
	EXPECT_EQ(51140, s.bytes);
	EXPECT_EQ(2, s.large);
	secfree(q);
	EXPECT_EQ(21140, now().bytes);
	while (p[0]) {
		secfree(p[0]);
		memmove(p, p + 1, sizeof(p) - sizeof(p[0]));
		p[3] = NULL;
	}
	s = now();
	EXPECT_EQ(0, s.objects);
	EXPECT_EQ(0, s.bytes);
	EXPECT_EQ(0, s.large);
	EXPECT_EQ(5, s.allocations);
	T_SOUND(self->heap);
}

/* Each class by itself; what is not live is cached or empty. */
TEST_F(stats, count_each_class)
{
	static void *p[MANY];
	struct secmalloc_stats before, s;
	unsigned class;
	size_t i, n;

	T_BEGIN_WAY(NULL);
	for (class = 0; class < SECMALLOC_CLASSES; class += 4) {
		size_t size = secm_class_slot(class) - SECM_CANARY_MIN;

		n = size > 1000 ? MANY / 10 : MANY;
		before = now();
		EXPECT_EQ(secm_class_slot(class), before.classes[class].slot);
		for (i = 0; i < n; i++) {
			p[i] = secmalloc(size);
			T_NEED(p[i]);
		}
		s = now();
		EXPECT_EQ(n, s.objects);
		EXPECT_EQ(n * size, s.bytes);
		EXPECT_EQ(n, s.classes[class].live);
		EXPECT_EQ(n, s.classes[class].allocations -
				     before.classes[class].allocations);
		EXPECT_LE(n + s.classes[class].cached, s.classes[class].slots);
		while (i > 0)
			secfree(p[--i]);
		EXPECT_EQ(0, now().classes[class].live);
		(void)t_drain();
		EXPECT_EQ(0, now().classes[class].cached);
		EXPECT_EQ(0, now().slabs);
	}
	T_SOUND(self->heap);
}

TEST_F(stats, begin_anew_in_a_child_and_after_a_shutdown)
{
	struct secmalloc_stats s;
	void *p;

	T_BEGIN_WAY(NULL);
	p = secmalloc(100);
	ASSERT_NOT_NULL(p);
	EXPECT_NULL(secmalloc(SIZE_MAX));
	T_IN_CHILD({
		s = now();
		EXPECT_EQ(0, s.objects);
		EXPECT_EQ(0, s.allocations);
		EXPECT_EQ(0, s.refused);
		secfree(secmalloc(100));
		EXPECT_EQ(1, now().allocations);
		EXPECT_EQ(0, now().objects);
	});
	EXPECT_EQ(1, now().objects);
	secmalloc_shutdown();
	s = now();
	EXPECT_EQ(0, s.objects);
	EXPECT_EQ(0, s.allocations);
	EXPECT_EQ(0, s.mapped);
	EXPECT_EQ(0, s.peak);
	ASSERT_EQ(0, t_begin_way(&variant->tier, variant->way, NULL));
	EXPECT_EQ(1, now().allocations);
	EXPECT_LT(0, now().peak);
	secfree(p);
}

TEST(stats_of_nothing)
{
	struct secmalloc_stats s = { .size = sizeof(s) };
	char text[200];

	errno = 77;
	ASSERT_EQ(0, secmalloc_stats(&s));
	EXPECT_EQ(77, errno);
	EXPECT_EQ(sizeof(s), s.size);
	EXPECT_EQ(0, s.mapped);
	EXPECT_EQ(SECM_NEW, secm_default_heap.state);
	s.size--;
	EXPECT_EQ(-1, secmalloc_stats(&s));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, secmalloc_stats(NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_LT(0, secmalloc_picture(text, sizeof(text)));
	EXPECT_STREQ("0 bytes mapped, 0 of them wait for reuse\n", text);
	EXPECT_EQ(0, secmalloc_verify());
	EXPECT_EQ(0, secmalloc_trim());
}

/* A reader of just enough JSON: where the value ends, or NULL. */
static const char *json(const char *s);

static const char *json_list(const char *s, char end, int named)
{
	if (*++s == end)
		return s + 1;
	for (;; s++) {
		if (named) {
			s = *s == '"' ? strchr(s + 1, '"') : NULL;
			if (!s || *++s != ':')
				return NULL;
			s++;
		}
		s = json(s);
		if (!s || *s == end)
			return s ? s + 1 : NULL;
		if (*s != ',')
			return NULL;
	}
}

static const char *json(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	if (*s == '{')
		return json_list(s, '}', 1);
	if (*s == '[')
		return json_list(s, ']', 0);
	if (*s == '"')
		return strchr(s + 1, '"') ? strchr(s + 1, '"') + 1 : NULL;
	return digits && (digits == 1 || *s != '0') ? s + digits : NULL;
}

/* The number behind the n-th such key. */
static size_t number(const char *s, const char *key, int n)
{
	char quoted[40];

	(void)snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	for (; n >= 0 && s; n--)
		s = strstr(s, quoted) ? strstr(s, quoted) + strlen(quoted)
				      : NULL;
	return s ? (size_t)strtoull(s, NULL, 10) : SIZE_MAX;
}

TEST_F(stats, are_json_too)
{
	static char text[TEXT];
	struct secmalloc_stats s;
	int i, n;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	T_NEED(secmalloc(100000));
	for (i = 0; i < 50; i++)
		ASSERT_NOT_NULL(secmalloc((size_t)i * i));
	s = now();
	errno = 77;
	n = secmalloc_stats_json(text, sizeof(text));
	EXPECT_EQ(77, errno);
	ASSERT_LT(0, n);
	EXPECT_EQ(n, (int)strlen(text));
	EXPECT_STREQ("\n", json(text));
#define SAME(key) EXPECT_EQ(s.key, number(text, #key, 0))
	SAME(objects);
	SAME(bytes);
	SAME(large);
	SAME(guarded);
	SAME(sampled);
	SAME(refused);
	SAME(mapped);
	SAME(peak);
	SAME(cached);
	SAME(waiting);
	SAME(threads);
	SAME(slabs);
	SAME(allocations);
#undef SAME
	for (i = 0; i < SECMALLOC_CLASSES; i++) {
		EXPECT_EQ(s.classes[i].slot, number(text, "slot", i));
		EXPECT_EQ(s.classes[i].slots, number(text, "slots", i));
		EXPECT_EQ(s.classes[i].live, number(text, "live", i));
		EXPECT_EQ(s.classes[i].cached, number(text, "cached", i + 1));
		EXPECT_EQ(s.classes[i].allocations,
			  number(text, "allocations", i + 1));
	}
	EXPECT_EQ(SIZE_MAX, number(text, "slot", i));
}

static void cut_short(int (*call)(char *, size_t))
{
	static char whole[TEXT], part[TEXT];
	int n = call(whole, sizeof(whole)), i;

	ASSERT_LT(0, n);
	EXPECT_EQ(n, call(NULL, 0));
	for (i = 1; i < n + 20; i += i < 20 || i > n - 9 ? 1 : n / 50 + 1) {
		memset(part, 'x', (size_t)n + 40);
		ASSERT_EQ(n, call(part, (size_t)i));
		ASSERT_EQ(i <= n ? i - 1 : n, (int)strlen(part));
		ASSERT_EQ(0, strncmp(whole, part, strlen(part)));
		ASSERT_EQ('x', part[i]);
	}
}

TEST_F(stats, texts_are_cut_as_by_snprintf)
{
	int i;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 0; i < 20; i++)
		ASSERT_NOT_NULL(secmalloc((size_t)i * 100));
	cut_short(secmalloc_stats_json);
	cut_short(secmalloc_picture);
}

/* What is given back on demand. */
TEST_F(stats, trim_tells_how_much_less_is_mapped)
{
	static void *p[MANY];
	size_t before, gain;
	int i;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < MANY; i++) {
		p[i] = secmalloc(i ? 1000 : 40);
		T_NEED(p[i]);
	}
	for (i = 1; i < MANY; i++)
		secfree(p[i]);
	before = now().mapped;
	errno = 77;
	gain = secmalloc_trim();
	EXPECT_EQ(77, errno);
	EXPECT_LT(MANY * 1000 / 2, gain);
	EXPECT_EQ(before - gain, now().mapped);
	EXPECT_EQ(0, now().cached);
	EXPECT_EQ(0, now().waiting);
	EXPECT_EQ(1, now().objects);
	EXPECT_EQ(0, secmalloc_trim());
	EXPECT_EQ(1, secmalloc_verify());
	/* And all goes on. */
	for (i = 1; i < MANY; i++) {
		p[i] = secmalloc(1000);
		ASSERT_NOT_NULL(p[i]);
	}
	EXPECT_EQ(MANY, now().objects);
	T_SOUND(self->heap);
}

TEST_F(stats, trim_leaves_first_pools)
{
	struct secmalloc_config c = { .initial_pools = 2,
				      .pool_size = 128 << 10 };
	size_t before;
	void *p;

	T_BEGIN_WAY(&c);
	p = secmalloc(100000);
	before = now().mapped;
	secfree(p);
	(void)secmalloc_trim();
	EXPECT_LE(200 << 10, now().mapped);
	EXPECT_LE(now().mapped, before);
	T_SOUND(self->heap);
}
