/* SPDX-License-Identifier: MIT */
/*
 * test_heaps_told.c - what is told of heaps besides the default one
 */
#include "t_api.h"

#include "ksft.h"

static enum secmalloc_reason asked;

static int remember(const struct secmalloc_oom *oom, void *arg)
{
	(void)arg;
	asked = oom->reason;
	return 0;
}

static char told[4000];

static void collect(int level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	if (strlen(told) + strlen(line) + 2 < sizeof(told))
		strcat(strcat(told, line), "\n");
}

/* Lines and handlers are the process's, reasons the heap's. */
TEST(refusals_of_each_are_told)
{
	struct secmalloc_config c = { .flags = SECMALLOC_BEST_EFFORT,
				      .log_level = SECMALLOC_LOG_INFO,
				      .log = collect };
	struct secmalloc_config small = { .flags = SECMALLOC_BEST_EFFORT,
					  .max_bytes = 1 << 17 };
	secmalloc_heap *a;

	ASSERT_EQ(0, secmalloc_init(&c));
	secmalloc_set_oom_handler(remember, NULL);
	a = secmalloc_heap_create(&small);
	ASSERT_NOT_NULL(a);
	told[0] = 0;
	EXPECT_NULL(secmalloc_heap_malloc(a, 1 << 20));
	EXPECT_EQ(SECMALLOC_REASON_MAX_BYTES, asked);
	EXPECT_NOT_NULL(strstr(told, "max_bytes"))
	{
		TH_LOG("%s", told);
	}
	secmalloc_heap_destroy(a);
}
