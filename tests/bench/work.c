/* SPDX-License-Identifier: MIT */
/*
 * work.c - the list of workloads
 *
 * Callers: drive.c, worker.c, main.c, result.c.  The names are stable: scripts
 * compare runs by them.  The order is that of the tables.
 */
#include "bench.h"

#define PAIR(n)                                                          \
	{                                                                \
		.name = "pair-" #n, .group = "one object",               \
		.what = "allocate, write and free " #n " bytes",         \
		.kind = BENCH_CPU, .size = n, .setup = bench_setup_pair, \
		.measure = bench_do_pair                                 \
	}

#define REPLACE(prefix, bytes, n, text)                                   \
	{                                                                 \
		.name = prefix #n, .group = "random replacement",         \
		.what = "replace one of " #n " live objects of " text,    \
		.kind = BENCH_CPU, .size = bytes, .count = n,             \
		.setup = bench_setup_replace, .measure = bench_do_replace \
	}

#define MIXED(n) REPLACE("replace-", 0, n, "16 to 256 bytes")
#define FIXED(n) REPLACE("replace32-", 32, n, "32 bytes")

#define THREADS(n)                                                         \
	{                                                                  \
		.name = "threads-" #n, .group = "threads",                 \
		.what = #n " thread(s), each replaces among 1000 objects", \
		.kind = BENCH_WALL, .count = 1000, .threads = n,           \
		.setup = bench_setup_threads, .measure = bench_do_threads  \
	}

#define FILES(suffix, how, text)                                         \
	{                                                                \
		.name = "files-" suffix, .group = "files", .what = text, \
		.kind = BENCH_WALL, .count = how,                        \
		.setup = bench_setup_files, .measure = bench_do_files,   \
		.end = bench_end_files                                   \
	}

const struct bench_work bench_works[] = {
	PAIR(16),
	PAIR(32),
	PAIR(64),
	PAIR(128),
	PAIR(256),
	PAIR(1024),
	PAIR(4096),
	PAIR(16384),
	PAIR(65536),
	{ .name = "calloc-32",
	  .group = "one object",
	  .what = "as pair-32, but zeroed by the allocator",
	  .kind = BENCH_CPU,
	  .size = 32,
	  .setup = bench_setup_pair,
	  .measure = bench_do_calloc },
	MIXED(100),
	MIXED(1000),
	MIXED(10000),
	MIXED(100000),
	MIXED(1000000),
	FIXED(100),
	FIXED(1000),
	FIXED(10000),
	FIXED(100000),
	FIXED(1000000),
	THREADS(1),
	THREADS(2),
	THREADS(4),
	{ .name = "prodcons",
	  .group = "threads",
	  .what = "one thread allocates 64 bytes, another frees them",
	  .kind = BENCH_WALL,
	  .size = 64,
	  .threads = 2,
	  .setup = bench_setup_prodcons,
	  .measure = bench_do_threads },
	{ .name = "larson-like",
	  .group = "threads",
	  .what = "2 threads hand their objects to each other",
	  .kind = BENCH_WALL,
	  .count = 1000,
	  .threads = 2,
	  .setup = bench_setup_larson,
	  .measure = bench_do_threads },
	{ .name = "realloc",
	  .group = "programs",
	  .what = "grow an object from 16 bytes to 64 KiB in 18 steps",
	  .kind = BENCH_CPU,
	  .setup = bench_setup_realloc,
	  .measure = bench_do_realloc },
	{ .name = "tls-replay",
	  .group = "programs",
	  .what = "3000 objects shaped like a TLS connection (synthetic)",
	  .kind = BENCH_CPU,
	  .setup = bench_setup_tls,
	  .measure = bench_do_tls },
	{ .name = "tls-connect",
	  .group = "programs",
	  .what = "a TLS 1.3 connection, all of libcrypto's memory from here",
	  .kind = BENCH_CPU,
	  .setup = bench_setup_connect,
	  .measure = bench_do_connect },
	FILES("one-cold", 0, "read 10000 key files of 1700 bytes, one by one"),
	FILES("many-cold", BENCH_MANY, "the same in one call"),
	FILES("one-warm", BENCH_WARM,
	      "one by one, and the page cache has them, and keeps them"),
	FILES("many-warm", BENCH_WARM | BENCH_MANY, "the same in one call"),
	{ .name = "guarded-32",
	  .group = "guarded",
	  .what = "allocate, write and free 32 bytes between guard pages",
	  .kind = BENCH_CPU,
	  .size = 32,
	  .setup = bench_setup_guarded,
	  .measure = bench_do_guarded },
	{ .name = "scope",
	  .group = "guarded",
	  .what = "make a guarded object accessible and inaccessible again",
	  .kind = BENCH_CPU,
	  .size = 32,
	  .setup = bench_setup_scope,
	  .measure = bench_do_scope },
	{ .name = "startup",
	  .group = "once",
	  .what = "from the first call to the first object, new process",
	  .kind = BENCH_START,
	  .size = 32 },
	{ .name = "capacity",
	  .group = "once",
	  .what = "locked 32-byte objects in RLIMIT_MEMLOCK 8 MiB, not root",
	  .kind = BENCH_COUNT,
	  .size = 32,
	  .before = bench_before_capacity,
	  .setup = bench_setup_capacity,
	  .measure = bench_do_capacity },
};

const size_t bench_work_count = sizeof(bench_works) / sizeof(bench_works[0]);

int bench_find_work(const char *name)
{
	size_t i;

	for (i = 0; i < bench_work_count; i++)
		if (strcmp(bench_works[i].name, name) == 0)
			return (int)i;
	return -1;
}
