/* SPDX-License-Identifier: MIT */
/*
 * attack_proc.c - read another process: /proc/PID/mem, process_vm_readv, ptrace
 *
 * What a debugger, gcore or malware of the same user does.  Run by the
 * attacker while the victim waits.  No state; a traced victim is let go.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef HAVE_SYS_PTRACE_H
#include <sys/ptrace.h>
#endif
#ifdef HAVE_SYS_UIO_H
#include <sys/uio.h>
#endif

#include "attack_impl.h"

void attack_proc_mem(struct attack_site *site, struct attack_result *r)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/mem", (long)site->pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 && errno == ENOENT) {
		attack_not_here(r, "no /proc/PID/mem on this system");
		return;
	}
	if (fd < 0) {
		r->error = errno;
		return;
	}
	while (site->got < site->size) {
		n = pread(fd, site->leak + site->got, site->size - site->got,
			  (off_t)((uintptr_t)site->at + site->got));
		if (n <= 0) {
			r->error = n < 0 ? errno : EIO;
			break;
		}
		site->got += (size_t)n;
	}
	close(fd);
}

#if HAVE_DECL_PROCESS_VM_READV && defined(HAVE_PROCESS_VM_READV)
void attack_vm_readv(struct attack_site *site, struct attack_result *r)
{
	struct iovec from;
	struct iovec to;
	ssize_t n;

	from.iov_base = site->at;
	from.iov_len = site->size;
	to.iov_base = site->leak;
	to.iov_len = site->size;
	n = process_vm_readv(site->pid, &to, 1, &from, 1, 0);
	if (n >= 0)
		site->got = (size_t)n;
	else if (errno == ENOSYS)
		attack_not_here(r, "the kernel has no process_vm_readv");
	else
		r->error = errno;
}
#else
void attack_vm_readv(struct attack_site *site, struct attack_result *r)
{
	(void)site;
	attack_not_here(r, "this system has no process_vm_readv");
}
#endif

/* PTRACE_GETREGSET is where the calls take Linux's arguments. */
#ifdef PTRACE_GETREGSET
/*
 * The value read is the result, so errno alone tells an error, and a value
 * alone tells nothing: attack_judge() compares it with the secret.
 */
static int peek_all(struct attack_site *site)
{
	size_t n;
	long word;

	while (site->got < site->size) {
		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, site->pid,
			      (void *)(site->at + site->got), NULL);
		if (errno != 0)
			return errno;
		n = site->size - site->got;
		if (n > sizeof(word))
			n = sizeof(word);
		memcpy(site->leak + site->got, &word, n);
		site->got += n;
	}
	return 0;
}

void attack_peek(struct attack_site *site, struct attack_result *r)
{
	int status;

	if (ptrace(PTRACE_ATTACH, site->pid, NULL, NULL) != 0) {
		r->error = errno;
		return;
	}
	if (waitpid(site->pid, &status, 0) < 0 || !WIFSTOPPED(status))
		r->error = ESRCH;
	else
		r->error = peek_all(site);
	ptrace(PTRACE_DETACH, site->pid, NULL, NULL);
}
#else
void attack_peek(struct attack_site *site, struct attack_result *r)
{
	(void)site;
	attack_not_here(r, "this system's ptrace is another one");
}
#endif
