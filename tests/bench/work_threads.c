/* SPDX-License-Identifier: MIT */
/*
 * work_threads.c - several threads at once
 *
 * Callers: worker.c, by the list in work.c.  The threads live as long as the
 * worker and sleep between two measurements: neither starting them nor filling
 * their objects is in the time, which is from the first that begins to the last
 * that ends.
 *
 * lock covers command, done and, while the objects are filled, *run.  While
 * measuring there is no lock: threads wait for each other by spinning and then
 * yielding, so that the kernel's wake-ups are not in the time.
 */
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum { THREADS_MAX = 4 };

/* Objects in a batch, batches in the ring, replacements between two hand-overs.
 */
enum { BATCH = 64, RING = 16, HANDED = 2000 };

struct member {
	struct team *team;
	size_t number;
	struct bench_object *live;
	uint64_t random;
	double start, end;
	int failed;
};

struct team {
	struct bench_run *run;
	void (*work)(struct member *member, size_t units);
	struct member member[THREADS_MAX];
	size_t threads;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t command, units;	/* the command's number, and how much to do */
	size_t done;		/* threads that have done it */
	size_t arrived, opened; /* the gate */
	size_t made, freed;	/* batches, ever */
	unsigned char *ring[RING][BATCH];
};

/* ---- waiting without sleeping ------------------------------------------ */

static void wait_a_moment(unsigned *spins)
{
	if (++*spins > 200)
		sched_yield();
}

/* Until all members are here. */
static void gate(struct team *team)
{
	size_t turn = __atomic_load_n(&team->opened, __ATOMIC_ACQUIRE);
	unsigned spins = 0;

	if (__atomic_add_fetch(&team->arrived, 1, __ATOMIC_ACQ_REL) ==
	    team->threads) {
		__atomic_store_n(&team->arrived, 0, __ATOMIC_RELEASE);
		__atomic_add_fetch(&team->opened, 1, __ATOMIC_ACQ_REL);
		return;
	}
	while (__atomic_load_n(&team->opened, __ATOMIC_ACQUIRE) == turn)
		wait_a_moment(&spins);
}

/* ---- what threads do --------------------------------------------------- */

static void replace(struct member *member, size_t units)
{
	if (bench_replace(member->team->run, member->live, units,
			  &member->random) < 0)
		member->failed = 1;
}

/* Objects go on to the next thread, which frees what others made.  One that
 * failed goes on, too: the others would wait for it. */
static void replace_and_hand(struct member *member, size_t units)
{
	struct team *team = member->team;
	struct bench_object *mine = member->live;
	size_t next = (member->number + 1) % team->threads;
	size_t i;

	for (i = 0; i < units; i++) {
		replace(member, HANDED);
		mine = member->live;
		gate(team);
		team->member[next].live = mine;
		gate(team);
	}
}

static void produce(struct member *member, size_t units)
{
	struct team *team = member->team;
	const struct bench_run *run = team->run;
	unsigned char **slot;
	size_t i, j, freed;
	unsigned spins = 0;

	for (i = 0; i < units; i++) {
		do {
			wait_a_moment(&spins);
			freed = __atomic_load_n(&team->freed, __ATOMIC_ACQUIRE);
		} while (team->made - freed == RING);
		spins = 0;
		slot = team->ring[team->made % RING];
		for (j = 0; j < BATCH; j++) {
			slot[j] = run->peer->alloc(run->work->size);
			if (slot[j])
				bench_touch(slot[j], run->work->size, j);
			else
				member->failed = 1;
		}
		__atomic_store_n(&team->made, team->made + 1, __ATOMIC_RELEASE);
	}
}

static void consume(struct member *member, size_t units)
{
	struct team *team = member->team;
	const struct bench_run *run = team->run;
	unsigned char **slot;
	size_t i, j, made;
	unsigned spins = 0;

	for (i = 0; i < units; i++) {
		do {
			wait_a_moment(&spins);
			made = __atomic_load_n(&team->made, __ATOMIC_ACQUIRE);
		} while (made == team->freed);
		spins = 0;
		slot = team->ring[team->freed % RING];
		for (j = 0; j < BATCH; j++)
			run->peer->release(slot[j], run->work->size);
		__atomic_store_n(&team->freed, team->freed + 1,
				 __ATOMIC_RELEASE);
	}
}

static void produce_or_consume(struct member *member, size_t units)
{
	if (member->number == 0)
		produce(member, units);
	else
		consume(member, units);
}

/* ---- the team ---------------------------------------------------------- */

static void say_done(struct team *team)
{
	team->done++;
	pthread_cond_broadcast(&team->changed);
}

static size_t next_command(struct team *team, size_t last)
{
	pthread_mutex_lock(&team->lock);
	while (team->command == last)
		pthread_cond_wait(&team->changed, &team->lock);
	pthread_mutex_unlock(&team->lock);
	return last + 1;
}

static void *be_member(void *arg)
{
	struct member *member = arg;
	struct team *team = member->team;
	size_t command = 0;

	pthread_mutex_lock(&team->lock);
	if (member->live &&
	    bench_fill(team->run, member->live, team->run->work->count,
		       &member->random) < 0)
		member->failed = 1;
	say_done(team);
	pthread_mutex_unlock(&team->lock);
	for (;;) {
		command = next_command(team, command);
		gate(team);
		member->start = bench_wall();
		team->work(member, team->units);
		member->end = bench_wall();
		pthread_mutex_lock(&team->lock);
		say_done(team);
		pthread_mutex_unlock(&team->lock);
	}
	return NULL;
}

/* Until all are done; 1 if one of them failed. */
static int wait_for_all(struct team *team)
{
	size_t i;
	int failed = 0;

	pthread_mutex_lock(&team->lock);
	while (team->done < team->threads)
		pthread_cond_wait(&team->changed, &team->lock);
	team->done = 0;
	pthread_mutex_unlock(&team->lock);
	for (i = 0; i < team->threads; i++)
		failed |= team->member[i].failed;
	return failed;
}

static int add_member(struct team *team, size_t number)
{
	struct member *member = &team->member[number];
	size_t count = team->run->work->count;
	pthread_t thread;

	member->team = team;
	member->number = number;
	member->random = team->run->random + number;
	if (count) {
		member->live = calloc(count, sizeof(*member->live));
		if (!member->live)
			return -1;
	}
	return pthread_create(&thread, NULL, be_member, member) ? -1 : 0;
}

/* A worker ends by _exit: nothing is joined. */
static int start_team(struct bench_run *run,
		      void (*work)(struct member *, size_t))
{
	struct team *team = calloc(1, sizeof(*team));
	size_t i, j;

	if (!team)
		return bench_cannot(run, "no memory for the threads");
	run->more = team;
	team->run = run;
	team->work = work;
	team->threads = run->work->threads;
	pthread_mutex_init(&team->lock, NULL);
	pthread_cond_init(&team->changed, NULL);
	for (i = 0; i < team->threads; i++)
		if (add_member(team, i) < 0)
			return bench_cannot(run, "a thread cannot be started");
	if (wait_for_all(team))
		return -1;
	for (i = 0; i < team->threads; i++)
		for (j = 0; j < run->work->count; j++)
			run->bytes += team->member[i].live[j].size;
	return 0;
}

int bench_setup_threads(struct bench_run *run)
{
	run->per_unit = run->work->threads;
	return start_team(run, replace);
}

int bench_setup_larson(struct bench_run *run)
{
	run->per_unit = run->work->threads * HANDED;
	return start_team(run, replace_and_hand);
}

int bench_setup_prodcons(struct bench_run *run)
{
	run->per_unit = BATCH;
	return start_team(run, produce_or_consume);
}

double bench_do_threads(struct bench_run *run, size_t units)
{
	struct team *team = run->more;
	double start, end;
	size_t i;

	pthread_mutex_lock(&team->lock);
	team->units = units;
	team->command++;
	pthread_cond_broadcast(&team->changed);
	pthread_mutex_unlock(&team->lock);
	if (wait_for_all(team))
		return bench_failed(run, "an allocation failed");
	start = team->member[0].start;
	end = team->member[0].end;
	for (i = 1; i < team->threads; i++) {
		if (team->member[i].start < start)
			start = team->member[i].start;
		if (team->member[i].end > end)
			end = team->member[i].end;
	}
	return end - start;
}
