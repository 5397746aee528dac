/* SPDX-License-Identifier: MIT */
/*
 * test_churn.c - a process that runs for long grows by nothing
 *
 * Rounds of all that a program may do: objects of every kind that several
 * threads make and free, threads and children that come and go, a segment, new
 * starts.  After each all is given back, and what the process then still holds
 * is looked at.  The most of the first WARM rounds is held against the last of
 * 3 * WARM: what is lost once a round would be 2 * WARM more.  Chance moves the
 * number of mappings and of descriptions that are kept for reuse, a little.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "ksft.h"
#include "meta.h"
#include "t_api.h"
#include "t_heap.h"
#include "t_traffic.h"
#include "t_way.h"

T_TIERS(churn);
T_TIER_LOCKED(churn);
T_TIER_PLAIN(churn);

enum { WARM = 10, ROUNDS = 3 * WARM, STEPS = 600, CRUMB = 16, CHUNK = 1 << 18 };

/* What a process holds when it has given back all that it can. */
struct held {
	size_t descriptors, mappings;
	size_t locked;	 /* bytes, as the kernel counts */
	size_t mapped;	 /* bytes, as the allocator counts */
	size_t metadata; /* bytes since the first look */
	size_t waiting;	 /* bytes */
	size_t slabs, threads;
};

/* Bytes handed out since the first look but for the crumbs of looking itself:
 * from the left of a chunk, and it is a new one when we begin. */
static size_t metadata(void)
{
	static char *next;
	char *now;

	if (!next) {
		ASSERT_NOT_NULL(secm_meta_alloc(CHUNK));
		next = secm_meta_alloc(CRUMB);
	}
	next += CRUMB;
	now = secm_meta_alloc(CRUMB);
	return now >= next && now < next + CHUNK ? (size_t)(now - next) : CHUNK;
}

static struct held look(void)
{
	struct secmalloc_stats stats = { .size = sizeof(stats) };
	struct held held = { 0 };

	EXPECT_EQ(0, t_objects());
	(void)secmalloc_trim();
	EXPECT_EQ(0, secmalloc_stats(&stats));
	EXPECT_EQ(0, stats.objects);
	held.descriptors = (size_t)ta_descriptors();
	held.mappings = (size_t)t_vmas(NULL, NULL);
	held.locked = t_number_in("/proc/self/status", "VmLck:") * 1024;
	held.mapped = stats.mapped;
	held.metadata = metadata();
	held.waiting = stats.waiting;
	held.slabs = stats.slabs;
	held.threads = stats.threads;
	return held;
}

/* A held is nothing but numbers. */
enum { NUMBERS = sizeof(struct held) / sizeof(size_t) };

static void keep_most(struct held *most, const struct held *held)
{
	size_t *to = (size_t *)most;
	const size_t *from = (const size_t *)held;
	size_t i;

	for (i = 0; i < NUMBERS; i++)
		if (from[i] > to[i])
			to[i] = from[i];
}

/* Set where the lock limit left no room for all of the peak: then chance finds
 * higher ones later, and everything takes longer. */
static int poor;

static void want_no_more(const struct held *most, const struct held *now)
{
	EXPECT_LE(now->descriptors, most->descriptors);
	EXPECT_LT(now->mappings, most->mappings + WARM);
	EXPECT_LE(now->locked, most->locked);
	EXPECT_LE(now->mapped, most->mapped);
	EXPECT_LT(now->metadata,
		  most->metadata + (poor ? CHUNK : WARM * CRUMB));
	EXPECT_LE(now->waiting, most->waiting);
	EXPECT_LE(now->slabs, most->slabs);
	EXPECT_LE(now->threads, most->threads);
}

/* The rounds. */
static void walk(void *arg, unsigned i)
{
	uint64_t random = *(uint64_t *)arg + i;
	int k;

	for (k = 0; k < (poor ? STEPS / 6 : STEPS); k++)
		t_step(&random);
}

static void threads_come_and_go(void)
{
	uint64_t seed = ksft_random();

	t_at_once(3, walk, &seed);
	t_clear();
}

static void objects_of_their_own(void)
{
	static const int access[] = { SECMALLOC_NOACCESS, SECMALLOC_READONLY,
				      SECMALLOC_READWRITE };
	char *p[12], *q[12];
	size_t i;

	for (i = 0; i < 12; i++) {
		p[i] = secmalloc_guarded(i * 700);
		if (p[i])
			(void)!secmalloc_protect(p[i], access[i % 3]);
		q[i] = secmalloc_aligned(1u << i, i * 9000);
	}
	for (i = 0; i < 12; i++) {
		if (q[i] && i % 3)
			secfree(secmalloc_split(q[i], i * 5));
		if (q[i] && i % 2)
			(void)!secmalloc_resize(q[i], i * 5 + 1);
		secfree(q[(i * 5) % 12]);
		q[(i * 5) % 12] = NULL;
		secfree(p[(i * 7) % 12]);
		p[(i * 7) % 12] = NULL;
	}
	secfree(secmalloc(3 << 20));
	if (secmalloc_sbrk(50000) != (void *)-1)
		(void)!secmalloc_sbrk(-50000);
}

/* Among threads that go on; the child frees what it inherits. */
static void children_come_and_go(void)
{
	pthread_t thread[T_DRIVERS];
	int i;

	t_drive(thread);
	T_IN_CHILD({
		secfree(secmalloc(100));
		objects_of_their_own();
	});
	t_park(thread);
	T_IN_CHILD({
		for (i = 0; i < T_PLACES; i++) {
			secfree(t_place[i].p);
			t_place[i].p = NULL;
		}
		threads_come_and_go();
	});
	t_clear();
}

/* More of everything at a time than any round has: descriptions of objects are
 * kept for the next ones. */
static void peak(void)
{
	enum { PEAK = 2000 };
	static char *p[PEAK], *q[PEAK];
	size_t i, size;

	for (i = 0; i < PEAK; i++) {
		size = i % 4 ? i % 1200 : i * 40;
		p[i] = i % 3 ? secmalloc(size) : secmalloc_guarded(size);
		poor |= !p[i];
		q[i] = p[i] && size > 1 && i % 3 ? secmalloc_split(p[i], 1)
						 : NULL;
	}
	for (i = 0; i < PEAK; i++) {
		secfree(p[i]);
		secfree(q[i]);
	}
}

static void all_of_it(void)
{
	threads_come_and_go();
	objects_of_their_own();
	children_come_and_go();
}

static void rounds(void (*round)(void))
{
	struct held most = { 0 }, now;
	int i;

	peak();
	for (i = 0; i < ROUNDS; i++) {
		round();
		now = look();
		if (i < WARM)
			keep_most(&most, &now);
	}
	want_no_more(&most, &now);
}

#define BEGIN(config)                                  \
	do {                                           \
		if (t_vmas(NULL, NULL) < 0)            \
			SKIP(return, "no /proc here"); \
		T_BEGIN(config);                       \
	} while (0)

TEST_F(churn, rounds_leave_nothing)
{
	BEGIN(NULL);
	rounds(all_of_it);
	T_SOUND(self->heap);
}

TEST_F(churn, rounds_with_sampling_leave_nothing)
{
	struct secmalloc_config c = { .sample = 30 };

	BEGIN(&c);
	rounds(all_of_it);
	T_SOUND(self->heap);
}

/* Each is the child of the one before, and the last one looks. */
static void line_of_children(int left, const struct held *most)
{
	struct held here = *most, now;

	all_of_it();
	now = look();
	if (left == 0) {
		want_no_more(most, &now);
		return;
	}
	if (left > ROUNDS - WARM)
		keep_most(&here, &now);
	T_IN_CHILD(line_of_children(left - 1, &here));
}

TEST_F(churn, a_line_of_children_inherits_nothing)
{
	static const struct held none;

	KSFT_SANITIZER_SKIP("each child has a few mappings more of its own");
	BEGIN(NULL);
	peak();
	line_of_children(ROUNDS, &none);
}

static struct t_tier tier;

static void stop_and_start(void)
{
	objects_of_their_own();
	secmalloc_shutdown();
	ASSERT_EQ(0, t_begin(&tier, NULL));
	threads_come_and_go();
}

TEST_F(churn, new_starts_leave_nothing)
{
	BEGIN(NULL);
	tier = variant->tier;
	rounds(stop_and_start);
	T_SOUND(self->heap);
}
