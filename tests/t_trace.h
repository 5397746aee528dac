/* SPDX-License-Identifier: MIT */
/*
 * t_trace.h - watches a child: where does the kernel put what it reads?
 *
 * For tests on Linux.  t_trace.c stops the child at its system calls and compares
 * the place of each read with the child's mappings; t_trace_ring.c has the part
 * that knows io_uring.
 */
#ifndef T_TRACE_H
#define T_TRACE_H

#include "t_api.h"

#include <stdint.h>
#include <sys/types.h>

struct t_trace {
	/* What is watched: files whose path begins so, or what /proc/PID/fd calls
	 * so ("pipe:"). */
	const char *prefix;
	unsigned need; /* SECM_* of memory that is hidden from nobody */

	unsigned reads;	     /* into any memory */
	unsigned ring_reads; /* of these, by io_uring */
	unsigned astray;     /* of these, elsewhere than in secret memory */
	unsigned strange; /* calls of which it is not known where they read */
	char last[200];	  /* of the latter two, in words */
	int status;	  /* how the child ended, as ta_status() has it */
};

/* Calls fn(arg) in a child and exits with what it returns.  0, or an errno:
 * nothing can be traced here. */
int t_trace(struct t_trace *t, int (*fn)(void *arg), void *arg);

/* What the two files share: a read of the watched, bytes of the child at an
 * address, and something to be said. */
int t_trace_is_watched(const struct t_trace *t, pid_t pid, int fd);
void t_trace_saw(struct t_trace *t, pid_t pid, const char *how, uint64_t at,
		 uint64_t size);
void t_trace_strange(struct t_trace *t, const char *what, uint64_t number);
int t_trace_peek(pid_t pid, uint64_t at, void *to, size_t size);

/* At a system call that made a ring, and before one that submits. */
void t_trace_ring_made(struct t_trace *t, pid_t pid, uint64_t params, int fd);
void t_trace_ring_enter(struct t_trace *t, pid_t pid, int fd, uint64_t n);

#endif /* T_TRACE_H */
