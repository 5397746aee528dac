/* SPDX-License-Identifier: MIT */
/*
 * result.c - what follows from the samples: medians, ratios, targets
 *
 * Callers: drive.c for a cell that is complete, out_*.c for all else.  0 stands
 * for a number that there is none of.
 *
 * A ratio is the quotient of two medians, as the tables show them, so that a
 * reader can compute it again.
 */
#include "bench.h"

#include <stdlib.h>

const struct bench_derived bench_deriveds[] = {
	{ "scaling-2", "threads-1", "threads-2" },
	{ "scaling-4", "threads-1", "threads-4" },
	{ "growth-1e4", "replace-10000", "replace-100" },
	{ "growth-1e6", "replace-1000000", "replace-10000" },
	{ "growth32-1e4", "replace32-10000", "replace32-100" },
	{ "growth32-1e6", "replace32-1000000", "replace32-10000" },
	{ "calloc/malloc", "calloc-32", "pair-32" },
	{ "files-gain", "files-one-cold", "files-many-cold" },
	{ "files-warm", "files-many-warm", "files-one-warm" },
	{ NULL, NULL, NULL },
};

#define REFERENCE "malloc+bzero"
#define SMALL(work)                                    \
	{ work, REFERENCE, NULL, 0, 1.5 },             \
		{ work, "OpenSSL", NULL, 0, 1.0 / 6 }, \
	{                                              \
		work, "libsodium", NULL, 0, 1.0 / 800  \
	}

const struct bench_target bench_targets[] = {
	SMALL("pair-16"),
	SMALL("pair-32"),
	SMALL("pair-64"),
	SMALL("pair-128"),
	SMALL("pair-256"),
	{ "pair-4096", REFERENCE, NULL, 0, 1.3 },
	{ "calloc/malloc", NULL, NULL, 0, 1.05 },
	{ "replace-1000", REFERENCE, NULL, 0, 1.5 },
	{ "replace-10000", REFERENCE, NULL, 0, 1.5 },
	{ "replace-100000", REFERENCE, NULL, 0, 1.2 },
	{ "replace32-1000", REFERENCE, NULL, 0, 1.5 },
	{ "replace32-10000", REFERENCE, NULL, 0, 1.5 },
	{ "replace32-100000", REFERENCE, NULL, 0, 1.2 },
	{ "growth-1e4", NULL, NULL, 0, 1.3 },
	{ "growth-1e6", NULL, NULL, 0, 2 },
	{ "growth32-1e4", NULL, NULL, 0, 1.3 },
	{ "growth32-1e6", NULL, NULL, 0, 2 },
	{ "scaling-2", NULL, NULL, 1, 1.7 },
	{ "prodcons", REFERENCE, NULL, 0, 1 },
	{ "realloc", REFERENCE, NULL, 0, 1.3 },
	{ "tls-replay", REFERENCE, NULL, 0, 1.5 },
	{ "tls-replay", "OpenSSL", NULL, 0, 1.0 / 6 },
	{ "tls-replay", "libsodium", NULL, 0, 1.0 / 500 },
	{ "tls-connect", "malloc", NULL, 0, 1.05 },
	{ "files-gain", NULL, NULL, 1, 3 },
	{ "files-warm", NULL, NULL, 0, 1.1 },
	{ "guarded-32", "libsodium", NULL, 0, 1.0 / 100 },
	{ "scope", "libsodium", NULL, 0, 1.1 },
	{ "startup", NULL, "memfd_secret", 0, 300 },
	{ "startup", NULL, "locked", 0, 150 },
	{ "capacity", NULL, NULL, 1, 170000 },
	{ NULL, NULL, NULL, 0, 0 },
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The samples stay in the order of the rounds. */
void bench_summarize(struct bench_cell *cell)
{
	double sorted[BENCH_ROUNDS_MAX];
	size_t n = (size_t)cell->rounds;

	if (n == 0)
		return;
	memcpy(sorted, cell->sample, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), by_value);
	cell->median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
	cell->least = sorted[0];
	cell->most = sorted[n - 1];
}

double bench_median(size_t work, int peer)
{
	const struct bench_cell *cell = &bench_cells[work][peer];

	return cell->rounds ? cell->median : 0;
}

/* A count that was not finished. */
static int is_bound(size_t work, int peer)
{
	return strncmp(bench_cells[work][peer].note, BENCH_AT_LEAST,
		       sizeof(BENCH_AT_LEAST) - 1) == 0;
}

double bench_ratio(size_t work, int peer)
{
	double ours = bench_median(work, BENCH_SECMALLOC);
	double theirs = bench_median(work, peer);

	if (theirs <= 0 || is_bound(work, peer))
		return 0;
	return ours / theirs;
}

double bench_derive(const struct bench_derived *d, int peer)
{
	double over = bench_median((size_t)bench_find_work(d->over), peer);
	double under = bench_median((size_t)bench_find_work(d->under), peer);

	return under > 0 ? over / under : 0;
}

int bench_shown(int peer)
{
	return bench_versions[peer][0] != '\0';
}

int bench_work_shown(size_t work)
{
	return bench_cells[work][BENCH_SECMALLOC].asked;
}

const char *bench_unit(size_t work)
{
	static const char *const names[] = { "ns", "ns wall", "objects", "us" };

	return names[bench_works[work].kind];
}

double bench_shown_value(size_t work, double value)
{
	return bench_works[work].kind == BENCH_START ? value / 1000 : value;
}

/* ---- targets ----------------------------------------------------------- */

double bench_target_value(const struct bench_target *target)
{
	const struct bench_derived *d;
	int work = bench_find_work(target->work);

	for (d = bench_deriveds; d->name; d++)
		if (strcmp(d->name, target->work) == 0)
			return bench_derive(d, BENCH_SECMALLOC);
	if (work < 0)
		return 0;
	if (target->tier &&
	    strcmp(target->tier, bench_cells[work][BENCH_SECMALLOC].tier) != 0)
		return 0;
	if (target->against)
		return bench_ratio((size_t)work,
				   bench_find_peer(target->against));
	return bench_shown_value((size_t)work,
				 bench_median((size_t)work, BENCH_SECMALLOC));
}

enum bench_verdict bench_judge(const struct bench_target *target)
{
	double value = bench_target_value(target);

	if (value <= 0)
		return BENCH_UNKNOWN;
	if (target->at_least ? value >= target->bound : value <= target->bound)
		return BENCH_OK;
	return BENCH_MISSED;
}

/* ---- as text ----------------------------------------------------------- */

const char *bench_format(char *text, size_t size, double value)
{
	if (value <= 0)
		snprintf(text, size, "-");
	else
		snprintf(text, size, "%.*f",
			 value < 10    ? 2
			 : value < 100 ? 1
				       : 0,
			 value);
	return text;
}

const char *bench_format_ratio(char *text, size_t size, double ratio)
{
	if (ratio <= 0 || ratio >= 0.1)
		return bench_format(text, size, ratio);
	snprintf(text, size, "1/%.0f", 1 / ratio);
	return text;
}

void bench_format_cell(size_t work, int peer, char *value, char *ratio,
		       size_t size)
{
	double median = bench_median(work, peer);

	bench_format(value, size, bench_shown_value(work, median));
	bench_format_ratio(ratio, size, bench_ratio(work, peer));
	if (is_bound(work, peer)) {
		memmove(value + 1, value, strlen(value) + 1);
		value[0] = '>';
	}
}

/* What all objects of ours were in. */
const char *bench_tier(void)
{
	static char tiers[128];
	const char *tier;
	size_t i;

	tiers[0] = '\0';
	for (i = 0; i < bench_work_count; i++) {
		tier = bench_cells[i][BENCH_SECMALLOC].tier;
		if (!tier[0] || strstr(tiers, tier))
			continue;
		snprintf(tiers + strlen(tiers), sizeof(tiers) - strlen(tiers),
			 "%s%s", tiers[0] ? ", " : "", tier);
	}
	return tiers[0] ? tiers : "unknown";
}

int bench_note(struct bench_notes *notes, size_t work, int peer)
{
	const struct bench_cell *cell = &bench_cells[work][peer];
	const char *text = cell->note;
	int i;

	if (!text[0] && cell->unlocked)
		text = "some of the objects are not locked";
	if (!text[0] && peer == BENCH_SECMALLOC && cell->rounds &&
	    cell->tier[0] && strcmp(cell->tier, "memfd_secret") != 0)
		text = "not all of the objects are in memfd_secret";
	if (!text[0])
		return 0;
	for (i = 0; i < notes->count; i++)
		if (strcmp(notes->text[i], text) == 0)
			return 'a' + i;
	if (notes->count == BENCH_NOTES)
		return '*';
	notes->text[notes->count++] = text;
	return 'a' + i;
}
