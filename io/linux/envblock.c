/* SPDX-License-Identifier: MIT */
/*
 * envblock.c - where the environment is that the program was started with
 *
 * Called by io/environment.c.  Lock: none.
 *
 * On Linux it is part of the first thread's stack; /proc/PID/environ shows what
 * is there now.  The kernel tells where in /proc/self/stat, as the 50th and 51st
 * of its fields, the second of which is the program's name in parentheses, with
 * whatever bytes a program has put there.
 */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	LINE = 2048,	/* 52 numbers and the name are shorter */
	AFTER_NAME = 2, /* fields up to the name */
	ENV_START = 50,
	ENV_END = 51
};

static int read_line(char line[LINE])
{
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t n;
	size_t have = 0;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, line + have, LINE - 1 - have);
		if (n > 0)
			have += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	(void)close(fd); /* only read from */
	line[have] = 0;
	return n < 0 ? -EIO : 0;
}

/* 0: there is no such field. */
static uintptr_t field(const char *line, int number)
{
	const char *p = strrchr(line, ')');
	int i;

	for (i = AFTER_NAME; p && i < number; i++) {
		p = strchr(p, ' ');
		if (p)
			p++;
	}
	return p ? (uintptr_t)strtoumax(p, NULL, 10) : 0;
}

/* A program may have told the kernel another place, and may have unmapped it;
 * msync() tells, and does nothing else. */
static int is_mapped(uintptr_t start, uintptr_t end)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t first = start / page * page;

	return msync((void *)first, end - first, MS_ASYNC) == 0;
}

void secm_io_os_env_block(char **start, char **end)
{
	char line[LINE];
	uintptr_t from, to;

	*start = NULL;
	*end = NULL;
	if (read_line(line) < 0)
		return;
	from = field(line, ENV_START);
	to = field(line, ENV_END);
	if (from == 0 || from >= to || !is_mapped(from, to))
		return;
	*start = (char *)from;
	*end = (char *)to;
}
