/* SPDX-License-Identifier: MIT */
/*
 * death_key.c - misuse of keys ends the process with its line (T66)
 */
#include "t_key.h"

#include <signal.h>

#include "die.h"

TA_TIERS(key_dies);

/* In a child, where the keys of before are none. */
#define DIES(line, ...)                                           \
	EXPECT_DEATH(SIGABRT, line, {                             \
		secmalloc_key *key = ta_hide(t_key(NULL, 32, 1)); \
                                                                  \
		__VA_ARGS__;                                      \
	})

#define READ(key) EXPECT_NOT_NULL(secmalloc_key_read(key))
#define WRITE(key) EXPECT_NOT_NULL(secmalloc_key_write(key))

/* What a thread does to the key of another one. */
static void *read_it(void *key)
{
	READ(key);
	return NULL;
}

static void *end_reading(void *key)
{
	secmalloc_key_read_end(key);
	return NULL;
}

static void *wait_to_write(void *key)
{
	WRITE(key);
	return NULL;
}

static void *free_it(void *key)
{
	secmalloc_key_free(key);
	return NULL;
}

static void in_thread(void *(*what)(void *), secmalloc_key *key)
{
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, what, key));
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

TEST_F(key_dies, proper_use_is_fine_control)
{
	secmalloc_key *key = t_key(NULL, 32, 1);

	READ(key);
	READ(key);
	in_thread(read_it, key); /* and ends there */
	secmalloc_key_read_end(key);
	secmalloc_key_read_end(key);
	WRITE(key);
	secmalloc_key_write_end(key);
	secmalloc_key_free(key);
	(void)secmalloc_verify();
}

TEST_F(key_dies, waiting_for_itself)
{
	DIES(SECM_DIE_SELF, READ(key); WRITE(key));
	DIES(SECM_DIE_SELF, READ(key); READ(key); WRITE(key));
	DIES(SECM_DIE_SELF, WRITE(key); WRITE(key));
	DIES(SECM_DIE_SELF, WRITE(key); READ(key));
	DIES(SECM_DIE_SELF, WRITE(key);
	     EXPECT_EQ(1, secmalloc_key_equal(key, key)));
	DIES(SECM_DIE_SELF, WRITE(key);
	     EXPECT_NOT_NULL(secmalloc_key_clone(NULL, key)));
	DIES(SECM_DIE_SELF, WRITE(key);
	     EXPECT_NOT_NULL(secmalloc_key_to_buf(NULL, key)));
}

TEST_F(key_dies, ending_what_was_not_begun)
{
	DIES(SECM_DIE_SCOPE, secmalloc_key_read_end(key));
	DIES(SECM_DIE_SCOPE, secmalloc_key_write_end(key));
	DIES(SECM_DIE_SCOPE, secmalloc_key_read_end(NULL); (void)key);
	DIES(SECM_DIE_SCOPE, READ(key); secmalloc_key_write_end(key));
	DIES(SECM_DIE_SCOPE, WRITE(key); secmalloc_key_read_end(key));
	DIES(SECM_DIE_SCOPE, READ(key); secmalloc_key_read_end(key);
	     secmalloc_key_read_end(key));
	DIES(SECM_DIE_SCOPE, READ(key); in_thread(end_reading, key));
	DIES(SECM_DIE_SCOPE, READ(key);
	     secmalloc_key_read_end(t_key(NULL, 32, 2)));
}

TEST_F(key_dies, freeing_in_a_scope)
{
	DIES(SECM_DIE_SCOPE_FREE, READ(key); secmalloc_key_free(key));
	DIES(SECM_DIE_SCOPE_FREE, WRITE(key); secmalloc_key_free(key));
	DIES(SECM_DIE_SCOPE_FREE, READ(key); in_thread(free_it, key));
	DIES(SECM_DIE_SCOPE_FREE, READ(key); secfree(key));
}

/* Another thread is about to read what would be gone. */
TEST_F(key_dies, freeing_what_is_waited_for)
{
	DIES(SECM_DIE_SCOPE_FREE, {
		pthread_t thread;

		READ(key);
		ASSERT_EQ(0, pthread_create(&thread, NULL, wait_to_write, key));
		t_until_waiting(key, 1, 1);
		secmalloc_key_free(key);
	});
}

TEST_F(key_dies, what_is_no_key)
{
	static char own[100];
	char *p;

	DIES(SECM_DIE_DOUBLE_FREE, secmalloc_key_free(key);
	     secmalloc_key_free(key));
	DIES(SECM_DIE_REUSE, secmalloc_key_free(key); READ(key));
	DIES(SECM_DIE_REUSE, secmalloc_key_free(key); WRITE(key));
	DIES(SECM_DIE_REUSE, secmalloc_key_free(key);
	     EXPECT_EQ(0, secmalloc_key_size(key)));
	DIES(SECM_DIE_REUSE, secmalloc_key_free(key);
	     EXPECT_EQ(0, secmalloc_key_equal(key, key)));
	DIES(SECM_DIE_INTERIOR, p = (char *)(void *)key;
	     READ((secmalloc_key *)(void *)(p + 16)));
	DIES(SECM_DIE_WILD, READ((secmalloc_key *)(void *)own); (void)key);
	DIES(SECM_DIE_HEAP, {
		secmalloc_heap *heap = ta_scoped(&variant->tier, 0);

		secmalloc_heap_destroy(heap);
		EXPECT_NULL(secmalloc_key_clone(heap, key));
	});
	DIES(SECM_DIE_OVERFLOW, p = secmalloc_key_write(key); p[32] ^= 1;
	     secmalloc_key_write_end(key); secmalloc_key_free(key));
}
