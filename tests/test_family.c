/* SPDX-License-Identifier: MIT */
/*
 * test_family.c - arrays, strings, and freeing with a size
 *
 * The rest of what is around the classic four: test_aligned.c, test_resize.c,
 * test_parts.c, test_segment.c, test_oom.c, test_stats.c.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdlib.h>
#include <sys/mman.h>

#include "ksft.h"
#include "t_heap.h"
#include "t_way.h"

T_WAYS(family);

TEST_F(family, an_array_is_its_product)
{
	static const size_t n[] = { 0, 1, 3, 7, 100, 1000 };
	size_t i, k;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < 6; i++)
		for (k = 0; k < 5; k++) {
			char *p = secmalloc_array(n[i], n[k]);

			T_NEED(p);
			EXPECT_EQ(n[i] * n[k], secmalloc_usable_size(p));
			EXPECT_TRUE(t_holds(p, n[i] * n[k], 0));
			t_fill(p, n[i] * n[k], 1);
			secfree(p);
		}
	T_SOUND(self->heap);
}

TEST_F(family, an_array_that_does_not_fit_is_refused)
{
	static const size_t huge[][2] = {
		{ SIZE_MAX, 2 },
		{ 2, SIZE_MAX },
		{ SIZE_MAX, SIZE_MAX },
		{ SIZE_MAX / 2 + 1, 2 }, /* 0 */
		{ SIZE_MAX / 16 + 2, 16 }, /* 16 */
		{ (size_t)1 << (sizeof(size_t) * 4),
		  (size_t)1 << (sizeof(size_t) * 4) }, /* 0 */
		{ SIZE_MAX / 2, 1 }
	};
	char *p;
	size_t i;

	T_BEGIN_WAY(NULL);
	p = secmalloc_array(10, 10);
	ASSERT_NOT_NULL(p);
	t_fill(p, 100, 1);
	for (i = 0; i < sizeof(huge) / sizeof(huge[0]); i++) {
		errno = 0;
		EXPECT_NULL(secmalloc_array(huge[i][0], huge[i][1]));
		EXPECT_EQ(ENOMEM, errno);
		errno = 0;
		EXPECT_NULL(secmalloc_realloc_array(p, huge[i][0],
						    huge[i][1]));
		EXPECT_EQ(ENOMEM, errno);
		EXPECT_NULL(secmalloc_realloc_array(NULL, huge[i][0],
						    huge[i][1]));
		EXPECT_EQ(100, secmalloc_usable_size(p));
		EXPECT_TRUE(t_is_filled(p, 100, 1));
	}
	secfree(p);
	EXPECT_EQ(0, t_objects());
}

TEST_F(family, arrays_grow_and_shrink)
{
	size_t n, had = 0;
	char *p = NULL;

	T_BEGIN_WAY(NULL);
	for (n = 1; n < 3000; n += n / 3 + 1) {
		errno = 77;
		p = secmalloc_realloc_array(p, n, 12);
		T_NEED(p);
		EXPECT_EQ(77, errno);
		EXPECT_TRUE(t_is_filled(p, had, n - 1));
		EXPECT_TRUE(t_holds(p + had, n * 12 - had, 0));
		had = n * 12;
		t_fill(p, had, n + n / 3);
	}
	for (n = 1000; n > 0; n /= 2) {
		p = secmalloc_realloc_array(p, n, 12);
		ASSERT_NOT_NULL(p);
		EXPECT_EQ(n * 12, secmalloc_usable_size(p));
	}
	EXPECT_NULL(secmalloc_realloc_array(p, 0, 12));
	p = secmalloc_array(3, 4);
	EXPECT_NULL(secmalloc_realloc_array(p, 12, 0));
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

static const size_t lengths[] = { 0,   1,   7,	 8,   119, 120, 511,
				  512, 519, 520, 600, 5000, 16391, 30000 };
enum { LENGTHS = sizeof(lengths) / sizeof(lengths[0]) };

/* Memory that was in use before, so that a missing zero would show. */
static void use_and_free(size_t size)
{
	char *p[40];
	int i, n = size > 1000 ? 4 : 40;

	for (i = 0; i < n; i++) {
		p[i] = secmalloc(size);
		if (p[i])
			memset(p[i], 0x55, size);
	}
	for (i = 0; i < n; i++)
		secfree(p[i]);
}

TEST_F(family, a_copy_of_a_string)
{
	static char s[30001];
	size_t i;

	T_BEGIN_WAY(NULL);
	for (i = 0; i < LENGTHS; i++) {
		size_t len = lengths[i];
		char *p;

		t_fill(s, len, i);
		s[len] = 0;
		use_and_free(len + 1);
		errno = 77;
		p = secmalloc_strdup(s);
		T_NEED(p);
		EXPECT_EQ(77, errno);
		EXPECT_STREQ(s, p);
		EXPECT_EQ(len + 1, secmalloc_usable_size(p));
		secmalloc_free_sized(p, len + 1);
	}
	T_SOUND(self->heap);
}

/* REGRESSION of many: a copy that is cut ends with a zero all the same. */
TEST_F(family, a_copy_of_a_part_of_a_string_ends_with_a_zero)
{
	static char s[30001];
	size_t i, k;

	T_BEGIN_WAY(NULL);
	t_fill(s, 30000, 1);
	s[30000] = 0;
	for (i = 0; i < LENGTHS; i++)
		for (k = 0; k < 3; k++) {
			size_t len = lengths[i];
			char *p, *from = s + 30000 - len;
			size_t most = k == 0 ? len / 2 : k == 1 ? len : SIZE_MAX;
			size_t want = k == 0 ? len / 2 : len;

			use_and_free(want + 1);
			p = secmalloc_strndup(from, most);
			T_NEED(p);
			EXPECT_EQ(want + 1, secmalloc_usable_size(p));
			EXPECT_EQ(want, strlen(p));
			EXPECT_EQ(0, memcmp(p, from, want));
			secmalloc_free_sized(p, want + 1);
		}
	T_SOUND(self->heap);
}

/* At the last bytes before memory that nobody may read. */
TEST_F(family, no_byte_behind_the_part_is_read)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n;
	char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *end = map + page, *p;

	T_BEGIN_WAY(NULL);
	ASSERT_NE(MAP_FAILED, (void *)map);
	ASSERT_EQ(0, mprotect(end, page, PROT_NONE));
	memset(map, 'x', page);
	for (n = 0; n < 40; n++) {
		p = secmalloc_strndup(end - n, n);
		ASSERT_NOT_NULL(p);
		EXPECT_EQ(n, strlen(p));
		EXPECT_EQ(n + 1, secmalloc_usable_size(p));
		secfree(p);
	}
	end[-1] = 0; /* and then only this says so */
	for (n = 1; n < 40; n++) {
		p = secmalloc_strndup(end - n, SIZE_MAX / 4 * (n % 5));
		ASSERT_NOT_NULL(p);
		EXPECT_EQ(n % 5 ? n - 1 : 0, strlen(p));
		secfree(p);
		p = secmalloc_strdup(end - n);
		ASSERT_NOT_NULL(p);
		EXPECT_EQ(n - 1, strlen(p));
		secfree(p);
	}
}

TEST_F(family, a_copy_for_which_there_is_no_room_is_null)
{
	struct secmalloc_config c = { .max_bytes = 128 << 10 };
	static char s[200000];

	T_BEGIN_WAY(&c);
	memset(s, 'x', sizeof(s) - 1);
	errno = 0;
	EXPECT_NULL(secmalloc_strdup(s));
	EXPECT_EQ(ENOMEM, errno);
	errno = 0;
	EXPECT_NULL(secmalloc_strndup(s, sizeof(s)));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(0, t_objects());
}

/* Every kind of object, with its size, by this thread and by another. */
static void free_it(void *p)
{
	secmalloc_free_sized(p, secmalloc_usable_size(p));
}

TEST_F(family, each_object_can_be_freed_with_its_size)
{
	static const size_t sizes[] = { 0, 1, 8, 520, 521, 16392, 16393, 50000 };
	size_t i, k;
	char *p;

	T_BEGIN_WAY(NULL);
	errno = 77;
	secmalloc_free_sized(NULL, 0);
	secmalloc_free_sized(NULL, 10);
	for (i = 0; i < 8; i++)
		for (k = 0; k < 8; k++) {
			size_t size = sizes[i];

			p = k % 4 == 0 ? secmalloc(size) :
			    k % 4 == 1 ? secmalloc_guarded(size) :
			    k % 4 == 2 ? secmalloc_aligned(96, size) :
					 seccalloc(size, 1);
			T_NEED(p);
			if (k % 4 == 1)
				ASSERT_EQ(0, secmalloc_protect(
						     p, SECMALLOC_NOACCESS));
			if (k < 4)
				secmalloc_free_sized(p, size);
			else
				t_in_thread(free_it, p);
		}
	EXPECT_EQ(77, errno);
	EXPECT_EQ(0, t_objects());
	T_SOUND(self->heap);
}

TEST_F(family, inherited_ones_and_those_of_before_a_shutdown_too)
{
	char *p, *q;

	T_BEGIN_WAY(NULL);
	p = secmalloc(100);
	q = secmalloc(30000);
	T_NEED(p);
	T_NEED(q);
	T_IN_CHILD({
		secmalloc_free_sized(p, 100);
		secmalloc_free_sized(q, 30000);
		T_SOUND(self->heap);
	});
	secmalloc_shutdown();
	secmalloc_free_sized(p, 100);
	secmalloc_free_sized(q, 30000);
	EXPECT_EQ(0, t_objects());
}

TEST_F(family, nothing_is_had_after_a_shutdown)
{
	T_BEGIN_WAY(NULL);
	secmalloc_shutdown();
	errno = 0;
	EXPECT_NULL(secmalloc_array(1, 1));
	EXPECT_EQ(EPERM, errno);
	EXPECT_NULL(secmalloc_realloc_array(NULL, 1, 1));
	EXPECT_NULL(secmalloc_strdup(""));
	EXPECT_NULL(secmalloc_strndup("", 0));
	EXPECT_EQ((void *)-1, secmalloc_sbrk(0));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(0, secmalloc_verify());
	EXPECT_EQ(0, secmalloc_trim());
}
