/* SPDX-License-Identifier: MIT */
/*
 * test_seccomp_threads.c - caches of threads under filters on membarrier(2)
 *
 * Without that call threads fence themselves, or are stopped in another way;
 * where asking for it would kill, nobody asks.
 */
#include "t_api.h"

#include <pthread.h>

#include "ksft.h"
#include "t_heap.h"

#ifdef __linux__
#include "t_filter.h"

static const struct ta_tier plain = TA_TIER_PLAIN;

enum { ROUNDS = 30000, STOPS = 20, SLOTS = 32 };

static void *churn(void *arg)
{
	uint32_t x = (uint32_t)(uintptr_t)arg;
	char *p[SLOTS] = { NULL };
	int i;

	for (i = 0; i < ROUNDS; i++) {
		size_t at = (x = x * 1664525u + 1013904223u) >> 8 & (SLOTS - 1);

		if (p[at] && *p[at] != (char)at)
			return "";
		secfree(p[at]);
		p[at] = secmalloc((x >> 16) % 900 + 1);
		if (!p[at])
			return "";
		*p[at] = (char)at;
	}
	for (i = 0; i < SLOTS; i++)
		secfree(p[i]);
	return NULL;
}

/* Threads at work, stopped now and then by whoever counts or forks. */
static int use_threads(void)
{
	struct secmalloc_stats stats = { .size = sizeof(stats) };
	pthread_t thread[2];
	void *bad;
	pid_t pid;
	int i;

	for (i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, churn,
				   (void *)(uintptr_t)i) != 0)
			return 10;
	for (i = 0; i < STOPS; i++) {
		pid = fork();
		if (pid == 0)
			_exit(t_broken(&secm_default_heap) || !secmalloc(40));
		if (ta_status(pid) != 0)
			return 11;
		if (secmalloc_stats(&stats) != 0)
			return 12;
	}
	for (i = 0; i < 2; i++)
		if (pthread_join(thread[i], &bad) != 0 || bad)
			return 13;
	if (secmalloc_stats(&stats) != 0 || stats.objects != 0)
		return 14;
	return t_broken(&secm_default_heap) ? 15 : 0;
}

static int start_and_use(unsigned action, int late)
{
	if (!late && t_put_filter(SYS_membarrier, action) != 0)
		return 1;
	if (ta_start(&plain) != 0)
		return 2;
	if (late && t_put_filter(SYS_membarrier, action) != 0)
		return 3;
	return use_threads();
}

static void try(unsigned action, int late)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(start_and_use(action, late));
	EXPECT_EQ(0, ta_status(pid));
}

static const char *why_not(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(t_put_filter(SYS_getppid, T_ERROR(EXDEV)) != 0 ||
		      syscall(SYS_getppid) != -1 || errno != EXDEV);
	return ta_status(pid) == 0 ? NULL : "no seccomp filters here";
}

KSFT_PROGRAM_SKIP_IF(why_not);

/* The control: all is well without a filter, too. */
TEST(threads_without_a_filter)
{
	ASSERT_EQ(0, ta_start(&plain));
	EXPECT_EQ(0, use_threads());
}

TEST(membarrier_unknown_or_forbidden)
{
	try(T_ERROR(ENOSYS), 0);
	try(T_ERROR(EPERM), 0);
}

TEST(membarrier_that_kills_the_process)
{
	try(T_KILL, 0);
}

TEST(membarrier_forbidden_after_the_start)
{
	try(T_ERROR(EPERM), 1);
}

TEST(membarrier_that_kills_the_process_after_the_start)
{
	try(T_KILL, 1);
}
#else
static const char *why_not(void)
{
	return "seccomp is of Linux";
}

KSFT_PROGRAM_SKIP_IF(why_not);

TEST(nothing)
{
}
#endif
