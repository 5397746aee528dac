/* SPDX-License-Identifier: MIT */
/*
 * attack_core.c - the core dump of a crashing program
 *
 * inside: the victim crashes in a private folder.  outside: the attacker
 * searches what the kernel wrote there, overwrites and removes it.  Where the
 * system sends dumps elsewhere nothing is tried: settings of the system are
 * not touched, and no dump of a real key goes to somebody's collection.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attack_impl.h"
#include "secmalloc.h"

#define PATTERN_FILE "/proc/sys/kernel/core_pattern"
#define CORE_MAX (256L * 1024 * 1024) /* bytes of dump that are asked for */
#define STEP (64 * 1024)

/* NULL, or why dumps do not come to the current folder. */
static const char *dumps_elsewhere(void)
{
	char pattern[256];
	size_t n;
	int fd;

	fd = open(PATTERN_FILE, O_RDONLY);
	if (fd < 0)
		return NULL; /* another system: the attempt will show */
	n = attack_read_all(fd, pattern, sizeof(pattern) - 1);
	close(fd);
	pattern[n] = '\0';
	if (pattern[0] == '|')
		return "core_pattern sends dumps to a program";
	if (strchr(pattern, '/') != NULL)
		return "core_pattern sends dumps to another folder";
	if (pattern[0] == '\0' || pattern[0] == '\n')
		return "core_pattern is empty";
	return NULL;
}

static const char *raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) != 0)
		return "there is no limit for core dumps";
	if (limit.rlim_max == 0)
		return "the hard limit for core dumps is 0";
	limit.rlim_cur = CORE_MAX;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < CORE_MAX)
		limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_CORE, &limit) != 0)
		return "the limit for core dumps cannot be raised";
	return NULL;
}

void attack_core_die(struct attack_site *site, struct attack_result *r)
{
	const char *why = dumps_elsewhere();

	if (why == NULL && (site->folder == NULL || chdir(site->folder) != 0))
		why = "no private folder for the dump";
	if (why == NULL)
		why = raise_limit();
	if (why == NULL)
		abort();
	attack_not_here(r, why);
}

/* 1 if the secret shows in the file.  The end of each step is kept, so that
 * nothing is missed at the seams. */
static int search(int fd, struct attack_site *site)
{
	const size_t keep = ATTACK_MARK_MAX;
	unsigned char *buf = malloc(keep + STEP);
	size_t have = 0;
	int found = 0;
	ssize_t n;

	if (buf == NULL)
		return 0;
	while (!found && (n = read(fd, buf + have, STEP)) > 0) {
		have += (size_t)n;
		found = attack_shows(site->expected, site->size, buf, have, 1);
		if (have > keep) {
			memmove(buf, buf + have - keep, keep);
			have = keep;
		}
	}
	secmalloc_wipe(buf, keep + STEP);
	free(buf);
	return found;
}

/* Overwrites what is not zero yet: a dump is mostly holes. */
static void shred(int fd)
{
	static const unsigned char zeros[STEP];
	unsigned char buf[STEP];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		if (memcmp(buf, zeros, (size_t)n) != 0 &&
		    pwrite(fd, zeros, (size_t)n, at) != n)
			break; /* it is removed all the same */
		at += n;
	}
	secmalloc_wipe(buf, sizeof(buf));
	(void)fsync(fd); /* best effort, as pwrite() */
}

/* Searches and removes one file of the folder; 0 if it is none. */
static int take(const char *name, struct attack_site *site,
		struct attack_result *r)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", site->folder, name) >=
	    (int)sizeof(path))
		return 0;
	fd = open(path, O_RDWR);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return 0;
	}
	if (search(fd, site))
		r->outcome = ATTACK_VISIBLE;
	snprintf(r->note, sizeof(r->note), "a dump of %ld KiB searched",
		 (long)(st.st_size / 1024));
	shred(fd);
	close(fd);
	unlink(path);
	return 1;
}

void attack_core_search(struct attack_site *site, struct attack_result *r)
{
	struct dirent *entry;
	int dumps = 0;
	DIR *dir;

	if (r->signal != SIGABRT) {
		attack_not_here(r, "the victim did not crash");
		return;
	}
	r->signal = 0;
	dir = opendir(site->folder);
	if (dir == NULL) {
		r->error = errno;
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		dumps += take(entry->d_name, site, r);
	closedir(dir);
	if (dumps == 0)
		attack_not_here(r, "the system wrote no dump");
	else if (r->outcome == ATTACK_PENDING)
		r->outcome = ATTACK_ABSENT;
}
