/* SPDX-License-Identifier: MIT */
/*
 * test_ksft.c - the test harness judges itself: checks, and ends of tests
 *
 * Runs ksft_sample and compares what it prints, to the letter, with what
 * ksft.h promises.  test_ksft_run.c does it for the rest.
 *
 * A harness that takes every failure for a pass would pass this test as well.
 * So the first test does not leave the verdict to it: see there.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 600
#endif

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ksft_sample.h"

/* Formatting tears expected output apart. */
/* clang-format off */

/* If failures go unseen, nothing that this program could print would show it:
 * it kills the runner, and the reader of its TAP misses the results. */
TEST(failures_are_seen)
{
	int seen;

	sample("", "-r fails");
	seen = strstr(output, "\nnot ok 1 fails\n") != NULL;
	sample("", "-r assert_stops");
	seen += strstr(output, "\nnot ok 1 assert_stops\n") != NULL;
	sample("", "-r dies");
	seen += strstr(output, "\nnot ok 1 dies\n") != NULL;
	if (seen != 3)
		kill(getppid(), SIGKILL);
}

TEST(pass)
{
	EXPECT_TAP("passes", "ok 1 passes\n" PASSED);
}

TEST(expect_goes_on)
{
	EXPECT_TAP("fails",
		   AT(114, "fails") "one (1) == many (3)\n"
		   AT(116, "fails") "\"say \\\"a\\\"\\n\" (\"say \\\"a\\\"\\n\")"
		   " == \"\\001b\" (\"\\x01b\")\n"
		   AT(117, "fails") "\"a\" (\"a\") == (char *)NULL (NULL)\n"
		   "not ok 1 fails\n" FAILED);
}

TEST(assert_stops)
{
	EXPECT_TAP("assert_stops",
		   AT(123, "assert_stops") "2 (2) < 1 (1)\n"
		   "not ok 1 assert_stops\n" FAILED);
}

TEST(block_runs_once_on_failure)
{
	EXPECT_TAP("block_runs_on_failure",
		   AT(135, "block_runs_on_failure") "0 (0) == 1 (1)\n"
		   AT(135, "block_runs_on_failure") "round 1\n"
		   AT(136, "block_runs_on_failure") "0 (0) == 1 (1)\n"
		   AT(136, "block_runs_on_failure") "round 2\n"
		   "not ok 1 block_runs_on_failure\n" FAILED);
}

#ifdef KSFT_EXACT_VALUES
TEST(values_are_shown_with_sign_and_kind)
{
	char text[600];

	snprintf(text, sizeof(text), "TAP version 13\n1..1\n"
		 AT(146, "values_are_shown") "small (-1) >= big (%ju)\n"
		 AT(147, "values_are_shown") "small (-1) == big (%ju)\n"
		 AT(148, "values_are_shown") "NULL (0x0) == p (0x10)\n"
		 AT(149, "values_are_shown") "0 (0) != small > 0 (0)\n"
		 "not ok 1 values_are_shown\n" FAILED,
		 (uintmax_t)SIZE_MAX, (uintmax_t)SIZE_MAX);
	EXPECT_EQ(0, sample("", "-r values_are_shown"));
	EXPECT_FALSE(differs(text));
}

TEST(values_compare_as_numbers)
{
	EXPECT_LT(-1, SIZE_MAX);
	EXPECT_NE(-1, UINTMAX_MAX);
	EXPECT_LT(INTMAX_MAX, UINTMAX_MAX);
}
#endif

TEST(operators_hold)
{
	EXPECT_TAP("operators_hold", "ok 1 operators_hold\n" PASSED);
}

TEST(every_expect_fails_and_goes_on)
{
	EXPECT_EQ(0, sample("", "-r expects_go_on"));
	EXPECT_EQ(28, count(": expects_go_on: "));
	EXPECT_EQ(14, count(": went on\n"));
	EXPECT_EQ(1, count("\nnot ok 1 expects_go_on\n" FAILED));
}

TEST(every_assert_fails_and_stops)
{
	EXPECT_EQ(0, sample("", "-r asserts_stop"));
	EXPECT_EQ(28, count(": asserts_stop: "));
	EXPECT_EQ(14, count(": stopped\n"));
	EXPECT_EQ(1, count("\nnot ok 1 asserts_stop\n" FAILED));
}

TEST(skip)
{
	EXPECT_TAP("skips", "ok 1 skips # SKIP no luck here\n" SKIPPED);
	EXPECT_TAP("sanitizer_skips", "ok 1 sanitizer_skips # SKIP "
		   "sanitizer build: it takes the fault\n" SKIPPED);
	EXPECT_TAP("skip_instead_of_death", "ok 1 skip_instead_of_death "
		   "# SKIP cannot die\n" SKIPPED);
}

TEST(skip_hides_no_failure)
{
	EXPECT_TAP("failure_beats_skip",
		   AT(272, "failure_beats_skip") "0 (0) == 1 (1)\n"
		   "not ok 1 failure_beats_skip\n" FAILED);
	EXPECT_TAP("dies_after_skip",
		   AT(281, "dies_after_skip") "died by SIGTERM\n"
		   "not ok 1 dies_after_skip\n" FAILED);
}

TEST(known_failures_are_todo)
{
	EXPECT_TAP("known_failure",
		   AT(303, "known_failure") "0 (0) == 1 (1)\n"
		   "not ok 1 known_failure # TODO bug 7\n"
		   TOTALS(0, 0, 1, 0, 0));
	EXPECT_TAP("known_death",
		   AT(306, "known_death") "died by SIGTERM\n"
		   "not ok 1 known_death # TODO bug 8\n"
		   TOTALS(0, 0, 1, 0, 0));
	EXPECT_TAP("known_failure_is_gone",
		   "ok 1 known_failure_is_gone # TODO bug 9\n"
		   TOTALS(0, 0, 0, 1, 0));
}

TEST(unexpected_end_fails)
{
	EXPECT_TAP("dies", AT(320, "dies") "died by SIGTERM\n"
		   "not ok 1 dies\n" FAILED);
	EXPECT_TAP("calls_exit", AT(330, "calls_exit")
		   "exited with status 0 before its end\n"
		   "not ok 1 calls_exit\n" FAILED);
}

TEST(child_of_a_test)
{
	EXPECT_TAP("child_fails", AT(345, "child_fails") "0 (0) == 1 (1)\n"
		   "not ok 1 child_fails\n" FAILED);
	EXPECT_TAP("child_comes_back", "ok 1 child_comes_back\n" PASSED);
}

TEST(what_a_test_prints_is_comment)
{
	EXPECT_TAP("talks", "# ok 99 fake\n# Bail out!\n# to stderr\n"
		   "ok 1 talks\n" PASSED);
}

TEST(log_is_one_line)
{
	EXPECT_TAP("logs_newline", AT(372, "logs_newline") "two Slines\n"
		   "ok 1 logs_newline\n" PASSED);
}

TEST(standard_input_is_empty_and_group_its_own)
{
	EXPECT_EQ(0, sample("", "-r sees_its_world </dev/zero"));
	EXPECT_FALSE(differs("TAP version 13\n1..1\nok 1 sees_its_world\n"
			     PASSED));
}

/* Of the other file: more than a pipe holds, no line broken or lost. */
TEST(long_output)
{
	EXPECT_EQ(0, sample("", "-r talks_much | cut -c1-10"));
	EXPECT_EQ(200, count("# xxxxxxxx\n"));
	EXPECT_EQ(1, count("1..1\n# xx"));
	EXPECT_EQ(1, count("xx\nok 1 talk"));
}

TEST(expected_signal)
{
	EXPECT_TAP("abort_expected", "ok 1 abort_expected\n" PASSED);
}

TEST(expected_signal_did_not_come)
{
	EXPECT_TAP("abort_expected_but_term",
		   DIE(310, "abort_expected_but_term")
		   "died by SIGTERM; expected SIGABRT\n"
		   "not ok 1 abort_expected_but_term\n" FAILED);
	EXPECT_TAP("abort_expected_but_lives",
		   DIE(320, "abort_expected_but_lives")
		   "lived; expected SIGABRT\n"
		   "not ok 1 abort_expected_but_lives\n" FAILED);
}

TEST(expected_signal_hides_no_failure)
{
	EXPECT_TAP("abort_expected_but_assert_fails",
		   DIE(332, "abort_expected_but_assert_fails")
		   "0 (0) == 1 (1)\n"
		   "not ok 1 abort_expected_but_assert_fails\n" FAILED);
	EXPECT_TAP("dies_as_expected_after_failure",
		   DIE(342, "dies_as_expected_after_failure")
		   "0 (0) == 1 (1)\n"
		   "not ok 1 dies_as_expected_after_failure\n" FAILED);
}

TEST(death)
{
	EXPECT_TAP("death_right",
		   "# to stdout\nok 1 death_right\n" PASSED);
}

#define WRONG_DEATH(line, name, did, said) \
	EXPECT_TAP(name, DIE(line, name) did ", stderr \"" said \
		   "\"; expected SIGABRT, stderr \"last words\\n\"\n" \
		   "not ok 1 " name "\n" FAILED)

TEST(death_with_other_text_signal_or_none)
{
	WRONG_DEATH(410, "death_wrong_text", "died by SIGABRT", "last word\\n");
	WRONG_DEATH(420, "death_more_text", "died by SIGABRT",
		    "last words\\nmore\\n");
	WRONG_DEATH(430, "death_no_text", "died by SIGABRT", "");
	WRONG_DEATH(440, "death_wrong_signal", "died by SIGTERM",
		    "last words\\n");
	WRONG_DEATH(450, "death_lives", "lived", "last words\\n");
}

TEST(death_hides_no_failed_assert)
{
	EXPECT_TAP("death_assert_fails",
		   DIE(463, "death_assert_fails") "0 (0) == 1 (1)\n"
		   "not ok 1 death_assert_fails\n" FAILED);
}

TEST(death_with_long_text)
{
	EXPECT_EQ(0, sample("", "-r death_long_text"));
	EXPECT_EQ(1, count("470: death_long_text: died by SIGABRT, stderr \"x"));
	EXPECT_EQ(1, count("x...\"; expected SIGABRT, stderr \"\"\n"
			   "not ok 1 death_long_text\n" FAILED));
}

TEST(deaths_inside_a_test)
{
	EXPECT_TAP("deaths_right", "# seen\nok 1 deaths_right\n" PASSED);
}

TEST(wrong_deaths_inside_a_test)
{
	EXPECT_EQ(0, sample("", "-r deaths_wrong | sed 's/xx*/x/'"));
	EXPECT_FALSE(differs("TAP version 13\n1..1\n"
		   DIE(512, "deaths_wrong") "die(\"two\\n\"): died by SIGABRT,"
		   " stderr \"two\\n\"; expected SIGABRT, stderr \"one\\n\"\n"
		   DIE(513, "deaths_wrong") "say_much(); abort(): died by SIGABRT,"
		   " stderr \"x...\"; expected SIGABRT, stderr \"\"\n"
		   DIE(514, "deaths_wrong")
		   "raise(SIGTERM): died by SIGTERM; expected SIGABRT\n"
		   DIE(515, "deaths_wrong")
		   "exit(3): exited with status 3; expected SIGABRT\n"
		   DIE(516, "deaths_wrong")
		   "return: lived; expected SIGABRT\n"
		   DIE(517, "deaths_wrong")
		   "(void)0: lived; expected SIGABRT\n"
		   "not ok 1 deaths_wrong\n" FAILED));
	EXPECT_TAP("deaths_with_failure",
		   DIE(522, "deaths_with_failure") "0 (0) == 1 (1)\n"
		   "not ok 1 deaths_with_failure\n" FAILED);
}
