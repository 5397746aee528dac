/* SPDX-License-Identifier: MIT */
/*
 * test_log_threads.c - log.c with threads, children and cancellation
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "ksft.h"
#include "t_heap.h"
#include "t_util.h"

static struct secm_heap *const heap = &secm_default_heap;

static void listen_with(secmalloc_logger *log)
{
	struct secmalloc_config c = { .flags = SECMALLOC_BEST_EFFORT };

	/* Memory that no limit can make a topic of. */
	secm_os_mask(SECM_HIDDEN | SECM_LOCKED);
	if (heap->state == SECM_NEW)
		ASSERT_EQ(0, secmalloc_init(&c));
	heap->policy.config.log_level = SECMALLOC_LOG_INFO;
	heap->policy.config.log = log;
}

static void say(const char *line)
{
	secm_lock(&secm_heap_lock);
	secm_log(heap, SECMALLOC_LOG_INFO, "%s", line);
	secm_log_unlock(heap);
}

enum { THREADS = 4, LINES = 2000 };

static struct talker {
	pthread_t thread;
	int next; /* line that is to come */
	int nested;
} talkers[THREADS];

/* Every fifth line causes another one. */
static void judge(int level, const char *line, void *arg)
{
	int n, i;

	(void)level;
	(void)arg;
	if (sscanf(line, "%d nested", &n) == 1 && strstr(line, "nested")) {
		talkers[n].nested++;
		return;
	}
	ASSERT_EQ(2, sscanf(line, "%d says %d", &n, &i)) {
		TH_LOG("%s", line);
	}
	EXPECT_TRUE(pthread_equal(pthread_self(), talkers[n].thread));
	EXPECT_EQ(talkers[n].next, i);
	talkers[n].next = i + 1;
	if (i % 5 == 0) {
		char more[32];

		snprintf(more, sizeof(more), "%d nested", n);
		say(more);
	}
}

static void *talk(void *arg)
{
	struct talker *me = arg;
	int n = (int)(me - talkers), i;
	char line[64];

	me->thread = pthread_self();
	for (i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), "%d says %d", n, i);
		say(line);
		secfree(secmalloc((size_t)i % 300));
	}
	return NULL;
}

TEST(each_thread_hands_out_its_own_lines_and_loses_none)
{
	pthread_t thread[THREADS];
	int i;

	listen_with(judge);
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, talk,
					    &talkers[i]));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	for (i = 0; i < THREADS; i++) {
		EXPECT_EQ(LINES, talkers[i].next);
		EXPECT_EQ(LINES / 5, talkers[i].nested);
	}
	EXPECT_NULL(heap->log.deliveries);
	EXPECT_EQ(0, secm_log_pending(&heap->log));
}

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int is_inside, others_are_done, others;

static void slow_logger(int level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	pthread_mutex_lock(&turn);
	if (strcmp(line, "slow") == 0) {
		is_inside = 1;
		pthread_cond_broadcast(&changed);
		while (!others_are_done)
			pthread_cond_wait(&changed, &turn);
	} else {
		others++;
	}
	pthread_mutex_unlock(&turn);
}

static void *say_slow(void *unused)
{
	say("slow");
	return unused;
}

/* A thread that is inside of slow_logger(), and its way out. */
static pthread_t let_in(void)
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, say_slow, NULL));
	pthread_mutex_lock(&turn);
	while (!is_inside)
		pthread_cond_wait(&changed, &turn);
	pthread_mutex_unlock(&turn);
	return thread;
}

static void let_out(pthread_t thread)
{
	pthread_mutex_lock(&turn);
	others_are_done = 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&turn);
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

/* Ends by the test's time limit if it does not hold. */
TEST(a_logger_that_waits_keeps_nobody_else)
{
	pthread_t thread;
	void *p;

	listen_with(slow_logger);
	p = secmalloc(40);
	thread = let_in();
	secfree(p);
	say("another");
	say("and another");
	EXPECT_EQ(2, others);
	let_out(thread);
	EXPECT_NULL(heap->log.deliveries);
}

static void *say_when_cancelled(void *arg)
{
	/* From here on every cancellation point ends the thread. */
	if (pthread_cancel(pthread_self()) != 0)
		return NULL;
	say(arg); /* write(2) is one */
	is_inside = 1;
	pthread_testcancel();
	return NULL;
}

TEST(a_line_is_no_place_to_be_cancelled)
{
	static char line[] = "said by a thread that is to end";
	pthread_t thread;
	void *result;
	char buf[80];
	ssize_t n;
	int fd[2], saved = dup(STDERR_FILENO);

	listen_with(NULL);
	ASSERT_EQ(0, pipe(fd));
	ASSERT_GE(dup2(fd[1], STDERR_FILENO), 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, say_when_cancelled, line));
	ASSERT_EQ(0, pthread_join(thread, &result));
	ASSERT_GE(dup2(saved, STDERR_FILENO), 0);
	EXPECT_EQ(1, is_inside);
	EXPECT_TRUE(result == PTHREAD_CANCELED); /* it was still to come */
	EXPECT_NULL(heap->log.deliveries);
	n = read(fd[0], buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	EXPECT_STREQ("secmalloc: said by a thread that is to end\n", buf);
}

static int heard;

static void count(int level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	EXPECT_NULL(strstr(line, "parent"));
	heard++;
}

TEST(a_child_tells_nothing_of_its_parent)
{
	listen_with(count);
	secm_lock(&secm_heap_lock);
	secm_log(heap, SECMALLOC_LOG_INFO, "the parent says");
	EXPECT_EQ(1, secm_log_pending(&heap->log));
	secm_log_forked(heap);
	EXPECT_EQ(0, secm_log_pending(&heap->log));
	secm_log_unlock(heap);
	EXPECT_EQ(0, heard);
	say("the child says");
	EXPECT_EQ(1, heard);
}

static int forks;

/* The first line makes a child, which must not hear the second.  That the child
 * starts is not counted. */
static void forking_logger(int level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	if (strncmp(line, "say: ", 5) != 0)
		return;
	heard++;
	if (forks++ > 0)
		return;
	EXPECT_STREQ("say: one", line);
	if (t_fork()) {
		secm_lock(&secm_heap_lock);
		secm_log_forked(heap);
		secm_unlock(&secm_heap_lock);
		say("say: nested in the child");
		arg = secmalloc(30);
		secfree(arg);
	}
}

TEST(a_logger_may_fork)
{
	pid_t parent = getpid();

	listen_with(forking_logger);
	secm_lock(&secm_heap_lock);
	secm_log(heap, SECMALLOC_LOG_INFO, "say: one");
	secm_log(heap, SECMALLOC_LOG_INFO, "say: two");
	secm_log_unlock(heap);
	EXPECT_EQ(2, heard); /* one and two, or one and nested */
	EXPECT_NULL(heap->log.deliveries);
	say("say: three");
	EXPECT_EQ(3, heard);
	if (getpid() != parent)
		_exit(0);
	EXPECT_EQ(0, t_last_child);
}

/* A delivery of a thread that is not in the child. */
TEST(a_child_forgets_the_deliveries_of_other_threads)
{
	pthread_t thread;

	listen_with(slow_logger);
	thread = let_in();
	EXPECT_NOT_NULL(heap->log.deliveries);
	T_IN_CHILD({
		secm_log_forked(heap);
		EXPECT_NULL(heap->log.deliveries);
		say("of the child");
		EXPECT_EQ(1, others);
	});
	let_out(thread);
	EXPECT_EQ(0, others);
	EXPECT_NULL(heap->log.deliveries);
}

/* What another thread left there, as one that forks may. */
static void *leave_a_line(void *arg)
{
	secm_lock(&secm_heap_lock);
	secm_log(heap, SECMALLOC_LOG_INFO, "%s", (const char *)arg);
	secm_unlock(&secm_heap_lock);
	return NULL;
}

static void meeting_logger(int level, const char *line, void *arg)
{
	static char other[] = "of another";
	static int depth;
	pthread_t thread;

	(void)level;
	(void)arg;
	EXPECT_EQ(0, depth);
	depth++;
	if (heard++ == 0) {
		EXPECT_STREQ("mine", line);
		ASSERT_EQ(0, pthread_create(&thread, NULL, leave_a_line,
					    other));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		secm_lock(&secm_heap_lock);
		secm_log_unlock(heap);
		EXPECT_EQ(1, heard);
	} else {
		EXPECT_STREQ(other, line);
	}
	depth--;
}

TEST(a_logger_is_not_called_inside_itself_for_lines_of_others)
{
	listen_with(meeting_logger);
	say("mine");
	EXPECT_EQ(1, heard);
	secm_lock(&secm_heap_lock);
	secm_log_unlock(heap);
	EXPECT_EQ(2, heard);
	EXPECT_NULL(heap->log.deliveries);
}
