/* SPDX-License-Identifier: MIT */
/*
 * attack_own.c - what the program itself may always do with its secret
 *
 * Run by the victim.  Nothing stops these, and nothing should: a key must be
 * usable.  They are tried so that nobody believes otherwise.
 */
#include "config.h"

#include <errno.h>

#include "attack_impl.h"

void attack_own_write(struct attack_site *site, struct attack_result *r)
{
	r->error = -attack_write_all(site->out, site->at, site->size);
}

void attack_own_read(struct attack_site *site, struct attack_result *r)
{
	(void)r; /* what is read, or the signal, says it all */
	attack_spill(site, site->at, site->size);
}
