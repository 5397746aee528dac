/* SPDX-License-Identifier: MIT */
/*
 * segment.c - one contiguous piece of secret memory that grows and shrinks
 *
 * Callers: family.c, under the heap's lock.
 *
 *	|guard| bytes in use ......... | zeros |   no pages   ...  |guard|
 *	       data                    end      filled       capacity
 *
 * A span of its own kind.  It is no object: it is never freed, and stays where
 * it is when it gets empty.
 *
 * G1  Between the end and the last filled page there are zeros, and they are
 *     checked before they are handed out.
 */
#include "segment.h"

#include <errno.h>

#include "annotate.h"
#include "heap.h"
#include "retain.h"
#include "wipe.h"

enum { LARGEST = 1 << 28, SMALLEST = 1 << 20 }; /* bytes of address space */

/* An empty one of before a fork or shutdown, or a new one. */
static int get_segment(struct secm_heap *heap)
{
	size_t most = LARGEST / secm_os.page;

	if (!heap->segment)
		heap->segment = secm_retain_get(heap, SECM_SEGMENT, 0, 1, 0);
	while (!heap->segment && most >= SMALLEST / secm_os.page) {
		heap->segment = secm_span_new(heap, SECM_SEGMENT, 0, most);
		most /= 2;
	}
	if (!heap->segment)
		return -ENOMEM;
	return 0;
}

static int rest_is_zero(struct secm_span *span)
{
	char *end = span->data + span->u.run.size;
	size_t rest = (size_t)(secm_span_end(span) - end);
	int zero;

	secm_annotate_open(end, rest);
	zero = secm_is_zero(end, rest);
	secm_annotate_close(end, rest);
	return zero;
}

static int grow(struct secm_heap *heap, struct secm_span *span, size_t by)
{
	struct secm_run *run = &span->u.run;
	size_t filled = span->filled * secm_os.page, size;

	if (secm_size_add(run->size, by, &size) != 0 ||
	    size > span->capacity * secm_os.page)
		return -ENOMEM;
	if (!rest_is_zero(span))
		secm_die(SECM_DIE_OVERFLOW); /* G1 */
	if (size > filled) {
		int r = secm_span_fill(heap, span,
				       (size - 1) / secm_os.page + 1);

		if (r == -EADDRINUSE)
			return -ENOMEM;
		if (r)
			return r;
	}
	secm_annotate_open(span->data + run->size, by);
	run->size = size;
	run->live = size > 0;
	return 0;
}

static int shrink(struct secm_heap *heap, struct secm_span *span, size_t by)
{
	struct secm_run *run = &span->u.run;

	if (by > run->size)
		return -EINVAL;
	run->size -= by;
	run->live = run->size > 0;
	secm_wipe(span->data + run->size, by); /* G1 */
	secm_annotate_close(span->data + run->size, by);
	secm_span_shrink(heap, span,
			 (run->size + secm_os.page - 1) / secm_os.page);
	return 0;
}

int secm_segment_move(struct secm_heap *heap, ptrdiff_t by, void **out)
{
	struct secm_span *span;
	char *end;
	int r = get_segment(heap);

	if (r)
		return r;
	span = heap->segment;
	end = span->data + span->u.run.size;
	if (by > 0)
		r = grow(heap, span, (size_t)by);
	else if (by < 0)
		r = shrink(heap, span, 0 - (size_t)by);
	if (r == 0)
		*out = end;
	return r;
}

int secm_segment_owns(const struct secm_heap *heap, const void *p)
{
	const struct secm_span *span = heap->segment;

	return span && (uintptr_t)p - (uintptr_t)span->data < span->u.run.size;
}
