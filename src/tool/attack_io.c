/* SPDX-License-Identifier: MIT */
/*
 * attack_io.c - small helpers of the attacks
 *
 * Callers: the attack_*.c files, in any of the three processes.  No state.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "attack_impl.h"
#include "secmalloc.h"

#define SPILL_SIZE 256

int attack_write_all(int fd, const void *from, size_t size)
{
	const unsigned char *p = from;
	ssize_t n;

	while (size > 0) {
		n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

size_t attack_read_all(int fd, void *to, size_t size)
{
	unsigned char *p = to;
	size_t got = 0;
	ssize_t n;

	while (got < size) {
		n = read(fd, p + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return got;
}

/* In small steps: what was read before a fault has leaked already. */
void attack_spill(struct attack_site *site, const unsigned char *from,
		  size_t size)
{
	const volatile unsigned char *p = from;
	unsigned char step[SPILL_SIZE];
	size_t n;
	size_t i;

	while (size > 0) {
		n = size < sizeof(step) ? size : sizeof(step);
		for (i = 0; i < n; i++)
			step[i] = p[i];
		if (attack_write_all(site->out, step, n) != 0)
			return;
		p += n;
		size -= n;
	}
}

void attack_no_memory(const struct attack_heap *heap, struct attack_result *r)
{
	struct secmalloc_report report;

	r->outcome = ATTACK_NO_MEMORY;
	r->error = errno != 0 ? errno : ENOMEM;
	report.size = sizeof(report);
	if (heap->protections != NULL && secmalloc_report(&report) == 0 &&
	    report.reason != SECMALLOC_REASON_NONE)
		snprintf(r->note, sizeof(r->note), "%s",
			 secmalloc_reason_string(report.reason));
}

void attack_not_here(struct attack_result *r, const char *why)
{
	r->outcome = ATTACK_NOT_HERE;
	snprintf(r->note, sizeof(r->note), "%s", why);
}
