/* SPDX-License-Identifier: MIT */
/*
 * os.h - the backend: everything secmalloc asks of an operating system
 *
 * linux/ and fallback/ each implement all of it; a build has exactly one of
 * them, and nothing outside these folders makes a system call.  doc/porting.md
 * is the checklist for a third.  tests/test_os.c holds every backend to it.
 *
 * Rules for all functions:
 *  R1  They return 0 or a negative errno out of the list beside them.  errno
 *      itself may change.
 *  R2  Addresses are page-aligned, lengths are positive multiples of the page,
 *      and ranges lie in what secm_os_reserve() returned: the caller's duty.
 *  R3  They take no lock, allocate nothing and print nothing (except
 *      secm_os_panic and secm_os_log), so that a malloc can be built on top.
 *  R4  They decide nothing: what is needed is had or refused, what is wanted
 *      is tried, and *got names only what was obtained for these very pages.
 *  R5  After a failure no mapping, descriptor or process state has changed,
 *      and the range is as it was.
 *  R6  They keep errors that must not happen (EFAULT, EINVAL of our own
 *      making) out of the result: those end in secm_os_panic().
 */
#ifndef SECM_OS_H
#define SECM_OS_H

#include <stddef.h>
#include <stdint.h>

/* Protections; the values are those of SECMALLOC_* in secmalloc.h. */
enum secm_prop {
	SECM_LOCKED = 0x01,    /* never swapped */
	SECM_NODUMP = 0x02,    /* not in core dumps */
	SECM_HIDDEN = 0x04,    /* not in the kernel's direct map */
	SECM_FORK_ZERO = 0x08, /* the kernel gives children zeros */
	SECM_FORK_GONE = 0x10, /* the kernel gives children nothing */
	SECM_PROPS = 0x1f,
	SECM_OPEN = 0x20 /* told by secm_os_observe() alone: accessible */
};

enum secm_access { SECM_NONE, SECM_READ, SECM_READWRITE };

/* Found out once by secm_os_init(). */
struct secm_os_info {
	const char *name;    /* "linux", "fallback" */
	size_t page;	     /* bytes, a power of two */
	size_t memory;	     /* bytes of RAM, SIZE_MAX: unknown */
	size_t reserve_hint; /* how much address space to ask for first */
	unsigned props;	     /* what secm_os_map() may obtain here at all */
	int hidden_errno;    /* why SECM_HIDDEN is not among them, or 0 */
	int hibernation;     /* as secm_os_hibernation() said */
	int can_move;	     /* secm_os_move() works */
	int hidden_lazy;     /* hidden pages take their quota at first touch */
	int barrier;	     /* secm_os_barrier() works */
	int madvise_lies;    /* nonsense advice is accepted: props is cut */
	int vectors;	     /* aarch64: vectors of any length (SVE) */
};

/* Probes without signals and in bounded time.  Never fails: what cannot be
 * found out counts as not there. */
void secm_os_init(struct secm_os_info *info);

/* 1 if a hibernation (resume) device is set up, 0 if not, -EMFILE if that cannot
 * be found out without a descriptor. */
int secm_os_hibernation(void);

/* Address space only: inaccessible, uncommitted, not counted as locked.
 * NULL if the system refuses. */
void *secm_os_reserve(size_t len);

/* Gives a whole reservation back. */
void secm_os_release(void *at, size_t len);

/*
 * After fork, in the child: makes the hole that SECM_FORK_GONE pages left a
 * part of the reservation again.  -EEXIST: something else took the place.
 * -ENOMEM
 */
int secm_os_reclaim(void *at, size_t len);

/*
 * Turns reserved space into zeroed read-write memory.  need must be obtained,
 * want may be (want includes need); *got says what was.  Pages may still be
 * absent.
 * With SECM_HIDDEN in want it is tried first; whether something less will do
 * is up to need.
 * pre: need is a subset of want, want of SECM_PROPS
 * -ENOTSUP  a needed property does not exist here
 * -EAGAIN   the lock quota does not allow it
 * -EPERM    a security policy forbids a needed property
 * -EMFILE   no descriptor
 * -ENOMEM   no memory, or too many mappings
 * -EADDRINUSE  the range is no longer ours and must never be used again
 * *why is the errno (positive) that cost a wanted property, or 0.
 */
int secm_os_map(void *at, size_t len, unsigned need, unsigned want,
		unsigned *got, int *why);

/*
 * Makes pages present by a system call, so that no later touch can fail.  What
 * they hold must be zeros and stays zeros.
 * -EAGAIN  quota, -ENOMEM  memory; some of the pages may be present then
 */
int secm_os_populate(void *at, size_t len);

/*
 * Moves mapped pages with contents, protections and quota to another reserved
 * place; the place left is reserved space again.  Same access on both sides.
 * -ENOTSUP   this backend cannot
 * -ENOMEM    too many mappings; nothing moved
 * -ESTALE    moved, but from is no longer ours and must never be used again
 * -EADDRINUSE  not moved, but to is no longer ours and must never be used again
 */
int secm_os_move(void *from, void *to, size_t len);

/* Mapped pages (wiped by the caller) become reserved space again; quota and
 * memory go back.  Of a hidden mapping the memory itself goes back when all
 * of it is unmapped.
 * -ENOMEM  too many mappings: nothing changed */
int secm_os_unmap(void *at, size_t len);

/* Access to mapped pages, or to reserved space that is to become ordinary
 * memory for metadata.  -ENOMEM  too many mappings, no memory */
int secm_os_access(void *at, size_t len, enum secm_access to);

/*
 * Protection keys: pages can have one, and each thread has a word of rights, two
 * bits for each key, that the processor obeys at once.  Signal handlers start
 * with all keys closed, new threads with the rights of their maker.
 */
enum secm_key { SECM_KEY_CLOSED = 1, SECM_KEY_READ = 2 }; /* 0: read-write */

/* A key that no page has, open in this thread.  -ENOTSUP: there are none here,
 * -ENOSPC: all are taken */
int secm_os_key_new(void);

/* Gives it to mapped pages, which are read-write then.  -ENOMEM */
int secm_os_key_pages(void *at, size_t len, unsigned key);

/* What the bits of mask are becomes bits.  Returns the word as it was.  Only
 * where there are keys. */
uint32_t secm_os_rights(uint32_t mask, uint32_t bits);

/* Keeps metadata out of dumps as far as the system can; no promise. */
void secm_os_nodump(void *at, size_t len);

/* Makes the kernel give every kind of child zeros instead of these metadata
 * pages, which is how a child made without fork handlers is recognised.
 * -ENOTSUP: nothing tells such a child apart here. */
int secm_os_zero_on_fork(void *at, size_t len);

/* Undoes FORK_ZERO and FORK_GONE: children inherit these pages as they are,
 * sharing them where they are hidden.  -ENOTSUP */
int secm_os_inherit(void *at, size_t len);

/*
 * Seals mapped or reserved pages as they are, for the life of the process and
 * in its children: nobody can unmap, replace or move them or change access to
 * them any more, the caller included.  Pages that are writable stay so, and
 * advice on them may still be taken.  pre: nothing else will be asked for them.
 * -ENOTSUP  the system cannot, or a policy forbids it
 * -ENOMEM   too many mappings; some of the pages may be sealed
 */
int secm_os_seal(void *at, size_t len);

/* Asks the system what holds now: calls see() for each mapping of the process
 * in ascending order.  -ENOTSUP: cannot tell. */
typedef void secm_os_see(void *arg, const void *at, size_t len, unsigned props);
int secm_os_observe(secm_os_see *see, void *arg);

/* The lock limit in bytes, SIZE_MAX for none or unknown. */
void secm_os_lock_limit(size_t *soft, size_t *hard);

/* Raises the soft limit to the hard one.  1 if it rose, else 0. */
int secm_os_raise_lock_limit(void);

/* All of the bytes, or -EIO; never weak ones. */
int secm_os_random(void *buf, size_t len);

/* Registers fork handlers for the whole process, once.  -ENOMEM */
int secm_os_at_fork(void (*prepare)(void), void (*parent)(void),
		    void (*child)(void));

/* When it returns every other thread of the process has executed a full memory
 * barrier.  Only called where secm_os_info.barrier says that it can be had. */
void secm_os_barrier(void);

/* Lets other threads run. */
void secm_os_yield(void);

/* Hardens the whole process: tries all of want, *got says what was obtained.
 * The values and promises are those of SECMALLOC_HARDEN_* in secmalloc.h. */
enum secm_harden {
	SECM_HARDEN_NO_CORE = 0x01,	  /* no core dumps, for good */
	SECM_HARDEN_NOT_DUMPABLE = 0x02,  /* not traceable by its own user */
	SECM_HARDEN_NO_NEW_PRIVS = 0x04,  /* exec never gains privileges */
	SECM_HARDEN_NO_WRITE_EXEC = 0x08, /* pages never become executable */
	SECM_HARDEN_NO_TRACE = 0x10	  /* no tracer now, nor later */
};
void secm_os_harden(unsigned want, unsigned *got);

/* Writes the line to standard error and ends the process by SIGABRT. */
void secm_os_panic(const char *line)
#if defined(__GNUC__) || defined(__clang__)
	__attribute__((__noreturn__))
#endif
	;

/* Writes a whole line to standard error in one piece and keeps errno.  Where
 * nobody reads it nothing happens: no error, no signal. */
void secm_os_log(const char *line, size_t len);

/* What the environment variable SECMALLOC_CONF says.  NULL: nothing, or whoever
 * set it must not be listened to, because the program got privileges that its
 * caller lacks (set-user-ID, set-group-ID, capabilities of the file).  May be
 * called before main. */
const char *secm_os_conf(void);

/* Facts about the machine for diagnosis: see secmalloc_fact().  1 while there
 * are more, 0 past the last. */
struct secmalloc_fact;
int secm_os_fact(unsigned n, struct secmalloc_fact *fact);

/* For tests: pretend that these properties cannot be had, from now on. */
void secm_os_mask(unsigned hide);

#endif /* SECM_OS_H */
