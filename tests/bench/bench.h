/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what the files of tests/bench/bench share
 *
 * The program measures the same loops over secmalloc and over every peer that
 * this machine has.  A pair of workload and peer is a cell.  Each cell is
 * measured in a process of its own, the worker: the program starts itself
 * again, for some peers with another malloc in LD_PRELOAD, and talks to it
 * over two pipes.  The parent, the driver, measures nothing itself; it sees to
 * it that one worker runs at a time, and in which order.
 *
 *	main.c		options
 *	drive.c		driver: workers, rounds
 *	child.c		driver: one worker process
 *	worker.c	worker: one cell
 *	peer*.c		what is measured
 *	work*.c		with what it is measured
 *	result.c	medians, ratios, targets
 *	out_*.c		tables and the plot
 *
 * doc/performance.md is the manual.
 */
#ifndef BENCH_H
#define BENCH_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct bench_run;

/* ---- peers ------------------------------------------------------------- */

/*
 * Functions that a peer does not have are NULL.  release() and resize() get
 * the size because those that wipe by hand need it.
 */
struct bench_peer {
	const char *name;
	const char *what;    /* a line for --list */
	const char *library; /* sonames, blanks between: dlopen, or NULL */
	const char *preload; /* sonames for LD_PRELOAD, or NULL */
	const char *symbol;  /* that only the preloaded library has */
	int locks;	     /* promises memory that is never swapped out */
	int a_page_each;     /* locks each object by itself, and hands it out
				 whether that worked or not */
	int (*load)(void *library);   /* find the functions: 0 or -1 */
	const char *(*start)(size_t); /* arena of so many bytes; why not */
	void (*version)(char *text, size_t size);
	void *(*alloc)(size_t size);
	void *(*zalloc)(size_t size);
	void *(*resize)(void *p, size_t old, size_t size);
	void (*release)(void *p, size_t size);
	void *(*guarded)(size_t size);
	void (*guarded_release)(void *p);
	int (*rest)(void *p); /* once, before the first; NULL: close() */
	int (*open)(void *p);
	int (*close)(void *p);
};

extern const struct bench_peer *const bench_peers[]; /* ends with NULL */

enum { BENCH_SECMALLOC, BENCH_REFERENCE, BENCH_PEERS = 9 };

int bench_find_peer(const char *name); /* -1: none */

/* Finds the peer's library in this process, and its functions: NULL or why
 * not. */
const char *bench_load_peer(const struct bench_peer *peer);

extern const struct bench_peer bench_secmalloc, bench_malloc, bench_wiping,
	bench_jemalloc, bench_mimalloc, bench_hardened, bench_sodium,
	bench_openssl, bench_gcrypt;

/* ---- workloads --------------------------------------------------------- */

enum bench_kind {
	BENCH_CPU,   /* CPU time of the process for each operation */
	BENCH_WALL,  /* time on the wall: several threads */
	BENCH_COUNT, /* objects, counted once */
	BENCH_START  /* time on the wall, in a new process each time */
};

struct bench_work {
	const char *name;
	const char *what; /* a line for --list */
	const char *group;
	enum bench_kind kind;
	size_t size;  /* bytes in an object, 0: 16 to 256 */
	size_t count; /* live objects, of each thread */
	size_t threads;
	void (*before)(void);		     /* before the peer starts */
	int (*setup)(struct bench_run *run); /* 0, or -1 and run->why */
	/* Nanoseconds that so many units took (objects, if they are counted);
	 * 0 and run->why if something failed. */
	double (*measure)(struct bench_run *run, size_t units);
	void (*end)(struct bench_run *run); /* NULL: nothing is left behind */
};

extern const struct bench_work bench_works[];
extern const size_t bench_work_count;

enum { BENCH_WORKS_MAX = 48 };

/* How a note to a count begins that could be larger. */
#define BENCH_AT_LEAST "at least"

int bench_find_work(const char *name); /* -1: none */

struct bench_object {
	unsigned char *p;
	size_t size;
};

/* A worker's state: one workload on one peer. */
struct bench_run {
	const struct bench_peer *peer;
	const struct bench_work *work;
	size_t per_unit; /* operations */
	double limit;	 /* seconds that setting up may take */
	uint64_t random;
	struct bench_object *live; /* work->count of them */
	size_t bytes;		   /* asked for in them */
	void *more;		   /* what else the workload needs */
	char why[128];		   /* why it cannot be measured */
};

/* Both say why: the one returns -1, the other 0. */
int bench_cannot(struct bench_run *run, const char *why);
double bench_failed(struct bench_run *run, const char *why);

/* Allocates and writes live[0 .. n): 0, or -1 and why. */
int bench_fill(struct bench_run *run, struct bench_object *live, size_t n,
	       uint64_t *random);

/* Replaces n of the objects by others; -1 if there is no memory. */
int bench_replace(const struct bench_run *run, struct bench_object *live,
		  size_t n, uint64_t *random);

int bench_setup_replace(struct bench_run *run);
int bench_setup_pair(struct bench_run *run);
int bench_setup_guarded(struct bench_run *run);
int bench_setup_scope(struct bench_run *run);
int bench_setup_realloc(struct bench_run *run);
int bench_setup_tls(struct bench_run *run);
int bench_setup_connect(struct bench_run *run);
int bench_setup_threads(struct bench_run *run);
int bench_setup_prodcons(struct bench_run *run);
int bench_setup_larson(struct bench_run *run);
int bench_setup_capacity(struct bench_run *run);
int bench_setup_files(struct bench_run *run);
double bench_do_pair(struct bench_run *run, size_t units);
double bench_do_calloc(struct bench_run *run, size_t units);
double bench_do_guarded(struct bench_run *run, size_t units);
double bench_do_scope(struct bench_run *run, size_t units);
double bench_do_replace(struct bench_run *run, size_t units);
double bench_do_realloc(struct bench_run *run, size_t units);
double bench_do_tls(struct bench_run *run, size_t units);
double bench_do_connect(struct bench_run *run, size_t units);
double bench_do_threads(struct bench_run *run, size_t units);
double bench_do_capacity(struct bench_run *run, size_t units);
double bench_do_files(struct bench_run *run, size_t units);
void bench_end_files(struct bench_run *run);
void bench_before_capacity(void);

/* How files are loaded: the count of that workload. */
enum { BENCH_MANY = 1, BENCH_WARM = 2 };

/* ---- the worker and its driver ----------------------------------------- */

enum { BENCH_ROUNDS_MAX = 200 };

struct bench_options {
	int rounds;
	double cell;  /* seconds for each cell in each round */
	double limit; /* seconds for setting up a cell */
	const char *only, *peer;
	const char *csv, *svg, *markdown, *text;
};

struct bench_cell {
	int asked;			 /* 0: not wanted in this run */
	int rounds;			 /* samples; 0: could not be measured */
	double sample[BENCH_ROUNDS_MAX]; /* for each operation */
	double median, least, most;
	size_t units;	/* in a round */
	int unlocked;	/* some of its objects are not locked */
	char tier[48];	/* of secmalloc */
	char note[128]; /* why not, or what to know about it */
};

extern struct bench_cell bench_cells[BENCH_WORKS_MAX][BENCH_PEERS];
extern char bench_versions[BENCH_PEERS][64]; /* "": not on this machine */

/* The worker's main(); work is NULL where only the peer is asked about. */
int bench_worker(const char *peer, const char *work, const char *seconds);

/* The driver's: fills bench_cells. */
int bench_drive(const struct bench_options *options, const char *self);

struct bench_child {
	long pid; /* 0: none */
	int to;
	FILE *from;
};

int bench_child_start(struct bench_child *child, const char *self,
		      const struct bench_peer *peer, const char *preload,
		      const char *work, double limit);
/* Sends question (unless NULL) and waits for a line: 0 or -1 if there is none,
 * and then answer says why. */
int bench_child_ask(struct bench_child *child, const char *question,
		    char *answer, size_t size);
void bench_child_stop(struct bench_child *child);

/* ---- results ----------------------------------------------------------- */

/* A number made from two workloads of the same peer. */
struct bench_derived {
	const char *name;
	const char *over, *under; /* times: over / under */
};

extern const struct bench_derived bench_deriveds[]; /* ends with NULL names */

struct bench_target {
	const char *work;    /* or a derived number's name */
	const char *against; /* a peer: the ratio; NULL: our own number */
	const char *tier;    /* holds for this tier only, or NULL */
	int at_least;	     /* else at most */
	double bound;
};

extern const struct bench_target bench_targets[]; /* ends with work NULL */

enum bench_verdict { BENCH_UNKNOWN, BENCH_OK, BENCH_MISSED };

void bench_summarize(struct bench_cell *cell);
double bench_median(size_t work, int peer); /* 0: none */
double bench_ratio(size_t work, int peer);  /* ours / theirs, 0: none */
double bench_derive(const struct bench_derived *d, int peer); /* 0: none */
double bench_target_value(const struct bench_target *target); /* 0: none */
enum bench_verdict bench_judge(const struct bench_target *target);
int bench_shown(int peer);	   /* has a column */
int bench_work_shown(size_t work); /* has a row */
const char *bench_tier(void);	   /* all that was seen, "memfd_secret" */

/* "12.3", "1/274": as the tables show it.  "-" for 0. */
const char *bench_format(char *text, size_t size, double value);
const char *bench_format_ratio(char *text, size_t size, double ratio);
double bench_shown_value(size_t work, double value); /* in the row's unit */
const char *bench_unit(size_t work);

/* A cell's number and ratio as text, "-" where there is none. */
void bench_format_cell(size_t work, int peer, char *value, char *ratio,
		       size_t size);

void bench_out_text(FILE *to, const struct bench_options *options);
void bench_out_csv(FILE *to);
void bench_out_svg(FILE *to);
void bench_out_markdown(FILE *to, const struct bench_options *options);
void bench_out_targets(FILE *to, int markdown);
void bench_out_warnings(FILE *to, const char *before);

/* The machine, one "name: value" a call; 0 after the last. */
void bench_note_load(void);
int bench_machine(int line, char *name, char *value, size_t size);

/* Notes below a table, known by letters: a cell's, 0 if it has none. */
enum { BENCH_NOTES = 26 };

struct bench_notes {
	int count;
	const char *text[BENCH_NOTES];
};

int bench_note(struct bench_notes *notes, size_t work, int peer);

/* ---- small things ------------------------------------------------------ */

double bench_cpu(void);	 /* nanoseconds */
double bench_wall(void); /* nanoseconds */
long bench_locked(void); /* KiB that this process has locked, -1: unknown */
void bench_wipe(void *p, size_t size);
void bench_init(void); /* finds explicit_bzero, makes bench_sizes */

extern size_t bench_sizes[256]; /* 16 to 256, as many in each doubling */

static inline uint64_t bench_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x;
}

/* An object is really used: all of a small one, both ends of a large one. */
static inline void bench_touch(unsigned char *p, size_t size, size_t value)
{
	if (size <= 256) {
		memset(p, (int)value, size);
	} else {
		p[0] = (unsigned char)value;
		p[size - 1] = (unsigned char)value;
	}
}

#endif
