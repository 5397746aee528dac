/* SPDX-License-Identifier: MIT */
/*
 * t_planted.c - a program with bugs for debuggers to find
 *
 *	t_planted TIER wrong|right BUG...	TIER: any, secret, locked
 *
 * Built and run by test_valgrind.sh and test_asan.sh, as a user's program:
 * against the public interface alone.  Each bug is a function of
 * t_planted_bugs.c that debuggers name; with "right" it does the same without
 * the bug.  BUG "all" stands for those after which the program can go on, churn
 * for a lot of everything without any.  Ends with 77 where the tier is not to
 * be had, else with the status of the last child.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <secmalloc.h>

#include "t_planted.h"

enum { OBJECTS = 64, STEPS = 3000, HUGE = 2000000, NOT_HERE = 77 };

void *t_need(void *p)
{
	if (!p) {
		perror("no memory");
		exit(1);
	}
	return p;
}

void t_must(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "failed: %s\n", what);
		exit(1);
	}
}

char *t_not_first(char **other)
{
	char *p = t_need(secmalloc(SMALL)), *q = t_need(secmalloc(SMALL));

	*other = p < q ? p : q;
	return p < q ? q : p;
}

static struct {
	unsigned char *p;
	size_t size;
	int guarded, byte;
} objects[OBJECTS];

static unsigned long draw(unsigned long below)
{
	static unsigned long state = 1;

	state = (state * 1103515245UL + 12345UL) & 0x7fffffffUL;
	return (state >> 8) % below;
}

static size_t draw_size(void)
{
	static const unsigned long most[] = { 1, 20, 200, 2000, 20000, 70000 };

	return (size_t)draw(most[draw(6)] + 1);
}

/* Each object is full of its byte. */
static void whole(int i)
{
	size_t at;

	for (at = 0; at < objects[i].size; at++)
		t_must(objects[i].p[at] == objects[i].byte, "contents stay");
}

static void change(int i)
{
	size_t size = draw_size(), old = objects[i].size;

	if (!objects[i].p) {
		objects[i].guarded = draw(4) == 0;
		objects[i].p = t_need(objects[i].guarded ?
					    secmalloc_guarded(size) :
					    secmalloc(size));
		old = 0;
	} else if (draw(2) && size > 0) {
		objects[i].p = t_need(secrealloc(objects[i].p, size));
	} else {
		secfree(objects[i].p);
		objects[i].p = NULL;
		size = 0;
	}
	objects[i].size = size < old ? size : old;
	whole(i);
	objects[i].size = size;
	objects[i].byte = (int)draw(256);
	if (objects[i].p)
		memset(objects[i].p, objects[i].byte, size);
}

/* What was asked for in another way, or not at all. */
static void rarer(void)
{
	char *p = t_need(secmalloc_aligned(draw(2) ? 4096 : 24, LARGE));
	char *q = t_need(secmalloc_split(p, (size_t)(1 + draw(LARGE - 1))));
	size_t size = draw_size();
	int n = (int)draw(2);

	t_must(secmalloc_usable_size(p) == (size_t)(q - p), "size");
	t_must(secmalloc_owns(q) && secmalloc_verify() > 0, "verify");
	if (secmalloc_resize(q, size) == 0)
		memset(q, 1, size);
	if (draw(2)) {
		q = t_need(secrealloc(q, size + 1));
		memset(q, 1, size + 1);
	}
	secfree(n ? p : q);
	secfree(n ? q : p);
	p = t_need(secmalloc(size));
	t_must(secmalloc_verify() > 0, "verify");
	secmalloc_free_sized(p, size);
	secmalloc_trim();
}

/* No bug at all: a lot of everything, in this process and in a child. */
void t_churn(int bad)
{
	int n, i, child, status = 0;

	for (n = 0; n < STEPS; n++) {
		i = (int)draw(OBJECTS);
		whole(i);
		if (objects[i].p && objects[i].guarded && draw(2)) {
			t_must(!secmalloc_protect(objects[i].p, (int)draw(3)) &&
				     !secmalloc_protect(objects[i].p,
							SECMALLOC_READWRITE),
			     "protect");
			whole(i);
		}
		change(i);
	}
	for (n = 0; n < MANY; n++)
		rarer();
	for (n = 0; n < 3; n++) /* each on the pages of the one before */
		secfree(t_need(secmalloc(HUGE)));
	child = fork() == 0;
	for (i = 0; i < OBJECTS; i++) {
		if (child)
			objects[i].byte = 0;
		whole(i);
		if (objects[i].p && objects[i].size)
			objects[i].p[objects[i].size - 1] = 0;
		secfree(objects[i].p);
		objects[i].p = NULL;
		objects[i].size = 0;
	}
	for (n = 0; child && n < MANY; n++)
		change(n);
	if (child)
		_exit(bad);
	t_must(wait(&status) > 0 && status == 0, "the child ends in peace");
}

/* What the kernel confirms is what is claimed. */
void t_report(int bad)
{
	struct secmalloc_report r;
	char *p = t_need(secmalloc(SMALL));
	int i;

	(void)bad;
	memset(&r, 0, sizeof(r));
	r.size = sizeof(r);
	t_must(secmalloc_report(&r) == 0, "report");
	for (i = 0; i < SECMALLOC_TIERS; i++) {
		t_must(!r.verified || r.tier[i].confirmed == r.tier[i].mapped,
		     "confirmed is what is mapped");
		if (r.tier[i].mapped)
			printf("tier %d\n", i);
	}
	secfree(p);
}

static void start(const char *tier)
{
	struct secmalloc_config config;

	memset(&config, 0, sizeof(config));
	config.size = sizeof(config);
	if (strcmp(tier, "secret") == 0)
		config.need = SECMALLOC_HIDDEN | SECMALLOC_LOCKED;
	else if (strcmp(tier, "locked") == 0)
		config.hibernation = SECMALLOC_HIBERNATION_KEEP;
	else
		config.flags = SECMALLOC_BEST_EFFORT;
	if (secmalloc_init(&config) == 0)
		return;
	perror("secmalloc_init");
	exit(NOT_HERE);
}

static int plant(const char *name, int bad)
{
	int done = 0;
	const struct t_bug *bug;

	for (bug = t_bugs; bug->name; bug++) {
		if (strcmp(name, bug->name) != 0 &&
		    (strcmp(name, "all") != 0 || !bug->in_all))
			continue;
		bug->run(bad);
		done = 1;
	}
	return done;
}

int main(int argc, char **argv)
{
	int i;

	if (argc < 4)
		return 2;
	start(argv[1]);
	for (i = 3; i < argc; i++)
		if (!plant(argv[i], strcmp(argv[2], "wrong") == 0))
			return 2;
	return t_child_status;
}
