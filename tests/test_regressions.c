/* SPDX-License-Identifier: MIT */
/*
 * test_regressions.c - faults that other allocators for secrets really had
 *
 * One test for each that could happen here too; the comment names where it
 * was reported.  Some are in the file of their subject: forks in test_fork*.c
 * (OpenSSL 3.0, Botan #602, jemalloc #2019 and #2402, hardened_malloc #319,
 * snmalloc #630), double free by two threads (Scudo) and twenty readers
 * (memguard #132) in test_threads.c, filters in test_seccomp.c.
 */
#include "t_api.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "ksft.h"

TA_TIERS(regression);

enum { ODD_ERRNO = 4711 };

/* OpenSSL #2603, #3449: a search for the next power of two ran for ever. */
TEST_F(regression, a_size_above_half_of_size_t_is_refused_at_once)
{
	size_t bit;
	/* 32 bits may really have a quarter of their space free. */
	const size_t possible = sizeof(bit) > 4 ? PTRDIFF_MAX / 4 : PTRDIFF_MAX;

	for (bit = (size_t)1 << (sizeof(bit) * 8 - 1); bit > possible;
	     bit /= 2) {
		errno = 0;
		EXPECT_NULL(secmalloc(bit));
		EXPECT_EQ(ENOMEM, errno);
		EXPECT_NULL(secmalloc(bit + 1));
		EXPECT_NULL(secmalloc(bit - 1));
	}
}

/* OpenSSL #3449: a failed init left "initialised" set, the next call hung. */
TEST(a_failed_init_leaves_an_allocator_that_works_or_says_no)
{
	struct secmalloc_config bad = { .need = SECMALLOC_FORK_ZERO |
						SECMALLOC_FORK_GONE };
	struct secmalloc_config good = { .flags = SECMALLOC_BEST_EFFORT };
	char *p;
	int i;

	for (i = 0; i < 3; i++) {
		errno = 0;
		EXPECT_EQ(-1, secmalloc_init(&bad));
		EXPECT_EQ(ENOTSUP, errno);
	}
	EXPECT_FALSE(secmalloc_owns(&bad));
	EXPECT_EQ(0, secmalloc_init(&good));
	p = secmalloc(100);
	EXPECT_NOT_NULL(p);
	secfree(p);
}

TEST(a_failed_init_leaves_nothing_behind)
{
	struct secmalloc_config bad = { .initial_pools = 4,
					.pool_size = 1 << 20 };
	int i, error, maps = 0, fds = 0;

	if (ta_drop_privileges() != 0 ||
	    ta_limit(RLIMIT_MEMLOCK, 1 << 21, 1 << 21) != 0 ||
	    !ta_lock_limit_binds())
		SKIP(return, "lock limit does not bind here");
	for (i = 0; i < 20; i++) {
		error = secmalloc_init(&bad) == 0 ? 0 : errno;
		ASSERT_TRUE(error == ENOMEM || error == ENOTSUP);
		if (i == 2) {
			maps = ta_vmas(NULL, NULL);
			fds = ta_descriptors();
		}
	}
	EXPECT_LE(ta_vmas(NULL, NULL), maps + 2);
	EXPECT_EQ(fds, ta_descriptors());
	bad.initial_pools = 0;
	error = secmalloc_init(&bad) == 0 ? 0 : errno;
	EXPECT_TRUE(error == 0 || error == ENOTSUP);
}

/* OpenSSL #3449: an int counted units and wrapped at 2^31 of them. */
TEST(a_pool_of_16_gib_is_refused_or_right)
{
	struct secmalloc_config config = {
		.initial_pools = 1, .pool_size = (size_t)(UINT64_C(1) << 34)
	};
	char *p;

	if (sizeof(size_t) < 8)
		SKIP(return, "needs 64 bits");
	if (ta_drop_privileges() != 0 ||
	    ta_limit(RLIMIT_MEMLOCK, 8 << 20, 8 << 20) != 0 ||
	    !ta_lock_limit_binds())
		SKIP(return, "lock limit does not bind here");
	if (secmalloc_init(&config) != 0) {
		EXPECT_TRUE(errno == ENOMEM || errno == ENOTSUP);
		return;
	}
	/* Refused the whole and took what could be had. */
	p = secmalloc(1000);
	ASSERT_NOT_NULL(p);
	EXPECT_LE(ta_report().tier[ta_only_tier()].mapped, 8 << 20);
}

/* OpenSSL #2630, #2657: a free wrote list pointers over the neighbour. */
TEST_F(regression, the_smallest_objects_keep_their_neighbours)
{
	enum { N = 600 };
	static unsigned char *p[N];
	size_t size;
	int i;

	for (size = 1; size <= 16; size++) {
		for (i = 0; i < N; i++) {
			p[i] = secmalloc(size);
			ASSERT_NOT_NULL(p[i]);
			memset(p[i], i, size);
		}
		for (i = 0; i < N; i += 2)
			secfree(p[i]);
		for (i = 1; i < N; i += 2) {
			ASSERT_TRUE(ta_holds(p[i], size, i));
			secfree(p[i]);
		}
	}
}

/* OpenSSL #2605: a table of size 0 in the smallest configuration. */
TEST_F(regression, the_smallest_configurations_work_or_are_refused)
{
	static const size_t sizes[] = { 1, 16, 4095, 4096, 4097, 8192 };
	struct secmalloc_config config;
	size_t i, k;
	void *p[20];

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (k = 0; k < 8; k++) {
			secmalloc_shutdown();
			config = (struct secmalloc_config){
				.need = variant->tier.need,
				.flags = variant->tier.flags,
				.hibernation = SECMALLOC_HIBERNATION_GIVE_UP,
				.pool_size = k & 1 ? sizes[i] : 0,
				.retain = k & 2 ? sizes[i] : 0,
				.max_bytes = k & 4 ? sizes[i] : 0,
				.initial_pools = k & 1,
			};
			if (secmalloc_init(&config) != 0) {
				EXPECT_TRUE(errno == EINVAL ||
					    errno == ENOMEM);
				EXPECT_TRUE(k & 4);
				continue;
			}
			p[0] = secmalloc(10);
			p[1] = secmalloc_guarded(10);
			p[2] = secmalloc(50000);
			EXPECT_TRUE((k & 4) || (p[0] && p[1] && p[2]));
			secfree(p[0]);
			secfree(p[1]);
			secfree(p[2]);
		}
}

/* OpenSSL #961: what was allocated before init went to another free. */
TEST(an_object_of_before_init_is_known_after_it)
{
	char *p = secmalloc(100);

	if (!p)
		SKIP(return, "no locked memory here: %s", strerror(errno));
	memset(p, 1, 100);
	EXPECT_EQ(-1, secmalloc_init(NULL));
	EXPECT_EQ(1, secmalloc_owns(p));
	EXPECT_EQ(100, secmalloc_usable_size(p));
	secfree(p);
	EXPECT_EQ(0, ta_report().objects);
}

/* memguard #147, #173: a failing mlock took the lock a second time.
 * libsodium #1237: it was ignored.  libgcrypt 1.8: it was fatal, or the
 * overflow was not locked. */
TEST(at_the_lock_limit_there_is_null_and_no_hang_and_nothing_unlocked)
{
	enum { MOST = 20000 };
	static char *p[MOST];
	int i, n;

	if (ta_drop_privileges() != 0 ||
	    ta_limit(RLIMIT_MEMLOCK, 1 << 18, 1 << 18) != 0 ||
	    !ta_lock_limit_binds())
		SKIP(return, "lock limit does not bind here");
	for (n = 0; n < MOST; n++) {
		errno = 0;
		p[n] = n % 3 ? secmalloc(100) : secmalloc_guarded(100);
		if (!p[n])
			break;
	}
	if (n == 0)
		SKIP(return, "no locked memory here: %s", strerror(errno));
	ASSERT_LT(n, MOST);
	EXPECT_EQ(ENOMEM, errno);
	for (i = 0; i < n; i++)
		ASSERT_NE(0, ta_has_props(p[i], 100,
					  SECM_LOCKED | SECM_NODUMP));
	for (i = 0; i < 20; i++)
		EXPECT_NULL(secmalloc_guarded(100));
	for (i = 0; i < n; i++)
		secfree(p[i]);
	EXPECT_NOT_NULL(secmalloc_guarded(100));
}

/* memguard #13, #119, libsodium #901: the mappings run out after some ten
 * thousand objects.  glibc tst-free-errno, gnulib: free() fails there. */
TEST_F(regression, at_the_limit_of_mappings_there_is_null_and_free_works)
{
	enum { MOST = 70000 };
	static char *p[MOST];
	int i, n;

	for (n = 0; n < MOST; n++) {
		errno = 0;
		p[n] = secmalloc_guarded(16);
		if (!p[n])
			break;
		p[n][0] = (char)n;
	}
	if (n == MOST)
		SKIP(goto out, "no limit of mappings up to %d objects", n);
	EXPECT_EQ(ENOMEM, errno);
	/* Every other one first: each is a hole in its mapping. */
	for (i = 0; i < n; i += 2) {
		ASSERT_EQ((char)i, p[i][0]);
		errno = ODD_ERRNO;
		secfree(p[i]);
		ASSERT_EQ(ODD_ERRNO, errno);
	}
	p[0] = secmalloc_guarded(16);
	EXPECT_NOT_NULL(p[0]);
	secfree(p[0]);
	for (i = 1; i < n; i += 2) {
		ASSERT_EQ((char)i, p[i][0]);
		secfree(p[i]);
	}
	EXPECT_EQ(0, ta_report().objects);
	return;
out:
	for (i = 0; i < n; i++)
		secfree(p[i]);
}

/* open-sesame #5: madvise() of an unaligned address failed, unseen.
 * firedancer #9883: the memfd_secret path had less hardening. */
TEST_F(regression, every_object_is_left_out_of_dumps_and_has_guards)
{
	int promised = strcmp(ta_report().backend, "linux") == 0;
	int i, known, asked = 0;
	char *p;

	for (i = 0; i < 60; i++) {
		p = i % 2 ? secmalloc((size_t)i * i * 9)
			  : secmalloc_guarded((size_t)i * i * 9);
		ASSERT_NOT_NULL(p);
		known = ta_has_props(p, 1, SECM_NODUMP);
		asked += known >= 0;
		if (promised)
			EXPECT_NE(0, known);
		if (i % 2 == 0) {
			while (ta_access(p) != SECM_NONE)
				p += ta_page();
			EXPECT_EQ(SECM_NONE, ta_access(p));
		}
	}
	if (promised && !asked)
		SKIP(return, "guards are there; dumps cannot be asked about");
}

/* Locks of pages do not nest: a free unlocked its page-mates. */
TEST_F(regression, freeing_one_object_leaves_its_neighbours_locked)
{
	unsigned need = variant->tier.flags ? 0 : SECM_LOCKED | SECM_NODUMP;
	char *p[400];
	int i;

	for (i = 0; i < 400; i++) {
		p[i] = secmalloc(24);
		ASSERT_NOT_NULL(p[i]);
	}
	for (i = 0; i < 400; i += 2)
		secfree(p[i]);
	for (i = 1; i < 400; i += 40)
		EXPECT_NE(0, ta_has_props(p[i], 24, need));
}

/* libgcrypt bug 3027: the merge at the pool's edge ran over it. */
TEST_F(regression, the_first_and_the_last_of_a_region_can_be_freed)
{
	enum { N = 2000 };
	static char *p[N];
	int i, low = 0, high = 0, round;

	for (round = 0; round < 4; round++) {
		for (i = 0; i < N; i++) {
			p[i] = secmalloc(200);
			ASSERT_NOT_NULL(p[i]);
			low = p[i] < p[low] ? i : low;
			high = p[i] > p[high] ? i : high;
		}
		secfree(p[round & 1 ? low : high]);
		secfree(p[round & 1 ? high : low]);
		for (i = 0; i < N; i++)
			if (i != low && i != high)
				secfree(p[i]);
		low = high = 0;
	}
	EXPECT_EQ(0, ta_report().objects);
}

/* liboqs #2492: size plus alignment wrapped. */
TEST_F(regression, sizes_near_the_end_do_not_wrap)
{
	size_t i;

	for (i = 0; i < 5000; i += i < 70 ? 1 : 61) {
		ASSERT_NULL(secmalloc(SIZE_MAX - i));
		ASSERT_NULL(secmalloc_guarded(SIZE_MAX - i));
		ASSERT_NULL(secmalloc_guarded(PTRDIFF_MAX - i));
		ASSERT_NULL(seccalloc(1, SIZE_MAX - i));
	}
}

/* memguard #33: a copy of what nobody should know lay in ordinary memory.
 * The secret is never whole but in objects: each byte comes from a seed, and
 * differs from the one before, as memory has long rows of equal ones. */
struct search {
	uint64_t seed;
	uintptr_t from, end; /* where it belongs */
	int found;
};

enum { SECRET = 32 };
#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static unsigned char secret_byte(uint64_t seed, unsigned i)
{
	return (unsigned char)((seed + i * GOLDEN) >> 40);
}

static void look(void *arg, const struct ta_vma *vma)
{
	const volatile unsigned char *p;
	struct search *s = arg;
	unsigned i;

	if (!vma->readable || !vma->writable)
		return;
	for (p = (const unsigned char *)vma->start;
	     (uintptr_t)p + SECRET <= vma->end; p++) {
		for (i = 0; i < SECRET && p[i] == secret_byte(s->seed, i); i++)
			;
		if (i == SECRET &&
		    !((uintptr_t)p >= s->from && (uintptr_t)p < s->end))
			s->found++;
	}
}

TEST_F(regression, no_copy_of_a_secret_is_outside_its_object)
{
	static const size_t sizes[] = { 100, 50, 5000, 70000, 32, 200000 };
	struct search s = { ksft_random(), 0, 0, 0 };
	unsigned char *p = secmalloc(SECRET);
	unsigned i;

	KSFT_SANITIZER_SKIP("too much memory to search");
	ASSERT_NOT_NULL(p);
	for (i = 0; i < SECRET; i++)
		p[i] = secret_byte(s.seed, i);
	if (ta_vmas(look, &s) < 0)
		SKIP(return, "this system tells nothing about mappings");
	EXPECT_EQ(1, s.found); /* control: it can be found */
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = secrealloc(p, sizes[i]);
		ASSERT_NOT_NULL(p);
		s.found = 0;
		s.from = (uintptr_t)p;
		s.end = s.from + SECRET;
		ta_vmas(look, &s);
		EXPECT_EQ(0, s.found) { TH_LOG("size %zu", sizes[i]); }
	}
	secfree(p);
	s.found = 0;
	s.from = s.end = 0;
	ta_vmas(look, &s);
	EXPECT_EQ(0, s.found);
}
