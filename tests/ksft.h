/* SPDX-License-Identifier: MIT */
/*
 * ksft.h - test harness with the interface of the kernel's selftests
 *
 * A test program is one or more .c files that include this header, linked with
 * ksft.c, ksft_run.c, ksft_check.c and ksft_job.c, which bring main().
 *
 *	TEST(zero_is_even) { EXPECT_EQ(0, 0 % 2); }
 *
 *	FIXTURE(slab) { void *p; };
 *	FIXTURE_VARIANT(slab) { unsigned hide; };
 *	FIXTURE_VARIANT_ADD(slab, secretmem) { .hide = 0 };
 *	FIXTURE_VARIANT_ADD(slab, anon) { .hide = SECM_HIDDEN };
 *	FIXTURE_SETUP(slab) { secm_os_mask(variant->hide); self->p = ...; }
 *	FIXTURE_TEARDOWN(slab) { secfree(self->p); }
 *	TEST_F(slab, starts_zeroed) { EXPECT_EQ(0, *(char *)self->p); }
 *
 * Kinds of tests
 *	TEST(name)			passes by reaching its end
 *	TEST_SIGNAL(name, sig)		passes by dying of sig
 *	TEST_DEATH(name, sig, text)	and by writing exactly text to stderr
 *	TEST_F, TEST_F_SIGNAL, TEST_F_DEATH	the same, (fixture, name, ...)
 *	TEST_F_TIMEOUT(fixture, name, seconds)	instead of 180
 *
 * A fixture has FIXTURE, FIXTURE_SETUP and FIXTURE_TEARDOWN; variants are
 * optional.  Its tests run once for each variant, with self (zeroed before the
 * setup) and variant (NULL without variants) in reach.  If the setup skips or
 * fails, the test body is left out.  The teardown runs if the setup reached its
 * end without SKIP, after a failed ASSERT too; not if the test dies or is late.
 *
 * Order: the TESTs, then fixture by fixture, variant by variant; within these
 * as in the source.  Names: test, fixture.test or fixture.variant.test.
 *
 * Checks.  The expected value comes first.  EXPECT_ goes on after a failure,
 * ASSERT_ ends the test (by _exit, so that SIGABRT can be expected):
 *	_EQ _NE _LT _LE _GT _GE (a, b)	a < b and so on; integers or pointers,
 *					compared by value whatever their types
 *	_TRUE _FALSE _NULL _NOT_NULL (x)
 *	_STREQ _STRNE (a, b)		strings, NULL allowed
 *	_SIGNAL(sig, statement)		the statement, run in a forked child,
 *					dies of sig
 *	_DEATH(sig, text, statement)	and writes exactly text to stderr
 * Arguments are evaluated once.  A block may follow all but the last two; it
 * runs when the check fails: EXPECT_EQ(0, n) { TH_LOG("round %d", i); }
 * Checks work in helper functions, threads and children of the test (a failure
 * in a child fails the test), but not in signal handlers.  In a forked child
 * objects made before are inherited ones: make what a _DEATH statement is to
 * misuse inside the statement.
 *
 *	SKIP(statement, fmt, ...)	the test is skipped, statement (mostly
 *					return) leaves it; failures count more
 *	XFAIL(fmt, ...)			from here on a failure is a known one
 *	TH_LOG(fmt, ...)		one line of comment
 *	KSFT_SANITIZER_SKIP("why")	SKIP(return) where KSFT_SANITIZED, which
 *					this header defines for ASan, TSan, MSan
 *	KSFT_PROGRAM_SKIP_IF(fn);	const char *fn(void) says why the whole
 *					program is skipped, or NULL; it runs in
 *					a child of its own
 *	ksft_random()			64 random bits, one sequence per test
 *	ksft_program			argv[0]
 *
 * Each test runs in a child with its own process group, default SIGINT,
 * SIGTERM and SIGHUP, empty standard input and soft core limit 0.  The whole
 * group is killed when the test ends or its time is up; a process that moved
 * to another group is not.  Calling exit() in a test fails it.  At its end the
 * child leaves by exit(), so destructors and leak checkers run.
 *
 * Output is TAP 13 on standard output: version, plan, results, and last
 *	# Totals: pass:P fail:F xfail:X xpass:X skip:S error:E
 * A failing check is one line, cut at 510 bytes:
 *	# file:line: name: a (1) == b (2)
 * What a test writes to stdout and stderr appears as "# " lines, except the
 * stderr that TEST_DEATH and _DEATH compare.  Exit status: 0 whatever the
 * results (the reader of the TAP judges), 1 if a test could not be started (it
 * counts as error) or the program's skip function broke, 2 for wrong usage.
 *
 * Options: -l lists names; -f FIXTURE, -v VARIANT, -t TEST run what matches all
 * of these fnmatch(3) patterns; -r NAME runs one; -h helps.  KSFT_SEED=n in the
 * environment repeats random numbers; a test that used any prints its n when
 * it fails, whichever other tests are selected.
 */
#ifndef KSFT_H
#define KSFT_H

#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#if defined(__has_feature)
#define KSFT_FEATURE_(x) __has_feature(x)
#else
#define KSFT_FEATURE_(x) 0
#endif
#if !defined(KSFT_SANITIZED) && \
	(defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	 KSFT_FEATURE_(address_sanitizer) || KSFT_FEATURE_(thread_sanitizer) || \
	 KSFT_FEATURE_(memory_sanitizer))
#define KSFT_SANITIZED 1
#endif
/* clang-format on */

/*
 * Tests register by constructors, the one thing here that C99 lacks.  All
 * compilers that have them (gcc, clang, and those that follow them) have
 * attributes.
 */
#define KSFT_UNUSED_ __attribute__((__unused__))
#define KSFT_FORMAT_(fmt, first) \
	__attribute__((__format__(__printf__, fmt, first)))
#define KSFT_AT_START_(function) \
	static void __attribute__((__constructor__)) function(void)

typedef void ksft_step(void *self, const void *variant);

struct ksft_variant {
	const char *name;
	int line;
	const void *data;
	struct ksft_variant *next;
};

struct ksft_test {
	const char *name;
	const char *file;
	int line;
	ksft_step *body;
	int sig;	  /* must die of it, 0: must live */
	const char *text; /* and write this to stderr, NULL: anything */
	unsigned timeout; /* seconds, 0: the default */
	struct ksft_test *next;
};

struct ksft_fixture {
	const char *name; /* NULL: the plain TESTs */
	const char *file;
	int line;
	ksft_step *setup;
	ksft_step *teardown;
	size_t size; /* of self */
	struct ksft_variant *variants;
	struct ksft_test *tests;
	struct ksft_fixture *next;
};

/* A value of any integer or pointer type. */
enum ksft_kind { KSFT_SIGNED, KSFT_UNSIGNED, KSFT_POINTER };
struct ksft_value {
	enum ksft_kind kind;
	uintmax_t bits;
};

extern const char *ksft_program;
uint64_t ksft_random(void);

/* What the macros below call; not for tests. */
void ksft_add_test_(struct ksft_fixture *f, size_t size, struct ksft_test *t);
void ksft_add_variant_(struct ksft_fixture *f, struct ksft_variant *v);
void ksft_skip_if_(const char *(*why)(void));
void ksft_skip_(const char *fmt, ...) KSFT_FORMAT_(1, 2);
void ksft_xfail_(const char *fmt, ...) KSFT_FORMAT_(1, 2);
void ksft_log_(const char *file, int line, const char *fmt, ...)
	KSFT_FORMAT_(3, 4);
struct ksft_value ksft_value_(enum ksft_kind kind, uintmax_t bits);
int ksft_compare_(const char *file, int line, const char *op,
		  const char *a_source, struct ksft_value a,
		  const char *b_source, struct ksft_value b);
int ksft_strings_(const char *file, int line, const char *op,
		  const char *a_source, const char *a, const char *b_source,
		  const char *b);
int ksft_after_(int stop);
int ksft_death_(const char *file, int line, int stop, int sig, const char *text,
		const char *source);
void ksft_lived_(void);

/* Macros are set by hand from here on. */
/* clang-format off */

/* Plain tests */
#define TEST(name) KSFT_TEST_(name, 0, NULL)
#define TEST_SIGNAL(name, sig) KSFT_TEST_(name, sig, NULL)
#define TEST_DEATH(name, sig, text) KSFT_TEST_(name, sig, text)

#define KSFT_TEST_(n, sig, text) \
	static void ksft_test_##n(void); \
	static void ksft_body_##n(void *self KSFT_UNUSED_, \
				  const void *variant KSFT_UNUSED_) \
	{ \
		ksft_test_##n(); \
	} \
	KSFT_INFO_(n, #n, sig, text, 0) \
	KSFT_AT_START_(ksft_add_##n) \
	{ \
		ksft_add_test_(NULL, 0, &ksft_info_##n); \
	} \
	static void ksft_test_##n(void)

#define KSFT_INFO_(id, name, sig, text, seconds) \
	static struct ksft_test ksft_info_##id = { \
		name, __FILE__, __LINE__, ksft_body_##id, sig, text, \
		seconds, NULL \
	};

/* Fixtures */
#define KSFT_ARGS_(f) \
	struct ksft_data_##f *self KSFT_UNUSED_, \
	const struct ksft_variant_##f *variant KSFT_UNUSED_

#define FIXTURE(f) \
	static ksft_step ksft_setup_any_##f; \
	static ksft_step ksft_teardown_any_##f; \
	static struct ksft_fixture ksft_fixture_##f = { \
		#f, __FILE__, __LINE__, ksft_setup_any_##f, \
		ksft_teardown_any_##f, 0, NULL, NULL, NULL \
	}; \
	struct ksft_variant_##f; \
	struct ksft_data_##f

#define FIXTURE_SETUP(f) KSFT_STEP_(f, setup)
#define FIXTURE_TEARDOWN(f) KSFT_STEP_(f, teardown)

#define KSFT_STEP_(f, step) \
	static void ksft_##step##_##f(KSFT_ARGS_(f)); \
	static void ksft_##step##_any_##f(void *self, const void *variant) \
	{ \
		ksft_##step##_##f(self, variant); \
	} \
	static void ksft_##step##_##f(KSFT_ARGS_(f))

#define FIXTURE_VARIANT(f) struct ksft_variant_##f

#define FIXTURE_VARIANT_ADD(f, v) \
	static const struct ksft_variant_##f ksft_values_##f##_##v; \
	KSFT_AT_START_(ksft_add_variant_##f##_##v) \
	{ \
		static struct ksft_variant info = { \
			#v, __LINE__, &ksft_values_##f##_##v, NULL \
		}; \
		ksft_add_variant_(&ksft_fixture_##f, &info); \
	} \
	static const struct ksft_variant_##f ksft_values_##f##_##v =

#define TEST_F(f, name) KSFT_TEST_F_(f, name, 0, NULL, 0)
#define TEST_F_SIGNAL(f, name, sig) KSFT_TEST_F_(f, name, sig, NULL, 0)
#define TEST_F_DEATH(f, name, sig, text) KSFT_TEST_F_(f, name, sig, text, 0)
#define TEST_F_TIMEOUT(f, name, seconds) \
	KSFT_TEST_F_(f, name, 0, NULL, seconds)

#define KSFT_TEST_F_(f, n, sig, text, seconds) \
	static void ksft_test_##f##_##n(KSFT_ARGS_(f)); \
	static void ksft_body_##f##_##n(void *self, const void *variant) \
	{ \
		ksft_test_##f##_##n(self, variant); \
	} \
	KSFT_INFO_(f##_##n, #n, sig, text, seconds) \
	KSFT_AT_START_(ksft_add_##f##_##n) \
	{ \
		ksft_add_test_(&ksft_fixture_##f, sizeof(struct ksft_data_##f), \
			       &ksft_info_##f##_##n); \
	} \
	static void ksft_test_##f##_##n(KSFT_ARGS_(f))

#define KSFT_PROGRAM_SKIP_IF(fn) \
	KSFT_AT_START_(ksft_skip_if_##fn) \
	{ \
		ksft_skip_if_(fn); \
	} \
	struct ksft_value

/* Leaving and telling */
#define SKIP(statement, ...) \
	do { \
		ksft_skip_(__VA_ARGS__); \
		statement; \
	} while (0)
#define XFAIL(...) ksft_xfail_(__VA_ARGS__)
#define TH_LOG(...) ksft_log_(__FILE__, __LINE__, __VA_ARGS__)

#ifdef KSFT_SANITIZED
#define KSFT_SANITIZER_SKIP(why) SKIP(return, "sanitizer build: %s", why)
#else
#define KSFT_SANITIZER_SKIP(why) do { } while (0)
#endif

/*
 * Values.  With the GNU builtins a value keeps its sign and its width; only
 * the chosen branch of __builtin_choose_expr, and so each argument once, is
 * evaluated.  Plain C99 cannot tell a pointer from an integer: there
 * everything passes through intptr_t, which misorders values above
 * INTPTR_MAX and nothing else where that has 64 bits.
 */
#if defined(__GNUC__) && !defined(KSFT_PLAIN_C99)
#define KSFT_EXACT_VALUES 1
#define KSFT_IS_POINTER_(x) (__builtin_classify_type(x) == 5)
#define KSFT_INTEGER_(x) __builtin_choose_expr(KSFT_IS_POINTER_(x), 0u, (x))
#define KSFT_KIND_(x) \
	(KSFT_IS_POINTER_(x) ? KSFT_POINTER : \
	 (0 ? KSFT_INTEGER_(x) : 0) - 1 > 0 ? KSFT_UNSIGNED : KSFT_SIGNED)
#define KSFT_VALUE_(x) \
	ksft_value_(KSFT_KIND_(x), (uintmax_t)__builtin_choose_expr( \
			KSFT_IS_POINTER_(x), (uintptr_t)(x), (x)))
#else
#define KSFT_VALUE_(x) \
	ksft_value_(KSFT_SIGNED, (uintmax_t)(intmax_t)(intptr_t)(x))
#endif

/* The loop body is the block that may follow; it runs at most once. */
#define KSFT_JOIN_(a, b) a##b
#define KSFT_LOCAL_(line) KSFT_JOIN_(ksft_bad_, line)
#define KSFT_CHECK_(stop, check) \
	for (int KSFT_LOCAL_(__LINE__) = (check); KSFT_LOCAL_(__LINE__); \
	     KSFT_LOCAL_(__LINE__) = ksft_after_(stop))
#define KSFT_OP_(stop, at, a, op, bt, b) \
	KSFT_CHECK_(stop, ksft_compare_(__FILE__, __LINE__, op, \
					at, KSFT_VALUE_(a), bt, KSFT_VALUE_(b)))
#define KSFT_STR_(stop, at, a, op, bt, b) \
	KSFT_CHECK_(stop, ksft_strings_(__FILE__, __LINE__, op, at, a, bt, b))
#define KSFT_DIES_(stop, sig, text, source, ...) \
	do { \
		if (ksft_death_(__FILE__, __LINE__, stop, sig, text, source)) { \
			__VA_ARGS__; \
			ksft_lived_(); \
		} \
	} while (0)

#define EXPECT_EQ(a, b) KSFT_OP_(0, #a, a, "==", #b, b)
#define EXPECT_NE(a, b) KSFT_OP_(0, #a, a, "!=", #b, b)
#define EXPECT_LT(a, b) KSFT_OP_(0, #a, a, "<", #b, b)
#define EXPECT_LE(a, b) KSFT_OP_(0, #a, a, "<=", #b, b)
#define EXPECT_GT(a, b) KSFT_OP_(0, #a, a, ">", #b, b)
#define EXPECT_GE(a, b) KSFT_OP_(0, #a, a, ">=", #b, b)
#define EXPECT_TRUE(x) KSFT_OP_(0, "0", 0, "!=", #x, x)
#define EXPECT_FALSE(x) KSFT_OP_(0, "0", 0, "==", #x, x)
#define EXPECT_NULL(x) KSFT_OP_(0, "NULL", NULL, "==", #x, x)
#define EXPECT_NOT_NULL(x) KSFT_OP_(0, "NULL", NULL, "!=", #x, x)
#define EXPECT_STREQ(a, b) KSFT_STR_(0, #a, a, "==", #b, b)
#define EXPECT_STRNE(a, b) KSFT_STR_(0, #a, a, "!=", #b, b)
#define EXPECT_SIGNAL(sig, ...) \
	KSFT_DIES_(0, sig, NULL, #__VA_ARGS__, __VA_ARGS__)
#define EXPECT_DEATH(sig, text, ...) \
	KSFT_DIES_(0, sig, text, #__VA_ARGS__, __VA_ARGS__)

#define ASSERT_EQ(a, b) KSFT_OP_(1, #a, a, "==", #b, b)
#define ASSERT_NE(a, b) KSFT_OP_(1, #a, a, "!=", #b, b)
#define ASSERT_LT(a, b) KSFT_OP_(1, #a, a, "<", #b, b)
#define ASSERT_LE(a, b) KSFT_OP_(1, #a, a, "<=", #b, b)
#define ASSERT_GT(a, b) KSFT_OP_(1, #a, a, ">", #b, b)
#define ASSERT_GE(a, b) KSFT_OP_(1, #a, a, ">=", #b, b)
#define ASSERT_TRUE(x) KSFT_OP_(1, "0", 0, "!=", #x, x)
#define ASSERT_FALSE(x) KSFT_OP_(1, "0", 0, "==", #x, x)
#define ASSERT_NULL(x) KSFT_OP_(1, "NULL", NULL, "==", #x, x)
#define ASSERT_NOT_NULL(x) KSFT_OP_(1, "NULL", NULL, "!=", #x, x)
#define ASSERT_STREQ(a, b) KSFT_STR_(1, #a, a, "==", #b, b)
#define ASSERT_STRNE(a, b) KSFT_STR_(1, #a, a, "!=", #b, b)
#define ASSERT_SIGNAL(sig, ...) \
	KSFT_DIES_(1, sig, NULL, #__VA_ARGS__, __VA_ARGS__)
#define ASSERT_DEATH(sig, text, ...) \
	KSFT_DIES_(1, sig, text, #__VA_ARGS__, __VA_ARGS__)

#endif /* KSFT_H */
