/* SPDX-License-Identifier: MIT */
/*
 * test_call.c - functions on a secret stack: sizes, errors, guards, nesting,
 * threads
 *
 * What they leave behind is looked for in test_call_residue.c; how else than by
 * returning they can end is in test_call_leave.c.
 */
#include "t_api.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "arch/arch.h"
#include "ksft.h"

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

TA_TIERS(call);

enum {
	ODD_ERRNO = 4711,
	OTHER_ERRNO = 815,
	STRICT = 1,
	SMALL = SECMALLOC_STACK_MIN
};

/* What fn found. */
struct place {
	char *at; /* a variable of it */
	unsigned runs;
	int entered_with; /* errno */
	int zero;	  /* how much deeper it is still zero */
};

static void look(void *arg)
{
	struct place *place = arg;
	volatile char here = 0;

	place->at = ta_hide((void *)(uintptr_t)&here);
	place->runs++;
	place->entered_with = errno;
	errno = OTHER_ERRNO;
}

/* Ends of the accessible bytes around p. */
static char *end_of(char *p, int step)
{
	char *page = (char *)((uintptr_t)p & ~(uintptr_t)(ta_page() - 1));

	while (ta_access(page) == SECM_READWRITE)
		page = step > 0 ? page + ta_page() : page - ta_page();
	return step > 0 ? page : page + ta_page();
}

/* Looks at its stack while it stands on it. */
struct bounds {
	char *low, *high, *at;
	int owned, hidden, locked;
};

static void measure(void *arg)
{
	struct bounds *b = arg;
	volatile char here = 0;

	b->at = ta_hide((void *)(uintptr_t)&here);
	b->low = end_of(b->at, -1);
	b->high = end_of(b->at, 1);
	b->owned = secmalloc_owns(b->low) && secmalloc_owns(b->high - 1);
	b->locked = ta_has_props(b->low, (size_t)(b->high - b->low),
				 SECM_LOCKED | SECM_NODUMP);
	b->hidden =
		ta_has_props(b->low, (size_t)(b->high - b->low), SECM_HIDDEN);
}

TEST_F(call, fn_runs_once_and_errno_is_what_it_left)
{
	struct place place = { 0 };

	errno = ODD_ERRNO;
	ASSERT_EQ(0, secmalloc_call(look, &place, 0));
	EXPECT_EQ(OTHER_ERRNO, errno);
	EXPECT_EQ(ODD_ERRNO, place.entered_with);
	EXPECT_EQ(1, place.runs);
	EXPECT_EQ(0, ta_report().objects);
}

TEST_F(call, the_stack_is_an_object_of_its_tier_between_two_guards)
{
	unsigned flags = variant->tier.flags;
	struct bounds b = { 0 };
	char here = 0;

	KSFT_SANITIZER_SKIP("variables are elsewhere");
	ASSERT_EQ(0, secmalloc_call(measure, &b, 0));
	EXPECT_TRUE(b.owned);
	EXPECT_GE(b.high - b.low, SECMALLOC_STACK_DEFAULT);
	EXPECT_LT(b.high - b.low, 2 * SECMALLOC_STACK_DEFAULT);
	EXPECT_TRUE(b.at > b.high - 8192 && b.at < b.high);
	EXPECT_FALSE(&here >= b.low && &here < b.high);
	if (b.locked >= 0 && !flags)
		EXPECT_EQ(1, b.locked);
	if (b.hidden >= 0)
		EXPECT_EQ(variant->tier.need == SECMALLOC_HIDDEN, b.hidden);
}

/* Whatever was in the place before: the guard is right below it. */
TEST_F(call, sizes_are_rounded_up_and_end_at_the_guards)
{
	static const size_t sizes[] = { 1,     16384,  16385, 20480,
					24577, 40000,  65536, 65537,
					81920, 100000, 300000 };
	enum { N = sizeof(sizes) / sizeof(sizes[0]) };
	struct bounds b;
	size_t least;
	void *other;
	int i;

	KSFT_SANITIZER_SKIP("variables are elsewhere");
	for (i = 0; i < 3 * N; i++) {
		size_t size = sizes[i * 5 % N];

		other = secmalloc_guarded(size + 4096 * (size_t)(i % 4));
		secfree(other);
		ASSERT_EQ(0, secmalloc_call(measure, &b, size));
		least = size < SMALL ? SMALL : size;
		EXPECT_GE((size_t)(b.high - b.low), least);
		EXPECT_LE((size_t)(b.high - b.low), least + least / 4 + 16384);
		EXPECT_TRUE(b.owned)
		{
			TH_LOG("size %zu", size);
		}
	}
	EXPECT_EQ(0, secmalloc_verify());
}

TEST_F(call, what_cannot_be_is_refused_and_fn_does_not_run)
{
	struct place place = { 0 };

	errno = 0;
	EXPECT_EQ(-1, secmalloc_call(NULL, &place, 0));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_EQ(-1, secmalloc_call(look, &place, SECMALLOC_STACK_MAX + 1));
	EXPECT_EQ(EINVAL, errno);
	errno = 0;
	EXPECT_EQ(-1, secmalloc_call(look, &place, (size_t)-1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, place.runs);
	EXPECT_EQ(0, ta_report().objects);
}

TEST_F(call, after_shutdown_there_is_no_stack)
{
	struct place place = { 0 };

	secmalloc_shutdown();
	EXPECT_EQ(-1, secmalloc_call(look, &place, 0));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(0, place.runs);
}

static int ask(const struct secmalloc_oom *oom, void *arg)
{
	(void)oom;
	++*(int *)arg;
	return 0;
}

TEST(without_room_there_is_an_error_and_oom_handlers_are_asked)
{
	struct secmalloc_config config = { .max_bytes = 131072 };
	struct place place = { 0 };
	int asked = 0;

	config.flags = SECMALLOC_BEST_EFFORT;
	ASSERT_EQ(0, secmalloc_init(&config));
	secmalloc_set_oom_handler(ask, &asked);
	EXPECT_EQ(-1, secmalloc_call(look, &place, 1 << 20));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(1, asked);
	EXPECT_EQ(0, place.runs);
	EXPECT_EQ(0, secmalloc_call(look, &place, SMALL));
	EXPECT_EQ(1, place.runs);
}

static void *volatile kept;

static void use_heap(void *arg)
{
	char *p = secmalloc(100), *q = secmalloc_guarded(100);

	(void)arg;
	memset(p, 0x5a, 100);
	kept = secrealloc(p, 5000);
	secfree(q);
	EXPECT_EQ(2, secmalloc_verify()); /* with the stack itself */
	(void)secmalloc_trim();
}

TEST_F(call, fn_may_use_the_library_and_objects_outlive_it)
{
	ASSERT_EQ(0, secmalloc_call(use_heap, NULL, 0));
	EXPECT_TRUE(ta_holds(kept, 100, 0x5a));
	EXPECT_EQ(1, ta_report().objects);
	secfree(kept);
}

/* Each depth has its own stack, and those before are as they were. */
static void nest(void *arg)
{
	int depth = *(int *)arg, next = depth - 1, mark = 1000 + depth, i;
	volatile int local[256];

	for (i = 0; i < 256; i++)
		local[i] = mark;
	if (depth > 0)
		ASSERT_EQ(0, secmalloc_call(nest, &next, SMALL));
	EXPECT_EQ(5 - depth + 1, ta_report().objects);
	for (i = 0; i < 256; i++)
		ASSERT_EQ(mark, local[i]);
}

TEST_F(call, calls_nest)
{
	int depth = 5;

	ASSERT_EQ(0, secmalloc_call(nest, &depth, 0));
	EXPECT_EQ(0, ta_report().objects);
}

/* Uses so many bytes of stack, and more; compilers must not make it a loop. */
static size_t deep(size_t bytes, volatile char *above);
static size_t (*volatile deeper)(size_t, volatile char *) = deep;

static size_t deep(size_t bytes, volatile char *above)
{
	volatile char local[1024];
	size_t n = 1;

	local[0] = local[1023] = 1;
	if (bytes >= sizeof(local))
		n += deeper(bytes - sizeof(local), local);
	above[0] = local[1023];
	return n;
}

static void go_deep(void *arg)
{
	volatile char above;

	*(size_t *)arg = deep(*(size_t *)arg, &above);
}

/* As much as it has room for is the control of the next one. */
TEST_F(call, as_much_stack_as_was_asked_for_can_be_used)
{
	size_t bytes = 200 << 10;

	KSFT_SANITIZER_SKIP("frames are larger");
	ASSERT_EQ(0, secmalloc_call(go_deep, &bytes, 300 << 10));
	EXPECT_GT(bytes, 190);
}

TEST_F_SIGNAL(call, more_stack_than_that_faults, SIGSEGV)
{
	size_t bytes = 500 << 10;

	KSFT_SANITIZER_SKIP("signals are taken");
	ASSERT_EQ(0, secmalloc_call(go_deep, &bytes, 300 << 10));
}

static void all_zero_below(void *arg)
{
	struct place *place = arg;
	volatile char here = 0;
	char *at = ta_hide((void *)(uintptr_t)&here);
	char *low = end_of(at, -1);

	place->zero = ta_holds(low, (size_t)(at - low) - 4096, 0);
	place->at = at;
}

TEST_F(call, a_stack_starts_as_zeros_although_it_was_used_before)
{
	struct place place = { 0 };
	size_t bytes;
	int i;

	KSFT_SANITIZER_SKIP("variables are elsewhere");
	for (i = 0; i < 10; i++) {
		bytes = 40 << 10;
		ASSERT_EQ(0, secmalloc_call(go_deep, &bytes, 0));
		ASSERT_EQ(0, secmalloc_call(all_zero_below, &place, 0));
		EXPECT_TRUE(place.zero);
	}
}

enum { THREADS = 4, ROUNDS = 300 };

static void *in_thread(void *arg)
{
	size_t bytes;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		bytes = 8 << 10;
		if (secmalloc_call(go_deep, &bytes, SMALL + 4096 * (i % 3)))
			return NULL;
	}
	return arg;
}

TEST_F(call, threads_have_stacks_of_their_own)
{
	pthread_t thread[THREADS];
	void *result;
	int i;

	KSFT_SANITIZER_SKIP("frames are larger");
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0,
			  pthread_create(&thread[i], NULL, in_thread, thread));
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(thread[i], &result));
		EXPECT_NOT_NULL(result);
	}
	EXPECT_EQ(0, ta_report().objects);
}

/* Alignment as the ABI has it: compilers rely on it for vectors. */
static void aligned(void *arg)
{
	uintptr_t *at = arg;

	*at = (uintptr_t)__builtin_frame_address(0);
}

TEST_F(call, the_stack_is_aligned_as_compilers_expect)
{
	uintptr_t at = 1, plain = 1;

	aligned(&plain);
	ASSERT_EQ(0, secmalloc_call(aligned, &at, 0));
	EXPECT_EQ(plain % 16, at % 16);
}

#if defined(__linux__) && defined(SECM_ARCH_SWITCH)
static void call_often(void)
{
	struct place place = { 0 };
	int i;

	for (i = 0; i < 100; i++)
		if (secmalloc_call(look, &place, i % 2 ? 0 : SMALL) != 0)
			_exit(1);
}

/* In this mode the kernel kills for all system calls but four. */
static void strictly(void (*fn)(void))
{
	if (prctl(PR_SET_SECCOMP, STRICT, 0, 0, 0) != 0)
		_exit(2);
	fn();
	(void)syscall(SYS_exit, 0);
}

static void one_call_too_many(void)
{
	(void)syscall(SYS_getppid);
}

static int strict_child(void (*fn)(void), int warm)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (warm)
			call_often();
		strictly(fn);
	}
	return ta_status(pid);
}

TEST_F(call, a_warm_call_makes_no_system_call)
{
	KSFT_SANITIZER_SKIP("it makes some itself");
	if (strict_child(one_call_too_many, 1) != -SIGKILL)
		SKIP(return, "no strict mode here");
	EXPECT_EQ(0, strict_child(call_often, 1));
}
#endif
