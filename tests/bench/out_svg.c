/* SPDX-License-Identifier: MIT */
/*
 * out_svg.c - the plot: each workload a line, each peer a mark on it
 *
 * Caller: main.c.  The scale is that of the ratio to malloc with wiping by
 * hand, logarithmic; left is faster.  Workloads that this reference does not
 * have, or that are not times of operations, are in the tables only.
 *
 *	|        title, legend                              |
 *	| name   |   . scale 0.1 .. 1000, marks .   | ours  |
 *	|        what the scale is, the machine             |
 */
#include "bench.h"

enum {
	WIDTH = 1010,
	LEFT = 165, /* of the scale */
	RIGHT = 865,
	TOP = 118, /* of the first row */
	ROW = 21,
	GAP = 26 /* above a group, for its name */
};

/* Shapes as well as colours tell peers apart. */
static const struct {
	const char *colour, *path;
} marks[BENCH_PEERS] = {
	{ "#c2255c", "M0-7L7 0L0 7L-7 0Z" },
	{ "#212529", "M-1-7H1V7H-1Z" },
	{ "#868e96", "M0-4A4 4 0 1 1 0 4A4 4 0 1 1 0-4Z" },
	{ "#1971c2", "M-4-4H4V4H-4Z" },
	{ "#e8590c", "M0-5L5 4H-5Z" },
	{ "#2f9e44", "M0 5L5-4H-5Z" },
	{ "#9c36b5", "M-1.5-5H1.5V-1.5H5V1.5H1.5V5H-1.5V1.5H-5V-1.5H-1.5Z" },
	{ "#0c8599", "M-5-3L-3-5L0-2L3-5L5-3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0Z" },
	{ "#846358", "M-5 0L-2.5-4H2.5L5 0L2.5 4H-2.5Z" },
};

static FILE *out;
static int low, high; /* the scale's ends, powers of ten */

/* Logarithm to base 10, to 1e-6: the program is linked without libm. */
static double log10_of(double x)
{
	double log = 0, bit;

	for (; x >= 10; x /= 10)
		log++;
	for (; x < 1; x *= 10)
		log--;
	for (bit = 0.5; bit > 1e-6; bit /= 2) {
		x *= x;
		if (x >= 10) {
			x /= 10;
			log += bit;
		}
	}
	return log;
}

static double place(double ratio)
{
	return LEFT + (RIGHT - LEFT) * (log10_of(ratio) - low) / (high - low);
}

static void text(double x, double y, const char *attributes, const char *s)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
	for (; *s; s++) {
		if (*s == '&')
			fputs("&amp;", out);
		else if (*s == '<')
			fputs("&lt;", out);
		else
			fputc(*s, out);
	}
	fputs("</text>\n", out);
}

static void line(double x1, double y1, double x2, double y2, const char *colour)
{
	fprintf(out,
		"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
		"stroke=\"%s\"/>\n",
		x1, y1, x2, y2, colour);
}

static void draw_mark(int peer, double x, double y)
{
	fprintf(out,
		"<path transform=\"translate(%.1f %.1f)\" d=\"%s\" "
		"fill=\"%s\" stroke=\"#fff\" stroke-width=\"0.7\"/>\n",
		x, y, marks[peer].path, marks[peer].colour);
}

static int is_plotted(size_t work)
{
	return bench_works[work].kind <= BENCH_WALL &&
	       bench_ratio(work, BENCH_REFERENCE) > 0;
}

static double relative(size_t work, int peer)
{
	return bench_median(work, peer) / bench_median(work, BENCH_REFERENCE);
}

/* The scale has room for all marks; 0 if there are none. */
static int choose_scale(void)
{
	double log;
	size_t work;
	int i, any = 0;

	low = 0;
	high = 1;
	for (work = 0; work < bench_work_count; work++) {
		for (i = 0; i < BENCH_PEERS && is_plotted(work); i++) {
			if (bench_median(work, i) <= 0)
				continue;
			log = log10_of(relative(work, i));
			while (log < low)
				low--;
			while (log > high)
				high++;
			any = 1;
		}
	}
	return any;
}

static void legend(void)
{
	int i;
	double x = LEFT;

	for (i = 0; i < BENCH_PEERS; i++) {
		if (!bench_shown(i))
			continue;
		draw_mark(i, x, 60);
		text(x + 10, 64, i == BENCH_SECMALLOC ? "class=\"b\"" : "",
		     bench_peers[i]->name);
		x += 28 + 7 * (double)strlen(bench_peers[i]->name);
	}
}

static void scale_label(int power, double y)
{
	static const char *const below[] = { "1x", "0.1x", "0.01x", "0.001x" };
	char label[32] = "1x";
	int i;

	if (power <= 0)
		snprintf(label, sizeof(label), "%s",
			 power >= -3 ? below[-power] : "");
	for (i = 0; i < power; i++)
		memcpy(label + 1 + i, "0x", 3);
	text(LEFT + (RIGHT - LEFT) * (double)(power - low) / (high - low), y,
	     "text-anchor=\"middle\"", label);
}

static void scale(double bottom)
{
	double ten = 1;
	int power, i;

	for (power = 0; power > low; power--)
		ten /= 10;
	for (power = low; power < high; power++, ten *= 10)
		for (i = 1; i < 10; i++)
			line(place(i * ten), TOP - 26, place(i * ten), bottom,
			     i == 1 ? "#ced4da" : "#f1f3f5");
	line(RIGHT, TOP - 26, RIGHT, bottom, "#ced4da");
	line(place(1), TOP - 26, place(1), bottom, "#212529");
	for (power = low; power <= high; power++) {
		scale_label(power, TOP - 32);
		scale_label(power, bottom + 16);
	}
}

static void draw_row(size_t work, double y)
{
	char value[32], ratio[32], ours[80];
	int i;

	text(LEFT - 12, y + 4, "text-anchor=\"end\"", bench_works[work].name);
	line(LEFT, y, RIGHT, y, "#e9ecef");
	/* Ours last, on top. */
	for (i = BENCH_PEERS - 1; i >= 0; i--)
		if (bench_shown(i) && bench_median(work, i) > 0)
			draw_mark(i, place(relative(work, i)), y);
	bench_format(value, sizeof(value), bench_median(work, BENCH_SECMALLOC));
	bench_format_ratio(ratio, sizeof(ratio),
			   relative(work, BENCH_SECMALLOC));
	snprintf(ours, sizeof(ours), "%s ns", value);
	text(RIGHT + 78, y + 4, "text-anchor=\"end\" class=\"b\"", ours);
	snprintf(ours, sizeof(ours), "%sx", ratio);
	text(RIGHT + 130, y + 4, "text-anchor=\"end\"", ours);
}

/* Where row after row goes; draws them if asked to.  Returns the last's end. */
static double rows(int draw)
{
	const char *group = "";
	double y = TOP - 26;
	size_t work;

	for (work = 0; work < bench_work_count; work++) {
		if (!is_plotted(work))
			continue;
		if (strcmp(group, bench_works[work].group) != 0) {
			group = bench_works[work].group;
			y += GAP;
			if (draw)
				text(LEFT - 12, y - 4,
				     "text-anchor=\"end\" class=\"g\"", group);
			y += 12;
		}
		if (draw)
			draw_row(work, y);
		y += ROW;
	}
	return y;
}

static void caption(double y)
{
	char name[512], value[512], joined[1100];
	int i;

	text((LEFT + RIGHT) / 2, y, "text-anchor=\"middle\"",
	     "time of an operation, relative to malloc with explicit_bzero "
	     "before free (logarithmic; left is faster)");
	text(LEFT, y + 24, "",
	     "Medians of interleaved rounds; CPU time, but wall time for "
	     "threads. The numbers at the right are secmalloc's.");
	y += 46;
	for (i = 0; bench_machine(i, name, value, sizeof(value)); i++) {
		snprintf(joined, sizeof(joined), "%s: %s", name, value);
		text(LEFT, y, "class=\"s\"", joined);
		y += 14;
	}
}

void bench_out_svg(FILE *to)
{
	double bottom, height;

	out = to;
	if (!choose_scale()) {
		low = 0;
		high = 1;
	}
	bottom = rows(0);
	height = bottom + 182;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" "
		"viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" "
		"font-family=\"sans-serif\" font-size=\"12\" "
		"fill=\"#343a40\">\n"
		"<style>.b{font-weight:bold;fill:#c2255c}"
		".g{font-weight:bold}.s{font-size:11px;fill:#868e96}</style>\n"
		"<rect width=\"%d\" height=\"%.0f\" fill=\"#fff\"/>\n",
		WIDTH, height, WIDTH, height, WIDTH, height);
	text(LEFT, 32, "font-size=\"19\" font-weight=\"bold\"",
	     "What memory for secrets costs");
	legend();
	scale(bottom);
	rows(1);
	caption(bottom + 38);
	fputs("</svg>\n", out);
}
