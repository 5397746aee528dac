/* SPDX-License-Identifier: MIT */
/*
 * t_model.c - a model of what a program has, for random sequences of calls
 *
 * See t_model.h.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "t_model.h"

#include <string.h>

#include "ksft.h"
#include "t_way.h"

enum { OBJECTS = 150, BRK_MOST = 60000 };

struct t_object {
	char *p;
	size_t size;
	uint64_t seed;
	int guarded, access;
	int dead; /* from before a shutdown: nothing is there */
};

static struct t_object all[OBJECTS];
static char *segment;
static size_t segment_size;
static uint64_t segment_seed;

static size_t below(size_t n)
{
	return (size_t)(ksft_random() % n);
}

/* Mostly small, now and then large. */
static size_t some_size(void)
{
	static const unsigned bits[] = { 4, 6, 8, 9, 10, 12, 14, 15, 16 };

	return below((size_t)1 << bits[below(9)]);
}

static void check(const struct t_object *o)
{
	ASSERT_EQ(o->size, secmalloc_usable_size(o->p));
	ASSERT_EQ(1, secmalloc_owns(o->p));
	ASSERT_EQ(o->size > 0, secmalloc_owns(o->p + o->size - !!o->size) &&
				       o->size > 0);
	if (!o->dead && o->access != SECMALLOC_NOACCESS)
		ASSERT_TRUE(t_is_filled(o->p, o->size, o->seed));
}

static void fill(struct t_object *o)
{
	o->seed = ksft_random();
	t_fill(o->p, o->size, o->seed);
}

/* The model of a new object, if there is one. */
static void born(struct t_object *o, void *p, size_t size, int guarded)
{
	static const struct t_object none = { .access = SECMALLOC_READWRITE };

	*o = none;
	o->p = p;
	o->size = size;
	o->guarded = guarded;
	if (!p)
		return;
	ASSERT_TRUE(t_holds(p, size, 0));
	ASSERT_EQ(size, secmalloc_usable_size(p));
	fill(o);
}

static char *copy_of_a_string(size_t *size)
{
	static char s[70000];
	size_t len = *size, most = below(2 * len + 1);
	char *p;

	t_fill(s, len, 1); /* no zeros */
	s[len] = 0;
	if (below(2)) {
		p = secmalloc_strdup(s);
	} else {
		p = secmalloc_strndup(s, most);
		len = most < len ? most : len;
	}
	if (p) {
		ASSERT_EQ(len, strlen(p));
		ASSERT_EQ(0, memcmp(p, s, len));
		memset(p, 0, len);
	}
	*size = len + 1;
	return p;
}

static void do_alloc(struct t_object *o)
{
	size_t size = some_size(), align = 1 + below(200);
	void *p = NULL;

	switch (below(9)) {
	case 0:
		born(o, secmalloc_guarded(size), size, 1);
		return;
	case 1:
		born(o, seccalloc(size / 7, 7), size / 7 * 7, 0);
		return;
	case 2:
		born(o, secmalloc_array(3, size / 3), size / 3 * 3, 0);
		return;
	case 3:
		p = copy_of_a_string(&size);
		born(o, p, size, 0);
		return;
	case 4:
		p = secmalloc_aligned(align, size);
		break;
	case 5:
		if (secmalloc_try(&p, size, align) != 0)
			p = NULL;
		break;
	default:
		align = 16;
		p = below(2) ? secmalloc(size) : secrealloc(NULL, size);
	}
	ASSERT_EQ(0, (uintptr_t)p % align);
	born(o, p, size, 0);
}

static void do_free(struct t_object *o)
{
	check(o);
	switch (below(16)) {
	case 0:
		secmalloc_free_sized(o->p, o->size);
		break;
	case 1:
		t_free_in_thread(o->p);
		break;
	default:
		secfree(o->p);
	}
	o->p = NULL;
}

/* What it is after a change of its size succeeded. */
static void changed(struct t_object *o, char *p, size_t size)
{
	size_t keep = size < o->size ? size : o->size;

	o->p = p;
	o->access = SECMALLOC_READWRITE;
	if (o->guarded)
		ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_READWRITE));
	ASSERT_TRUE(t_is_filled(p, keep, o->seed));
	ASSERT_TRUE(t_holds(p + keep, size - keep, 0));
	o->size = size;
	fill(o);
}

static void do_realloc(struct t_object *o)
{
	size_t size = some_size() / 4 * 4 + 4;
	char *p = below(2) ? secrealloc(o->p, size)
			   : secmalloc_realloc_array(o->p, size / 4, 4);

	if (p)
		changed(o, p, size);
	else
		check(o);
}

static void do_resize(struct t_object *o)
{
	size_t size = below(2) ? some_size() : below(o->size + 1);

	if (secmalloc_resize(o->p, size) == 0)
		changed(o, o->p, size);
	else
		check(o);
}

static void do_split(struct t_object *o)
{
	struct t_object *other = &all[below(OBJECTS)];
	size_t at = below(o->size + 2);
	char *p = o->p, *q;

	if (other->p)
		return;
	q = secmalloc_split(p, at);
	if (!q) {
		ASSERT_TRUE(o->guarded || at == 0 || at >= o->size ||
			    errno == ENOMEM);
		check(o);
		return;
	}
	ASSERT_EQ(p + at, q);
	ASSERT_FALSE(o->guarded);
	ASSERT_TRUE(t_is_filled(p, o->size, o->seed));
	*other = *o;
	other->p = q;
	other->size -= at;
	o->size = at;
	fill(o);
	fill(other);
}

static void do_protect(struct t_object *o)
{
	int access = (int)below(3);

	ASSERT_EQ(o->guarded ? 0 : -1, secmalloc_protect(o->p, access));
	if (o->guarded)
		o->access = access;
}

/* The helpers that work on any memory. */
static void do_bytes(struct t_object *o)
{
	if (o->access != SECMALLOC_READWRITE)
		return;
	secmalloc_wipe(o->p, o->size);
	ASSERT_TRUE(t_holds(o->p, o->size, 0));
	ASSERT_EQ(0, secmalloc_random(o->p, o->size));
	ASSERT_EQ(1, secmalloc_equal(o->p, o->p, o->size));
	fill(o);
}

static void do_segment(void)
{
	ptrdiff_t by = (ptrdiff_t)some_size();
	char *end;

	if (below(2))
		by = -by;
	end = secmalloc_sbrk(by);
	if (end == (char *)-1) {
		ASSERT_EQ(by < 0 ? EINVAL : ENOMEM, errno);
		return;
	}
	if (segment_size)
		ASSERT_EQ(segment + segment_size, end);
	segment = end - segment_size;
	if (by > 0)
		ASSERT_TRUE(t_holds(end, (size_t)by, 0));
	segment_size += (size_t)by;
	ASSERT_TRUE(t_is_filled(segment, by > 0 ? segment_size - (size_t)by
						: segment_size,
				segment_seed));
	if (segment_size > BRK_MOST) {
		ASSERT_NE((void *)-1,
			  secmalloc_sbrk(-(ptrdiff_t)segment_size));
		segment_size = 0;
	}
	segment_seed = ksft_random();
	t_fill(segment, segment_size, segment_seed);
}

static size_t count(size_t *bytes)
{
	size_t i, n = 0;

	*bytes = 0;
	for (i = 0; i < OBJECTS; i++)
		if (all[i].p && !all[i].dead) {
			n++;
			*bytes += all[i].size;
		}
	return n;
}

static void look(void)
{
	struct secmalloc_report report = { .size = sizeof(report) };
	struct secmalloc_stats stats = { .size = sizeof(stats) };
	static char text[1 << 15];
	size_t bytes, n = count(&bytes);

	switch (below(5)) {
	case 0:
		ASSERT_EQ(n, secmalloc_verify());
		return;
	case 1:
		(void)secmalloc_trim();
		return;
	case 2:
		ASSERT_EQ(0, secmalloc_stats(&stats));
		ASSERT_EQ(n, stats.objects);
		ASSERT_EQ(bytes, stats.bytes);
		return;
	case 3:
		ASSERT_EQ(0, secmalloc_report(&report));
		ASSERT_EQ(n, report.objects);
		ASSERT_EQ(bytes, report.bytes);
		return;
	default:
		ASSERT_LT(0, secmalloc_picture(text, sizeof(text)));
		ASSERT_LT(0, secmalloc_stats_json(text, sizeof(text)));
		ASSERT_LT(0, secmalloc_report_json(text, sizeof(text)));
		ASSERT_EQ(-1, secmalloc_init(NULL));
	}
}

void t_model_step(void)
{
	struct t_object *o = &all[below(OBJECTS)];
	size_t what = below(64);

	if (what < 4)
		do_segment();
	else if (what < 7)
		look();
	else if (!o->p)
		do_alloc(o);
	else if (o->dead || what < 24)
		do_free(o);
	else if (what < 34)
		do_realloc(o);
	else if (what < 42)
		do_resize(o);
	else if (what < 48)
		do_split(o);
	else if (what < 52)
		do_protect(o);
	else if (what < 54)
		do_bytes(o);
	else
		check(o);
}

void t_model_in_child(void)
{
	size_t i;

	for (i = 0; i < OBJECTS; i++) {
		struct t_object *o = &all[i];

		if (!o->p)
			continue;
		ASSERT_EQ(o->size, secmalloc_usable_size(o->p));
		if (!o->dead && o->access != SECMALLOC_NOACCESS)
			ASSERT_TRUE(t_holds(o->p, o->size, 0));
		if (below(2))
			secfree(o->p);
		o->p = NULL;
	}
	segment_size = 0;
	for (i = 0; i < 200; i++)
		t_model_step();
}

void t_model_dies(void)
{
	size_t i;

	for (i = 0; i < OBJECTS; i++)
		all[i].dead = all[i].p != NULL;
	segment_size = 0;
}

void t_model_end(void)
{
	size_t i;

	for (i = 0; i < OBJECTS; i++)
		if (all[i].p)
			do_free(&all[i]);
}
