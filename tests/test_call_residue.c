/* SPDX-License-Identifier: MIT */
/*
 * test_call_residue.c - what a function on a secret stack leaves behind
 *
 * Functions work with a secret as crypto code does: in variables, in more
 * values than there are registers, in vectors, in copies by the C library.
 * Then everything that the process can write is searched for any eight bytes
 * of it: stacks, heaps, thread control blocks, our own memory, and all
 * registers, which are stored where the search comes along.  The control is
 * the same function, called directly.
 *
 * Nobody but these functions has the secret: its words are the products of
 * what is stored and a factor, and the search divides what it reads.  It is
 * made by another thread, while the one that called spins where it is.
 */
#include "t_api.h"

#include <pthread.h>
#include <signal.h>

#include "arch/arch.h"
#include "ksft.h"
#include "t_registers.h"

enum { WORDS = 8, MOST = 64 };

/* FACTOR * INVERSE is 1. */
#define FACTOR UINT64_C(0x9e3779b97f4a7c15)

static uint64_t shown[WORDS]; /* secret = shown * FACTOR */
static volatile uint64_t factor = FACTOR;
static uint64_t inverse;
static volatile uint64_t sink;

static SECM_INLINE uint64_t secret(unsigned i)
{
	return shown[i % WORDS] * factor;
}

/* 1 / x for odd x: each round doubles the bits that are right. */
static uint64_t invert(uint64_t x)
{
	uint64_t y = x;
	int i;

	for (i = 0; i < 6; i++)
		y *= 2 - x * y;
	return y;
}

/* The functions */
static void inlined(void *arg)
{
	volatile uint64_t copy[64];
	unsigned i;

	(void)arg;
	for (i = 0; i < 64; i++)
		copy[i] = secret(i);
	for (i = 0; i < 64; i++)
		sink += copy[i] >> 63;
}

static uint64_t plus_nothing(uint64_t x)
{
	return x + (sink & 0);
}

/* Of which compilers know nothing. */
static uint64_t (*volatile opaque)(uint64_t x) = plus_nothing;

/* More values than registers live across calls. */
static void spilled(void *arg)
{
	uint64_t a = secret(0), b = secret(1), c = secret(2), d = secret(3),
		 e = secret(4), f = secret(5), g = secret(6), h = secret(7);
	unsigned i;

	(void)arg;
	for (i = 0; i < 4; i++) {
		sink += opaque(i) & 1;
		sink += (a ^ b ^ c ^ d ^ e ^ f ^ g ^ h) & 1;
	}
	sink += opaque(a) & opaque(b) & opaque(c) & opaque(d) & 1;
	sink += opaque(e) & opaque(f) & opaque(g) & opaque(h) & 1;
}

/* What compilers make vectors of. */
static void vectors(void *arg)
{
	uint64_t v[256], sum = 0;
	unsigned i;

	(void)arg;
	for (i = 0; i < 256; i++)
		v[i] = shown[i % WORDS];
	for (i = 0; i < 256; i++)
		v[i] *= factor;
	ta_hide(v);
	for (i = 0; i < 256; i++)
		sum ^= v[i] >> 7;
	sink += sum & 1;
}

/* The C library's copies, by its widest registers. */
static void copied(void *arg)
{
	char one[700], two[700];
	uint64_t w;
	unsigned i;

	(void)arg;
	for (i = 0; i + 8 <= sizeof(one); i += 8) {
		w = secret(i / 8);
		memcpy(one + i, &w, 8);
	}
	ta_hide(one);
	memcpy(two, one, sizeof(two));
	ta_hide(two);
	memmove(two + 3, two, 600);
	ta_hide(two);
	sink += (uint64_t)two[77] & 1;
}

static SECM_NOINLINE uint64_t recurse(unsigned depth)
{
	volatile uint64_t local[WORDS];
	unsigned i;

	for (i = 0; i < WORDS; i++)
		local[i] = secret(i);
	return depth ? recurse(depth - 1) + local[depth % WORDS] : local[0];
}

static void deep(void *arg)
{
	(void)arg;
	sink += recurse(100) & 1;
}

static void handle(int sig)
{
	(void)sig;
	spilled(NULL);
	inlined(NULL);
}

/* The handler's frame, and what it finds in registers. */
static void signalled(void *arg)
{
	inlined(arg);
	(void)raise(SIGUSR1);
	spilled(arg);
}

static void nested(void *arg)
{
	deep(arg);
	if (secmalloc_call(spilled, arg, 0) == 0)
		copied(arg);
}

/* The search */
struct search {
	void (*call)(void *); /* on the stack of the thread that is searched */
	volatile int called, searched;
	int found, in_stack, mappings;
	char *stack; /* something on it */
};

static int is_secret(uint64_t w)
{
	int k, n = 0;

	w *= inverse;
	for (k = 0; k < WORDS; k++)
		n += w == shown[k];
	return n;
}

/* Starts at each byte, but passes over zeros. */
static int find(const char *p, size_t size)
{
	uint64_t w, next;
	size_t i = 0;
	int n = 0;

	while (i + 16 <= size && n < MOST) {
		memcpy(&w, p + i, 8);
		memcpy(&next, p + i + 8, 8);
		n += is_secret(w);
		i += (w | next) == 0 ? 8 : 1;
	}
	for (; i + 8 <= size; i++) {
		memcpy(&w, p + i, 8);
		n += is_secret(w);
	}
	return n;
}

static void search_one(void *arg, const struct ta_vma *vma)
{
	struct search *s = arg;
	uintptr_t at = (uintptr_t)s->stack;
	int n;

	if (!vma->readable || !vma->writable)
		return;
	s->mappings++;
	n = find((const char *)vma->start, vma->end - vma->start);
	s->found += n;
	if (at >= vma->start && at < vma->end)
		s->in_stack += n;
}

static void *search(void *arg)
{
	struct search *s = arg;

	while (!secm_load((int *)(uintptr_t)&s->called))
		secm_os_yield();
	(void)ta_vmas(search_one, s);
	secm_store((int *)(uintptr_t)&s->searched, 1);
	return NULL;
}

#ifdef T_REGISTERS
static struct t_registers stored;

static void call_it(struct search *s, void *arg)
{
	t_store_registers(s->call, arg, &stored);
}
#else
static void call_it(struct search *s, void *arg)
{
	s->call(arg);
}
#endif

/* Nothing here uses more stack once the call has returned. */
static SECM_NOINLINE void call_and_wait(struct search *s, void *arg)
{
	call_it(s, arg);
	secm_store((int *)(uintptr_t)&s->called, 1);
	while (!secm_load((int *)(uintptr_t)&s->searched))
		;
}

static void (*chosen)(void *);

static void on_secret_stack(void *arg)
{
	if (secmalloc_call(chosen, arg, 0) != 0)
		_exit(3);
}

static struct search searched(void (*call)(void *))
{
	struct search s = { .call = call };
	pthread_t thread;

	s.stack = (char *)&s;
	if (pthread_create(&thread, NULL, search, &s) != 0)
		_exit(4);
	call_and_wait(&s, NULL);
	(void)pthread_join(thread, NULL);
	return s;
}

static void set_up(void (*fn)(void *))
{
	struct secmalloc_config config = { .flags = SECMALLOC_BEST_EFFORT };

	ASSERT_EQ(0, secmalloc_init(&config));
	ASSERT_EQ(0, secmalloc_random(shown, sizeof(shown)));
	inverse = invert(FACTOR);
	ASSERT_EQ(1, inverse * FACTOR);
	ASSERT_TRUE(signal(SIGUSR1, handle) != SIG_ERR);
	chosen = fn;
}

FIXTURE(residue)
{
	char unused;
};
FIXTURE_VARIANT(residue)
{
	void (*fn)(void *);
};
FIXTURE_VARIANT_ADD(residue, inlined){ inlined };
FIXTURE_VARIANT_ADD(residue, spilled){ spilled };
FIXTURE_VARIANT_ADD(residue, vectors){ vectors };
FIXTURE_VARIANT_ADD(residue, copied){ copied };
FIXTURE_VARIANT_ADD(residue, deep){ deep };
FIXTURE_VARIANT_ADD(residue, signalled){ signalled };
FIXTURE_VARIANT_ADD(residue, nested){ nested };
FIXTURE_SETUP(residue)
{
	KSFT_SANITIZER_SKIP("variables are elsewhere");
	set_up(variant->fn);
}
FIXTURE_TEARDOWN(residue)
{
}

TEST_F(residue, of_a_secret_stack_there_is_none_in_the_whole_process)
{
	struct search s = searched(on_secret_stack);

	if (s.mappings == 0)
		SKIP(return, "this system does not tell what is mapped");
	EXPECT_EQ(0, s.found)
	{
		TH_LOG("%d on the stack", s.in_stack);
	}
	s = searched(variant->fn);
	if (s.in_stack == 0)
		SKIP(return, "control: called directly it leaves nothing");
	EXPECT_GT(s.in_stack, 0);
}

#if defined(__GLIBC__)
static void end_thread(void *arg)
{
	chosen(arg);
	pthread_exit(NULL);
}

static void *ends_on_secret_stack(void *arg)
{
	(void)!secmalloc_call(end_thread, arg, 262144);
	return NULL;
}

static void *ends_directly(void *arg)
{
	end_thread(arg);
	return NULL;
}

/* While the C library keeps the thread's stack for the next one. */
static struct search after_end(void *(*start)(void *))
{
	struct search s = { .stack = (char *)&s };
	pthread_t thread;

	if (pthread_create(&thread, NULL, start, NULL) != 0)
		_exit(4);
	(void)pthread_join(thread, NULL);
	(void)ta_vmas(search_one, &s);
	return s;
}

TEST(there_is_none_either_if_the_thread_ends_on_a_secret_stack)
{
	struct search s;

	KSFT_SANITIZER_SKIP("variables are elsewhere");
	set_up(deep);
	s = after_end(ends_on_secret_stack);
	if (s.mappings == 0)
		SKIP(return, "this system does not tell what is mapped");
	EXPECT_EQ(0, s.found);
	s = after_end(ends_directly);
	EXPECT_GT(s.found, 0);
}
#endif
