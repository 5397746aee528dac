/* SPDX-License-Identifier: MIT */
/*
 * traced.c - is there a tracer already, and what keeps others away
 *
 * Callers: harden.c and facts.c.  No state, no lock.
 *
 * A tracer belongs to a thread, not to the process: each thread has to be
 * asked about.  The kernel tells the number that the tracer has in the PID
 * namespace of /proc, and 0 for one from outside of that.
 */
#include "linux.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "uapi.h"

/* What getdents64(2) gives; opendir(3) would allocate. */
struct entry {
	uint64_t inode;
	int64_t next;
	uint16_t size;
	unsigned char type;
	char name[];
};

/* As secm_linux_traced(), of the thread that has this name in /proc. */
static int thread_traced(const char *name)
{
	static const char key[] = "\nTracerPid:\t";
	char path[64], buf[4096], *at;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%.20s/status",
		       name);
	if (secm_linux_read_file(path, buf, sizeof(buf)) <= 0)
		return errno == ENOENT || errno == ESRCH ? 0 : -1; /* ended */
	at = strstr(buf, key);
	return at ? atoi(at + sizeof(key) - 1) != 0 : -1;
}

/* The threads whose entries are in the buffer. */
static int entries_traced(const char *buf, long len)
{
	const struct entry *e;
	long i;
	int r;

	for (i = 0; i < len; i += e->size) {
		e = (const void *)(buf + i);
		if (e->name[0] == '.')
			continue;
		r = thread_traced(e->name);
		if (r != 0)
			return r;
	}
	return 0;
}

int secm_linux_traced(void)
{
	uint64_t buf[128]; /* aligned as the entries want it */
	int fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;
	long n;

	if (fd < 0)
		return -1;
	do {
		n = syscall(SYS_getdents64, fd, buf, sizeof(buf));
		if (n > 0)
			r = entries_traced((const char *)buf, n);
	} while (n > 0 && r == 0);
	(void)close(fd); /* only read from */
	return n < 0 ? -1 : r;
}

int secm_linux_yama(void)
{
	char buf[16];

	if (secm_linux_read_file("/proc/sys/kernel/yama/ptrace_scope", buf,
				 sizeof(buf)) <= 0)
		return -1;
	return atoi(buf);
}
