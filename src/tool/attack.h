/* SPDX-License-Identifier: MIT */
/*
 * attack.h - ways to get at a secret, and what came of trying one
 *
 * Every attack is one entry of attack_table[].  attack_run() performs one of
 * them on one kind of memory:
 *
 *	caller -- fork --> attacker -- fork --> victim
 *	  waits, with        knows the bytes      holds the secret in the
 *	  a time limit       to look for          memory under attack
 *
 * so that no hang and no signal reaches the caller, and the same code meets
 * ordinary and protected memory.  Callers: cmd_demo.c and the tests (t_attack.h).
 * Neither attacker nor victim outlives attack_run().
 *
 * An attack proves something only where it succeeds on ordinary memory: run it
 * there first (attack_succeeded()).
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <stddef.h>
#include <sys/types.h>

/* In attack.claimed_by, beside the SECMALLOC_* protections. */
#define ATTACK_LIBRARY 0x80000000u /* stopped by the library, on every tier */

/* A kind of memory: how to get it and give it back. */
struct attack_heap {
	const char *name;
	void *(*get)(size_t size);
	void *(*get_alone)(size_t size); /* with guards around it, if it can */
	void (*put)(void *p);
	unsigned (*protections)(void);	 /* SECMALLOC_* of what get() gave;
					    NULL: none */
};

enum attack_outcome {
	ATTACK_PENDING,	  /* not judged yet: attack_run() never returns it */
	ATTACK_VISIBLE,	  /* bytes of the secret were read */
	ATTACK_UNNOTICED, /* the damage was done and nothing stopped it */
	ATTACK_BLOCKED,	  /* refused: see error and signal */
	ATTACK_ZEROS,	  /* read, but zeros */
	ATTACK_ABSENT,	  /* went through, but the secret was not in it */
	ATTACK_NOT_HERE,  /* this system does not offer it: see note */
	ATTACK_NO_MEMORY, /* the victim got no such memory: see error */
	ATTACK_TIMEOUT,	  /* no answer in time */
	ATTACK_BROKEN	  /* the attempt itself failed: see note */
};

#define ATTACK_NOTE_SIZE 96

struct attack_result {
	enum attack_outcome outcome;
	int error;	      /* errno that refused it, or 0 */
	int signal;	      /* signal that ended it, -1: it exited, or 0 */
	unsigned protections; /* of the victim's memory, by its heap */
	char note[ATTACK_NOTE_SIZE]; /* what was said about it, or "" */
};

struct attack_scene {
	const struct attack_heap *heap;	  /* the memory under attack */
	const struct attack_heap *beside; /* holds a copy too, or NULL */
	size_t size;			  /* bytes of the secret, at least
					     ATTACK_SIZE_MIN */
	/* Reads the first size bytes of the secret to `to`: in the victim once
	 * for each of its copies, then once in the attacker.  0 or an errno. */
	int (*load)(void *arg, void *to, size_t size);
	void *arg;
	const char *folder;		  /* private, for dumps; or NULL */
	unsigned seconds;		  /* time limit of one attack */
	int (*stop)(void);		  /* 1: a signal came, give up; or
					     NULL */
};

#define ATTACK_SIZE_MIN 16    /* less may be met by chance */
#define ATTACK_PIECE_MAX 4096 /* what some attacks are content with */

struct attack_site; /* attack_impl.h */

/* One half of an attack: records in *r what refused it. */
typedef void attack_half(struct attack_site *site, struct attack_result *r);

struct attack {
	const char *key;     /* for programs: never changes */
	const char *name;    /* for people */
	unsigned claimed_by; /* stopped by any of these; 0: by nothing */
	unsigned flags;	     /* ATTACK_ALONE ... */
	attack_half *inside;  /* runs in the victim, or NULL */
	attack_half *outside; /* runs in the attacker, after it, or NULL */
};

#define ATTACK_ALONE 0x01u    /* the victim must hold no other copy */
#define ATTACK_ANYWHERE 0x02u /* the secret may show at any offset */
#define ATTACK_DAMAGE 0x04u   /* succeeds when it is not noticed */
#define ATTACK_PIECE 0x08u    /* takes ATTACK_PIECE_MAX bytes at most */

extern const struct attack attack_table[];
extern const size_t attack_count;

/* Never fails: whatever goes wrong is an outcome. */
void attack_run(const struct attack *attack, const struct attack_scene *scene,
		struct attack_result *result);

/* 1 if the attacker got what it wanted */
int attack_succeeded(const struct attack_result *result);

/* 1 if memory with these protections is claimed to stop it */
int attack_claimed(const struct attack *attack, unsigned protections);

/* 1 if the bytes have marks to be recognised by (not all alike, say) */
int attack_recognisable(const void *secret, size_t size);

#endif /* ATTACK_H */
