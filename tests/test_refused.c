/* SPDX-License-Identifier: MIT */
/*
 * test_refused.c - the core when the kernel refuses a change of mappings
 *
 * Every second one, by chance, so that also what takes back a change that was
 * only half made is refused.  Nothing may get lost, nothing may be touched
 * that is not there, and no object may look damaged.  Or each new mapping, while
 * pages can still be moved: they go nowhere else then.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ksft.h"
#include "retain.h"
#include "t_heap.h"
#include "span.h"
#include "t_util.h"

T_TIERS(refused);
T_TIER_LOCKED(refused);
T_TIER_PLAIN(refused);

enum { NONE, EVERY_SECOND, ALL };

static int refusing;
static uint64_t seed = 1;

static uint32_t chance(uint32_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

#if defined(SYS_mremap) && defined(SYS_mmap) && SIZE_MAX > UINT32_MAX
enum { ABLE = 1 };

static int refused(void)
{
	if (!refusing || (refusing == EVERY_SECOND && chance(2) != 0))
		return 0;
	errno = ENOMEM;
	return 1;
}

/* In place of the C library's. */
void *mmap(void *at, size_t len, int access, int flags, int fd, off_t offset)
{
	if (refused())
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, at, len, access, flags, fd, offset);
}

void *mremap(void *at, size_t old, size_t len, int flags, ...)
{
	va_list args;
	void *to;

	va_start(args, flags);
	to = va_arg(args, void *);
	va_end(args);
	if (refusing != ALL && refused())
		return MAP_FAILED;
	return (void *)syscall(SYS_mremap, at, old, len, flags, to);
}
#else
enum { ABLE = 0 };
#endif

enum { OBJECTS = 60, STEPS = 8000, SELDOM = 100 };

static void step(char **p, size_t *size, size_t most)
{
	uint32_t i = chance(OBJECTS);
	size_t n = chance((uint32_t)most) + 1;
	char *to;

	if (p[i] && chance(2)) {
		ASSERT_TRUE(t_is_filled(p[i], size[i], i));
		secfree(p[i]);
		p[i] = NULL;
		return;
	}
	to = secrealloc(p[i], n);
	if (!to)
		return;
	t_fill(to, n, i);
	p[i] = to;
	size[i] = n;
}

static void all_steps(size_t most)
{
	size_t size[OBJECTS];
	char *p[OBJECTS] = { NULL };
	int i;

	for (i = 0; i < STEPS; i++) {
		refusing = EVERY_SECOND;
		step(p, size, most);
		if (i % SELDOM == 0) {
			(void)secmalloc_trim();
			(void)secmalloc_verify();
		}
		refusing = NONE;
	}
	for (i = 0; i < OBJECTS; i++)
		secfree(p[i]);
	EXPECT_EQ(0, t_objects());
}

TEST_F(refused, slabs_are_whole)
{
	struct secmalloc_config config = { .retain = 1 << 16 };

	if (!ABLE)
		SKIP(return, "mappings cannot be refused here");
	KSFT_SANITIZER_SKIP("the sanitizer needs mappings itself");
	T_BEGIN(&config);
	all_steps(16000);
}

/* Small pools: what an object grows by comes in several pieces. */
TEST_F(refused, large_objects_are_whole)
{
	struct secmalloc_config config = { .retain = 1 << 16,
					   .pool_size = 1 << 14,
					   .pool_growth = 1 << 14 };

	if (!ABLE)
		SKIP(return, "mappings cannot be refused here");
	KSFT_SANITIZER_SKIP("the sanitizer needs mappings itself");
	T_BEGIN(&config);
	all_steps(100000);
}

/* Pages are moved to a span, are not enough, and cannot go again.  None of the
 * next tier may come to them: a child would look for pages where it has none. */
TEST(spans_keep_to_one_tier)
{
	static const struct t_tier both = { 0, 0, 0 };
	struct secmalloc_config config = { .pool_size = 1 << 14,
					   .pool_growth = 1 << 14 };
	struct secm_heap *heap = &secm_default_heap;
	enum { OF_EACH = 3, MOST = 32 };
	void *p[MOST * (OF_EACH + 1)];
	int i, n = 0, error;
	size_t k;

	if (!ABLE)
		SKIP(return, "mappings cannot be refused here");
	KSFT_SANITIZER_SKIP("the sanitizer needs mappings itself");
	error = t_begin(&both, &config);
	if (t_no_tier(error))
		SKIP(return, "%s", t_no_tier(error));
	ASSERT_EQ(0, error);
	if (heap->policy.rungs < 2)
		SKIP(return, "there is one tier only");
	for (k = 0; k < MOST; k++) {
		for (i = 0; i < OF_EACH; i++)
			p[n++] = secmalloc(2000 + 250 * k);
		refusing = ALL;
		p[n++] = secmalloc(20000 + 2500 * k);
		refusing = NONE;
	}
	T_SOUND(heap);
	T_IN_CHILD({
		for (i = 0; i < n; i++)
			secfree(p[i]);
	});
	for (i = 0; i < n; i++)
		secfree(p[i]);
	EXPECT_EQ(0, t_objects());
}
