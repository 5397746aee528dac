/* SPDX-License-Identifier: MIT */
/*
 * test_object.c - what secmalloc_report_object() says, against the kernel
 */
#include "t_api.h"

#include "index.h"
#include "ksft.h"
#include "slab.h"
#include "t_heap.h"
#include "t_util.h"

TA_TIERS(object);

enum { ODD_ERRNO = 4711 };

static struct secmalloc_object about(const void *p)
{
	struct secmalloc_object o = { .size = sizeof(o) };

	errno = ODD_ERRNO;
	ASSERT_EQ(0, secmalloc_report_object(p, &o));
	EXPECT_EQ(ODD_ERRNO, errno);
	EXPECT_EQ(sizeof(o), o.size);
	return o;
}

static void compare(const char *p, size_t size, int tier)
{
	const size_t offsets[] = { 0, size / 2, size ? size - 1 : 0 };
	struct secmalloc_object o;
	size_t i;

	for (i = 0; i < 3; i++) {
		o = about(p + offsets[i]);
		EXPECT_EQ(p, (const char *)o.start);
		EXPECT_EQ(size, o.bytes);
		EXPECT_EQ(tier, o.tier);
		EXPECT_EQ(0, o.dead);
		EXPECT_EQ(SECMALLOC_READWRITE, o.access);
		if (!o.verified)
			continue;
		EXPECT_EQ(o.protections, o.confirmed);
		EXPECT_EQ(1, ta_has_props(p, size ? size : 1, o.confirmed));
	}
}

TEST_F(object, of_every_kind_and_size)
{
	static const size_t sizes[] = { 0,    1,     16,    100,    4000,
					4096, 16384, 20000, 100000, 2 << 20 };
	size_t i;
	int tier;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *p = secmalloc(sizes[i]);
		char *q = secmalloc_guarded(sizes[i]);
		char *a = secmalloc_aligned(4096, sizes[i]);

		ASSERT_TRUE(p && q && a);
		tier = ta_only_tier();
		ASSERT_GE(tier, 0);
		compare(p, sizes[i], tier);
		compare(q, sizes[i], tier);
		compare(a, sizes[i], tier);
		EXPECT_EQ(0, about(p).guarded);
		EXPECT_EQ(1, about(q).guarded);
		EXPECT_NULL(about(p).heap);
	}
}

TEST_F(object, tells_the_heap)
{
	secmalloc_heap *heap = ta_heap(&variant->tier, 0);
	char *p;

	ASSERT_NOT_NULL(heap);
	p = secmalloc_heap_malloc(heap, 100);
	ASSERT_NOT_NULL(p);
	EXPECT_EQ(heap, about(p).heap);
	compare(p, 100, (int)about(p).tier);
}

TEST_F(object, tells_what_children_get)
{
	struct secmalloc_config c = { .need = variant->tier.need,
				      .flags = variant->tier.flags };
	secmalloc_heap *heap;

	for (c.child = 0; c.child <= SECMALLOC_CHILD_COPY; c.child++) {
		heap = secmalloc_heap_create(&c);
		ASSERT_NOT_NULL(heap);
		EXPECT_EQ(c.child,
			  about(secmalloc_heap_malloc(heap, 40)).child);
		secmalloc_heap_destroy(heap);
	}
}

TEST_F(object, tells_the_access)
{
	char *p = secmalloc_guarded(100);
	int access;

	ASSERT_NOT_NULL(p);
	for (access = SECMALLOC_NOACCESS; access <= SECMALLOC_READWRITE;
	     access++) {
		ASSERT_EQ(0, secmalloc_protect(p, access));
		EXPECT_EQ(access, about(p).access);
		EXPECT_EQ(access, (int)ta_access(p));
		if (about(p).verified)
			EXPECT_EQ(about(p).protections, about(p).confirmed);
	}
}

/* The control: what has no lock any more is not confirmed to be locked. */
TEST(what_lost_its_lock_is_told)
{
	static const struct ta_tier locked = TA_TIER_LOCKED;
	char *p, *q;

	KSFT_SANITIZER_SKIP("it makes munlock() do nothing");
	TA_BEGIN(&locked);
	p = secmalloc(100000);
	q = secmalloc(100000);
	ASSERT_TRUE(p && q);
	if (!about(p).verified)
		SKIP(return, "this backend cannot ask");
	EXPECT_EQ(SECMALLOC_LOCKED, about(p).confirmed & SECMALLOC_LOCKED);
	ASSERT_EQ(0,
		  ta_unlock(p + 50000 - (uintptr_t)p % ta_page(), ta_page()));
	EXPECT_EQ(0, about(p).confirmed & SECMALLOC_LOCKED);
	EXPECT_EQ(SECMALLOC_LOCKED, about(p).protections & SECMALLOC_LOCKED);
	EXPECT_EQ(SECMALLOC_LOCKED, about(q).confirmed & SECMALLOC_LOCKED);
}

TEST_F(object, of_before_a_fork_are_dead)
{
	char *p = secmalloc(100), *q = secmalloc_guarded(100);

	ASSERT_TRUE(p && q);
	T_IN_CHILD(EXPECT_EQ(1, about(p).dead); EXPECT_EQ(1, about(q).dead);
		   EXPECT_EQ(100, about(q).bytes););
	EXPECT_EQ(0, about(p).dead);
}

TEST_F(object, what_is_none_is_an_error)
{
	struct secmalloc_object o = { .size = sizeof(o) };
	char *p = secmalloc(100), *end = secmalloc_sbrk(4096);

	ASSERT_TRUE(p && end != (void *)-1);
	EXPECT_EQ(0, secmalloc_report_object(p, &o)); /* the control */
	EXPECT_EQ(0, secmalloc_report_object(p + 99, &o));
	EXPECT_EQ(-1, secmalloc_report_object(p + 100, &o));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, secmalloc_report_object(NULL, &o));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, secmalloc_report_object(&o, &o));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, secmalloc_report_object(end, &o));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, secmalloc_report_object(p, NULL));
	EXPECT_EQ(EINVAL, errno);
	o.size = 1;
	EXPECT_EQ(-1, secmalloc_report_object(p, &o));
	EXPECT_EQ(EINVAL, errno);
	o.size = sizeof(o);
	secfree(p);
	EXPECT_EQ(-1, secmalloc_report_object(ta_hide(p), &o));
	EXPECT_EQ(EINVAL, errno);
}

/* What the report says, and what holds. */
static int told(const void *p)
{
	EXPECT_EQ((int)ta_access(p), about(p).access);
	return about(p).access;
}

/* What the program chose holds outside of scopes, and more inside. */
TEST_F(object, access_is_what_was_chosen_and_more_in_scopes)
{
	static const int accesses[] = { SECMALLOC_NOACCESS, SECMALLOC_READONLY,
					SECMALLOC_READWRITE };
	unsigned char *p = secmalloc_guarded(5000);
	int i;

	ASSERT_NOT_NULL(p);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, secmalloc_protect(p, accesses[i]));
		EXPECT_EQ(accesses[i], told(p));
		ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READONLY));
		EXPECT_EQ(accesses[i] ? accesses[i] : SECM_READ, told(p));
		ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READWRITE));
		EXPECT_EQ(SECM_READWRITE, told(p));
		secmalloc_end(p, SECMALLOC_READONLY);
		EXPECT_EQ(SECM_READWRITE, told(p));
		secmalloc_end(p, SECMALLOC_READWRITE);
		EXPECT_EQ(accesses[i], told(p));
	}
	ASSERT_EQ(0, secmalloc_begin(p, SECMALLOC_READONLY));
	ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_NOACCESS));
	EXPECT_EQ(SECM_READ, told(p));
	secmalloc_end(p, SECMALLOC_READONLY);
	EXPECT_EQ(SECM_NONE, told(p));
	secfree(p);
}

static void access_is_what_holds(void *p, void *q, int access)
{
	ASSERT_EQ(1, about(p).dead);
	ASSERT_EQ(1, about(q).dead);
	EXPECT_EQ(access, told(p));
	EXPECT_EQ(access, told(q));
}

/* Dead objects: with pages of zeros; without any; and with what costs no memory
 * where there is none left, which can only be read. */
TEST_F(object, access_to_dead_ones_is_what_holds)
{
	struct secmalloc_config c = { .child = SECMALLOC_CHILD_NOTHING,
				      .flags = variant->tier.flags };
	secmalloc_heap *none = secmalloc_heap_create(&c);
	char *p = secmalloc(100), *q = secmalloc_guarded(100), *r, *s;

	ASSERT_TRUE(none && p && q);
	r = secmalloc_heap_malloc(none, 100);
	s = secmalloc_heap_guarded(none, 100);
	ASSERT_TRUE(r && s);
	T_IN_CHILD(access_is_what_holds(p, q, SECMALLOC_READWRITE);
		   access_is_what_holds(r, s, SECMALLOC_NOACCESS););
	secm_default_heap.policy.config.max_bytes = 1;
	T_IN_CHILD(access_is_what_holds(p, q, SECMALLOC_READONLY););
	secmalloc_shutdown();
	access_is_what_holds(p, q, SECMALLOC_NOACCESS);
	access_is_what_holds(r, s, SECMALLOC_NOACCESS);
}

/* Where objects are there is nothing but objects, zeros and canaries (T_SOUND
 * looks at each byte), and guards around them. */
TEST_F(object, metadata_is_not_where_objects_are)
{
	static const size_t sizes[] = { 0, 16, 100, 1000, 5000, 20000, 100000 };
	const struct secm_span *span;
	size_t i;
	char *p;

	for (i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = i % 2 ? secmalloc(sizes[i / 2])
			  : secmalloc_guarded(sizes[i / 2]);
		ASSERT_NOT_NULL(p);
		EXPECT_EQ(1, secm_index_covers(p, 1)); /* the control */
		span = t_span(p);
		EXPECT_EQ(0, secm_index_covers(span, sizeof(*span)));
		if (i % 2 && sizes[i / 2] <= SECM_SLAB_LARGEST) {
			EXPECT_EQ(0, secm_index_covers(span->u.slab.state, 1));
			EXPECT_EQ(0, secm_index_covers(span->u.slab.taken, 1));
		}
		EXPECT_EQ(SECM_NONE, ta_access(span->data - 1));
		EXPECT_EQ(SECM_NONE, ta_access(secm_span_end(span)));
	}
	T_SOUND(&secm_default_heap);
}
