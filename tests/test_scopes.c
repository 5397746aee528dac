/* SPDX-License-Identifier: MIT */
/*
 * test_scopes.c - what secmalloc.h promises of access scopes, by whichever
 * mechanism there is
 *
 * test_scopes_keys.c has what protection keys alone do.
 */
#include "t_api.h"

#include <pthread.h>
#include <stdlib.h>

#include "ksft.h"
#include "t_util.h"

enum { ODD_ERRNO = 4711, MANY = 40, KEYS = 15 };
enum { NO = SECM_NONE, RO = SECM_READ, RW = SECM_READWRITE };

FIXTURE(scope)
{
	secmalloc_heap *heap;
	int access; /* SECMALLOC_BY_* */
};

TA_VARIANTS(scope);

static int mechanism(secmalloc_heap *heap)
{
	struct secmalloc_report r = { .size = sizeof(r) };

	EXPECT_EQ(0, heap ? secmalloc_heap_report(heap, &r)
			  : secmalloc_report(&r));
	return r.access;
}

FIXTURE_SETUP(scope)
{
	TA_BEGIN(&variant->tier);
	self->heap = ta_scoped(&variant->tier, SECMALLOC_CHILD_ZEROS);
	ASSERT_NOT_NULL(self->heap);
	self->access = mechanism(self->heap);
}

FIXTURE_TEARDOWN(scope)
{
	secmalloc_heap_destroy(self->heap);
}

static size_t size_of(int i)
{
	return (size_t)i * i * 37 + 1;
}

/* Of all kinds and sizes. */
static unsigned char *make(secmalloc_heap *heap, int i)
{
	switch (i % 4) {
	case 0:
		return secmalloc_heap_guarded(heap, size_of(i));
	case 1:
		return secmalloc_heap_aligned(heap, 4096, size_of(i));
	case 2:
		return secmalloc_heap_calloc(heap, 1, size_of(i));
	default:
		return secmalloc_heap_malloc(heap, size_of(i));
	}
}

/* The least access of any page of it. */
static int access_to(const unsigned char *p, size_t n)
{
	int least = ta_access(p + n - 1);
	size_t i;

	for (i = 0; i < n; i += ta_page())
		if ((int)ta_access(p + i) < least)
			least = (int)ta_access(p + i);
	return least;
}

static int told(const void *p)
{
	struct secmalloc_object o = { .size = sizeof(o) };

	EXPECT_EQ(0, secmalloc_report_object(p, &o));
	return o.access;
}

TEST_F(scope, an_object_is_closed_but_in_its_scopes)
{
	unsigned char *p;
	int i;

	for (i = 0; i < MANY; i++) {
		p = make(self->heap, i);
		ASSERT_NOT_NULL(p);
		EXPECT_EQ(NO, access_to(p, size_of(i)));
		EXPECT_EQ(NO, told(p));
		ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READONLY));
		EXPECT_EQ(RO, access_to(p, size_of(i)));
		EXPECT_EQ(RO, told(p));
		EXPECT_TRUE(ta_holds(p, size_of(i), 0));
		secmalloc_end(p, SECMALLOC_READONLY);
		EXPECT_EQ(NO, access_to(p, size_of(i)));
		ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READWRITE));
		EXPECT_EQ(RW, access_to(p, size_of(i)));
		t_fill(p, size_of(i), (uint64_t)i);
		secmalloc_end(p, SECMALLOC_READWRITE);
		EXPECT_EQ(NO, access_to(p, size_of(i)));
		ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READONLY));
		EXPECT_TRUE(t_is_filled(p, size_of(i), (uint64_t)i));
		secmalloc_end(p, SECMALLOC_READONLY);
		if (i % 2)
			secfree(p);
	}
}

TEST_F(scope, objects_of_other_heaps_stay_open_control)
{
	unsigned char *p = secmalloc(40), *q = secmalloc_guarded(40);

	ASSERT_TRUE(p && q);
	EXPECT_EQ(RW, access_to(p, 40));
	EXPECT_EQ(RW, access_to(q, 40));
	EXPECT_EQ(SECMALLOC_BY_NOTHING, mechanism(NULL));
	EXPECT_NE(SECMALLOC_BY_NOTHING, self->access);
}

TEST_F(scope, scopes_are_nested_and_counted)
{
	unsigned char *p = secmalloc_heap_malloc(self->heap, 100);
	int i;

	ASSERT_NOT_NULL(p);
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READONLY));
	EXPECT_EQ(RO, access_to(p, 100));
	ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READWRITE));
	ASSERT_EQ(0, secmalloc_heap_begin(self->heap, SECMALLOC_READONLY));
	EXPECT_EQ(RW, access_to(p, 100));
	for (i = 0; i < MANY; i++)
		secmalloc_end(p, SECMALLOC_READONLY);
	EXPECT_EQ(RW, access_to(p, 100));
	secmalloc_end(p, SECMALLOC_READWRITE);
	EXPECT_EQ(RO, access_to(p, 100));
	ASSERT_EQ(0, secmalloc_heap_begin(self->heap, SECMALLOC_READWRITE));
	secmalloc_heap_end(self->heap, SECMALLOC_READONLY);
	EXPECT_EQ(RW, access_to(p, 100));
	secmalloc_heap_end(self->heap, SECMALLOC_READWRITE);
	EXPECT_EQ(NO, access_to(p, 100));
}

TEST_F(scope, that_of_a_heap_opens_all_of_its_objects)
{
	unsigned char *p[MANY];
	int i;

	for (i = 0; i < MANY; i++)
		ASSERT_NOT_NULL(p[i] = make(self->heap, i));
	ASSERT_EQ(0, secmalloc_heap_begin(self->heap, SECMALLOC_READWRITE));
	for (i = 0; i < MANY; i++) {
		EXPECT_EQ(RW, access_to(p[i], size_of(i)));
		if (i % 3)
			continue;
		secfree(p[i]);
		ASSERT_NOT_NULL(p[i] = make(self->heap, i));
		EXPECT_EQ(RW, access_to(p[i], size_of(i)));
	}
	secmalloc_heap_end(self->heap, SECMALLOC_READWRITE);
	for (i = 0; i < MANY; i++) {
		EXPECT_EQ(NO, access_to(p[i], size_of(i)));
		secfree(p[i]);
	}
}

/* Those of before are not what the end leaves open. */
TEST_F(scope, other_heaps_are_not_opened)
{
	secmalloc_heap *other = ta_scoped(&variant->tier, 0);
	unsigned char *p = secmalloc_heap_malloc(self->heap, 40);
	unsigned char *q = secmalloc_heap_malloc(other, 40);

	ASSERT_TRUE(p && q);
	ASSERT_EQ(0, secmalloc_heap_begin(self->heap, SECMALLOC_READWRITE));
	ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READWRITE));
	EXPECT_EQ(NO, access_to(q, 40));
	secmalloc_end(p, SECMALLOC_READWRITE);
	secmalloc_heap_end(self->heap, SECMALLOC_READWRITE);
	secmalloc_heap_destroy(other);
}

/* Every object is closed after every call, whatever the call had to do. */
TEST_F(scope, the_library_needs_none)
{
	unsigned char *p[MANY], *q;
	size_t n;
	int i;

	for (i = 0; i < MANY; i++) {
		ASSERT_NOT_NULL(p[i] = make(self->heap, i));
		ASSERT_EQ(0, secmalloc_begin(p[i], SECMALLOC_READWRITE));
		t_fill(p[i], size_of(i), (uint64_t)i);
		secmalloc_end(p[i], SECMALLOC_READWRITE);
	}
	EXPECT_EQ(MANY, secmalloc_verify());
	for (i = 0; i < MANY; i++) {
		n = size_of(i) * (i % 5 + 1) / 2 + 1;
		ASSERT_NOT_NULL(q = secrealloc(p[i], n));
		p[i] = q;
		EXPECT_EQ(NO, access_to(p[i], n));
		EXPECT_EQ(n, secmalloc_usable_size(p[i]));
		if (n > size_of(i))
			n = size_of(i);
		ASSERT_EQ(0, secmalloc_begin(p[i], SECMALLOC_READONLY));
		EXPECT_TRUE(t_is_filled(p[i], n, (uint64_t)i));
		secmalloc_end(p[i], SECMALLOC_READONLY);
		(void)!secmalloc_resize(p[i], n / 2 + 1);
		EXPECT_EQ(NO, access_to(p[i], n / 2 + 1));
		(void)secmalloc_trim();
	}
	EXPECT_EQ(MANY, secmalloc_verify());
	for (i = 0; i < MANY; i++) {
		EXPECT_EQ(NO, ta_access(p[i]));
		secmalloc_free_sized(p[i], secmalloc_usable_size(p[i]));
	}
	EXPECT_EQ(0, secmalloc_verify());
}

TEST_F(scope, parts_of_a_divided_object_have_scopes_of_their_own)
{
	unsigned char *p = secmalloc_heap_malloc(self->heap, 200), *q;

	ASSERT_NOT_NULL(p);
	ASSERT_NOT_NULL(q = secmalloc_split(p, 64));
	EXPECT_EQ(NO, access_to(q, 136));
	ASSERT_EQ(0, secmalloc_begin(q, SECMALLOC_READWRITE));
	EXPECT_EQ(RW, access_to(q, 136));
	secfree(p);
	EXPECT_EQ(RW, access_to(q, 136));
	secmalloc_end(q, SECMALLOC_READWRITE);
	EXPECT_EQ(NO, access_to(q, 136));
	secfree(q);
}

TEST_F(scope, bad_arguments_are_errors_and_errno_is_kept)
{
	unsigned char *p = secmalloc_heap_malloc(self->heap, 40);
	unsigned char *q = secmalloc(40), here;
	const void *wrong[] = { NULL, q, p + 1, &here };
	size_t i;

	ASSERT_TRUE(p && q);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		errno = 0;
		EXPECT_EQ(-1, secmalloc_begin(wrong[i], SECMALLOC_READONLY));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(-1, secmalloc_begin(p, SECMALLOC_NOACCESS));
	EXPECT_EQ(-1, secmalloc_begin(p, 3));
	EXPECT_EQ(-1, secmalloc_heap_begin(self->heap, -1));
	EXPECT_EQ(-1, secmalloc_heap_begin(NULL, SECMALLOC_READONLY));
	EXPECT_EQ(-1, secmalloc_protect(p, SECMALLOC_READWRITE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(NO, access_to(p, 40));
	errno = ODD_ERRNO;
	EXPECT_EQ(0, secmalloc_begin(p, SECMALLOC_READONLY));
	EXPECT_EQ(0, secmalloc_heap_begin(self->heap, SECMALLOC_READONLY));
	secmalloc_heap_end(self->heap, SECMALLOC_READONLY);
	secmalloc_end(p, SECMALLOC_READONLY);
	EXPECT_EQ(ODD_ERRNO, errno);
}

TEST_F_SIGNAL(scope, reading_outside_faults, SIGSEGV)
{
	volatile unsigned char *p =
		ta_hide(secmalloc_heap_malloc(self->heap, 40));

	KSFT_SANITIZER_SKIP("signals are taken");
	(void)p[3];
}

TEST_F_SIGNAL(scope, writing_in_a_scope_for_reading_faults, SIGSEGV)
{
	volatile unsigned char *p =
		ta_hide(secmalloc_heap_malloc(self->heap, 40));

	KSFT_SANITIZER_SKIP("signals are taken");
	ASSERT_EQ(0, secmalloc_begin((void *)p, SECMALLOC_READONLY));
	ASSERT_EQ(0, p[3]);
	p[3] = 1;
}

/* Left early. */
static int by_macro(secmalloc_heap *heap, unsigned char *p, int leave)
{
	SECMALLOC_SCOPE(all, p, SECMALLOC_READONLY);

	EXPECT_EQ(1, all.begun);
	if (leave)
		return (int)ta_access(p);
	{
		SECMALLOC_HEAP_SCOPE(of_heap, heap, SECMALLOC_READWRITE);
		EXPECT_EQ(1, of_heap.begun);
		EXPECT_EQ(RW, ta_access(p));
	}
	return (int)ta_access(p);
}

static int without_one(void)
{
	SECMALLOC_SCOPE(none, NULL, SECMALLOC_READONLY);

	return none.begun;
}

TEST_F(scope, a_macro_ends_it_with_the_block)
{
	unsigned char *p = secmalloc_heap_malloc(self->heap, 40);

	ASSERT_NOT_NULL(p);
	EXPECT_EQ(RO, by_macro(self->heap, p, 0));
	EXPECT_EQ(NO, ta_access(p));
	EXPECT_EQ(RO, by_macro(self->heap, p, 1));
	EXPECT_EQ(NO, ta_access(p));
	errno = 0;
	EXPECT_EQ(0, without_one());
	EXPECT_EQ(EINVAL, errno);
}

/* More than there can be keys: the others are closed as well. */
TEST_F(scope, any_number_of_heaps_can_have_them)
{
	secmalloc_heap *heap[KEYS + 5];
	unsigned char *p[KEYS + 5];
	int i, keys = self->access == SECMALLOC_BY_KEY;

	for (i = 0; i < KEYS + 5; i++) {
		heap[i] = ta_scoped(&variant->tier, SECMALLOC_CHILD_ZEROS);
		ASSERT_NOT_NULL(heap[i]);
		ASSERT_NOT_NULL(p[i] = secmalloc_heap_malloc(heap[i], 40));
		keys += mechanism(heap[i]) == SECMALLOC_BY_KEY;
	}
	if (self->access == SECMALLOC_BY_KEY) {
		EXPECT_LE(keys, KEYS);
		EXPECT_EQ(SECMALLOC_BY_PAGES, mechanism(heap[KEYS + 4]));
	} else {
		EXPECT_EQ(0, keys);
	}
	for (i = 0; i < KEYS + 5; i++) {
		EXPECT_EQ(NO, ta_access(p[i]));
		ASSERT_EQ(0, secmalloc_begin(p[i], SECMALLOC_READWRITE));
		EXPECT_EQ(RW, ta_access(p[i]));
		EXPECT_EQ(NO, ta_access(p[(i + 1) % (KEYS + 5)]));
		secmalloc_end(p[i], SECMALLOC_READWRITE);
		EXPECT_EQ(NO, ta_access(p[i]));
	}
	for (i = 0; i < KEYS + 5; i++)
		secmalloc_heap_destroy(heap[i]);
	/* The keys of those that are gone serve others. */
	heap[0] = ta_scoped(&variant->tier, SECMALLOC_CHILD_ZEROS);
	EXPECT_EQ(self->access, mechanism(heap[0]));
	secmalloc_heap_destroy(heap[0]);
}

TEST(the_default_heap_has_none)
{
	struct secmalloc_config c = { .access = SECMALLOC_ACCESS_SCOPES,
				      .flags = SECMALLOC_BEST_EFFORT };

	EXPECT_EQ(-1, secmalloc_init(&c));
	EXPECT_EQ(EINVAL, errno);
	c.access = SECMALLOC_ACCESS_ALWAYS;
	EXPECT_EQ(0, secmalloc_init(&c));
	c.access = SECMALLOC_ACCESS_SCOPES + 1;
	EXPECT_NULL(secmalloc_heap_create(&c));
	EXPECT_EQ(EINVAL, errno);
}
