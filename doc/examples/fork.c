/* SPDX-License-Identifier: MIT */
/*
 * fork.c - what a child sees of its parent's secrets
 *
 * Objects that a child inherits read as zeros.  It may write to them and free
 * them, and it may allocate its own; none of that reaches the parent.  A child
 * that needs a secret of its parent has to be given it, by a pipe for example.
 */
#define _POSIX_C_SOURCE 200112L

#include <secmalloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT = 77 };

static const char word[] = "swordfish";

/* The child: 0 if all is as promised. */
static int in_child(char *inherited)
{
	char *own;

	if (inherited[0] != 0)
		return 1; /* a secret of the parent */
	own = secmalloc(sizeof(word));
	if (!own)
		return 2;
	(void)strcpy(inherited, "mine");
	secfree(inherited);
	secfree(own);
	return 0;
}

int main(void)
{
	char *secret = secmalloc(sizeof(word));
	int status, same;
	pid_t pid;

	if (!secret) {
		perror("no memory for secrets here");
		return CANNOT;
	}
	(void)strcpy(secret, word);

	pid = fork();
	if (pid == 0)
		_exit(in_child(secret));
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("fork");
		return 1;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "the child ended with status 0x%x\n",
			(unsigned)status);
		return 1;
	}
	same = secmalloc_equal(secret, word, sizeof(word));
	puts(same ? "the child read zeros, the parent has its secret"
		  : "the child has changed the parent's secret");
	secfree(secret);
	return !same;
}
