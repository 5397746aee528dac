/* SPDX-License-Identifier: MIT */
/*
 * oom.c - make room when memory for secrets gets scarce
 *
 * The lock limit is small on many machines.  This program keeps keys that it
 * could derive again.  When an allocation would fail, the handler drops the
 * oldest of them and has it tried once more, so that none of the callers needs
 * to know.  To get there soon the program allows itself 256 KiB.
 */
#include <secmalloc.h>
#include <stdio.h>

enum { CANNOT = 77, KEPT = 1000, ROUNDS = 3000, KEY = 2000 };

/* Oldest first, from first on, around the end. */
struct store {
	void *key[KEPT];
	unsigned first, count, dropped;
};

static int drop_oldest(struct store *store)
{
	if (store->count == 0)
		return 0;
	secfree(store->key[store->first]);
	store->first = (store->first + 1) % KEPT;
	store->count--;
	store->dropped++;
	return 1;
}

/* Called by the library: 1 to try again, 0 to give up. */
static int make_room(const struct secmalloc_oom *oom, void *arg)
{
	struct store *store = arg;

	if (store->dropped == 0)
		printf("no room for %lu bytes: %s\n", (unsigned long)oom->size,
		       secmalloc_reason_string(oom->reason));
	return drop_oldest(store);
}

static void keep(struct store *store, void *key)
{
	if (store->count == KEPT)
		(void)drop_oldest(store);
	store->key[(store->first + store->count++) % KEPT] = key;
}

int main(void)
{
	struct secmalloc_config config = { .size = sizeof(config) };
	static struct store store;
	void *extra;
	int i;

	config.max_bytes = 256 << 10;
	if (secmalloc_init(&config) != 0) {
		perror("no memory for secrets here");
		return CANNOT;
	}
	secmalloc_set_oom_handler(make_room, &store);
	for (i = 0; i < ROUNDS; i++) {
		void *key = secmalloc(KEY);

		if (!key) {
			perror("secmalloc");
			return 1;
		}
		keep(&store, key);
	}
	printf("%d keys, %u dropped\n", ROUNDS, store.dropped);

	/* What can be done without asks for no sacrifice. */
	if (secmalloc_try(&extra, 128 << 10, 1) == 0) {
		fputs("there was room all the time\n", stderr);
		return 1;
	}
	while (drop_oldest(&store))
		;
	secmalloc_set_oom_handler(NULL, NULL);
	return 0;
}
