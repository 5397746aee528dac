/* SPDX-License-Identifier: MIT */
/*
 * ksft_check.c - the test's side of the harness: run one test, make its checks
 *
 * Runs in the child that ksft_run.c forked for a test, and in the children of
 * that one.  Callers: the macros of ksft.h, and ksft_run.c by ksft_inside().
 *
 * Lock: none; a record on the control pipe is one atomic write.  Random
 * numbers are for one thread.
 *
 * I1  A failure is told to the runner at once; nothing takes it back.
 * I2  Only the test's own process tears down and reports the end.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 600
#endif

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ksft_job.h"

static struct {
	const struct ksft_run *run;
	void *self;
	const void *variant;
	int control; /* write end of the control pipe */
	pid_t pid;   /* the test's own process */
	int failed;
	int skipped;
	int torn_down; /* nothing (more) to tear down */
	int random_used;
	uint64_t random;
} now;

static void tell(int letter, const char *fmt, va_list args)
{
	char record[KSFT_RECORD];
	size_t n, i;
	ssize_t done;
	int len;

	record[0] = (char)letter;
	len = vsnprintf(record + 1, sizeof(record) - 1, fmt, args);
	n = len < 0 ? 1 : 1 + (size_t)len;
	if (n > sizeof(record) - 1)
		n = sizeof(record) - 1;
	for (i = 0; i < n; i++)
		if (record[i] == '\n')
			record[i] = ' ';
	record[n++] = '\n';
	do
		done = write(now.control, record, n);
	while (done < 0 && errno == EINTR);
}

static void KSFT_FORMAT_(2, 3) say(int letter, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(letter, fmt, args);
	va_end(args);
}

/* I1 */
static void KSFT_FORMAT_(3, 4)
	fail(const char *file, int line, const char *fmt, ...)
{
	char text[KSFT_RECORD];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	now.failed = 1;
	say(KSFT_FAILED, "%s:%d: %s: %s", ksft_base_name(file), line,
	    now.run->name, text);
}

void ksft_log_(const char *file, int line, const char *fmt, ...)
{
	char text[KSFT_RECORD];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	say(KSFT_LOGGED, "%s:%d: %s: %s", ksft_base_name(file), line,
	    now.run->name, text);
}

void ksft_skip_(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(KSFT_SKIPPED, fmt, args);
	va_end(args);
	now.skipped = 1;
}

void ksft_xfail_(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(KSFT_XFAILS, fmt, args);
	va_end(args);
}

/* The splitmix64 generator: good enough for tests, and any seed will do. */
uint64_t ksft_random(void)
{
	uint64_t x;

	if (!now.random_used)
		say(KSFT_RANDOM, "%s", "");
	now.random_used = 1;
	x = now.random += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

struct ksft_value ksft_value_(enum ksft_kind kind, uintmax_t bits)
{
	struct ksft_value v = { kind, bits };

	return v;
}

/* Less, equal or greater as numbers: -1, 0, 1. */
static int order(struct ksft_value a, struct ksft_value b)
{
	int a_below = a.kind == KSFT_SIGNED && (intmax_t)a.bits < 0;
	int b_below = b.kind == KSFT_SIGNED && (intmax_t)b.bits < 0;

	if (a_below != b_below)
		return a_below ? -1 : 1;
	return a.bits < b.bits ? -1 : a.bits > b.bits;
}

static int holds(const char *op, int c)
{
	switch (op[0]) {
	case '=':
		return c == 0;
	case '!':
		return c != 0;
	case '<':
		return c < 0 || (op[1] && c == 0);
	default:
		return c > 0 || (op[1] && c == 0);
	}
}

static void print_value(char *to, size_t size, struct ksft_value v)
{
	if (v.kind == KSFT_SIGNED)
		snprintf(to, size, "%jd", (intmax_t)v.bits);
	else if (v.kind == KSFT_UNSIGNED)
		snprintf(to, size, "%ju", v.bits);
	else
		snprintf(to, size, "0x%jx", v.bits);
}

int ksft_compare_(const char *file, int line, const char *op,
		  const char *a_source, struct ksft_value a,
		  const char *b_source, struct ksft_value b)
{
	char a_text[32], b_text[32];

	if (holds(op, order(a, b)))
		return 0;
	print_value(a_text, sizeof(a_text), a);
	print_value(b_text, sizeof(b_text), b);
	fail(file, line, "%s (%s) %s %s (%s)", a_source, a_text, op, b_source,
	     b_text);
	return 1;
}

static void print_string(char *to, size_t size, const char *s)
{
	if (s)
		ksft_quote(to, size, s, strlen(s));
	else
		snprintf(to, size, "NULL");
}

int ksft_strings_(const char *file, int line, const char *op,
		  const char *a_source, const char *a, const char *b_source,
		  const char *b)
{
	char a_text[120], b_text[120];
	int same = a && b ? strcmp(a, b) == 0 : a == b;

	if (holds(op, !same))
		return 0;
	print_string(a_text, sizeof(a_text), a);
	print_string(b_text, sizeof(b_text), b);
	fail(file, line, "%s (%s) %s %s (%s)", a_source, a_text, op, b_source,
	     b_text);
	return 1;
}

/* I2.  Called at most once: the flag is down before the teardown starts. */
static void tear_down(void)
{
	if (now.torn_down || getpid() != now.pid)
		return;
	now.torn_down = 1;
	if (now.run->fixture->teardown)
		now.run->fixture->teardown(now.self, now.variant);
}

/* After a failed check and its block: 0, or with stop the end. */
int ksft_after_(int stop)
{
	if (!stop)
		return 0;
	tear_down();
	_exit(KSFT_EXIT_FAIL);
}

void ksft_lived_(void)
{
	_exit(KSFT_EXIT_LIVED);
}

/* 1 in the child, which is to die; 0 in the test, when it has ended. */
int ksft_death_(const char *file, int line, int stop, int sig, const char *text,
		const char *source)
{
	struct ksft_job job;
	char wrong[KSFT_RECORD];

	memset(&job, 0, sizeof(job));
	fflush(NULL);
	job.pid = -1;
	if (ksft_job_open(&job, text ? 1 : 0) == 0)
		job.pid = fork();
	if (job.pid < 0) {
		fail(file, line, "%s: no child: %s", source, strerror(errno));
		ksft_job_close(&job, 0);
		ksft_job_close(&job, 1);
		return ksft_after_(stop);
	}
	if (job.pid == 0) {
		ksft_job_close(&job, 1);
		if (text && dup2(job.stream[0].peer, 2) < 0)
			ksft_lived_();
		ksft_job_close(&job, 0);
		return 1;
	}
	ksft_job_close(&job, 0);
	ksft_job_watch(&job);
	if (ksft_wrong_death(wrong, sizeof(wrong), job.status, sig, text,
			     &job.stream[0])) {
		fail(file, line, "%s: %s", source, wrong);
		return ksft_after_(stop);
	}
	return 0;
}

/* The same test gets the same numbers, whichever others run. */
static uint64_t mix_name(uint64_t seed, const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed; /* FNV-1a */

	while (*name)
		h = (h ^ (unsigned char)*name++) * UINT64_C(0x100000001b3);
	return h;
}

void ksft_inside(const struct ksft_run *run, int control, uint64_t seed)
{
	now.run = run;
	now.control = control;
	now.pid = getpid();
	now.random = mix_name(seed, run->name);
	now.variant = run->variant ? run->variant->data : NULL;
	now.self = calloc(1, run->fixture->size + 1);
	if (!now.self)
		_exit(KSFT_EXIT_FAIL);
	now.torn_down = 1;
	if (run->fixture->setup)
		run->fixture->setup(now.self, now.variant);
	now.torn_down = now.skipped;
	if (!now.skipped && !now.failed)
		run->test->body(now.self, now.variant);
	tear_down();
	if (getpid() != now.pid) /* a child of the test returned from it */
		_exit(KSFT_EXIT_LIVED);
	free(now.self);
	if (now.failed)
		exit(KSFT_EXIT_FAIL);
	say(KSFT_DONE, "%s", "");
	exit(0);
}
