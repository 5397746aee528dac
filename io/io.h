/* SPDX-License-Identifier: MIT */
/*
 * io.h - what the files of libsecmalloc-io share
 *
 * Uses the public functions of libsecmalloc and the C library.  Functions return
 * 0, or a negative errno where they say so.
 */
#ifndef SECM_IO_H
#define SECM_IO_H

#include "compat.h" /* config.h, which says what system headers show */

#include <sys/stat.h>

#include "secmalloc_io.h"

/* options.c: the options with defaults in place of zeros; -EINVAL. */
int secm_io_options(const struct secmalloc_load_options *in,
		    struct secmalloc_load_options *out) SECM_CHECK;

/* Empties a result but for what the caller set; NULL stands for *own.
 * -EINVAL: wrong size. */
int secm_io_result(struct secmalloc_loaded **loaded,
		   struct secmalloc_loaded *own) SECM_CHECK;

/* wait.c: whether it is a time that poll(2) can be told. */
int secm_io_is_deadline(const struct timespec *deadline);

/* Until fd has one of the events of poll(2), or is broken, which the next call
 * on it tells: 0, -ETIMEDOUT, or another error of poll(2). */
int secm_io_wait(int fd, short events,
		 const struct timespec *deadline) SECM_CHECK;

/* The same; or 1 as soon as there is something to read from other. */
int secm_io_wait_both(int fd, short events, int other,
		      const struct timespec *deadline) SECM_CHECK;

/* transfer.c: what comes next, 0 at the end, or a negative errno. */
ssize_t secm_io_read(int fd, void *p, size_t size,
		     const struct timespec *deadline) SECM_CHECK;

/* object.c: the object that something is loaded into. */
struct secm_io_object {
	const struct secmalloc_load_options *options;
	unsigned char *data;
	size_t length; /* loaded so far */
	size_t room;   /* for how many, without the zero byte of a string */
	int scoped;    /* touched in access scopes alone */
};

/* With that much room: 0, or a negative errno. */
int secm_io_object_begin(struct secm_io_object *o,
			 const struct secmalloc_load_options *options,
			 size_t room) SECM_CHECK;

/* Room for one byte at least, which may be one more than max.  -EFBIG: more
 * than max bytes are there. */
int secm_io_object_grow(struct secm_io_object *o) SECM_CHECK;

/* Around each touch, system calls included: 0 or a negative errno. */
int secm_io_object_open(const struct secm_io_object *o) SECM_CHECK;
void secm_io_object_close(const struct secm_io_object *o);

/* Adds bytes, for which there is room. */
int secm_io_object_add(struct secm_io_object *o, const void *bytes,
		       size_t size) SECM_CHECK;

/* Exactly as long as what it has, from now on the caller's; or a negative errno
 * and abandoned. */
int secm_io_object_end(struct secm_io_object *o, void **data) SECM_CHECK;
void secm_io_object_abandon(struct secm_io_object *o);

/* bounce.c: memory that the kernel lets devices write to, aligned to a page;
 * locked, between guard pages, and wiped when given back. */
struct secm_io_bounce {
	unsigned char *p;
	size_t size;
};

/* As much as can be had between least and most, multiples of a page; 0, or a
 * negative errno. */
int secm_io_bounce_take(struct secm_io_bounce *b, size_t least,
			size_t most) SECM_CHECK;
void secm_io_bounce_give(struct secm_io_bounce *b);

/* page.c: what a file's pages ask for.  size: of the file. */
size_t secm_io_pages(size_t size);

/* linux/cache.c, posix/cache.c: past the page cache or not, from now on: 0 or a
 * negative errno. */
int secm_io_os_direct(int fd, int on) SECM_CHECK;

/* As pread(2), and what it brought into the page cache is dropped: -EOPNOTSUPP
 * and others: not for this file. */
ssize_t secm_io_os_pread_drop(int fd, void *p, size_t size,
			      off_t at) SECM_CHECK;

/* Pages of the file in the page cache, and whether some of them are not on the
 * disk yet; -1: not to be told.  st is its. */
long secm_io_os_cached(int fd, const struct stat *st, int *dirty);

/* Has the page cache drop the file, after writing it to the disk if so: 0 or a
 * negative errno. */
int secm_io_os_drop(int fd, int dirty) SECM_CHECK;

/* Whether the page cache is all that has its contents. */
int secm_io_os_is_memory(int fd);

/* load.c: opens the file for reading, and waits for a writer of a FIFO if so: a
 * descriptor or a negative errno. */
int secm_io_open(const char *path, const struct secmalloc_load_options *options,
		 int wait) SECM_CHECK;
int secm_io_open_flags(const struct secmalloc_load_options *options, int wait);

/* Whether the options allow for such a file: 0 or a negative errno. */
int secm_io_allow(const struct stat *st,
		  const struct secmalloc_load_options *options) SECM_CHECK;

/* Whether nothing happened to the file in between. */
int secm_io_is_same(const struct stat *a, const struct stat *b);

/* The whole of it, of a file: results and errors are in *loaded. */
void secm_io_load_path(const char *path,
		       const struct secmalloc_load_options *options,
		       struct secmalloc_loaded *loaded);

/* A file that was opened without waiting, and is no regular one.  Closes it. */
void secm_io_load_kept(int fd, const struct secmalloc_load_options *options,
		       struct secmalloc_loaded *loaded);

/* And of a descriptor of the caller's. */
void secm_io_load_fd(int fd, const struct secmalloc_load_options *options,
		     struct secmalloc_loaded *loaded);

/* cache.c: empties the page cache of a file that was read, if that is wanted,
 * and notes what became of it. */
void secm_io_clean(int fd, const struct stat *st,
		   const struct secmalloc_load_options *options,
		   struct secmalloc_loaded *loaded);

/* ring.c, noring.c: loads what it can of those that have no way yet, many at a
 * time.  The others it leaves as they are; *kept is NULL or says for each which
 * descriptor was opened for it, -1: none; for free(3).  Returns 0, or a negative
 * errno: why there is no ring. */
int secm_io_ring(struct secmalloc_loaded *files, size_t n,
		 const struct secmalloc_load_options *options,
		 int **kept) SECM_CHECK;

/* fork.c: a descriptor that no child shall have.  Made by fn(arg), which returns
 * 0 or a negative errno and puts it into own->fd. */
struct secm_io_own {
	int fd;
	struct secm_io_own *next;
};
int secm_io_own_begin(struct secm_io_own *own, int (*fn)(void *arg),
		      void *arg) SECM_CHECK;

/* fn closes it. */
void secm_io_own_end(struct secm_io_own *own, void (*fn)(void *arg), void *arg);

/* terminal.c: the terminal that is asked, by the one thread that asks. */
void secm_io_terminal_use(int fd, int own);
int secm_io_terminal_is_used(void); /* not in a child, where it was closed */

/* Whether this process group has it; echo off and what was typed before dropped,
 * which stops those who do not have it: 0 or a negative errno. */
int secm_io_terminal_is_ours(void);
int secm_io_terminal_quiet(void) SECM_CHECK;

/* As it was, if it is ours; drop: what was typed meanwhile, too.  For good: the
 * process ends.  Async-signal-safe. */
void secm_io_terminal_restore(int drop);
void secm_io_terminal_restore_for_good(void);
void secm_io_terminal_forget(void); /* in a child */

/* signals.c: what children and the end of the process need, once: 0 or a negative
 * errno. */
int secm_io_signals_set_up(void) SECM_CHECK;

/* From begin on signals that would end or stop the process are told to
 * the one that asks, by the descriptor, until end.  0 or a negative errno */
int secm_io_signals_begin(void) SECM_CHECK;
int secm_io_signals_fd(void);

/* And sends those that were told once more: 0, or -EINTR after a handler of the
 * program. */
int secm_io_signals_end(void) SECM_CHECK;

/* getpass.c: in a child, nobody asks. */
void secm_io_getpass_forget(void);

/* Its lock, in case others have something to keep consistent; nothing of
 * libsecmalloc may be called inside.  0 or a negative errno. */
int secm_io_lock(void) SECM_CHECK;
void secm_io_unlock(void);

/* linux/envblock.c, posix/envblock.c: the strings that the program was
 * started with, as other processes see them now; NULL: not known. */
void secm_io_os_env_block(char **start, char **end);

/* linux/keys.c, posix/keys.c: the number of a key that the caller has, or a
 * negative errno; and its bytes, as many as there are or size, at p.  Returns how
 * many there are, even if that is more, or a negative errno. */
long secm_io_os_key_find(const char *type, const char *description) SECM_CHECK;
long secm_io_os_key_read(long key, void *p, size_t size) SECM_CHECK;

/* linux/trusted.c, posix/trusted.c: as getenv(), but NULL in a program that has
 * rights which its caller lacks. */
const char *secm_io_os_trusted_env(const char *name);

#endif /* SECM_IO_H */
