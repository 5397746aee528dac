/* SPDX-License-Identifier: MIT */
/*
 * test_key_torn.c - a child's copy of a key that was being written (T67)
 */
#include "t_key.h"

TA_TIERS(key_torn);

static void expect_not_read(const secmalloc_key *key)
{
	errno = 0;
	EXPECT_NULL(secmalloc_key_read(key));
	EXPECT_EQ(EPERM, errno);
	errno = 0;
	EXPECT_NULL(secmalloc_key_try_read(key));
	EXPECT_EQ(EPERM, errno);
	errno = 0;
	EXPECT_NULL(secmalloc_key_clone(NULL, key));
	EXPECT_EQ(EPERM, errno);
	errno = 0;
	EXPECT_EQ(0, secmalloc_key_equal(key, key));
	EXPECT_EQ(EPERM, errno);
}

static struct {
	secmalloc_key *key;
	pthread_barrier_t step;
} half;

static void *write_in_two_steps(void *unused)
{
	unsigned char *p = secmalloc_key_write(half.key);

	memset(p, 2, 16);
	(void)pthread_barrier_wait(&half.step);
	(void)pthread_barrier_wait(&half.step);
	memset(p + 16, 2, 16);
	secmalloc_key_write_end(half.key);
	return unused;
}

/* The rest of it is written in the parent only. */
static void expect_torn(secmalloc_heap *heap)
{
	secmalloc_key *new;

	expect_not_read(half.key);
	T_IN_CHILD(expect_not_read(half.key));
	T_IN_CHILD({
		secmalloc_key_free(half.key);
		EXPECT_TRUE(t_no_turns());
	});
	secfree(half.key);
	do /* until it has the place */
		new = t_key(heap, 32, 4);
	while (new != half.key);
	EXPECT_TRUE(t_key_is(new, 32, 4));
}

static void expect_mended_by_writing(void)
{
	unsigned char *p = secmalloc_key_write(half.key);

	ASSERT_NOT_NULL(p);
	T_IN_CHILD({
		secmalloc_key_write_end(half.key);
		expect_not_read(half.key);
	});
	t_fill(p, 32, 3);
	secmalloc_key_write_end(half.key);
	EXPECT_TRUE(t_key_is(half.key, 32, 3));
	EXPECT_TRUE(t_no_turns());
}

TEST_F(key_torn, a_copy_has_nothing_half_written)
{
	secmalloc_heap *heap = ta_scoped(&variant->tier, SECMALLOC_CHILD_COPY);
	pthread_t thread;

	half.key = t_key(heap, 32, 1);
	ASSERT_EQ(0, pthread_barrier_init(&half.step, NULL, 2));
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_in_two_steps, NULL));
	(void)pthread_barrier_wait(&half.step);
	T_IN_CHILD(expect_torn(heap));
	T_IN_CHILD(expect_mended_by_writing());
	(void)pthread_barrier_wait(&half.step);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_NOT_NULL(secmalloc_key_read(half.key));
	T_IN_CHILD(EXPECT_NOT_NULL(secmalloc_key_read(half.key)));
}
