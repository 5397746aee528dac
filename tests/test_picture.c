/* SPDX-License-Identifier: MIT */
/*
 * test_picture.c - picture.c: each line against what is there
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdio.h>
#include <string.h>

#include "index.h"
#include "ksft.h"
#include "t_heap.h"
#include "t_way.h"

T_WAYS(picture);

enum { TEXT = 1 << 16, WIDE = 64 };

static char text[TEXT];

static void draw(void)
{
	int n = secmalloc_picture(text, sizeof(text));

	ASSERT_LT(0, n);
	ASSERT_EQ(n, (int)strlen(text));
}

static int has_line(const char *line)
{
	const char *found = strstr(text, line);

	return found && (found == text || found[-1] == '\n');
}

/* What a mark that stands for slots [i, end) has to be. */
static char mark_of(const struct secm_span *span, size_t i, size_t end)
{
	char mark = '_';

	for (; i < end && i < span->u.slab.slots; i++) {
		if (t_is_live(span, i))
			return 'x';
		if (span->u.slab.state[i])
			mark = 'c';
	}
	return mark;
}

/* 1 if the line is the right one for the slab. */
static int is_slab(const char *line, const struct secm_span *span)
{
	size_t slots = span->u.slab.slots, i, n;
	size_t group = (slots + WIDE - 1) / WIDE;
	char want[200];

	n = (size_t)snprintf(want, sizeof(want), "%zu x %zu at %p[%zu] ",
			     (size_t)span->u.slab.slot, slots,
			     (void *)span->data, span->filled * secm_os.page);
	for (i = 0; i < slots; i += group)
		want[n++] = mark_of(span, i, i + group);
	n += (size_t)snprintf(want + n, sizeof(want) - n, "|%s",
			      span->dead ? " dead" : "");
	if (group > 1)
		n += (size_t)snprintf(want + n, sizeof(want) - n,
				      " %zu a mark", group);
	want[n++] = '\n';
	return strncmp(line, want, n) == 0;
}

/* Every line that begins with a number is a slab's; returns how many. */
static size_t check_slabs(void)
{
	const struct secm_span *span;
	const char *line, *end;
	size_t n = 0;
	void *at;

	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		if (sscanf(line, "%*u x %*u at %p[", &at) != 1)
			continue;
		span = secm_index_find(at);
		ASSERT_NOT_NULL(span);
		ASSERT_EQ(SECM_SLAB, span->kind);
		ASSERT_TRUE(is_slab(line, span)) {
			TH_LOG("%.*s", (int)(end - line), line);
		}
		n++;
	}
	return n;
}

static size_t slabs_there_are(void)
{
	const struct secm_span *span;
	size_t n = 0;

	for (span = secm_default_heap.all; span; span = span->all)
		n += span->kind == SECM_SLAB && span->filled;
	return n;
}

TEST_F(picture, has_a_line_for_each_slab)
{
	static void *p[400];
	int i, round;

	T_BEGIN_WAY(NULL);
	for (round = 0; round < 8; round++) {
		for (i = 0; i < 400; i++) {
			secfree(p[i]);
			p[i] = ksft_random() % 3 == 0 ?
				       NULL :
				       secmalloc(ksft_random() % 4000 >>
						 ksft_random() % 9);
		}
		draw();
		EXPECT_EQ(slabs_there_are(), check_slabs());
	}
	for (i = 0; i < 400; i++)
		secfree(p[i]);
	draw();
	EXPECT_EQ(slabs_there_are(), check_slabs());
}

#define HAS(...)                                                     \
	do {                                                         \
		char line_[200];                                     \
                                                                     \
		(void)snprintf(line_, sizeof(line_), __VA_ARGS__);   \
		draw();                                              \
		EXPECT_TRUE(has_line(line_)) {                       \
			TH_LOG("no line %s", line_);                 \
		}                                                    \
	} while (0)

TEST_F(picture, has_a_line_for_each_object_with_pages)
{
	void *p, *q, *data;

	T_BEGIN_WAY(NULL);
	p = secmalloc(30000);
	q = secmalloc_guarded(77);
	T_NEED(p);
	ASSERT_NOT_NULL(q);
	HAS("large %p[30000] x\n", p);
	HAS("guarded %p[77] x\n", q);
	ASSERT_EQ(0, secmalloc_protect(q, SECMALLOC_NOACCESS));
	HAS("guarded %p[77] x closed\n", q);
	ASSERT_EQ(0, secmalloc_protect(q, SECMALLOC_READONLY));
	HAS("guarded %p[77] x read-only\n", q);
	ASSERT_NOT_NULL(secmalloc_split(p, 10));
	HAS("large %p[30000] x in parts\n", p);
	data = t_span(q)->data;
	secfree(q);
	HAS("waiting %p[%zu] _\n", data, secm_os.page);
	p = secmalloc_sbrk(1234);
	ASSERT_NE((void *)-1, p);
	HAS("segment %p[1234] x\n", p);
}

TEST_F(picture, ends_with_the_sums)
{
	void *p;

	T_BEGIN_WAY(NULL);
	p = secmalloc(30000);
	T_NEED(p);
	secfree(p);
	HAS("%zu bytes mapped, %zu of them wait for reuse\n",
	    secm_heap_mapped(self->heap), self->heap->queue.bytes);
	EXPECT_LE(30000, self->heap->queue.bytes);
	secmalloc_shutdown();
	HAS("0 bytes mapped, 0 of them wait for reuse\n");
}

TEST_F(picture, shows_what_a_child_inherited_as_dead)
{
	char *p, *q, *small;

	T_BEGIN_WAY(NULL);
	p = secmalloc(30000);
	small = secmalloc(10);
	q = secmalloc_guarded(77);
	T_NEED(p);
	ASSERT_TRUE(q && small);
	T_IN_CHILD({
		HAS("large %p[30000] x dead\n", (void *)p);
		HAS("guarded %p[77] x dead\n", (void *)q);
		EXPECT_EQ(1, check_slabs());
		EXPECT_NOT_NULL(strstr(text, "| dead"));
	});
}

/* Nothing of what is in objects, and not the vault's place. */
TEST_F(picture, shows_no_contents)
{
	char vault[40];
	int i;

	T_BEGIN_WAY(NULL);
	T_ROOM(1 << 20);
	for (i = 0; i < 50; i++) {
		char *p = secmalloc(60);

		ASSERT_NOT_NULL(p);
		memset(p, 'S', 60);
		p = secmalloc_guarded(60);
		ASSERT_NOT_NULL(p);
		memset(p, 'S', 60);
	}
	draw();
	EXPECT_NULL(strchr(text, 'S'));
	(void)snprintf(vault, sizeof(vault), "%p",
		       (void *)self->heap->vault);
	EXPECT_NULL(strstr(text, vault));
}
