/* SPDX-License-Identifier: MIT */
/*
 * ksft_job.c - watch a child process and its pipes until both are finished
 *
 * Callers: ksft_run.c and ksft_check.c, see ksft_job.h.  No lock, no signal
 * handler, no alarm: a test may use all of these itself, in any thread.
 *
 * I1  The child is known to have ended before it is reaped, so its number
 *     still names its group when the group is killed.
 * I2  Pipes are read all the time while the child lives: it never blocks.
 * I3  The end of a pipe is not waited for: a stray process may hold it open.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 600 /* waitid */
#endif

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ksft_job.h"

enum {
	TICK_OPEN = 20,	 /* ms between looks at a child whose pipes are open */
	TICK_CLOSED = 1, /* and when they are closed: it is about to end */
	DRAIN_MAX = 256	 /* reads of what is left; bounds a stray's babble */
};

int ksft_job_open(struct ksft_job *job, int count)
{
	int i, end[2], saved;

	for (i = 0; i < count; i++) {
		if (pipe(end) != 0) {
			saved = errno;
			job->count = i;
			ksft_job_close(job, 0);
			ksft_job_close(job, 1);
			job->count = 0;
			errno = saved;
			return -1;
		}
		job->stream[i].fd = end[0];
		job->stream[i].peer = end[1];
	}
	job->count = count;
	return 0;
}

void ksft_job_close(struct ksft_job *job, int in_child)
{
	int i;

	for (i = 0; i < job->count; i++)
		close(in_child ? job->stream[i].fd : job->stream[i].peer);
}

static uintmax_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uintmax_t)t.tv_sec * 1000 + (uintmax_t)t.tv_nsec / 1000000;
}

/* Hands out the complete lines in the buffer, and with all set the rest. */
static void cut_lines(struct ksft_stream *s, int all)
{
	char *from = s->buf, *end = s->buf + s->used, *newline;

	while ((newline = memchr(from, '\n', (size_t)(end - from)))) {
		s->line(s->arg, from, (size_t)(newline - from));
		from = newline + 1;
	}
	if (from < end && (all || end == from + sizeof(s->buf))) {
		s->line(s->arg, from, (size_t)(end - from));
		from = end;
	}
	s->used = (size_t)(end - from);
	memmove(s->buf, from, s->used);
}

/* Reads once from a pipe that poll() called ready. */
static void feed(struct ksft_stream *s)
{
	char spill[512], *to = s->buf + s->used;
	size_t room = sizeof(s->buf) - s->used;
	ssize_t n;

	if (room == 0) {
		to = spill;
		room = sizeof(spill);
	}
	n = read(s->fd, to, room);
	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		close(s->fd);
		s->fd = -1;
		return;
	}
	s->total += (size_t)n;
	if (to != spill)
		s->used += (size_t)n;
	if (s->line)
		cut_lines(s, 0);
}

/* Reads what arrives within so many ms.  The number of pipes that had news;
 * *open: how many are left. */
static int pump(struct ksft_job *job, int ms, int *open)
{
	struct pollfd ready[KSFT_STREAMS];
	int i, news = 0;

	for (i = 0; i < job->count; i++) {
		ready[i].fd = job->stream[i].fd;
		ready[i].events = POLLIN;
		ready[i].revents = 0;
	}
	if (poll(ready, (nfds_t)job->count, ms) > 0)
		for (i = 0; i < job->count; i++)
			if (ready[i].revents) {
				feed(&job->stream[i]);
				news++;
			}
	*open = 0;
	for (i = 0; i < job->count; i++)
		*open += job->stream[i].fd >= 0;
	return news;
}

/* I1: asks without reaping. */
static int has_ended(pid_t pid)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
		return errno != EINTR;
	return info.si_pid == pid;
}

static void finish(struct ksft_job *job)
{
	struct ksft_stream *s;
	int i, open;

	for (i = 0; i < DRAIN_MAX && pump(job, 0, &open) > 0; i++)
		;
	for (i = 0; i < job->count; i++) {
		s = &job->stream[i];
		if (s->line)
			cut_lines(s, 1);
		if (s->fd >= 0)
			close(s->fd);
		s->fd = -1;
	}
}

void ksft_job_watch(struct ksft_job *job)
{
	uintmax_t late = now_ms() + (uintmax_t)job->timeout * 1000;
	int open = job->count;

	while (!has_ended(job->pid)) {
		if (job->timeout && now_ms() >= late) {
			job->timed_out = 1;
			break;
		}
		pump(job, open ? TICK_OPEN : TICK_CLOSED, &open);
	}
	if (job->group)
		kill(-job->pid, SIGKILL);
	else if (job->timed_out)
		kill(job->pid, SIGKILL);
	job->status = -1;
	while (waitpid(job->pid, &job->status, 0) < 0 && errno == EINTR)
		;
	finish(job);
}

const char *ksft_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void signal_name(char *to, size_t size, int sig)
{
	static const struct {
		int sig;
		const char *name;
	} known[] = {
		{ SIGABRT, "SIGABRT" }, { SIGALRM, "SIGALRM" },
		{ SIGBUS, "SIGBUS" },	{ SIGFPE, "SIGFPE" },
		{ SIGHUP, "SIGHUP" },	{ SIGILL, "SIGILL" },
		{ SIGINT, "SIGINT" },	{ SIGKILL, "SIGKILL" },
		{ SIGPIPE, "SIGPIPE" }, { SIGQUIT, "SIGQUIT" },
		{ SIGSEGV, "SIGSEGV" }, { SIGSYS, "SIGSYS" },
		{ SIGTERM, "SIGTERM" }, { SIGTRAP, "SIGTRAP" },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].sig == sig) {
			snprintf(to, size, "%s", known[i].name);
			return;
		}
	snprintf(to, size, "signal %d", sig);
}

void ksft_describe(char *to, size_t size, int status)
{
	char name[32];

	if (WIFSIGNALED(status)) {
		signal_name(name, sizeof(name), WTERMSIG(status));
		snprintf(to, size, "died by %s", name);
	} else if (WIFEXITED(status) && WEXITSTATUS(status) != 0 &&
		   WEXITSTATUS(status) != KSFT_EXIT_LIVED) {
		snprintf(to, size, "exited with status %d",
			 WEXITSTATUS(status));
	} else {
		snprintf(to, size, "lived");
	}
}

void ksft_quote(char *to, size_t size, const char *s, size_t n)
{
	static const char escape[] = "\n\t\r\"\\", letter[] = "ntr\"\\";
	char *end = to + size - sizeof("\\x00...\""), *start = to;
	const char *found;
	size_t i;

	*to++ = '"';
	for (i = 0; i < n && to < end; i++) {
		found = s[i] ? strchr(escape, s[i]) : NULL;
		if (found)
			to += sprintf(to, "\\%c", letter[found - escape]);
		else if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			to += sprintf(to, "\\x%02x", (unsigned char)s[i]);
		else
			*to++ = s[i];
	}
	snprintf(to, size - (size_t)(to - start), "%s\"", i < n ? "..." : "");
}

int ksft_wrong_death(char *to, size_t size, int status, int sig,
		     const char *text, const struct ksft_stream *err)
{
	char did[64], want[32], seen[160], should[160];
	size_t n = text ? strlen(text) : 0;

	if (WIFSIGNALED(status) && WTERMSIG(status) == sig &&
	    (!text || (err->total == n && err->used == n &&
		       memcmp(err->buf, text, n) == 0)))
		return 0;
	ksft_describe(did, sizeof(did), status);
	signal_name(want, sizeof(want), sig);
	if (!text) {
		snprintf(to, size, "%s; expected %s", did, want);
		return 1;
	}
	ksft_quote(seen, sizeof(seen), err->buf, err->used);
	ksft_quote(should, sizeof(should), text, n);
	snprintf(to, size, "%s, stderr %s; expected %s, stderr %s", did, seen,
		 want, should);
	return 1;
}
