/* SPDX-License-Identifier: MIT */
/*
 * attack_impl.h - what the files of the attacks share
 *
 * attack_run.c makes the processes and the site, attack_judge.c recognises the
 * secret, and each half below is one way of attack.  A half leaves the outcome
 * ATTACK_PENDING unless it knows better; attack_run.c judges then.
 */
#ifndef ATTACK_IMPL_H
#define ATTACK_IMPL_H

#include "attack.h"

struct attack_site {
	const struct attack_heap *heap;
	const char *folder;
	unsigned char *at;	/* the secret, an address in the victim */
	size_t size;
	/* inside: */
	int out;		/* what leaks is written here; the victim's
				   number for it also outside */
	/* outside: */
	pid_t pid;		/* the victim; ended already if inside ran */
	int in;			/* the other end of out */
	const unsigned char *expected;
	unsigned char *leak;	/* what leaked: got bytes of room */
	size_t room;
	size_t got;
};

/* attack_proc.c */
attack_half attack_proc_mem, attack_vm_readv, attack_peek;
/* attack_inject.c */
attack_half attack_inject_write;
/* attack_core.c */
attack_half attack_core_die, attack_core_search;
/* attack_page.c */
attack_half attack_vmsplice, attack_o_direct;
/* attack_child.c */
attack_half attack_fork_child, attack_clone_child;
/* attack_misuse.c */
attack_half attack_read_freed, attack_write_freed, attack_read_past,
	attack_read_neighbour,
	attack_write_past;
/* attack_own.c */
attack_half attack_own_write, attack_own_read;

/* A secret is recognised by pieces of it, none larger than this. */
#define ATTACK_MARK_MAX 32

/* attack_judge.c: does the secret show, at its own offset or anywhere? */
int attack_shows(const unsigned char *secret, size_t size,
		 const unsigned char *leak, size_t got, int anywhere);
void attack_judge(const struct attack *attack, const struct attack_site *site,
		  struct attack_result *r);

/* attack_io.c */
int attack_write_all(int fd, const void *from, size_t size);
size_t attack_read_all(int fd, void *to, size_t size);
/* Reads size bytes at from by plain loads and writes them to site->out. */
void attack_spill(struct attack_site *site, const unsigned char *from,
		  size_t size);
/* Outcome, error and reason, when get() has just failed. */
void attack_no_memory(const struct attack_heap *heap, struct attack_result *r);
void attack_not_here(struct attack_result *r, const char *why);

#endif /* ATTACK_IMPL_H */
