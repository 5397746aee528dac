/* SPDX-License-Identifier: MIT */
/*
 * call.c - compute with a key on a stack that is a secret, too
 *
 *	cc call.c $(pkg-config --cflags --libs secmalloc)
 *
 * What work() has in variables and registers never gets to the ordinary stack;
 * only the result leaves, by its argument.  The sum here stands for something
 * better, such as HMAC.
 */
#include <secmalloc.h>
#include <stdio.h>

enum { CANNOT = 77, KEY = 32 };

struct job {
	const unsigned char *key;
	const char *message;
	unsigned long tag;
	int on_secret_stack;
};

static void work(void *arg)
{
	struct job *job = arg;
	unsigned long state[KEY]; /* as good as the key itself */
	const char *s;
	int i;

	for (i = 0; i < KEY; i++)
		state[i] = job->key[i] + 256ul * (unsigned)i;
	for (s = job->message; *s; s++)
		for (i = 0; i < KEY; i++)
			state[i] = (state[i] ^ (unsigned char)*s) * 16777619ul;
	for (i = 0; i < KEY; i++)
		job->tag ^= state[i];
	job->on_secret_stack = secmalloc_owns(state);
}

int main(void)
{
	struct job job = { NULL, "attack at dawn", 0, 0 };
	unsigned char *key = secmalloc(KEY);

	if (!key) {
		perror("no memory for secrets here");
		return CANNOT;
	}
	if (secmalloc_random(key, KEY) != 0) {
		perror("secmalloc_random");
		return 1;
	}
	job.key = key;
	if (secmalloc_call(work, &job, 0) != 0) {
		perror("no secret stack here");
		return CANNOT;
	}
	printf("tag %08lx, computed on %s stack\n", job.tag & 0xffffffffu,
	       job.on_secret_stack ? "a secret" : "an ordinary");
	secfree(key);
	return 0;
}
