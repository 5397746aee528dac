/* SPDX-License-Identifier: MIT */
/*
 * test_copies.c - no copies of canaries and keys outside secret memory
 *
 * A canary is as good as the key behind it, so the tests look for both where
 * they must not be: in all ordinary memory of the process.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdlib.h>
#include <string.h>

#include "index.h"
#include "ksft.h"
#include "t_heap.h"
#include "t_util.h"
#include "vault.h"

T_TIERS(copies);
T_TIER_LOCKED(copies);
T_TIER_PLAIN(copies);

/*
 * The search for copies that are kept.  What functions that have returned left
 * on the stack is nobody's promise (threat-model.md, N13), so it must not be
 * found, whatever a compiler does with its frames.  Therefore all that comes
 * near a canary, and the search too, is done by one function, which below()
 * calls through a pointer:
 *
 *	low            search.kept                                  high
 *	  | that function | frame of below() | of the harness, main |
 *	    not searched     searched: live, and older than the first canary
 *
 * All other ordinary memory is searched whole.  The words that are wanted stand
 * here veiled, as plain copies of them would be found.
 */
enum { WORDS = 64, PLACES = 8, WORD = sizeof(uint64_t) };
static struct {
	uint64_t veil, word[WORDS];
	int words;
	char *kept; /* a word in the frame of below() */
	size_t found;
	uintptr_t place[PLACES];
} search;

typedef void job(struct ksft_data_copies *self,
		 const struct ksft_variant_copies *variant);

static void below(job *volatile inside, struct ksft_data_copies *self,
		  const struct ksft_variant_copies *variant)
{
	char kept[WORD] = { 0 };

	search.kept = kept;
	search.veil = ksft_random();
	inside(self, variant);
	search.kept = NULL;
}

static uint64_t word_at(uintptr_t at)
{
	uint64_t x;

	memcpy(&x, (const void *)at, WORD);
	return x;
}

static void want(const void *word)
{
	ASSERT_LT(search.words, WORDS);
	search.word[search.words++] = word_at((uintptr_t)word) ^ search.veil;
}

static int is_wanted(uint64_t x)
{
	int i;

	x ^= search.veil;
	for (i = 0; i < search.words; i++)
		if (search.word[i] == x)
			return 1;
	return 0;
}

/* At every address, as a copy need not be aligned. */
static void look(void *arg, const struct t_vma *vma)
{
	uintptr_t at = vma->start, live = (uintptr_t)search.kept;
	uint64_t x;

	(void)arg;
	if (!vma->readable || !vma->writable ||
	    secm_index_covers((const void *)at, 1))
		return; /* code, or secret memory */
	if (live >= at && live < vma->end)
		at = live;
	for (; vma->end - at >= WORD; at++) {
		x = word_at(at);
		if (x != 0 && is_wanted(x))
			search.place[search.found++ % PLACES] = at;
		else if (x == 0 && vma->end - at >= 2 * WORD &&
			 word_at(at + WORD) == 0)
			at += WORD; /* nothing but zero begins in between */
	}
}

static int look_everywhere(void)
{
	search.found = 0;
	return t_vmas(look, NULL) > 0;
}

static int was_found(const char *at)
{
	size_t i;

	for (i = 0; i < search.found && i < PLACES; i++)
		if (search.place[i] == (uintptr_t)at)
			return 1;
	return 0;
}

/* Stores that no compiler leaves out. */
static void put(volatile char *to, const char *word)
{
	int i;

	for (i = 0; i < WORD; i++)
		to[i] = word[i];
}

/* Plants copies of a wanted word, which have to be found, and takes them away:
 * then there must not be any more. */
static void expect_no_copy(const void *word)
{
	static char data[2 * WORD];
	static const char zero[WORD];
	char *heap = malloc((size_t)2 * WORD);
	char *plant[] = { search.kept, data + 1, heap + 3 };
	size_t i, plants = sizeof(plant) / sizeof(*plant);

	ASSERT_NOT_NULL(heap);
	for (i = 0; i < plants; i++)
		put(plant[i], word);
	if (!look_everywhere())
		SKIP(return, "the system does not list mappings");
	for (i = 0; i < plants; i++)
		EXPECT_EQ(1, was_found(plant[i])) {
			TH_LOG("the one planted at %p", (void *)plant[i]);
		}
	for (i = 0; i < plants; i++)
		put(plant[i], zero);
	ASSERT_TRUE(look_everywhere());
	EXPECT_EQ(0, search.found) {
		TH_LOG("one at %#jx; heap %p, data %p, stack %p",
		       (uintmax_t)search.place[0], (void *)heap, (void *)data,
		       (void *)search.kept);
	}
}

/* Enough of everything that touches key and generator. */
static void work(void)
{
	void *p[32];
	int i;

	for (i = 0; i < 32; i++)
		p[i] = i % 4 ? secmalloc((size_t)i * 9) :
			       secmalloc_guarded((size_t)i);
	for (i = 0; i < 32; i += 2)
		secfree(p[i]);
}

static void search_for_vault(struct ksft_data_copies *self,
			     const struct ksft_variant_copies *variant)
{
	const struct secm_vault *vault;
	int i;

	T_BEGIN(NULL);
	work();
	vault = self->heap->vault;
	EXPECT_EQ(1, secm_index_covers(vault, sizeof(*vault)));
	for (i = 0; i < 2; i++)
		want(&vault->canary_key[i]);
	for (i = 0; i < 4; i++)
		want(&vault->rng[i]);
	expect_no_copy(&vault->canary_key[1]);
}

TEST_F(copies, key_and_generator_are_in_secret_memory_alone)
{
	KSFT_SANITIZER_SKIP("shadow memory is too large to search");
	below(search_for_vault, self, variant);
}

/* Sizes with a whole word of canary right behind the object; they need little
 * memory, as there may not be more. */
static size_t odd_size(int i)
{
	return (size_t)(i % 2) * 64 + 8;
}

static void search_for_canaries(struct ksft_data_copies *self,
				const struct ksft_variant_copies *variant)
{
	enum { OBJECTS = 40, LARGE = 2 * 4096 - 8 };
	char *p[OBJECTS];
	int i;

	T_BEGIN(NULL);
	for (i = 0; i < OBJECTS; i++) {
		p[i] = i % 8 ? secmalloc(odd_size(i)) :
			       secmalloc_guarded(odd_size(i));
		T_NEED(p[i]);
		want(p[i] + odd_size(i));
	}
	p[8] = secrealloc(p[8], LARGE);
	T_NEED(p[8]);
	want(p[8] + LARGE);
	for (i = 1; i < OBJECTS; i += 2)
		p[i] = secrealloc(p[i], odd_size(i) - 1);
	for (i = 2; i < OBJECTS; i += 3)
		secfree(p[i]);
	expect_no_copy(p[0] + odd_size(0));
}

TEST_F(copies, canaries_are_in_secret_memory_alone)
{
	KSFT_SANITIZER_SKIP("shadow memory is too large to search");
	below(search_for_canaries, self, variant);
}
