/* SPDX-License-Identifier: MIT */
/*
 * test_environment.c - secmalloc_env_take() of variables that the program has
 * set itself
 *
 * test_environment_start.c has what it was started with.
 */
#include "t_env.h"

#include <sys/resource.h>

TA_TIERS(environment);

enum { LENGTH = 200, ODD_ERRNO = 4711, BUDGET = 32 << 10 };

TEST_F(environment, a_variable_becomes_an_object)
{
	char *p;

	ASSERT_EQ(0, te_set(LENGTH, 1));
	errno = ODD_ERRNO;
	p = secmalloc_env_take(TE_NAME, NULL);
	EXPECT_EQ(ODD_ERRNO, errno);
	EXPECT_TRUE(te_is(p, LENGTH, 1));
	EXPECT_NULL(getenv(TE_NAME));
	EXPECT_NULL(secmalloc_env_take(TE_NAME, NULL));
	EXPECT_EQ(ENOENT, errno);
	secfree(p);
}

TEST_F(environment, getenv_leaves_it_in_other_memory)
{
	char *copy;
	int places;

	ASSERT_EQ(0, te_set(LENGTH, 2));
	copy = strdup(getenv(TE_NAME));
	ASSERT_EQ(0, unsetenv(TE_NAME));
	places = ti_places(te_byte, LENGTH, 2);
	free(copy);
	if (places < 0)
		SKIP(return, "memory cannot be read here");
	EXPECT_LT(0, places);
}

TEST_F(environment, taking_it_does_not)
{
	char *p;

	ASSERT_EQ(0, te_set(LENGTH, 3));
	TI_IS_SOMEWHERE(te_byte, LENGTH, 3);
	p = secmalloc_env_take(TE_NAME, NULL);
	EXPECT_TRUE(te_is(p, LENGTH, 3));
	TI_IS_NOWHERE(te_byte, LENGTH, 3);
	secfree(p);
	TI_IS_NOWHERE(te_byte, LENGTH, 3);
}

TEST_F(environment, the_string_given_to_putenv_is_wiped)
{
	static char string[sizeof(TE_NAME "=") + LENGTH] = TE_NAME "=";
	char *value = string + sizeof(TE_NAME "=") - 1, *p;

	te_fill(value, LENGTH, 4);
	ASSERT_EQ(0, putenv(string));
	p = secmalloc_env_take(TE_NAME, NULL);
	EXPECT_TRUE(te_is(p, LENGTH, 4));
	EXPECT_TRUE(ta_holds(value, LENGTH, 0));
	EXPECT_EQ(0, te_count(TE_NAME));
}

TEST_F(environment, the_string_that_getenv_found_is_empty)
{
	const char *found;

	ASSERT_EQ(0, te_set(LENGTH, 5));
	found = getenv(TE_NAME);
	ASSERT_NOT_NULL(found);
	EXPECT_TRUE(te_is(secmalloc_env_take(TE_NAME, NULL), LENGTH, 5));
	EXPECT_STREQ("", found);
}

TEST_F(environment, a_literal_is_refused)
{
	static const char literal[] = TE_NAME "=literal";

	ASSERT_EQ(0, putenv((char *)(size_t)literal));
	EXPECT_NULL(secmalloc_env_take(TE_NAME, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_STREQ("literal", getenv(TE_NAME));
}

/* Not even one of them is wiped. */
TEST_F(environment, one_that_cannot_be_wiped_saves_the_others)
{
	static const char literal[] = TE_NAME "=literal";
	static char first[] = TE_NAME "=first";
	char *two[] = { first, (char *)(size_t)literal, NULL };

	environ = two;
	EXPECT_NULL(secmalloc_env_take(TE_NAME, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_STREQ(TE_NAME "=first", first);
	EXPECT_EQ(2, te_count(TE_NAME));
}

TEST_F(environment, an_empty_value_is_an_empty_string)
{
	char *p;

	ASSERT_EQ(0, setenv(TE_NAME, "", 1));
	p = secmalloc_env_take(TE_NAME, NULL);
	ASSERT_NOT_NULL(p);
	EXPECT_STREQ("", p);
	EXPECT_EQ(1, secmalloc_usable_size(p));
	EXPECT_EQ(0, te_count(TE_NAME));
}

/* The first is what getenv() returns; others stay, in their order. */
TEST_F(environment, of_several_the_first_counts_and_all_go)
{
	static char a[] = "A=1", b[] = "B=2", c[] = "C";
	static char like[] = TE_NAME "_2=3", unlike[] = "X" TE_NAME "=4";
	static char first[] = TE_NAME "=first", again[] = TE_NAME "=again";
	char *all[] = { a, first, like, b, again, c, unlike, again, NULL };
	char *p;

	environ = all;
	ASSERT_EQ(3, te_count(TE_NAME));
	p = secmalloc_env_take(TE_NAME, NULL);
	EXPECT_STREQ("first", p);
	EXPECT_EQ(0, te_count(TE_NAME));
	EXPECT_STREQ("A=1", environ[0]);
	EXPECT_STREQ(TE_NAME "_2=3", environ[1]);
	EXPECT_STREQ("B=2", environ[2]);
	EXPECT_STREQ("C", environ[3]);
	EXPECT_STREQ("X" TE_NAME "=4", environ[4]);
	EXPECT_NULL(environ[5]);
	EXPECT_TRUE(ta_holds(first + sizeof(TE_NAME), 5, 0));
	EXPECT_TRUE(ta_holds(again + sizeof(TE_NAME), 5, 0));
}

TEST_F(environment, none_is_no_environment)
{
	char *empty[] = { NULL };

	environ = empty;
	EXPECT_NULL(secmalloc_env_take(TE_NAME, NULL));
	EXPECT_EQ(ENOENT, errno);
	environ = NULL;
	EXPECT_NULL(secmalloc_env_take(TE_NAME, NULL));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(0, te_set(LENGTH, 6));
	EXPECT_TRUE(te_is(secmalloc_env_take(TE_NAME, NULL), LENGTH, 6));
}

TEST_F(environment, what_is_no_name_is_refused)
{
	struct secmalloc_load_options o = { .flags = 0x8000 };

	ASSERT_EQ(0, te_set(LENGTH, 7));
	EXPECT_NULL(secmalloc_env_take(NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_env_take("", NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_env_take(TE_NAME "=", NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_env_take(TE_NAME, &o));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(1, te_count(TE_NAME));
}

TEST_F(environment, more_than_max_stays_where_it_is)
{
	struct secmalloc_load_options o = { .max = LENGTH - 1 };

	ASSERT_EQ(0, te_set(LENGTH, 8));
	EXPECT_NULL(secmalloc_env_take(TE_NAME, &o));
	EXPECT_EQ(EFBIG, errno);
	EXPECT_EQ(LENGTH, strlen(getenv(TE_NAME)));
	o.max = LENGTH;
	EXPECT_TRUE(te_is(secmalloc_env_take(TE_NAME, &o), LENGTH, 8));
}

TEST_F(environment, without_memory_nothing_is_lost)
{
	struct secmalloc_config c = { .need = variant->tier.need,
				      .flags = variant->tier.flags,
				      .pool_size = BUDGET,
				      .max_bytes = BUDGET };
	secmalloc_heap *heap = secmalloc_heap_create(&c);
	struct secmalloc_load_options o = { .heap = heap };

	ASSERT_NOT_NULL(heap);
	ASSERT_EQ(0, te_set((size_t)2 * BUDGET, 9));
	EXPECT_NULL(secmalloc_env_take(TE_NAME, &o));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(2 * BUDGET, strlen(getenv(TE_NAME)));
	ASSERT_EQ(0, te_set(LENGTH, 10));
	EXPECT_TRUE(te_is(secmalloc_env_take(TE_NAME, &o), LENGTH, 10));
}

TEST_F(environment, without_descriptors_nothing_is_lost)
{
	struct rlimit old;

	ASSERT_EQ(0, te_set(LENGTH, 11));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	ASSERT_EQ(0, ta_limit(RLIMIT_NOFILE, 0, old.rlim_max));
	EXPECT_NULL(secmalloc_env_take(TE_NAME, NULL));
	EXPECT_EQ(EMFILE, errno);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_TRUE(te_is(secmalloc_env_take(TE_NAME, NULL), LENGTH, 11));
}

TEST_F(environment, descriptors_are_not_left_open)
{
	int before = ta_descriptors();

	ASSERT_EQ(0, te_set(LENGTH, 12));
	EXPECT_TRUE(te_is(secmalloc_env_take(TE_NAME, NULL), LENGTH, 12));
	EXPECT_EQ(before, ta_descriptors());
}

TEST_F(environment, a_guarded_object_can_be_had)
{
	struct secmalloc_load_options o = { .flags = SECMALLOC_LOAD_GUARDED };
	char *p;

	ASSERT_EQ(0, te_set(LENGTH, 13));
	p = secmalloc_env_take(TE_NAME, &o);
	EXPECT_TRUE(te_is(p, LENGTH, 13));
	/* Which others refuse. */
	EXPECT_EQ(0, secmalloc_protect(p, SECMALLOC_READONLY));
}

TEST_F(environment, a_heap_of_scopes_has_it_closed)
{
	secmalloc_heap *heap = ta_scoped(&variant->tier, 0);
	struct secmalloc_load_options o = { .heap = heap };
	char *p;

	ASSERT_NOT_NULL(heap);
	ASSERT_EQ(0, te_set(LENGTH, 14));
	p = secmalloc_env_take(TE_NAME, &o);
	ASSERT_NOT_NULL(p);
	EXPECT_EQ(SECM_NONE, ta_access(p));
	ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READONLY));
	EXPECT_TRUE(te_is(p, LENGTH, 14));
	secmalloc_end(p, SECMALLOC_READONLY);
}
