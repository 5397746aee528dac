/* SPDX-License-Identifier: MIT */
/*
 * ksft_sample_die.c - the tests of ksft_sample that die, hang or leave strays
 *
 * See ksft_sample.c.  From the environment: KSFT_SAMPLE_FD, a pipe to be held
 * open by processes that must not outlive their test.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 600
#endif

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ksft.h"

/* Line numbers matter. */
/* clang-format off */

enum {
	LONG = 200000,	/* bytes, more than pipes hold */
	STRAY_LIFE = 20 /* seconds, for a process that should have been killed */
};

static void say(const char *s)
{
	if (write(2, s, strlen(s)) < 0)
		_exit(1);
}

static void say_much(void)
{
	char block[1000];
	int i;

	memset(block, 'x', sizeof(block));
	block[sizeof(block) - 1] = '\n';
	for (i = 0; i < LONG / (int)sizeof(block); i++)
		if (write(2, block, sizeof(block)) < 0)
			_exit(1);
}

static void die(const char *s)
{
	say(s);
	abort();
}

#line 300 "die.c"
TEST_SIGNAL(abort_expected, SIGABRT)
{
	abort();
}

#line 310
TEST_SIGNAL(abort_expected_but_term, SIGABRT)
{
	raise(SIGTERM);
}

#line 320
TEST_SIGNAL(abort_expected_but_lives, SIGABRT)
{
}

#line 330
TEST_SIGNAL(abort_expected_but_assert_fails, SIGABRT)
{
	ASSERT_EQ(0, 1); /* 332 */
	abort();
}

#line 340
TEST_SIGNAL(dies_as_expected_after_failure, SIGABRT)
{
	EXPECT_EQ(0, 1); /* 342 */
	abort();
}

#line 400
TEST_DEATH(death_right, SIGABRT, "last words\n")
{
	printf("to stdout\n");
	die("last words\n");
}

#line 410
TEST_DEATH(death_wrong_text, SIGABRT, "last words\n")
{
	die("last word\n");
}

#line 420
TEST_DEATH(death_more_text, SIGABRT, "last words\n")
{
	die("last words\nmore\n");
}

#line 430
TEST_DEATH(death_no_text, SIGABRT, "last words\n")
{
	abort();
}

#line 440
TEST_DEATH(death_wrong_signal, SIGABRT, "last words\n")
{
	say("last words\n");
	raise(SIGTERM);
}

#line 450
TEST_DEATH(death_lives, SIGABRT, "last words\n")
{
	say("last words\n");
}

#line 460
TEST_DEATH(death_assert_fails, SIGABRT, "last words\n")
{
	say("last words\n");
	ASSERT_EQ(0, 1); /* 463 */
	abort();
}

#line 470
TEST_DEATH(death_long_text, SIGABRT, "")
{
	say_much();
	abort();
}

#line 500
TEST(deaths_right)
{
	EXPECT_DEATH(SIGABRT, "one\n", die("one\n"));
	ASSERT_DEATH(SIGABRT, "", abort());
	EXPECT_DEATH(SIGTERM, "ab", say("a"); say("b"); raise(SIGTERM));
	EXPECT_SIGNAL(SIGTERM, say("seen\n"); raise(SIGTERM));
}

#line 510
TEST(deaths_wrong)
{
	EXPECT_DEATH(SIGABRT, "one\n", die("two\n")); /* 512 */
	EXPECT_DEATH(SIGABRT, "", say_much(); abort()); /* 513 */
	EXPECT_SIGNAL(SIGABRT, raise(SIGTERM)); /* 514 */
	EXPECT_SIGNAL(SIGABRT, exit(3)); /* 515 */
	EXPECT_SIGNAL(SIGABRT, return); /* 516 */
	ASSERT_SIGNAL(SIGABRT, (void)0); /* 517 */
	EXPECT_SIGNAL(SIGABRT, (void)0);
}

#line 520
TEST(deaths_with_failure)
{
	EXPECT_SIGNAL(SIGABRT, EXPECT_EQ(0, 1); abort()); /* 522 */
}

TEST(talks_much)
{
	say_much();
}

/* A process of the test that holds the pipe; returns when it runs. */
static void start_stray(void)
{
	int fd = atoi(getenv("KSFT_SAMPLE_FD")), ready[2];
	char c;

	ASSERT_EQ(0, pipe(ready));
	if (fork() == 0) {
		alarm(STRAY_LIFE);
		if (write(fd, "s", 1) == 1 && write(ready[1], "r", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	ASSERT_EQ(1, read(ready[0], &c, 1));
}

TEST(leaves_stray)
{
	start_stray();
}

TEST(ends_runner)
{
	start_stray();
	alarm(STRAY_LIFE);
	kill(getppid(), SIGTERM);
	pause();
}

#line 600
FIXTURE(late) { int unused; };
FIXTURE_SETUP(late) { }
FIXTURE_TEARDOWN(late) { printf("never\n"); }

#line 610
TEST_F_TIMEOUT(late, hangs, 1)
{
	start_stray();
	alarm(STRAY_LIFE);
	for (;;)
		pause();
}

#line 620
TEST_F_DEATH(late, dies, SIGABRT, "words\n")
{
	die("words\n");
}
