/* SPDX-License-Identifier: MIT */
/*
 * test_key.c - what secmalloc.h promises of one key and one thread
 */
#include "t_key.h"

#include <signal.h>

TA_TIERS(key);

enum { ODD_ERRNO = 4711 };

static const size_t sizes[] = { 0, 1, 16, 100, 5000, 20000 };
enum { SIZES = sizeof(sizes) / sizeof(*sizes) };

static void *address(const secmalloc_key *key)
{
	return (void *)(uintptr_t)key;
}

TEST_F(key, has_its_bytes_in_scopes)
{
	size_t i;

	for (i = 0; i < SIZES; i++) {
		secmalloc_key *key = t_key(NULL, sizes[i], i);
		unsigned char *bytes;

		EXPECT_EQ(sizes[i], secmalloc_key_size(key));
		EXPECT_TRUE(t_key_is(key, sizes[i], i));
		bytes = secmalloc_key_write(key);
		ASSERT_NOT_NULL(bytes);
		EXPECT_TRUE(t_is_filled(bytes, sizes[i], i));
		t_fill(bytes, sizes[i], i + 100);
		secmalloc_key_write_end(key);
		EXPECT_TRUE(t_key_is(key, sizes[i], i + 100));
		secmalloc_key_free(key);
	}
	EXPECT_TRUE(t_no_turns());
}

/* T63: nobody reads or writes it at rest; a control in each scope. */
TEST_F(key, is_closed_outside_of_scopes)
{
	secmalloc_key *key = t_key(NULL, 32, 1);
	const unsigned char *p = address(key);

	EXPECT_EQ(SECM_NONE, ta_access(p));
	ASSERT_NOT_NULL(secmalloc_key_read(key));
	EXPECT_EQ(SECM_READ, ta_access(p));
	secmalloc_key_read_end(key);
	EXPECT_EQ(SECM_NONE, ta_access(p));
	ASSERT_NOT_NULL(secmalloc_key_write(key));
	EXPECT_EQ(SECM_READWRITE, ta_access(p));
	secmalloc_key_write_end(key);
	EXPECT_EQ(SECM_NONE, ta_access(p));
	EXPECT_EQ(1, secmalloc_key_equal(key, key));
	EXPECT_EQ(SECM_NONE, ta_access(p));
	EXPECT_TRUE(t_key_is(key, 32, 1));
}

/* T63, T64: what a touch ends in.  Sanitizers handle it themselves. */
TEST_F(key, a_touch_outside_of_its_scope_faults)
{
	secmalloc_key *key;
	volatile unsigned char *p;

	T_IN_CHILD({ /* control: the same touches inside */
		     key = t_key(NULL, 32, 1);
		     p = secmalloc_key_write(key);
		     p[0] = (unsigned char)(p[31] + 1);
		     secmalloc_key_write_end(key);
	});
	T_FAULTS({
		key = t_key(NULL, 32, 1);
		p = address(key);
		(void)p[0];
	});
	T_FAULTS({
		key = t_key(NULL, 32, 1);
		p = address(key);
		EXPECT_NOT_NULL(secmalloc_key_read(key));
		p[0] = 1;
	});
	T_FAULTS({
		key = t_key(NULL, 32, 1);
		p = secmalloc_key_write(key);
		secmalloc_key_write_end(key);
		p[0] = 1;
	});
}

TEST_F(key, reads_may_be_nested)
{
	secmalloc_key *key = t_key(NULL, 32, 1);
	const unsigned char *p = address(key);
	int i;

	for (i = 0; i < 10; i++)
		ASSERT_EQ(p, i % 2 ? secmalloc_key_try_read(key)
				   : secmalloc_key_read(key));
	EXPECT_EQ(1, secmalloc_key_equal(key, key));
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(SECM_READ, ta_access(p));
		secmalloc_key_read_end(key);
	}
	EXPECT_EQ(SECM_NONE, ta_access(p));
	EXPECT_NOT_NULL(secmalloc_key_try_write(key)); /* nothing is left */
	secmalloc_key_write_end(key);
	EXPECT_TRUE(t_no_turns());
}

/* Where the waiting forms would wait for their own thread. */
TEST_F(key, try_forms_are_busy_in_the_own_scope)
{
	secmalloc_key *key = t_key(NULL, 32, 1);

	ASSERT_NOT_NULL(secmalloc_key_try_read(key));
	errno = 0;
	EXPECT_NULL(secmalloc_key_try_write(key));
	EXPECT_EQ(EBUSY, errno);
	secmalloc_key_read_end(key);
	ASSERT_NOT_NULL(secmalloc_key_try_write(key));
	errno = 0;
	EXPECT_NULL(secmalloc_key_try_write(key));
	EXPECT_EQ(EBUSY, errno);
	errno = 0;
	EXPECT_NULL(secmalloc_key_try_read(key));
	EXPECT_EQ(EBUSY, errno);
	secmalloc_key_write_end(key);
	EXPECT_TRUE(t_key_is(key, 32, 1));
}

TEST_F(key, several_may_be_open_at_once)
{
	secmalloc_key *a = t_key(NULL, 32, 1), *b = t_key(NULL, 32, 2);

	ASSERT_NOT_NULL(secmalloc_key_read(a));
	ASSERT_NOT_NULL(secmalloc_key_write(b));
	memcpy(address(b), address(a), 32);
	secmalloc_key_read_end(a);
	EXPECT_EQ(SECM_READWRITE, ta_access(b));
	secmalloc_key_write_end(b);
	EXPECT_EQ(SECM_NONE, ta_access(b));
	EXPECT_EQ(1, secmalloc_key_equal(a, b));
}

TEST_F(key, from_copies_and_take_wipes_the_source)
{
	unsigned char bytes[100];
	secmalloc_key *a, *b;

	t_fill(bytes, sizeof(bytes), 7);
	a = secmalloc_key_from(NULL, bytes, sizeof(bytes));
	EXPECT_TRUE(t_is_filled(bytes, sizeof(bytes), 7));
	b = secmalloc_key_take(NULL, bytes, sizeof(bytes));
	EXPECT_TRUE(ta_holds(bytes, sizeof(bytes), 0));
	EXPECT_TRUE(t_key_is(a, sizeof(bytes), 7));
	EXPECT_TRUE(t_key_is(b, sizeof(bytes), 7));
	t_fill(bytes, sizeof(bytes), 8);
	EXPECT_NULL(secmalloc_key_take(NULL, bytes, SIZE_MAX));
	EXPECT_TRUE(t_is_filled(bytes, sizeof(bytes), 8));
}

TEST_F(key, random_ones_differ_and_clones_do_not)
{
	secmalloc_key *a = secmalloc_key_random(NULL, 32);
	secmalloc_key *b = secmalloc_key_random(NULL, 32), *c;

	ASSERT_NOT_NULL(a);
	EXPECT_EQ(SECM_NONE, ta_access(a));
	EXPECT_EQ(0, secmalloc_key_equal(a, b));
	c = secmalloc_key_clone(NULL, a);
	ASSERT_NOT_NULL(c);
	EXPECT_NE(a, c);
	EXPECT_EQ(SECM_NONE, ta_access(c));
	EXPECT_EQ(1, secmalloc_key_equal(a, c));
	secmalloc_key_free(a);
	EXPECT_EQ(1, secmalloc_key_equal(c, c));
	EXPECT_EQ(0, secmalloc_key_equal(c, b));
}

TEST_F(key, equal_looks_at_every_byte)
{
	secmalloc_key *a = t_key(NULL, 64, 1), *b = t_key(NULL, 64, 1);
	secmalloc_key *shorter = t_key(NULL, 63, 1);
	int i;

	EXPECT_EQ(0, secmalloc_key_equal(a, shorter));
	for (i = 0; i < 64; i++) {
		unsigned char *p = secmalloc_key_write(b);

		p[i] ^= (unsigned char)(1 << i % 8);
		secmalloc_key_write_end(b);
		EXPECT_EQ(0, secmalloc_key_equal(a, b));
		EXPECT_EQ(0, secmalloc_key_equal(b, a));
		p = secmalloc_key_write(b);
		p[i] ^= (unsigned char)(1 << i % 8);
		secmalloc_key_write_end(b);
		EXPECT_EQ(1, secmalloc_key_equal(a, b));
	}
	EXPECT_TRUE(t_no_turns());
}

TEST_F(key, buffers_become_keys_and_keys_buffers)
{
	secmalloc_buf *buf = secmalloc_buf_from(NULL, "secret", 6), *back;
	secmalloc_key *key = secmalloc_key_from_buf(NULL, buf);

	ASSERT_NOT_NULL(key);
	EXPECT_EQ(0, secmalloc_owns(buf)); /* it was consumed */
	EXPECT_EQ(6, secmalloc_key_size(key));
	back = secmalloc_key_to_buf(NULL, key);
	ASSERT_NOT_NULL(back);
	EXPECT_EQ(SECM_READWRITE, ta_access(back));
	EXPECT_EQ(1, secmalloc_buf_equal_bytes(back, "secret", 6));
	EXPECT_EQ(SECM_NONE, ta_access(key));
	secmalloc_key_free(key);
}

/* EINVAL; and errno is ready for the next one. */
static int refused(const void *result)
{
	int error = errno;

	errno = 0;
	return !result && error == EINVAL;
}

TEST_F(key, heaps_need_scopes_for_keys_and_none_for_buffers)
{
	secmalloc_heap *open = ta_heap(&variant->tier, 0);
	secmalloc_heap *closed = ta_scoped(&variant->tier, 0);
	secmalloc_buf *buf = secmalloc_buf_from(open, "x", 1);
	secmalloc_key *key = t_key(closed, 32, 1);

	EXPECT_EQ(1, secmalloc_heap_owns(closed, key));
	EXPECT_EQ(1, secmalloc_heap_owns(open, buf));
	EXPECT_TRUE(t_key_is(key, 32, 1));
	errno = 0;
	EXPECT_TRUE(refused(secmalloc_key_from(open, "x", 1)));
	EXPECT_TRUE(refused(secmalloc_key_take(open, NULL, 0)));
	EXPECT_TRUE(refused(secmalloc_key_random(open, 1)));
	EXPECT_TRUE(refused(secmalloc_key_clone(open, key)));
	EXPECT_TRUE(refused(secmalloc_key_from_buf(open, buf)));
	EXPECT_TRUE(refused(secmalloc_key_to_buf(closed, key)));
	EXPECT_TRUE(refused(secmalloc_buf_new(closed, 1)));
	EXPECT_TRUE(refused(secmalloc_buf_from(closed, "x", 1)));
	EXPECT_TRUE(refused(secmalloc_buf_random(closed, 1)));
	EXPECT_TRUE(refused(secmalloc_buf_clone(closed, buf)));
	EXPECT_TRUE(refused(secmalloc_buf_concat(closed, buf, buf)));
	EXPECT_TRUE(refused(secmalloc_buf_from_hex(closed, "00", 2)));
	EXPECT_TRUE(refused(secmalloc_buf_to_hex(closed, buf)));
	EXPECT_EQ(1, secmalloc_buf_equal_bytes(buf, "x", 1));
	EXPECT_TRUE(t_key_is(key, 32, 1));
	EXPECT_TRUE(t_no_turns());
}

TEST_F(key, bad_arguments_are_errors)
{
	secmalloc_key *key = t_key(NULL, 32, 1);
	secmalloc_key *ordinary = secmalloc(32);

	errno = 0;
	EXPECT_TRUE(refused(secmalloc_key_from(NULL, NULL, 1)));
	EXPECT_TRUE(refused(secmalloc_key_take(NULL, NULL, 1)));
	EXPECT_TRUE(refused(secmalloc_key_from_buf(NULL, NULL)));
	EXPECT_TRUE(refused(secmalloc_key_to_buf(NULL, NULL)));
	EXPECT_TRUE(refused(secmalloc_key_clone(NULL, NULL)));
	EXPECT_TRUE(refused(secmalloc_key_read(NULL)));
	EXPECT_TRUE(refused(secmalloc_key_try_read(NULL)));
	EXPECT_TRUE(refused(secmalloc_key_write(NULL)));
	EXPECT_TRUE(refused(secmalloc_key_try_write(NULL)));
	EXPECT_TRUE(refused(
		secmalloc_key_read(ordinary))); /* always open: no key */
	EXPECT_TRUE(refused(secmalloc_key_clone(NULL, ordinary)));
	errno = 0;
	EXPECT_EQ(0, secmalloc_key_equal(key, NULL));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_EQ(0, secmalloc_key_equal(NULL, key));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NULL(secmalloc_key_random(NULL, SIZE_MAX));
	EXPECT_EQ(ENOMEM, errno);
	errno = ODD_ERRNO;
	EXPECT_EQ(0, secmalloc_key_size(NULL));
	EXPECT_EQ(0, secmalloc_key_size(ordinary));
	secmalloc_key_free(NULL);
	secmalloc_key_free(key);
	EXPECT_EQ(ODD_ERRNO, errno);
	EXPECT_TRUE(t_no_turns());
}

TEST_F(key, success_keeps_errno)
{
	secmalloc_key *a, *b;

	errno = ODD_ERRNO;
	a = secmalloc_key_from(NULL, "x", 1);
	b = secmalloc_key_clone(NULL, a);
	EXPECT_EQ(1, secmalloc_key_equal(a, b));
	EXPECT_EQ(1, secmalloc_key_size(a));
	EXPECT_NOT_NULL(secmalloc_key_write(a));
	secmalloc_key_write_end(a);
	EXPECT_NOT_NULL(secmalloc_key_read(a));
	secmalloc_key_read_end(a);
	secmalloc_key_free(a);
	EXPECT_EQ(ODD_ERRNO, errno);
}

/* D3 of the design: small keys share pages, and emptied pages are kept. */
TEST_F(key, small_ones_share_pages_that_are_kept)
{
	enum { MANY = 200 };
	secmalloc_key *key[MANY];
	size_t pages = 0, mapped = 0;
	int round, i, j;

	for (round = 0; round < 3; round++) {
		struct secmalloc_stats s = { .size = sizeof(s) };

		for (i = 0; i < MANY; i++)
			key[i] = t_key(NULL, 32, (uint64_t)i);
		for (i = 0; i < MANY; i++) {
			ASSERT_TRUE(t_key_is(key[i], 32, (uint64_t)i));
			for (j = 0; j < i; j++)
				if ((uintptr_t)key[i] / ta_page() ==
				    (uintptr_t)key[j] / ta_page())
					break;
			pages += round == 0 && j == i;
		}
		for (i = 0; i < MANY; i++)
			secmalloc_key_free(key[i]);
		ASSERT_EQ(0, secmalloc_stats(&s));
		if (round == 0)
			mapped = s.mapped;
		EXPECT_EQ(mapped, s.mapped);
	}
	EXPECT_LE(pages, 4);
}

static void rewrite(secmalloc_key *key)
{
	SECMALLOC_KEY_WRITE(bytes, key);

	t_fill(bytes, 32, 2);
}

static int is_null(const secmalloc_key *key)
{
	SECMALLOC_KEY_READ(bytes, key); /* there is nothing to end then */

	return !bytes;
}

TEST_F(key, macros_end_their_scopes)
{
	secmalloc_key *key = t_key(NULL, 32, 1);
	int i;

	for (i = 0; i < 3; i++) {
		SECMALLOC_KEY_READ(bytes, key);

		EXPECT_TRUE(t_is_filled(bytes, 32, 1));
		if (i == 1)
			continue;
		EXPECT_EQ(SECM_READ, ta_access(bytes));
	}
	EXPECT_EQ(SECM_NONE, ta_access(key));
	rewrite(key);
	EXPECT_EQ(SECM_NONE, ta_access(key));
	EXPECT_FALSE(is_null(key));
	EXPECT_TRUE(is_null(NULL));
	EXPECT_TRUE(t_key_is(key, 32, 2));
	EXPECT_TRUE(t_no_turns());
}

/* A report tells whose a key is, so that can be destroyed. */
TEST_F(key, another_heap_of_all_keys_is_made_if_need_be)
{
	struct secmalloc_config c = { .need = variant->tier.need,
				      .flags = variant->tier.flags };
	struct secmalloc_object o = { .size = sizeof(o) };
	secmalloc_key *key = t_key(NULL, 32, 1);

	ASSERT_EQ(0, secmalloc_report_object(key, &o));
	secmalloc_heap_destroy(o.heap);
	ASSERT_NOT_NULL(secmalloc_heap_create(&c));
	ASSERT_NOT_NULL(key = t_key(NULL, 32, 2));
	EXPECT_TRUE(t_key_is(key, 32, 2));
}
