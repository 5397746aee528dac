/* SPDX-License-Identifier: MIT */
/*
 * meta.c - out-of-band metadata
 *
 * Callers: index, span, pool and slab, under the heap's lock, which protects
 * the state here too.  Holds sizes, states and addresses of objects, no
 * contents and no canaries: it is kept out of dumps but not locked.
 *
 *	| guard | chunk: handed out from the left ....   unused | guard |
 *
 * A chunk is never given back, so a dangling pointer to a descriptor still
 * points to a descriptor.  So it can be sealed as well, guards and all: who
 * makes the process unmap, replace or open memory gets an error here.  Sealing
 * comes last, as some systems take no advice on sealed pages.  Where a debugger
 * watches nothing is sealed: memcheck complains about calls it does not know.
 */
#include "meta.h"

#include "annotate.h"
#include "os.h"
#include "size.h"
#include "span.h"

enum {
	CHUNK = 1 << 18, /* bytes; untouched pages cost nothing */
	LINE = 64	 /* bytes; only speed depends on it */
};

static char *next, *end;
static size_t mapped, sealed; /* bytes, without guards */

/* len usable bytes between two inaccessible pages. */
static void *guarded(size_t len)
{
	size_t page = secm_os.page, all;
	char *p;

	if (secm_size_add(len, 2 * page, &all) != 0)
		return NULL;
	p = secm_os_reserve(all);
	if (!p)
		return NULL;
	if (secm_os_access(p + page, len, SECM_READWRITE) != 0) {
		secm_os_release(p, all);
		return NULL;
	}
	secm_os_nodump(p + page, len);
	mapped += len;
	return p + page;
}

/* What guarded() returned for len. */
static void seal(char *p, size_t len)
{
	size_t page = secm_os.page;

	if (!secm_watched && secm_os_seal(p - page, len + 2 * page) == 0)
		sealed += len;
}

void *secm_meta_alloc(size_t size)
{
	size_t len = CHUNK;
	char *p;

	if (secm_size_round(size, SECM_ALIGN, &size) != 0)
		return NULL;
	if (size > (size_t)(end - next)) {
		if (len < size)
			len = size;
		if (secm_size_round(len, secm_os.page, &len) != 0)
			return NULL;
		p = guarded(len);
		if (!p)
			return NULL;
		secm_annotate_metadata(p, len);
		seal(p, len);
		next = p;
		end = p + len;
	}
	p = next;
	next += size;
	return p;
}

void *secm_meta_line(size_t size)
{
	uintptr_t p;

	if (secm_size_add(size, LINE - SECM_ALIGN, &size) != 0)
		return NULL;
	p = (uintptr_t)secm_meta_alloc(size);
	return (void *)(p ? secm_round(p, LINE) : 0);
}

void *secm_meta_pages(size_t size)
{
	if (secm_size_round(size, secm_os.page, &size) != 0)
		return NULL;
	return guarded(size);
}

void secm_meta_seal(void *pages, size_t size)
{
	if (secm_size_round(size, secm_os.page, &size) == 0)
		seal(pages, size);
}

void secm_meta_sizes(size_t *bytes, size_t *of_them_sealed)
{
	*bytes = mapped;
	*of_them_sealed = sealed;
}
