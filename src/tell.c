/* SPDX-License-Identifier: MIT */
/*
 * tell.c - lines of the log about what a heap could and could not get
 *
 * Callers: heap.c and fill.c, under the heap's lock.
 */
#include "tell.h"

#include <errno.h>
#include <stdio.h>

#include "heap.h"

static const char *tier_of(unsigned props)
{
	return secm_policy_tier_name(secm_policy_tier(props));
}

static void tell_why(struct secm_heap *heap, int level, const char *what)
{
	const struct secm_policy *p = &heap->policy;
	const char *why = secmalloc_reason_string(p->reason);

	if (p->reason_errno)
		secm_log(heap, level, "%s: %s (errno %d)", what, why,
			 p->reason_errno);
	else
		secm_log(heap, level, "%s: %s", what, why);
}

/* 1 if there is another reason now than was told last (0: none was). */
static int is_news(int *told, const struct secm_policy *policy)
{
	int reason = (int)policy->reason + 1;

	if (*told == reason)
		return 0;
	*told = reason;
	return 1;
}

void secm_tell_start(struct secm_heap *heap, int r)
{
	const struct secm_policy *p = &heap->policy;

	if (r == -EINVAL) {
		secm_log(heap, SECMALLOC_LOG_ERROR,
			 "not started: the configuration is not valid");
		return;
	}
	if (r) {
		if (is_news(&heap->log.refused, p))
			tell_why(heap, SECMALLOC_LOG_ERROR, "not started");
		return;
	}
	secm_log(heap, SECMALLOC_LOG_INFO,
		 "started%s: %s backend, tiers %s to %s",
		 heap->orphan ? " in a child" : "", secm_os.name,
		 tier_of(p->rung[0].need), tier_of(p->rung[p->rungs - 1].need));
	if (p->reason != SECMALLOC_REASON_NONE)
		tell_why(heap, SECMALLOC_LOG_INFO, "no better tier");
}

void secm_tell_refused(struct secm_heap *heap, size_t size)
{
	char what[48]; /* fits */

	if (!is_news(&heap->log.refused, &heap->policy))
		return;
	(void)snprintf(what, sizeof(what), "%zu bytes refused", size);
	tell_why(heap, SECMALLOC_LOG_ERROR, what);
}

void secm_tell_degraded(struct secm_heap *heap, unsigned props)
{
	char what[48]; /* fits */

	if (!is_news(&heap->log.degraded, &heap->policy))
		return;
	(void)snprintf(what, sizeof(what), "only %s memory", tier_of(props));
	tell_why(heap, SECMALLOC_LOG_WARNING, what);
}
