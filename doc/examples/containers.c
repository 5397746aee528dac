/* SPDX-License-Identifier: MIT */
/*
 * containers.c - a key that several threads use and one replaces
 *
 * Workers compute with the key inside of scopes; nothing else can read it, not
 * even by mistake.  Meanwhile the key is replaced: no worker sees half of each.
 * Tokens are buffers, compared in constant time.
 */
#include <pthread.h>
#include <secmalloc.h>
#include <stdio.h>
#include <string.h>

enum { CANNOT = 77, KEY = 32, WORKERS = 2, ROUNDS = 200 };

static secmalloc_key *key;

/* Stands for a signature.  0, or -1 and errno. */
static int sign(const char *message, unsigned char tag[KEY])
{
	const unsigned char *bytes = secmalloc_key_read(key);
	size_t i, length = strlen(message);

	if (!bytes)
		return -1;
	for (i = 0; i < KEY; i++)
		tag[i] = (unsigned char)(bytes[i] ^ message[i % length]);
	secmalloc_key_read_end(key);
	return 0;
}

/* Each key here is 32 times the same byte, so half of another one would show. */
static void *work(void *failed)
{
	unsigned char tag[KEY];
	int i, j;

	for (i = 0; i < ROUNDS; i++) {
		if (sign("x", tag) != 0)
			*(int *)failed = 1;
		for (j = 1; j < KEY; j++)
			if (tag[j] != tag[0])
				*(int *)failed = 1;
	}
	return NULL;
}

static int replace(int with)
{
	void *bytes = secmalloc_key_write(key);

	if (!bytes)
		return -1;
	memset(bytes, with, KEY);
	secmalloc_key_write_end(key);
	return 0;
}

/* A token came as text; what it was is not left in the line. */
static int check_token(char *line, const secmalloc_buf *expected)
{
	secmalloc_buf *text = secmalloc_buf_take(NULL, line, strlen(line));
	secmalloc_buf *token = NULL;
	int same;

	if (text)
		token = secmalloc_buf_from_hex(NULL, secmalloc_buf_data(text),
					       secmalloc_buf_size(text));
	same = secmalloc_buf_equal(token, expected);
	secmalloc_buf_free(token);
	secmalloc_buf_free(text);
	return same;
}

int main(void)
{
	char good[] = "00ff7a", bad[] = "00ff7b";
	secmalloc_buf *expected = secmalloc_buf_from(NULL, "\0\377\172", 3);
	int failed[WORKERS] = { 0 }, i;
	pthread_t worker[WORKERS];

	key = secmalloc_key_take(NULL, (char[KEY]){ 0 }, KEY);
	if (!key || !expected) {
		perror("no memory for secrets here");
		return CANNOT;
	}
	for (i = 0; i < WORKERS; i++)
		if (pthread_create(&worker[i], NULL, work, &failed[i]) != 0)
			return 1;
	for (i = 1; i < 50; i++)
		if (replace(i) != 0)
			return 1;
	for (i = 0; i < WORKERS; i++)
		if (pthread_join(worker[i], NULL) != 0 || failed[i])
			return 1;
	if (!check_token(good, expected) || check_token(bad, expected) ||
	    good[0])
		return 1;
	printf("%d workers, 49 new keys, no torn one\n", WORKERS);
	secmalloc_buf_free(expected);
	secmalloc_key_free(key);
	return 0;
}
