/* SPDX-License-Identifier: MIT */
/*
 * main.c - the benchmark's options
 *
 * Started by "make bench" or by hand, and by itself with --worker.
 */
#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

static const char usage[] =
	"usage: bench [options]\n"
	"  --quick          a short run: rough numbers\n"
	"  --rounds N       samples of each cell, 1 to 200 (15)\n"
	"  --only NAMES     these workloads alone, commas between\n"
	"  --peer NAMES     these peers alone, commas between\n"
	"  --csv FILE       all numbers\n"
	"  --svg FILE       a plot\n"
	"  --text FILE      what goes to standard output\n"
	"  --markdown FILE  the same for doc/performance.md\n"
	"  --list           the names of workloads and peers\n";

static int say_usage(FILE *to, int status)
{
	fputs(usage, to);
	return status;
}

static int list(void)
{
	size_t i;

	puts("workloads:");
	for (i = 0; i < bench_work_count; i++)
		printf("  %-18s %s\n", bench_works[i].name,
		       bench_works[i].what);
	puts("peers, if they are found:");
	for (i = 0; bench_peers[i]; i++)
		printf("  %-18s %s\n", bench_peers[i]->name,
		       bench_peers[i]->what);
	return 0;
}

/* Each of the names has to be known. */
static int all_known(const char *names, int (*find)(const char *))
{
	char name[64];
	size_t n;

	for (; names && *names; names += n + (names[n] == ',')) {
		n = strcspn(names, ",");
		snprintf(name, sizeof(name), "%.*s", (int)n, names);
		if (find(name) >= 0)
			continue;
		fprintf(stderr, "bench: unknown: %s (see --list)\n", name);
		return 0;
	}
	return 1;
}

enum { QUICK = 256, ROUNDS, ONLY, PEER, CSV, SVG, TEXT, MARKDOWN, LIST, HELP };

static const struct option names[] = {
	{ "quick", no_argument, NULL, QUICK },
	{ "rounds", required_argument, NULL, ROUNDS },
	{ "only", required_argument, NULL, ONLY },
	{ "peer", required_argument, NULL, PEER },
	{ "csv", required_argument, NULL, CSV },
	{ "svg", required_argument, NULL, SVG },
	{ "text", required_argument, NULL, TEXT },
	{ "markdown", required_argument, NULL, MARKDOWN },
	{ "list", no_argument, NULL, LIST },
	{ "help", no_argument, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};

static void take(struct bench_options *options, int option)
{
	switch (option) {
	case QUICK:
		options->rounds = options->rounds ? options->rounds : 5;
		options->cell = 0.005;
		options->limit = 0.5;
		break;
	case ROUNDS:
		options->rounds = (int)strtol(optarg, NULL, 10);
		if (options->rounds <= 0)
			options->rounds = -1;
		break;
	case ONLY:
		options->only = optarg;
		break;
	case PEER:
		options->peer = optarg;
		break;
	case CSV:
		options->csv = optarg;
		break;
	case SVG:
		options->svg = optarg;
		break;
	case TEXT:
		options->text = optarg;
		break;
	case MARKDOWN:
		options->markdown = optarg;
		break;
	}
}

/* -1: go on. */
static int read_options(struct bench_options *options, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == LIST)
			return list();
		if (option == HELP)
			return say_usage(stdout, 0);
		if (option < QUICK)
			return say_usage(stderr, 2);
		take(options, option);
	}
	if (options->rounds == 0)
		options->rounds = 15;
	if (optind < argc || options->rounds < 0 ||
	    options->rounds > BENCH_ROUNDS_MAX)
		return say_usage(stderr, 2);
	if (!all_known(options->only, bench_find_work) ||
	    !all_known(options->peer, bench_find_peer))
		return 2;
	return -1;
}

/* ---- files ------------------------------------------------------------- */

static const struct bench_options *said;

static void write_text(FILE *to)
{
	bench_out_text(to, said);
}

static void write_markdown(FILE *to)
{
	bench_out_markdown(to, said);
}

/* Standard output if name is NULL. */
static int write_file(const char *name, void (*content)(FILE *to))
{
	FILE *f = name ? fopen(name, "w") : stdout;
	int bad;

	if (!f) {
		fprintf(stderr, "bench: %s: %s\n", name, strerror(errno));
		return 1;
	}
	content(f);
	bad = fflush(f) || ferror(f);
	if (name)
		bad |= fclose(f);
	if (bad)
		fprintf(stderr, "bench: %s: cannot be written\n",
			name ? name : "standard output");
	return bad ? 1 : 0;
}

static int write_all(const struct bench_options *options)
{
	int bad;

	said = options;
	bad = write_file(NULL, write_text);
	if (options->text)
		bad |= write_file(options->text, write_text);
	if (options->markdown)
		bad |= write_file(options->markdown, write_markdown);
	if (options->csv)
		bad |= write_file(options->csv, bench_out_csv);
	if (options->svg)
		bad |= write_file(options->svg, bench_out_svg);
	return bad;
}

/* Where this program is, for it to start itself. */
static const char *self(const char *name)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return name;
	path[n] = '\0';
	return path;
}

int main(int argc, char **argv)
{
	struct bench_options options = { .cell = 0.025, .limit = 3 };
	int status;

	bench_init();
	if (argc == 5 && strcmp(argv[1], "--worker") == 0)
		return bench_worker(argv[2], argv[3], argv[4]);
	status = read_options(&options, argc, argv);
	if (status >= 0)
		return status;
	bench_note_load();
	if (bench_drive(&options, self(argv[0])) < 0) {
		fputs("bench: secmalloc does not work here\n", stderr);
		return 1;
	}
	return write_all(&options);
}
