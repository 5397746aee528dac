/* SPDX-License-Identifier: MIT */
/*
 * test_os_process.c - what every backend promises in os.h: the process
 *
 * Random bytes, the lock limit, hardening, panic and facts: what has nothing
 * to do with mapped pages.
 */
#include "t_os.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>

#include "ksft.h"
#include "secmalloc.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

TEST(random_fills_every_byte_and_no_more)
{
	enum { LEN = 1 << 20 };
	unsigned char *buf = calloc(LEN + 2, 1);
	unsigned char seen[64] = { 0 };
	size_t i;

	ASSERT_NE(NULL, buf);
	/* 32 draws: a byte that is 0 in all of them is not drawn. */
	for (i = 0; i < 32 * sizeof(seen); i++) {
		if (i % sizeof(seen) == 0)
			ASSERT_EQ(0, secm_os_random(buf + 1, sizeof(seen)));
		seen[i % sizeof(seen)] |= buf[1 + i % sizeof(seen)];
	}
	for (i = 0; i < sizeof(seen); i++)
		EXPECT_NE(0, seen[i]);
	EXPECT_EQ(0, buf[0]);
	EXPECT_EQ(0, buf[1 + sizeof(seen)]);
	ASSERT_EQ(0, secm_os_random(buf + 1, LEN));
	for (i = 0; i + 16 <= LEN; i += 16)
		if (t_holds((char *)buf + 1 + i, 16, 0))
			break;
	EXPECT_EQ(LEN, i);
	EXPECT_EQ(0, buf[0]);
	EXPECT_EQ(0, buf[LEN + 1]);
	free(buf);
}

TEST(random_draws_differ)
{
	char a[16], b[16];

	ASSERT_EQ(0, secm_os_random(a, sizeof(a)));
	ASSERT_EQ(0, secm_os_random(b, sizeof(b)));
	EXPECT_NE(0, memcmp(a, b, sizeof(a)));
}

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

/* A millisecond is less than a draw of this length takes. */
TEST(random_is_whole_when_signals_interrupt_it)
{
	enum { LEN = 1 << 22, TAIL = 64 };
	static const struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	static const struct itimerval never;
	struct sigaction action;
	char *buf = calloc(LEN, 1);
	int i;

	ASSERT_NE(NULL, buf);
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_alarm;
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	for (i = 0; i < 4 || (alarms == 0 && i < 64); i++) {
		memset(buf + LEN - TAIL, 0, TAIL);
		EXPECT_EQ(0, secm_os_random(buf, LEN));
		EXPECT_FALSE(t_holds(buf + LEN - TAIL, TAIL, 0));
	}
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &never, NULL));
	free(buf);
	if (alarms == 0)
		SKIP(return, "no signal came");
}

TEST(random_without_descriptors_is_whole_or_an_error)
{
	char buf[64] = { 0 };
	int r;

	ASSERT_EQ(0, t_no_more_descriptors());
	r = secm_os_random(buf, sizeof(buf));
	EXPECT_EQ(0, t_descriptors_again());
	if (r == 0)
		EXPECT_FALSE(t_holds(buf, sizeof(buf), 0));
	else
		EXPECT_EQ(-EIO, r);
}

#ifdef RLIMIT_MEMLOCK
TEST(lock_limit_is_told_and_raised_once)
{
	struct rlimit limit;
	size_t soft, hard;

	ASSERT_EQ(0, getrlimit(RLIMIT_MEMLOCK, &limit));
	if (limit.rlim_max == 0)
		SKIP(return, "hard limit is 0: cannot be lowered");
	limit.rlim_max = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
	limit.rlim_cur = limit.rlim_max / 2;
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	secm_os_lock_limit(&soft, &hard);
	if (soft == SIZE_MAX && hard == SIZE_MAX) {
		EXPECT_EQ(0, secm_os_raise_lock_limit());
		SKIP(return, "backend does not know the limit, and says so");
	}
	EXPECT_EQ(limit.rlim_cur, soft);
	EXPECT_EQ(limit.rlim_max, hard);
	EXPECT_EQ(1, secm_os_raise_lock_limit());
	secm_os_lock_limit(&soft, &hard);
	EXPECT_EQ(limit.rlim_max, soft);
	EXPECT_EQ(limit.rlim_max, hard);
	EXPECT_EQ(0, secm_os_raise_lock_limit());
}
#endif

#ifdef __linux__
/* 1 if the kernel agrees with what was obtained. */
static int is_so(unsigned got)
{
	return (got & SECM_HARDEN_NOT_DUMPABLE ? 0 : 1) ==
		       prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L) &&
	       (got & SECM_HARDEN_NO_NEW_PRIVS ? 1 : 0) ==
		       prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L);
}
#else
/* Cannot be asked: then nothing may be claimed. */
static int is_so(unsigned got)
{
	return !(got & ~(unsigned)SECM_HARDEN_NO_CORE);
}
#endif

TEST(harden_does_what_it_says_and_no_more)
{
	unsigned all = SECM_HARDEN_NO_CORE | SECM_HARDEN_NOT_DUMPABLE |
		       SECM_HARDEN_NO_NEW_PRIVS;
	struct rlimit before, after;
	unsigned got = all;

	ASSERT_EQ(0, getrlimit(RLIMIT_CORE, &before));
	secm_os_harden(0, &got);
	EXPECT_EQ(0, got);
	ASSERT_EQ(0, getrlimit(RLIMIT_CORE, &after));
	EXPECT_EQ(before.rlim_max, after.rlim_max);
	secm_os_harden(all, &got);
	EXPECT_EQ(0, got & ~all);
	EXPECT_EQ(SECM_HARDEN_NO_CORE, got & SECM_HARDEN_NO_CORE);
	ASSERT_EQ(0, getrlimit(RLIMIT_CORE, &after));
	EXPECT_LE(after.rlim_cur, 1);
	EXPECT_LE(after.rlim_max, 1);
	EXPECT_TRUE(is_so(got));
}

TEST_DEATH(panic_writes_its_line_and_aborts, SIGABRT, "secmalloc: a line\n")
{
	secm_os_panic("secmalloc: a line\n");
}

TEST_SIGNAL(panic_aborts_with_standard_error_closed, SIGABRT)
{
	(void)close(STDERR_FILENO); /* what is tested */
	secm_os_panic("secmalloc: a line\n");
}

TEST_SIGNAL(panic_aborts_with_the_signal_ignored_and_blocked, SIGABRT)
{
	sigset_t set;

	(void)signal(SIGABRT, SIG_IGN); /* cannot fail for this signal */
	sigemptyset(&set);
	sigaddset(&set, SIGABRT);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	secm_os_panic("secmalloc: a line\n");
}

static int known_fact(const char *name)
{
	struct secmalloc_fact fact;
	unsigned n;

	for (n = 0; secm_os_fact(n, &fact); n++)
		if (strcmp(fact.name, name) == 0)
			return 1;
	return 0;
}

TEST(facts_are_complete_and_end)
{
	struct secmalloc_fact fact, other;
	unsigned n, m;

	for (n = 0; n < 100; n++) {
		memset(&fact, 0x7f, sizeof(fact));
		fact.size = sizeof(fact);
		if (!secm_os_fact(n, &fact))
			break;
		ASSERT_NE(NULL, fact.name);
		EXPECT_EQ(sizeof(fact), fact.size);
		EXPECT_NE(0, strlen(fact.name));
		EXPECT_GE(fact.status, SECMALLOC_FACT_GOOD);
		EXPECT_LE(fact.status, SECMALLOC_FACT_MISSING);
		EXPECT_NE(NULL, memchr(fact.value, 0, sizeof(fact.value)));
		EXPECT_NE(0, fact.value[0]);
		if (fact.advice)
			EXPECT_NE(0, strlen(fact.advice));
		for (m = 0; m < n && secm_os_fact(m, &other); m++)
			EXPECT_STRNE(other.name, fact.name);
	}
	EXPECT_LT(n, 100);
	EXPECT_EQ(0, secm_os_fact(n + 1, &fact));
	EXPECT_EQ(0, secm_os_fact(~0U, &fact));
	EXPECT_TRUE(known_fact("memfd_secret"));
	EXPECT_TRUE(known_fact("lock_limit"));
	EXPECT_TRUE(known_fact("hibernation"));
}
