/* SPDX-License-Identifier: MIT */
/*
 * ksft_sample.h - run ksft_sample and look at its output
 *
 * For test_ksft.c and test_ksft_run.c, which use all of it.  ksft_sample lies
 * beside the program that runs it.  One output is kept: the last.
 */
#ifndef KSFT_SAMPLE_H
#define KSFT_SAMPLE_H

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "ksft.h"

static char output[65536];

/* Runs the sample with NAME=VALUE words before and options behind; keeps its
 * output and stderr.  Its exit status, or 128 and the signal, as the shell. */
static int sample(const char *env, const char *options)
{
	const char *slash = strrchr(ksft_program, '/');
	int len = slash ? (int)(slash - ksft_program) : 1, status;
	char command[1024];
	size_t n;
	FILE *f;

	snprintf(command, sizeof(command),
		 "exec env %s '%.*s/ksft_sample' %s 2>&1", env, len,
		 slash ? ksft_program : ".", options);
	f = popen(command, "r");
	ASSERT_NOT_NULL(f);
	n = fread(output, 1, sizeof(output) - 1, f);
	output[n] = '\0';
	status = pclose(f);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

/* How often s occurs in the output. */
static int count(const char *s)
{
	const char *at = output;
	int n = 0;

	while ((at = strstr(at, s))) {
		at += strlen(s);
		n++;
	}
	return n;
}

/* 1 and both lines in the log where the output first differs from text. */
static int differs(const char *text)
{
	const char *a = text, *b = output;
	int line = 1;

	while (strcspn(a, "\n") == strcspn(b, "\n") &&
	       strncmp(a, b, strcspn(a, "\n")) == 0) {
		a += strcspn(a, "\n");
		b += strcspn(b, "\n");
		if (!*a && !*b)
			return 0;
		if (!*a || !*b)
			break;
		a++;
		b++;
		line++;
	}
	TH_LOG("line %d should be: %.*s", line, (int)strcspn(a, "\n"), a);
	TH_LOG("line %d is:        %.*s", line, (int)strcspn(b, "\n"), b);
	return 1;
}

/* Macros are set by hand from here on. */
/* clang-format off */

#define TOTALS(pass, fail, xfail, xpass, skip) \
	"# Totals: pass:" #pass " fail:" #fail " xfail:" #xfail \
	" xpass:" #xpass " skip:" #skip " error:0\n"
#define PASSED TOTALS(1, 0, 0, 0, 0)
#define FAILED TOTALS(0, 1, 0, 0, 0)
#define SKIPPED TOTALS(0, 0, 0, 0, 1)

/* The sample's test NAME alone prints this, and the sample exits with 0. */
#define EXPECT_TAP(name, text) \
	do { \
		EXPECT_EQ(0, sample("", "-r " name)); \
		EXPECT_FALSE(differs("TAP version 13\n1..1\n" text)); \
	} while (0)

#define AT(line, name) "# sample.c:" #line ": " name ": "
#define DIE(line, name) "# die.c:" #line ": " name ": "

#endif /* KSFT_SAMPLE_H */
