/* SPDX-License-Identifier: MIT */
/*
 * heaps.c - a heap for each session
 *
 * A session keeps what it likes: keys, tickets, a transcript.  Nobody has to
 * free them one by one, and nothing that was forgotten survives: when the
 * session ends its heap is destroyed, which wipes all of it.  A session that
 * asks for too much meets its own budget and not that of the others.
 */
#include <secmalloc.h>
#include <stdio.h>
#include <string.h>

enum { CANNOT = 77, BUDGET = 256 * 1024, RECORD = 4000 };

struct session {
	secmalloc_heap *heap;
	unsigned char *key;
	size_t records;
};

/* 0, or -1 and errno. */
static int begin(struct session *s)
{
	struct secmalloc_config config;

	memset(&config, 0, sizeof(config));
	config.max_bytes = BUDGET;
	s->records = 0;
	s->heap = secmalloc_heap_create(&config);
	if (!s->heap)
		return -1;
	s->key = secmalloc_heap_guarded(s->heap, 32);
	if (s->key && secmalloc_random(s->key, 32) == 0)
		return 0;
	secmalloc_heap_destroy(s->heap);
	return -1;
}

/* A record that nobody ever frees: 0, or -1 at the end of the budget. */
static int keep_record(struct session *s)
{
	unsigned char *record = secmalloc_heap_malloc(s->heap, RECORD);

	if (!record)
		return -1;
	memset(record, 0x5a, RECORD);
	s->records++;
	return 0;
}

int main(void)
{
	struct session modest, greedy;

	if (begin(&modest) != 0) {
		perror("no memory for secrets here");
		return CANNOT;
	}
	if (begin(&greedy) != 0) {
		perror("secmalloc_heap_create");
		return 1;
	}
	while (keep_record(&greedy) == 0)
		continue;
	printf("the greedy session got %lu records\n",
	       (unsigned long)greedy.records);
	if (greedy.records > BUDGET / RECORD || keep_record(&modest) != 0) {
		fputs("the budget does not hold\n", stderr);
		return 1;
	}
	if (!secmalloc_heap_owns(modest.heap, modest.key) ||
	    secmalloc_heap_owns(greedy.heap, modest.key)) {
		fputs("a key in the wrong heap\n", stderr);
		return 1;
	}
	secmalloc_heap_destroy(greedy.heap);
	secfree(modest.key); /* may be freed by itself, too */
	secmalloc_heap_destroy(modest.heap);
	return 0;
}
