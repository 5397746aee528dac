/* SPDX-License-Identifier: MIT */
/*
 * death_scopes.c - misuse of access scopes
 */
#include "t_api.h"

#include "die.h"
#include "ksft.h"
#include "t_util.h"

TA_TIERS(scope_dies);

enum { RO = SECMALLOC_READONLY, RW = SECMALLOC_READWRITE };

/* In a child, with two closed objects and an open one. */
#define DIES(line, ...)                                                   \
	EXPECT_DEATH(SIGABRT, line, {                                     \
		secmalloc_heap *a = ta_scoped(&variant->tier, 0);         \
		unsigned char *p = ta_hide(secmalloc_heap_malloc(a, 40)); \
		unsigned char *q = ta_hide(secmalloc_heap_malloc(a, 40)); \
		unsigned char *g = ta_hide(secmalloc_guarded(40));        \
                                                                          \
		EXPECT_TRUE(p &&q &&g);                                   \
		__VA_ARGS__;                                              \
	})

#define BEGIN(p, access) EXPECT_EQ(0, secmalloc_begin(p, access))

TEST_F(scope_dies, proper_use_is_fine_control)
{
	secmalloc_heap *a = ta_scoped(&variant->tier, 0);
	unsigned char *p = secmalloc_heap_malloc(a, 40);

	BEGIN(p, RO);
	BEGIN(p, RW);
	EXPECT_EQ(0, secmalloc_heap_begin(a, RW));
	secmalloc_end(p, RO);
	secmalloc_heap_end(a, RW);
	secmalloc_end(p, RW);
	secfree(p);
	secmalloc_heap_destroy(a);
}

TEST_F(scope_dies, an_end_too_many_dies)
{
	DIES(SECM_DIE_SCOPE, secmalloc_end(p, RO));
	DIES(SECM_DIE_SCOPE, BEGIN(p, RO); secmalloc_end(p, RW));
	DIES(SECM_DIE_SCOPE, BEGIN(p, RW); secmalloc_end(p, RO));
	DIES(SECM_DIE_SCOPE, BEGIN(p, RW); secmalloc_end(q, RW));
	DIES(SECM_DIE_SCOPE, BEGIN(p, RW); secmalloc_end(p + 1, RW));
	DIES(SECM_DIE_SCOPE, BEGIN(p, RW); secmalloc_end(p, RW);
	     secmalloc_end(p, RW));
	DIES(SECM_DIE_SCOPE, secmalloc_end(NULL, RO));
	DIES(SECM_DIE_SCOPE, secmalloc_end(&a, RO));
	DIES(SECM_DIE_SCOPE, secmalloc_end(g, RO));
	DIES(SECM_DIE_SCOPE, BEGIN(g, RO); secmalloc_end(g, 0));
	DIES(SECM_DIE_SCOPE, BEGIN(g, RO); secmalloc_end(g, RO);
	     secmalloc_end(g, RO));
}

TEST_F(scope_dies, so_does_one_of_a_heap)
{
	DIES(SECM_DIE_SCOPE, secmalloc_heap_end(a, RO));
	DIES(SECM_DIE_SCOPE, EXPECT_EQ(0, secmalloc_heap_begin(a, RO));
	     secmalloc_heap_end(a, RW));
	DIES(SECM_DIE_SCOPE, BEGIN(p, RO);
	     EXPECT_EQ(0, secmalloc_heap_begin(a, RO));
	     secmalloc_heap_end(a, RO); secmalloc_heap_end(a, RW));
	DIES(SECM_DIE_SCOPE, secmalloc_heap_end(NULL, RO));
	DIES(SECM_DIE_HEAP, secmalloc_heap_destroy(a);
	     secmalloc_heap_end(a, RO));
}

TEST_F(scope_dies, so_does_one_that_a_shutdown_came_before)
{
	DIES(SECM_DIE_SCOPE, BEGIN(p, RO); secmalloc_shutdown();
	     secmalloc_end(p, RO));
	DIES(SECM_DIE_SCOPE, BEGIN(g, RW); secmalloc_shutdown();
	     secmalloc_end(g, RW));
}

TEST_F(scope_dies, what_is_in_a_scope_is_not_freed_or_moved)
{
	DIES(SECM_DIE_SCOPE_FREE, BEGIN(p, RO); secfree(p));
	DIES(SECM_DIE_SCOPE_FREE, BEGIN(g, RW); secfree(g));
	DIES(SECM_DIE_SCOPE_FREE, BEGIN(p, RW);
	     EXPECT_NULL(secrealloc(p, 30000)));
	/* Within its own pages too. */
	DIES(SECM_DIE_SCOPE_FREE, p = secmalloc_heap_malloc(a, 40000);
	     BEGIN(p, RW); EXPECT_NULL(secrealloc(p, 40900)));
	DIES(SECM_DIE_SCOPE_FREE, g = secmalloc_guarded(6000); BEGIN(g, RO);
	     EXPECT_NULL(secrealloc(g, 6100)));
}

/* Being open does not make a changed canary good. */
TEST_F(scope_dies, checks_hold_inside_of_scopes)
{
	DIES(SECM_DIE_OVERFLOW, BEGIN(p, RW); p[40]++; secmalloc_end(p, RW);
	     secfree(p));
	DIES(SECM_DIE_OVERFLOW, BEGIN(p, RW); p[40]++;
	     EXPECT_EQ(0, secmalloc_verify()));
	DIES(SECM_DIE_DOUBLE_FREE, secfree(p); secfree(p));
	DIES(SECM_DIE_INTERIOR, secfree(p + 16));
}
