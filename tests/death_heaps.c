/* SPDX-License-Identifier: MIT */
/*
 * death_heaps.c - misuse of heaps, and of objects in them
 */
#include "t_api.h"

#include "die.h"
#include "ksft.h"
#include "t_util.h"

TA_TIERS(heap_dies);

/* In a child, where the objects of before are dead. */
#define DIES(line, ...)                                                   \
	EXPECT_DEATH(SIGABRT, line, {                                     \
		secmalloc_heap *a = ta_heap(&variant->tier, 0);           \
		unsigned char *p = ta_hide(secmalloc_heap_malloc(a, 40)); \
                                                                          \
		__VA_ARGS__;                                              \
	})

TEST_F(heap_dies, proper_use_is_fine_control)
{
	secmalloc_heap *a = ta_heap(&variant->tier, 0);
	unsigned char *p = ta_hide(secmalloc_heap_malloc(a, 40));

	ASSERT_NOT_NULL(p);
	memset(p, 1, 40);
	secfree(p);
	(void)secmalloc_verify();
	secmalloc_heap_destroy(a);
}

TEST_F(heap_dies, misuse_dies_with_its_line)
{
	DIES(SECM_DIE_OVERFLOW, p[40]++; secfree(p));
	DIES(SECM_DIE_DOUBLE_FREE, secfree(p); secfree(p));
	DIES(SECM_DIE_INTERIOR, secfree(p + 16));
	DIES(SECM_DIE_SIZE, secmalloc_free_sized(p, 41));
	DIES(SECM_DIE_WRITE_AFTER_FREE, secfree(p); p[3] = 1;
	     EXPECT_EQ(0, secmalloc_verify()));
	DIES(SECM_DIE_DOUBLE_FREE, secmalloc_heap_destroy(a); secfree(p));
	DIES(SECM_DIE_HEAP, secmalloc_heap_destroy(a); EXPECT_NOT_NULL(p);
	     EXPECT_NULL(secmalloc_heap_malloc(a, 1)));
	DIES(SECM_DIE_HEAP, secmalloc_heap_destroy(a);
	     secmalloc_heap_destroy(a); (void)p);
}
