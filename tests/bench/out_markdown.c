/* SPDX-License-Identifier: MIT */
/*
 * out_markdown.c - the results as a section of doc/performance.md, and as CSV
 *
 * Caller: main.c.
 */
#include "bench.h"

static void columns(FILE *to, const char *first)
{
	int i;

	fprintf(to, "\n| %s | unit | secmalloc |", first);
	for (i = 1; i < BENCH_PEERS; i++)
		if (bench_shown(i))
			fprintf(to, " %s |", bench_peers[i]->name);
	fputs("\n|---|---|--:|", to);
	for (i = 1; i < BENCH_PEERS; i++)
		if (bench_shown(i))
			fputs("--:|", to);
	fputc('\n', to);
}

static void mark(FILE *to, int note)
{
	if (note)
		fprintf(to, " <sup>%c</sup>", note);
	fputs(" |", to);
}

static void row(FILE *to, size_t work, struct bench_notes *notes)
{
	char value[32], ratio[32];
	int i;

	fprintf(to, "| %s | %s |", bench_works[work].name, bench_unit(work));
	for (i = 0; i < BENCH_PEERS; i++) {
		if (!bench_shown(i))
			continue;
		bench_format_cell(work, i, value, ratio, sizeof(value));
		if (i == BENCH_SECMALLOC)
			fprintf(to, " **%s**", value);
		else if (value[0] == '-' || ratio[0] == '-')
			fprintf(to, " %s", value);
		else
			fprintf(to, " %s (%s)", value, ratio);
		mark(to, bench_note(notes, work, i));
	}
	fputc('\n', to);
}

static void derived(FILE *to)
{
	const struct bench_derived *d;
	char value[32];
	int i, any = 0;

	for (d = bench_deriveds; d->name; d++) {
		if (!bench_derive(d, BENCH_SECMALLOC))
			continue;
		if (!any++)
			columns(to, "quotient");
		fprintf(to, "| %s | |", d->name);
		for (i = 0; i < BENCH_PEERS; i++)
			if (bench_shown(i))
				fprintf(to, " %s |",
					bench_format(value, sizeof(value),
						     bench_derive(d, i)));
		fputc('\n', to);
	}
}

static void machine(FILE *to, const struct bench_options *options)
{
	char name[512], value[512];
	int i;

	fputs("| | |\n|---|---|\n", to);
	for (i = 0; bench_machine(i, name, value, sizeof(value)); i++)
		fprintf(to, "| %s | %s |\n", name, value);
	fprintf(to, "| method | medians of %d rounds, about %.0f ms each |\n",
		options->rounds, options->cell * 1e3);
	bench_out_warnings(to, "\n");
}

void bench_out_markdown(FILE *to, const struct bench_options *options)
{
	struct bench_notes notes = { .count = 0 };
	size_t work;
	int i;

	machine(to, options);
	fputs("\n![Times relative to malloc and explicit_bzero]"
	      "(performance.svg)\n",
	      to);
	columns(to, "workload");
	for (work = 0; work < bench_work_count; work++)
		if (bench_work_shown(work))
			row(to, work, &notes);
	fputs("\nIn brackets: secmalloc's number divided by the peer's.\n", to);
	for (i = 0; i < notes.count; i++)
		fprintf(to, "%s<sup>%c</sup> %s.\n", i ? "<br>" : "\n", 'a' + i,
			notes.text[i]);
	derived(to);
	fputs("\n| target | against | bound | measured | |\n"
	      "|---|---|---|--:|---|\n",
	      to);
	bench_out_targets(to, 1);
}

/* ---- CSV --------------------------------------------------------------- */

/* None of our texts has a quotation mark in it. */
static void csv_cell(FILE *to, size_t work, int peer)
{
	const struct bench_cell *cell = &bench_cells[work][peer];

	fprintf(to, "%s,%s,%s,\"%s\",%d,%zu,", bench_works[work].name,
		bench_works[work].kind == BENCH_COUNT ? "objects" : "ns",
		bench_peers[peer]->name, bench_versions[peer], cell->rounds,
		cell->units);
	if (cell->rounds)
		fprintf(to, "%.3f,%.3f,%.3f,", cell->median, cell->least,
			cell->most);
	else
		fputs(",,,", to);
	if (bench_ratio(work, peer) > 0)
		fprintf(to, "%.6f", bench_ratio(work, peer));
	fprintf(to, ",\"%s\",%d,\"%s\"\n",
		peer == BENCH_SECMALLOC ? cell->tier : "", cell->unlocked,
		cell->note);
}

void bench_out_csv(FILE *to)
{
	size_t work;
	int i;

	fputs("workload,unit,peer,version,rounds,units,median,min,max,"
	      "ratio,tier,unlocked,note\n",
	      to);
	for (work = 0; work < bench_work_count; work++)
		for (i = 0; i < BENCH_PEERS; i++)
			if (bench_cells[work][i].asked)
				csv_cell(to, work, i);
}
