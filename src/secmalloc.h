/* SPDX-License-Identifier: MIT */
/*
 * secmalloc.h - memory for secrets
 *
 * The one public header of libsecmalloc.  It is also the reference: each
 * function states sizes, errors and thread, fork and signal behaviour here;
 * the man pages say the same with examples.
 *
 * Rules that hold for every function, unless its own comment says otherwise:
 *
 *  threads   may be called from any thread at any time;
 *  signals   not async-signal-safe, except secmalloc_wipe(),
 *            secmalloc_equal(), secmalloc_to_hex(), secmalloc_from_hex(),
 *            secmalloc_version() and secmalloc_reason_string();
 *  fork      a child made by fork(2) starts with an empty heap, unless the
 *            configuration says otherwise (child).  Objects that it inherited
 *            read as zeros; they may be read, written and freed
 *            there, and nothing the child does reaches the parent's memory.
 *            Where the child's own lock limit has no room for them they can
 *            be read and freed, but a write faults.
 *            A child made without fork handlers (raw clone(2), _Fork) must
 *            not touch inherited objects: where the kernel can do so, access
 *            faults or reads zeros, and allocation fails with EPERM;
 *  errors    NULL or -1 with errno set.  errno is kept on success and by
 *            every function that cannot fail;
 *  misuse    freeing twice, freeing what is not ours, and writing outside an
 *            object are not errors but attacks: one line goes to standard
 *            error and the process ends by SIGABRT.
 */
#ifndef SECMALLOC_H
#define SECMALLOC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SECMALLOC_VERSION_MAJOR 0
#define SECMALLOC_VERSION_MINOR 9
#define SECMALLOC_VERSION_PATCH 0
#define SECMALLOC_VERSION_STRING "0.9.0"

#if defined(__GNUC__) || defined(__clang__)
#define SECMALLOC_ATTR_MALLOC \
	__attribute__((__malloc__, __warn_unused_result__))
#define SECMALLOC_ATTR_CHECK __attribute__((__warn_unused_result__))
#else
#define SECMALLOC_ATTR_MALLOC
#define SECMALLOC_ATTR_CHECK
#endif

/*
 * Protections.  A set of these says what is wished for in the configuration,
 * and what was really obtained in the report.
 */
#define SECMALLOC_LOCKED 0x01u	  /* stays in RAM: never in swap */
#define SECMALLOC_NODUMP 0x02u	  /* left out of core dumps */
#define SECMALLOC_HIDDEN 0x04u	  /* gone from the kernel's own view of RAM */
#define SECMALLOC_FORK_ZERO 0x08u /* any child reads zeros, by the kernel */
#define SECMALLOC_FORK_GONE 0x10u /* any child has no mapping, by the kernel */

/* What secmalloc_protect() can make of an object. */
#define SECMALLOC_NOACCESS 0
#define SECMALLOC_READONLY 1
#define SECMALLOC_READWRITE 2

/*
 * memfd_secret(2) keeps the whole machine from hibernating while it is in use
 * (a hibernation image would hold the secrets).
 */
#define SECMALLOC_HIBERNATION_AUTO \
	0 /* no memfd_secret where a resume device is set */
#define SECMALLOC_HIBERNATION_KEEP 1 /* never use memfd_secret */
#define SECMALLOC_HIBERNATION_GIVE_UP \
	2 /* use it whatever the machine is set up for */

/* What becomes of a heap in a child made by fork(2). */
#define SECMALLOC_CHILD_ZEROS 0	  /* objects read as zeros, the heap is empty */
#define SECMALLOC_CHILD_NOTHING 1 /* the same, but touching an object faults */
#define SECMALLOC_CHILD_COPY \
	2 /* the child has the objects, in memory of its own, as protected as
	     the parent's.  Costs the parent as much locked memory again while
	     it forks, and a copy of all of it */

/* Who may touch objects of a heap, and when: see secmalloc_begin(). */
#define SECMALLOC_ACCESS_ALWAYS 0 /* whoever has a pointer */
#define SECMALLOC_ACCESS_SCOPES \
	1 /* nobody, except inside access scopes.  Not for the default heap */

/* Flags of struct secmalloc_config. */
#define SECMALLOC_BEST_EFFORT \
	0x01u /* unprotected memory rather than NULL; see the report */
#define SECMALLOC_KEEP_LIMIT 0x02u /* never raise the soft RLIMIT_MEMLOCK */
#define SECMALLOC_NO_CACHES 0x04u  /* threads keep no emptied objects */
#define SECMALLOC_ALWAYS_MOVE \
	0x08u /* secrealloc always moves, so that old pointers are caught */
#define SECMALLOC_IGNORE_ENVIRONMENT 0x10u /* do not read SECMALLOC_CONF */

/* How much is logged: each level includes those before it. */
#define SECMALLOC_LOG_NONE 0
#define SECMALLOC_LOG_ERROR 1	/* what was refused, mistakes in options */
#define SECMALLOC_LOG_WARNING 2 /* less protection than this machine has */
#define SECMALLOC_LOG_INFO 3	/* starting, forking, giving memory back */
#define SECMALLOC_LOG_DEBUG 4	/* each mapping, with a picture of it */

/* Takes one line without its newline.  Called without a lock held, from the
 * thread whose call caused it; may allocate. */
typedef void secmalloc_logger(int level, const char *line, void *arg);

/*
 * Options of secmalloc_init().  All-zero is valid and means the defaults.
 * Set size to sizeof(struct secmalloc_config); 0 stands for the members that
 * exist in this release.
 */
struct secmalloc_config {
	size_t size;
	unsigned need;	/* protections without which nothing is handed out;
				0: SECMALLOC_LOCKED | SECMALLOC_NODUMP, or
				nothing with SECMALLOC_BEST_EFFORT */
	unsigned flags; /* SECMALLOC_BEST_EFFORT and the others above */
	unsigned hibernation; /* SECMALLOC_HIBERNATION_* */
	unsigned
		initial_pools; /* pools mapped and locked before init returns */
	size_t pool_size; /* bytes in each of them, rounded up to whole pages;
				0: 64 KiB, or without initial pools an eighth
				of the lock limit if that is less.  Later pools
				grow from here. */
	size_t max_bytes; /* most bytes to take from the system, 0: no bound */
	size_t retain;	  /* most bytes of emptied memory kept for reuse,
				0: 1 MiB */
	size_t pool_growth; /* most bytes in a later pool, 0: 256 KiB */
	size_t cache; /* most bytes of emptied objects of a size that a thread
				keeps, 0: 32 KiB */
	unsigned quarantine;   /* emptied objects of a size that a thread keeps
				at least, one of which, by chance, is the next
				to be handed out, 0: 8 */
	unsigned sample;       /* one in so many small objects is made a guarded
				one: see below; 0: none */
	unsigned log_level;    /* SECMALLOC_LOG_*, 0: nothing is logged */
	secmalloc_logger *log; /* NULL: lines go to standard error */
	void *log_arg;	       /* handed to log */
	unsigned child;	       /* SECMALLOC_CHILD_* */
	unsigned access;       /* SECMALLOC_ACCESS_* */
};

/*
 * secmalloc_init - set up the allocator with options of your own
 *
 * config may be NULL: the defaults.  Needed only to choose options or to lock
 * pools while privileged; the first allocation does it otherwise.
 *
 * Returns 0, or -1 with errno:
 *   EALREADY  already set up, by an earlier call or an allocation
 *   EINVAL    config has a wrong size, an unknown flag, need bit, log level or
 *             hibernation, child or access value, access other than
 *             SECMALLOC_ACCESS_ALWAYS here, both SECMALLOC_HIDDEN needed and hibernation
 *             kept, or a pool total that is larger than PTRDIFF_MAX or than
 *             max_bytes
 *   ENOTSUP   a needed protection cannot be had on this machine
 *   ENOMEM    no memory, or the lock limit or max_bytes leaves no room for the
 *             pools and the allocator's own first page
 *   EPERM     this is a child that was made without fork handlers
 * After an error nothing is held and secmalloc_init() may be called again.
 *
 * sample counts allocations of up to 16392 bytes: all those by secmalloc(),
 * seccalloc(), the arrays and strings, by secmalloc_try() and
 * secmalloc_aligned() with an align that divides 16, and by secrealloc() where
 * the object leaves its slot or its pages; failed ones too.  It does not count
 * larger, guarded and other aligned objects, and what is resized where it is.
 * Each thread counts for itself; how far it is to the next one is drawn anew
 * each time, and about sample on average.
 *
 * The environment variable SECMALLOC_CONF can observe and strengthen, never
 * weaken: see secmalloc(7).  It is read once, here or at the first
 * allocation; never by a program that has rights which its caller lacks, as
 * set-user-ID ones.
 */
int secmalloc_init(const struct secmalloc_config *config) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc, seccalloc, secrealloc, secfree - as malloc(3), for secrets
 *
 * Objects are aligned to 16 bytes and always start as zeros.  Nothing is ever
 * kept of a freed object: free, a shrinking realloc and a moving realloc wipe
 * what they leave.  A size of 0 gives an object of no bytes.  secrealloc with
 * size 0 frees and returns NULL.  secfree(NULL) does nothing.
 *
 * NULL with errno:
 *   ENOMEM    size or product over PTRDIFF_MAX or the machine's RAM, address
 *             space used up, or the lock limit or max_bytes reached;
 *             secmalloc_report() says which
 *   ENOTSUP   a needed protection cannot be had on this machine
 *   EPERM     secmalloc_shutdown() was called, or this is a child that was
 *             made without fork handlers
 * secrealloc keeps the old object when it fails; asking for less does not fail
 * for want of room, unless the object is from before a fork: that has to move.
 * A guarded object that was resized is read-write.
 */
void *secmalloc(size_t size) SECMALLOC_ATTR_MALLOC;
void *seccalloc(size_t count, size_t size) SECMALLOC_ATTR_MALLOC;
void *secrealloc(void *p, size_t size) SECMALLOC_ATTR_CHECK;
void secfree(void *p);

/*
 * secmalloc_array, secmalloc_realloc_array - count objects of size bytes
 * As seccalloc() and secrealloc(); ENOMEM if the product does not fit.
 */
void *secmalloc_array(size_t count, size_t size) SECMALLOC_ATTR_MALLOC;
void *secmalloc_realloc_array(void *p, size_t count,
			      size_t size) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_strdup, secmalloc_strndup - a copy of a string as a secret
 * strndup copies at most size bytes; both always end with a zero byte.  The
 * original is not wiped.
 */
char *secmalloc_strdup(const char *s) SECMALLOC_ATTR_MALLOC;
char *secmalloc_strndup(const char *s, size_t size) SECMALLOC_ATTR_MALLOC;

/*
 * secmalloc_aligned - an object at a multiple of align bytes
 *
 * align is any number from 1 to SECMALLOC_ALIGN_MAX, not only powers of two; a
 * multiple of align is meant as a number, so 48 gives an address that 48
 * divides.  Objects with an align that 16 is not a multiple of may be aligned
 * to less than 16 (with 20, to 4).  secrealloc() keeps the alignment only
 * where the object can stay.  EINVAL for another align; else as secmalloc().
 */
#define SECMALLOC_ALIGN_MAX 1048576u
void *secmalloc_aligned(size_t align, size_t size) SECMALLOC_ATTR_MALLOC;

/*
 * secmalloc_try - allocate without asking out-of-memory handlers
 *
 * Returns 0 and the object in *p, or a negative errno, -ENOMEM, -ENOTSUP,
 * -EPERM or -EINVAL as the errors of secmalloc_aligned(), and *p is not
 * touched.  errno is never changed.
 */
int secmalloc_try(void **p, size_t size, size_t align) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_resize - change the size of an object where it is
 *
 * Never moves or copies; what is cut off is wiped, what is added is zero.  A
 * guarded object is read-write afterwards.  Returns 0, or -1 with errno ENOMEM
 * (no room there, or from before a fork or shutdown), EINVAL (NULL) or EPERM (a
 * child that was made without fork handlers), and nothing changed.
 */
int secmalloc_resize(void *p, size_t size) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_split - make two objects out of one
 *
 * p keeps its first `at` bytes; the rest becomes an object of its own that
 * begins at p + at, which is returned.  From then on each is resized, queried
 * and freed by itself, and wiped at once when freed; the memory is given back
 * when all parts are.  There is no canary between neighbouring live parts.
 * The second is aligned as p + at happens to be.
 * NULL with errno EINVAL (p is NULL, a guarded object or from before a fork or
 * shutdown, or at is 0 or not below the size), ENOMEM or EPERM, and nothing
 * changed.
 */
void *secmalloc_split(void *p, size_t at) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_free_sized - as secfree(), for callers who know the size
 * The process ends if it is not the one that was asked for.
 */
void secmalloc_free_sized(void *p, size_t size);

/*
 * secmalloc_sbrk - move the end of a contiguous segment of secret bytes
 *
 * As sbrk(2), for a segment of its own beside the allocator: returns where its
 * end was before.  It begins empty, grows with zeros up to 256 MiB (less where
 * address space is scarce) and is wiped where it shrinks.  0 tells its end.
 * (void *)-1 with errno EINVAL (more taken away than there is), ENOMEM (as
 * secmalloc(), or no room to grow), ENOTSUP or EPERM, and nothing changed.
 */
void *secmalloc_sbrk(ptrdiff_t increment) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_trim - give back now what is kept for reuse
 *
 * Empties all threads' caches and returns the number of bytes that the system
 * got back.  Initial pools stay.
 */
size_t secmalloc_trim(void);

/*
 * secmalloc_verify - check every object and every free slot now
 *
 * The process ends, as at a free, if a canary or a byte of emptied memory
 * changed.  Other threads wait meanwhile when they allocate or free.  Objects
 * that are closed to reading count but are not looked at; the segment and what
 * is from before a fork or shutdown do neither.  Returns the number of live
 * objects.
 */
size_t secmalloc_verify(void);

/*
 * secmalloc_guarded - one object alone between two inaccessible pages
 *
 *	| guard page | canary .... object .... tail | guard page |
 *
 * The object is aligned to 16 bytes and as close to the upper guard as that
 * allows: it touches it when size is a multiple of 16, else up to 15 canary
 * bytes lie between (16 for a size of 0).  Costs at least a page.  Errors as
 * secmalloc().
 */
void *secmalloc_guarded(size_t size) SECMALLOC_ATTR_MALLOC;

/*
 * secmalloc_protect - change the access to a guarded object
 *
 * p is what secmalloc_guarded() (or secrealloc() of such an object) returned,
 * access one of SECMALLOC_NOACCESS, SECMALLOC_READONLY, SECMALLOC_READWRITE.
 * Holds for all threads; secfree() and secrealloc() work in each state.  Inside
 * an access scope it holds as far as that allows less.
 * Returns 0, or -1 with errno EINVAL (not such an object, one of a heap with
 * access scopes, unknown access) or
 * ENOMEM (the kernel cannot change mappings any further, or an object from
 * before a fork or shutdown has no pages), EPERM (a child that was made without
 * fork handlers); then nothing changed.
 */
int secmalloc_protect(void *p, int access) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_call - run fn(arg) on a stack that is a secret
 *
 * What fn and all that it calls put on the stack (variables, registers that
 * the compiler spilled, arguments, what vector code left behind) lies in a
 * guarded object, which is wiped when fn has returned.  Before that, registers
 * that functions need not keep are cleared, vector registers included, so
 * neither gets to the ordinary stack.  Results go through arg.
 *
 * size is what fn needs, in bytes: 0 stands for SECMALLOC_STACK_DEFAULT, less
 * than SECMALLOC_STACK_MIN for that; it is rounded up to whole pages.  Whoever
 * needs more meets the guard page: SIGSEGV.
 *
 * fn may use this library, call secmalloc_call() again (each call has a stack
 * of its own) and end its thread, by pthread_exit() or by cancellation: where
 * the C library goes back to the caller's stack for that (glibc does) all is
 * wiped.  fn must not
 *   leave by longjmp(3) or setcontext(3): the stack then stays as it is, in
 *             secret memory, an object that only secmalloc_shutdown() wipes;
 *   throw an exception that it does not catch itself: the process ends;
 *   call fork(2) and go on in the child: it has no stack there and ends by
 *             SIGSEGV or SIGABRT; posix_spawn(3) and vfork(2) work;
 *   call secmalloc_shutdown().
 * A signal that arrives meanwhile is handled on this stack, or where
 * sigaltstack(2) says: then the registers of fn lie there; give it a guarded
 * object.  secmalloc_call(3) has more of it.
 *
 * Returns 0, and errno is as fn left it; or -1 with errno, and fn did not run:
 *   EINVAL    fn is NULL, or size is over SECMALLOC_STACK_MAX
 *   ENOMEM ENOTSUP EPERM  as secmalloc(); ENOTSUP also where neither this
 *             processor nor the C library has a way to change the stack
 */
#define SECMALLOC_STACK_DEFAULT 65536u
#define SECMALLOC_STACK_MIN 16384u
#define SECMALLOC_STACK_MAX 16777216u
int secmalloc_call(void (*fn)(void *), void *arg,
		   size_t size) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_usable_size - the size that was asked for, to the byte
 * 0 for NULL; 0 with errno EINVAL for what is not the start of a live object.
 */
size_t secmalloc_usable_size(const void *p);

/*
 * secmalloc_owns - 1 if p points into a live object of ours, else 0
 * Any pointer value may be asked about.  The bytes in use of the segment count;
 * and what is from before a fork or shutdown, until it is freed.
 */
int secmalloc_owns(const void *p);

/*
 * secmalloc_wipe - write zeros that no compiler leaves out
 * For any memory, not only ours.  Async-signal-safe.
 */
void secmalloc_wipe(void *p, size_t size);

/*
 * secmalloc_equal - 1 if the size bytes at a and b are the same, else 0
 * Takes the same time wherever they differ.  Async-signal-safe.
 */
int secmalloc_equal(const void *a, const void *b,
		    size_t size) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_random - fill with secret random bytes from the system
 * For any memory.  Returns 0, or -1 with errno EIO: then none of the buffer's
 * bytes may be used.
 */
int secmalloc_random(void *p, size_t size) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_heap_create and the others - heaps of your own
 *
 * A heap has a configuration of its own: what is needed, how much is kept, and
 * max_bytes as its budget.  Its objects share no page, key and address space
 * with those of other heaps, and secmalloc_heap_destroy() wipes and unmaps all
 * of them at once.  Where a heap is asked for NULL is the default one.
 *
 * All that takes an object works whatever heap it is from: secfree(),
 * secrealloc() (which stays in its heap), secmalloc_protect() and the rest.
 *
 *   create    config as that of secmalloc_init(); NULL: the defaults.  Its cache,
 *             quarantine, log_level, log, log_arg and SECMALLOC_NO_CACHES have no
 *             effect: threads keep nothing of such a heap, and lines are told as
 *             those of the default heap are.  NULL with the errors of
 *             secmalloc_init(); EPERM also after secmalloc_shutdown()
 *   destroy   wipes and frees every object: a use of one faults afterwards, and
 *             its secfree() is a double free.  No other thread may use the heap
 *             or its objects meanwhile, or be inside a scope of it: it would
 *             have access to the next heap that gets the same protection key.
 *             NULL: does nothing
 *   malloc, calloc, guarded, aligned
 *             as secmalloc(), seccalloc(), secmalloc_guarded(),
 *             secmalloc_aligned().  Each takes the lock of all heaps
 *   owns      as secmalloc_owns(), but 1 only for objects of that heap
 *   stats, report
 *             as secmalloc_stats() and secmalloc_report(), which sum up all
 *             heaps, for one of them
 *
 * Using a heap that was destroyed ends the process, unless another one was
 * created since: then it may be that one.  In a child a heap is empty, and made
 * ready again by the first allocation, with what it was created with.
 * secmalloc_shutdown() empties all heaps for good: they can only be destroyed.
 */
typedef struct secmalloc_heap secmalloc_heap;
struct secmalloc_stats;
struct secmalloc_report;
secmalloc_heap *secmalloc_heap_create(const struct secmalloc_config *config)
	SECMALLOC_ATTR_CHECK;
void secmalloc_heap_destroy(secmalloc_heap *heap);
void *secmalloc_heap_malloc(secmalloc_heap *heap,
			    size_t size) SECMALLOC_ATTR_MALLOC;
void *secmalloc_heap_calloc(secmalloc_heap *heap, size_t count,
			    size_t size) SECMALLOC_ATTR_MALLOC;
void *secmalloc_heap_guarded(secmalloc_heap *heap,
			     size_t size) SECMALLOC_ATTR_MALLOC;
void *secmalloc_heap_aligned(secmalloc_heap *heap, size_t align,
			     size_t size) SECMALLOC_ATTR_MALLOC;
int secmalloc_heap_owns(secmalloc_heap *heap, const void *p);
int secmalloc_heap_stats(secmalloc_heap *heap,
			 struct secmalloc_stats *stats) SECMALLOC_ATTR_CHECK;
int secmalloc_heap_report(secmalloc_heap *heap,
			  struct secmalloc_report *report) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_begin, secmalloc_end - an access scope of one object
 * secmalloc_heap_begin, secmalloc_heap_end - of all objects of a heap
 *
 * Objects of a heap that was created with SECMALLOC_ACCESS_SCOPES can be touched
 * inside of access scopes only: between begin and the end that belongs to it.
 * Elsewhere reading and writing is SIGSEGV, and EFAULT in a system call.  access
 * is SECMALLOC_READONLY or SECMALLOC_READWRITE, the same for both; scopes can be
 * nested and overlap, and what holds is the most that one of them allows.
 *
 * Where the processor has protection keys (x86: PKU) and one of its 15 is free,
 * such a heap gets one.  Then
 *  - a scope is that of the calling thread alone;
 *  - that of an object is one of all objects of the heap;
 *  - secmalloc_heap_begin() and _end() make no system call and take no lock;
 *  - a signal handler starts without access, even inside a scope;
 *  - a thread that is made inside a scope has its maker's access, until it calls
 *    a function that takes the lock (allocates in a heap, or begins and ends a
 *    scope of its own): x86 has it so.
 * Else mprotect(2) closes the pages: a scope holds for all threads and handlers,
 * and that of a small object for its neighbours on the same pages.
 * secmalloc_heap_report() says which of them it is (access), and why.
 *
 * secmalloc_begin() also works for guarded objects of other heaps, which are at
 * rest what secmalloc_protect() made of them.
 *
 * This library has access at any time: allocating, freeing and resizing need no
 * scope.  Neither stops code in the process that opens what it likes, nor the
 * kernel: /proc/self/mem and process_vm_readv(2) ignore keys, and io_uring may.
 *
 * A child of fork(2) starts without access; scopes that were open when it was
 * made may be ended there, to no effect.
 *
 * begin returns 0, or -1 with errno, and nothing changed:
 *   EINVAL  no such object or heap (NULL and heaps without scopes included), or
 *           another access
 *   ENOMEM  the kernel cannot change mappings any further, or an object from
 *           before a fork or shutdown has no pages
 *   EPERM   a child that was made without fork handlers; secmalloc_heap_begin()
 *           with a key does not notice, and what is touched there faults or
 *           reads zeros
 * end keeps errno, and ends the process if no such scope is open.  So does
 * freeing or moving an object inside a scope of it.
 */
int secmalloc_begin(const void *p, int access) SECMALLOC_ATTR_CHECK;
void secmalloc_end(const void *p, int access);
int secmalloc_heap_begin(secmalloc_heap *heap, int access) SECMALLOC_ATTR_CHECK;
void secmalloc_heap_end(secmalloc_heap *heap, int access);

/*
 * SECMALLOC_SCOPE(name, p, access) - a scope of an object, up to the end of the
 * block; SECMALLOC_HEAP_SCOPE(name, heap, access) - of a heap
 * secmalloc_scope_end - what they have the compiler call there
 *
 * For GCC and clang.  They declare a variable; the scope ends however the block
 * is left, except by longjmp(3).  begun says whether it was begun, else errno
 * says why not:
 *
 *	SECMALLOC_SCOPE(scope, key, SECMALLOC_READONLY);
 *	if (!scope.begun)
 *		return -1;
 */
struct secmalloc_scope {
	int begun;
	int access;
	const void *p; /* NULL: it is of the heap */
	secmalloc_heap *heap;
};
void secmalloc_scope_end(struct secmalloc_scope *scope);
#if defined(__GNUC__) || defined(__clang__)
#define SECMALLOC_SCOPE_(name, begun, access, p, heap)          \
	struct secmalloc_scope name __attribute__((__unused__,  \
		__cleanup__(secmalloc_scope_end))) = { begun, access, p, heap }
#define SECMALLOC_SCOPE(name, p, access) \
	SECMALLOC_SCOPE_(name, secmalloc_begin(p, access) == 0, access, p, 0)
#define SECMALLOC_HEAP_SCOPE(name, heap, access)                        \
	SECMALLOC_SCOPE_(name, secmalloc_heap_begin(heap, access) == 0, \
			 access, 0, heap)
#endif

/*
 * secmalloc_shutdown - wipe every object and give all memory back
 *
 * Pointers into the heap fault afterwards, except that secfree() of them still
 * does nothing; the address space of what was not freed stays taken, which
 * matters to programs that shut down and start again many times.  Allocation
 * fails with EPERM until secmalloc_init() is called again.  No other thread may
 * use an object meanwhile, and no scope may be open: the end of one that began
 * before is fatal, as of one that was never begun.
 */
void secmalloc_shutdown(void);

/*
 * secmalloc_harden - make the whole process a harder target
 *
 * Tries each bit of want; *got (unless NULL) says which were obtained.  Cannot
 * be undone.  Returns 0 if all were, else -1 with errno ENOTSUP, or EINVAL for
 * an unknown bit, and then nothing was done.
 */
#define SECMALLOC_HARDEN_NO_CORE 0x01u /* core limit 0, soft and hard; the linux
					  backend 1, as 0 does not keep the kernel from
					  dumping to a program */
#define SECMALLOC_HARDEN_NOT_DUMPABLE \
	0x02u				    /* other processes of the same user
					       cannot trace or read it */
#define SECMALLOC_HARDEN_NO_NEW_PRIVS 0x04u /* exec never gains privileges */
#define SECMALLOC_HARDEN_NO_WRITE_EXEC \
	0x08u /* no new pages are writable and executable, and none become
		 executable: here, in children, and after exec */
#define SECMALLOC_HARDEN_NO_TRACE \
	0x10u /* nobody traces it, nor can begin to without privilege; on
		 Linux had only together with NOT_DUMPABLE, or after it */
int secmalloc_harden(unsigned want, unsigned *got) SECMALLOC_ATTR_CHECK;

/* secmalloc_version - the library's version, "major.minor.patch" */
const char *secmalloc_version(void);

/*
 * The report: what was really obtained, and why not more.
 *
 * One entry for each tier, best first.  Bytes count whole pages.  confirmed is
 * what the kernel itself, asked when the report was made, agreed to; it is
 * equal to mapped when all is well.
 */
enum secmalloc_tier {
	SECMALLOC_TIER_SECRET,	/* memfd_secret: hidden, locked, not dumped */
	SECMALLOC_TIER_LOCKED,	/* ordinary memory: locked, not dumped */
	SECMALLOC_TIER_PARTIAL, /* some protections, but not both of these */
	SECMALLOC_TIERS
};

struct secmalloc_tier_report {
	unsigned protections; /* every byte of this tier has these */
	size_t mapped;	      /* bytes taken from the system */
	size_t confirmed;     /* of them, seen by the kernel as promised */
};

/* Why not more than was obtained: the last refusal that mattered. */
enum secmalloc_reason {
	SECMALLOC_REASON_NONE,	  /* nothing was refused */
	SECMALLOC_REASON_BACKEND, /* not offered by the system, or by this build */
	SECMALLOC_REASON_KERNEL, /* the kernel has no memfd_secret, or it is off */
	SECMALLOC_REASON_FORBIDDEN,   /* a security policy (seccomp) said no */
	SECMALLOC_REASON_HIBERNATION, /* hibernation is set up on this machine */
	SECMALLOC_REASON_LOCK_LIMIT,  /* RLIMIT_MEMLOCK is used up */
	SECMALLOC_REASON_DESCRIPTORS, /* no file descriptor was free */
	SECMALLOC_REASON_MAPPINGS,    /* no memory or too many mappings */
	SECMALLOC_REASON_MAX_BYTES,   /* max_bytes of the configuration */
	SECMALLOC_REASON_UNVERIFIED /* madvise() accepts nonsense: an emulator */
};

/* What closes the objects of a heap outside of access scopes. */
#define SECMALLOC_BY_NOTHING 0 /* they are open */
#define SECMALLOC_BY_KEY 1     /* a protection key, thread by thread */
#define SECMALLOC_BY_PAGES 2   /* mprotect(2), for the whole process */

struct secmalloc_report {
	size_t size; /* set by the caller: sizeof(struct secmalloc_report) */
	const char *backend; /* "linux" or "fallback" */
	unsigned need;	     /* protections the program insists on */
	struct secmalloc_tier_report tier[SECMALLOC_TIERS];
	int verified; /* 1: confirmed was filled by asking the kernel */
	enum secmalloc_reason reason; /* why not more */
	int reason_errno; /* what the kernel answered, 0 if it was not asked */
	size_t pools;	  /* mappings that objects' pages come from */
	size_t objects;	  /* live objects */
	size_t bytes;	  /* bytes asked for in them */
	size_t lock_limit; /* RLIMIT_MEMLOCK now, soft; SIZE_MAX: none or unknown */
	size_t lock_limit_max; /* and hard */
	size_t refused;	       /* allocations that failed */
	size_t degraded;  /* times that memory came from a lower tier than this
			    machine has, for want of quota or for other reasons */
	int access;	  /* SECMALLOC_BY_*; of all heaps: the default one's */
	int access_errno; /* why not by a key: ENOTSUP there are none, ENOSPC
			     all are taken, 0 it is or none was wanted */
	size_t metadata; /* bytes of the allocator's own records, of all heaps */
	size_t sealed;	 /* of them, what nobody can unmap, replace or open any
			    more, by system calls of this process either */
};

/*
 * secmalloc_report - fill *report; sets the allocator up if need be
 *
 * Where it cannot be set up the report says why, and that nothing is mapped.
 * Returns 0, or -1 with errno:
 *   EINVAL  report->size is not that of this or an earlier release
 *   EPERM   secmalloc_shutdown() was called, or this is a child that was made
 *           without fork handlers
 */
int secmalloc_report(struct secmalloc_report *report) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_report_text, secmalloc_report_json - the report as a string
 *
 * As snprintf(3): write at most size bytes with the final zero, return the
 * length of the whole text, or -1 with errno as secmalloc_report().  The JSON
 * keys are listed in secmalloc_report(3) and only ever added to.
 */
int secmalloc_report_text(char *buffer, size_t size) SECMALLOC_ATTR_CHECK;
int secmalloc_report_json(char *buffer, size_t size) SECMALLOC_ATTR_CHECK;

/*
 * Out-of-memory handlers: asked before an allocation gives up.
 *
 * A handler that made room (freed something, raised a limit) returns 1, and
 * the allocation is tried again; 0 passes the question on, from the thread's
 * handler to the process's and then to the caller as NULL.  Handlers are
 * called without a lock held and may allocate, free or end the process, but
 * must not leave by longjmp(3) or an exception, nor free or resize an object
 * that its thread just resizes; inside a handler an allocation that fails asks
 * no handler.  None is asked by secmalloc_try(), secmalloc_resize(),
 * secmalloc_split() and secmalloc_sbrk().
 */
struct secmalloc_oom {
	size_t size;		      /* bytes that were asked for */
	int error;		      /* errno that NULL would come with */
	enum secmalloc_reason reason; /* what was refused */
};
typedef int secmalloc_oom_handler(const struct secmalloc_oom *oom, void *arg);

/* NULL: none any more.  The second is for the calling thread alone; returns 0,
 * or -1 with errno ENOMEM, ENOTSUP or EPERM. */
void secmalloc_set_oom_handler(secmalloc_oom_handler *handler, void *arg);
int secmalloc_set_thread_oom_handler(secmalloc_oom_handler *handler,
				     void *arg) SECMALLOC_ATTR_CHECK;

/*
 * Statistics: what the allocator does with the memory it has.
 *
 * Counted when asked, while other threads that allocate or free wait.
 */
#define SECMALLOC_CLASSES 37 /* sizes of slots that small objects share */

struct secmalloc_class_stats {
	size_t slot;	    /* bytes in each of its slots */
	size_t slots;	    /* slots that have memory */
	size_t live;	    /* of them, with an object */
	size_t cached;	    /* of them, empty in a thread's cache */
	size_t allocations; /* objects ever handed out; in a child, there */
};

struct secmalloc_stats {
	size_t size;	    /* set by the caller: sizeof(this) */
	size_t objects;	    /* live objects */
	size_t bytes;	    /* bytes asked for in them */
	size_t large;	    /* of the objects: with pages of their own */
	size_t guarded;	    /* of the objects: guarded, sampled ones included */
	size_t allocations; /* objects ever handed out; in a child, there */
	size_t sampled;	    /* of them, made guarded by chance */
	size_t refused;	    /* allocations that failed */
	size_t mapped;	    /* bytes taken from the system */
	size_t peak;	    /* most of them so far */
	size_t cached;	    /* bytes in empty slots of threads' caches */
	size_t waiting;	    /* bytes of emptied pages kept for reuse */
	size_t threads;	    /* threads that have a cache */
	size_t slabs;	    /* groups of slots that have memory */
	struct secmalloc_class_stats classes[SECMALLOC_CLASSES];
};

/*
 * secmalloc_stats - fill *stats; sets nothing up
 * Returns 0, or -1 with errno EINVAL (wrong stats->size) or EPERM (a child that
 * was made without fork handlers).
 */
int secmalloc_stats(struct secmalloc_stats *stats) SECMALLOC_ATTR_CHECK;

/* The same as a string, as secmalloc_report_json(). */
int secmalloc_stats_json(char *buffer, size_t size) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_picture - draw the heap, as secmalloc_report_text()
 *
 * A line for each slab, "48 x 341 at 0x7f...[16384] xx_x__|": x is a slot with
 * an object, _ an empty one, c one in a thread's cache, and | stands after the
 * last slot that has memory; long slabs are drawn in groups of slots.  Large
 * and guarded objects have lines of their own, address[size].  Never any
 * contents.  -1 with errno EPERM (as above), or ENOMEM if it is longer than
 * INT_MAX.
 */
int secmalloc_picture(char *buffer, size_t size) SECMALLOC_ATTR_CHECK;

/* What holds for one object. */
struct secmalloc_object {
	size_t size; /* set by the caller: sizeof(struct secmalloc_object) */
	const void *start;    /* where it begins */
	size_t bytes;	      /* asked for */
	secmalloc_heap *heap; /* that it belongs to; NULL: the default one */
	enum secmalloc_tier tier;
	unsigned protections; /* SECMALLOC_LOCKED and so on: obtained */
	unsigned confirmed;   /* what the kernel says all of it has now */
	int verified;	      /* 1: the kernel was asked */
	int guarded; /* 1: alone, between inaccessible pages, its last byte at
			the second (to 15 bytes) */
	int access;  /* of the calling thread, now: SECMALLOC_NOACCESS,
		       SECMALLOC_READONLY or SECMALLOC_READWRITE */
	int dead;    /* 1: it is from before a fork or shutdown and reads as
		     zeros, or not at all */
	unsigned child; /* SECMALLOC_CHILD_*: what fork(2) gives a child of
			   it; what the kernel does is in protections */
};

/*
 * secmalloc_report_object - fill *object for the object that p points into
 *
 * Takes time in proportion to the number of mappings of the process.
 * Returns 0, or -1 with errno:
 *   EINVAL  object->size is not that of this or an earlier release, or p does
 *           not point into an object (the segment of secmalloc_sbrk() is none)
 *   EPERM   this is a child that was made without fork handlers
 */
int secmalloc_report_object(const void *p, struct secmalloc_object *object)
	SECMALLOC_ATTR_CHECK;

/* secmalloc_reason_string - one short English phrase; never NULL */
const char *secmalloc_reason_string(enum secmalloc_reason reason);

/*
 * What this machine can do for secrets: one fact at a time, for programs that
 * diagnose.  Asks the system anew at each call and allocates nothing.
 */
#define SECMALLOC_FACT_GOOD 0	  /* as good as it gets */
#define SECMALLOC_FACT_DEGRADED 1 /* works, but could be better */
#define SECMALLOC_FACT_MISSING 2  /* not to be had here */

struct secmalloc_fact {
	size_t size;	  /* set by the caller: sizeof(struct secmalloc_fact) */
	const char *name; /* stable key, "memfd_secret" */
	int status;	  /* SECMALLOC_FACT_* */
	char value[80];	  /* what was found */
	const char *advice; /* what to change, or NULL */
};

/*
 * secmalloc_fact - fact number n, counted from 0
 * Returns 0, or -1 with errno ENOENT past the last one, EINVAL for a wrong
 * fact->size.
 */
int secmalloc_fact(unsigned n,
		   struct secmalloc_fact *fact) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_buf - a secret of a fixed length that can always be read
 *
 * The handle is the object: secmalloc_buf_data() is the same address, aligned
 * to 16 bytes, and there is no second structure that could be overwritten.  So
 * what holds for objects holds for buffers; only do not resize or split them.
 * heap is where the buffer is made, NULL: the default heap; one with access
 * scopes is refused (EINVAL): that is for secmalloc_key.
 *
 *   new       zeros
 *   from      a copy of bytes, which stay as they are
 *   take      a copy of bytes, which are wiped then; not after a failure
 *   random    random bytes of the system
 *   concat    the bytes of a, and then those of b
 *   clone     the same once more
 *   from_hex  what length hexadecimal digits stand for, of either case
 *   to_hex    lower-case digits and a zero byte: a string, for secfree()
 *   data      the bytes; may be written to, by one thread at a time
 *   size      how many there are; 0 for NULL
 *   equal     1 if both have the same bytes, else 0; NULL equals nothing.  The
 *             time tells whether the lengths differ, not where the bytes do
 *   equal_bytes  the same for a buffer and any memory
 *   free      wipes and frees; NULL: does nothing
 *
 * secmalloc_to_hex() and secmalloc_from_hex() do the same for any memory: into
 * room bytes, of which digits and their zero take 2 * size + 1, and the bytes
 * length / 2.  Input and output must not overlap.  The time of all four depends
 * on lengths alone, and on whether all of hex are digits.
 *
 * NULL or -1 with errno:
 *   EINVAL  NULL for bytes, a, b, buf or hex where there is something to read;
 *           a heap with access scopes; not hexadecimal, or an odd length; room
 *           is too small.  What was written of the output is wiped
 *   EIO     random: the system has no random bytes
 *   EPERM   concat, clone, to_hex: the buffer is from before a fork or
 *           shutdown, and its zeros are not the secret that it was (such a one
 *           equals nothing, itself included); else as secmalloc()
 *   ENOMEM ENOTSUP  as secmalloc()
 * What is not a live object ends the process, except in data.
 */
typedef struct secmalloc_buf secmalloc_buf;
secmalloc_buf *secmalloc_buf_new(secmalloc_heap *heap,
				 size_t size) SECMALLOC_ATTR_MALLOC;
secmalloc_buf *secmalloc_buf_from(secmalloc_heap *heap, const void *bytes,
				  size_t size) SECMALLOC_ATTR_MALLOC;
secmalloc_buf *secmalloc_buf_take(secmalloc_heap *heap, void *bytes,
				  size_t size) SECMALLOC_ATTR_MALLOC;
secmalloc_buf *secmalloc_buf_random(secmalloc_heap *heap,
				    size_t size) SECMALLOC_ATTR_MALLOC;
secmalloc_buf *secmalloc_buf_concat(
	secmalloc_heap *heap, const secmalloc_buf *a,
	const secmalloc_buf *b) SECMALLOC_ATTR_MALLOC;
secmalloc_buf *secmalloc_buf_clone(
	secmalloc_heap *heap, const secmalloc_buf *buf) SECMALLOC_ATTR_MALLOC;
secmalloc_buf *secmalloc_buf_from_hex(secmalloc_heap *heap, const char *hex,
				      size_t length) SECMALLOC_ATTR_MALLOC;
char *secmalloc_buf_to_hex(secmalloc_heap *heap,
			   const secmalloc_buf *buf) SECMALLOC_ATTR_MALLOC;
void *secmalloc_buf_data(const secmalloc_buf *buf);
size_t secmalloc_buf_size(const secmalloc_buf *buf);
int secmalloc_buf_equal(const secmalloc_buf *a,
			const secmalloc_buf *b) SECMALLOC_ATTR_CHECK;
int secmalloc_buf_equal_bytes(const secmalloc_buf *buf, const void *bytes,
			      size_t size) SECMALLOC_ATTR_CHECK;
void secmalloc_buf_free(secmalloc_buf *buf);
int secmalloc_to_hex(char *hex, size_t room, const void *bytes,
		     size_t size) SECMALLOC_ATTR_CHECK;
int secmalloc_from_hex(void *bytes, size_t room, const char *hex,
		       size_t length) SECMALLOC_ATTR_CHECK;

/*
 * secmalloc_key - a secret that nobody can touch outside of scopes
 *
 * Reading and writing happen between read and read_end, write and write_end; at
 * any other time a touch is SIGSEGV, and EFAULT in a system call.  Many threads
 * may read a key at once; one that writes is alone.  heap is where the key is
 * made: a heap with access scopes (else EINVAL), or NULL for one that the
 * library makes for all keys, with the configuration of the default heap.
 * Small keys share pages, so see secmalloc_begin() for what else is open inside
 * a scope: with a protection key all keys of the heap, for this thread; else
 * those on the same pages, for all threads.
 *
 *   from        a copy of bytes, which stay as they are
 *   take        a copy of bytes, which are wiped then; not after a failure
 *   random      random bytes of the system
 *   from_buf    the bytes of buf, which is freed then; not after a failure
 *   to_buf      a buffer with the bytes of the key, in that heap
 *   clone       the same once more
 *   size        how many bytes there are; 0 for NULL
 *   equal       1 if both have the same bytes, else 0; also when it cannot be
 *               found out, and errno is set then.  The time tells whether the
 *               lengths differ, not where the bytes do
 *   read        begins a scope to read, and returns the bytes.  Waits while
 *               another thread writes, or waits to write; not for the latter if
 *               this thread has a scope of some key already
 *   write       begins a scope to write.  Waits while others read or write
 *   try_read, try_write  as these, but NULL with EBUSY rather than wait
 *   read_end, write_end  end the thread's latest scope of the key of that kind
 *   free        wipes and frees; NULL: does nothing
 *
 * A thread may read what it reads already, once more; each read needs its end.
 * to_buf, clone and equal have scopes of their own, to read.  A thread that ends
 * has its scopes ended.  Waiting cannot be cancelled.
 *
 * The process ends if a thread would wait for itself (write in a scope of the
 * same key, read in one to write), at an end that was not begun by this thread,
 * at a free while any thread has or waits for a scope, and for what is not a
 * live object.
 *
 * fork     a child starts without scopes.  Those that the forking thread had it
 *          may end, to no effect; others are gone.  Keys that it gets no copy of
 *          are not readable (EPERM), and can only be freed.  One that another
 *          thread was writing just then is not readable before it is written.
 *          Nothing waits in fork handlers between those of the library: EBUSY
 * signals  not in handlers.  With protection keys a handler has no part in the
 *          scopes of the thread that it interrupts
 *
 * NULL, 0 for equal, with errno:
 *   EINVAL  NULL for bytes, buf or a key; what is no key; a heap with (to_buf) or
 *           without (all others) access scopes
 *   EBUSY   try_read, try_write: see above
 *   EIO     random: the system has no random bytes
 *   EPERM   the key or buf is from before a fork or shutdown, or the key was
 *           being written when this child was made; else as secmalloc()
 *   ENOMEM ENOTSUP  as secmalloc(); ENOMEM of read and write also when the
 *           kernel cannot change mappings any further
 */
typedef struct secmalloc_key secmalloc_key;
secmalloc_key *secmalloc_key_from(secmalloc_heap *heap, const void *bytes,
				  size_t size) SECMALLOC_ATTR_MALLOC;
secmalloc_key *secmalloc_key_take(secmalloc_heap *heap, void *bytes,
				  size_t size) SECMALLOC_ATTR_MALLOC;
secmalloc_key *secmalloc_key_random(secmalloc_heap *heap,
				    size_t size) SECMALLOC_ATTR_MALLOC;
secmalloc_key *secmalloc_key_from_buf(secmalloc_heap *heap,
				      secmalloc_buf *buf) SECMALLOC_ATTR_MALLOC;
secmalloc_buf *secmalloc_key_to_buf(
	secmalloc_heap *heap, const secmalloc_key *key) SECMALLOC_ATTR_MALLOC;
secmalloc_key *secmalloc_key_clone(
	secmalloc_heap *heap, const secmalloc_key *key) SECMALLOC_ATTR_MALLOC;
size_t secmalloc_key_size(const secmalloc_key *key);
int secmalloc_key_equal(const secmalloc_key *a,
			const secmalloc_key *b) SECMALLOC_ATTR_CHECK;
const void *secmalloc_key_read(const secmalloc_key *key) SECMALLOC_ATTR_CHECK;
const void *secmalloc_key_try_read(const secmalloc_key *key)
	SECMALLOC_ATTR_CHECK;
void *secmalloc_key_write(secmalloc_key *key) SECMALLOC_ATTR_CHECK;
void *secmalloc_key_try_write(secmalloc_key *key) SECMALLOC_ATTR_CHECK;
void secmalloc_key_read_end(const secmalloc_key *key);
void secmalloc_key_write_end(secmalloc_key *key);
void secmalloc_key_free(secmalloc_key *key);

/*
 * SECMALLOC_KEY_READ(name, key), SECMALLOC_KEY_WRITE(name, key)
 *
 * Declare a pointer of that name to the bytes of key, or NULL, by GCC and clang
 * only.  The scope ends with the block, however that is left, except by
 * longjmp(3); at the end of the thread where the C library unwinds for that and
 * the program has -fexceptions.  The two functions are for them:
 * variable points to any pointer to the bytes of a key that is read or written,
 * or NULL.
 */
void secmalloc_key_read_cleanup(void *variable);
void secmalloc_key_write_cleanup(void *variable);
#if defined(__GNUC__) || defined(__clang__)
#define SECMALLOC_KEY_READ(name, key)                                   \
	const void *name __attribute__((__unused__,                     \
		__cleanup__(secmalloc_key_read_cleanup))) =             \
			secmalloc_key_read(key)
#define SECMALLOC_KEY_WRITE(name, key)                                  \
	void *name __attribute__((__unused__,                           \
		__cleanup__(secmalloc_key_write_cleanup))) =            \
			secmalloc_key_write(key)
#endif

#ifdef __cplusplus
}
#endif

#endif /* SECMALLOC_H */
