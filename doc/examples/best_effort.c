/* SPDX-License-Identifier: MIT */
/*
 * best_effort.c - take what the machine has, and say what that was
 *
 * For a program that would rather run with less protection than not at all.
 * It then owes its user the truth, which is in the report.
 */
#include <secmalloc.h>
#include <stdio.h>

static void warn_of(const struct secmalloc_tier_report *tier)
{
	if (!(tier->protections & SECMALLOC_LOCKED))
		fputs("warning: secrets may reach the swap\n", stderr);
	if (!(tier->protections & SECMALLOC_NODUMP))
		fputs("warning: secrets may reach core dumps\n", stderr);
}

int main(void)
{
	struct secmalloc_config config = { .size = sizeof(config) };
	struct secmalloc_report report = { .size = sizeof(report) };
	char text[2048];
	void *key;
	int length;

	config.flags = SECMALLOC_BEST_EFFORT;
	if (secmalloc_init(&config) != 0) {
		perror("secmalloc_init");
		return 1;
	}
	key = secmalloc(32);
	if (!key) {
		perror("secmalloc");
		return 1;
	}

	/* For the program ... */
	if (secmalloc_report(&report) != 0) {
		perror("secmalloc_report");
		return 1;
	}
	if (report.tier[SECMALLOC_TIER_PARTIAL].mapped > 0)
		warn_of(&report.tier[SECMALLOC_TIER_PARTIAL]);

	/* ... and for a person, or a log. */
	length = secmalloc_report_text(text, sizeof(text));
	if (length < 0 || (size_t)length >= sizeof(text)) {
		fputs("no report, or a longer one\n", stderr);
		return 1;
	}
	fputs(text, stdout);
	secfree(key);
	return 0;
}
