/* SPDX-License-Identifier: MIT */
/*
 * drive.c - the driver: which worker measures when
 *
 * Caller: main.c.  For each workload all peers' workers are set up, one after
 * the other; then each round asks each of them once, in an order that is drawn
 * anew, so that whatever else the machine does meets all of them.  Workers wait
 * in a read while others measure.
 *
 * Fills bench_cells and bench_versions, which results are made from.
 */
#include "bench.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct bench_cell bench_cells[BENCH_WORKS_MAX][BENCH_PEERS];
char bench_versions[BENCH_PEERS][64];

/* The library to preload that was found, by peer. */
static char preloads[BENCH_PEERS][64];

static const struct bench_options *options;
static const char *self;
static struct bench_child children[BENCH_PEERS];

/* ---- which peers are there --------------------------------------------- */

static int start(int peer, const char *work)
{
	return bench_child_start(&children[peer], self, bench_peers[peer],
				 preloads[peer][0] ? preloads[peer] : NULL,
				 work, options->limit);
}

static int is_there(int peer)
{
	char answer[192];
	int unlocked;

	if (start(peer, NULL) < 0 ||
	    bench_child_ask(&children[peer], NULL, answer, sizeof(answer)) < 0)
		return 0;
	bench_child_stop(&children[peer]);
	return sscanf(answer, "ready %d %63[^\n]", &unlocked,
		      bench_versions[peer]) == 2;
}

static void find_peer(int peer)
{
	const char *names = bench_peers[peer]->preload;
	size_t n;

	if (!names) {
		(void)is_there(peer); /* leaves its version, or none */
		return;
	}
	for (; *names; names += n + (names[n] == ' ')) {
		n = strcspn(names, " ");
		snprintf(preloads[peer], sizeof(preloads[peer]), "%.*s", (int)n,
			 names);
		if (is_there(peer))
			return;
	}
}

/* ---- one cell ---------------------------------------------------------- */

static void give_up(struct bench_cell *cell, const char *why)
{
	cell->rounds = 0;
	snprintf(cell->note, sizeof(cell->note), "%.127s", why);
}

static int is_running(int peer)
{
	return children[peer].pid > 0;
}

/* Starts the worker and waits until it is ready. */
static void set_up(size_t work, int peer)
{
	struct bench_cell *cell = &bench_cells[work][peer];
	char answer[192] = "no process for it", question[64];

	if (start(peer, bench_works[work].name) < 0 ||
	    bench_child_ask(&children[peer], NULL, answer, sizeof(answer)) <
		    0) {
		give_up(cell, answer);
		return;
	}
	sscanf(answer, "ready %d", &cell->unlocked);
	cell->units = 1;
	if (bench_works[work].kind == BENCH_COUNT)
		return;
	snprintf(question, sizeof(question), "calibrate %g\n", options->cell);
	if (bench_child_ask(&children[peer], question, answer, sizeof(answer)) <
	    0)
		give_up(cell, answer);
	else
		sscanf(answer, "units %zu", &cell->units);
}

static void take_sample(struct bench_cell *cell, const char *answer)
{
	char tier[sizeof(cell->tier)], note[sizeof(cell->note)] = "";

	if (sscanf(answer, "ns %lf %47s %127[^\n]", &cell->sample[cell->rounds],
		   tier, note) < 2)
		return;
	cell->rounds++;
	if (strcmp(tier, "-") != 0)
		memcpy(cell->tier, tier, sizeof(tier));
	if (note[0])
		memcpy(cell->note, note, sizeof(note));
}

static void measure(size_t work, int peer)
{
	struct bench_cell *cell = &bench_cells[work][peer];
	char answer[192], question[64];

	snprintf(question, sizeof(question), "measure %zu\n", cell->units);
	if (bench_child_ask(&children[peer], question, answer, sizeof(answer)) <
	    0)
		give_up(cell, answer);
	else
		take_sample(cell, answer);
}

/* A sample takes a process. */
static void measure_start(size_t work, int peer)
{
	struct bench_cell *cell = &bench_cells[work][peer];
	char answer[192] = "no process for it";

	if (cell->note[0])
		return;
	if (start(peer, bench_works[work].name) < 0 ||
	    bench_child_ask(&children[peer], NULL, answer, sizeof(answer)) < 0)
		give_up(cell, answer);
	else
		take_sample(cell, answer);
	bench_child_stop(&children[peer]);
}

/* ---- rounds ------------------------------------------------------------ */

static void progress(const char *text)
{
	if (isatty(2))
		fprintf(stderr, "\r%-40s\r%s", "", text);
}

static void shuffle(int order[BENCH_PEERS])
{
	static uint64_t state = 0x2545f4914f6cdd1d;
	int i, j, swap;

	for (i = BENCH_PEERS - 1; i > 0; i--) {
		j = (int)(bench_random(&state) % (uint64_t)(i + 1));
		swap = order[i];
		order[i] = order[j];
		order[j] = swap;
	}
}

static int rounds_of(enum bench_kind kind)
{
	return kind == BENCH_COUNT ? 1 : options->rounds;
}

static void one_round(size_t work, int order[BENCH_PEERS])
{
	int i, fresh = bench_works[work].kind == BENCH_START;

	shuffle(order);
	for (i = 0; i < BENCH_PEERS; i++) {
		if (fresh && bench_cells[work][order[i]].asked)
			measure_start(work, order[i]);
		else if (is_running(order[i]))
			measure(work, order[i]);
	}
}

static void measure_work(size_t work)
{
	const struct bench_work *w = &bench_works[work];
	int order[BENCH_PEERS], i, round, rounds = rounds_of(w->kind);
	char text[64];

	for (i = 0; i < BENCH_PEERS; i++) {
		order[i] = i;
		if (!bench_cells[work][i].asked || w->kind == BENCH_START)
			continue;
		snprintf(text, sizeof(text), "%s: %s", w->name,
			 bench_peers[i]->name);
		progress(text);
		set_up(work, i);
	}
	for (round = 0; round < rounds; round++) {
		snprintf(text, sizeof(text), "%s: round %d of %d", w->name,
			 round + 1, rounds);
		progress(text);
		one_round(work, order);
	}
	progress("");
	for (i = 0; i < BENCH_PEERS; i++) {
		bench_child_stop(&children[i]);
		bench_summarize(&bench_cells[work][i]);
	}
}

static int is_wanted(const char *list, const char *name)
{
	size_t n = strlen(name);

	if (!list)
		return 1;
	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (strcspn(list, ",") == n && strncmp(list, name, n) == 0)
			return 1;
	return 0;
}

int bench_drive(const struct bench_options *given, const char *program)
{
	size_t work;
	int peer;

	options = given;
	self = program;
	signal(SIGPIPE, SIG_IGN);
	for (peer = 0; peer < BENCH_PEERS; peer++)
		if (peer == BENCH_SECMALLOC ||
		    is_wanted(given->peer, bench_peers[peer]->name))
			find_peer(peer);
	if (!bench_versions[BENCH_SECMALLOC][0])
		return -1;
	for (work = 0; work < bench_work_count; work++) {
		if (!is_wanted(given->only, bench_works[work].name))
			continue;
		for (peer = 0; peer < BENCH_PEERS; peer++)
			bench_cells[work][peer].asked =
				bench_versions[peer][0] != '\0';
		measure_work(work);
	}
	return 0;
}
