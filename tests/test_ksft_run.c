/* SPDX-License-Identifier: MIT */
/*
 * test_ksft_run.c - the test harness judges itself: fixtures, options, runs
 *
 * As test_ksft.c, which also makes sure that failures are seen at all.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 600
#endif

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "ksft_sample.h"

/* Formatting tears expected output apart. */
/* clang-format off */

enum { STRAY_WAIT = 10000 }; /* ms for a killed process to be gone */

TEST(fixture_goes_setup_test_teardown)
{
	EXPECT_TAP("order.passes", "# setup 0\n# test 1\n# teardown 2\n"
		   "ok 1 order.passes\n" PASSED);
}

TEST(teardown_runs_after_failed_assert)
{
	EXPECT_EQ(0, sample("", "-r order.assert_fails"));
	EXPECT_EQ(1, count("# setup 0\n"));
	EXPECT_EQ(1, count("# teardown 5\n"));
	EXPECT_EQ(1, count(AT(733, "order.assert_fails") "0 (0) == 1 (1)\n"));
	EXPECT_EQ(1, count("\nnot ok 1 order.assert_fails\n" FAILED));
}

TEST(failing_teardown_fails_and_runs_once)
{
	EXPECT_EQ(0, sample("", "-r teardown.fails"));
	EXPECT_EQ(1, count("# teardown\n"));
	EXPECT_EQ(1, count(AT(913, "teardown.fails") "0 (0) == 1 (1)\n"));
	EXPECT_EQ(1, count("\nnot ok 1 teardown.fails\n" FAILED));
}

TEST(fixture_test_may_be_expected_to_die)
{
	EXPECT_TAP("order.dies", "# setup 0\nok 1 order.dies\n" PASSED);
	EXPECT_TAP("late.dies", "ok 1 late.dies\n" PASSED);
}

TEST(setup_that_skips_or_fails_leaves_the_test_out)
{
	EXPECT_TAP("setup.skips.first", "ok 1 setup.skips.first # SKIP "
		   "by setup\n" SKIPPED);
	EXPECT_TAP("setup.assert_fails.first",
		   AT(815, "setup.assert_fails.first") "\"assert\" (\"assert\")"
		   " != variant->how (\"assert\")\n"
		   "not ok 1 setup.assert_fails.first\n" FAILED);
	EXPECT_EQ(0, sample("", "-r setup.expect_fails.first"));
	EXPECT_EQ(1, count(AT(814, "setup.expect_fails.first")));
	EXPECT_EQ(1, count("# teardown\n"));
	EXPECT_EQ(0, count("# first\n"));
	EXPECT_EQ(1, count("\nnot ok 1 setup.expect_fails.first\n" FAILED));
}

TEST(each_variant_runs_each_test)
{
	EXPECT_EQ(0, sample("", "-f setup | grep -v '^#'"));
	EXPECT_FALSE(differs("TAP version 13\n1..8\n"
			     "ok 1 setup.skips.first # SKIP by setup\n"
			     "ok 2 setup.skips.second # SKIP by setup\n"
			     "not ok 3 setup.expect_fails.first\n"
			     "not ok 4 setup.expect_fails.second\n"
			     "not ok 5 setup.assert_fails.first\n"
			     "not ok 6 setup.assert_fails.second\n"
			     "ok 7 setup.works.first\n"
			     "ok 8 setup.works.second\n"));
	EXPECT_EQ(0, sample("", "-v works"));
	EXPECT_FALSE(differs("TAP version 13\n1..2\n"
			     "# first\n# teardown\nok 1 setup.works.first\n"
			     "# second\n# teardown\nok 2 setup.works.second\n"
			     TOTALS(2, 0, 0, 0, 0)));
}

TEST(filters_choose)
{
	EXPECT_EQ(0, sample("", "-l -f order"));
	EXPECT_FALSE(differs("order.passes\norder.assert_fails\norder.dies\n"));
	EXPECT_EQ(0, sample("", "-l -t first"));
	EXPECT_FALSE(differs("setup.skips.first\nsetup.expect_fails.first\n"
			     "setup.assert_fails.first\nsetup.works.first\n"));
	EXPECT_EQ(0, sample("", "-l -f setup -v '[sw]*' -t 's*'"));
	EXPECT_FALSE(differs("setup.skips.second\nsetup.works.second\n"));
	EXPECT_EQ(0, sample("", "-l -t passes"));
	EXPECT_FALSE(differs("passes\norder.passes\n"));
	EXPECT_EQ(0, sample("", "-l -r passes"));
	EXPECT_FALSE(differs("passes\n"));
}

/* In the sample's first file, whose tests come in source order. */
TEST(list_names_all)
{
	int plain;

	EXPECT_EQ(0, sample("", "-l -f order"));
	EXPECT_EQ(0, count("\npasses\n"));
	EXPECT_EQ(0, sample("", "-l"));
	EXPECT_EQ(1, count("\nfails\nassert_stops\nblock_runs_on_failure\n"
			   "values_are_shown\noperators_hold\nasserts_stop\n"));
	EXPECT_EQ(1, count("\norder.passes\norder.assert_fails\norder.dies\n"
			   "setup.skips.first\n"));
	EXPECT_EQ(0, count("ok"));
	EXPECT_EQ(0, count("1.."));
	plain = count("\n");
	EXPECT_EQ(0, sample("", "-l -f '*'"));
	EXPECT_EQ(14, count("\n"));
	EXPECT_GT(plain, count("\n"));
}

#define QUICK "-t '[!ehl]*'" /* neither hangs nor ends_ nor leaves_ */

TEST(plan_results_and_totals_agree)
{
	unsigned pass, fail, xfail, xpass, skip;
	const char *totals;
	char plan[40];
	int n;

	EXPECT_EQ(0, sample("", "-l " QUICK));
	n = count("\n");
	EXPECT_EQ(0, sample("", QUICK " | grep -v '^# x'"));
	snprintf(plan, sizeof(plan), "TAP version 13\n1..%d\n", n);
	EXPECT_EQ(1, count(plan));
	EXPECT_EQ(n, count("\nok ") + count("\nnot ok "));
	totals = strstr(output, "\n# Totals: ");
	ASSERT_NOT_NULL(totals);
	ASSERT_EQ(5, sscanf(totals, "\n# Totals: pass:%u fail:%u xfail:%u "
			    "xpass:%u skip:%u error:0\n", &pass, &fail, &xfail,
			    &xpass, &skip));
	EXPECT_EQ(n, pass + fail + xfail + xpass + skip);
	EXPECT_EQ(count("\nok "), pass + xpass + skip);
	EXPECT_EQ(count(" # SKIP "), skip);
	EXPECT_EQ(count(" # TODO "), xfail + xpass);
	EXPECT_STREQ("\n", strchr(totals + 1, '\n')); /* the last line */
}

TEST(no_match_and_wrong_options_are_errors)
{
	EXPECT_EQ(2, sample("", "-r passe"));
	EXPECT_FALSE(differs("no test matches\n"));
	EXPECT_EQ(2, sample("", "-f order -t first"));
	EXPECT_FALSE(differs("no test matches\n"));
	EXPECT_EQ(2, sample("", "-x"));
	EXPECT_EQ(1, count("usage: "));
	EXPECT_EQ(2, sample("", "passes"));
	EXPECT_EQ(1, count("usage: "));
	EXPECT_EQ(0, sample("", "-h"));
	EXPECT_EQ(1, count("usage: "));
	EXPECT_EQ(0, count("TAP"));
}

TEST(program_is_skipped)
{
	EXPECT_EQ(0, sample("KSFT_SAMPLE_SKIP='no luck'", ""));
	EXPECT_FALSE(differs("TAP version 13\n1..0 # SKIP no luck\n"));
	EXPECT_EQ(0, sample("KSFT_SAMPLE_SKIP='no luck'", "-l -r passes"));
	EXPECT_FALSE(differs("passes\n"));
}

TEST(program_skip_that_dies_bails_out)
{
	EXPECT_EQ(1, sample("KSFT_SAMPLE_SKIP=die", "-r passes"));
	EXPECT_EQ(1, count("died by SIGABRT\n"));
	EXPECT_EQ(1, count("\nBail out! "));
	EXPECT_EQ(0, count("ok 1"));
}

/* Enough descriptors for two pipes, but a death test needs a third. */
#define FEW_FILES \
	"sh -c 'exec 3>&- 4>&- 5>&- 6>&- 7>&-; ulimit -n 8; exec \"$@\"' sh"

TEST(test_that_cannot_start_is_an_error)
{
	EXPECT_EQ(1, sample(FEW_FILES, "-t 'death_r*'"));
	EXPECT_EQ(1, count("TAP version 13\n1..1\n"
			   "# death_right: not started: "));
	EXPECT_EQ(1, count("\nnot ok 1 death_right\n# Totals: pass:0 fail:0 "
			   "xfail:0 xpass:0 skip:0 error:1\n"));
	EXPECT_EQ(0, sample(FEW_FILES, "-r passes"));
}

/* The random numbers that a sample test logs in such a line. */
static void find_number(const char *at, char *to, size_t size)
{
	const char *line = strstr(output, at);

	ASSERT_NOT_NULL(line);
	line = strrchr(at, ' ') - at + line;
	ASSERT_LT(strcspn(line, "\n"), size);
	snprintf(to, size, "%.*s", (int)strcspn(line, "\n"), line);
}

#define FIRST AT(532, "random_fails")
#define SECOND AT(533, "random_fails")
#define OTHER AT(542, "random_passes")

TEST(same_seed_same_numbers)
{
	char a[32], b[32], again[32], other[32];

	EXPECT_EQ(0, sample("KSFT_SEED=42", "-t 'random*'"));
	find_number(FIRST, a, sizeof(a));
	find_number(SECOND, b, sizeof(b));
	find_number(OTHER, other, sizeof(other));
	EXPECT_STRNE(a, b);
	EXPECT_STRNE(a, other);
	EXPECT_EQ(1, count("# random_fails: repeat with KSFT_SEED=42\n"));
	EXPECT_EQ(0, sample("KSFT_SEED=42", "-r random_fails"));
	find_number(FIRST, again, sizeof(again));
	EXPECT_STREQ(a, again);
	find_number(SECOND, again, sizeof(again));
	EXPECT_STREQ(b, again);
	EXPECT_EQ(0, sample("KSFT_SEED=43", "-r random_fails"));
	find_number(FIRST, again, sizeof(again));
	EXPECT_STRNE(a, again);
}

TEST(printed_seed_repeats_whatever_else_runs)
{
	char env[64], first[32], again[32];
	const char *seed;

	EXPECT_EQ(0, sample("", "-r random_fails"));
	find_number(FIRST, first, sizeof(first));
	seed = strstr(output, "KSFT_SEED=");
	ASSERT_NOT_NULL(seed);
	snprintf(env, sizeof(env), "%.*s", (int)strcspn(seed, "\n"), seed);
	EXPECT_EQ(0, sample(env, "-t 'random*'"));
	find_number(FIRST, again, sizeof(again));
	EXPECT_STREQ(first, again);
}

TEST(seed_is_printed_on_failure_only)
{
	EXPECT_EQ(0, sample("KSFT_SEED=42", "-r random_passes"));
	EXPECT_EQ(1, count("\nok 1 random_passes\n"));
	EXPECT_EQ(0, count("SEED"));
	EXPECT_EQ(0, sample("KSFT_SEED=42", "-r fails"));
	EXPECT_EQ(0, count("SEED"));
}

TEST(seed_that_is_no_number_is_refused)
{
	EXPECT_EQ(2, sample("KSFT_SEED=", "-r passes"));
	EXPECT_EQ(2, sample("KSFT_SEED=-1", "-r passes"));
	EXPECT_EQ(2, sample("KSFT_SEED=1x", "-r passes"));
	EXPECT_EQ(2, sample("KSFT_SEED=99999999999999999999", "-r passes"));
	EXPECT_FALSE(differs("KSFT_SEED is not a number\n"));
	EXPECT_EQ(0, sample("KSFT_SEED=18446744073709551615", "-r passes"));
}

/* Runs a test that starts a process which holds a pipe and never ends; the
 * pipe ends only when that process is gone.  Where the test's time was up before
 * that process ran there is nothing to be seen yet. */
static int sample_with_stray(const char *options)
{
	struct pollfd gone;
	int end[2], status;
	char env[64], c = 0;
	ssize_t n;

	for (;;) {
		ASSERT_EQ(0, pipe(end));
		snprintf(env, sizeof(env), "KSFT_SAMPLE_FD=%d", end[1]);
		status = sample(env, options);
		close(end[1]);
		n = read(end[0], &c, 1);
		if (n != 0 || !strstr(output, ": timed out after "))
			break;
		close(end[0]);
	}
	ASSERT_EQ(1, n); /* it did run */
	ASSERT_EQ('s', c);
	gone.fd = end[0];
	gone.events = POLLIN;
	ASSERT_EQ(1, poll(&gone, 1, STRAY_WAIT));
	ASSERT_EQ(0, read(end[0], &c, 1));
	close(end[0]);
	return status;
}

TEST(strays_are_killed_after_the_test)
{
	EXPECT_EQ(0, sample_with_stray("-r leaves_stray"));
	EXPECT_FALSE(differs("TAP version 13\n1..1\nok 1 leaves_stray\n"
			     PASSED));
}

TEST(late_test_is_killed_with_its_strays)
{
	EXPECT_EQ(0, sample_with_stray("-r late.hangs"));
	EXPECT_FALSE(differs("TAP version 13\n1..1\n"
			     DIE(610, "late.hangs") "timed out after 1 s\n"
			     "not ok 1 late.hangs\n" FAILED));
}

TEST(test_dies_with_the_runner)
{
	EXPECT_EQ(128 + SIGTERM, sample_with_stray("-r ends_runner"));
	EXPECT_FALSE(differs("TAP version 13\n1..1\n"));
}
