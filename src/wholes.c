/* SPDX-License-Identifier: MIT */
/*
 * wholes.c - the divided objects of a heap, by address
 *
 * Callers: parts.c and stats.c, under the heap's lock.
 *
 *	lists [ 0 | 1 | 2 | ... | len - 1 ]
 *	        |       |
 *	        whole   whole -> whole      those whose base has that hash
 *
 * W1  A whole is in the list of its hash, and in no other.
 * W2  There are about as many lists as wholes or more: they are doubled when
 *     there are more wholes.  If there is no memory for that the lists get
 *     longer, and nothing else is lost.
 *
 * Lists that became too few are left behind, as metadata always is; together
 * they are smaller than those in use.
 */
#include "wholes.h"

#include <errno.h>
#include <string.h>

#include "meta.h"
#include "size.h"

enum { FEWEST = 32 }; /* lists */

/* Fibonacci hashing: bases are multiples of SECM_ALIGN, often of much more. */
static size_t hash(const char *base, size_t len)
{
	uint64_t n = (uintptr_t)base / SECM_ALIGN;

	return (size_t)(n * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (len - 1);
}

static void put(struct secm_wholes *wholes, struct secm_whole *whole)
{
	struct secm_whole **list =
		&wholes->lists[hash(whole->base, wholes->len)];

	whole->next = *list; /* W1 */
	*list = whole;
}

static int set_lists(struct secm_wholes *wholes, size_t len)
{
	struct secm_whole **old = wholes->lists, *whole;
	size_t i, n = wholes->len, size;

	if (secm_size_mul(len, sizeof(struct secm_whole *), &size) != 0)
		return -ENOMEM;
	wholes->lists = secm_meta_alloc(size);
	if (!wholes->lists) {
		wholes->lists = old;
		return -ENOMEM;
	}
	wholes->len = len;
	for (i = 0; i < n; i++) {
		while ((whole = old[i])) {
			old[i] = whole->next;
			put(wholes, whole);
		}
	}
	return 0;
}

struct secm_whole *secm_wholes_find(const struct secm_wholes *wholes,
				    const char *base)
{
	struct secm_whole *whole;

	if (!wholes->len)
		return NULL;
	whole = wholes->lists[hash(base, wholes->len)];
	while (whole && whole->base != base)
		whole = whole->next;
	return whole;
}

struct secm_whole *secm_wholes_add(struct secm_wholes *wholes, char *base)
{
	struct secm_whole *whole = wholes->spare;

	if (wholes->count >= wholes->len &&
	    set_lists(wholes, wholes->len ? 2 * wholes->len : FEWEST) != 0 &&
	    !wholes->len) /* W2 */
		return NULL;
	if (whole)
		wholes->spare = whole->next;
	else
		whole = secm_meta_alloc(sizeof(*whole));
	if (!whole)
		return NULL;
	memset(whole, 0, sizeof(*whole));
	whole->base = base;
	put(wholes, whole);
	wholes->count++;
	return whole;
}

void secm_wholes_remove(struct secm_wholes *wholes, struct secm_whole *whole)
{
	struct secm_whole **link =
		&wholes->lists[hash(whole->base, wholes->len)];

	while (*link != whole)
		link = &(*link)->next;
	*link = whole->next;
	wholes->count--;
	whole->next = wholes->spare;
	wholes->spare = whole;
}

struct secm_whole *secm_wholes_from(const struct secm_wholes *wholes, size_t *i)
{
	for (; *i < wholes->len; ++*i)
		if (wholes->lists[*i])
			return wholes->lists[*i];
	return NULL;
}
