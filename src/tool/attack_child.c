/* SPDX-License-Identifier: MIT */
/*
 * attack_child.c - a child looks where its parent has the secret
 *
 * Run by the victim.  A child made by fork(2) is prepared by the library's
 * fork handlers; one made without them (as sandboxes and language run-times
 * do) has only what the kernel promises.
 */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack_impl.h"

static int look(void *arg)
{
	struct attack_site *site = arg;

	attack_spill(site, site->at, site->size);
	_exit(0);
}

static void await_child(pid_t pid, struct attack_result *r)
{
	int status;

	if (pid < 0) {
		r->error = errno;
		return;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return;
	if (WIFSIGNALED(status))
		r->signal = WTERMSIG(status);
	else if (WEXITSTATUS(status) != 0)
		r->signal = -1;
}

void attack_fork_child(struct attack_site *site, struct attack_result *r)
{
	pid_t pid = fork();

	if (pid == 0)
		look(site);
	await_child(pid, r);
}

/* CLONE_VM is where clone(2) is. */
#ifdef CLONE_VM
#define CHILD_STACK (64 * 1024)

void attack_clone_child(struct attack_site *site, struct attack_result *r)
{
	static union {
		long double aligns;
		char bytes[CHILD_STACK];
	} stack;

	await_child(clone(look, stack.bytes + sizeof(stack.bytes), SIGCHLD,
			  site), r);
}
#else
void attack_clone_child(struct attack_site *site, struct attack_result *r)
{
	(void)site;
	attack_not_here(r, "this system has no clone");
}
#endif
