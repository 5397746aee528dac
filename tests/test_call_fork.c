/* SPDX-License-Identifier: MIT */
/*
 * test_call_fork.c - what becomes of secret stacks in a child
 */
#include "t_api.h"

#include <pthread.h>

#include "ksft.h"
#include "t_util.h"

TA_TIERS(stacks);

static size_t objects(void)
{
	struct secmalloc_stats s = { .size = sizeof(s) };

	EXPECT_EQ(0, secmalloc_stats(&s));
	return s.objects;
}

static int inside, leave;

static void stay_inside(void *arg)
{
	volatile char secret[64];

	secret[0] = *(char *)arg;
	__atomic_add_fetch(&inside, 1, __ATOMIC_ACQ_REL);
	while (!__atomic_load_n(&leave, __ATOMIC_ACQUIRE))
		(void)usleep(100);
	secret[1] = secret[0];
}

static void *call(void *arg)
{
	if (secmalloc_call(stay_inside, arg, 0) != 0)
		__atomic_add_fetch(&inside, 1000, __ATOMIC_ACQ_REL);
	return NULL;
}

/* They are those of threads that it does not have. */
TEST_F(stacks, are_not_in_a_child)
{
	struct secmalloc_config c = { .need = variant->tier.need,
				      .flags = variant->tier.flags };
	pthread_t thread[3];
	char x = 'x';
	int i;

	for (c.child = 0; c.child <= SECMALLOC_CHILD_COPY; c.child++) {
		secmalloc_shutdown();
		ASSERT_EQ(0, secmalloc_init(&c));
		inside = leave = 0;
		for (i = 0; i < 3; i++)
			ASSERT_EQ(0,
				  pthread_create(&thread[i], NULL, call, &x));
		while (__atomic_load_n(&inside, __ATOMIC_ACQUIRE) < 3)
			(void)usleep(100);
		if (inside > 3)
			SKIP(leave = 1, "no stacks here");
		EXPECT_EQ(3, objects()); /* the control */
		T_IN_CHILD(EXPECT_EQ(0, objects());
			   EXPECT_EQ(0, secmalloc_verify());
			   EXPECT_NOT_NULL(secmalloc_guarded(60000)););
		__atomic_store_n(&leave, 1, __ATOMIC_RELEASE);
		for (i = 0; i < 3; i++)
			ASSERT_EQ(0, pthread_join(thread[i], NULL));
	}
}
