/* SPDX-License-Identifier: MIT */
/*
 * child.c - a worker as its driver sees it: a process and two pipes
 *
 * Caller: drive.c.  The driver has one thread, so that there is nothing to
 * fear between fork and exec.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE = 120 }; /* seconds for an answer */

/* In the new process.  What is preloaded by the environment already would be
 * measured in the place of the peer.  A library that is not there makes the
 * loader complain, which is of interest only to us. */
static void become_worker(const char *self, const struct bench_peer *peer,
			  const char *preload, const char *work, double limit)
{
	char seconds[32];
	int null;

	unsetenv("LD_PRELOAD");
	if (preload && setenv("LD_PRELOAD", preload, 1) < 0)
		_exit(127);
	if (!work) {
		null = open("/dev/null", O_WRONLY);
		if (null >= 0)
			dup2(null, 2);
	}
	snprintf(seconds, sizeof(seconds), "%g", limit);
	execl(self, self, "--worker", peer->name, work ? work : "-", seconds,
	      (char *)NULL);
	_exit(127);
}

static void close_both(const int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

static int make_pipes(int to[2], int from[2])
{
	if (pipe(to) < 0)
		return -1;
	if (pipe(from) < 0) {
		close_both(to);
		return -1;
	}
	/* Not for the workers that come later: they would keep them open. */
	fcntl(to[1], F_SETFD, FD_CLOEXEC);
	fcntl(from[0], F_SETFD, FD_CLOEXEC);
	return 0;
}

int bench_child_start(struct bench_child *child, const char *self,
		      const struct bench_peer *peer, const char *preload,
		      const char *work, double limit)
{
	int to[2], from[2];

	child->pid = 0;
	if (make_pipes(to, from) < 0)
		return -1;
	fflush(NULL);
	child->pid = fork();
	if (child->pid == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		close_both(to);
		close_both(from);
		become_worker(self, peer, preload, work, limit);
	}
	close(to[0]);
	close(from[1]);
	child->to = to[1];
	child->from = child->pid > 0 ? fdopen(from[0], "r") : NULL;
	if (child->from)
		return 0;
	close(from[0]);
	close(to[1]);
	return -1;
}

/* Ends a worker, kindly or not: its status. */
static int end(struct bench_child *child, int kindly)
{
	int status = 0;

	if (!kindly)
		kill((pid_t)child->pid, SIGKILL);
	close(child->to);
	fclose(child->from);
	while (waitpid((pid_t)child->pid, &status, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
	return status;
}

static int no_answer(struct bench_child *child, char *answer, size_t size)
{
	int status = end(child, 1);

	if (WIFSIGNALED(status))
		snprintf(answer, size, "ended by signal %d", WTERMSIG(status));
	else
		snprintf(answer, size, "ended with status %d",
			 WEXITSTATUS(status));
	return -1;
}

int bench_child_ask(struct bench_child *child, const char *question,
		    char *answer, size_t size)
{
	struct pollfd wait = { .fd = fileno(child->from), .events = POLLIN };
	int ready;

	/* If it is dead, then reading will tell. */
	if (question && write(child->to, question, strlen(question)) < 0)
		return no_answer(child, answer, size);
	do {
		ready = poll(&wait, 1, PATIENCE * 1000);
	} while (ready < 0 && errno == EINTR);
	if (ready == 0) {
		end(child, 0);
		snprintf(answer, size, "no answer in %d s", PATIENCE);
		return -1;
	}
	if (!fgets(answer, (int)size, child->from))
		return no_answer(child, answer, size);
	answer[strcspn(answer, "\n")] = '\0';
	if (strncmp(answer, "no ", 3) != 0)
		return 0;
	memmove(answer, answer + 3, strlen(answer) - 2);
	end(child, 1);
	return -1;
}

void bench_child_stop(struct bench_child *child)
{
	if (child->pid > 0)
		end(child, 1);
}
