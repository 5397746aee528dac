/* SPDX-License-Identifier: MIT */
/*
 * test_fuzz_decode.c - the fuzzer's function on its corpus, and on texts that
 * are made of it by chance
 *
 * What "make fuzz" does for long and with a special compiler, for a moment and
 * with any.  An input that does not do well ends the process and is shown.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksft.h"

enum { MOST = 64, ROOM = 2048, ROUNDS = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	char name[256];
	unsigned char data[ROOM];
	size_t size;
} inputs[MOST];
static size_t n_inputs;

static void load(const char *folder, const char *name)
{
	char path[4300];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	ASSERT_NOT_NULL(f)
	{
		TH_LOG("%s", path);
	}
	ASSERT_LT(n_inputs, MOST);
	(void)snprintf(inputs[n_inputs].name, sizeof(inputs[0].name), "%s",
		       name);
	inputs[n_inputs].size = fread(inputs[n_inputs].data, 1, ROOM, f);
	ASSERT_LT(0, inputs[n_inputs].size);
	ASSERT_LT(inputs[n_inputs].size, ROOM / 2);
	n_inputs++;
	(void)fclose(f);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b); /* the name is first */
}

static void load_corpus(void)
{
	const char *srcdir = getenv("srcdir");
	char folder[4000];
	struct dirent *e;
	DIR *d;

	(void)snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus",
		       srcdir ? srcdir : ".");
	d = opendir(folder);
	if (!d)
		SKIP(return, "no folder %s", folder);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			load(folder, e->d_name);
	(void)closedir(d);
	EXPECT_LT(10, n_inputs);
	qsort(inputs, n_inputs, sizeof(inputs[0]), by_name);
}

static size_t below(size_t n)
{
	return (size_t)(ksft_random() % n);
}

/* A piece of from comes into p, somewhere. */
static size_t insert(unsigned char *p, size_t size, const unsigned char *from,
		     size_t from_size)
{
	unsigned char piece[ROOM];
	size_t begin = below(from_size), n = 1 + below(from_size - begin);
	size_t at = below(size + 1);

	if (size + n > ROOM)
		return size;
	memcpy(piece, from + begin, n);
	memmove(p + at + n, p + at, size - at);
	memcpy(p + at, piece, n);
	return size + n;
}

/* pre: size > 0 */
static size_t mutate(unsigned char *p, size_t size)
{
	size_t at = below(size), n;

	switch (below(5)) {
	case 0:
		p[at] = (unsigned char)ksft_random();
		return size;
	case 1:
		p[at] ^= (unsigned char)(1u << below(8));
		return size;
	case 2:
		n = 1 + below(size - at);
		memmove(p + at, p + at + n, size - at - n);
		return size - n;
	case 3:
		return insert(p, size, p, size);
	default:
		n = below(n_inputs);
		return insert(p, size, inputs[n].data, inputs[n].size);
	}
}

TEST(the_corpus_does_well)
{
	size_t i;

	load_corpus();
	for (i = 0; i < n_inputs; i++)
		EXPECT_EQ(0, LLVMFuzzerTestOneInput(inputs[i].data,
						    inputs[i].size));
}

TEST(what_is_made_of_it_by_chance_does_well)
{
	unsigned char *p = malloc(ROOM);
	size_t i, size;

	ASSERT_NOT_NULL(p);
	load_corpus();
	for (i = 0; n_inputs && i < ROUNDS; i++) {
		size_t from = below(n_inputs), times = 1 + below(4);

		size = inputs[from].size;
		memcpy(p, inputs[from].data, size);
		while (times-- > 0 && size > 0)
			size = mutate(p, size);
		EXPECT_EQ(0, LLVMFuzzerTestOneInput(p, size));
	}
	free(p);
}
