/* SPDX-License-Identifier: MIT */
/*
 * test_os_keys.c - what every backend promises in os.h: protection keys
 */
#include "t_os.h"

#include "ksft.h"

T_OS_FIXTURE(os_keys)
T_OS_SECRET(os_keys);
T_OS_LOCKED(os_keys);
T_OS_PLAIN(os_keys);

enum { CLOSED = SECM_KEY_CLOSED, READ = SECM_KEY_READ, MOST = 16 };

/* What it says beside each result holds, key or not. */
TEST_F(os_keys, there_is_a_key_or_a_reason)
{
	int key = secm_os_key_new(), i;

	if (key < 0) {
		EXPECT_EQ(-ENOTSUP, key);
		return;
	}
	ASSERT_GT(key, 0);
	for (i = 1; i < MOST && key >= 0; i++) {
		EXPECT_LT(key, MOST);
		key = secm_os_key_new();
	}
	EXPECT_EQ(-ENOSPC, key);
}

TEST_F(os_keys, rights_close_and_open_pages_that_have_it)
{
	struct t_os *t = &self->t;
	int key = secm_os_key_new();
	uint32_t mask;

	if (key == -ENOTSUP)
		SKIP(return, "no protection keys here");
	ASSERT_GT(key, 0);
	mask = (uint32_t)(CLOSED | READ) << 2 * key;
	ASSERT_EQ(0, t_map_present(t));
	ASSERT_EQ(0, secm_os_key_pages(t->at, t->len, (unsigned)key));
	memset(t->at, 'x', t->len);
	EXPECT_EQ(0, secm_os_rights(mask, (uint32_t)CLOSED << 2 * key) & mask);
	EXPECT_EQ(SECM_NONE, t_access(t, t->at, t->len));
	(void)secm_os_rights(mask, (uint32_t)READ << 2 * key);
	EXPECT_EQ(SECM_READ, t_access(t, t->at, t->len));
	EXPECT_EQ((uint32_t)READ << 2 * key, secm_os_rights(mask, 0) & mask);
	EXPECT_EQ(SECM_READWRITE, t_access(t, t->at, t->len));
	EXPECT_TRUE(t_holds(t->at, t->len, 'x'));
	/* Of others nothing is changed, and the place is as any when it is
	 * given back. */
	(void)secm_os_rights(mask, (uint32_t)CLOSED << 2 * key);
	ASSERT_EQ(0, secm_os_unmap(t->at, t->len));
	ASSERT_EQ(0, t_map_present(t));
	EXPECT_EQ(SECM_READWRITE, t_access(t, t->at, t->len));
}
