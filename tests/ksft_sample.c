/* SPDX-License-Identifier: MIT */
/*
 * ksft_sample.c - tests that pass, fail and skip, for test_ksft.c
 *
 * With ksft_sample_die.c a program, not a test itself: test_ksft.c runs it,
 * mostly one test at a time, and compares its output to the letter.  #line
 * gives the failing checks numbers that stay; they only ever grow, since tests
 * are sorted by them.
 *
 * From the environment: KSFT_SAMPLE_SKIP, why to skip it all.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 600
#endif

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* Line numbers matter. */
/* clang-format off */
#define KSFT_SANITIZED 1
#include "ksft.h"

static const char *skip_all(void)
{
	const char *why = getenv("KSFT_SAMPLE_SKIP");

	if (why && strcmp(why, "die") == 0)
		abort();
	return why;
}
KSFT_PROGRAM_SKIP_IF(skip_all);

#line 100 "sample.c"
TEST(passes)
{
	EXPECT_EQ(1, 1);
}

#line 110
TEST(fails)
{
	int one = 1, many = 3;

	EXPECT_EQ(one, many); /* 114 */
	EXPECT_STREQ("a", "a");
	EXPECT_STREQ("say \"a\"\n", "\001b"); /* 116 */
	EXPECT_STREQ("a", (char *)NULL); /* 117 */
}

#line 120
TEST(assert_stops)
{
	ASSERT_EQ(0, 0);
	ASSERT_LT(2, 1); /* 123 */
	EXPECT_EQ(0, 1);
}

#line 130
TEST(block_runs_on_failure)
{
	int rounds = 0;

	EXPECT_EQ(0, 0) { TH_LOG("never"); }
	EXPECT_EQ(0, 1) { TH_LOG("round %d", ++rounds); } /* 135 */
	ASSERT_EQ(0, 1) { TH_LOG("round %d", ++rounds); } /* 136 */
	TH_LOG("never");
}

#line 140
TEST(values_are_shown)
{
	size_t big = (size_t)-1;
	signed char small = -1;
	char *p = (char *)16;

	EXPECT_GE(small, big); /* 146 */
	EXPECT_EQ(small, big); /* 147 */
	EXPECT_NULL(p); /* 148 */
	EXPECT_TRUE(small > 0); /* 149 */
}

TEST(operators_hold)
{
	ASSERT_EQ(2, 2);
	ASSERT_NE(1, 2);
	ASSERT_LT(1, 2);
	ASSERT_LE(1, 2);
	ASSERT_LE(2, 2);
	ASSERT_GT(2, 1);
	ASSERT_GE(2, 1);
	ASSERT_GE(2, 2);
	ASSERT_TRUE(3);
	ASSERT_FALSE(0);
	ASSERT_NULL((char *)NULL);
	ASSERT_NOT_NULL("");
	ASSERT_STREQ("a", "a");
	ASSERT_STREQ((char *)NULL, (char *)NULL);
	ASSERT_STRNE("a", "b");
	ASSERT_STRNE("a", (char *)NULL);
}

/* A failing check in a child, and whether that ended there. */
#define TRY(check) \
	do { \
		int end = 0; \
		if (fork() == 0) { \
			check; \
			_exit(0); \
		} \
		wait(&end); \
		TH_LOG("%s", end ? "stopped" : "went on"); \
	} while (0)

TEST(asserts_stop)
{
	TRY(ASSERT_EQ(1, 2));
	TRY(ASSERT_NE(1, 1));
	TRY(ASSERT_LT(1, 1));
	TRY(ASSERT_LE(2, 1));
	TRY(ASSERT_GT(1, 1));
	TRY(ASSERT_GE(1, 2));
	TRY(ASSERT_TRUE(0));
	TRY(ASSERT_FALSE(1));
	TRY(ASSERT_NULL(""));
	TRY(ASSERT_NOT_NULL((char *)NULL));
	TRY(ASSERT_STREQ("a", "ab"));
	TRY(ASSERT_STRNE("a", "a"));
	TRY(ASSERT_SIGNAL(SIGABRT, (void)0));
	TRY(ASSERT_DEATH(SIGABRT, "", (void)0));
}

TEST(expects_go_on)
{
	TRY(EXPECT_EQ(1, 2));
	TRY(EXPECT_NE(1, 1));
	TRY(EXPECT_LT(1, 1));
	TRY(EXPECT_LE(2, 1));
	TRY(EXPECT_GT(1, 1));
	TRY(EXPECT_GE(1, 2));
	TRY(EXPECT_TRUE(0));
	TRY(EXPECT_FALSE(1));
	TRY(EXPECT_NULL(""));
	TRY(EXPECT_NOT_NULL((char *)NULL));
	TRY(EXPECT_STREQ("a", "ab"));
	TRY(EXPECT_STRNE("a", "a"));
	TRY(EXPECT_SIGNAL(SIGABRT, (void)0));
	TRY(EXPECT_DEATH(SIGABRT, "", (void)0));
}

#line 260
TEST(skips)
{
	SKIP(return, "no %s here", "luck");
	EXPECT_EQ(0, 1);
}

#line 270
TEST(failure_beats_skip)
{
	EXPECT_EQ(0, 1); /* 272 */
	SKIP(return, "too late");
}

TEST_DEATH(skip_instead_of_death, SIGABRT, "line\n")
{
	SKIP(return, "cannot die");
}

TEST(dies_after_skip)
{
	ksft_skip_("why");
	raise(SIGTERM);
}

TEST(sanitizer_skips)
{
	KSFT_SANITIZER_SKIP("it takes the fault");
	EXPECT_EQ(0, 1);
}

#line 300
TEST(known_failure)
{
	XFAIL("bug %d", 7);
	EXPECT_EQ(0, 1); /* 303 */
}

TEST(known_death)
{
	XFAIL("bug %d", 8);
	raise(SIGTERM);
}

TEST(known_failure_is_gone)
{
	XFAIL("bug %d", 9);
}

#line 320
TEST(dies)
{
	raise(SIGTERM);
}

#line 330
TEST(calls_exit)
{
	exit(0);
}

#line 340
TEST(child_fails)
{
	pid_t child = fork();

	if (child == 0)
		ASSERT_EQ(0, 1); /* 345 */
	EXPECT_EQ(child, waitpid(child, NULL, 0));
}

#line 350
TEST(child_comes_back)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		return;
	waitpid(child, &status, 0);
	EXPECT_NE(0, status);
}

TEST(talks)
{
	printf("ok 99 fake\nBail out!\n");
	fputs("to stderr", stderr);
}

#line 370
TEST(logs_newline)
{
	TH_LOG("two\nSlines"); /* 372 */
}

#line 530
TEST(random_fails)
{
	TH_LOG("%jx", (uintmax_t)ksft_random()); /* 532 */
	TH_LOG("%jx", (uintmax_t)ksft_random()); /* 533 */
	EXPECT_EQ(0, 1); /* 534 */
}

#line 540
TEST(random_passes)
{
	TH_LOG("%jx", (uintmax_t)ksft_random()); /* 542 */
}

TEST(sees_its_world)
{
	char c;

	EXPECT_EQ(getpid(), getpgrp());
	EXPECT_EQ(0, read(0, &c, 1));
}

#line 700
FIXTURE(order) { int stage; };

FIXTURE_SETUP(order)
{
	printf("setup %d\n", self->stage++);
}

FIXTURE_TEARDOWN(order)
{
	printf("teardown %d\n", self->stage);
}

#line 720
TEST_F(order, passes)
{
	printf("test %d\n", self->stage++);
	EXPECT_NULL(variant);
}

#line 730
TEST_F(order, assert_fails)
{
	self->stage = 5;
	ASSERT_EQ(0, 1); /* 733 */
	self->stage = 6;
}

TEST_F_SIGNAL(order, dies, SIGABRT)
{
	abort();
}

#line 800
FIXTURE(setup) { int unused; };
FIXTURE_VARIANT(setup) { const char *how; };
FIXTURE_VARIANT_ADD(setup, skips) { .how = "skip" };
FIXTURE_VARIANT_ADD(setup, expect_fails) { .how = "expect" };
FIXTURE_VARIANT_ADD(setup, assert_fails) { .how = "assert" };
FIXTURE_VARIANT_ADD(setup, works) { .how = "" };

#line 810
FIXTURE_SETUP(setup)
{
	if (strcmp(variant->how, "skip") == 0)
		SKIP(return, "by setup");
	EXPECT_STRNE("expect", variant->how); /* 814 */
	ASSERT_STRNE("assert", variant->how); /* 815 */
}

FIXTURE_TEARDOWN(setup)
{
	printf("teardown\n");
}

TEST_F(setup, first)
{
	printf("first\n");
}

TEST_F(setup, second)
{
	printf("second\n");
}

#line 900
FIXTURE(teardown) { int unused; };
FIXTURE_SETUP(teardown) { }

#line 910
FIXTURE_TEARDOWN(teardown)
{
	printf("teardown\n");
	ASSERT_EQ(0, 1); /* 913 */
}

TEST_F(teardown, fails)
{
}
