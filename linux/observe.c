/* SPDX-License-Identifier: MIT */
/*
 * observe.c - what the kernel says that holds, from /proc/self/smaps
 *
 * Callers: the report, through os.h.  No state.  Reads line by line through a
 * small buffer on the stack; smaps holds addresses and flags, no contents.
 */
#include "linux.h"

#include <fcntl.h>
#include <string.h>

struct reader {
	int fd;
	size_t have, next;
	char buf[2048];
};

static int get_byte(struct reader *r)
{
	ssize_t n;

	if (r->next < r->have)
		return (unsigned char)r->buf[r->next++];
	do
		n = read(r->fd, r->buf, sizeof(r->buf));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return -1;
	r->have = (size_t)n;
	r->next = 1;
	return (unsigned char)r->buf[0];
}

/* Over-long lines lose their end, never their beginning.  0 at the end. */
static int get_line(struct reader *r, char *line, size_t size)
{
	size_t n = 0;
	int c = get_byte(r);

	if (c < 0)
		return 0;
	for (; c >= 0 && c != '\n'; c = get_byte(r))
		if (n + 1 < size)
			line[n++] = (char)c;
	line[n] = 0;
	return 1;
}

/* "start-end perms ..." in hexadecimal; other lines have a capital or a colon
 * before the dash. */
static int parse_range(const char *line, uintptr_t *start, uintptr_t *end)
{
	uintptr_t v[2] = { 0, 0 };
	int i, n;

	for (i = 0; i < 2; i++) {
		for (n = 0; strchr("0123456789abcdef", *line) && *line; n++) {
			int d = *line <= '9' ? *line - '0' : *line - 'a' + 10;

			v[i] = v[i] << 4 | (uintptr_t)d;
			line++;
		}
		if (!n || *line != (i ? ' ' : '-'))
			return 0;
		line++;
	}
	*start = v[0];
	*end = v[1];
	return 1;
}

/* "rw-p" after the range */
static unsigned open_prop(const char *line)
{
	const char *mode = strchr(line, ' ');

	return mode && (mode[1] == 'r' || mode[2] == 'w') ? SECM_OPEN : 0;
}

static unsigned flag_props(const char *line)
{
	static const struct {
		const char *flag;
		unsigned prop;
	} flags[] = {
		{ " lo", SECM_LOCKED },
		{ " dd", SECM_NODUMP },
		{ " wf", SECM_FORK_ZERO },
		{ " dc", SECM_FORK_GONE },
	};
	unsigned props = 0;
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strstr(line, flags[i].flag))
			props |= flags[i].prop;
	return props;
}

int secm_os_observe(secm_os_see *see, void *arg)
{
	struct reader r = { .fd = open("/proc/self/smaps",
				       O_RDONLY | O_CLOEXEC) };
	uintptr_t start = 0, end = 0;
	unsigned props = 0;
	int flags = 0;
	char line[256];

	if (r.fd < 0)
		return -ENOTSUP;
	while (get_line(&r, line, sizeof(line))) {
		if (parse_range(line, &start, &end)) {
			props = open_prop(line);
			/* Secret pages cannot be evicted, flag or no flag. */
			if (strstr(line, " /secretmem"))
				props |= SECM_HIDDEN | SECM_LOCKED;
		} else if (strncmp(line, "VmFlags:", 8) == 0) {
			flags = 1;
			see(arg, (const void *)start, end - start,
			    props | flag_props(line + 8));
		}
	}
	(void)close(r.fd); /* only read from */
	return flags ? 0 : -ENOTSUP;
}
