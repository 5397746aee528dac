/* SPDX-License-Identifier: MIT */
/*
 * t_planted_bugs.c - the bugs of t_planted, a function each
 *
 * With bad = 0 each is a program without a bug, else the same with one.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <secmalloc.h>

#include "t_planted.h"

int t_child_status;
static volatile char sink;
static void *volatile kept;
static void **secret; /* holds the only pointers to something */

/* Beyond an object: by one byte, in the middle of 8 aligned ones. */
static void overflow_small(int bad)
{
	char *p = t_need(secmalloc(SMALL));

	sink = p[SMALL - 1 + bad];
	secfree(p);
}

static void overflow_large(int bad)
{
	char *p = t_need(secmalloc(LARGE));

	sink = p[LARGE - 1 + bad];
	secfree(p);
}

static void overflow_guarded(int bad)
{
	char *p = t_need(secmalloc_guarded(SMALL));

	sink = p[SMALL - 1 + bad];
	secfree(p);
}

static void overflow_empty(int bad)
{
	char *p = t_need(secmalloc(0));

	if (bad)
		sink = p[0];
	secfree(p);
}

/* At the guard page itself. */
static void overflow_guard(int bad)
{
	char *p = t_need(secmalloc_guarded(WHOLE));

	sink = p[WHOLE - 1 + bad];
	secfree(p);
}

static void underflow_read(int bad)
{
	char *other, *p = t_not_first(&other);

	sink = p[-bad];
	secfree(p);
	secfree(other);
}

static void underflow_guarded(int bad)
{
	char *p = t_need(secmalloc_guarded(WHOLE));

	t_must(secmalloc_protect(p, SECMALLOC_NOACCESS) == 0, "protect");
	t_must(secmalloc_protect(p, SECMALLOC_READWRITE) == 0, "protect");
	sink = p[-bad];
	secfree(p);
}

/* The library notices these as well, and ends the process: later. */
static void underflow_write(int bad)
{
	char *other, *p = t_not_first(&other);

	p[-bad] = 2; /* neither zero nor a byte of a canary: these are odd */
	secfree(p);
	secfree(other);
}

static void overflow_write(int bad)
{
	char *p = t_need(secmalloc(LARGE));

	p[LARGE - 1 + bad] = 0; /* which no byte of a canary is */
	secfree(p);
}

static void read_after_free(int bad)
{
	char *p = t_need(secmalloc(SMALL));

	if (!bad)
		sink = p[SMALL / 2];
	secfree(p);
	if (bad)
		sink = p[SMALL / 2];
}

static void read_large_after_free(int bad)
{
	char *p = t_need(secmalloc(LARGE));

	if (!bad)
		sink = p[SMALL / 2];
	secfree(p);
	if (bad)
		sink = p[SMALL / 2];
}

static void write_after_free(int bad)
{
	char *p = t_need(secmalloc(SMALL));

	if (!bad)
		p[SMALL / 2] = 1;
	secfree(p);
	if (bad)
		p[SMALL / 2] = 1;
}

/* Resized where they are: the new end counts. */
static void read_of_cut_off(int bad)
{
	char *p = t_need(secmalloc(MORE));

	p = t_need(secrealloc(p, LESS));
	sink = p[LESS - 1 + bad];
	secfree(p);
}

static void read_beyond_added(int bad)
{
	char *p = t_need(secmalloc(LESS));

	p = t_need(secrealloc(p, MORE));
	sink = p[MORE - 1 + bad];
	secfree(p);
}

static void read_beyond_added_guarded(int bad)
{
	char *p = t_need(secmalloc_guarded(SMALL));

	p = t_need(secrealloc(p, SMALL + 2));
	sink = p[SMALL + 1 + bad];
	secfree(p);
}

/* A resize that cannot be leaves everything as it was. */
static void overflow_after_refusal(int bad)
{
	char *p = t_need(secmalloc(SMALL));

	t_must(!secrealloc(p, (size_t)-1 / 2), "too large");
	sink = p[SMALL - 1 + bad];
	secfree(p);
}

static void overflow_large_after_refusal(int bad)
{
	char *p = t_need(secmalloc(LARGE));

	t_must(!secrealloc(p, (size_t)-1 / 2), "too large");
	sink = p[LARGE - 1 + bad];
	secfree(p);
}

static void read_beyond_grown_large(int bad)
{
	char *p = t_need(secmalloc(LARGE));

	p = t_need(secrealloc(p, LARGE + 5000));
	sink = p[LARGE + 4999 + bad];
	p = t_need(secrealloc(p, LARGE));
	sink = p[LARGE - 1];
	secfree(p);
}

/* What the program never set is not known, wherever it is copied to; what
 * nobody set in an object is zero. */
static void undefined(int bad)
{
	char *bytes = t_need(malloc(WHOLE)), *p = t_need(secmalloc(WHOLE));
	int i, sum = p[0] + p[WHOLE - 1];

	t_must(sum == 0, "new objects are zeros");
	if (!bad)
		memset(bytes, 1, WHOLE);
	memcpy(p, bytes, WHOLE);
	p = t_need(secrealloc(p, WHOLE + 2));
	p = t_need(secrealloc(p, LESS));
	p = t_need(secrealloc(p, MORE));
	t_must(p[WHOLE + 1] == 0 && p[MORE - 1] == 0, "added bytes are zeros");
	for (i = 0; i < WHOLE; i++)
		sum += p[i];
	if (sum == WHOLE)
		sink = 1;
	free(bytes);
	secfree(p);
}

static void wipe_too_much(int bad)
{
	char *p = t_need(secmalloc(SMALL));

	/* Of the canary only zeros are left: only if this is let pass. */
	secmalloc_wipe(p, (size_t)(SMALL - bad));
	secmalloc_wipe(p, (size_t)(SMALL + bad));
	secfree(p);
}

static void compare_too_much(int bad)
{
	char *p = t_need(secmalloc(SMALL)), other[SMALL + 1] = { 0 };

	sink = (char)secmalloc_equal(p, other, (size_t)(SMALL + bad));
	secfree(p);
}

/* Inherited objects read as zeros, and have an end. */
static void overflow_in_child(int bad)
{
	char *p = t_need(secmalloc(SMALL)), *q = t_need(secmalloc(LARGE));
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		sink = p[SMALL - 1 + bad];
		sink = q[LARGE - 1];
		p[SMALL - 1] = q[0] = 1;
		secfree(p);
		secfree(q);
		p = t_need(secmalloc(SMALL));
		sink = p[SMALL - 1];
		secfree(p);
		_exit(0);
	}
	t_must(pid > 0 && waitpid(pid, &status, 0) == pid, "fork");
	t_child_status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	secfree(p);
	secfree(q);
}

static void leak_small(int bad)
{
	kept = t_need(secmalloc(SMALL));
	if (bad)
		kept = NULL;
	secfree(kept);
}

static void leak_large(int bad)
{
	kept = t_need(secmalloc(LARGE));
	if (bad)
		kept = NULL;
	secfree(kept);
}

static void leak_guarded(int bad)
{
	kept = t_need(secmalloc_guarded(WHOLE));
	if (bad)
		kept = NULL;
	secfree(kept);
}

/* Ordinary memory that only a secret knows of is not lost, until that forgets
 * it.  Many blocks, as the address of one may be left on the stack. */
static void leak_ordinary(int bad)
{
	int i;

	secret = t_need(secmalloc(MANY * sizeof(*secret)));
	for (i = 0; i < MANY; i++)
		secret[i] = t_need(malloc(SMALL));
	if (bad)
		memset(secret, 0, MANY * sizeof(*secret));
}

/* Whatever is alive is wiped and gone; freeing it once more does nothing. */
static void read_after_shutdown(int bad)
{
	char *p = t_need(secmalloc(SMALL)), *q = t_need(secmalloc(LARGE));

	sink = p[0];
	secmalloc_shutdown();
	if (bad)
		sink = p[0];
	secfree(p);
	secfree(q);
}

/* Not at the start of a slot; and not at that of a run. */
static void overflow_aligned(int bad)
{
	char *p = t_need(secmalloc_aligned(SMALL + 2, SMALL));
	char *q = t_need(secmalloc_aligned(4096, LARGE));

	q[0] = q[LARGE - 1] = 1;
	sink = p[SMALL - 1 + bad];
	secfree(p);
	secfree(q);
}

/* Each part is an object of its own, which ends and is freed alone.  No other
 * bug has objects of that size: memcheck tells of the first freed one that had
 * the place. */
static void read_of_freed_part(int bad)
{
	enum { WHOLE = 2100, PART = 2000 };
	char *p = t_need(secmalloc(WHOLE));
	char *q = t_need(secmalloc_split(p, PART));

	sink = q[WHOLE - PART - 1];
	if (!bad)
		sink = p[SMALL];
	secfree(p);
	if (bad)
		sink = p[SMALL];
	q[0] = q[WHOLE - PART - 1] = 1;
	secfree(q);
}

static void overflow_of_part(int bad)
{
	char *p = t_need(secmalloc(MORE));
	char *q = t_need(secmalloc_split(p, MORE - SMALL));

	secfree(p);
	sink = q[SMALL - 1 + bad];
	secfree(q);
}

/* It is no object, but has an end. */
static void overflow_segment(int bad)
{
	char *p = secmalloc_sbrk(LARGE);

	t_must(p != (void *)-1, "sbrk");
	p[0] = p[LARGE - 1] = 1;
	t_must(secmalloc_sbrk(-SMALL) == p + LARGE, "it can shrink");
	sink = p[LARGE - SMALL - 1 + bad];
	t_must(secmalloc_sbrk(SMALL) == p + LARGE - SMALL, "and grow");
	t_must(p[LARGE - 1] == 0, "with zeros");
	t_must(secmalloc_sbrk(-LARGE) == p + LARGE, "all of it");
}

const struct t_bug t_bugs[] = {
#define BUG(name, in_all) { #name, name, in_all }
	{ "churn", t_churn, 0 },
	BUG(overflow_in_child, 1),
	BUG(overflow_small, 1),
	BUG(overflow_large, 1),
	BUG(overflow_guarded, 1),
	BUG(overflow_empty, 1),
	BUG(underflow_read, 1),
	BUG(underflow_guarded, 1),
	BUG(read_after_free, 1),
	BUG(read_large_after_free, 1),
	BUG(read_of_cut_off, 1),
	BUG(read_beyond_added, 1),
	BUG(read_beyond_added_guarded, 1),
	BUG(read_beyond_grown_large, 1),
	BUG(overflow_after_refusal, 1),
	BUG(overflow_large_after_refusal, 1),
	BUG(overflow_aligned, 1),
	BUG(read_of_freed_part, 1),
	BUG(overflow_of_part, 1),
	BUG(overflow_segment, 1),
	BUG(compare_too_much, 1),
	BUG(undefined, 1),
	BUG(leak_small, 1),
	BUG(leak_large, 1),
	BUG(leak_guarded, 1),
	BUG(leak_ordinary, 1),
	{ "report", t_report, 1 },
	BUG(overflow_guard, 0),
	BUG(overflow_write, 0),
	BUG(underflow_write, 0),
	BUG(wipe_too_much, 0),
	BUG(write_after_free, 0),
	BUG(read_after_shutdown, 0),
	{ NULL, NULL, 0 }
};

