/* SPDX-License-Identifier: MIT */
/*
 * test_log.c - log.c: lines that are taken down and handed out
 *
 * Lines are taken down here as the core does it, with the lock held; what lines
 * the core has is in test_log_lines.c.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "ksft.h"
#include "t_heap.h"
#include "t_util.h"

enum { MOST = 400, ODD_ERRNO = 4711 };

static struct secm_heap *const heap = &secm_default_heap;

/* What the logger was told. */
static struct told {
	int level;
	char line[SECM_LOG_LINE + 20];
} told[MOST];
static int tolds;

static void note(int level, const char *line, void *arg)
{
	int *count = arg;

	if (tolds == MOST || strlen(line) >= sizeof(told[0].line))
		abort();
	told[tolds].level = level;
	strcpy(told[tolds++].line, line);
	++*count;
}

static int counted;

static void listen_at(unsigned level, secmalloc_logger *log)
{
	struct secmalloc_config c = { .flags = SECMALLOC_BEST_EFFORT };

	/* Memory that no limit can make a topic of. */
	secm_os_mask(SECM_HIDDEN | SECM_LOCKED);
	if (heap->state == SECM_NEW)
		ASSERT_EQ(0, secmalloc_init(&c));
	heap->policy.config.log_level = level;
	heap->policy.config.log = log;
	heap->policy.config.log_arg = &counted;
}

/* One line, as an operation of the core would have it. */
static void say(int level, const char *line)
{
	secm_lock(&secm_heap_lock);
	secm_log(heap, level, "%s", line);
	secm_log_unlock(heap);
}

/* What wants out gets out. */
static void flush(void)
{
	secm_lock(&secm_heap_lock);
	secm_log_unlock(heap);
}

TEST(each_level_includes_those_before_it)
{
	int level, line;

	for (level = SECMALLOC_LOG_NONE; level <= SECMALLOC_LOG_DEBUG; level++)
		for (line = SECMALLOC_LOG_ERROR; line <= SECMALLOC_LOG_DEBUG;
		     line++) {
			tolds = counted = 0;
			listen_at((unsigned)level, note);
			secm_lock(&secm_heap_lock);
			secm_log(heap, line, "at %d", line);
			EXPECT_EQ(line <= level, secm_log_pending(&heap->log));
			secm_log_unlock(heap);
			EXPECT_EQ(line <= level, tolds);
			EXPECT_EQ(tolds, counted);
			EXPECT_EQ(0, secm_log_pending(&heap->log));
			if (tolds)
				EXPECT_EQ(line, told[0].level);
		}
}

TEST(lines_come_in_order_and_whole)
{
	char line[SECM_LOG_LINE];
	int i;

	listen_at(SECMALLOC_LOG_DEBUG, note);
	secm_lock(&secm_heap_lock);
	for (i = 0; i < 60; i++)
		secm_log(heap, 1 + i % 4, "line %d of %s, %zu", i, "all",
			 (size_t)i * 10);
	EXPECT_EQ(0, tolds); /* not while the lock is held */
	secm_log_unlock(heap);
	ASSERT_EQ(60, tolds);
	for (i = 0; i < 60; i++) {
		snprintf(line, sizeof(line), "line %d of all, %d", i, i * 10);
		EXPECT_STREQ(line, told[i].line);
		EXPECT_EQ(1 + i % 4, told[i].level);
	}
	flush();
	EXPECT_EQ(60, tolds);
}

/* Lines of all lengths, until long after the buffer is full. */
TEST(what_finds_no_room_is_counted)
{
	char line[SECM_LOG_LINE], end[40];
	int i, len, lines = 0, lost;

	memset(line, 'x', sizeof(line));
	for (i = 0; i < SECM_LOG_LINE; i++) {
		listen_at(SECMALLOC_LOG_DEBUG, note);
		tolds = 0;
		secm_lock(&secm_heap_lock);
		for (lines = 0; lines < 300; lines++) {
			len = (i + lines * 7) % SECM_LOG_LINE;
			secm_log(heap, SECMALLOC_LOG_DEBUG, "%.*s", len, line);
			ASSERT_LE(heap->log.lines.used, SECM_LOG_ROOM);
		}
		secm_log_unlock(heap);
		ASSERT_GT(tolds, 10);
		lost = lines - (tolds - 1);
		snprintf(end, sizeof(end), "%d lines lost", lost);
		EXPECT_STREQ(end, told[tolds - 1].line);
		EXPECT_EQ(SECMALLOC_LOG_ERROR, told[tolds - 1].level);
		/* Short ones may still fit where long ones did not. */
		for (lines = 0; lines < tolds - 1; lines++)
			EXPECT_EQ(strlen(told[lines].line),
				  strspn(told[lines].line, "x"));
		EXPECT_EQ(0, secm_log_pending(&heap->log));
	}
}

TEST(a_line_that_is_too_long_is_cut)
{
	char line[3 * SECM_LOG_LINE];

	memset(line, 'y', sizeof(line));
	line[sizeof(line) - 1] = 0;
	listen_at(SECMALLOC_LOG_INFO, note);
	say(SECMALLOC_LOG_INFO, line);
	ASSERT_EQ(1, tolds);
	EXPECT_EQ(SECM_LOG_LINE - 1, strlen(told[0].line));
	EXPECT_EQ(SECM_LOG_LINE - 1, strspn(told[0].line, "y"));
}

TEST(one_line_lost_is_one_line)
{
	char line[SECM_LOG_LINE];
	int n;

	memset(line, 'z', sizeof(line));
	line[sizeof(line) - 1] = 0;
	listen_at(SECMALLOC_LOG_INFO, note);
	secm_lock(&secm_heap_lock);
	for (n = 0; heap->log.lines.lost == 0; n++)
		secm_log(heap, SECMALLOC_LOG_INFO, "%s", line);
	secm_log_unlock(heap);
	ASSERT_EQ(n, tolds);
	EXPECT_STREQ("1 line lost", told[n - 1].line);
}

/* Standard error becomes a socket that keeps writes apart. */
static int record_stderr(int *saved)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0)
		return -1;
	*saved = dup(STDERR_FILENO);
	if (*saved < 0 || dup2(pair[1], STDERR_FILENO) < 0)
		return -1;
	(void)close(pair[1]); /* there is a copy */
	return pair[0];
}

static void stderr_again(int saved)
{
	if (dup2(saved, STDERR_FILENO) < 0)
		abort();
}

static void expect_write(int fd, const char *text)
{
	char buf[300];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	buf[n > 0 ? n : 0] = 0;
	EXPECT_STREQ(text, buf);
}

TEST(without_a_logger_each_line_is_one_write_to_standard_error)
{
	char line[2 * SECM_LOG_LINE], all[SECM_LOG_LINE + 20];
	int saved, fd = record_stderr(&saved);

	ASSERT_GE(fd, 0);
	memset(line, 'w', sizeof(line));
	line[sizeof(line) - 1] = 0;
	listen_at(SECMALLOC_LOG_INFO, NULL);
	secm_lock(&secm_heap_lock);
	secm_log(heap, SECMALLOC_LOG_ERROR, "one");
	secm_log(heap, SECMALLOC_LOG_DEBUG, "not told");
	secm_log(heap, SECMALLOC_LOG_INFO, "%s", line);
	secm_log(heap, SECMALLOC_LOG_WARNING, "%d%%", 3);
	errno = ODD_ERRNO;
	secm_log_unlock(heap);
	EXPECT_EQ(ODD_ERRNO, errno);
	stderr_again(saved);
	snprintf(all, sizeof(all), "secmalloc: %.*s\n", SECM_LOG_LINE - 1,
		 line);
	expect_write(fd, "secmalloc: one\n");
	expect_write(fd, all);
	expect_write(fd, "secmalloc: 3%\n");
	expect_write(fd, "");
}

TEST(what_is_always_told_goes_where_others_would_or_to_standard_error)
{
	int saved, fd = record_stderr(&saved), level;

	ASSERT_GE(fd, 0);
	for (level = SECMALLOC_LOG_NONE; level <= SECMALLOC_LOG_DEBUG;
	     level++) {
		listen_at((unsigned)level, note);
		secm_lock(&secm_heap_lock);
		secm_log_always(heap, "level %d", level);
		secm_log_unlock(heap);
	}
	stderr_again(saved);
	expect_write(fd, "secmalloc: level 0\n");
	expect_write(fd, "");
	ASSERT_EQ(4, tolds);
	for (level = 1; level <= 4; level++)
		EXPECT_EQ(SECMALLOC_LOG_ERROR, told[level - 1].level);
}

/* Allocates, has lines of its own taken down, and tries to be called inside
 * itself. */
static int depth, deepest;
static size_t logger_says; /* lines for each that it gets */

static void busy_logger(int level, const char *line, void *arg)
{
	void *p = secmalloc(100);
	size_t i;

	note(level, line, arg);
	depth++;
	if (depth > deepest)
		deepest = depth;
	for (i = 0; i < logger_says; i++)
		say(SECMALLOC_LOG_INFO, "caused by the logger");
	secfree(p);
	errno = 17;
	depth--;
}

TEST(a_logger_may_allocate_and_is_never_called_inside_itself)
{
	listen_at(SECMALLOC_LOG_INFO, busy_logger);
	logger_says = 1;
	errno = ODD_ERRNO;
	say(SECMALLOC_LOG_INFO, "first");
	EXPECT_EQ(ODD_ERRNO, errno);
	EXPECT_EQ(1, deepest);
	EXPECT_STREQ("first", told[0].line);
	ASSERT_GT(tolds, 3);
	EXPECT_STREQ("caused by the logger", told[1].line);
	EXPECT_NULL(heap->log.deliveries);
}

/* Whatever a logger does, a call comes to its end: what fits into the buffer
 * once, and a line that tells how many did not. */
TEST(a_logger_that_causes_lines_is_told_a_bounded_number)
{
	enum { BOUND = SECM_LOG_ROOM / 22 + 3 }; /* 22: its lines */
	int round;

	listen_at(SECMALLOC_LOG_INFO, busy_logger);
	for (logger_says = 1; logger_says < 40; logger_says += 6) {
		for (round = 0; round < 5; round++) {
			tolds = 0;
			if (round % 2)
				flush();
			else
				say(SECMALLOC_LOG_INFO, "first");
			EXPECT_LE(tolds, BOUND);
		}
		EXPECT_EQ(1, deepest);
	}
	/* Once it is quiet, so are we. */
	logger_says = 0;
	flush();
	tolds = 0;
	flush();
	EXPECT_EQ(0, tolds);
}

TEST(a_line_lost_inside_the_logger_is_told)
{
	int i, lost = 0;

	listen_at(SECMALLOC_LOG_INFO, busy_logger);
	logger_says = 2;
	say(SECMALLOC_LOG_INFO, "first");
	for (i = 0; i < tolds; i++)
		if (strstr(told[i].line, " lost"))
			lost += atoi(told[i].line);
	EXPECT_GT(lost, 0);
	/* What telling that lost is told by the next call. */
	logger_says = 0;
	tolds = 0;
	flush();
	ASSERT_EQ(1, tolds);
	EXPECT_STREQ("2 lines lost", told[0].line);
	EXPECT_EQ(0, secm_log_pending(&heap->log));
}

static void short_logger(int level, const char *line, void *arg)
{
	note(level, line, arg);
	if (strstr(line, " lost"))
		say(SECMALLOC_LOG_INFO, "short");
}

TEST(a_short_line_still_fits_where_a_long_one_did_not)
{
	char line[SECM_LOG_LINE];

	memset(line, 'l', sizeof(line));
	listen_at(SECMALLOC_LOG_INFO, short_logger);
	secm_lock(&secm_heap_lock);
	while (heap->log.lines.lost == 0)
		secm_log(heap, SECMALLOC_LOG_INFO, "%.150s", line);
	secm_log_unlock(heap);
	ASSERT_GT(tolds, 2);
	EXPECT_STREQ("1 line lost", told[tolds - 2].line);
	EXPECT_STREQ("short", told[tolds - 1].line);
}

/* Between the fork handlers the thread has the locks of others as well. */
TEST(a_forking_thread_hands_nothing_out)
{
	listen_at(SECMALLOC_LOG_INFO, note);
	secm_lock_keep(&secm_heap_lock);
	say(SECMALLOC_LOG_INFO, "while it forks");
	say(SECMALLOC_LOG_INFO, "and still");
	EXPECT_EQ(0, tolds);
	secm_lock_let_go(&secm_heap_lock);
	EXPECT_EQ(0, tolds);
	flush();
	ASSERT_EQ(2, tolds);
	EXPECT_STREQ("while it forks", told[0].line);
}
