/* SPDX-License-Identifier: MIT */
/*
 * ksft_job.h - what the files of the test harness share; not for tests
 *
 *	ksft.c		lists, options, TAP	calls ksft_run.c
 *	ksft_run.c	one test, its verdict	forks, calls ksft_job.c
 *	ksft_check.c	the test's own side	talks to ksft_run.c by a pipe
 *	ksft_job.c	watches a child		for a test or a _DEATH check
 *
 * No locks: a job belongs to the thread that made it.
 */
#ifndef KSFT_JOB_H
#define KSFT_JOB_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ksft.h"

/* Exit statuses of a test's process that mean something to the harness. */
enum { KSFT_EXIT_FAIL = 113, KSFT_EXIT_LIVED = 114 };

/*
 * What a test tells the runner, one line each on the control pipe: a letter,
 * then text.  A record is written at once and never longer than the smallest
 * PIPE_BUF, so that threads and children do not mix theirs.
 */
enum {
	KSFT_FAILED = 'F',  /* a check failed; the text is shown */
	KSFT_LOGGED = 'L',  /* the text is shown */
	KSFT_SKIPPED = 'S', /* why */
	KSFT_XFAILS = 'X',  /* why */
	KSFT_RANDOM = 'R',  /* the seed matters */
	KSFT_DONE = 'D',    /* the test reached its end without a failure */
	KSFT_RECORD = 512
};

/*
 * One pipe from the child.  With line set, each line (without its newline) is
 * handed to it; else the first bytes are kept in buf and total counts all.
 */
struct ksft_stream {
	int fd;	  /* our end, -1: closed */
	int peer; /* the child's end */
	void (*line)(void *arg, const char *s, size_t n);
	void *arg;
	size_t used;
	size_t total;
	char buf[2048];
};

enum { KSFT_STREAMS = 3 };

struct ksft_job {
	pid_t pid;
	int group;	  /* 1: leads a process group, to be killed whole */
	unsigned timeout; /* seconds, 0: none */
	int count;
	struct ksft_stream stream[KSFT_STREAMS];
	int timed_out; /* results: 1 if killed for being late, and */
	int status;    /* what waitpid() said */
};

/* One test in one variant. */
struct ksft_run {
	const struct ksft_fixture *fixture;
	const struct ksft_variant *variant; /* NULL: the fixture has none */
	const struct ksft_test *test;
	char name[256];
};

/* Opens the first count streams.  0, or -1 with errno and nothing open. */
int ksft_job_open(struct ksft_job *job, int count);

/* Closes one side of all streams: in the child ours, in the parent its. */
void ksft_job_close(struct ksft_job *job, int in_child);

/* Reads the streams until the child ended or is late, kills, reaps. */
void ksft_job_watch(struct ksft_job *job);

/*
 * 1 if the job did not die of sig, or with text set did not write exactly that
 * to err; then says so in to.
 */
int ksft_wrong_death(char *to, size_t size, int status, int sig,
		     const char *text, const struct ksft_stream *err);

/* "died by SIGABRT", "exited with status 3", "lived" */
void ksft_describe(char *to, size_t size, int status);

/* n bytes of s in quotes, escaped, cut to fit. */
void ksft_quote(char *to, size_t size, const char *s, size_t n);

/* The part of a path behind the last slash. */
const char *ksft_base_name(const char *path);

enum ksft_verdict {
	KSFT_PASS,
	KSFT_FAIL,
	KSFT_XFAIL, /* a known failure */
	KSFT_XPASS, /* it was expected, but passed */
	KSFT_SKIP,
	KSFT_ERROR, /* could not be started */
	KSFT_VERDICTS
};

/* Runs a test to its end; prints comments only.  why: of a skip or xfail. */
enum ksft_verdict ksft_run_test(const struct ksft_run *run, uint64_t seed,
				char why[KSFT_RECORD]);

/* Usual signals for the runner; those that end it take the test along. */
void ksft_own_signals(void);

/* The test's side: setup, body, teardown; never returns. */
void ksft_inside(const struct ksft_run *run, int control, uint64_t seed);

#endif /* KSFT_JOB_H */
