/* SPDX-License-Identifier: MIT */
/*
 * picture.c - draw the heap: what is where, never what is in it
 *
 * Public function.  Draws under the heap's lock with the caches stopped.
 */
#include <errno.h>

#include "api.h"
#include "cache.h"
#include "error.h"
#include "run.h"
#include "secmalloc.h"
#include "text.h"

enum { WIDE = 64 }; /* marks in a line; a mark may stand for several slots */

/* One mark for slots [i, end): x if any has an object, else c if any is in a
 * cache. */
static char mark(const struct secm_slab *slab, size_t i, size_t end)
{
	char best = '_';

	for (; i < end && i < slab->slots; i++) {
		uint32_t state = secm_peek(&slab->state[i]);

		if (secm_slack(state) != 0)
			return 'x';
		if (state != 0)
			best = 'c';
	}
	return best;
}

static void draw_slab(struct secm_text *t, const struct secm_span *span)
{
	const struct secm_slab *slab = &span->u.slab;
	size_t group = (slab->slots + WIDE - 1) / WIDE, i;

	secm_put(t, "%u x %u at %p[%zu] ", (unsigned)slab->slot,
		 (unsigned)slab->slots, (void *)span->data,
		 span->filled * secm_os.page);
	for (i = 0; i < slab->slots; i += group)
		secm_put(t, "%c", mark(slab, i, i + group));
	secm_put(t, "|%s", span->dead ? " dead" : "");
	if (group > 1)
		secm_put(t, " %zu a mark", group);
	secm_put(t, "\n");
}

static const char *access_name(const struct secm_span *span)
{
	switch (span->access) {
	case SECM_NONE:
		return " closed";
	case SECM_READ:
		return " read-only";
	default:
		return "";
	}
}

static void draw_run(struct secm_text *t, const struct secm_span *span)
{
	const struct secm_run *run = &span->u.run;
	const char *kind = span->kind == SECM_GUARDED ? "guarded" : "large";

	if (span->kind == SECM_SEGMENT)
		kind = "segment";
	if (!run->live) {
		secm_put(t, "waiting %p[%zu] _\n", (void *)span->data,
			 span->filled * secm_os.page);
		return;
	}
	secm_put(t, "%s %p[%zu] x%s%s%s\n", kind,
		 (void *)(span->kind == SECM_SEGMENT ? span->data
						     : run->object),
		 run->size, access_name(span), run->divided ? " in parts" : "",
		 span->dead ? " dead" : "");
}

static void draw(struct secm_text *t, struct secm_heap *heap)
{
	const struct secm_span *span;

	secm_caches_stop(heap);
	for (span = heap->all; span; span = span->all) {
		if (!span->filled || span == heap->vault_span)
			continue;
		if (span->kind == SECM_SLAB)
			draw_slab(t, span);
		else
			draw_run(t, span);
	}
	secm_caches_resume(heap);
	secm_put(t, "%zu bytes mapped, %zu of them wait for reuse\n",
		 secm_heap_mapped(heap), heap->queue.bytes);
}

SECM_API int secmalloc_picture(char *buffer, size_t size)
{
	struct secm_text t = { buffer, size, 0 };
	int saved = errno, r = secm_enter_anyway();

	if (r)
		return secm_error(r);
	draw(&t, &secm_default_heap);
	secm_leave();
	errno = saved;
	return secm_text_length(&t);
}
