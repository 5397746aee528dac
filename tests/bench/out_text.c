/* SPDX-License-Identifier: MIT */
/*
 * out_text.c - the results as tables for people: text
 *
 * Caller: main.c.  out_markdown.c has the same tables for doc/performance.md.
 */
#include "bench.h"

enum { LEFT = 18, CELL = 16 };

static void machine(FILE *to, const struct bench_options *options)
{
	char name[512], value[512];
	int i;

	for (i = 0; bench_machine(i, name, value, sizeof(value)); i++)
		fprintf(to, "%-10s %s\n", name, value);
	fprintf(to, "%-10s medians of %d rounds, about %.0f ms each\n",
		"method", options->rounds, options->cell * 1e3);
	bench_out_warnings(to, "");
}

static void heading(FILE *to, const char *first)
{
	int i;

	fprintf(to, "\n%-*s%-8s%10s ", LEFT, first, "unit", "secmalloc");
	for (i = 1; i < BENCH_PEERS; i++)
		if (bench_shown(i))
			fprintf(to, "%*s ", CELL - 1, bench_peers[i]->name);
	fputs(" target\n", to);
}

static int mark(int note)
{
	return note ? note : ' ';
}

static const char *row_verdict(const char *work)
{
	const struct bench_target *t;
	int ok = 0, missed = 0;

	for (t = bench_targets; t->work; t++) {
		if (strcmp(t->work, work) != 0)
			continue;
		ok += bench_judge(t) == BENCH_OK;
		missed += bench_judge(t) == BENCH_MISSED;
	}
	return missed ? "MISSED" : ok ? "ok" : "";
}

static void row(FILE *to, size_t work, struct bench_notes *notes)
{
	char value[32], ratio[32];
	int i;

	bench_format_cell(work, BENCH_SECMALLOC, value, ratio, sizeof(value));
	fprintf(to, "%-*s%-8s%10s%c", LEFT, bench_works[work].name,
		bench_unit(work), value,
		mark(bench_note(notes, work, BENCH_SECMALLOC)));
	for (i = 1; i < BENCH_PEERS; i++) {
		if (!bench_shown(i))
			continue;
		bench_format_cell(work, i, value, ratio, sizeof(value));
		fprintf(to, "%*s%7s%c", CELL - 8, value,
			strcmp(ratio, "-") == 0 ? "" : ratio,
			mark(bench_note(notes, work, i)));
	}
	fprintf(to, " %s\n", row_verdict(bench_works[work].name));
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
			heading(to, "quotient");
		fprintf(to, "%-*s%-8s%10s ", LEFT, d->name, "",
			bench_format(value, sizeof(value),
				     bench_derive(d, BENCH_SECMALLOC)));
		for (i = 1; i < BENCH_PEERS; i++)
			if (bench_shown(i))
				fprintf(to, "%*s%8s", CELL - 8,
					bench_format(value, sizeof(value),
						     bench_derive(d, i)),
					"");
		fprintf(to, " %s\n", row_verdict(d->name));
	}
}

void bench_out_targets(FILE *to, int markdown)
{
	static const char *const verdicts[] = { "not measured", "ok",
						"MISSED" };
	const struct bench_target *t;
	char bound[32], value[32];
	double v;

	for (t = bench_targets; t->work; t++) {
		v = bench_target_value(t);
		if (v <= 0)
			continue;
		bench_format_ratio(bound, sizeof(bound), t->bound);
		bench_format_ratio(value, sizeof(value), v);
		fprintf(to,
			markdown ? "| %s | %s | %s %s | %s | %s |\n"
				 : "%-18s%-18s%-9s%8s%10s  %s\n",
			t->work, t->against ? t->against : "",
			t->at_least ? "at least" : "at most", bound, value,
			verdicts[bench_judge(t)]);
	}
}

void bench_out_text(FILE *to, const struct bench_options *options)
{
	struct bench_notes notes = { .count = 0 };
	size_t work;
	int i;

	machine(to, options);
	heading(to, "time");
	for (work = 0; work < bench_work_count; work++)
		if (bench_work_shown(work))
			row(to, work, &notes);
	fputs("\nBeside each peer's number: secmalloc's divided by it.\n", to);
	for (i = 0; i < notes.count; i++)
		fprintf(to, "%c  %s\n", 'a' + i, notes.text[i]);
	derived(to);
	fprintf(to, "\n%-18s%-18s%17s%10s\n", "target", "against", "bound",
		"measured");
	bench_out_targets(to, 0);
}
