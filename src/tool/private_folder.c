/* SPDX-License-Identifier: MIT */
/*
 * private_folder.c - a temporary folder that only we can enter
 *
 * For the core dump of a process with a real key in it: below TMPDIR, else
 * /tmp, mode 0700, gone whatever ends the command short of SIGKILL.  Caller:
 * cmd_demo.c, once.  State: the path and the noted signal.
 */
#include "config.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private_folder.h"
#include "secmalloc.h"

static const int noted[] = { SIGHUP, SIGINT, SIGTERM };

#define NAME "/secmalloc-demo."
#define NAME_SIZE (sizeof(NAME) + 2 * 8) /* with the random part */
#define NOTED (sizeof(noted) / sizeof(noted[0]))

static char folder[PATH_MAX];
static struct sigaction before[NOTED];
static volatile sig_atomic_t came;

static void note(int signal)
{
	came = signal;
}

/* mkdtemp(3) is younger than what we need to run on.  64 random bits: no one
 * guesses the name, and mkdir(2) takes no name that is there. */
static int make_name(void)
{
	const char *base = getenv("TMPDIR");
	unsigned char random[8];
	size_t used;
	size_t i;

	if (base == NULL || base[0] != '/')
		base = "/tmp";
	if (strlen(base) + NAME_SIZE > sizeof(folder) ||
	    secmalloc_random(random, sizeof(random)) != 0)
		return -1;
	used = (size_t)snprintf(folder, sizeof(folder), "%s" NAME, base);
	for (i = 0; i < sizeof(random); i++)
		used += (size_t)snprintf(folder + used, sizeof(folder) - used,
					 "%02x", random[i]);
	return 0;
}

const char *private_folder_make(void)
{
	struct sigaction action;
	size_t i;

	memset(&action, 0, sizeof(action));
	action.sa_handler = note; /* no SA_RESTART: waiting shall end */
	sigemptyset(&action.sa_mask);
	for (i = 0; i < NOTED; i++) {
		sigaction(noted[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(noted[i], &action, NULL);
	}
	if (make_name() == 0 && mkdir(folder, 0700) == 0)
		return folder;
	folder[0] = '\0';
	return NULL;
}

int private_folder_interrupted(void)
{
	return came != 0;
}

static void empty(void)
{
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *dir;

	dir = opendir(folder);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", folder,
			     entry->d_name) < (int)sizeof(path))
			unlink(path);
	closedir(dir);
}

void private_folder_remove(void)
{
	size_t i;

	if (folder[0] != '\0') {
		empty();
		rmdir(folder);
		folder[0] = '\0';
	}
	for (i = 0; i < NOTED; i++)
		sigaction(noted[i], &before[i], NULL);
	if (came != 0)
		raise(came);
}
