/* SPDX-License-Identifier: MIT */
/*
 * api.c - the public functions, but for rekey and report
 *
 * All memory but that of open secrets is taken before the lock is, and freed
 * after it.  What is opened is taken inside, when its size is known to be true,
 * by secmalloc_try(); if that fails, outside, where handlers may be asked, and
 * then it is tried again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cold.h"

enum { NO_KEY = 1 }; /* besides negative errnos */

static int fail(int r)
{
	errno = -r;
	return -1;
}

static void wipe_and_free(void *p, size_t size)
{
	if (p)
		secmalloc_wipe(p, size);
	free(p);
}

/* Before there is a lock there are no handles.  Whether this is one is known
 * under the lock. */
static void need_handle(const secmalloc_cold *cold)
{
	if (!cold || !secm_cold_is_set_up())
		secm_cold_die(SECM_COLD_DIE_HANDLE);
}

static void need_live(const secmalloc_cold *cold)
{
	if (!secm_cold_table_has(&secm_cold.table, cold))
		secm_cold_die(SECM_COLD_DIE_HANDLE);
}

/* Nothing in it is believed before this. */
static int check(const secmalloc_cold *cold, const struct secm_cold_key *key)
{
	if (!key || cold->era != secm_cold.era)
		return -EPERM;
	secm_cold_check(cold, key);
	return 0;
}

static int init_job(struct secm_cold_job *job, struct secm_cold_key *key)
{
	(void)key;
	if (job->home.heap)
		return -EALREADY; /* it was not taken */
	memcpy(&secm_cold.config, job->from, sizeof(secm_cold.config));
	return 0;
}

SECM_API int secmalloc_cold_init(const struct secmalloc_config *config)
{
	static const struct secmalloc_config defaults;
	struct secm_cold_job job = { .fn = init_job };
	int saved = errno, r;

	job.from = config ? config : &defaults;
	r = secm_cold_make_home(&job.home, job.from);
	if (r)
		return fail(r);
	r = secm_cold_run_here(&job); /* does not set the default heap up */
	secm_cold_drop_home(&job.home);
	if (r)
		return fail(r);
	errno = saved;
	return 0;
}

/* Ciphertext and nonce for job->size bytes. */
static int prepare(struct secm_cold_job *job)
{
	size_t total;
	int r = secm_cold_sealed_size(job->size, &total);

	if (r)
		return r;
	if (!job->from && job->size)
		return -EINVAL;
	if (secmalloc_random(job->nonce, sizeof(job->nonce)) != 0)
		return -EIO;
	job->sealed = malloc(total);
	return job->sealed ? 0 : -ENOMEM;
}

/* Exchanges what cold has for what was prepared. */
static void fill(secmalloc_cold *cold, struct secm_cold_job *job,
		 const struct secm_cold_key *key)
{
	unsigned char *sealed = cold->sealed;
	size_t size = cold->size;

	cold->sealed = job->sealed;
	cold->size = job->size;
	cold->era = secm_cold.era;
	memcpy(cold->nonce, job->nonce, sizeof(cold->nonce));
	secm_cold_seal(cold, job->from, key);
	job->sealed = sealed;
	job->size = size;
}

static int freeze_job(struct secm_cold_job *job, struct secm_cold_key *key)
{
	int r;

	if (!key)
		return NO_KEY;
	r = secm_cold_table_reserve(&secm_cold.table);
	if (r)
		return r;
	fill(job->object, job, key);
	secm_cold_table_add(&secm_cold.table, job->object);
	return 0;
}

/* With a new key, if there is none (any more). */
static int freeze(struct secm_cold_job *job)
{
	int r = NO_KEY;

	if (secm_cold_is_set_up())
		r = secm_cold_run(job);
	while (r == NO_KEY) {
		secm_cold_drop_home(&job->home);
		r = secm_cold_make_home(&job->home, NULL);
		if (r == 0)
			r = secm_cold_run(job);
	}
	secm_cold_drop_home(&job->home);
	return r;
}

SECM_API secmalloc_cold *secmalloc_cold_freeze(const void *p, size_t size)
{
	struct secm_cold_job job = { .fn = freeze_job, .from = p };
	secmalloc_cold *cold;
	int saved = errno, r;

	job.size = size;
	r = prepare(&job);
	if (r) {
		errno = -r;
		return NULL;
	}
	cold = calloc(1, sizeof(*cold));
	job.object = cold;
	r = cold ? freeze(&job) : -ENOMEM;
	if (r) {
		free(job.sealed);
		free(cold);
		errno = -r;
		return NULL;
	}
	errno = saved;
	return cold;
}

/* Decrypts into job->object, which there may be already. */
static int decrypt(struct secm_cold_job *job, const struct secm_cold_key *key)
{
	int r;

	if (job->object && job->size != job->cold->size) {
		job->size = job->cold->size; /* it was replaced meanwhile */
		return -EAGAIN;
	}
	job->size = job->cold->size;
	if (!job->object) {
		r = secmalloc_try(&job->object, job->size, 1);
		if (r)
			return r == -ENOMEM ? -EAGAIN : r;
	}
	secm_cold_unseal(job->cold, job->object, key);
	return 0;
}

/* What is open since before a fork mostly reads as zeros here. */
static int open_again(const secmalloc_cold *cold)
{
	struct secmalloc_object object = { .size = sizeof(object) };

	if (secmalloc_usable_size(cold->open) != cold->size)
		secm_cold_die(SECM_COLD_DIE_CHANGED);
	if (cold->forks != secm_cold.forks &&
	    (secmalloc_report_object(cold->open, &object) != 0 || object.dead))
		return -EPERM;
	return 0;
}

static int open_job(struct secm_cold_job *job, struct secm_cold_key *key)
{
	secmalloc_cold *cold = job->cold;
	void *spare = job->object;
	int r = check(cold, key);

	if (r == 0)
		r = cold->opens ? open_again(cold) : decrypt(job, key);
	if (r)
		return r;
	if (!cold->opens) {
		cold->open = job->object;
		cold->forks = secm_cold.forks;
		spare = NULL;
	}
	cold->opens++;
	job->from = cold->open;
	job->object = spare;
	return 0;
}

static int thaw_job(struct secm_cold_job *job, struct secm_cold_key *key)
{
	int r = check(job->cold, key);

	if (r == 0)
		r = job->cold->opens ? -EBUSY : decrypt(job, key);
	if (r)
		return r;
	secm_cold_table_remove(&secm_cold.table, job->cold);
	job->from = job->object;
	job->object = NULL;
	return 0;
}

/* Runs a job that decrypts: 0, and its object is in job->from. */
static int warm(struct secm_cold_job *job)
{
	int saved = errno, r;

	need_handle(job->cold);
	for (;;) {
		r = secm_cold_run(job);
		if (r != -EAGAIN)
			break;
		secfree(job->object);
		job->object = secmalloc(job->size);
		if (!job->object)
			return fail(-errno);
	}
	secfree(job->object);
	if (r)
		return fail(r);
	errno = saved;
	return 0;
}

SECM_API const void *secmalloc_cold_open(secmalloc_cold *cold)
{
	struct secm_cold_job job = { .fn = open_job, .cold = cold };

	return warm(&job) == 0 ? job.from : NULL;
}

static void forget(secmalloc_cold *cold)
{
	wipe_and_free(cold->sealed, cold->size + SECM_COLD_TAG);
	wipe_and_free(cold, sizeof(*cold));
}

SECM_API void *secmalloc_cold_thaw(secmalloc_cold *cold)
{
	struct secm_cold_job job = { .fn = thaw_job, .cold = cold };

	if (warm(&job) != 0)
		return NULL;
	forget(cold);
	return (void *)(uintptr_t)job.from;
}

SECM_API void secmalloc_cold_close(secmalloc_cold *cold)
{
	void *object = NULL;
	int saved = errno;

	need_handle(cold);
	secm_cold_lock();
	need_live(cold);
	if (!cold->opens)
		secm_cold_die(SECM_COLD_DIE_CLOSE);
	if (--cold->opens == 0) {
		object = cold->open;
		cold->open = NULL;
	}
	secm_cold_unlock();
	secfree(object);
	errno = saved;
}

static int replace_job(struct secm_cold_job *job, struct secm_cold_key *key)
{
	int r = check(job->cold, key);

	if (r)
		return r;
	if (job->cold->opens)
		return -EBUSY;
	fill(job->cold, job, key);
	return 0;
}

SECM_API int secmalloc_cold_replace(secmalloc_cold *cold, const void *p,
				    size_t size)
{
	struct secm_cold_job job = { .fn = replace_job, .cold = cold };
	int saved = errno, r;

	need_handle(cold);
	job.from = p;
	job.size = size;
	r = prepare(&job);
	if (r)
		return fail(r);
	r = secm_cold_run(&job);
	wipe_and_free(job.sealed, job.size + SECM_COLD_TAG);
	if (r)
		return fail(r);
	errno = saved;
	return 0;
}

SECM_API size_t secmalloc_cold_size(const secmalloc_cold *cold)
{
	size_t size;

	need_handle(cold);
	secm_cold_lock();
	need_live(cold);
	size = cold->size;
	secm_cold_unlock();
	return size;
}

static int check_job(struct secm_cold_job *job, struct secm_cold_key *key)
{
	return check(job->cold, key);
}

/* Looked at first, if that can be: what is freed may be what was changed. */
SECM_API void secmalloc_cold_free(secmalloc_cold *cold)
{
	struct secm_cold_job job = { .fn = check_job, .cold = cold };
	int saved = errno;

	if (!cold)
		return;
	need_handle(cold);
	(void)!secm_cold_run(&job); /* without a key it is freed all the same */
	secm_cold_lock();
	need_live(cold);
	if (cold->opens)
		secm_cold_die(SECM_COLD_DIE_FREE);
	secm_cold_table_remove(&secm_cold.table, cold);
	secm_cold_unlock();
	forget(cold);
	errno = saved;
}
