/* SPDX-License-Identifier: MIT */
/*
 * test_key_fork.c - keys in children, after shutdown, in heaps that go (T67)
 */
#include "t_key.h"

#include <signal.h>

#include "compat.h"
#include "die.h"

TA_TIERS(key_fork);

enum { ODD_ERRNO = 4711 };

/* EPERM, whatever is tried. */
static void expect_gone(secmalloc_key *key, size_t size)
{
	errno = 0;
	EXPECT_NULL(secmalloc_key_read(key));
	EXPECT_EQ(EPERM, errno);
	errno = 0;
	EXPECT_NULL(secmalloc_key_try_write(key));
	EXPECT_EQ(EPERM, errno);
	errno = 0;
	EXPECT_NULL(secmalloc_key_clone(NULL, key));
	EXPECT_EQ(EPERM, errno);
	errno = 0;
	EXPECT_NULL(secmalloc_key_to_buf(NULL, key));
	EXPECT_EQ(EPERM, errno);
	errno = 0;
	EXPECT_EQ(0, secmalloc_key_equal(key, key));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(size, secmalloc_key_size(key));
}

/* A key of zeros would encrypt, and nobody would notice. */
TEST_F(key_fork, a_child_cannot_read_what_it_has_not_got)
{
	secmalloc_heap *heap =
		ta_scoped(&variant->tier, SECMALLOC_CHILD_NOTHING);
	secmalloc_key *a = t_key(NULL, 32, 1), *b = t_key(heap, 32, 2);
	secmalloc_buf *buf = secmalloc_buf_from(NULL, "x", 1);

	T_IN_CHILD({
		expect_gone(a, 32);
		expect_gone(b, 32);
		EXPECT_NULL(secmalloc_key_from_buf(NULL, buf));
		EXPECT_EQ(EPERM, errno);
		secmalloc_key_free(a);
		secmalloc_key_free(b);
		a = t_key(NULL, 32, 3);
		b = t_key(heap, 32, 4);
		EXPECT_TRUE(t_key_is(a, 32, 3));
		EXPECT_TRUE(t_key_is(b, 32, 4));
		EXPECT_EQ(SECM_NONE, ta_access(a));
		EXPECT_TRUE(t_no_turns());
	});
	EXPECT_TRUE(t_key_is(a, 32, 1));
	EXPECT_TRUE(t_key_is(b, 32, 2));
}

TEST_F(key_fork, a_copy_is_a_key_of_the_childs_own)
{
	secmalloc_heap *heap = ta_scoped(&variant->tier, SECMALLOC_CHILD_COPY);
	secmalloc_key *key = t_key(heap, 32, 1);

	T_IN_CHILD({
		unsigned char *p;

		EXPECT_EQ(SECM_NONE, ta_access(key));
		EXPECT_TRUE(t_key_is(key, 32, 1));
		p = secmalloc_key_write(key);
		ASSERT_NOT_NULL(p);
		t_fill(p, 32, 2);
		secmalloc_key_write_end(key);
		EXPECT_TRUE(t_key_is(key, 32, 2));
	});
	EXPECT_TRUE(t_key_is(key, 32, 1));
}

/* The library's own heap is like the default one in this, too. */
TEST(the_heap_of_all_keys_is_copied_if_the_default_one_is)
{
	struct secmalloc_config c = { .flags = SECMALLOC_BEST_EFFORT,
				      .child = SECMALLOC_CHILD_COPY };
	secmalloc_key *key;

	ASSERT_EQ(0, secmalloc_init(&c));
	key = t_key(NULL, 32, 1);
	T_IN_CHILD(EXPECT_TRUE(t_key_is(key, 32, 1)));
	EXPECT_TRUE(t_key_is(key, 32, 1));
}

/* Made before anything else, it sets the default heap up; later init is late. */
TEST(the_first_key_sets_the_library_up)
{
	secmalloc_key *key = secmalloc_key_random(NULL, 32);

	if (!key)
		SKIP(return, "no memory for secrets here");
	EXPECT_EQ(-1, secmalloc_init(NULL));
	EXPECT_EQ(EALREADY, errno);
}

/* Scopes are the parent's; to end them is allowed, and does nothing. */
TEST_F(key_fork, a_child_begins_without_scopes)
{
	secmalloc_heap *heap = ta_scoped(&variant->tier, SECMALLOC_CHILD_COPY);
	secmalloc_key *read = t_key(heap, 32, 1), *wrote = t_key(heap, 32, 2);

	ASSERT_NOT_NULL(secmalloc_key_read(read));
	ASSERT_NOT_NULL(secmalloc_key_read(read));
	ASSERT_NOT_NULL(secmalloc_key_write(wrote));
	T_IN_CHILD({
		EXPECT_EQ(SECM_NONE, ta_access(read));
		EXPECT_EQ(SECM_NONE, ta_access(wrote));
		EXPECT_TRUE(t_key_is(wrote, 32, 2)); /* no wait for itself */
		ASSERT_NOT_NULL(secmalloc_key_write(read));
		secmalloc_key_write_end(read);
		secmalloc_key_read_end(read);
		secmalloc_key_read_end(read);
		secmalloc_key_write_end(wrote);
		EXPECT_TRUE(t_no_turns());
		EXPECT_DEATH(SIGABRT, SECM_DIE_SCOPE,
			     secmalloc_key_read_end(read));
		secmalloc_key_free(read);
	});
	T_IN_CHILD({
		secmalloc_key_free(read);
		secmalloc_key_free(wrote);
		EXPECT_TRUE(t_no_turns());
	});
	EXPECT_NE(SECM_NONE, ta_access(read)); /* pages may be shared */
	EXPECT_EQ(SECM_READWRITE, ta_access(wrote));
	secmalloc_key_read_end(read);
	secmalloc_key_read_end(read);
	secmalloc_key_write_end(wrote);
	EXPECT_EQ(SECM_NONE, ta_access(wrote));
	EXPECT_TRUE(t_no_turns());
}

static secmalloc_key *window_busy, *window_free;
static int window_seen;

/* With our locks held by the thread that forks: it cannot wait for others. */
static void use_in_the_window(void)
{
	if (!window_busy)
		return;
	errno = 0;
	EXPECT_NULL(secmalloc_key_read(window_busy));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_TRUE(t_key_is(window_free, 32, 2));
	window_seen++;
}

/* Before the library's constructor, which has no priority. */
__attribute__((__constructor__(101))) static void register_early(void)
{
	(void)pthread_atfork(use_in_the_window, use_in_the_window, NULL);
}

struct held {
	secmalloc_key *key;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	int holds, stop;
};

static void *hold(void *arg)
{
	struct held *held = arg;

	ASSERT_NOT_NULL(secmalloc_key_write(held->key));
	ASSERT_EQ(0, pthread_mutex_lock(&held->mutex));
	held->holds = 1;
	ASSERT_EQ(0, pthread_cond_broadcast(&held->cond));
	while (!held->stop)
		ASSERT_EQ(0, pthread_cond_wait(&held->cond, &held->mutex));
	ASSERT_EQ(0, pthread_mutex_unlock(&held->mutex));
	secmalloc_key_write_end(held->key);
	return NULL;
}

static void *wait_to_read(void *arg)
{
	secmalloc_key *key = arg;

	ASSERT_NOT_NULL(secmalloc_key_read(key));
	secmalloc_key_read_end(key);
	return NULL;
}

/* Other threads have a scope, and wait for one, when this one forks. */
TEST_F(key_fork, a_child_does_not_wait_for_threads_it_has_not)
{
	secmalloc_heap *heap = ta_scoped(&variant->tier, SECMALLOC_CHILD_COPY);
	struct held held = { .key = t_key(heap, 32, 1),
			     .mutex = PTHREAD_MUTEX_INITIALIZER,
			     .cond = PTHREAD_COND_INITIALIZER };
	pthread_t holder, waiter;
	int i;

	ASSERT_EQ(0, pthread_create(&holder, NULL, hold, &held));
	ASSERT_EQ(0, pthread_mutex_lock(&held.mutex));
	while (!held.holds)
		ASSERT_EQ(0, pthread_cond_wait(&held.cond, &held.mutex));
	ASSERT_EQ(0, pthread_mutex_unlock(&held.mutex));
	ASSERT_EQ(0, pthread_create(&waiter, NULL, wait_to_read, held.key));
	t_until_waiting(held.key, 0, 1);
	window_free = t_key(heap, 32, 2);
	window_busy = held.key;
	for (i = 0; i < 3; i++)
		T_IN_CHILD({
			pthread_t again;

			EXPECT_NULL(secmalloc_key_read(held.key));
			EXPECT_EQ(EPERM, errno); /* test_key_torn.c */
			ASSERT_NOT_NULL(secmalloc_key_write(held.key));
			ASSERT_EQ(0, pthread_create(&again, NULL, wait_to_read,
						    held.key));
			t_until_waiting(held.key, 0, 1);
			secmalloc_key_write_end(held.key);
			ASSERT_EQ(0, pthread_join(again, NULL));
			EXPECT_TRUE(t_key_is(held.key, 32, 1));
			secmalloc_key_free(held.key);
			EXPECT_TRUE(t_no_turns());
		});
	EXPECT_EQ(6, window_seen);
	window_busy = NULL;
	ASSERT_EQ(0, pthread_mutex_lock(&held.mutex));
	held.stop = 1;
	ASSERT_EQ(0, pthread_cond_broadcast(&held.cond));
	ASSERT_EQ(0, pthread_mutex_unlock(&held.mutex));
	ASSERT_EQ(0, pthread_join(holder, NULL));
	ASSERT_EQ(0, pthread_join(waiter, NULL));
	EXPECT_TRUE(t_key_is(held.key, 32, 1));
}

struct traffic {
	secmalloc_key *key;
	int stop;
};

static void *read_on(void *arg)
{
	struct traffic *t = arg;

	while (!secm_load(&t->stop)) {
		ASSERT_NOT_NULL(secmalloc_key_write(t->key));
		secmalloc_key_write_end(t->key);
	}
	return NULL;
}

/* At any moment of what the other thread does. */
TEST_F(key_fork, forks_meet_threads_anywhere)
{
	secmalloc_heap *heap = ta_scoped(&variant->tier, SECMALLOC_CHILD_COPY);
	struct traffic t = { t_key(heap, 32, 1), 0 };
	pthread_t thread;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, read_on, &t));
	for (i = 0; i < 50; i++) {
		ASSERT_NOT_NULL(secmalloc_key_read(t.key));
		secmalloc_key_read_end(t.key);
		T_IN_CHILD({
			if (!t_no_turns()) { /* the other one was writing */
				ASSERT_NOT_NULL(secmalloc_key_write(t.key));
				secmalloc_key_write_end(t.key);
			}
			EXPECT_TRUE(t_key_is(t.key, 32, 1));
			EXPECT_TRUE(t_no_turns());
		});
	}
	secm_store(&t.stop, 1);
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

static secmalloc_key *of_handlers;
static int handled;

static void use_in_handler(void)
{
	if (!of_handlers)
		return;
	ASSERT_TRUE(t_key_is(of_handlers, 32, 1));
	handled++;
}

/* Those of others run before ours take the lock and after they let it go. */
TEST_F(key_fork, fork_handlers_may_use_keys)
{
	secmalloc_heap *heap = ta_scoped(&variant->tier, SECMALLOC_CHILD_COPY);

	of_handlers = t_key(heap, 32, 1);
	ASSERT_EQ(0, pthread_atfork(use_in_handler, use_in_handler,
				    use_in_handler));
	T_IN_CHILD(EXPECT_EQ(2, handled));
	EXPECT_EQ(2, handled);
}

TEST_F(key_fork, a_child_without_handlers_is_refused)
{
	secmalloc_key *key = t_key(NULL, 32, 1);
	int bad = 0;
	pid_t pid;

	if (strcmp(ta_report().backend, "linux") != 0)
		SKIP(return, "this backend cannot tell such children apart");
	pid = ta_raw_fork();
	if (pid == 0) {
		errno = 0;
		bad += secmalloc_key_read(key) || errno != EPERM;
		errno = 0;
		bad += secmalloc_key_random(NULL, 1) || errno != EPERM;
		bad += secmalloc_key_equal(key, key) != 0;
		secmalloc_key_free(key);
		_exit(bad);
	}
	EXPECT_EQ(0, ta_status(pid));
}

TEST_F(key_fork, shutdown_ends_keys_and_their_scopes)
{
	secmalloc_key *key = t_key(NULL, 32, 1), *other = t_key(NULL, 32, 2);

	ASSERT_NOT_NULL(secmalloc_key_read(key));
	errno = ODD_ERRNO;
	secmalloc_shutdown();
	EXPECT_EQ(ODD_ERRNO, errno);
	EXPECT_TRUE(t_no_turns());
	EXPECT_EQ(SECM_NONE, ta_access(key));
	expect_gone(key, 32);
	EXPECT_NULL(secmalloc_key_random(NULL, 32));
	EXPECT_EQ(EPERM, errno);
	ASSERT_EQ(0, ta_start(&variant->tier));
	expect_gone(other, 32);
	secmalloc_key_free(key);
	key = t_key(NULL, 32, 3);
	EXPECT_TRUE(t_key_is(key, 32, 3));
	EXPECT_EQ(SECM_NONE, ta_access(key));
	secmalloc_key_free(other);
}

TEST_F(key_fork, destroying_a_heap_ends_its_keys)
{
	secmalloc_heap *heap = ta_scoped(&variant->tier, 0);
	secmalloc_key *key = t_key(heap, 32, 1), *other = t_key(NULL, 32, 2);

	ASSERT_NOT_NULL(secmalloc_key_read(key));
	ASSERT_NOT_NULL(secmalloc_key_read(other));
	secmalloc_heap_destroy(heap);
	EXPECT_EQ(SECM_NONE, ta_access(key));
	EXPECT_DEATH(SIGABRT, SECM_DIE_SCOPE, secmalloc_key_read_end(key));
	EXPECT_EQ(SECM_READ, ta_access(other));
	secmalloc_key_read_end(other);
	EXPECT_TRUE(t_no_turns());
}
