/* SPDX-License-Identifier: MIT */
/*
 * seccomp.c - asking for system calls that a filter may punish
 *
 * Callers: secretmem.c, seal.c, threads.c and probe.c.  State: how many filters
 * there were when the backend was set up.
 *
 * A filter may answer an unknown call by killing the process.  Where there is
 * one at the start, a child asks; one that comes later is not tried at all.
 */
#include "linux.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "uapi.h"

enum { NO_FILTER = 0, FILTER_MODE = 2 };

static int known_filters;

/* How many seccomp filters this thread has; one where that is not told. */
static int filters(void)
{
	static const char key[] = "\nSeccomp_filters:\t";
	char buf[4096], *at;

	if (prctl(PR_GET_SECCOMP, 0L, 0L, 0L, 0L) != FILTER_MODE)
		return NO_FILTER;
	if (secm_linux_read_file("/proc/thread-self/status", buf,
				 sizeof(buf)) <= 0)
		return 1;
	at = strstr(buf, key);
	return at ? atoi(at + sizeof(key) - 1) : 1;
}

void secm_seccomp_init(void)
{
	known_filters = filters();
}

int secm_seccomp_filtered(void)
{
	return filters() != NO_FILTER;
}

int secm_seccomp_changed(void)
{
	return filters() != known_filters;
}

/* In a child that shares nothing and sends no signal. */
static int ask_in_child(int (*call)(void))
{
	pid_t pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
	int status;

	if (pid < 0)
		return EPERM;
	if (pid == 0)
		_exit(call() & 0x7f);
	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return EPERM;
	if (WIFSIGNALED(status))
		return EPERM;
	return WEXITSTATUS(status);
}

/* What ask_two() calls; the core's lock covers it. */
static int (*question[2])(void);

enum { ASKED = 4 }; /* cannot be taken for EPERM */

static int ask_two(void)
{
	return ASKED | (question[0]() == 0 ? 1 : 0) |
	       (question[1]() == 0 ? 2 : 0);
}

/* A child costs as much as fork(2) does in a process of this size, so there is
 * one for each only if it was killed for either. */
int secm_seccomp_ask_two(int (*first)(void), int (*second)(void))
{
	int r;

	if (known_filters == NO_FILTER)
		return -1;
	question[0] = first;
	question[1] = second;
	r = ask_in_child(ask_two);
	if (r & ASKED)
		return r & ~ASKED;
	return (ask_in_child(first) == 0 ? 1 : 0) |
	       (ask_in_child(second) == 0 ? 2 : 0);
}

int secm_seccomp_ask(int (*call)(void))
{
	return secm_seccomp_filtered() ? ask_in_child(call) : call();
}
