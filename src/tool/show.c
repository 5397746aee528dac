/* SPDX-License-Identifier: MIT */
/*
 * show.c - words and colours of the command's output
 *
 * Callers: cmd_check.c, cmd_demo.c.  State: whether to colour, set once.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "secmalloc.h"
#include "show.h"

struct word {
	unsigned long value;
	const char *text;
};

#define WORD(name) { (unsigned long)(name), #name }
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct word errors[] = {
	WORD(EACCES), WORD(EAGAIN), WORD(EBADF),  WORD(EFAULT),	 WORD(EINTR),
	WORD(EINVAL), WORD(EIO),    WORD(EMFILE), WORD(ENOMEM),	 WORD(ENOSYS),
	WORD(ENOTSUP), WORD(ENOTTY), WORD(ENXIO), WORD(EPERM),	 WORD(EPIPE),
	WORD(ESRCH),
};

static const struct word signals[] = {
	WORD(SIGABRT), WORD(SIGBUS),  WORD(SIGFPE),  WORD(SIGILL),
	WORD(SIGKILL), WORD(SIGPIPE), WORD(SIGSEGV), WORD(SIGSYS),
	WORD(SIGTERM), WORD(SIGTRAP),
};

static const struct word protections_words[] = {
	{ SECMALLOC_HIDDEN, "hidden" },
	{ SECMALLOC_LOCKED, "locked" },
	{ SECMALLOC_NODUMP, "not dumped" },
	{ SECMALLOC_FORK_ZERO, "zeros in children" },
	{ SECMALLOC_FORK_GONE, "gone in children" },
};

static const char *const codes[] = {
	"", "\033[32m", "\033[33m", "\033[31m", "\033[1m", "\033[2m",
};

static int coloured;

void show_init(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	coloured = isatty(STDOUT_FILENO) &&
		   (no_color == NULL || no_color[0] == '\0') && term != NULL &&
		   strcmp(term, "dumb") != 0;
}

void show_cell(enum show_colour colour, int width, const char *text)
{
	int fill = width - (int)strlen(text);

	if (coloured && colour != SHOW_PLAIN)
		printf("%s%s\033[0m", codes[colour], text);
	else
		printf("%s", text);
	if (fill > 0)
		printf("%*s", fill, "");
}

const char *show_protections(unsigned protections, char *buf, size_t size)
{
	size_t used = 0;
	size_t i;

	snprintf(buf, size, "none");
	for (i = 0; i < COUNT(protections_words) && used < size; i++) {
		if (!(protections & protections_words[i].value))
			continue;
		used += (size_t)snprintf(buf + used, size - used, "%s%s",
					 used > 0 ? ", " : "",
					 protections_words[i].text);
	}
	return buf;
}

const char *show_tier(int tier)
{
	static const char *const names[] = { "memfd_secret", "locked memory",
					     "partly protected memory" };

	return tier >= 0 && (size_t)tier < COUNT(names) ? names[tier] :
							  "unknown memory";
}

static const char *look_up(const struct word *words, size_t count,
			   unsigned long value, char *buf, size_t size)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (words[i].value == value)
			return words[i].text;
	snprintf(buf, size, "%lu", value);
	return buf;
}

const char *show_errno(int error, char *buf, size_t size)
{
	return look_up(errors, COUNT(errors), (unsigned long)error, buf, size);
}

const char *show_signal(int signal, char *buf, size_t size)
{
	return look_up(signals, COUNT(signals), (unsigned long)signal, buf,
		       size);
}

void show_json_string(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	if (text == NULL) {
		printf("null");
		return;
	}
	putchar('"');
	for (; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < 0x20 || *p >= 0x7f)
			printf("\\u%04x", *p);
		else
			putchar(*p);
	}
	putchar('"');
}
