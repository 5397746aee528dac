/* SPDX-License-Identifier: MIT */
/*
 * test_cold_key.c - of a frozen secret and its key there is nothing outside
 * secret memory
 *
 * All that the process can write is searched, at every byte and in every state
 * of a cold secret, for words of the secret, of both keys and of the key that
 * XChaCha20 derives from one of them and the nonce.  The words stand here
 * veiled, and whatever comes near one runs on a secret stack.
 */
#include "t_cold.h"

#include <sodium.h>
#include <stdlib.h>

#include "index.h"

TA_TIERS(cold_key);

enum { SECRET = 32, WORD = 8, MOST = 40, ROOM = MOST * WORD + 8 };

static struct {
	uint64_t veil, word[MOST];
	int words, found;
	uintptr_t place;
	char low[1 << 16]; /* 1: a word has these lower bits */
} search;

static struct {
	secmalloc_cold *cold;
	unsigned char *secret;
	char *plant[2]; /* in ordinary memory */
	int error;
} it;

static uint64_t word_at(const void *p)
{
	uint64_t w;

	memcpy(&w, p, WORD);
	return w;
}

static void want(const void *p, size_t size)
{
	size_t i;

	uint64_t w;

	for (i = 0; i + WORD <= size && search.words < MOST; i += WORD) {
		w = word_at((const char *)p + i);
		search.low[w & 0xffff] = 1;
		search.word[search.words++] = w ^ search.veil;
	}
}

static int is_wanted(uint64_t w)
{
	int i;

	if (!search.low[w & 0xffff])
		return 0;
	for (i = 0; i < search.words; i++)
		if (search.word[i] == (w ^ search.veil))
			return 1;
	return 0;
}

static void look(void *arg, const struct t_vma *vma)
{
	const char *p = (const char *)vma->start;
	size_t i, size = vma->end - vma->start;

	(void)arg;
	if (!vma->readable || !vma->writable || secm_index_covers(p, 1))
		return;
	for (i = 0; i + WORD <= size; i++)
		if (is_wanted(word_at(p + i))) {
			search.found++;
			search.place = vma->start + i;
		}
}

static int found(void)
{
	search.found = 0;
	(void)t_vmas(look, NULL);
	return search.found;
}

/* On secret stacks: */
static void make(void *arg)
{
	it.secret = secmalloc(SECRET);
	it.error = !it.secret || secmalloc_random(it.secret, SECRET) != 0;
	if (!it.error)
		want(it.secret, SECRET);
	(void)arg;
}

static void want_keys(void *arg)
{
	struct secm_cold_key *key = secm_cold.home.key;
	unsigned char derived[32];

	(void)arg;
	it.error = secmalloc_begin(key, SECMALLOC_READONLY);
	if (it.error)
		return;
	want(key->seal, sizeof(key->seal));
	want(key->mac, sizeof(key->mac));
	(void)crypto_core_hchacha20(derived, it.cold->nonce, key->seal, NULL);
	want(derived, sizeof(derived));
	secmalloc_end(key, SECMALLOC_READONLY);
}

static void want_nothing(void *arg)
{
	(void)arg;
}

static void plant(void *arg)
{
	uint64_t w;
	int i;

	(void)arg;
	for (i = 0; i < search.words; i++) {
		w = search.word[i] ^ search.veil;
		memcpy(it.plant[0] + (size_t)i * WORD, &w, WORD);
		memcpy(it.plant[1] + (size_t)i * WORD + 3, &w, WORD);
	}
}

/* What is looked for is found if it is there, and else it is not there. */
static void expect_none(const char *when)
{
	ASSERT_EQ(0, secmalloc_call(plant, NULL, 0));
	EXPECT_EQ(2 * search.words, found())
	{
		TH_LOG("control, %s", when);
	}
	memset(it.plant[0], 0, ROOM);
	memset(it.plant[1], 0, ROOM);
	EXPECT_EQ(0, found())
	{
		TH_LOG("%s, at %#jx", when, (uintmax_t)search.place);
	}
}

TEST_F(cold_key, neither_secret_nor_key_is_in_ordinary_memory)
{
	static char data[ROOM];

	KSFT_SANITIZER_SKIP("shadow memory is too large to search");
	if (t_vmas(NULL, NULL) < 0)
		SKIP(return, "this system does not tell what is mapped");
	if (tc_init(&variant->tier, 0) != 0)
		SKIP(return, "no key on this tier");
	it.plant[0] = data;
	ASSERT_NOT_NULL(it.plant[1] = calloc(1, ROOM));
	search.veil = ksft_random();
	if (secmalloc_call(make, NULL, 0) != 0)
		SKIP(return, "there are no secret stacks here");
	ASSERT_EQ(0, it.error);
	it.cold = secmalloc_cold_freeze(it.secret, SECRET);
	ASSERT_NOT_NULL(it.cold);
	ASSERT_EQ(0, secmalloc_call(want_keys, NULL, 0));
	ASSERT_EQ(0, it.error);
	expect_none("frozen");
	ASSERT_NOT_NULL(secmalloc_cold_open(it.cold));
	expect_none("open");
	secmalloc_cold_close(it.cold);
	expect_none("closed");
	ASSERT_EQ(0, secmalloc_cold_rekey());
	ASSERT_EQ(0, secmalloc_call(want_keys, NULL, 0));
	expect_none("under another key");
	ASSERT_EQ(0, secmalloc_cold_replace(it.cold, it.secret, SECRET));
	expect_none("replaced");
	secfree(it.secret);
	ASSERT_NOT_NULL(secmalloc_cold_thaw(it.cold));
	expect_none("thawed");
}

TEST_F(cold_key, the_key_is_closed_between_two_uses)
{
	secmalloc_cold *c;
	struct secmalloc_cold_report r;

	ASSERT_EQ(0, tc_init(&variant->tier, 0));
	ASSERT_NOT_NULL(c = tc_freeze(SECRET, 1));
	r = tc_report();
	EXPECT_NE(SECMALLOC_BY_NOTHING, r.access);
	EXPECT_EQ(SECM_NONE, ta_access(secm_cold.home.key));
	EXPECT_TRUE(tc_holds(c, SECRET, 1));
	EXPECT_EQ(SECM_NONE, ta_access(secm_cold.home.key));
	ASSERT_EQ(0, secmalloc_cold_rekey());
	EXPECT_EQ(SECM_NONE, ta_access(secm_cold.home.key));
	/* Control: what is open can be read. */
	ASSERT_EQ(0, secmalloc_begin(secm_cold.home.key, SECMALLOC_READONLY));
	EXPECT_EQ(SECM_READ, ta_access(secm_cold.home.key));
	secmalloc_end(secm_cold.home.key, SECMALLOC_READONLY);
	if (!variant->tier.flags) {
		EXPECT_TRUE(r.protections & SECMALLOC_LOCKED);
		EXPECT_TRUE(r.protections & SECMALLOC_NODUMP);
	}
	if (variant->tier.need)
		EXPECT_TRUE(r.protections & SECMALLOC_HIDDEN);
}

static int where_job(struct secm_cold_job *job, struct secm_cold_key *key)
{
	char here = 0;

	(void)key;
	job->size = (size_t)secmalloc_owns(&here);
	return 0;
}

/* libsodium wipes what it knows of; compilers and vector code do more. */
TEST_F(cold_key, all_is_computed_on_a_secret_stack)
{
	struct secm_cold_job job = { .fn = where_job };

	ASSERT_EQ(0, tc_init(&variant->tier, 0));
	if (secmalloc_call(want_nothing, NULL, 0) != 0)
		SKIP(return, "there are no secret stacks here");
	EXPECT_EQ(0, secm_cold_run_here(&job));
	EXPECT_EQ(0, job.size); /* control */
	EXPECT_EQ(0, secm_cold_run(&job));
	EXPECT_EQ(1, job.size);
}
