/* SPDX-License-Identifier: MIT */
/*
 * test_conf_start.c - heaps that start with something in SECMALLOC_CONF
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdio.h>
#include <stdlib.h>

#include "conf.h"
#include "ksft.h"
#include "t_heap.h"
#include "t_util.h"

enum { KIB = 1024 };

static struct secm_heap *const heap = &secm_default_heap;
static const struct secmalloc_config *const now =
	&secm_default_heap.policy.config;

/* Any machine gives this memory. */
static const struct secmalloc_config easy = { .flags = SECMALLOC_BEST_EFFORT };

static void environment(const char *text)
{
	ASSERT_EQ(0, setenv("SECMALLOC_CONF", text, 1));
}

/* 0 or an errno. */
static int start(struct secmalloc_config c)
{
	int r = secmalloc_init(&c) == 0 ? 0 : errno;

	/* What a start tells, if it has not been told. */
	secm_lock(&secm_heap_lock);
	secm_conf_tell(heap);
	secm_log_unlock(heap);
	return r;
}

static char lines[4096];

static void collect(int level, const char *line, void *arg)
{
	(void)arg;
	snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines),
		 "%d: %s\n", level, line);
}

TEST(the_environment_is_heard_without_init)
{
	environment("quarantine=40,sample=90");
	if (!secmalloc(10))
		SKIP(return, "no locked memory here");
	EXPECT_EQ(40, now->quarantine);
	EXPECT_EQ(90, now->sample);
}

TEST(the_environment_is_added_to_what_the_program_says)
{
	struct secmalloc_config c = easy;

	c.quarantine = 50;
	c.sample = 100;
	environment("quarantine=40,sample=90,retain=4096");
	ASSERT_EQ(0, start(c));
	EXPECT_EQ(50, now->quarantine);
	EXPECT_EQ(90, now->sample);
	EXPECT_EQ(4096, now->retain);
	EXPECT_EQ(256 * KIB, now->pool_growth); /* a default */
}

TEST(a_program_may_ignore_the_environment)
{
	struct secmalloc_config c = easy;

	c.flags |= SECMALLOC_IGNORE_ENVIRONMENT;
	c.log_level = SECMALLOC_LOG_DEBUG;
	c.log = collect;
	environment("quarantine=40,no such thing");
	ASSERT_EQ(0, start(c));
	EXPECT_EQ(8, now->quarantine);
	EXPECT_NULL(strstr(lines, "SECMALLOC_CONF"));
}

TEST(the_environment_is_read_once)
{
	environment("quarantine=40");
	ASSERT_EQ(0, start(easy));
	environment("quarantine=80");
	secmalloc_shutdown();
	ASSERT_EQ(0, start(easy));
	EXPECT_EQ(40, now->quarantine);
	secmalloc_shutdown();
	ASSERT_EQ(0, unsetenv("SECMALLOC_CONF"));
	ASSERT_EQ(0, start(easy));
	EXPECT_EQ(40, now->quarantine);
}

TEST(a_child_has_what_its_parent_had)
{
	struct secmalloc_config c = easy;

	c.log = collect;
	environment("quarantine=40,log=info,no_such_option");
	ASSERT_EQ(0, start(c));
	EXPECT_NOT_NULL(strstr(lines, "no_such_option"));
	T_IN_CHILD({
		environment("quarantine=80,another");
		lines[0] = 0;
		EXPECT_NOT_NULL(secmalloc(10));
		secm_lock(&secm_heap_lock);
		heap->orphan = 1; /* as during its start */
		secm_conf_tell(heap);
		heap->orphan = 0;
		secm_log_unlock(heap);
		EXPECT_EQ(40, now->quarantine);
		EXPECT_EQ(SECMALLOC_LOG_INFO, now->log_level);
		EXPECT_NULL(strstr(lines, "SECMALLOC_CONF"));
	});
}

/* A child of one that ignores it does, too. */
TEST(a_child_ignores_what_its_parent_ignored)
{
	struct secmalloc_config c = easy;

	c.flags |= SECMALLOC_IGNORE_ENVIRONMENT;
	environment("quarantine=40");
	ASSERT_EQ(0, start(c));
	T_IN_CHILD({
		EXPECT_NOT_NULL(secmalloc(10));
		EXPECT_EQ(8, now->quarantine);
	});
}

/* What goes to standard error while a heap starts. */
static void start_to(char *text, size_t size, struct secmalloc_config c)
{
	int fd[2], saved = dup(STDERR_FILENO), r;
	ssize_t n;

	ASSERT_EQ(0, pipe(fd));
	ASSERT_GE(dup2(fd[1], STDERR_FILENO), 0);
	r = start(c);
	ASSERT_GE(dup2(saved, STDERR_FILENO), 0);
	EXPECT_EQ(0, r);
	EXPECT_EQ(0, close(fd[1]));
	n = read(fd[0], text, size - 1);
	text[n > 0 ? n : 0] = 0;
	EXPECT_EQ(0, close(fd[0]));
}

TEST(mistakes_go_to_standard_error_once_though_nothing_is_logged)
{
	char text[2048];

	environment("retain=,x,quarantine=40");
	start_to(text, sizeof(text), easy);
	EXPECT_STREQ("secmalloc: SECMALLOC_CONF: 'retain=' is ignored: "
		     "not a number of bytes, with k, m or g or none\n"
		     "secmalloc: SECMALLOC_CONF: 'x' is ignored: "
		     "no such option\n",
		     text);
	EXPECT_EQ(40, now->quarantine);
	secmalloc_shutdown();
	start_to(text, sizeof(text), easy);
	EXPECT_STREQ("", text);
}

TEST(many_mistakes_are_a_few_lines)
{
	char text[2048];
	const char *p;
	int n = 0;

	environment("a,b,c,d,e,f,g,h,i,j,strict=");
	start_to(text, sizeof(text), easy);
	for (p = text; (p = strchr(p, '\n')); p++)
		n++;
	EXPECT_EQ(9, n);
	EXPECT_NOT_NULL(strstr(text, "secmalloc: SECMALLOC_CONF: 3 more are "
				     "ignored\n"));
}

TEST(a_right_text_tells_nothing_unless_asked)
{
	char text[2048];

	environment("quarantine=40,always_move,sample=30");
	start_to(text, sizeof(text), easy);
	EXPECT_STREQ("", text);
}

TEST(what_was_taken_is_told_to_who_listens)
{
	struct secmalloc_config c = easy;

	c.log = collect;
	environment("quarantine=40,log=info,bad");
	ASSERT_EQ(0, start(c));
	EXPECT_NOT_NULL(strstr(lines, "1: SECMALLOC_CONF: 'bad' is ignored: "
				      "no such option\n"));
	EXPECT_NOT_NULL(strstr(lines, "3: SECMALLOC_CONF gives log, "
				      "quarantine\n"));
}

TEST(all_keys_at_once_fit_into_a_line)
{
	struct secmalloc_config c = { .log = collect };

	environment("log=info,sample=16,quarantine=1,need=locked,strict,"
		    "always_move,retain=1,cache=1");
	(void)start(c); /* locked memory may be missing: it tells anyway */
	EXPECT_NOT_NULL(strstr(lines, "3: SECMALLOC_CONF gives log, sample, "
				      "quarantine, need, strict, always_move, "
				      "retain, cache\n"));
}

TEST(weaker_memory_is_had_without_strict_control)
{
	environment("log=none");
	secm_os_mask(SECM_HIDDEN | SECM_LOCKED);
	EXPECT_EQ(0, start(easy));
	EXPECT_NOT_NULL(secmalloc(10));
}

TEST(strict_means_that_weaker_memory_is_refused)
{
	environment("strict");
	secm_os_mask(SECM_HIDDEN | SECM_LOCKED);
	EXPECT_EQ(ENOTSUP, start(easy));
	EXPECT_NULL(secmalloc(10));
	EXPECT_EQ(ENOTSUP, errno);
}

TEST(a_need_that_cannot_be_had_is_refused)
{
	environment("need=hidden");
	secm_os_mask(SECM_HIDDEN);
	EXPECT_EQ(ENOTSUP, start(easy));
	EXPECT_NULL(secmalloc(10));
	EXPECT_EQ(ENOTSUP, errno);
}

/* The program's wish and the environment's cannot both be had. */
TEST(hidden_memory_that_the_program_rules_out_is_refused)
{
	struct secmalloc_config c = easy;

	c.hibernation = SECMALLOC_HIBERNATION_KEEP;
	environment("need=hidden");
	EXPECT_EQ(ENOTSUP, start(c));
	c.need = SECMALLOC_HIDDEN;
	EXPECT_EQ(EINVAL, start(c)); /* the program's own mistake */
}

TEST(new_members_are_checked_and_have_defaults)
{
	struct secmalloc_config c = easy;

	c.log_level = SECMALLOC_LOG_DEBUG + 1;
	EXPECT_EQ(EINVAL, start(c));
	c.log_level = ~0u;
	EXPECT_EQ(EINVAL, start(c));
	c = easy;
	c.flags |= SECMALLOC_NO_CACHES | SECMALLOC_ALWAYS_MOVE |
		   SECMALLOC_KEEP_LIMIT;
	ASSERT_EQ(0, start(c));
	EXPECT_EQ(256 * KIB, now->pool_growth);
	EXPECT_EQ(32 * KIB, now->cache);
	EXPECT_EQ(8, now->quarantine);
	EXPECT_EQ(0, now->sample);
	EXPECT_EQ(SECMALLOC_LOG_NONE, now->log_level);
	EXPECT_EQ(c.flags, now->flags);
}

/* The largest pool after so many objects; 0 where there are no pools. */
static size_t largest_pool(size_t growth)
{
	struct secmalloc_config c = easy;
	const struct secm_pool *pool;
	size_t largest = 0;
	int i;

	c.pool_growth = growth;
	secm_os_mask(SECM_HIDDEN | SECM_LOCKED);
	ASSERT_EQ(0, start(c));
	for (i = 0; i < 300; i++)
		ASSERT_NOT_NULL(secmalloc(20000)); /* 5 pages each */
	for (pool = heap->pools; pool; pool = pool->next)
		if (pool->pages * secm_os.page > largest)
			largest = pool->pages * secm_os.page;
	secmalloc_shutdown();
	return largest;
}

TEST(later_pools_grow_as_far_as_they_may)
{
	size_t most = largest_pool(0);

	if (!secm_os.can_move)
		SKIP(return, "this backend does not move pages");
	EXPECT_EQ(256 * KIB, most);
	EXPECT_EQ(128 * KIB, largest_pool(128 * KIB));
	EXPECT_EQ(64 * KIB, largest_pool(1)); /* never below their first size */
	EXPECT_EQ(512 * KIB, largest_pool(512 * KIB));
}
