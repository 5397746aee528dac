/* SPDX-License-Identifier: MIT */
/*
 * cmd_check.c - secmalloc check: what this machine can do for secrets
 *
 * First what the system offers, fact by fact, then what a program that asks
 * for nothing special really gets: an object is allocated, and the report
 * read.  The verdict and the exit status go by the latter.  Changes nothing.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "secmalloc.h"
#include "show.h"

#define PROBE_SIZE 64

/* Columns, with the blanks after them. */
#define WIDTH_NAME 22
#define WIDTH_STATUS 10

struct probe {
	int error;	  /* of the allocation, or 0 */
	int report_error; /* of the report, or 0 */
	int best_effort;  /* the report is on what is left without needs */
	struct secmalloc_report report;
};

static const char *const status_words[] = { "good", "degraded", "missing" };
static const char *const verdict_words[] = { "full", "degraded", "nothing" };
static const enum show_colour colours[] = { SHOW_GOOD, SHOW_FAIR, SHOW_BAD };

/* What to change for each reason, the settings by their names. */
static const char *reason_advice(enum secmalloc_reason reason)
{
	switch (reason) {
	case SECMALLOC_REASON_BACKEND:
		return "on Linux, build with ./configure --with-backend=linux";
	case SECMALLOC_REASON_KERNEL:
		return "Linux 6.5 or later has memfd_secret switched on; from "
		       "5.14 on, boot with secretmem.enable=1";
	case SECMALLOC_REASON_FORBIDDEN:
		return "let the sandbox permit memfd_secret: in a systemd unit "
		       "SystemCallFilter=memfd_secret, in a container its "
		       "seccomp profile";
	case SECMALLOC_REASON_HIBERNATION:
		return "memfd_secret would keep this machine from hibernating: "
		       "remove the resume device (resume= at boot), or let the "
		       "program choose SECMALLOC_HIBERNATION_GIVE_UP";
	case SECMALLOC_REASON_LOCK_LIMIT:
		return "raise RLIMIT_MEMLOCK: memlock in "
		       "/etc/security/limits.conf, LimitMEMLOCK= in a systemd "
		       "unit, ulimit -l in a shell";
	case SECMALLOC_REASON_DESCRIPTORS:
		return "raise RLIMIT_NOFILE: nofile in "
		       "/etc/security/limits.conf, LimitNOFILE= in a systemd "
		       "unit, ulimit -n in a shell";
	case SECMALLOC_REASON_MAPPINGS:
		return "raise vm.max_map_count, or free memory";
	case SECMALLOC_REASON_UNVERIFIED:
		return "run on a real kernel: this one accepts advice that "
		       "does not exist";
	default:
		return NULL;
	}
}

/* An object and the report on it; 0 or an errno. */
static int allocate(struct probe *p)
{
	void *object;
	int error = 0;

	errno = 0;
	object = secmalloc(PROBE_SIZE);
	if (object == NULL)
		error = errno != 0 ? errno : ENOMEM;
	p->report.size = sizeof(p->report);
	p->report_error = secmalloc_report(&p->report) != 0 ? errno : 0;
	secfree(object);
	return error;
}

/* Anew, if the defaults got as far as being set up but gave no object. */
static int start_best_effort(void)
{
	struct secmalloc_config config;

	memset(&config, 0, sizeof(config));
	config.size = sizeof(config);
	config.flags = SECMALLOC_BEST_EFFORT;
	if (secmalloc_init(&config) == 0)
		return 0;
	if (errno != EALREADY)
		return -1;
	secmalloc_shutdown();
	return secmalloc_init(&config);
}

/* Where the defaults give nothing, what best effort would. */
static void probe(struct probe *p)
{
	memset(p, 0, sizeof(*p));
	p->error = allocate(p);
	if (p->error == 0 || start_best_effort() != 0)
		return;
	p->best_effort = 1;
	(void)allocate(p); /* the verdict is out already */
}

static int verdict(const struct probe *p)
{
	const struct secmalloc_tier_report *best;

	if (p->error != 0 || p->report_error != 0)
		return CMD_NOTHING;
	best = &p->report.tier[SECMALLOC_TIER_SECRET];
	if (best->mapped == 0 ||
	    p->report.tier[SECMALLOC_TIER_LOCKED].mapped != 0 ||
	    p->report.tier[SECMALLOC_TIER_PARTIAL].mapped != 0)
		return CMD_DEGRADED;
	if (p->report.verified && best->confirmed != best->mapped)
		return CMD_DEGRADED;
	return CMD_FULL;
}

/* ---- for people ---- */

static void print_line(const char *name, const char *value)
{
	printf("  %-*s%s\n", WIDTH_NAME, name, value);
}

static void print_advice(const char *advice)
{
	if (advice != NULL)
		printf("  %-*s-> %s\n", WIDTH_NAME, "", advice);
}

static void print_facts(void)
{
	struct secmalloc_fact fact;
	unsigned n;

	show_cell(SHOW_HEAD, 0, "What this machine offers");
	printf("\n");
	for (n = 0;; n++) {
		memset(&fact, 0, sizeof(fact));
		fact.size = sizeof(fact);
		if (secmalloc_fact(n, &fact) != 0)
			break;
		printf("  %-*s", WIDTH_NAME, fact.name);
		show_cell(colours[fact.status], WIDTH_STATUS,
			  status_words[fact.status]);
		printf("%s\n", fact.value);
		print_advice(fact.advice);
	}
}

static void print_limit(const char *name, size_t bytes)
{
	char buf[64];

	if (bytes == SIZE_MAX)
		print_line(name, "none");
	else {
		snprintf(buf, sizeof(buf), "%lu KiB",
			 (unsigned long)(bytes / 1024));
		print_line(name, buf);
	}
}

static void print_tiers(const struct secmalloc_report *report)
{
	const struct secmalloc_tier_report *tier;
	char words[128];
	char line[256];
	int i;

	for (i = 0; i < SECMALLOC_TIERS; i++) {
		tier = &report->tier[i];
		if (tier->mapped == 0)
			continue;
		snprintf(line, sizeof(line), "%s: %s", show_tier(i),
			 show_protections(tier->protections, words,
					  sizeof(words)));
		print_line("obtained", line);
		if (!report->verified)
			snprintf(line, sizeof(line), "this system cannot say");
		else
			snprintf(line, sizeof(line), "%lu of %lu KiB",
				 (unsigned long)(tier->confirmed / 1024),
				 (unsigned long)(tier->mapped / 1024));
		print_line("confirmed by kernel", line);
	}
}

static void print_probe(const struct probe *p)
{
	const struct secmalloc_report *report = &p->report;
	char words[128];

	printf("\n");
	show_cell(SHOW_HEAD, 0, "What a program gets by default");
	printf("\n");
	if (p->error != 0)
		print_line("obtained", strerror(p->error));
	if (p->best_effort) {
		printf("\n");
		show_cell(SHOW_HEAD, 0, "What it gets by best effort");
		printf("\n");
	}
	if (p->report_error != 0) {
		print_line("report", strerror(p->report_error));
		return;
	}
	print_line("backend", report->backend);
	print_line("needed",
		   show_protections(report->need, words, sizeof(words)));
	print_tiers(report);
	print_limit("lock limit, soft", report->lock_limit);
	print_limit("lock limit, hard", report->lock_limit_max);
	if (report->reason != SECMALLOC_REASON_NONE) {
		print_line("why not more",
			   secmalloc_reason_string(report->reason));
		print_advice(reason_advice(report->reason));
	}
}

static void print_verdict(int status)
{
	static const char *const lines[] = {
		"full: secrets are kept in memfd_secret memory",
		"degraded: secrets are protected, but not by memfd_secret",
		"nothing: there is no protected memory, and none is handed out",
	};

	printf("\n");
	show_cell(colours[status], 0, lines[status]);
	printf("\n");
}

/* ---- for programs; the keys are listed in secmalloc(1) ---- */

static void json_facts(void)
{
	struct secmalloc_fact fact;
	unsigned n;

	printf("\"facts\":[");
	for (n = 0;; n++) {
		memset(&fact, 0, sizeof(fact));
		fact.size = sizeof(fact);
		if (secmalloc_fact(n, &fact) != 0)
			break;
		printf("%s{\"name\":", n > 0 ? "," : "");
		show_json_string(fact.name);
		printf(",\"status\":");
		show_json_string(status_words[fact.status]);
		printf(",\"value\":");
		show_json_string(fact.value);
		printf(",\"advice\":");
		show_json_string(fact.advice);
		printf("}");
	}
	printf("]");
}

static void json_report(void)
{
	char *text = NULL;
	int size;

	printf("\"report\":");
	size = secmalloc_report_json(NULL, 0);
	if (size >= 0)
		text = malloc((size_t)size + 1);
	if (text != NULL &&
	    secmalloc_report_json(text, (size_t)size + 1) == size)
		printf("%s", text);
	else
		printf("null");
	free(text);
}

static void print_json(const struct probe *p, int status)
{
	const char *advice = NULL;

	if (p->report_error == 0)
		advice = reason_advice(p->report.reason);
	printf("{\"version\":");
	show_json_string(secmalloc_version());
	printf(",\"verdict\":");
	show_json_string(verdict_words[status]);
	printf(",\"error\":");
	show_json_string(p->error != 0 ? strerror(p->error) : NULL);
	printf(",\"advice\":");
	show_json_string(advice);
	printf(",\"best_effort\":%s,", p->best_effort ? "true" : "false");
	json_facts();
	printf(",");
	json_report();
	printf("}\n");
}

int cmd_check(int argc, char **argv)
{
	struct probe p;
	int json = 0;
	int status;
	int i;

	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") != 0)
			return cmd_usage("check: unknown argument", argv[i]);
		json = 1;
	}
	probe(&p);
	status = verdict(&p);
	if (json) {
		print_json(&p, status);
		return status;
	}
	print_facts();
	print_probe(&p);
	print_verdict(status);
	return status;
}
