/* SPDX-License-Identifier: MIT */
/*
 * linux.h - what the files of this folder share
 *
 * Nothing here is locked: the variables are written by secm_os_init() and
 * secm_os_mask(), which the core calls before any other thread can be here.
 */
#ifndef SECM_LINUX_LINUX_H
#define SECM_LINUX_LINUX_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "os.h"

/* What anonymous memory can have here, and what tests want hidden. */
extern unsigned secm_linux_anon_props;
extern unsigned secm_linux_hidden_mask;
extern size_t secm_linux_page;

/* map.c: a range becomes reserved space, whatever was there. */
int secm_linux_rereserve(void *at, size_t len);

/* map.c: after a failed mremap: 1 if the target is reserved space (again). */
int secm_linux_still_reserved(void *at, size_t len);

/* secretmem.c */
int secm_secretmem_map(void *at, size_t len);
int secm_secretmem_errno(void); /* 0, or why there is none */
/* the same, and whether its pages count as locked only when touched */
int secm_secretmem_probe(size_t page, int *lazy);

/* anon.c */
unsigned secm_anon_props(void);
/* what advice on a reserved page of anonymous memory gets */
unsigned secm_anon_probe(void *scratch, size_t page);
int secm_anon_map(void *at, size_t len, unsigned need, unsigned want,
		  unsigned *got, int *why);

/* seccomp.c: what call() returns, an errno or 0, or EPERM if a filter would not
 * let the process survive it; whether there are other filters than at start */
void secm_seccomp_init(void);
int secm_seccomp_ask(int (*call)(void));
/* under a filter from before the start: bits 1 and 2 for two calls that work,
 * mostly in one child; -1 if there is none */
int secm_seccomp_ask_two(int (*first)(void), int (*second)(void));
int secm_seccomp_changed(void);
int secm_seccomp_filtered(void);

/* seal.c: 0 if mappings can be sealed, else an errno; how to go about that; and
 * the same question as a fact */
enum secm_seal { SECM_SEAL_ASK, SECM_SEAL_WORKS, SECM_SEAL_MISSING };
int secm_seal_try(void);
void secm_seal_init(enum secm_seal how);
int secm_seal_errno(void);

/* threads.c: 0 if secm_os_barrier() works from now on, else an errno */
int secm_linux_announce(void);

/* traced.c: 1 if another process traces a thread of this one, 0 if not, -1 if
 * that cannot be found out; and Yama's ptrace_scope, -1 where there is none */
int secm_linux_traced(void);
int secm_linux_yama(void);

/* harden.c: 1 if this process will not be dumped whatever becomes of it. */
int secm_linux_core_is_off(void);

/* probe.c */
/* what anonymous memory can do; emulators accept every madvise() and do nothing
 */
struct secm_linux_anon {
	unsigned props;
	int lies, can_move;
};
void secm_linux_try_anon(size_t page, struct secm_linux_anon *found);
ssize_t secm_linux_read_file(const char *path, char *buf, size_t len);

#endif /* SECM_LINUX_LINUX_H */
