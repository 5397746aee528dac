/* SPDX-License-Identifier: MIT */
/*
 * ksft.c - main() of every test program: its tests, its options, its TAP
 *
 * The manual is the head of ksft.h.  Callers: the constructors that the macros
 * of ksft.h make, then the C start-up.  One thread, no lock.
 *
 * I1  Lists are in source order, whatever the order of the constructors.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 600
#endif

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ksft_job.h"

const char *ksft_program = "";

static struct ksft_fixture plain; /* the TESTs, always the first fixture */
static const char *(*skip_probe)(void);
static uint64_t seed;
static unsigned counted, number, tally[KSFT_VERDICTS];

static struct {
	const char *fixture, *variant, *test, *name;
} want;

/* I1: goes behind those of its file that stand above it. */
static int is_before(const char *file, int line, const char *new_file,
		     int new_line)
{
	return line < new_line || strcmp(file, new_file) != 0;
}

static void add_fixture(struct ksft_fixture *f)
{
	struct ksft_fixture **at = &plain.next;

	while (*at && is_before((*at)->file, (*at)->line, f->file, f->line))
		at = &(*at)->next;
	f->next = *at;
	*at = f;
}

void ksft_add_test_(struct ksft_fixture *f, size_t size, struct ksft_test *t)
{
	struct ksft_test **at;

	if (!f)
		f = &plain;
	else if (!f->tests)
		add_fixture(f);
	f->size = size;
	at = &f->tests;
	while (*at && is_before((*at)->file, (*at)->line, t->file, t->line))
		at = &(*at)->next;
	t->next = *at;
	*at = t;
}

void ksft_add_variant_(struct ksft_fixture *f, struct ksft_variant *v)
{
	struct ksft_variant **at = &f->variants;

	while (*at && (*at)->line < v->line)
		at = &(*at)->next;
	v->next = *at;
	*at = v;
}

void ksft_skip_if_(const char *(*why)(void))
{
	skip_probe = why;
}

static void do_run(const struct ksft_run *run)
{
	char why[KSFT_RECORD];
	enum ksft_verdict v = ksft_run_test(run, seed, why);
	int bad = v == KSFT_FAIL || v == KSFT_XFAIL || v == KSFT_ERROR;

	tally[v]++;
	printf("%sok %u %s", bad ? "not " : "", ++number, run->name);
	if (v == KSFT_SKIP)
		printf(" # SKIP %s", why);
	else if (v == KSFT_XFAIL || v == KSFT_XPASS)
		printf(" # TODO %s", why);
	putchar('\n');
	fflush(stdout);
}

static void do_count(const struct ksft_run *run)
{
	(void)run;
	counted++;
}

static void do_list(const struct ksft_run *run)
{
	puts(run->name);
}

static int matches(const char *pattern, const char *name)
{
	return !pattern || (name && fnmatch(pattern, name, 0) == 0);
}

static int is_wanted(const struct ksft_run *run)
{
	const char *variant = run->variant ? run->variant->name : NULL;

	return matches(want.fixture, run->fixture->name) &&
	       matches(want.variant, variant) &&
	       matches(want.test, run->test->name) &&
	       (!want.name || strcmp(want.name, run->name) == 0);
}

static void visit(const struct ksft_fixture *f, const struct ksft_variant *v,
		  void (*act)(const struct ksft_run *))
{
	const struct ksft_test *t;
	struct ksft_run run;

	for (t = f->tests; t; t = t->next) {
		run.fixture = f;
		run.variant = v;
		run.test = t;
		snprintf(run.name, sizeof(run.name), "%s%s%s%s%s",
			 f->name ? f->name : "", f->name ? "." : "",
			 v ? v->name : "", v ? "." : "", t->name);
		if (is_wanted(&run))
			act(&run);
	}
}

static void for_each(void (*act)(const struct ksft_run *))
{
	const struct ksft_fixture *f;
	const struct ksft_variant *v;

	for (f = &plain; f; f = f->next) {
		if (!f->variants)
			visit(f, NULL, act);
		for (v = f->variants; v; v = v->next)
			visit(f, v, act);
	}
}

static void ask_probe(void *self, const void *variant)
{
	const char *why = skip_probe();

	(void)self;
	(void)variant;
	if (why)
		ksft_skip_("%s", why);
}

/* 1 with the program's end printed if there is nothing to run. */
static int skip_all(int *status)
{
	static const struct ksft_test probe = {
		.name = "KSFT_PROGRAM_SKIP_IF",
		.file = __FILE__,
		.line = __LINE__,
		.body = ask_probe,
	};
	static const struct ksft_run run = {
		.fixture = &plain,
		.test = &probe,
		.name = "KSFT_PROGRAM_SKIP_IF",
	};
	char why[KSFT_RECORD];
	enum ksft_verdict v = KSFT_PASS;

	if (skip_probe)
		v = ksft_run_test(&run, seed, why);
	*status = v != KSFT_SKIP;
	if (v == KSFT_SKIP)
		printf("1..0 # SKIP %s\n", why);
	else if (v != KSFT_PASS)
		puts("Bail out! the program's skip function failed");
	return v != KSFT_PASS;
}

static int run_all(void)
{
	int status;

	puts("TAP version 13");
	if (skip_all(&status))
		return status;
	printf("1..%u\n", counted);
	for_each(do_run);
	printf("# Totals: pass:%u fail:%u xfail:%u xpass:%u skip:%u error:%u\n",
	       tally[KSFT_PASS], tally[KSFT_FAIL], tally[KSFT_XFAIL],
	       tally[KSFT_XPASS], tally[KSFT_SKIP], tally[KSFT_ERROR]);
	return tally[KSFT_ERROR] != 0;
}

/* 0, or -1 if KSFT_SEED is not a number. */
static int choose_seed(void)
{
	const char *text = getenv("KSFT_SEED");
	char *end;

	seed = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
	if (!text)
		return 0;
	errno = 0;
	seed = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && !errno ? 0 : -1;
}

static int usage(FILE *to, int status)
{
	fprintf(to,
		"usage: %s [-hl] [-f FIXTURE] [-v VARIANT] [-t TEST] "
		"[-r NAME]\n"
		"  -l  list the names of the tests instead of running them\n"
		"  -f, -v, -t  only tests that match all of these patterns\n"
		"  -r  only the test of this full name\n"
		"KSFT_SEED=n in the environment repeats random numbers.\n",
		ksft_program);
	return status;
}

/* 0 for run, 1 for list, -1 for help, -2 for an error. */
static int parse(int argc, char **argv)
{
	int c, list = 0;

	while ((c = getopt(argc, argv, "hlf:v:t:r:")) != -1)
		switch (c) {
		case 'h':
			return -1;
		case 'l':
			list = 1;
			break;
		case 'f':
			want.fixture = optarg;
			break;
		case 'v':
			want.variant = optarg;
			break;
		case 't':
			want.test = optarg;
			break;
		case 'r':
			want.name = optarg;
			break;
		default:
			return -2;
		}
	return optind == argc ? list : -2;
}

/* AddressSanitizer asks this.  Tests look at canaries and freed memory on
 * purpose, so the library is not to close them; ASAN_OPTIONS can say else. */
const char *__asan_default_options(void)
	__attribute__((__visibility__("default")));
const char *__asan_default_options(void)
{
	return "allow_user_poisoning=0";
}

int main(int argc, char **argv)
{
	int mode;

	ksft_program = argv[0];
	mode = parse(argc, argv);
	if (mode < 0)
		return mode == -1 ? usage(stdout, 0) : usage(stderr, 2);
	if (choose_seed() != 0) {
		fputs("KSFT_SEED is not a number\n", stderr);
		return 2;
	}
	for_each(do_count);
	if (!counted) {
		fputs("no test matches\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (mode == 1) {
		for_each(do_list);
		return 0;
	}
	ksft_own_signals();
	return run_all();
}
