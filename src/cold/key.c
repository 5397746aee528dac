/* SPDX-License-Identifier: MIT */
/*
 * key.c - the key, where it lives and when it is open
 *
 * A key has a heap for itself, made before the lock is taken and destroyed, and
 * so wiped and unmapped, when it is let go.  The heap is one with access
 * scopes: only jobs open it, for the time that they take.  Of its pages there
 * are two, one of the heap itself and one of the key, which is guarded as a
 * small object would have more.
 *
 * A key that reads as zeros is gone, by fork(2) or secmalloc_shutdown(); so is
 * one whose pages are.  Then the handles of its era are lost, and the next one
 * who freezes makes another key.
 */
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "cold.h"

/* What libsodium needs of a secret stack, and signal handlers. */
enum { STACK = 32768, PAGE_AT_MOST = 1 };

struct secm_cold_state secm_cold;

/* That of secmalloc_cold_init(), if it was called. */
static struct secmalloc_config kept_config(void)
{
	struct secmalloc_config c = { 0 };

	if (!secm_cold_is_set_up())
		return c;
	secm_cold_lock();
	c = secm_cold.config;
	secm_cold_unlock();
	return c;
}

static struct secmalloc_config config_of_heap(
	const struct secmalloc_config *config)
{
	struct secmalloc_config c = config ? *config : kept_config();

	c.access = SECMALLOC_ACCESS_SCOPES;
	if (!c.pool_size)
		c.pool_size = PAGE_AT_MOST;
	if (!c.pool_growth)
		c.pool_growth = PAGE_AT_MOST;
	if (!c.retain)
		c.retain = PAGE_AT_MOST;
	return c;
}

static int fill(struct secm_cold_key *key)
{
	if (secmalloc_begin(key, SECMALLOC_READWRITE) != 0)
		return -errno;
	if (secmalloc_random(key, sizeof(*key)) != 0) {
		secmalloc_end(key, SECMALLOC_READWRITE);
		return -EIO;
	}
	key->alive = 1;
	secmalloc_end(key, SECMALLOC_READWRITE);
	return 0;
}

void secm_cold_drop_home(struct secm_cold_home *home)
{
	secmalloc_heap_destroy(home->heap);
	home->heap = NULL;
}

/* Without the lock: out-of-memory handlers may be asked. */
int secm_cold_make_home(struct secm_cold_home *home,
			const struct secmalloc_config *config)
{
	struct secmalloc_config c = config_of_heap(config);
	int r;

	if (sodium_init() < 0)
		return -EIO;
	home->heap = secmalloc_heap_create(&c);
	if (!home->heap)
		return -errno;
	home->key = secmalloc_heap_guarded(home->heap, sizeof(*home->key));
	r = home->key ? fill(home->key) : -errno;
	if (r == 0)
		r = secm_cold_lock_setup();
	if (r)
		secm_cold_drop_home(home);
	return r;
}

/* From here on a new era.  Returns the old home, to be dropped without the
 * lock. */
struct secm_cold_home secm_cold_settle(struct secm_cold_home *home)
{
	struct secm_cold_home old = secm_cold.home;

	secm_cold.home = *home;
	secm_cold.era++;
	home->heap = NULL;
	return old;
}

/* begin failed.  Is it for want of room, or is the key gone? */
static int why_not(struct secm_cold_key *key, int error)
{
	struct secmalloc_object object = { .size = sizeof(object) };

	if (error == EINVAL)
		return 0;
	if (error == ENOMEM && secmalloc_report_object(key, &object) == 0 &&
	    object.dead)
		return 0;
	return -error;
}

/* 0 and the open key, or NULL if it is gone; or a negative errno. */
static int open_key(struct secm_cold_key **out)
{
	struct secm_cold_key *key = secm_cold.home.key;

	*out = NULL;
	if (!secm_cold.home.heap)
		return 0;
	if (secmalloc_begin(key, SECMALLOC_READONLY) != 0)
		return why_not(key, errno);
	if (!key->alive) {
		secmalloc_end(key, SECMALLOC_READONLY);
		return 0;
	}
	*out = key;
	return 0;
}

static void run(void *arg)
{
	struct secm_cold_job *job = arg;
	struct secm_cold_home old = { 0 };
	struct secm_cold_key *key, *opened;
	int r;

	secm_cold_lock();
	if (job->cold && !secm_cold_table_has(&secm_cold.table, job->cold))
		secm_cold_die(SECM_COLD_DIE_HANDLE);
	r = open_key(&key);
	if (r == 0 && !key && job->home.heap) {
		old = secm_cold_settle(&job->home);
		r = open_key(&key);
	}
	opened = key;
	if (r == 0)
		r = job->fn(job, key);
	if (opened)
		secmalloc_end(opened, SECMALLOC_READONLY);
	secm_cold_unlock();
	secm_cold_drop_home(&old);
	job->result = r;
}

/* ENOTSUP of secmalloc_call() has two meanings.  If there are objects, it is
 * stacks that nobody can change here. */
static int objects_can_be_had(void)
{
	void *p;
	int r = secmalloc_try(&p, 1, 1);

	if (r == 0)
		secfree(p);
	return r == 0;
}

/* Where there is no secret stack, on the one that there is. */
int secm_cold_run(struct secm_cold_job *job)
{
	if (secmalloc_call(run, job, STACK) == 0)
		return job->result;
	if (errno != ENOTSUP)
		return -errno;
	if (!objects_can_be_had())
		return -ENOTSUP;
	return secm_cold_run_here(job);
}

int secm_cold_run_here(struct secm_cold_job *job)
{
	run(job);
	return job->result;
}
