/* SPDX-License-Identifier: MIT */
/*
 * t_trace.c - see t_trace.h
 *
 * Memory is secret if the kernel calls it so, or it is what the tier has where
 * nothing is hidden: not dumped, and locked.  What stdio, stacks and malloc(3)
 * use is neither.
 */
#include "t_trace.h"

#ifdef __linux__
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define GET_SYSCALL_INFO 0x420e /* since 5.3; headers may be older */

enum { ENTRY = 1, EXIT = 2, IOVS = 16, NO_CALL = -1 };

/* As the kernel lays it out. */
struct info {
	uint8_t op, pad[3];
	uint32_t arch;
	uint64_t instruction, stack;
	union {
		struct {
			uint64_t nr, arg[6];
		} entry;
		struct {
			int64_t result;
			uint8_t is_error;
		} exit;
	} u;
};

struct call {
	long nr;
	uint64_t arg[6];
};

int t_trace_is_watched(const struct t_trace *t, pid_t pid, int fd)
{
	char path[64], name[300];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	n = readlink(path, name, sizeof(name));
	return n > (ssize_t)strlen(t->prefix) &&
	       memcmp(name, t->prefix, strlen(t->prefix)) == 0;
}

void t_trace_strange(struct t_trace *t, const char *what, uint64_t number)
{
	t->strange++;
	(void)snprintf(t->last, sizeof(t->last), "%s %llu", what,
		       (unsigned long long)number);
}

int t_trace_peek(pid_t pid, uint64_t at, void *to, size_t size)
{
	struct iovec mine = { to, size };
	struct iovec other = { (void *)(uintptr_t)at, size };

	return process_vm_readv(pid, &mine, 1, &other, 1, 0) == (ssize_t)size
		       ? 0
		       : -EFAULT;
}

/* [at, end) of the child; what is not secret of it ends the search. */
struct range {
	uint64_t at, end;
	unsigned need;
};

static void narrow(void *arg, const struct ta_vma *vma)
{
	struct range *r = arg;

	if (r->at < vma->start || r->at >= vma->end || r->at >= r->end)
		return;
	if ((vma->props & SECM_HIDDEN) || (vma->props & r->need) == r->need)
		r->at = vma->end;
}

void t_trace_saw(struct t_trace *t, pid_t pid, const char *how, uint64_t at,
		 uint64_t size)
{
	struct range r = { at, at + size, t->need };

	t->reads++;
	if (ta_vmas_of(pid, narrow, &r) > 0 && r.at >= r.end)
		return;
	t->astray++;
	(void)snprintf(t->last, sizeof(t->last), "%s: %llu bytes at %#llx", how,
		       (unsigned long long)size, (unsigned long long)at);
}

static void saw_vector(struct t_trace *t, pid_t pid, const struct call *c,
		       uint64_t got)
{
	struct iovec v[IOVS];
	uint64_t i, part;

	if (c->arg[2] > IOVS ||
	    t_trace_peek(pid, c->arg[1], v, c->arg[2] * sizeof(*v)) < 0) {
		t_trace_strange(t, "vectors at", c->arg[1]);
		return;
	}
	for (i = 0; i < c->arg[2] && got > 0; i++) {
		part = v[i].iov_len < got ? v[i].iov_len : got;
		t_trace_saw(t, pid, "vector", (uintptr_t)v[i].iov_base, part);
		got -= part;
	}
}

/* Pages of watched files that the child has touched in its mappings. */
static void look_at_maps(struct t_trace *t, pid_t pid)
{
	char path[64], line[512];
	unsigned long kb, start = 0, end;
	int watched = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx", &start, &end) == 2)
			watched = strstr(line, t->prefix) != NULL;
		else if (watched && sscanf(line, "Rss: %lu kB", &kb) == 1 &&
			 kb > 0)
			t_trace_saw(t, pid, "mapping", start, 1);
	}
	if (f)
		(void)fclose(f);
}

static int is_watched(const struct t_trace *t, pid_t pid, uint64_t fd)
{
	return t_trace_is_watched(t, pid, (int)fd);
}

static void before(struct t_trace *t, pid_t pid, const struct call *c)
{
	switch (c->nr) {
	case SYS_munmap:
	case SYS_exit_group:
		look_at_maps(t, pid);
		break;
	case SYS_io_uring_enter:
		t_trace_ring_enter(t, pid, (int)c->arg[0], c->arg[1]);
		break;
	default:
		break;
	}
}

/* What moves bytes of a file elsewhere. */
static int is_transfer(const struct call *c, uint64_t *fd)
{
	switch (c->nr) {
	case SYS_sendfile:
		*fd = c->arg[1];
		return 1;
	case SYS_recvmsg:
	case SYS_splice:
	case SYS_tee:
	case SYS_copy_file_range:
		*fd = c->arg[0];
		return 1;
	default:
		return 0;
	}
}

static void after(struct t_trace *t, pid_t pid, const struct call *c,
		  int64_t result)
{
	uint64_t fd;

	if (result < 0)
		return;
	switch (c->nr) {
	case SYS_read:
	case SYS_pread64:
	case SYS_recvfrom:
		if (result > 0 && is_watched(t, pid, c->arg[0]))
			t_trace_saw(t, pid, "read", c->arg[1],
				    (uint64_t)result);
		break;
	case SYS_readv:
	case SYS_preadv:
	case SYS_preadv2:
		if (is_watched(t, pid, c->arg[0]))
			saw_vector(t, pid, c, (uint64_t)result);
		break;
	case SYS_io_uring_setup:
		t_trace_ring_made(t, pid, c->arg[1], (int)result);
		break;
	case SYS_io_uring_register:
		t_trace_strange(t, "registered with a ring", c->arg[1]);
		break;
	default:
		if (is_transfer(c, &fd) && is_watched(t, pid, fd))
			t_trace_strange(t, "transfer by call", (uint64_t)c->nr);
		break;
	}
}

/* At a stop for a system call: 0, or an errno. */
static int look(struct t_trace *t, pid_t pid, struct call *c)
{
	struct info info;
	size_t i;

	memset(&info, 0, sizeof(info));
	if (ptrace(GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) < 0)
		return errno;
	if (info.op == ENTRY) {
		c->nr = (long)info.u.entry.nr;
		for (i = 0; i < 6; i++)
			c->arg[i] = info.u.entry.arg[i];
		before(t, pid, c);
	} else if (info.op == EXIT && c->nr != NO_CALL) {
		after(t, pid, c, info.u.exit.result);
		c->nr = NO_CALL;
	}
	return 0;
}

/* Nobody looks at what threads, children and other programs do. */
static int is_left(struct t_trace *t, int status)
{
	if (status >> 16 == 0)
		return 0;
	t_trace_strange(t, "another thread or program, event",
			(uint64_t)(status >> 16));
	return 1;
}

static int follow(struct t_trace *t, pid_t pid)
{
	struct call c = { NO_CALL, { 0 } };
	int status, sig = 0, e = 0;

	while (e == 0) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)sig) < 0 ||
		    waitpid(pid, &status, 0) < 0)
			return errno;
		if (!WIFSTOPPED(status)) {
			t->status = WIFSIGNALED(status) ? -WTERMSIG(status)
							: WEXITSTATUS(status);
			return 0;
		}
		if (is_left(t, status))
			break;
		sig = WSTOPSIG(status);
		if (sig == (SIGTRAP | 0x80)) {
			sig = 0;
			e = look(t, pid, &c);
		}
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	return e;
}

int t_trace(struct t_trace *t, int (*fn)(void *), void *arg)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return errno;
	t->reads = t->ring_reads = t->astray = t->strange = 0;
	t->last[0] = '\0';
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(EPERM);
		(void)raise(SIGSTOP);
		_exit(fn(arg));
	}
	if (waitpid(pid, &status, 0) < 0)
		return errno;
	if (!WIFSTOPPED(status))
		return EPERM;
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options) < 0)
		return errno;
	return follow(t, pid);
}
#endif
