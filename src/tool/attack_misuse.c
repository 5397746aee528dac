/* SPDX-License-Identifier: MIT */
/*
 * attack_misuse.c - mistakes of the program that holds the secret
 *
 * Run by the victim, on objects of its own: freed ones, and the bytes past the
 * end.  The compiler must not see through it, hence the volatile pointers.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "attack_impl.h"

/* Room that malloc(3) rounds up: the byte past it is nobody's. */
#define SMALL 100
#define SMALL_MIDDLE 50
#define REUSES 4096 /* allocations among which a freed object comes back */
#define BUFFER 64   /* a small public buffer */
#define PAST (64 * 1024) /* as far as the length field of a message reaches */
#define NEIGHBOURS 512
#define STEP (BUFFER - ATTACK_MARK_MAX) /* each mark is whole in one of them */
#define NEAR (16 * 1024) /* what is read of them */

static unsigned char *get(struct attack_site *site, size_t size, int alone,
			  struct attack_result *r)
{
	unsigned char *p;

	errno = 0;
	p = alone ? site->heap->get_alone(size) : site->heap->get(size);
	if (p == NULL)
		attack_no_memory(site->heap, r);
	return p;
}

void attack_read_freed(struct attack_site *site, struct attack_result *r)
{
	unsigned char *volatile stale = site->at;

	(void)r; /* what is read, or the signal, says it all */
	site->heap->put(site->at);
	attack_spill(site, stale, site->size);
}

void attack_write_freed(struct attack_site *site, struct attack_result *r)
{
	unsigned char *volatile stale;
	unsigned char *p;
	int i;

	p = get(site, SMALL, 0, r);
	if (p == NULL)
		return;
	memset(p, 1, SMALL);
	stale = p;
	site->heap->put(p);
	stale[SMALL_MIDDLE] = 2;
	/* The one who gets it next should not find it changed. */
	for (i = 0; i < REUSES; i++)
		if (site->heap->get(SMALL) == NULL)
			break;
}

/* A request asks for more bytes than its buffer has, as in Heartbleed. */
void attack_read_past(struct attack_site *site, struct attack_result *r)
{
	unsigned char *buffer;
	unsigned char *secret;

	buffer = get(site, BUFFER, 1, r);
	if (buffer == NULL)
		return;
	secret = get(site, site->size, 1, r);
	if (secret == NULL)
		return;
	memset(buffer, 1, BUFFER);
	memcpy(secret, site->at, site->size);
	attack_spill(site, buffer, PAST);
}

/* The same where small objects lie side by side: canaries stop no reader.  As
 * many as there is quota for, 64 KiB on older systems. */
void attack_read_neighbour(struct attack_site *site, struct attack_result *r)
{
	unsigned char *p = get(site, BUFFER, 0, r);
	unsigned char *first = p;
	size_t at = 0;
	size_t n;
	int i;

	if (p == NULL)
		return;
	for (i = 0; i < NEIGHBOURS && p != NULL; i++) {
		n = site->size - at < BUFFER ? site->size - at : BUFFER;
		memcpy(p, site->at + at, n);
		at = at + STEP < site->size ? at + STEP : 0;
		if ((uintptr_t)p < (uintptr_t)first)
			first = p;
		p = site->heap->get(BUFFER);
	}
	memset(first, 1, BUFFER);
	attack_spill(site, first, NEAR);
}

void attack_write_past(struct attack_site *site, struct attack_result *r)
{
	unsigned char *volatile over;
	unsigned char *p;

	p = get(site, SMALL, 0, r);
	if (p == NULL)
		return;
	over = p;
	over[SMALL] ^= 1; /* whatever it was, it is another now */
	site->heap->put(p);
}
