/* SPDX-License-Identifier: MIT */
/*
 * test_os_threads.c - what every backend promises in os.h: other threads
 *
 * A barrier that is missing shows only where a processor is late with what it
 * has written.  So each other round is a control, with a fence in this thread
 * alone, until enough of these have shown such a delay.
 */
#include "t_os.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "ksft.h"

#ifdef __linux__
#include "t_filter.h"
#endif

/*
 * One round: each of two threads writes its own variable and then reads the
 * other's.  With a full barrier in between in both of them at least one sees
 * what the other wrote; the second thread has none but what the first makes
 * it execute.  Before it writes it makes its processor busy with writing to
 * memory that is in no cache, so that this one write takes long.
 */
enum {
	ROUNDS = 200,
	ENOUGH = 10,  /* delays */
	SECONDS = 10, /* for them to show up */
	COLD = 1 << 26,
	STORES = 40,
	PATIENCE = 200000
};

static int round_now, round_done, mine, its, its_view;
static char *cold;

static void set(int *p, int value)
{
	__atomic_store_n(p, value, __ATOMIC_RELAXED);
}

static int get(const int *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static void wait_for(const int *p, int value)
{
	int i;

	for (i = 0; __atomic_load_n(p, __ATOMIC_ACQUIRE) != value; i++)
		if (i > PATIENCE)
			secm_os_yield();
}

static void *partner(void *arg)
{
	uint32_t x = 1;
	int i, k;

	for (i = 1; i <= ROUNDS; i++) {
		wait_for(&round_now, i);
		for (k = 0; k < STORES; k++) {
			x = x * 1664525u + 1013904223u;
			*(volatile char *)(cold + (x >> 6) % COLD) = 1;
		}
		set(&its, i);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		set(&its_view, get(&mine));
		__atomic_store_n(&round_done, i, __ATOMIC_RELEASE);
	}
	return arg;
}

/* How often neither saw the other: with a fence in this thread alone, and with
 * the barrier. */
struct missed {
	int control, barrier;
};

static void play(struct missed *missed)
{
	volatile int idle;
	pthread_t thread;
	int i, view;

	round_now = round_done = mine = its = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, partner, NULL));
	for (i = 1; i <= ROUNDS; i++) {
		__atomic_store_n(&round_now, i, __ATOMIC_RELEASE);
		for (idle = i * 37 % 997; idle > 0; idle--)
			;
		set(&mine, i);
		if (i % 2)
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
		else
			secm_os_barrier();
		view = get(&its);
		wait_for(&round_done, i);
		if (view != i && get(&its_view) != i)
			++*(i % 2 ? &missed->control : &missed->barrier);
	}
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

static struct secm_os_info info;

static const char *why_not(void)
{
	secm_os_init(&info);
	return info.barrier ? NULL : "this backend has no barrier";
}

static void begin(void)
{
	cold = malloc(COLD);
	ASSERT_NE(NULL, cold);
	memset(cold, 1, COLD); /* its pages are there */
}

/* How many controls showed a delay; where the barrier did, the test fails. */
static int barrier_holds(void)
{
	struct missed missed = { 0, 0 };
	time_t end = time(NULL) + SECONDS;

	while (missed.control < ENOUGH && time(NULL) < end)
		play(&missed);
	EXPECT_EQ(0, missed.barrier);
	return missed.control;
}

#define BARRIER_HOLDS()                                                      \
	do {                                                                 \
		if (barrier_holds() < ENOUGH)                                \
			SKIP(return, "control: no processor was late here"); \
	} while (0)

#define BEGIN()                                                             \
	do {                                                                \
		KSFT_SANITIZER_SKIP("its checks are barriers themselves"); \
		if (why_not())                                              \
			SKIP(return, "%s", why_not());                      \
		begin();                                                    \
	} while (0)

TEST(barrier_is_one_in_the_other_threads_too)
{
	BEGIN();
	BARRIER_HOLDS();
}

#ifdef __linux__
/* One that comes when the backend is set up already is not tried. */
TEST(barrier_is_one_when_a_late_filter_would_kill)
{
	BEGIN();
	ASSERT_EQ(0, t_put_filter(SYS_membarrier, T_KILL));
	BARRIER_HOLDS();
}

/* What such a filter does to whoever asks: the control. */
TEST_SIGNAL(the_kill_filter_kills, SIGSYS)
{
	ASSERT_EQ(0, t_put_filter(SYS_membarrier, T_KILL));
	syscall(SYS_membarrier, 0, 0, 0);
}

TEST(no_barrier_is_promised_under_a_filter)
{
	ASSERT_EQ(0, t_put_filter(SYS_membarrier, T_ERROR(ENOSYS)));
	EXPECT_NOT_NULL(why_not());
}

TEST(no_barrier_is_promised_under_a_filter_that_would_kill)
{
	ASSERT_EQ(0, t_put_filter(SYS_membarrier, T_KILL));
	EXPECT_NOT_NULL(why_not());
}
#endif

/* Two threads that take turns on one processor.  One that does not let the
 * other run burns the rest of its time. */
enum { TURNS = 20, TRIES = 5 };

static int turn, polite;

static void *take_turns(void *arg)
{
	int i, me = *(int *)arg;

	for (i = 0; i < TURNS; i++) {
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != me)
			if (polite)
				secm_os_yield();
		__atomic_store_n(&turn, !me, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Microseconds of processor time that it took. */
static long turns_cost(int yield)
{
	struct timespec before, after;
	int zero = 0, one = 1;
	pthread_t thread;

	turn = 0;
	polite = yield;
	ASSERT_EQ(0, clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before));
	ASSERT_EQ(0, pthread_create(&thread, NULL, take_turns, &one));
	take_turns(&zero);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after));
	return (long)(after.tv_sec - before.tv_sec) * 1000000 +
	       (after.tv_nsec - before.tv_nsec) / 1000;
}

#ifdef __linux__
/* 0, or -1: this process may run on several processors at once. */
static int on_one_processor(void)
{
	cpu_set_t set;
	int cpu;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return -1;
	for (cpu = 0; cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &set); cpu++)
		;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}
#else
static int on_one_processor(void)
{
	return -1;
}
#endif

/* Time that a hypervisor takes away may count as ours, so a try may be a
 * costly one, but without yielding each of them is. */
TEST(yield_lets_another_thread_run)
{
	long rude, cost;
	int i;

	if (on_one_processor() != 0)
		SKIP(return, "threads may run side by side here");
	rude = turns_cost(0);
	if (rude < 5000)
		SKIP(return, "control: waiting costs nothing here");
	cost = turns_cost(1);
	for (i = 1; i < TRIES && cost >= rude / 4; i++)
		cost = turns_cost(1);
	EXPECT_LT(cost, rude / 4);
}
