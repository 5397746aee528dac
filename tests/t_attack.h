/* SPDX-License-Identifier: MIT */
/*
 * t_attack.h - what the tests share that make the attacks of the demonstration
 */
#ifndef T_ATTACK_H
#define T_ATTACK_H

#include <stdlib.h>
#include <string.h>

#include "ksft.h"
#include "tool/attack.h"

/* For one attack, which may have to wait for a disk.  It is there for hangs:
 * less than a test has, so that no process of the attack is left behind. */
enum { TA_SECONDS = 60 };

static const struct attack_heap ta_ordinary = { "ordinary heap", malloc, malloc,
						free, NULL };
/* No byte of it is like the one before. */
static inline int ta_load(void *arg, void *to, size_t size)
{
	unsigned char *p = to;
	size_t i;

	(void)arg;
	for (i = 0; i < size; i++)
		p[i] = (unsigned char)(i * 37 + i / 256 * 11 + 1);
	return 0;
}

static inline const struct attack *ta_find_attack(const char *key)
{
	size_t i;

	for (i = 0; i < attack_count; i++)
		if (strcmp(attack_table[i].key, key) == 0)
			return &attack_table[i];
	return NULL;
}

/* The attack on both kinds of memory: what came of it on that heap.  NULL where
 * it cannot work at all; the test is skipped then. */
static inline const struct attack *
ta_attack_both(const struct attack_heap *heap, const char *key, size_t size,
	       const char *folder, struct attack_result *r)
{
	struct attack_scene scene = { &ta_ordinary, NULL,   size, ta_load,
				      NULL,	    folder, TA_SECONDS, NULL };
	const struct attack *attack = ta_find_attack(key);

	ASSERT_NOT_NULL(attack);
	attack_run(attack, &scene, r);
	if (!attack_succeeded(r))
		SKIP(return NULL, "attack does not work here: %s",
			   r->error ? strerror(r->error) : r->note);
	scene.heap = heap;
	attack_run(attack, &scene, r);
	return attack;
}

#endif /* T_ATTACK_H */
