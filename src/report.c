/* SPDX-License-Identifier: MIT */
/*
 * report.c - the protection really obtained, as struct, text and JSON
 *
 * Public functions; they take the heap's lock while they collect.  Numbers
 * under "confirmed" come from the kernel's own list of mappings, not from what
 * we asked for.
 */
#include <errno.h>
#include <string.h>

#include "api.h"
#include "bits.h"
#include "error.h"
#include "fork.h"
#include "heap.h"
#include "index.h"
#include "meta.h"
#include "secmalloc.h"
#include "stats.h"
#include "text.h"

static const char *const reasons[] = {
	[SECMALLOC_REASON_NONE] = "nothing was refused",
	[SECMALLOC_REASON_BACKEND] = "this system does not offer it",
	[SECMALLOC_REASON_KERNEL] =
		"the kernel has no memfd_secret, or it is off",
	[SECMALLOC_REASON_FORBIDDEN] = "a security policy forbids it",
	[SECMALLOC_REASON_HIBERNATION] =
		"memfd_secret would keep this machine from hibernating",
	[SECMALLOC_REASON_LOCK_LIMIT] = "RLIMIT_MEMLOCK is used up",
	[SECMALLOC_REASON_DESCRIPTORS] = "no file descriptor was free",
	[SECMALLOC_REASON_MAPPINGS] = "no memory, or too many mappings",
	[SECMALLOC_REASON_MAX_BYTES] = "max_bytes of the configuration",
	[SECMALLOC_REASON_UNVERIFIED] =
		"madvise() accepts nonsense: an emulator",
};

static const struct {
	unsigned bit;
	const char *name;
} protections[] = {
	{ SECMALLOC_LOCKED, "locked" },
	{ SECMALLOC_NODUMP, "nodump" },
	{ SECMALLOC_HIDDEN, "hidden" },
	{ SECMALLOC_FORK_ZERO, "fork_zero" },
	{ SECMALLOC_FORK_GONE, "fork_gone" },
};

enum { PROTECTIONS = sizeof(protections) / sizeof(protections[0]) };

SECM_API const char *secmalloc_reason_string(enum secmalloc_reason reason)
{
	if ((size_t)reason >= sizeof(reasons) / sizeof(reasons[0]))
		return "unknown";
	return reasons[reason];
}

struct confirmation {
	struct secmalloc_report *report;
	const struct secm_heap *heap; /* NULL: all */
};

/* Bytes there that are the heap's: at its spans, and at home in its pools. */
static size_t share(const struct secm_heap *heap, const void *p, size_t len)
{
	uintptr_t at = (uintptr_t)p;
	const struct secm_span *span;
	const struct secm_pool *pool;
	size_t sum = 0, i;

	for (span = heap->all; span; span = span->all)
		sum += secm_overlap(at, len, (uintptr_t)span->data,
				    secm_span_bytes(span));
	for (pool = heap->pools; pool; pool = pool->next) {
		if (!secm_overlap(at, len, (uintptr_t)pool->home,
				  pool->pages * secm_os.page))
			continue;
		for (i = pool->placed; i < pool->pages; i++)
			if (!secm_bit(pool->away, i))
				sum += secm_overlap(at, len,
						    (uintptr_t)pool->home +
							    i * secm_os.page,
						    secm_os.page);
	}
	return sum;
}

/* Each mapping of ours, as the kernel sees it. */
static void confirm(void *arg, const void *at, size_t len, unsigned props)
{
	const struct confirmation *c = arg;

	if (!secm_index_covers(at, len) || !props)
		return; /* another's, or a guard */
	c->report->tier[secm_policy_tier(props)].confirmed +=
		c->heap ? share(c->heap, at, len) : len;
}

/* What every byte of a tier has: of all pools and all mappings at spans. */
static void add_protections(struct secmalloc_report *report,
			    const struct secm_heap *heap)
{
	const struct secm_pool *pool;
	const struct secm_span *span;

	for (pool = heap->pools; pool; pool = pool->next) {
		report->tier[secm_policy_tier(pool->props)].protections &=
			pool->props;
		report->pools++;
	}
	for (span = heap->all; span; span = span->all) {
		if (!span->filled)
			continue;
		report->tier[secm_policy_tier(span->props)].protections &=
			span->props;
		report->pools += span->direct;
	}
}

static void add(struct secmalloc_report *report, const struct secm_heap *heap)
{
	int i;

	if (report->reason == SECMALLOC_REASON_NONE) {
		report->reason = heap->policy.reason;
		report->reason_errno = heap->policy.reason_errno;
	}
	report->degraded += heap->degraded;
	for (i = 0; i < SECMALLOC_TIERS; i++) {
		if (!report->tier[i].mapped && heap->mapped[i])
			report->tier[i].protections = SECM_PROPS;
		report->tier[i].mapped += heap->mapped[i];
	}
	add_protections(report, heap);
}

/* Of one heap, or of all: then what cannot be summed up is that of the first,
 * and the reason that of the first that has one. */
static void collect(struct secmalloc_report *report, struct secm_heap *heap)
{
	const struct secm_heap *first = heap ? heap : &secm_default_heap, *h;
	struct confirmation c = { report, heap };
	struct secmalloc_stats stats;

	secm_stats_collect(heap, &stats);
	memset(report, 0, sizeof(*report));
	report->size = sizeof(*report);
	report->backend = secm_os.name;
	report->need = first->policy.config.need;
	report->access = first->access;
	report->access_errno = first->access_errno;
	report->objects = stats.objects;
	report->bytes = stats.bytes;
	report->refused = stats.refused;
	for (h = first; h; h = heap ? NULL : h->next)
		add(report, h);
	secm_os_lock_limit(&report->lock_limit, &report->lock_limit_max);
	secm_meta_sizes(&report->metadata, &report->sealed);
	report->verified = secm_os_observe(confirm, &c) == 0;
}

int secm_report(struct secm_heap *heap, struct secmalloc_report *report)
{
	struct secm_heap *first = heap ? heap : &secm_default_heap;
	int saved = errno, r;

	if (!report || report->size != sizeof(*report))
		return secm_error(-EINVAL);
	if (secm_fork_stale())
		return secm_error(-EPERM);
	secm_take();
	r = secm_heap_ready(first);
	if (r != -EPERM) {
		collect(report, heap);
		r = 0; /* a heap that cannot start has a reason to report */
	}
	secm_leave();
	if (secm_error(r) != 0)
		return -1;
	errno = saved;
	return 0;
}

SECM_API int secmalloc_report(struct secmalloc_report *report)
{
	return secm_report(NULL, report);
}

static void put_protections(struct secm_text *t, unsigned set,
			    const char *separator, const char *quote)
{
	const char *before = "";
	int i;

	for (i = 0; i < PROTECTIONS; i++) {
		if (!(set & protections[i].bit))
			continue;
		secm_put(t, "%s%s%s%s", before, quote, protections[i].name,
			 quote);
		before = separator;
	}
}

static void put_limit(struct secm_text *t, size_t limit, const char *none)
{
	if (limit == SIZE_MAX)
		secm_put(t, "%s", none);
	else
		secm_put(t, "%zu", limit);
}

static void text_tier(struct secm_text *t, const struct secmalloc_report *r,
		      int i)
{
	const struct secmalloc_tier_report *tier = &r->tier[i];

	secm_put(t, "  %-13s%10zu bytes",
		 secm_policy_tier_name((enum secmalloc_tier)i), tier->mapped);
	if (r->verified)
		secm_put(t, ", %zu confirmed by the kernel", tier->confirmed);
	if (tier->mapped) {
		secm_put(t, " (");
		put_protections(t, tier->protections, " ", "");
		secm_put(t, ")");
	}
	secm_put(t, "\n");
}

static void text_report(struct secm_text *t, const struct secmalloc_report *r)
{
	int i;

	secm_put(t, "secmalloc %s, %s backend\n", SECMALLOC_VERSION_STRING,
		 r->backend);
	for (i = 0; i < SECMALLOC_TIERS; i++)
		text_tier(t, r, i);
	if (!r->verified)
		secm_put(t, "  the system cannot be asked to confirm this\n");
	secm_put(t, "why not more: %s", secmalloc_reason_string(r->reason));
	if (r->reason_errno)
		secm_put(t, " (%s)", strerror(r->reason_errno));
	secm_put(t, "\nneeded: ");
	put_protections(t, r->need, " ", "");
	secm_put(t, "%s\nlock limit: ", r->need ? "" : "nothing");
	put_limit(t, r->lock_limit, "none");
	secm_put(t, " of at most ");
	put_limit(t, r->lock_limit_max, "any number");
	secm_put(t,
		 " bytes\nobjects: %zu of %zu bytes, from %zu mapping(s); "
		 "%zu refused, %zu times degraded\n",
		 r->objects, r->bytes, r->pools, r->refused, r->degraded);
	secm_put(t, "metadata: %zu bytes, %zu sealed\n", r->metadata,
		 r->sealed);
}

static void json_tier(struct secm_text *t, const struct secmalloc_report *r,
		      int i)
{
	const struct secmalloc_tier_report *tier = &r->tier[i];

	secm_put(t, "%s{\"name\":\"%s\",\"mapped\":%zu,\"confirmed\":",
		 i ? "," : "", secm_policy_tier_name((enum secmalloc_tier)i),
		 tier->mapped);
	if (r->verified)
		secm_put(t, "%zu", tier->confirmed);
	else
		secm_put(t, "null");
	secm_put(t, ",\"protections\":[");
	put_protections(t, tier->protections, ",", "\"");
	secm_put(t, "]}");
}

static void json_report(struct secm_text *t, const struct secmalloc_report *r)
{
	int i;

	secm_put(t, "{\"version\":\"%s\",\"backend\":\"%s\",\"need\":[",
		 SECMALLOC_VERSION_STRING, r->backend);
	put_protections(t, r->need, ",", "\"");
	secm_put(t, "],\"tiers\":[");
	for (i = 0; i < SECMALLOC_TIERS; i++)
		json_tier(t, r, i);
	secm_put(t, "],\"verified\":%s,\"reason\":\"%s\",\"reason_errno\":%d",
		 r->verified ? "true" : "false",
		 secmalloc_reason_string(r->reason), r->reason_errno);
	secm_put(t, ",\"lock_limit\":");
	put_limit(t, r->lock_limit, "null");
	secm_put(t, ",\"lock_limit_max\":");
	put_limit(t, r->lock_limit_max, "null");
	secm_put(t,
		 ",\"pools\":%zu,\"objects\":%zu,\"bytes\":%zu,\"refused\":%zu,"
		 "\"degraded\":%zu,\"metadata\":%zu,\"sealed\":%zu}\n",
		 r->pools, r->objects, r->bytes, r->refused, r->degraded,
		 r->metadata, r->sealed);
}

static int format(char *buffer, size_t size,
		  void (*write)(struct secm_text *,
				const struct secmalloc_report *))
{
	struct secmalloc_report report = { .size = sizeof(report) };
	struct secm_text t = { buffer, size, 0 };

	if (secmalloc_report(&report) != 0)
		return -1;
	write(&t, &report);
	return secm_text_length(&t);
}

SECM_API int secmalloc_report_text(char *buffer, size_t size)
{
	return format(buffer, size, text_report);
}

SECM_API int secmalloc_report_json(char *buffer, size_t size)
{
	return format(buffer, size, json_report);
}
