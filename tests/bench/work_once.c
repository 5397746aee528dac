/* SPDX-License-Identifier: MIT */
/*
 * work_once.c - how many locked objects a small lock limit has room for
 *
 * Callers: worker.c, by the list in work.c.  Only what the kernel says is
 * locked counts: a peer that goes on without is stopped there.
 */
#include "bench.h"

#include <errno.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

enum { LIMIT = 8 << 20, NOBODY = 65534 };

static const char *before_failed;

/* As a user without privileges: root and CAP_IPC_LOCK know no limit. */
void bench_before_capacity(void)
{
	struct rlimit limit = { LIMIT, LIMIT };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		before_failed = "the limit cannot be set";
	else if (geteuid() == 0 && (setgroups(0, NULL) < 0 ||
				    setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		before_failed = "privileges cannot be dropped";
}

int bench_setup_capacity(struct bench_run *run)
{
	const char *why = before_failed;

	if (!run->peer->locks)
		why = "locks nothing";
	else if (bench_locked() < 0)
		why = "this system does not tell what is locked";
	return why ? bench_cannot(run, why) : 0;
}

/* Objects that lock their own page: each of them is asked about. */
static size_t count_pages(struct bench_run *run)
{
	long before = bench_locked(), after;
	size_t n;

	for (n = 0;; n++) {
		if (!run->peer->alloc(run->work->size))
			return n;
		after = bench_locked();
		if (after <= before)
			break;
		before = after;
	}
	snprintf(run->why, sizeof(run->why),
		 "hands out unlocked memory from then on");
	return n;
}

static size_t count_all(struct bench_run *run)
{
	double end = bench_wall() + run->limit * 1e9;
	size_t n;
	unsigned char *p;

	for (n = 0;; n++) {
		p = run->peer->alloc(run->work->size);
		if (!p)
			return n;
		bench_touch(p, run->work->size, n);
		if (n % 256 == 0 && bench_wall() > end)
			break;
	}
	snprintf(run->why, sizeof(run->why),
		 BENCH_AT_LEAST ": stopped after %g s", run->limit);
	return n;
}

double bench_do_capacity(struct bench_run *run, size_t units)
{
	size_t n = run->peer->a_page_each ? count_pages(run) : count_all(run);
	long locked = bench_locked();

	(void)units;
	if (locked > 0 && n <= (size_t)locked * 1024 / run->work->size)
		return (double)n;
	snprintf(run->why, sizeof(run->why),
		 "%zu objects, but only %ld KiB locked", n, locked);
	return 0;
}
