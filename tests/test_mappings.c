/* SPDX-License-Identifier: MIT */
/*
 * test_mappings.c - the core when the kernel has no mapping left
 *
 * Every guarded object splits mappings.  At the kernel's limit allocation is
 * refused, and freeing still works: what cannot be given back stays, wiped.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "ksft.h"
#include "retain.h"
#include "t_heap.h"
#include "t_util.h"

T_TIERS(mappings);
T_TIER_LOCKED(mappings);
T_TIER_PLAIN(mappings);

enum { AREA = 1 << 18 }; /* pages that can be split */

/* More guarded objects than the kernel's default limit allows; a build that
 * checks the whole heap all the time would take too long. */
#ifdef SECM_DEBUG
enum { ALL = 1000, ENOUGH = 999 };
#else
enum { ALL = 40000, ENOUGH = 20000 };
#endif

/* Opens every second page of the area until the system refuses; then closes
 * some again.  1, or 0 if there is no limit in reach. */
static int leave_mappings(char *area, size_t left)
{
	size_t i, page = secm_os.page;

	for (i = 0; i < AREA; i += 2)
		if (secm_os_access(area + i * page, page, SECM_READ) != 0)
			break;
	if (i >= AREA)
		return 0;
	while (left > 0 && i >= 2) {
		i -= 2;
		if (secm_os_access(area + i * page, page, SECM_NONE) != 0)
			return 0;
		left -= left > 1 ? 2 : 1;
	}
	return 1;
}

enum { MOST = 600 };

/* Guarded objects until one is refused; how many. */
static int fill_up(void **p, size_t step)
{
	int n;

	for (n = 0; n < MOST; n++) {
		size_t size = (size_t)n * step;

		p[n] = secmalloc_guarded(size);
		if (!p[n])
			break;
		t_fill(p[n], size, (uint64_t)n);
	}
	return n;
}

static void check_all(void **p, int n, size_t step)
{
	int i;

	for (i = 0; i < n; i++)
		if (p[i])
			ASSERT_TRUE(t_is_filled(p[i], (size_t)i * step,
						(uint64_t)i));
}

TEST_F(mappings, at_the_limit_objects_are_refused_and_freed)
{
	void *p[MOST];
	char *area;
	int n, i, r;

	KSFT_SANITIZER_SKIP("the sanitizer needs mappings itself");
	T_BEGIN(NULL);
	area = secm_os_reserve(AREA * secm_os.page);
	if (!area || !leave_mappings(area, 200))
		SKIP(return, "no limit of mappings met");
	errno = 0;
	n = fill_up(p, 40);
	r = errno;
	EXPECT_GT(n, 5);
	if (n == MOST)
		SKIP(return, "mappings were not used up");
	EXPECT_EQ(ENOMEM, r);
	check_all(p, n, 40);
	for (i = 0; i < n; i += 2) {
		errno = 4711;
		secfree(p[i]);
		EXPECT_EQ(4711, errno);
		p[i] = NULL;
	}
	check_all(p, n, 40);
	EXPECT_STREQ(NULL, t_broken(self->heap));
	for (i = 0; i < n; i += 2) /* what waits can be used again */
		EXPECT_NOT_NULL(p[i] = secmalloc_guarded(1));
	(void)secm_retain_trim(self->heap); /* nothing may break */
	for (i = 0; i < n; i++)
		secfree(p[i]);
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
	secm_os_release(area, AREA * secm_os.page);
	(void)secm_retain_trim(self->heap);
	EXPECT_EQ(0, self->heap->queue.bytes);
	EXPECT_LE(secm_heap_mapped(self->heap), 128 << 10);
	T_SOUND(self->heap);
}

TEST_F(mappings, with_every_number_left_nothing_breaks)
{
	void *p[8];
	char *area;
	int left, i;

	KSFT_SANITIZER_SKIP("the sanitizer needs mappings itself");
	T_BEGIN(NULL);
	area = secm_os_reserve(AREA * secm_os.page);
	if (!area || !leave_mappings(area, 40))
		SKIP(return, "no limit of mappings met");
	for (left = 40; left > 0; left--) {
		for (i = 0; i < 8; i++) {
			size_t size = (size_t)i * 5000;

			p[i] = i % 2 ? secmalloc(size) :
				       secmalloc_guarded(size);
			if (p[i])
				t_fill(p[i], size, (uint64_t)i);
		}
		for (i = 0; i < 8; i++) {
			if (p[i])
				ASSERT_TRUE(t_is_filled(p[i], (size_t)i * 5000,
							(uint64_t)i));
			secfree(p[i]);
		}
		(void)secm_retain_trim(self->heap); /* moves all back */
		ASSERT_STREQ(NULL, t_broken(self->heap));
		/* One less for the next round. */
		(void)secm_os_access(area + (size_t)(AREA - 2 * left) *
						    secm_os.page,
				     secm_os.page, SECM_READ);
	}
	secm_os_release(area, AREA * secm_os.page);
	for (i = 0; i < 8; i++)
		EXPECT_NOT_NULL(secmalloc_guarded(1000));
	T_SOUND(self->heap);
}

/* Pages that came for a slab and cannot be given back when more did not. */
TEST_F(mappings, slabs_that_cannot_grow_are_whole)
{
	static const size_t sizes[] = { 200, 1500, 5000, 9000, 16000 };
	enum { EACH = 30, KINDS = 5 };
	void *p[KINDS][EACH];
	int left, i, k;
	char *area;

	KSFT_SANITIZER_SKIP("the sanitizer needs mappings itself");
	T_BEGIN(NULL);
	area = secm_os_reserve(AREA * secm_os.page);
	if (!area || !leave_mappings(area, 40))
		SKIP(return, "no limit of mappings met");
	for (left = 40; left > 0; left--) {
		for (i = 0; i < EACH; i++)
			for (k = 0; k < KINDS; k++)
				p[k][i] = secmalloc(sizes[(k + left) % KINDS]);
		ASSERT_STREQ(NULL, t_broken(self->heap));
		for (i = 0; i < EACH; i++)
			for (k = 0; k < KINDS; k++)
				secfree(p[k][i]);
		(void)t_drain();
		(void)secm_retain_trim(self->heap);
		ASSERT_STREQ(NULL, t_broken(self->heap));
		(void)secm_os_access(area + (size_t)(AREA - 2 * left) *
						    secm_os.page,
				     secm_os.page, SECM_READ);
	}
	secm_os_release(area, AREA * secm_os.page);
	EXPECT_NOT_NULL(secmalloc(16000));
	T_SOUND(self->heap);
}

/* As many as the kernel's default limit allows, with nothing else in the way.
 * Without a lock this needs no privilege. */
TEST(tens_of_thousands_of_guarded_objects)
{
	static const struct t_tier plain = T_PLAIN;
	static void *p[ALL];
	int n, i;

	KSFT_SANITIZER_SKIP("the sanitizer needs mappings itself");
	ASSERT_EQ(0, t_begin(&plain, NULL));
	for (n = 0; n < ALL; n++) {
		p[n] = secmalloc_guarded(16);
		if (!p[n])
			break;
		t_fill(p[n], 16, (uint64_t)n);
	}
	EXPECT_GT(n, ENOUGH);
	for (i = 0; i < n; i++) {
		ASSERT_TRUE(t_is_filled(p[i], 16, (uint64_t)i));
		secfree(p[i]);
	}
	EXPECT_EQ(0, t_objects());
	EXPECT_NOT_NULL(secmalloc(100));
}
