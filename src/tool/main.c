/* SPDX-License-Identifier: MIT */
/*
 * main.c - the secmalloc command: choose what to do
 *
 * The command sees the library through secmalloc.h alone, so that what it
 * shows is what any program gets.  Single-threaded.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "secmalloc.h"
#include "show.h"

static const char usage_text[] =
	"usage: secmalloc check [--json]\n"
	"       secmalloc demo [FILE]\n"
	"       secmalloc --help | --version\n"
	"\n"
	"check   what this machine can do for secrets, what limits it, what\n"
	"        to change; exit status 0: memfd_secret, 1: less, 2: nothing\n"
	"demo    attack the bytes of FILE (a private key, say) in ordinary\n"
	"        memory and in secmalloc memory; without FILE, attack made-up\n"
	"        bytes; exit status 0: every attack that this memory is\n"
	"        claimed to stop was blocked, 1: one was not, 2: no such\n"
	"        memory\n"
	"\n"
	"secmalloc(1) has the details.\n";

int cmd_usage(const char *what, const char *argument)
{
	fprintf(stderr, "secmalloc: %s%s%s\n%s", what,
		argument != NULL ? ": " : "", argument != NULL ? argument : "",
		"Try 'secmalloc --help'.\n");
	return CMD_USAGE;
}

static int help(void)
{
	printf("%s", usage_text);
	return 0;
}

static int version(void)
{
	printf("secmalloc %s (library %s)\n", SECMALLOC_VERSION_STRING,
	       secmalloc_version());
	return 0;
}

static int is(const char *argument, const char *a, const char *b)
{
	return strcmp(argument, a) == 0 || strcmp(argument, b) == 0;
}

static int choose(int argc, char **argv)
{
	int i;

	if (argc < 2)
		return cmd_usage("no command given", NULL);
	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (is(argv[i], "--help", "-h"))
			return help();
	if (is(argv[1], "--version", "-V"))
		return argc == 2 ? version() :
				   cmd_usage("too many arguments", argv[2]);
	if (strcmp(argv[1], "check") == 0)
		return cmd_check(argc - 2, argv + 2);
	if (strcmp(argv[1], "demo") == 0)
		return cmd_demo(argc - 2, argv + 2);
	return cmd_usage(argv[1][0] == '-' ? "unknown option" :
					     "unknown command", argv[1]);
}

/* No file that is opened later may become standard input, output or error.
 * Writing to what was closed stays an error.  Where there is no /dev/null, as
 * in small changed roots, the root itself does. */
static int fill_standard_fds(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0 &&
		    open("/", O_RDONLY) < 0)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	int status;

	if (fill_standard_fds() != 0)
		return CMD_OSERR;
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error, below */
	signal(SIGCHLD, SIG_DFL); /* may be inherited as ignored */
	show_init();
	status = choose(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "secmalloc: standard output: %s\n",
			strerror(errno));
		return CMD_IOERR;
	}
	return status;
}
