/* SPDX-License-Identifier: MIT */
/*
 * rekey.c - a new key for everything, and the report
 *
 * Secret memory, key and random bytes are there before the first ciphertext is
 * changed, and nothing that follows can fail, but for corruption.
 */
#include <errno.h>
#include <string.h>

#include "cold.h"

static int is_of_this_era(const secmalloc_cold *cold)
{
	return cold && cold->era == secm_cold.era;
}

/* All are looked at before any of them is changed. */
static size_t check_all(const struct secm_cold_key *key)
{
	const struct secm_cold_table *table = &secm_cold.table;
	size_t i, largest = 0;

	for (i = 0; i < table->slots; i++) {
		if (!is_of_this_era(table->slot[i]))
			continue;
		secm_cold_check(table->slot[i], key);
		if (table->slot[i]->size > largest)
			largest = table->slot[i]->size;
	}
	return largest;
}

/* Under a key that is new, nonces that are counted from a random one are as
 * good as each drawn by itself. */
static void seal_all(struct secm_cold_job *job, const struct secm_cold_key *old,
		     const struct secm_cold_key *new)
{
	const struct secm_cold_table *table = &secm_cold.table;
	secmalloc_cold *cold;
	uint64_t count;
	size_t i;

	memcpy(&count, job->nonce, sizeof(count));
	for (i = 0; i < table->slots; i++) {
		cold = table->slot[i];
		if (!is_of_this_era(cold))
			continue;
		secm_cold_unseal(cold, job->object, old);
		count++;
		memcpy(cold->nonce, job->nonce, sizeof(cold->nonce));
		memcpy(cold->nonce, &count, sizeof(count));
		cold->era = secm_cold.era + 1;
		secm_cold_seal(cold, job->object, new);
	}
}

static int rekey_job(struct secm_cold_job *job, struct secm_cold_key *key)
{
	struct secm_cold_key *new = job->home.key;
	size_t largest;

	if (!job->home.heap)
		return 0; /* it was taken, as there was none: nothing to do */
	largest = check_all(key);
	if (!job->object || job->size < largest) {
		job->size = largest;
		return -EAGAIN;
	}
	if (secmalloc_begin(new, SECMALLOC_READONLY) != 0)
		return -errno;
	seal_all(job, key, new);
	secmalloc_end(new, SECMALLOC_READONLY);
	job->home = secm_cold_settle(&job->home);
	secm_cold.rekeys++;
	return 0;
}

static int rekey(struct secm_cold_job *job)
{
	int r = secm_cold_make_home(&job->home, NULL);

	if (r == 0 && secmalloc_random(job->nonce, sizeof(job->nonce)) != 0)
		r = -EIO;
	while (r == 0 && (r = secm_cold_run(job)) == -EAGAIN) {
		secfree(job->object);
		job->object = secmalloc(job->size);
		r = job->object ? 0 : -errno;
	}
	secfree(job->object);
	secm_cold_drop_home(&job->home);
	return r;
}

SECM_API int secmalloc_cold_rekey(void)
{
	struct secm_cold_job job = { .fn = rekey_job };
	int saved = errno, r = rekey(&job);

	errno = r ? -r : saved;
	return r ? -1 : 0;
}

static void report_heap(struct secmalloc_cold_report *report)
{
	struct secmalloc_report heap = { .size = sizeof(heap) };
	int i;

	if (!secm_cold.home.heap ||
	    secmalloc_heap_report(secm_cold.home.heap, &heap) != 0)
		return;
	report->access = heap.access;
	for (i = 0; i < SECMALLOC_TIERS; i++) {
		if (heap.tier[i].mapped == 0)
			continue;
		report->protections =
			report->locked == 0 ? heap.tier[i].protections
					    : report->protections &
						      heap.tier[i].protections;
		report->locked += heap.tier[i].mapped;
	}
}

static int report_job(struct secm_cold_job *job, struct secm_cold_key *key)
{
	const struct secm_cold_table *table = &secm_cold.table;
	struct secmalloc_cold_report *report = job->object;
	const secmalloc_cold *cold;
	size_t i;

	report->ordinary = table->slots * sizeof(*table->slot);
	for (i = 0; i < table->slots; i++) {
		cold = table->slot[i];
		if (!cold)
			continue;
		report->secrets++;
		report->bytes += cold->size;
		report->open += cold->opens > 0;
		report->lost += !key || !is_of_this_era(cold);
		report->ordinary += sizeof(*cold) + cold->size + SECM_COLD_TAG;
	}
	report->rekeys = secm_cold.rekeys;
	report_heap(report);
	return 0;
}

SECM_API int secmalloc_cold_report(struct secmalloc_cold_report *report)
{
	struct secm_cold_job job = { .fn = report_job };
	int saved = errno;

	if (!report || report->size != sizeof(*report)) {
		errno = EINVAL;
		return -1;
	}
	memset(report, 0, sizeof(*report));
	report->size = sizeof(*report);
	job.object = report;
	if (secm_cold_is_set_up())
		(void)secm_cold_run_here(&job); /* what it can tell, it did */
	errno = saved;
	return 0;
}
