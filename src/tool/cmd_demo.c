/* SPDX-License-Identifier: MIT */
/*
 * cmd_demo.c - secmalloc demo: attack a secret, and show what came of it
 *
 * Each attack is made on the same bytes in ordinary heap memory first, then,
 * by the same code, in secmalloc memory.  One row each; what the row counts
 * for depends on what is claimed for the memory that was really obtained.
 * This process holds the secret in secmalloc memory only.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attack.h"
#include "cmd.h"
#include "private_folder.h"
#include "secmalloc.h"
#include "secret_file.h"
#include "show.h"

#define SECONDS 20 /* for one attack */
#define COPIES 3   /* of the secret: two in the victim, one in the attacker */

/* Columns, with the blanks after them. */
#define WIDTH_NAME 29
#define WIDTH_CELL 18

struct tally {
	unsigned claimed; /* attacks that work here and are claimed stopped */
	unsigned held;	  /* of them, those that were */
	unsigned open;	  /* attacks that work and are not claimed stopped */
	unsigned untried; /* the rest: they did not work on ordinary memory */
};

/* ---- the two kinds of memory ---- */

/* Of the weakest memory that we have: what holds for all of it. */
static unsigned protections(void)
{
	struct secmalloc_report report;
	int tier;

	report.size = sizeof(report);
	if (secmalloc_report(&report) != 0)
		return 0;
	for (tier = SECMALLOC_TIERS - 1; tier >= 0; tier--)
		if (report.tier[tier].mapped > 0)
			return report.tier[tier].protections;
	return 0;
}

static const struct attack_heap plain_heap = {
	"ordinary heap", malloc, malloc, free, NULL
};

static const struct attack_heap secret_heap = {
	"secmalloc", secmalloc, secmalloc_guarded, secfree, protections
};

/* ---- a row ---- */

static const char *cell_text(const struct attack_result *r, char *buf,
			     size_t size)
{
	static const char *const words[] = {
		"?",	   "VISIBLE", "UNNOTICED",    "blocked",
		"zeros",   "absent",  "not possible", "no memory",
		"no answer", "failed",
	};
	char name[32];

	if (r->outcome != ATTACK_BLOCKED)
		return words[r->outcome];
	if (r->signal < 0)
		return "blocked, exited";
	snprintf(buf, size, "blocked %s",
		 r->signal != 0 ?
			 show_signal(r->signal, name, sizeof(name)) :
			 show_errno(r->error, name, sizeof(name)));
	return buf;
}

static enum show_colour cell_colour(const struct attack_result *r, int claimed)
{
	switch (r->outcome) {
	case ATTACK_VISIBLE:
	case ATTACK_UNNOTICED:
		return claimed ? SHOW_BAD : SHOW_FAIR;
	case ATTACK_BLOCKED:
	case ATTACK_ZEROS:
	case ATTACK_ABSENT:
		return SHOW_GOOD;
	case ATTACK_NOT_HERE:
		return SHOW_FAINT;
	default:
		return SHOW_BAD;
	}
}

static int stopped(const struct attack_result *r)
{
	return r->outcome == ATTACK_BLOCKED || r->outcome == ATTACK_ZEROS ||
	       r->outcome == ATTACK_ABSENT;
}

static const char *claim_text(const struct attack *a, int claimed)
{
	if (claimed)
		return "claimed";
	return a->claimed_by != 0 ? "not claimed by this tier" :
				    "not claimed by any tier";
}

static void print_row(const struct attack *a, const struct attack_result *plain,
		      const struct attack_result *ours, int claimed)
{
	const char *note = ours->note[0] != '\0' ? ours->note : plain->note;
	char buf[64];

	if (!attack_succeeded(plain) && plain->outcome != ATTACK_NOT_HERE)
		note = "does not work on ordinary memory here: proves nothing";
	printf("%-*s", WIDTH_NAME, a->name);
	show_cell(cell_colour(plain, 1), WIDTH_CELL,
		  cell_text(plain, buf, sizeof(buf)));
	show_cell(cell_colour(ours, claimed), WIDTH_CELL,
		  cell_text(ours, buf, sizeof(buf)));
	printf("%s%s%s\n", claim_text(a, claimed), note[0] != '\0' ? "; " : "",
	       note);
}

static int run(const struct attack *a, struct attack_scene *scene,
	       const struct attack_heap *heap, const struct attack_heap *beside,
	       struct attack_result *r)
{
	struct secret *secret = scene->arg;
	int error;

	scene->heap = heap;
	scene->beside = beside;
	error = secret_pour(secret, COPIES);
	if (error == 0)
		attack_run(a, scene, r);
	secret_pour_end(secret);
	return error;
}

/* 0, or one of CMD_* when there is no use in going on. */
static int do_row(const struct attack *a, struct attack_scene *scene,
		  struct tally *tally)
{
	struct attack_result plain;
	struct attack_result ours;
	int claimed;
	int error;

	error = run(a, scene, &plain_heap, &secret_heap, &plain);
	if (error == 0)
		error = run(a, scene, &secret_heap, &plain_heap, &ours);
	if (private_folder_interrupted())
		return CMD_OSERR;
	if (error != 0) {
		fprintf(stderr, "secmalloc: pipe: %s\n", strerror(error));
		return CMD_OSERR;
	}
	if (ours.outcome == ATTACK_NO_MEMORY) {
		fprintf(stderr, "secmalloc: no protected memory in the victim: "
				"%s%s%s\n", strerror(ours.error),
			ours.note[0] != '\0' ? ": " : "", ours.note);
		return CMD_NOTHING;
	}
	if (ours.protections == 0) /* it did not come to say so */
		ours.protections = protections();
	claimed = attack_claimed(a, ours.protections);
	print_row(a, &plain, &ours, claimed);
	fflush(stdout); /* before the next fork */
	if (!attack_succeeded(&plain)) {
		tally->untried++;
	} else if (claimed) {
		tally->claimed++;
		tally->held += (unsigned)stopped(&ours);
	} else {
		tally->open += (unsigned)attack_succeeded(&ours);
	}
	return 0;
}

/* ---- before and after ---- */

static void print_head(const struct secret *secret)
{
	struct secmalloc_report report;
	char buf[128];
	int tier;

	report.size = sizeof(report);
	printf("secret   %s, %lu bytes\n", secret->name,
	       (unsigned long)secret->size);
	if (secmalloc_report(&report) == 0) {
		for (tier = 0; tier < SECMALLOC_TIERS; tier++)
			if (report.tier[tier].mapped > 0)
				printf("memory   %s: %s (%s backend)\n",
				       show_tier(tier),
				       show_protections(
					       report.tier[tier].protections,
					       buf, sizeof(buf)),
				       report.backend);
		if (report.reason != SECMALLOC_REASON_NONE)
			printf("why      not better: %s\n",
			       secmalloc_reason_string(report.reason));
	}
	printf("place    at %p in process %ld, at addresses of their own in "
	       "the victims\n", (void *)secret->bytes, (long)getpid());
	printf("victims  a process for each attack, with the same bytes in "
	       "malloc memory\n\n");
	show_cell(SHOW_HEAD, WIDTH_NAME, "attack");
	show_cell(SHOW_HEAD, WIDTH_CELL, plain_heap.name);
	show_cell(SHOW_HEAD, WIDTH_CELL, secret_heap.name);
	show_cell(SHOW_HEAD, 0, "claim, note");
	printf("\n");
	fflush(stdout); /* before the first fork */
}

static int print_verdict(const struct tally *tally)
{
	int good = tally->held == tally->claimed;
	char buf[128];

	snprintf(buf, sizeof(buf), "%u of %u attacks that this memory is "
		 "claimed to stop were blocked", tally->held, tally->claimed);
	printf("\n");
	show_cell(good ? SHOW_GOOD : SHOW_BAD, 0, buf);
	printf("\n%u others succeeded: it is not claimed to stop them\n",
	       tally->open);
	if (tally->untried > 0)
		printf("%u prove nothing: not possible here, or without "
		       "effect on ordinary memory\n", tally->untried);
	if (tally->claimed == 0) {
		fprintf(stderr, "secmalloc: no attack that is claimed to be "
				"stopped could be made\n");
		return CMD_OSERR;
	}
	return good ? CMD_FULL : CMD_DEGRADED;
}

static int attack_all(struct secret *secret)
{
	struct tally tally = { 0, 0, 0, 0 };
	struct attack_scene scene;
	int status = 0;
	size_t i;

	memset(&scene, 0, sizeof(scene));
	scene.size = secret->size;
	scene.load = secret_load;
	scene.arg = secret;
	scene.folder = private_folder_make();
	scene.seconds = SECONDS;
	scene.stop = private_folder_interrupted;
	print_head(secret);
	for (i = 0; i < attack_count && status == 0; i++)
		status = do_row(&attack_table[i], &scene, &tally);
	if (status == 0)
		status = print_verdict(&tally);
	private_folder_remove();
	return status;
}

int cmd_demo(int argc, char **argv)
{
	struct secret secret = { NULL, 0, NULL, -1, -1 };
	int status;

	if (argc > 0 && strcmp(argv[0], "--") == 0) {
		argc--;
		argv++;
	} else if (argc > 0 && argv[0][0] == '-') {
		return cmd_usage("demo: unknown option", argv[0]);
	}
	if (argc > 1)
		return cmd_usage("demo: more than one file", argv[1]);
	status = argc == 1 ? secret_open(&secret, argv[0]) :
			     secret_make(&secret);
	if (status == 0)
		status = attack_all(&secret);
	secret_close(&secret);
	return status;
}
