/* SPDX-License-Identifier: MIT */
/*
 * ksft_run.c - run one test in a child of its own and judge how it ended
 *
 * Caller: ksft.c.  One thread, no lock.
 *
 * I1  Only this process writes to standard output; nothing is in its buffer
 *     when a child is forked.
 * I2  At most one test runs, and group is its process group.
 * I3  A signal that ends this process waits until it knows the group of a test
 *     that has begun.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 600
#endif

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksft_job.h"

/* Seconds for a test that does not say.  They are there for hangs: no test that
 * goes on is to be late, on a slow machine with much else to do. */
enum { TIMEOUT = 180 };

/* What a test said on its control pipe. */
struct result {
	int failed;
	int done;
	int random;
	char skip[KSFT_RECORD];
	char xfail[KSFT_RECORD];
	char wrong[2 * KSFT_RECORD]; /* the runner's own complaint */
};

static volatile sig_atomic_t group;
static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
enum { ENDS = sizeof(ends) / sizeof(*ends) };

static void hold_ends(sigset_t *before)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < ENDS; i++)
		sigaddset(&set, ends[i]);
	sigprocmask(SIG_BLOCK, &set, before);
}

static void comment(void *arg, const char *s, size_t n)
{
	(void)arg;
	fputs("# ", stdout);
	fwrite(s, 1, n, stdout);
	putchar('\n');
}

static void on_record(void *arg, const char *s, size_t n)
{
	struct result *r = arg;

	if (n == 0)
		return;
	switch (s[0]) {
	case KSFT_FAILED:
		r->failed++;
		comment(NULL, s + 1, n - 1);
		break;
	case KSFT_LOGGED:
		comment(NULL, s + 1, n - 1);
		break;
	case KSFT_SKIPPED:
		snprintf(r->skip, sizeof(r->skip), "%.*s", (int)n - 1, s + 1);
		break;
	case KSFT_XFAILS:
		snprintf(r->xfail, sizeof(r->xfail), "%.*s", (int)n - 1, s + 1);
		break;
	case KSFT_RANDOM:
		r->random = 1;
		break;
	case KSFT_DONE:
		r->done = 1;
		break;
	}
}

/* In the child.  stream[0] is control, [1] output, [2] stderr of its own. */
static void become_test(const struct ksft_run *run, uint64_t seed,
			struct ksft_job *job, const sigset_t *mask)
{
	struct rlimit core;
	int null = open("/dev/null", O_RDONLY), last = job->count - 1;
	size_t i;

	setpgid(0, 0);
	for (i = 0; i < ENDS; i++)
		signal(ends[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (getrlimit(RLIMIT_CORE, &core) == 0) {
		core.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &core); /* only saves the disk */
	}
	if (null >= 0) {
		dup2(null, 0);
		close(null);
	}
	if (dup2(job->stream[1].peer, 1) < 0 ||
	    dup2(job->stream[last].peer, 2) < 0 ||
	    fcntl(job->stream[0].peer, F_SETFD, FD_CLOEXEC) < 0)
		_exit(KSFT_EXIT_FAIL);
	ksft_job_close(job, 1);
	close(job->stream[1].peer);
	if (last > 1)
		close(job->stream[last].peer);
	ksft_inside(run, job->stream[0].peer, seed);
}

/* 0, or -1 with errno: the test could not be started. */
static int run_child(const struct ksft_run *run, uint64_t seed,
		     struct ksft_job *job, struct result *r)
{
	sigset_t mask;

	memset(job, 0, sizeof(*job));
	job->group = 1;
	job->timeout = run->test->timeout ? run->test->timeout : TIMEOUT;
	job->stream[0].line = on_record;
	job->stream[0].arg = r;
	job->stream[1].line = comment;
	if (ksft_job_open(job, run->test->text ? 3 : 2) != 0)
		return -1;
	fflush(NULL);	  /* I1 */
	hold_ends(&mask); /* I3 */
	job->pid = fork();
	if (job->pid < 0) {
		sigprocmask(SIG_SETMASK, &mask, NULL);
		ksft_job_close(job, 0);
		ksft_job_close(job, 1);
		return -1;
	}
	if (job->pid == 0)
		become_test(run, seed, job, &mask);
	(void)setpgid(job->pid, job->pid); /* the child may have done it */
	group = job->pid;		   /* I2 */
	sigprocmask(SIG_SETMASK, &mask, NULL);
	ksft_job_close(job, 0);
	ksft_job_watch(job);
	group = 0;
	return 0;
}

/* 1 if the test did not end as it should, and why in r->wrong. */
static int ended_wrong(const struct ksft_test *t, const struct ksft_job *job,
		       struct result *r)
{
	const struct ksft_stream *err = &job->stream[2];

	if (job->timed_out) {
		snprintf(r->wrong, sizeof(r->wrong), "timed out after %u s",
			 job->timeout);
		return 1;
	}
	if (r->failed && WIFEXITED(job->status) &&
	    WEXITSTATUS(job->status) == KSFT_EXIT_FAIL)
		return 1; /* the check has said it */
	if (t->sig && !r->skip[0])
		return ksft_wrong_death(r->wrong, sizeof(r->wrong), job->status,
					t->sig, t->text, err);
	if (r->done && WIFEXITED(job->status) && WEXITSTATUS(job->status) == 0)
		return 0;
	ksft_describe(r->wrong, sizeof(r->wrong), job->status);
	if (!r->done && WIFEXITED(job->status))
		snprintf(r->wrong, sizeof(r->wrong),
			 "exited with status %d before its end",
			 WEXITSTATUS(job->status));
	return 1;
}

enum ksft_verdict ksft_run_test(const struct ksft_run *run, uint64_t seed,
				char why[KSFT_RECORD])
{
	struct result r;
	struct ksft_job job;
	int bad;

	memset(&r, 0, sizeof(r));
	if (run_child(run, seed, &job, &r) != 0) {
		printf("# %s: not started: %s\n", run->name, strerror(errno));
		return KSFT_ERROR;
	}
	bad = ended_wrong(run->test, &job, &r) || r.failed;
	if (r.wrong[0])
		printf("# %s:%d: %s: %s\n", ksft_base_name(run->test->file),
		       run->test->line, run->name, r.wrong);
	if (bad && r.random)
		printf("# %s: repeat with KSFT_SEED=%ju\n", run->name,
		       (uintmax_t)seed);
	memcpy(why, r.skip[0] && !bad ? r.skip : r.xfail, KSFT_RECORD);
	if (r.skip[0] && !bad)
		return KSFT_SKIP;
	if (r.xfail[0])
		return bad ? KSFT_XFAIL : KSFT_XPASS;
	return bad ? KSFT_FAIL : KSFT_PASS;
}

/* The test is in another group: what ends us does not reach it. */
static void on_end(int sig)
{
	if (group)
		kill(-(pid_t)group, SIGKILL);
	signal(sig, SIG_DFL);
	raise(sig);
}

void ksft_own_signals(void)
{
	size_t i;

	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	for (i = 0; i < ENDS; i++)
		if (signal(ends[i], SIG_IGN) != SIG_IGN)
			signal(ends[i], on_end);
}
