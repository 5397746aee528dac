/* SPDX-License-Identifier: MIT */
/*
 * worker.c - the process in which one cell is measured
 *
 * Caller: main.c, where the program was started with --worker.  Commands come
 * as lines on standard input, and each is answered by a line:
 *
 *	(start)		"ready UNLOCKED VERSION"
 *	calibrate SEC	"units N", after a measurement that nobody sees
 *	measure N	"ns X TIER NOTE", X for each operation
 *
 * "no WHY" may be any answer, and is the last one.  A new process's first
 * object is measured at once, and that is the answer to the start.
 *
 * A worker ends when its input does, without giving anything back.
 */
#include "bench.h"

#include <stdlib.h>
#include <unistd.h>

#include "secmalloc.h"

static struct bench_run the_run = { .per_unit = 1,
				    .random = 88172645463325252 };

static void leave(void)
{
	fflush(stdout);
	if (the_run.work && the_run.work->end)
		the_run.work->end(&the_run);
	_exit(0);
}

static void say_no(const char *why)
{
	printf("no %s\n", why);
	leave();
}

/* What our objects are in, "memfd_secret" if all of them.  The default heap alone:
 * what files come by is a heap of its own, in locked memory. */
static void find_tier(char *text, size_t size)
{
	static const char *const names[SECMALLOC_TIERS] = { "memfd_secret",
							    "locked",
							    "partial" };
	struct secmalloc_report report = { .size = sizeof(report) };
	int i;

	text[0] = '\0';
	if (secmalloc_heap_report(NULL, &report) < 0)
		return;
	for (i = 0; i < SECMALLOC_TIERS; i++) {
		if (!report.tier[i].mapped)
			continue;
		snprintf(text + strlen(text), size - strlen(text), "%s%s",
			 text[0] ? "+" : "", names[i]);
	}
}

static void say_time(const struct bench_run *run, double t)
{
	char tier[48] = "";

	if (run->peer == &bench_secmalloc)
		find_tier(tier, sizeof(tier));
	printf("ns %.3f %s %s\n", t, tier[0] ? tier : "-", run->why);
	fflush(stdout);
}

/* For those that need to be told: room for all, and as much again. */
static size_t arena(const struct bench_work *work)
{
	size_t threads, bytes;

	if (!work || work->kind == BENCH_START)
		return 65536;
	if (work->kind == BENCH_COUNT)
		return 8 << 20;
	threads = work->threads ? work->threads : 1;
	bytes = work->count * threads * (work->size ? 2 * work->size : 256);
	return bytes > 1 << 20 ? bytes : 1 << 20;
}

/* The first object in a new process.  It stays. */
static void measure_start(const struct bench_run *run)
{
	const struct bench_peer *peer = run->peer;
	double start = bench_wall();
	const char *why = NULL;
	unsigned char *p;

	if (peer->start)
		why = peer->start(arena(NULL));
	p = why ? NULL : peer->alloc(run->work->size);
	if (!p)
		say_no(why ? why : "an allocation failed");
	bench_touch(p, run->work->size, 1);
	say_time(run, bench_wall() - start);
	_exit(0);
}

/* The lesser of two times: what was set up in one, or waited for, is not in the
 * other. */
static double measure_twice(struct bench_run *run, size_t units, double enough)
{
	double t = run->work->measure(run, units), again;

	if (t <= 0)
		say_no(run->why);
	if (t < enough)
		return t;
	again = run->work->measure(run, units);
	if (again <= 0)
		say_no(run->why);
	return again < t ? again : t;
}

/* Units that take about so many seconds, done once more to warm up. */
static size_t calibrate(struct bench_run *run, double seconds)
{
	double t, goal = seconds * 1e9;
	size_t units = 1;

	for (;;) {
		t = measure_twice(run, units, goal / 4);
		if (t > 100 * goal && units == 1)
			say_no("too slow");
		if (t > goal / 4)
			break;
		units *= t > goal / 64 ? 2 : 8;
	}
	units = (size_t)((double)units * goal / t);
	if (units == 0)
		units = 1;
	if (run->work->measure(run, units) <= 0)
		say_no(run->why);
	return units;
}

static void measure(struct bench_run *run, size_t units)
{
	double t = run->work->measure(run, units);

	if (t <= 0)
		say_no(run->why);
	if (run->work->kind != BENCH_COUNT)
		t /= (double)units * (double)run->per_unit;
	say_time(run, t);
}

static void set_up(struct bench_run *run)
{
	const struct bench_peer *peer = run->peer;
	const struct bench_work *work = run->work;
	const char *why = bench_load_peer(peer);

	if (why)
		say_no(why);
	if (work && work->kind == BENCH_START)
		measure_start(run);
	if (work && work->before)
		work->before();
	if (peer->start)
		why = peer->start(arena(work));
	if (why)
		say_no(why);
	if (work && work->setup(run) < 0)
		say_no(run->why);
}

static void say_ready(const struct bench_run *run)
{
	char version[64] = "";
	long locked = run->peer->locks ? bench_locked() : -1;

	run->peer->version(version, sizeof(version));
	printf("ready %d %s\n",
	       locked >= 0 && (size_t)locked * 1024 < run->bytes, version);
	fflush(stdout);
}

int bench_worker(const char *peer, const char *work, const char *seconds)
{
	struct bench_run *run = &the_run;
	int p = bench_find_peer(peer), w = bench_find_work(work);
	char line[64];

	if (p < 0)
		return 2;
	run->peer = bench_peers[p];
	run->work = w < 0 ? NULL : &bench_works[w];
	run->limit = strtod(seconds, NULL);
	set_up(run);
	say_ready(run);
	while (fgets(line, sizeof(line), stdin)) {
		if (strncmp(line, "calibrate ", 10) == 0) {
			printf("units %zu\n",
			       calibrate(run, strtod(line + 10, NULL)));
			fflush(stdout);
		} else if (strncmp(line, "measure ", 8) == 0) {
			measure(run, strtoul(line + 8, NULL, 10));
		}
	}
	leave();
	return 0;
}
