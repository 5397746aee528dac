/* SPDX-License-Identifier: MIT */
/*
 * table.c - which handles are live
 *
 * A set of pointers, so that a handle is known before it is touched and a
 * second free is found exactly.  Open addressing: a handle stands at its slot
 * or behind it, without an empty slot in between (I1), and at least a quarter
 * of the slots is empty (I2).  Under the lock.
 */
#include <errno.h>
#include <stdlib.h>

#include "cold.h"

enum { FIRST_SLOTS = 64 };

static size_t home_of(const struct secm_cold_table *table,
		      const secmalloc_cold *cold)
{
	uint64_t x = (uint64_t)(uintptr_t)cold * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(x >> 20) & (table->slots - 1);
}

static size_t next(const struct secm_cold_table *table, size_t i)
{
	return (i + 1) & (table->slots - 1);
}

/* Its slot, or the empty one where it would be.  pre: there are slots */
static size_t find(const struct secm_cold_table *table,
		   const secmalloc_cold *cold)
{
	size_t i = home_of(table, cold);

	while (table->slot[i] && table->slot[i] != cold)
		i = next(table, i);
	return i;
}

int secm_cold_table_has(const struct secm_cold_table *table,
			const secmalloc_cold *cold)
{
	return table->slots && cold && table->slot[find(table, cold)] == cold;
}

/* Room for one more: I2. */
int secm_cold_table_reserve(struct secm_cold_table *table)
{
	struct secm_cold_table bigger = { NULL, FIRST_SLOTS, table->used };
	size_t i;

	if (table->slots && table->used < table->slots - table->slots / 4)
		return 0;
	if (table->slots)
		bigger.slots = table->slots * 2;
	if (bigger.slots < table->slots)
		return -ENOMEM;
	bigger.slot = calloc(bigger.slots, sizeof(*bigger.slot));
	if (!bigger.slot)
		return -ENOMEM;
	for (i = 0; i < table->slots; i++)
		if (table->slot[i])
			bigger.slot[find(&bigger, table->slot[i])] =
				table->slot[i];
	free(table->slot);
	*table = bigger;
	return 0;
}

void secm_cold_table_add(struct secm_cold_table *table, secmalloc_cold *cold)
{
	table->slot[find(table, cold)] = cold;
	table->used++;
}

/* pre: it is there.  Those behind it move up, where I1 wants them to. */
void secm_cold_table_remove(struct secm_cold_table *table,
			    const secmalloc_cold *cold)
{
	size_t hole = find(table, cold), i = hole, home;

	for (i = next(table, i); table->slot[i]; i = next(table, i)) {
		home = home_of(table, table->slot[i]);
		if (((i - home) & (table->slots - 1)) <
		    ((i - hole) & (table->slots - 1)))
			continue; /* its way does not lead over the hole */
		table->slot[hole] = table->slot[i];
		hole = i;
	}
	table->slot[hole] = NULL;
	table->used--;
}
