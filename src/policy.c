/* SPDX-License-Identifier: MIT */
/*
 * policy.c - what to ask for, what to accept, what to tell
 *
 * Callers: heap.c at start, pool.c and span.c for every mapping.  The only
 * place that decides whether less protection will do.
 *
 * The ladder, best first; a rung that the configuration or the machine rules
 * out is left out, and where all are, the heap refuses to start:
 *
 *	hidden   need: the program's need + HIDDEN
 *	locked   need: the program's need + LOCKED + NODUMP
 *	partial  need: the program's need (only if that asks for less)
 *
 * Each rung is tried with smaller sizes before the next one is.
 */
#include "policy.h"

#include <errno.h>

#include "conf.h"
#include "heap.h"

enum {
	ALL_FLAGS = SECMALLOC_BEST_EFFORT | SECMALLOC_KEEP_LIMIT |
		    SECMALLOC_NO_CACHES | SECMALLOC_ALWAYS_MOVE |
		    SECMALLOC_IGNORE_ENVIRONMENT
};

SECM_STATIC_ASSERT(SECMALLOC_LOCKED == SECM_LOCKED);
SECM_STATIC_ASSERT(SECMALLOC_NODUMP == SECM_NODUMP);
SECM_STATIC_ASSERT(SECMALLOC_HIDDEN == SECM_HIDDEN);
SECM_STATIC_ASSERT(SECMALLOC_FORK_ZERO == SECM_FORK_ZERO);
SECM_STATIC_ASSERT(SECMALLOC_FORK_GONE == SECM_FORK_GONE);

/* Zero-extends what the program was compiled with. */
static int copy_config(struct secmalloc_config *to,
		       const struct secmalloc_config *from)
{
	static const struct secmalloc_config none;

	*to = from ? *from : none;
	if (to->size != 0 && to->size != sizeof(*to))
		return -EINVAL;
	to->size = sizeof(*to);
	return 0;
}

static int check_config(const struct secmalloc_config *c)
{
	size_t total;

	if ((c->need & ~(unsigned)SECM_PROPS) ||
	    (c->flags & ~(unsigned)ALL_FLAGS) ||
	    c->hibernation > SECMALLOC_HIBERNATION_GIVE_UP ||
	    c->log_level > SECMALLOC_LOG_DEBUG ||
	    c->child > SECMALLOC_CHILD_COPY ||
	    c->access > SECMALLOC_ACCESS_SCOPES)
		return -EINVAL;
	if ((c->need & SECM_HIDDEN) &&
	    c->hibernation == SECMALLOC_HIBERNATION_KEEP)
		return -EINVAL;
	if (secm_size_round(c->pool_size, secm_os.page, &total) != 0 ||
	    secm_size_mul(total, c->initial_pools, &total) != 0 ||
	    total > PTRDIFF_MAX)
		return -EINVAL;
	if (c->max_bytes && total > c->max_bytes)
		return -EINVAL;
	return 0;
}

static void fill_size(size_t *size, size_t otherwise)
{
	if (!*size)
		*size = otherwise;
}

/* A first pool that takes all that may be locked leaves nothing to other heaps:
 * where that is little, a pool is a share of it. */
static size_t default_pool(const struct secmalloc_config *c)
{
	enum { SHARES = 8 };
	size_t soft, hard, share;

	if (c->initial_pools || !(secm_os.props & (SECM_LOCKED | SECM_HIDDEN)))
		return SECM_DEFAULT_POOL;
	secm_os_lock_limit(&soft, &hard);
	share = (c->flags & SECMALLOC_KEEP_LIMIT ? soft : hard) / SHARES;
	if (share < secm_os.page)
		return secm_os.page;
	return share < SECM_DEFAULT_POOL ? share : SECM_DEFAULT_POOL;
}

static void fill_config(struct secmalloc_config *c)
{
	if (!c->need && !(c->flags & SECMALLOC_BEST_EFFORT))
		c->need = SECM_DEFAULT_NEED;
	fill_size(&c->pool_size, default_pool(c));
	fill_size(&c->retain, SECM_DEFAULT_RETAIN);
	fill_size(&c->pool_growth, SECM_DEFAULT_GROWTH);
	fill_size(&c->cache, SECM_DEFAULT_CACHE);
	if (!c->quarantine)
		c->quarantine = SECM_DEFAULT_QUARANTINE;
}

static enum secmalloc_reason reason_of(int error)
{
	switch (error) {
	case EAGAIN:
		return SECMALLOC_REASON_LOCK_LIMIT;
	case EPERM:
	case EACCES:
		return SECMALLOC_REASON_FORBIDDEN;
	case EMFILE:
	case ENFILE:
		return SECMALLOC_REASON_DESCRIPTORS;
	case ENOSYS:
		return SECMALLOC_REASON_KERNEL;
	case ENOMEM:
	case EADDRINUSE:
		return SECMALLOC_REASON_MAPPINGS;
	default:
		return SECMALLOC_REASON_BACKEND;
	}
}

void secm_policy_blame(struct secm_policy *p, enum secmalloc_reason reason,
		       int error)
{
	p->reason = reason;
	p->reason_errno = error;
}

/* 1 if memfd_secret may be used; else says why not. */
static int may_hide(struct secm_policy *p)
{
	const struct secmalloc_config *c = &p->config;

	if (!(secm_os.props & SECM_HIDDEN)) {
		secm_policy_blame(p, reason_of(secm_os.hidden_errno),
				  secm_os.hidden_errno);
		return 0;
	}
	if (c->hibernation == SECMALLOC_HIBERNATION_KEEP ||
	    (c->hibernation == SECMALLOC_HIBERNATION_AUTO &&
	     secm_os.hibernation > 0 && !(c->need & SECM_HIDDEN))) {
		secm_policy_blame(p, SECMALLOC_REASON_HIBERNATION, 0);
		return 0;
	}
	return 1;
}

/* The kernel gives a page to children as zeros or not at all, never both. */
static void add_rung(struct secm_policy *p, unsigned need, unsigned want)
{
	unsigned possible = secm_os.props;

	if (want & SECM_HIDDEN)
		possible &= ~(unsigned)SECM_FORK_ZERO;
	else
		possible &= ~(unsigned)(SECM_HIDDEN | SECM_FORK_GONE);
	if (need & ~possible) {
		if (p->reason == SECMALLOC_REASON_NONE &&
		    (need & ~possible & SECM_DEFAULT_NEED))
			secm_policy_blame(p, SECMALLOC_REASON_BACKEND, 0);
		return;
	}
	p->rung[p->rungs].need = need;
	p->rung[p->rungs].want = (want | need) & possible;
	p->rungs++;
}

int secm_policy_set(struct secm_policy *policy,
		    const struct secmalloc_config *config)
{
	const unsigned want =
		SECM_DEFAULT_NEED | SECM_FORK_ZERO | SECM_FORK_GONE;
	struct secm_policy p = { .rungs = 0 };
	unsigned need;

	if (copy_config(&p.config, config) != 0)
		return -EINVAL;
	fill_config(&p.config);
	if (check_config(&p.config) != 0)
		return -EINVAL;
	secm_conf_apply(&p.config);
	need = p.config.need;
	if (may_hide(&p))
		add_rung(&p, need | SECM_HIDDEN | SECM_DEFAULT_NEED,
			 want | SECM_HIDDEN);
	add_rung(&p, need | SECM_DEFAULT_NEED, want);
	if ((need & SECM_DEFAULT_NEED) != SECM_DEFAULT_NEED)
		add_rung(&p, need, want);
	if (secm_os.madvise_lies && p.reason != SECMALLOC_REASON_HIBERNATION)
		secm_policy_blame(&p, SECMALLOC_REASON_UNVERIFIED, 0);
	if (!p.rungs) {
		if (!policy->rungs)
			*policy = p; /* for the report */
		return -ENOTSUP;
	}
	*policy = p;
	return 0;
}

enum secmalloc_tier secm_policy_tier(unsigned props)
{
	if (props & SECM_HIDDEN)
		return SECMALLOC_TIER_SECRET;
	if ((props & SECM_DEFAULT_NEED) == SECM_DEFAULT_NEED)
		return SECMALLOC_TIER_LOCKED;
	return SECMALLOC_TIER_PARTIAL;
}

const char *secm_policy_tier_name(enum secmalloc_tier tier)
{
	static const char *const names[SECMALLOC_TIERS] = {
		[SECMALLOC_TIER_SECRET] = "memfd_secret",
		[SECMALLOC_TIER_LOCKED] = "locked",
		[SECMALLOC_TIER_PARTIAL] = "partial",
	};

	return names[tier];
}

static int over_budget(const struct secm_heap *heap, size_t len)
{
	size_t most = heap->policy.config.max_bytes;
	size_t now = secm_heap_mapped(heap);

	return most && (now > most || len > most - now);
}

int secm_policy_possible(struct secm_heap *heap, size_t len)
{
	size_t most = heap->policy.config.max_bytes;

	if (most && len > most) {
		secm_policy_blame(&heap->policy, SECMALLOC_REASON_MAX_BYTES, 0);
		return -ENOMEM;
	}
	if (len > secm_os.memory) {
		secm_policy_blame(&heap->policy, SECMALLOC_REASON_MAPPINGS,
				  ENOMEM);
		return -ENOMEM;
	}
	return 0;
}

/* Once, when it first matters. */
static int raise_limit(struct secm_heap *heap)
{
	struct secm_policy *policy = &heap->policy;
	size_t soft, hard;

	if (policy->raised || (policy->config.flags & SECMALLOC_KEEP_LIMIT))
		return 0;
	policy->raised = 1;
	if (!secm_os_raise_lock_limit())
		return 0;
	secm_os_lock_limit(&soft, &hard);
	secm_log(heap, SECMALLOC_LOG_INFO, "lock limit raised to %zu bytes",
		 soft);
	return 1;
}

/* What could not be found out at the start is asked before it matters. */
static int hidden_error(struct secm_policy *policy)
{
	const struct secmalloc_config *c = &policy->config;

	if (c->hibernation != SECMALLOC_HIBERNATION_AUTO ||
	    (c->need & SECM_HIDDEN))
		return 0;
	if (secm_os.hibernation < 0)
		secm_os.hibernation = secm_os_hibernation();
	if (secm_os.hibernation < 0) {
		secm_policy_blame(policy, SECMALLOC_REASON_DESCRIPTORS, EMFILE);
		return -EMFILE;
	}
	if (secm_os.hibernation > 0) {
		secm_policy_blame(policy, SECMALLOC_REASON_HIBERNATION, 0);
		return -EPERM;
	}
	return 0;
}

int secm_policy_map(struct secm_heap *heap, unsigned rung, void *at, size_t len,
		    unsigned *props)
{
	struct secm_policy *policy = &heap->policy;
	const struct secm_rung *r = &policy->rung[rung];
	enum secmalloc_tier tier;
	int why, error;

	if (over_budget(heap, len)) {
		secm_policy_blame(policy, SECMALLOC_REASON_MAX_BYTES, 0);
		return -ENOMEM;
	}
	error = r->want & SECM_HIDDEN ? hidden_error(policy) : 0;
	if (error)
		return error;
	do
		error = secm_os_map(at, len, r->need, r->want, props, &why);
	while (error == -EAGAIN && raise_limit(heap));
	if (error) {
		secm_policy_blame(policy, reason_of(why ? why : -error),
				  why ? why : -error);
		secm_log(heap, SECMALLOC_LOG_DEBUG, "%p[%zu] refused: %s", at,
			 len, secmalloc_reason_string(policy->reason));
		return error;
	}
	if (heap->key && secm_os_key_pages(at, len, heap->key) != 0) {
		if (secm_os_unmap(at, len) != 0)
			secm_os_panic(
				"secmalloc: cannot take a mapping back\n");
		return -ENOMEM;
	}
	tier = secm_policy_tier(*props);
	heap->mapped[tier] += len;
	if (heap->peak < secm_heap_mapped(heap))
		heap->peak = secm_heap_mapped(heap);
	secm_log(heap, SECMALLOC_LOG_DEBUG, "%p[%zu] mapped, %s", at, len,
		 secm_policy_tier_name(tier));
	return 0;
}

int secm_policy_populate(struct secm_heap *heap, void *at, size_t len)
{
	struct secm_policy *policy = &heap->policy;
	int error;

	do
		error = secm_os_populate(at, len);
	while (error == -EAGAIN && raise_limit(heap));
	if (error)
		secm_policy_blame(policy, reason_of(-error), -error);
	return error;
}

int secm_policy_unmap(struct secm_heap *heap, void *at, size_t len,
		      unsigned props)
{
	enum secmalloc_tier tier = secm_policy_tier(props);
	int r = secm_os_unmap(at, len);

	if (r)
		return r;
	heap->mapped[tier] -= len;
	secm_log(heap, SECMALLOC_LOG_DEBUG, "%p[%zu] unmapped, %s", at, len,
		 secm_policy_tier_name(tier));
	return 0;
}
