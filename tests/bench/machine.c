/* SPDX-License-Identifier: MIT */
/*
 * machine.c - what the numbers were measured on, and what is wrong with that
 *
 * Callers: out_*.c, and main.c for the load before the first measurement.
 */
#include "bench.h"

#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static double load_before = -1;

static const int optimized =
#ifdef __OPTIMIZE__
	1;
#else
	0;
#endif

static const int debug =
#ifdef SECM_DEBUG
	1;
#else
	0;
#endif

static const char *const compiler =
#if defined(__clang__)
	"clang " __clang_version__;
#elif defined(__GNUC__)
	"gcc " __VERSION__;
#else
			"unknown";
#endif

/* The value of the first line of a file that starts with key. */
static int look_up(const char *file, const char *key, char *value, size_t size)
{
	FILE *f = fopen(file, "r");
	char line[256];
	int found = 0;

	if (!f)
		return 0;
	while (!found && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(value, size, "%s",
			 line + strlen(key) +
				 strspn(line + strlen(key), " \t:"));
		found = 1;
	}
	fclose(f);
	return found;
}

void bench_note_load(void)
{
	char value[64];

	if (look_up("/proc/loadavg", "", value, sizeof(value)))
		load_before = strtod(value, NULL);
}

static void say_date(char *value, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm) ||
	    strftime(value, size, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		value[0] = '\0';
}

static void say_cpu(char *value, size_t size)
{
	char model[128] = "unknown model";

	look_up("/proc/cpuinfo", "model name", model, sizeof(model));
	snprintf(value, size, "%s, %ld online", model,
		 sysconf(_SC_NPROCESSORS_ONLN));
}

static void say_kernel(char *value, size_t size)
{
	struct utsname name;

	value[0] = '\0';
	if (uname(&name) >= 0)
		snprintf(value, size, "%s %s %s", name.sysname, name.release,
			 name.machine);
}

static void say_compiler(char *value, size_t size)
{
	snprintf(value, size, "%s", compiler);
	value[strcspn(value, "(")] = '\0';
	while (value[0] && value[strlen(value) - 1] == ' ')
		value[strlen(value) - 1] = '\0';
}

static void say_secmalloc(char *value, size_t size)
{
	const char *options = getenv("SECMALLOC_CONF");

	snprintf(value, size, "%s, objects in %s%s%s",
		 bench_versions[BENCH_SECMALLOC], bench_tier(),
		 options ? ", SECMALLOC_CONF=" : "", options ? options : "");
}

static void say_peers(char *value, size_t size)
{
	int i;

	value[0] = '\0';
	for (i = 1; bench_peers[i]; i++) {
		if (!bench_versions[i][0])
			continue;
		/* The same library as the reference's. */
		if (bench_peers[i] == &bench_malloc &&
		    bench_versions[BENCH_REFERENCE][0])
			continue;
		snprintf(value + strlen(value), size - strlen(value), "%s%s %s",
			 value[0] ? ", " : "", bench_peers[i]->name,
			 bench_versions[i]);
	}
}

static void say_user(char *value, size_t size)
{
	snprintf(value, size, "%s", geteuid() == 0 ? "root" : "not root");
}

int bench_machine(int line, char *name, char *value, size_t size)
{
	static const struct {
		const char *name;
		void (*say)(char *value, size_t size);
	} lines[] = {
		{ "date", say_date },	  { "CPU", say_cpu },
		{ "kernel", say_kernel }, { "compiler", say_compiler },
		{ "user", say_user },	  { "secmalloc", say_secmalloc },
		{ "peers", say_peers },
	};

	if (line < 0 || (size_t)line >= sizeof(lines) / sizeof(lines[0]))
		return 0;
	snprintf(name, size, "%s", lines[line].name);
	lines[line].say(value, size);
	return 1;
}

void bench_out_warnings(FILE *to, const char *before)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	if (strcmp(bench_tier(), "memfd_secret") != 0)
		fprintf(to,
			"%sWarning: not all objects of secmalloc were in "
			"memfd_secret, but: %s.\n",
			before, bench_tier());
	if (!optimized)
		fprintf(to, "%sWarning: built without optimization.\n", before);
	if (debug)
		fprintf(to, "%sWarning: built with --enable-debug.\n", before);
	if (load_before > 0.25 * (double)online)
		fprintf(to,
			"%sWarning: the machine was busy before the run "
			"(load %.2f).\n",
			before, load_before);
}
