/* SPDX-License-Identifier: MIT */
/*
 * attack_judge.c - recognise a secret in what leaked
 *
 * A secret is known by its marks: MARKS pieces of up to ATTACK_MARK_MAX bytes,
 * spread evenly over it.  One of them is enough, for half a key is a leak too.
 * A mark whose bytes are all alike would be met in any zeroed page: it does not
 * count.  Called by the attacker process only, except attack_recognisable().
 * No state.
 */
#include "config.h"

#include <string.h>

#include "attack_impl.h"

#define MARKS 8

struct mark {
	size_t offset;
	size_t size;
};

static int all_alike(const unsigned char *p, size_t size)
{
	size_t i;

	for (i = 1; i < size; i++)
		if (p[i] != p[0])
			return 0;
	return 1;
}

/* Mark number n; 0 if it does not count. */
static int get_mark(const unsigned char *secret, size_t size, size_t n,
		    struct mark *m)
{
	m->size = size < ATTACK_MARK_MAX ? size : ATTACK_MARK_MAX;
	m->offset = (size - m->size) * n / (MARKS - 1);
	return m->size >= ATTACK_SIZE_MIN &&
	       !all_alike(secret + m->offset, m->size);
}

static int find(const unsigned char *in, size_t in_size,
		const unsigned char *what, size_t size)
{
	const unsigned char *p = in;
	const unsigned char *end;

	if (in_size < size)
		return 0;
	end = in + (in_size - size) + 1;
	while ((p = memchr(p, what[0], (size_t)(end - p))) != NULL) {
		if (memcmp(p, what, size) == 0)
			return 1;
		if (++p == end)
			return 0;
	}
	return 0;
}

int attack_shows(const unsigned char *secret, size_t size,
		 const unsigned char *leak, size_t got, int anywhere)
{
	struct mark m;
	size_t n;

	for (n = 0; n < MARKS; n++) {
		if (!get_mark(secret, size, n, &m))
			continue;
		if (anywhere && find(leak, got, secret + m.offset, m.size))
			return 1;
		if (!anywhere && m.offset + m.size <= got &&
		    memcmp(leak + m.offset, secret + m.offset, m.size) == 0)
			return 1;
	}
	return 0;
}

int attack_recognisable(const void *secret, size_t size)
{
	struct mark m;
	size_t n;

	for (n = 0; n < MARKS; n++)
		if (get_mark(secret, size, n, &m))
			return 1;
	return 0;
}

void attack_judge(const struct attack *attack, const struct attack_site *site,
		  struct attack_result *r)
{
	if (r->outcome != ATTACK_PENDING)
		return;
	if (attack_shows(site->expected, site->size, site->leak, site->got,
			 (attack->flags & ATTACK_ANYWHERE) != 0))
		r->outcome = ATTACK_VISIBLE;
	else if (r->signal != 0 || r->error != 0)
		r->outcome = ATTACK_BLOCKED;
	else if (attack->flags & ATTACK_DAMAGE)
		r->outcome = ATTACK_UNNOTICED;
	else if (site->got > 0 && site->leak[0] == 0 &&
		 all_alike(site->leak, site->got))
		r->outcome = ATTACK_ZEROS;
	else
		r->outcome = ATTACK_ABSENT;
}
