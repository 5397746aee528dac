/* SPDX-License-Identifier: MIT */
/*
 * test_key_turns.c - keys and several threads: many readers or one writer (T65)
 */
#include "t_key.h"

TA_TIERS(turns);

/* A thread that does one thing to a key, and says when it has done so. */
struct actor {
	pthread_t thread;
	secmalloc_key *key, *before;
	int write;
	int began; /* the order in which all began, from 1; 0: not yet */
	int *clock;
	uint64_t found;
};

static pthread_mutex_t clock_mutex = PTHREAD_MUTEX_INITIALIZER;

static int tick(int *clock)
{
	int now;

	ASSERT_EQ(0, pthread_mutex_lock(&clock_mutex));
	now = ++*clock;
	ASSERT_EQ(0, pthread_mutex_unlock(&clock_mutex));
	return now;
}

static void *act(void *arg)
{
	struct actor *a = arg;

	/* A scope that is over gives no precedence. */
	EXPECT_EQ(1, secmalloc_key_equal(a->before, a->before));
	if (a->write) {
		ASSERT_NOT_NULL(secmalloc_key_write(a->key));
		a->began = tick(a->clock);
		secmalloc_key_write_end(a->key);
	} else {
		ASSERT_NOT_NULL(secmalloc_key_read(a->key));
		a->began = tick(a->clock);
		secmalloc_key_read_end(a->key);
	}
	return NULL;
}

/* Begins, and is one of so many that wait then. */
static void start(struct actor *a, secmalloc_key *key, int write, int *clock,
		  unsigned waiting)
{
	a->key = key;
	a->before = t_key(NULL, 32, 9);
	a->write = write;
	a->clock = clock;
	a->began = 0;
	ASSERT_EQ(0, pthread_create(&a->thread, NULL, act, a));
	t_until_waiting(key, write, waiting);
}

static int finish(struct actor *a)
{
	EXPECT_EQ(0, pthread_join(a->thread, NULL));
	return a->began;
}

static void *try_both(void *arg)
{
	secmalloc_key *key = arg;
	intptr_t got = 0;

	errno = 0;
	if (secmalloc_key_try_read(key)) {
		got |= 1;
		secmalloc_key_read_end(key);
	} else {
		EXPECT_EQ(EBUSY, errno);
	}
	errno = 0;
	if (secmalloc_key_try_write(key)) {
		got |= 2;
		secmalloc_key_write_end(key);
	} else {
		EXPECT_EQ(EBUSY, errno);
	}
	return (void *)got;
}

/* What another thread gets at once: 1 to read, 2 to write. */
static intptr_t others_get(secmalloc_key *key)
{
	pthread_t thread;
	void *got = NULL;

	EXPECT_EQ(0, pthread_create(&thread, NULL, try_both, key));
	EXPECT_EQ(0, pthread_join(thread, &got));
	return (intptr_t)got;
}

TEST_F(turns, many_read_or_one_writes)
{
	secmalloc_key *key = t_key(NULL, 32, 1);

	EXPECT_EQ(3, others_get(key));
	ASSERT_NOT_NULL(secmalloc_key_read(key));
	EXPECT_EQ(1, others_get(key));
	secmalloc_key_read_end(key);
	ASSERT_NOT_NULL(secmalloc_key_write(key));
	EXPECT_EQ(0, others_get(key));
	secmalloc_key_write_end(key);
	EXPECT_EQ(3, others_get(key));
	EXPECT_TRUE(t_no_turns());
}

TEST_F(turns, whoever_must_wait_waits)
{
	secmalloc_key *key = t_key(NULL, 32, 1);
	struct actor a, b;
	int clock = 0;

	ASSERT_NOT_NULL(secmalloc_key_write(key));
	start(&a, key, 0, &clock, 1);
	start(&b, key, 1, &clock, 1);
	EXPECT_EQ(0, clock);
	secmalloc_key_write_end(key);
	EXPECT_LT(finish(&a), finish(&b)); /* readers are next */
	ASSERT_NOT_NULL(secmalloc_key_read(key));
	start(&a, key, 1, &clock, 1);
	EXPECT_EQ(2, clock);
	secmalloc_key_read_end(key);
	EXPECT_EQ(3, finish(&a));
	EXPECT_TRUE(t_no_turns());
}

/* A reader that comes later does not get in before a writer that waits. */
TEST_F(turns, writers_do_not_starve)
{
	secmalloc_key *key = t_key(NULL, 32, 1);
	struct actor writer, reader;
	int clock = 0;

	ASSERT_NOT_NULL(secmalloc_key_read(key));
	start(&writer, key, 1, &clock, 1);
	EXPECT_EQ(0, others_get(key)); /* nor by trying */
	start(&reader, key, 0, &clock, 1);
	EXPECT_NOT_NULL(secmalloc_key_read(key)); /* once more is fine */
	secmalloc_key_read_end(key);
	EXPECT_EQ(0, clock);
	secmalloc_key_read_end(key);
	EXPECT_LT(finish(&writer), finish(&reader));
}

/* Of several writers only one is before the readers that wait. */
TEST_F(turns, readers_do_not_starve)
{
	enum { WRITERS = 3, READERS = 3 };
	secmalloc_key *key = t_key(NULL, 32, 1);
	struct actor writer[WRITERS], reader[READERS];
	int clock = 0, before = 0, i, last = 0;
	unsigned n;

	ASSERT_NOT_NULL(secmalloc_key_write(key));
	for (n = 0; n < WRITERS; n++)
		start(&writer[n], key, 1, &clock, n + 1);
	for (n = 0; n < READERS; n++)
		start(&reader[n], key, 0, &clock, n + 1);
	secmalloc_key_write_end(key);
	for (i = 0; i < READERS; i++) {
		int at = finish(&reader[i]);

		last = at > last ? at : last;
	}
	for (i = 0; i < WRITERS; i++)
		before += finish(&writer[i]) < last;
	EXPECT_EQ(0, before);
	EXPECT_TRUE(t_no_turns());
}

struct pair {
	secmalloc_key *first, *second;
	pthread_barrier_t *meet;
};

static void *read_two(void *arg)
{
	struct pair *pair = arg;
	int r;

	ASSERT_NOT_NULL(secmalloc_key_read(pair->first));
	r = pthread_barrier_wait(pair->meet);
	EXPECT_TRUE(r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD);
	t_until_waiting(pair->first, 1, 1);
	t_until_waiting(pair->second, 1, 1);
	r = pthread_barrier_wait(pair->meet);
	EXPECT_TRUE(r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD);
	ASSERT_NOT_NULL(secmalloc_key_read(pair->second));
	secmalloc_key_read_end(pair->second);
	secmalloc_key_read_end(pair->first);
	return NULL;
}

/* Each reads one key and then the other, in opposite orders, while a writer
 * waits for each: were readers always behind writers all would wait for ever. */
TEST_F(turns, readers_of_two_keys_pass_writers_that_wait)
{
	secmalloc_key *a = t_key(NULL, 32, 1), *b = t_key(NULL, 32, 2);
	struct pair one = { a, b, NULL }, other = { b, a, NULL };
	pthread_barrier_t meet;
	struct actor writer[2];
	pthread_t thread[2];
	int clock = 0;

	ASSERT_EQ(0, pthread_barrier_init(&meet, NULL, 3));
	one.meet = other.meet = &meet;
	ASSERT_EQ(0, pthread_create(&thread[0], NULL, read_two, &one));
	ASSERT_EQ(0, pthread_create(&thread[1], NULL, read_two, &other));
	(void)pthread_barrier_wait(&meet);
	start(&writer[0], a, 1, &clock, 1);
	start(&writer[1], b, 1, &clock, 1);
	(void)pthread_barrier_wait(&meet);
	ASSERT_EQ(0, pthread_join(thread[0], NULL));
	ASSERT_EQ(0, pthread_join(thread[1], NULL));
	EXPECT_GT(finish(&writer[0]), 0);
	EXPECT_GT(finish(&writer[1]), 0);
}

static void *leave_open(void *arg)
{
	secmalloc_key **key = arg;

	ASSERT_NOT_NULL(secmalloc_key_write(key[0]));
	ASSERT_NOT_NULL(secmalloc_key_read(key[1]));
	ASSERT_NOT_NULL(secmalloc_key_read(key[1]));
	return NULL;
}

/* Else they would stay open, and others wait for ever. */
TEST_F(turns, the_end_of_a_thread_ends_its_scopes)
{
	secmalloc_key *key[2] = { t_key(NULL, 32, 1), t_key(NULL, 32, 2) };
	pthread_t thread;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, leave_open, key));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(SECM_NONE, ta_access(key[0]));
		EXPECT_EQ(SECM_NONE, ta_access(key[1]));
		EXPECT_EQ(3, others_get(key[0]));
		EXPECT_EQ(3, others_get(key[1]));
	}
	EXPECT_TRUE(t_no_turns());
}

static void *wait_and_tell(void *arg)
{
	int before, after;

	EXPECT_EQ(0, pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before));
	ASSERT_NOT_NULL(secmalloc_key_read(arg));
	EXPECT_EQ(0, pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &after));
	secmalloc_key_read_end(arg);
	return (void *)(intptr_t)after;
}

/* While it waits, threads with another state of that kind take the lock. */
TEST_F(turns, waiting_keeps_whether_a_thread_can_be_cancelled)
{
	secmalloc_key *key = t_key(NULL, 32, 1);
	pthread_t thread;
	void *after;
	int state;

	ASSERT_NOT_NULL(secmalloc_key_write(key));
	ASSERT_EQ(0, pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_and_tell, key));
	t_until_waiting(key, 0, 1);
	secmalloc_key_write_end(key);
	ASSERT_EQ(0, pthread_join(thread, &after));
	EXPECT_EQ(PTHREAD_CANCEL_ENABLE, (intptr_t)after);
	EXPECT_EQ(0, pthread_setcancelstate(state, &state));
	EXPECT_EQ(PTHREAD_CANCEL_DISABLE, state);
}

static void *make_first(void *meet)
{
	(void)pthread_barrier_wait(meet);
	return secmalloc_key_random(NULL, 32);
}

/* All are in the one heap that the library makes with the first of them. */
TEST_F(turns, threads_may_make_the_first_key_together)
{
	enum { MANY = 4 };
	struct secmalloc_object o = { .size = sizeof(o) }, first = o;
	pthread_t thread[MANY];
	pthread_barrier_t meet;
	void *key[MANY];
	int i;

	ASSERT_EQ(0, pthread_barrier_init(&meet, NULL, MANY));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0,
			  pthread_create(&thread[i], NULL, make_first, &meet));
	/* While one is being made its neighbours are open, by pages. */
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, pthread_join(thread[i], &key[i]));
	for (i = 0; i < MANY; i++) {
		ASSERT_NOT_NULL(key[i]);
		ASSERT_EQ(0, secmalloc_report_object(key[i], &o));
		EXPECT_EQ(SECM_NONE, ta_access(key[i]));
		if (i == 0)
			first = o;
		EXPECT_NOT_NULL(o.heap);
		EXPECT_EQ(first.heap, o.heap);
	}
}

enum { ROUNDS = 2000, KEYS = 3, THREADS = 4 };

struct load {
	secmalloc_key *key[KEYS];
	int written[KEYS]; /* plain: whoever writes the key is alone */
	int torn;
};

static int is_whole(const unsigned char *p)
{
	int i;

	for (i = 1; i < 48; i++)
		if (p[i] != p[0])
			return 0;
	return 1;
}

static void *churn(void *arg)
{
	struct load *load = arg;
	int round, torn = 0;

	for (round = 0; round < ROUNDS; round++) {
		int k = round % KEYS;
		secmalloc_key *key = load->key[k];
		const unsigned char *p;
		unsigned char *w;

		p = round % 5 ? secmalloc_key_read(key)
			      : secmalloc_key_try_read(key);
		if (p) {
			torn += !is_whole(p);
			if (round % 7 == 0)
				torn += secmalloc_key_equal(key, key) != 1;
			secmalloc_key_read_end(key);
		}
		if (round % 4)
			continue;
		w = secmalloc_key_write(key);
		ASSERT_NOT_NULL(w);
		torn += !is_whole(w);
		load->written[k]++;
		memset(w, load->written[k] & 0xff, 48);
		secmalloc_key_write_end(key);
	}
	ASSERT_EQ(0, pthread_mutex_lock(&clock_mutex));
	load->torn += torn;
	ASSERT_EQ(0, pthread_mutex_unlock(&clock_mutex));
	return NULL;
}

/* Nobody ever sees half of what another thread writes, and no write is lost. */
TEST_F(turns, nothing_is_torn_under_load)
{
	struct load load = { .torn = 0 };
	pthread_t thread[THREADS];
	int i, sum = 0;

	for (i = 0; i < KEYS; i++)
		load.key[i] = secmalloc_key_from(NULL, (char[48]){ 0 }, 48);
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, churn, &load));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	EXPECT_EQ(0, load.torn);
	for (i = 0; i < KEYS; i++) {
		const unsigned char *p = secmalloc_key_read(load.key[i]);

		EXPECT_EQ(load.written[i] & 0xff, p[0]);
		secmalloc_key_read_end(load.key[i]);
		sum += load.written[i];
		secmalloc_key_free(load.key[i]);
	}
	EXPECT_EQ(THREADS * ROUNDS / 4, sum);
	EXPECT_TRUE(t_no_turns());
}
