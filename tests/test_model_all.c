/* SPDX-License-Identifier: MIT */
/*
 * test_model_all.c - random sequences of all public calls against a model
 *
 * As test_model.c, with every function there is, for each tier and way, and
 * with a segment, forks and shutdowns in between: t_model.h.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "ksft.h"
#include "t_heap.h"
#include "t_model.h"
#include "t_way.h"

T_WAYS(all);

enum { ROUNDS = 1800, KIB = 1024 };

static struct secm_heap *const heap = &secm_default_heap;
static int asked; /* out-of-memory handlers */

static int count_and_refuse(const struct secmalloc_oom *oom, void *arg)
{
	(void)arg;
	ASSERT_EQ(ENOMEM, oom->error);
	asked++;
	return 0;
}

static void run(const struct t_tier *tier, enum t_way way,
		const struct secmalloc_config *config)
{
	int i;

	secmalloc_set_oom_handler(count_and_refuse, NULL);
	for (i = 0; i < ROUNDS; i++) {
		t_model_step();
		if (i % 700 == 400)
			T_IN_CHILD({
				t_model_in_child();
				ASSERT_STREQ(NULL, t_broken(heap));
			});
		if (i % 900 == 899) {
			ASSERT_STREQ(NULL, t_broken(heap));
			secmalloc_shutdown();
			t_model_dies();
			ASSERT_EQ(0, t_begin_way(tier, way, config));
		}
	}
	t_model_end();
	ASSERT_EQ(0, secmalloc_verify());
	ASSERT_STREQ(NULL, t_broken(heap));
}

#define RUN(config)                                           \
	do {                                                  \
		T_BEGIN_WAY(config);                          \
		run(&variant->tier, variant->way, config);    \
	} while (0)

TEST_F(all, with_defaults)
{
	RUN(NULL);
}

TEST_F(all, with_guarded_objects_by_chance)
{
	struct secmalloc_config c = { .sample = 20 };

	RUN(&c);
}

TEST_F(all, with_objects_that_always_move_and_long_quarantine)
{
	struct secmalloc_config c = { .flags = SECMALLOC_ALWAYS_MOVE,
				      .quarantine = 50 };

	RUN(&c);
}

TEST_F(all, with_next_to_nothing_kept)
{
	struct secmalloc_config c = { .retain = 1, .cache = 1, .quarantine = 1 };

	RUN(&c);
}

/* Many requests are refused; the handler was asked about each of them. */
TEST_F(all, with_a_low_bound_and_a_first_pool)
{
	struct secmalloc_config c = { .max_bytes = 300 * KIB,
				      .initial_pools = 1,
				      .pool_size = 64 * KIB };

	RUN(&c);
	EXPECT_LT(0, asked);
}

TEST_F(all, with_a_low_lock_limit)
{
	if (t_has_quota(&variant->tier) && !t_lock_at_most(128 * KIB))
		SKIP(return, "lock limit does not bind here");
	RUN(NULL);
}
