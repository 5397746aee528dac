/* SPDX-License-Identifier: MIT */
/*
 * secmalloc_io.h - between descriptors and secret memory, without a copy
 *
 * The header of libsecmalloc-io, and its reference.  What is loaded comes as an
 * object of libsecmalloc: secfree() wipes it, and secmalloc_usable_size() says
 * how long it is.  On its way there it is in no other memory of the process.
 *
 * Rules that hold for every function, unless its own comment says otherwise:
 *
 *  threads   may be called from any thread at any time;
 *  signals   not async-signal-safe.  A signal that is handled does not end a
 *            call: EINTR is not returned;
 *  fork      nothing that a call uses is shared with a child;
 *  errors    NULL or -1 with errno set.  errno is kept on success.
 */
#ifndef SECMALLOC_IO_H
#define SECMALLOC_IO_H

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include <secmalloc.h>

#ifdef __cplusplus
extern "C" {
#endif

struct timespec; /* which strict dialects of C do not have */

/*
 * secmalloc_read, secmalloc_write - all of size bytes, or a clear short count
 *
 * As read(2) and write(2), on the secret bytes themselves, again and again until
 * size bytes have passed.  p points to secret memory: an object, a secret stack
 * or the segment.  Where an access scope is needed it has to be open.
 *
 * A non-blocking descriptor is waited for.  deadline is a time of
 * CLOCK_MONOTONIC, NULL: none; up to it the call waits for the other side, and
 * what can pass without waiting passes after it, too.  Without one the call ends
 * when read(2) or write(2) end by themselves.  It is kept if nobody else reads
 * from, or writes to, the same descriptor, but for writing to a terminal, which
 * may wait for its user; regular files never wait.  To pipes and devices a
 * deadline makes the call write PIPE_BUF bytes at a time.  With a size of 0
 * nothing is done.
 *
 * Returns size; or less, with errno:
 *   0          the input has ended (secmalloc_read)
 *   ETIMEDOUT  the deadline is over
 *   another one, of read(2), write(2) or poll(2): what came after the bytes that
 *              are counted
 * or -1 with errno, when no byte has passed:
 *   EFAULT     the first or the last byte at p is no secret memory, or is closed
 *   EINVAL     size is over SSIZE_MAX, or deadline is no time
 *   ETIMEDOUT and the others, as above
 * Writing to a pipe or socket that nobody reads is SIGPIPE, as ever.  Both are
 * cancellation points.  What is in a pipe or socket is a copy that the kernel
 * has until it is read.
 */
ssize_t secmalloc_read(int fd, void *p, size_t size,
		       const struct timespec *deadline) SECMALLOC_ATTR_CHECK;
ssize_t secmalloc_write(int fd, const void *p, size_t size,
			const struct timespec *deadline) SECMALLOC_ATTR_CHECK;

/*
 * What is wished for when something is loaded.  All-zero is valid and means the
 * defaults.  Set size to sizeof(struct secmalloc_load_options); 0 stands for the
 * members that exist in this release.
 */
#define SECMALLOC_LOAD_NOFOLLOW 0x01u /* the path's last part is no link */
#define SECMALLOC_LOAD_PRIVATE \
	0x02u /* nobody but root and the effective user owns the file, and group
		 and others have no rights to it */
#define SECMALLOC_LOAD_REGULAR 0x04u /* only regular files */
#define SECMALLOC_LOAD_STRING \
	0x08u /* a zero byte after the contents, not counted in length */
#define SECMALLOC_LOAD_GUARDED 0x10u /* into a guarded object */
#define SECMALLOC_LOAD_CACHED 0x20u  /* the page cache may keep the file */
#define SECMALLOC_LOAD_STDIN \
	0x40u /* secmalloc_getpass(): from standard input */
#define SECMALLOC_LOAD_NO_RING \
	0x80u /* without io_uring: for processes that a filter would end */

#define SECMALLOC_LOAD_MAX 1048576u /* bytes, if max is 0 */

struct secmalloc_load_options {
	size_t size;
	size_t max;	      /* most bytes to load */
	unsigned flags;	      /* SECMALLOC_LOAD_* */
	secmalloc_heap *heap; /* NULL: the default heap */
	const struct timespec *deadline; /* of CLOCK_MONOTONIC, NULL: none.
					    Regular files never wait */
};

/* How the bytes of a file came. */
enum secmalloc_way {
	SECMALLOC_WAY_NONE,	 /* nothing was loaded */
	SECMALLOC_WAY_DIRECT,	 /* past the page cache (O_DIRECT) */
	SECMALLOC_WAY_DONTCACHE, /* through it, and dropped by the same call
				    (RWF_DONTCACHE) */
	SECMALLOC_WAY_DROPPED,	 /* through it; it was told to drop the file */
	SECMALLOC_WAY_CACHED,	 /* through it, and left there: as asked for, or
				    what holds the file is the page cache */
	SECMALLOC_WAY_STREAM	 /* nothing of a disk: a pipe, a socket, a
				    terminal, a file that says it is empty */
};

struct secmalloc_loaded {
	size_t size;	  /* set by the caller: sizeof(this) */
	const char *path; /* secmalloc_load_files(): set by the caller */
	void *data;	  /* the object, NULL: there is none */
	size_t length;	  /* bytes loaded */
	int error;	  /* 0, or why not */
	enum secmalloc_way way;
	long cached;	/* pages of the file in the page cache afterwards; -1:
			   the system does not tell, or nobody asked it, as
			   with SECMALLOC_LOAD_CACHED */
	int ring;	/* 1: by io_uring */
	int ring_errno; /* secmalloc_load_files(): why there is none.  ENOSYS:
			   not in this system, or this build; 0: there is, or
			   the files are few; this one was loaded alone */
};

/*
 * secmalloc_load_file - a whole file as one secret object
 *
 * The object has the exact size of the file.  Regular files are read past the
 * page cache where that is possible (O_DIRECT), by way of a guarded buffer of
 * locked memory that is wiped, as the kernel puts nothing directly into hidden
 * memory; else into the object itself, and what the page cache got is dropped.
 * loaded->way and loaded->cached say what became of it, to the knowledge of the
 * kernel: a copy may stay if others use the file, on file systems that live in
 * memory, and in layers below (encryption, networks, the disk's own memory).
 *
 * Files that are no regular ones, or say that they are empty (as in /proc), are
 * read until they end; a FIFO is waited for.  A file that changes meanwhile is
 * read anew, three times at most.  options and loaded may be NULL.
 *
 * Returns the object, or NULL with errno:
 *   EINVAL    path is NULL; options or loaded has a wrong size, an unknown flag
 *             or no time as its deadline; or it is no regular file where that
 *             was asked for
 *   ELOOP     a link, with SECMALLOC_LOAD_NOFOLLOW
 *   EPERM     others may use the file, with SECMALLOC_LOAD_PRIVATE
 *   EISDIR    a directory
 *   EFBIG     more than max bytes
 *   EAGAIN    it changed each time while it was read
 *   ETIMEDOUT the deadline is over
 *   ENOMEM ENOTSUP EPERM  as secmalloc()
 *   and those of open(2) and read(2)
 * A child of fork(2) that is made meanwhile inherits a descriptor, which closes
 * on exec.
 */
void *secmalloc_load_file(const char *path,
			  const struct secmalloc_load_options *options,
			  struct secmalloc_loaded *loaded) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_load_fd - all that comes from a descriptor until it ends
 *
 * From where it is; it stays open, at its end.  Else as secmalloc_load_file(),
 * but never past the page cache (SECMALLOC_WAY_DIRECT), which would change what
 * others see of it; what changes meanwhile is loaded as it is read, and
 * SECMALLOC_LOAD_NOFOLLOW means nothing.  A non-blocking descriptor is waited for.  One that was opened with O_DIRECT cannot be read
 * into secret memory: EINVAL or EFAULT.
 */
void *secmalloc_load_fd(int fd, const struct secmalloc_load_options *options,
			struct secmalloc_loaded *loaded) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_load_files - many files at once
 *
 * As secmalloc_load_file() for each files[i].path, with the same results; but by
 * io_uring where that can be had, so that many of them are on their way at the
 * same time: from a cold disk that is several times as fast.  Each files[i] gets
 * an object and its length, or an error.  Every one is tried.
 *
 * Returns 0 if all were loaded; or -1 with errno: EINVAL (files is NULL, or
 * options or a files[i].size is wrong) and nothing is done, or the error of the
 * first file that has one.
 */
int secmalloc_load_files(struct secmalloc_loaded *files, size_t n,
			 const struct secmalloc_load_options *options)
	SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_getpass - ask for a pass phrase
 *
 * Returns a string in secret memory, without the newline: an object of its length
 * plus one byte, for secfree().  An empty line is "".  Zero bytes stay as they
 * are.
 *
 * It is asked for on the terminal of the process, /dev/tty, whatever standard
 * input is; only where there is none, or with SECMALLOC_LOAD_STDIN, standard
 * input is read.  If that is no terminal nothing is written, and no byte more than
 * the line is taken: the next call, or somebody else, gets the next line.  prompt
 * (NULL: none) is written to the terminal; to standard error if the terminal is
 * standard input.
 *
 * Meanwhile the terminal does not show what is typed, and what was typed before is
 * dropped.  Erase characters and the keys for signals work.  What is read goes
 * straight into the object.  Linux of today wipes its own copy of a line
 * that was read so; not what was typed and then erased, or never read because
 * of a signal or the deadline: no program can read that any more, and what is
 * typed next comes over it.
 *
 * Of options max, heap and deadline count, and SECMALLOC_LOAD_GUARDED; NULL: the
 * defaults.  A terminal itself hands over lines of up to 4095 bytes on Linux, and
 * drops the rest.
 *
 * NULL with errno:
 *   EBUSY     another thread is asking
 *   EFBIG     the line is longer than max bytes; all of it was dropped
 *   ENODATA   the input has ended without a byte
 *   ETIMEDOUT the deadline is over
 *   EINTR     the program has a handler for a signal that came meanwhile: see
 *             below.  No other function of this library returns it
 *   EINVAL    options has a wrong size, an unknown flag or no time as deadline
 *   EIO       the terminal hung up, or cannot be silenced; or this is a
 *             background process that nobody can bring to the front
 *   ENOMEM ENOTSUP EPERM  as secmalloc(); EMFILE and the other errors of pipe(2),
 *             read(2) and poll(2)
 *
 * signals  The terminal is as before whenever the process ends or stops: after
 *          each signal but SIGKILL and SIGSTOP, after abort(3) and exit(3) by any
 *          thread; not after _exit(2) and execve(2) by another one.  To that end
 *          all signals have handlers here meanwhile whose default is to end or to
 *          stop; but those that are ignored stay so, and the program's own
 *          handlers stay, except those of
 *            SIGHUP SIGINT SIGQUIT SIGTERM, SIGTTIN SIGTTOU, and of faults
 *                     (SIGABRT SIGBUS SIGFPE SIGILL SIGSEGV SIGSYS SIGTRAP):
 *                     they are called when the terminal has been restored, and
 *                     then EINTR is returned.  What SA_SIGINFO tells them is that
 *                     this process sent the signal; but the truth of a fault
 *            SIGTSTP SIGCONT: they are called, and the question is asked anew
 *          No handler may leave by longjmp(3).  After a stop it is asked anew, too.
 * fork     a child is not asking, and has the dispositions from before
 * threads  one at a time (EBUSY).  Cannot be cancelled
 * From the first question on the library keeps a pipe, which closes on exec.
 */
char *secmalloc_getpass(const char *prompt,
			const struct secmalloc_load_options *options)
	SECMALLOC_ATTR_MALLOC;

/*
 * secmalloc_env_take - a variable leaves the environment for a secret object
 *
 * Returns the value that getenv(name) has, as a string: the object is one byte
 * longer.  Then the variable is in the environment no more: the bytes are wiped
 * where they were, in every string of that name that environ has (one that was
 * given to putenv() is the caller's own, and is wiped, too; what getenv()
 * returned before is an empty string now), and unsetenv() is called.
 *
 * With the linux backend they are wiped as well in the strings that the program
 * was started with, which is what other processes see in /proc/PID/environ, even
 * if setenv() has put others in their place since.  That needs /proc; without
 * it, and with the other backend, only what environ has is wiped.
 *
 * What it cannot reach: whatever has seen the variable before.  The process that
 * set it, and the shell's history; who has read /proc/PID/environ; children that
 * exist already, and have their own copy; copies that the program made; older
 * values that setenv() has replaced, where those were no part of what the program
 * was started with; a core dump, or swap.  Until the call it is in ordinary
 * memory.  A file, a pipe or a credential is better; this is for programs that
 * have no choice.
 *
 * Of options only max, heap and SECMALLOC_LOAD_GUARDED matter; NULL: none.
 * Threads: as for setenv(), no other thread may use the environment meanwhile.
 *
 * Returns the object, or NULL with errno, and then, but for ENOENT, nothing has
 * been changed:
 *   ENOENT    there is no such variable; what the strings that the program was
 *             started with still have of it is wiped all the same
 *   EINVAL    name is NULL, empty or has a '=', or options is wrong
 *   EFBIG     the value has more than max bytes
 *   EFAULT    a string of it can only be read, as a literal that was given to
 *             putenv()
 *   EMFILE ENFILE  no two descriptors are left, with which that is found out
 *   ENOMEM ENOTSUP EPERM  as secmalloc()
 */
char *secmalloc_env_take(const char *name,
			 const struct secmalloc_load_options *options)
	SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_base64_decode and the others - text of a secret into its bytes
 *
 *   base64     RFC 4648, section 4.  Padding has to be there; the bits that no
 *              byte has are zero; white space may be anywhere
 *   base64url  section 5: "-" and "_" for "+" and "/"; the padding may be left
 *              out, all of it or nothing
 *   hex        digits of either case; white space may be between bytes, not
 *              between the two digits of one
 *   pem        RFC 7468: the base64 text between a line -----BEGIN label-----
 *              and one -----END label-----.  The first such block is taken, of
 *              any label for NULL; other text and blocks may stand around it
 *
 * White space is space, tab, line feed, vertical tab, form feed and carriage
 * return.  length characters at text become *got bytes at bytes, where there is
 * room for so many.  Both may be any memory.
 *
 * bytes may be text itself: then no other memory ever has what is secret, and
 * what is left of the text behind the bytes is wiped (for pem: all else that
 * was in it).  So one loads the text, decodes it where it is, and gives the
 * rest back by secmalloc_resize(p, got).  There are never more bytes than
 * characters, so room is length then.  Else room bytes at bytes and the text
 * must not overlap, and the text stays as it is.
 *
 * No table is read and no branch taken by a digit.  The time depends on length
 * and room; on where white space, padding and the lines around blocks are; and
 * on whether all of it is valid, not on what is wrong or where.
 *
 * Returns 0; or -1 with errno, and then nothing at bytes and text has changed:
 *   EINVAL   not valid text; NULL for got, or for bytes or text that are not
 *            empty; or bytes and text overlap
 *   ENOENT   pem: there is no line that begins such a block
 *   ENOTSUP  pem: the block has headers (Proc-Type of RFC 1421, encrypted keys)
 *   ERANGE   valid, but room is too small; *got says how many bytes there are
 * Empty text, but for pem, is no bytes.  All are async-signal-safe.
 */
int secmalloc_base64_decode(void *bytes, size_t room, size_t *got,
			    const char *text,
			    size_t length) SECMALLOC_ATTR_CHECK;
int secmalloc_base64url_decode(void *bytes, size_t room, size_t *got,
			       const char *text,
			       size_t length) SECMALLOC_ATTR_CHECK;
int secmalloc_hex_decode(void *bytes, size_t room, size_t *got,
			 const char *text, size_t length) SECMALLOC_ATTR_CHECK;
int secmalloc_pem_decode(void *bytes, size_t room, size_t *got,
			 const char *text, size_t length,
			 const char *label) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_keyring_read - a key that the kernel keeps, as a secret object
 *
 * The key of that type ("user", "big_key") and description is looked for in the
 * keyrings of the calling thread, the process and the session, and in those that
 * are in these, as request_key(2) does; none is made or fetched where there is
 * none.  The kernel writes it straight into an object of its exact length.
 * The keyring has it still.  Linux, with the linux backend.
 *
 * As secmalloc_load_file() otherwise: of options max, heap and the flags
 * SECMALLOC_LOAD_STRING and SECMALLOC_LOAD_GUARDED matter.  options and loaded may
 * be NULL.
 *
 * Returns the object, or NULL with errno:
 *   EINVAL    type or description is NULL, or, to the kernel, none; options or
 *             loaded is wrong
 *   ENOKEY    there is no such key.  The kernel may also say so of one that is
 *             there and has one of the errors below, if it is in one of several
 *             keyrings
 *   EKEYEXPIRED EKEYREVOKED EKEYREJECTED  it is there, but no longer for use
 *   EACCES    it may not be searched for, or not be read
 *   EOPNOTSUPP  keys of that type cannot be read ("logon")
 *   EPERM     the type's name begins with a dot; or a filter of system calls
 *             says so
 *   ENOSYS    a kernel without keyrings, or a filter again
 *   ENOTSUP   another system, or the fallback backend
 *   EFBIG     more than max bytes
 *   EAGAIN    it grew each time while it was read
 *   ENOMEM ENOTSUP EPERM  as secmalloc()
 *   and others of request_key(2) and keyctl(2)
 */
void *secmalloc_keyring_read(const char *type, const char *description,
			     const struct secmalloc_load_options *options,
			     struct secmalloc_loaded *loaded)
	SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_credential - what a service manager hands to a program
 *
 * The file of that name in the folder that $CREDENTIALS_DIRECTORY names, which
 * systemd sets for services with LoadCredential= and the like.  The file is not
 * followed if it is a link.  In a program that has gained rights by being
 * executed (set-user-ID and the like) the variable is a stranger's, and counts as
 * not set.
 *
 * As secmalloc_load_file() otherwise, with SECMALLOC_LOAD_NOFOLLOW; such files are
 * often in memory that is no disk's, where there is no copy to be dropped
 * (SECMALLOC_WAY_CACHED).  options and loaded may be NULL.
 *
 * Returns the object, or NULL with errno:
 *   EINVAL    name is NULL, "", "." or "..", or has a '/'; the variable is no
 *             absolute path; options or loaded is wrong
 *   ENXIO     the program was given no credentials: the variable is not set, or
 *             does not count
 *   ENOENT    it was not given this one
 *   ELOOP     this one is a link
 *   and those of secmalloc_load_file()
 */
void *secmalloc_credential(const char *name,
			   const struct secmalloc_load_options *options,
			   struct secmalloc_loaded *loaded)
	SECMALLOC_ATTR_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* SECMALLOC_IO_H */
