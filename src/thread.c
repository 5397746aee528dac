/* SPDX-License-Identifier: MIT */
/*
 * thread.c - a cache for each thread, from its first use to the thread's end
 *
 * Callers: api.c without the lock; heap.c and orphan.c under it; the C library
 * when a thread ends.
 *
 * A thread gets its cache when it comes the slow way for the first time, and
 * gives back what is in it when it ends; what it frees even later goes the
 * slow way.  Caches are never given back to the system: the next thread gets
 * them.  So their number, and that of tags, is that of the threads there were
 * at one time.
 *
 * Setting the C library's thread-specific value may allocate, and that may be
 * us: no lock is held then, and the cache is there but still closed.
 */
#include "cache.h"

#include "annotate.h"
#include "api.h"
#include "fork.h"
#include "meta.h"

enum {
	MOST = 256,	    /* slots in a magazine: a choice has eight bits */
	USUAL = 32,	    /* in one of small slots, or */
	USUAL_BYTES = 8192, /* as many as are so many bytes, and no more than */
	USUAL_MOST = 128,
	LEAST = 2,	  /* in one of large slots */
	QUARANTINE = 8,	  /* wished for without making magazines larger */
	TAGS = SECM_PARTS /* that one is none */
};

#ifdef SECM_THREAD
SECM_THREAD struct secm_cache *secm_own_cache = &secm_no_cache;
static int key_made;
static pthread_key_t key;

static void set_own(struct secm_cache *cache)
{
	secm_own_cache = cache;
}

/* Only so that the thread's end is told. */
static int announce(struct secm_cache *cache)
{
	return pthread_setspecific(key, cache);
}
#else
#define key_made secm_cache_key_made
#define key secm_cache_key
int secm_cache_key_made;
pthread_key_t secm_cache_key;

static void set_own(struct secm_cache *cache)
{
	/* Where there was a value this cannot fail.  Where the first one could
	 * not be set, and this one neither, the thread tries again later. */
	(void)pthread_setspecific(key, cache);
}

static int announce(struct secm_cache *cache)
{
	return pthread_setspecific(key, cache);
}
#endif

/* 1 if threads are to have caches in which nothing is ever kept, as while a
 * debugger watches: only who has the lock tells it of objects (annotate.h). */
static int all_slow(const struct secmalloc_config *config)
{
	return !SECM_ATOMICS || secm_watched ||
	       (config->flags & SECMALLOC_NO_CACHES) ||
	       (config->sample > 0 && config->sample < SECM_SAMPLE_LEAST);
}

static uint16_t limit_of(const struct secmalloc_config *config, size_t slot)
{
	size_t n = USUAL_BYTES / slot;

	if (n < USUAL)
		n = USUAL;
	if (n > USUAL_MOST)
		n = USUAL_MOST;
	if (n > config->cache / slot)
		n = config->cache / slot;
	if (config->quarantine > QUARANTINE && n < 2 * config->quarantine)
		n = 2 * config->quarantine;
	if (n > MOST)
		n = MOST;
	return (uint16_t)(n > LEAST ? n : LEAST);
}

static size_t places_for(const struct secmalloc_config *config)
{
	size_t sum = 0;
	unsigned i;

	for (i = 0; i < SECM_CLASSES; i++)
		sum += limit_of(config, secm_class_slot(i));
	return sum;
}

/* One that has too little room for a new configuration keeps nothing. */
static int keeps(const struct secm_heap *heap, const struct secm_thread *t)
{
	const struct secmalloc_config *config = &heap->policy.config;

	return !all_slow(config) && t->room >= places_for(config);
}

/* A cache as it is at first: closed, with empty magazines. */
static void set_up(const struct secm_heap *heap, struct secm_thread *t)
{
	const struct secmalloc_config *config = &heap->policy.config;
	struct secm_cache *cache = t->cache;
	struct secm_place *places = (struct secm_place *)(cache + 1);
	int keep = keeps(heap, t);
	unsigned i;

	secm_store(&cache->open, SECM_CLOSED);
	cache->tag = t->tag << SECM_TAG_SHIFT;
	cache->thread = t;
	for (i = 0; i < SECM_CLASSES; i++) {
		struct secm_magazine *m = &cache->magazine[i];

		m->count = m->next = m->left = 0;
		m->by_then = m->allocations;
		m->slot = (uint32_t)secm_class_slot(i);
		secm_pieces(m->slot, m->at);
		m->true_limit = keep ? limit_of(config, m->slot) : 0;
		m->true_floor = m->true_limit / 2;
		if (m->true_floor > config->quarantine)
			m->true_floor = (uint16_t)config->quarantine;
		m->places = places;
		places += m->true_limit;
	}
}

static struct secm_thread *describe(struct secm_heap *heap, size_t room)
{
	struct secm_thread *t = secm_meta_alloc(sizeof(*t));
	size_t size = sizeof(*t->cache) + room * sizeof(struct secm_place);

	if (!t)
		return NULL;
	t->cache = secm_meta_pages(size);
	if (!t->cache)
		return NULL;
	if (secm_size_round(size, secm_os.page, &size) == 0)
		(void)secm_os_zero_on_fork(t->cache, size); /* C3: if it can */
	secm_meta_seal(t->cache, size);
	t->room = room;
	t->tag = heap->threads ? heap->threads->tag + 1 : 1;
	t->next = heap->threads;
	heap->threads = t;
	return t;
}

static struct secm_thread *get_thread(struct secm_heap *heap)
{
	size_t room = places_for(&heap->policy.config);
	struct secm_thread *t;

	for (t = heap->threads; t; t = t->next)
		if (!t->used && t->room >= room)
			break;
	if (!t && (!heap->threads || heap->threads->tag + 1 < TAGS))
		t = describe(heap, room);
	if (!t)
		return NULL;
	t->used = 1;
	t->active = 0;
	t->asking = 0;
	t->oom = NULL;
	set_up(heap, t);
	return t;
}

/* 1 if that is the calling thread's, which is in announce(). */
static int starts_here(const struct secm_thread *t)
{
	return t->starting && pthread_equal(t->starter, pthread_self());
}

static int is_starting(const struct secm_heap *heap)
{
	const struct secm_thread *t;

	for (t = heap->threads; t; t = t->next)
		if (starts_here(t))
			return 1;
	return 0;
}

static void open_cache(struct secm_heap *heap, struct secm_thread *t)
{
	struct secm_cache *cache = t->cache;
	const struct secmalloc_config *config = &heap->policy.config;

	cache->vault = heap->vault;
	cache->lane = &heap->vault->lane[t->tag % SECM_LANES];
	secm_vault_lane(heap->vault, cache->lane);
	cache->until_sample = 0;
	if (config->sample > 0 && !all_slow(config))
		secm_cache_next_sample(heap, cache);
	t->active = 1;
	secm_cache_open(heap, t);
}

/* One for the caller to start; or NULL. */
static struct secm_thread *reserve(struct secm_heap *heap, int must)
{
	const struct secmalloc_config *config = &heap->policy.config;
	struct secm_thread *t;

	if (heap->state != SECM_READY || heap->stopped || !key_made)
		return NULL;
	if ((!must && all_slow(config)) || is_starting(heap))
		return NULL;
	t = get_thread(heap);
	if (t) {
		t->starting = 1;
		t->starter = pthread_self();
	}
	return t;
}

void secm_cache_start(struct secm_heap *heap, int must)
{
	struct secm_cache *cache;
	struct secm_thread *t;
	int failed;

	if (secm_cache_self() != &secm_no_cache)
		return;
	secm_lock(&secm_heap_lock);
	t = reserve(heap, must);
	cache = t ? t->cache : NULL;
	secm_unlock(&secm_heap_lock);
	if (!cache)
		return;
	failed = announce(cache) != 0;
	set_own(failed ? &secm_ended_cache : cache);
	secm_lock(&secm_heap_lock);
	t->starting = 0;
	if (failed)
		t->used = 0;
	else if (heap->state == SECM_READY)
		open_cache(heap, t);
	secm_unlock(&secm_heap_lock);
}

/* The C library calls this at the end of a thread, a few times over if other
 * values are set meanwhile. */
static void thread_ends(void *arg)
{
	struct secm_heap *heap = &secm_default_heap;
	struct secm_cache *cache = arg;

	set_own(&secm_ended_cache);
	/* Without fork handlers there is nothing of it in this process. */
	if (cache == &secm_ended_cache || secm_fork_stale())
		return;
	secm_take();
	secm_cache_end(heap, cache);
	cache->thread->used = 0;
	cache->thread->oom = NULL;
	secm_leave();
}

void secm_caches_open(struct secm_heap *heap)
{
	struct secm_thread *t;

	if (!key_made && pthread_key_create(&key, thread_ends) == 0)
		secm_store(&key_made, 1);
	for (t = heap->threads; t; t = t->next) {
		if (!t->used)
			continue;
		set_up(heap, t);
		open_cache(heap, t);
	}
}

void secm_caches_forget(struct secm_heap *heap)
{
	struct secm_cache *self = secm_cache_self();
	struct secm_thread *t;

	heap->stopped = 0;
	for (t = heap->threads; t; t = t->next) {
		t->starting = (unsigned char)starts_here(t);
		t->used = t->cache == self || t->starting;
		t->active = 0;
		if (t->used)
			set_up(heap, t);
	}
}
