/* SPDX-License-Identifier: MIT */
/*
 * test_load_short.c - reads through a ring that end early
 *
 * io_uring_submit_and_wait() is ours here: what is about to be submitted asks for
 * less than the loader wanted, as a file system may answer at any time.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "t_io.h"
#include "t_load.h"
#include "t_ring.h"

#include <dlfcn.h>
#include <string.h>

enum { FILES = 12, SIZE = 1700, LARGE = 9001, LESS = 512 };

static int cut;

int io_uring_submit_and_wait(struct io_uring *ring, unsigned n)
{
	int (*real)(struct io_uring * ring, unsigned n);
	void *p = dlsym(RTLD_NEXT, "io_uring_submit_and_wait");
	unsigned i;

	ASSERT_NOT_NULL(p);
	memcpy(&real, &p, sizeof(real));
	for (i = ring->sq.sqe_head; i != ring->sq.sqe_tail; i++) {
		struct io_uring_sqe *s =
			&ring->sq.sqes[i & *ring->sq.kring_mask];

		if (s->opcode == IORING_OP_READ && s->len > LESS) {
			s->len = LESS;
			cut++;
		}
	}
	return real(ring, n);
}

KSFT_PROGRAM_SKIP_IF(t_no_ring);
TA_TIERS(cut_short);

TEST_F(cut_short, files_are_whole_all_the_same)
{
	static const unsigned flags[] = { 0, SECMALLOC_LOAD_CACHED };
	struct secmalloc_loaded l[FILES];
	unsigned i, j;

	for (j = 0; j < 2; j++) {
		const struct secmalloc_load_options o = { .flags = flags[j] };

		memset(l, 0, sizeof(l));
		cut = 0;
		for (i = 0; i < FILES; i++) {
			l[i].size = sizeof(l[i]);
			l[i].path = tl_file(i % 2 ? SIZE : LARGE, i);
		}
		if (secmalloc_load_files(l, FILES, &o) != 0)
			SKIP(return, "too little may be locked here");
		if (cut == 0)
			SKIP(return, "no ring is used on this tier");
		for (i = 0; i < FILES; i++) {
			EXPECT_EQ(i % 2 ? SIZE : LARGE, l[i].length);
			EXPECT_TRUE(ti_is(l[i].data, l[i].length, i));
			secfree(l[i].data);
		}
	}
}
