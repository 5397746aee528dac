/* SPDX-License-Identifier: MIT */
/*
 * test_keyring.c - secmalloc_keyring_read(): keys that the kernel keeps
 *
 * Each test is a process of its own, and so is its process keyring.
 */
#include "t_io.h"
#include "t_scan.h"

#include <stdlib.h>

#define TYPE "user"
#define NAME "secmalloc-test:key"

enum {
	SIZE = 300,
	LONG = 5000,
	ODD_ERRNO = 4711,
	ROUNDS = 3000,
	MOST = 1000000
};

#ifdef __linux__
#include "t_filter.h"

#include <linux/keyctl.h>
#include <pthread.h>

static const char *no_keyrings(void)
{
	struct secmalloc_report r = { .size = sizeof(r) };

	if (secmalloc_report(&r) == 0 && strcmp(r.backend, "linux") != 0)
		return "this backend has no keyrings";
	if (syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING,
		    0) < 0 &&
	    errno != ENOKEY)
		return errno == ENOSYS ? "this kernel has no keyrings"
				       : "keyrings are forbidden here";
	return NULL;
}

FIXTURE(keyring)
{
	char unused;
};

TA_VARIANTS(keyring);

FIXTURE_SETUP(keyring)
{
	TA_BEGIN(&variant->tier);
	if (no_keyrings())
		SKIP(return, "%s", no_keyrings());
}

FIXTURE_TEARDOWN(keyring)
{
}

/* Makes it, or gives it other contents; of these nothing else stays. */
static long put(const char *type, const char *name, long keyring, size_t size,
		unsigned seed)
{
	unsigned char *p = malloc(size);
	size_t i;
	long key;

	for (i = 0; i < size; i++)
		p[i] = ti_byte(i, seed);
	key = syscall(SYS_add_key, type, name, p, size, keyring);
	secmalloc_wipe(p, size);
	free(p);
	return key;
}

static long add(size_t size, unsigned seed)
{
	long key = put(TYPE, NAME, KEY_SPEC_PROCESS_KEYRING, size, seed);

	ASSERT_LT(0, key);
	return key;
}

static void *read_it(void)
{
	return secmalloc_keyring_read(TYPE, NAME, NULL, NULL);
}

TEST_F(keyring, a_key_becomes_an_object)
{
	struct secmalloc_loaded l = { .size = sizeof(l), .error = 1 };
	void *p;

	(void)add(SIZE, 1);
	errno = ODD_ERRNO;
	p = secmalloc_keyring_read(TYPE, NAME, NULL, &l);
	EXPECT_EQ(ODD_ERRNO, errno);
	EXPECT_TRUE(ti_is_object(p, SIZE, 1));
	EXPECT_EQ(p, l.data);
	EXPECT_EQ(SIZE, l.length);
	EXPECT_EQ(0, l.error);
	EXPECT_EQ(SECMALLOC_WAY_STREAM, l.way);
	EXPECT_TRUE(ti_is_object(read_it(), SIZE, 1)); /* still there */
}

TEST_F(keyring, the_threads_and_the_sessions_are_looked_at)
{
	ASSERT_LT(0, put(TYPE, NAME "1", KEY_SPEC_THREAD_KEYRING, SIZE, 1));
	ASSERT_LT(0, syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
	ASSERT_LT(0, put(TYPE, NAME "2", KEY_SPEC_SESSION_KEYRING, SIZE, 2));
	EXPECT_TRUE(ti_is_object(
		secmalloc_keyring_read(TYPE, NAME "1", NULL, NULL), SIZE, 1));
	EXPECT_TRUE(ti_is_object(
		secmalloc_keyring_read(TYPE, NAME "2", NULL, NULL), SIZE, 2));
}

/* The control: what a program leaves that does it itself. */
TEST_F(keyring, an_ordinary_buffer_has_it_afterwards)
{
	long key = add(SIZE, 3);
	char *p = malloc(SIZE);
	int places;

	ASSERT_EQ(SIZE, syscall(SYS_keyctl, KEYCTL_READ, key, p, SIZE));
	places = ti_places(ti_byte, SIZE, 3);
	free(p);
	if (places < 0)
		SKIP(return, "memory cannot be read here");
	EXPECT_LT(0, places);
}

TEST_F(keyring, no_other_memory_has_it)
{
	void *p;

	(void)add(SIZE, 4);
	TI_IS_NOWHERE(ti_byte, SIZE, 4);
	p = read_it();
	EXPECT_TRUE(ti_is_object(p, SIZE, 4));
	TI_IS_NOWHERE(ti_byte, SIZE, 4);
	secfree(p);
	TI_IS_NOWHERE(ti_byte, SIZE, 4);
}

TEST_F(keyring, what_is_not_there_is_not_found)
{
	struct secmalloc_loaded l = { .size = sizeof(l), .data = &l };

	(void)add(SIZE, 5);
	EXPECT_NULL(secmalloc_keyring_read(TYPE, NAME "x", NULL, &l));
	EXPECT_EQ(ENOKEY, errno);
	EXPECT_EQ(ENOKEY, l.error);
	EXPECT_NULL(l.data);
	EXPECT_EQ(SECMALLOC_WAY_NONE, l.way);
	EXPECT_NULL(
		secmalloc_keyring_read("secmalloc-no-type", NAME, NULL, &l));
	EXPECT_EQ(ENOKEY, errno);
	EXPECT_NULL(secmalloc_keyring_read(".user", NAME, NULL, &l));
	EXPECT_EQ(EPERM, errno);
}

/* Of a key in the only keyring that there is; what other keyrings lack is more to
 * the kernel than a key that cannot be used. */
TEST_F(keyring, what_is_not_for_use_is_told_apart)
{
	const long all = 0x3f3f3f3f; /* six rights of four kinds of users */
	long key;

	ASSERT_LT(0, syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
	key = put(TYPE, NAME, KEY_SPEC_SESSION_KEYRING, SIZE, 6);
	ASSERT_LT(0, key);
	ASSERT_EQ(0, syscall(SYS_keyctl, KEYCTL_SETPERM, key,
			     all & ~0x08080808L)); /* to search for it */
	EXPECT_NULL(read_it());
	EXPECT_EQ(EACCES, errno);
	ASSERT_EQ(0, syscall(SYS_keyctl, KEYCTL_SETPERM, key, all));
	EXPECT_TRUE(ti_is_object(read_it(), SIZE, 6));
	ASSERT_EQ(0, syscall(SYS_keyctl, KEYCTL_REVOKE, key));
	EXPECT_NULL(read_it());
	EXPECT_EQ(EKEYREVOKED, errno);
}

TEST_F(keyring, some_keys_cannot_be_read)
{
	if (put("logon", NAME, KEY_SPEC_PROCESS_KEYRING, SIZE, 1) < 0)
		SKIP(return, "no keys of that type: %s", strerror(errno));
	EXPECT_NULL(secmalloc_keyring_read("logon", NAME, NULL, NULL));
	EXPECT_EQ(EOPNOTSUPP, errno);
}

TEST_F(keyring, more_than_max_is_refused)
{
	struct secmalloc_load_options o = { .max = SIZE - 1 };

	(void)add(SIZE, 7);
	EXPECT_NULL(secmalloc_keyring_read(TYPE, NAME, &o, NULL));
	EXPECT_EQ(EFBIG, errno);
	o.max = SIZE;
	EXPECT_TRUE(ti_is_object(secmalloc_keyring_read(TYPE, NAME, &o, NULL),
				 SIZE, 7));
}

TEST_F(keyring, a_string_has_a_zero_byte_behind_it)
{
	struct secmalloc_load_options o = { .flags = SECMALLOC_LOAD_STRING };
	struct secmalloc_loaded l = { .size = sizeof(l) };
	char *p;

	ASSERT_LT(0, syscall(SYS_add_key, TYPE, NAME, "secret", 6,
			     KEY_SPEC_PROCESS_KEYRING));
	p = secmalloc_keyring_read(TYPE, NAME, &o, &l);
	EXPECT_STREQ("secret", p);
	EXPECT_EQ(6, l.length);
	EXPECT_EQ(7, secmalloc_usable_size(p));
}

TEST_F(keyring, a_heap_of_scopes_has_it_closed)
{
	secmalloc_heap *heap = ta_scoped(&variant->tier, 0);
	struct secmalloc_load_options o = { .heap = heap,
					    .flags = SECMALLOC_LOAD_GUARDED };
	char *p;

	ASSERT_NOT_NULL(o.heap);
	(void)add(SIZE, 8);
	p = secmalloc_keyring_read(TYPE, NAME, &o, NULL);
	ASSERT_NOT_NULL(p);
	EXPECT_EQ(SECM_NONE, ta_access(p));
	ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READONLY));
	EXPECT_TRUE(ti_is_object(p, SIZE, 8));
	secmalloc_end(p, SECMALLOC_READONLY);
}

TEST_F(keyring, without_memory_there_is_an_error)
{
	struct secmalloc_config c = { .need = variant->tier.need,
				      .flags = variant->tier.flags,
				      .pool_size = 1,
				      .max_bytes = ta_page() };
	struct secmalloc_load_options o = { .heap = secmalloc_heap_create(&c) };

	ASSERT_NOT_NULL(o.heap);
	(void)add(LONG, 9);
	EXPECT_NULL(secmalloc_keyring_read(TYPE, NAME, &o, NULL));
	EXPECT_EQ(ENOMEM, errno);
}

static int finished;

static void *change(void *arg)
{
	while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE)) {
		(void)add(LONG, 10);
		(void)add(SIZE, 11);
	}
	return arg;
}

TEST_F(keyring, of_one_that_changes_one_state_is_had)
{
	int i, seen[2] = { 0, 0 };
	pthread_t thread;

	(void)add(SIZE, 11);
	ASSERT_EQ(0, pthread_create(&thread, NULL, change, NULL));
	for (i = 0; i < ROUNDS || (i < MOST && !(seen[0] && seen[1])); i++) {
		void *p = read_it();

		EXPECT_TRUE(ti_is_object(p, SIZE, 11) ||
			    ti_is_object(p, LONG, 10))
		{
			TH_LOG("%p, %zu bytes, errno %d", p,
			       p ? secmalloc_usable_size(p) : 0, errno);
		}
		seen[p && secmalloc_usable_size(p) == LONG]++;
		secfree(p);
		if (i >= ROUNDS)
			(void)sched_yield();
	}
	__atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	if (!seen[0] || !seen[1])
		SKIP(return, "control: it never changed in between");
}

/* A filter's answer is the caller's. */
static void filtered(long call, int error)
{
	pid_t pid = fork();

	if (pid == 0) {
		void *p;

		(void)add(SIZE, 12);
		p = read_it();
		EXPECT_TRUE(ti_is_object(p, SIZE, 12)); /* the control */
		if (t_put_filter(call, T_ERROR((unsigned)error)) != 0)
			_exit(1);
		EXPECT_NULL(read_it());
		EXPECT_EQ(error, errno);
		_exit(0);
	}
	if (ta_status(pid) != 0)
		SKIP(return, "no filters here");
}

TEST_F(keyring, a_filters_error_is_passed_on)
{
	filtered(SYS_request_key, EPERM);
	filtered(SYS_request_key, ENOSYS);
	filtered(SYS_request_key, EKEYEXPIRED);
	filtered(SYS_keyctl, EPERM);
	filtered(SYS_keyctl, ENOSYS);
}
#endif

TEST(wrong_arguments_are_refused)
{
	struct secmalloc_load_options o = { .flags = 0x8000 };
	struct secmalloc_loaded l = { .size = 1 };

	EXPECT_NULL(secmalloc_keyring_read(NULL, NAME, NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_keyring_read(TYPE, NULL, NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_keyring_read(TYPE, NAME, &o, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_keyring_read(TYPE, NAME, NULL, &l));
	EXPECT_EQ(EINVAL, errno);
}

TEST(other_backends_say_that_they_have_none)
{
	struct secmalloc_report r = { .size = sizeof(r) };

	ASSERT_EQ(0, secmalloc_report(&r));
	errno = 0;
	EXPECT_NULL(secmalloc_keyring_read(TYPE, NAME "none", NULL, NULL));
	EXPECT_EQ(strcmp(r.backend, "linux") != 0, errno == ENOTSUP);
}
