/* SPDX-License-Identifier: MIT */
/*
 * test_seccomp.c - filters that refuse system calls, or kill for them
 *
 * A filter is put over a child before the first use of the allocator.  It
 * gets a lower tier with the reason in the report, or a clear error; it is
 * never killed for asking, and nothing that was handed out is lost.
 */
#include "t_api.h"

#include <signal.h>

#include "ksft.h"
#include "t_util.h"

#ifdef __linux__
#include "t_filter.h"

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

/* Objects of all kinds; 0 if all is well, else how far it came. */
static int use_heap(unsigned need)
{
	char *p[3] = { secmalloc(40), secmalloc(20000),
		       secmalloc_guarded(40) };
	int i;

	for (i = 0; i < 3; i++) {
		if (!p[i])
			return 50 + i;
		memset(p[i], 0x77, 40);
		if (ta_has_props(p[i], 40, need) == 0)
			return 60 + i;
	}
	for (i = 0; i < 3; i++) {
		if (!ta_holds(p[i], 40, 0x77))
			return 70 + i;
		secfree(p[i]);
	}
	return 0;
}

struct want {
	int error; /* of init */
	enum secmalloc_reason reason;
	int reason_errno;
};

enum { BOTH = SECMALLOC_LOCKED | SECMALLOC_NODUMP };

static int in_child(const struct ta_tier *tier, const struct want *want)
{
	struct secmalloc_report r;
	int error = ta_start(tier);

	EXPECT_EQ(want->error, error);
	if (error) {
		EXPECT_EQ(want->error, ta_start(tier));
		return 0;
	}
	EXPECT_EQ(0, use_heap(tier->flags ? 0 : BOTH));
	r = ta_report();
	EXPECT_EQ(want->reason, r.reason) {
		TH_LOG("%s", secmalloc_reason_string(r.reason));
	}
	EXPECT_EQ(want->reason_errno, r.reason_errno);
	return 0;
}

static void try(long nr, unsigned action, const struct ta_tier *tier,
		const struct want *want)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (t_put_filter(nr, action) != 0)
			_exit(99);
		_exit(in_child(tier, want));
	}
	EXPECT_EQ(0, ta_status(pid));
}

static const struct ta_tier any = { 0, 0, 0 };
static const struct ta_tier secret = TA_TIER_SECRET;
static const struct ta_tier locked = TA_TIER_LOCKED;
static const struct ta_tier effort = { 0, 0, SECMALLOC_BEST_EFFORT };
static const struct ta_tier locked_effort = { SECM_HIDDEN, 0,
					      SECMALLOC_BEST_EFFORT };

static int filters_work(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(t_put_filter(SYS_getppid, T_ERROR(EXDEV)) != 0 ||
		      syscall(SYS_getppid) != -1 || errno != EXDEV);
	return ta_status(pid) == 0;
}

static const char *why_not(void)
{
	return filters_work() ? NULL : "no seccomp filters here";
}

KSFT_PROGRAM_SKIP_IF(why_not);

/* 1 for linux/, which calls memfd_secret(2) and mlock2(2). */
static int is_linux(void)
{
	struct secm_os_info info;

	secm_os_init(&info);
	return strcmp(info.name, "linux") == 0;
}

#define LINUX_ONLY()                                                     \
	do {                                                             \
		if (!is_linux())                                         \
			SKIP(return, "this backend never calls it");     \
	} while (0)

static int have_hidden(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(ta_start(&secret) != 0);
	return ta_status(pid) == 0;
}

static const struct want not_supported = { ENOTSUP, 0, 0 };

TEST(memfd_secret_forbidden_with_eperm)
{
	static const struct want want = { 0, SECMALLOC_REASON_FORBIDDEN,
					  EPERM };

	LINUX_ONLY();
	try(SYS_memfd_secret, T_ERROR(EPERM), &any, &want);
	try(SYS_memfd_secret, T_ERROR(EPERM), &effort, &want);
	try(SYS_memfd_secret, T_ERROR(EPERM), &secret, &not_supported);
}

TEST(memfd_secret_unknown_by_enosys)
{
	static const struct want want = { 0, SECMALLOC_REASON_KERNEL, ENOSYS };

	LINUX_ONLY();
	try(SYS_memfd_secret, T_ERROR(ENOSYS), &any, &want);
	try(SYS_memfd_secret, T_ERROR(ENOSYS), &secret, &not_supported);
}

/* The control: the filter really kills. */
TEST_SIGNAL(the_kill_filter_kills, SIGSYS)
{
	ASSERT_EQ(0, t_put_filter(SYS_memfd_secret, T_KILL));
	syscall(SYS_memfd_secret, 0);
}

TEST(memfd_secret_that_kills_the_process)
{
	static const struct want want = { 0, SECMALLOC_REASON_FORBIDDEN,
					  EPERM };

	LINUX_ONLY();
	try(SYS_memfd_secret, T_KILL, &any, &want);
	try(SYS_memfd_secret, T_KILL, &effort, &want);
	try(SYS_memfd_secret, T_KILL, &secret, &not_supported);
}

TEST(facts_under_a_filter_that_kills)
{
	struct secmalloc_fact f = { .size = sizeof(f) };
	pid_t pid = fork();
	unsigned n;

	if (pid == 0) {
		if (t_put_filter(SYS_memfd_secret, T_KILL) != 0)
			_exit(99);
		for (n = 0; secmalloc_fact(n, &f) == 0; n++)
			if (strcmp(f.name, "memfd_secret") == 0)
				EXPECT_EQ(SECMALLOC_FACT_MISSING, f.status);
		_exit(n < 3);
	}
	EXPECT_EQ(0, ta_status(pid));
}

/* Asking could end the process then.  A forked child may not ask either. */
TEST(a_filter_after_the_start_is_left_alone)
{
	struct secmalloc_report r;
	char *before;
	pid_t pid;
	int i;

	LINUX_ONLY();
	if (!have_hidden())
		SKIP(return, "no memfd_secret here");
	if (!t_can_lock(4 << 20))
		SKIP(return, "the lock limit is too low for this");
	ASSERT_NOT_NULL(before = secmalloc(40));
	ASSERT_EQ(0, t_put_filter(SYS_memfd_secret, T_KILL));
	for (i = 0; i < 100; i++)
		ASSERT_NOT_NULL(secmalloc(16000));
	r = ta_report();
	EXPECT_GT(r.tier[SECMALLOC_TIER_SECRET].mapped, 0);
	EXPECT_GT(r.tier[SECMALLOC_TIER_LOCKED].mapped, 0);
	EXPECT_EQ(SECMALLOC_REASON_FORBIDDEN, r.reason);
	pid = fork();
	if (pid == 0)
		_exit(before[39] != 0 || !secmalloc(40));
	EXPECT_EQ(0, ta_status(pid));
}

#ifdef SYS_mlock2
TEST(mlock2_unknown_or_forbidden)
{
	static const struct want want = { 0, SECMALLOC_REASON_KERNEL, ENOSYS };

	KSFT_SANITIZER_SKIP("it makes mlock() do nothing");
	LINUX_ONLY();
	try(SYS_mlock2, T_ERROR(ENOSYS), &locked, &want);
	try(SYS_mlock2, T_ERROR(EPERM), &locked, &want); /* mlock(2) is not */
}

/* Locked is needed and cannot be had; with best effort it is told. */
TEST(locking_forbidden_with_eperm)
{
	struct secmalloc_report r;
	pid_t pid = fork();
	int error;

	if (pid == 0) {
		if (t_put_filter(SYS_mlock, T_ERROR(EPERM)) != 0 ||
		    t_put_filter(SYS_mlock2, T_ERROR(EPERM)) != 0)
			_exit(99);
		error = ta_start(&locked);
		EXPECT_TRUE(error == ENOMEM || error == ENOTSUP);
		ASSERT_EQ(0, ta_start(&locked_effort));
		EXPECT_EQ(0, use_heap(0));
		r = ta_report();
		EXPECT_EQ(0, r.tier[SECMALLOC_TIER_LOCKED].mapped);
		EXPECT_GT(r.tier[SECMALLOC_TIER_PARTIAL].mapped, 0);
		EXPECT_NE(SECMALLOC_REASON_NONE, r.reason);
		_exit(0);
	}
	EXPECT_EQ(0, ta_status(pid));
}

TEST(mlock2_forbidden_leaves_memfd_secret)
{
	static const struct want want = { 0, SECMALLOC_REASON_NONE, 0 };

	LINUX_ONLY();
	if (!have_hidden())
		SKIP(return, "no memfd_secret here");
	try(SYS_mlock2, T_ERROR(EPERM), &any, &want);
	try(SYS_mlock2, T_ERROR(EPERM), &secret, &want);
}
#endif

/* Without madvise nothing can be kept out of core dumps. */
TEST(madvise_forbidden_with_eperm)
{
	struct secmalloc_report r;
	pid_t pid = fork();
	int i;

	try(SYS_madvise, T_ERROR(EPERM), &any, &not_supported);
	try(SYS_madvise, T_ERROR(EPERM), &secret, &not_supported);
	if (pid == 0) {
		if (t_put_filter(SYS_madvise, T_ERROR(EPERM)) != 0)
			_exit(99);
		ASSERT_EQ(0, ta_start(&effort));
		EXPECT_EQ(0, use_heap(0));
		r = ta_report();
		EXPECT_NE(SECMALLOC_REASON_NONE, r.reason);
		for (i = 0; r.verified && i < SECMALLOC_TIERS; i++)
			EXPECT_EQ(r.tier[i].mapped, r.tier[i].confirmed);
		_exit(0);
	}
	EXPECT_EQ(0, ta_status(pid));
}

/* Calls that everything needs: any clear error will do. */
static void want_clean(long nr)
{
	static const struct ta_tier *const tiers[] = { &any, &secret, &locked,
						       &effort };
	int i, error;
	pid_t pid;

	for (i = 0; i < 4; i++) {
		pid = fork();
		if (pid == 0) {
			if (t_put_filter(nr, T_ERROR(EPERM)) != 0)
				_exit(99);
			error = ta_start(tiers[i]);
			if (error)
				_exit(error != ENOMEM && error != ENOTSUP);
			errno = 0;
			if (!secmalloc(10) && errno != ENOMEM &&
			    errno != ENOTSUP)
				_exit(2);
			(void)!secmalloc_guarded(100000);
			_exit(0);
		}
		error = ta_status(pid);
		EXPECT_EQ(0, error) { TH_LOG("tier %d", i); }
	}
}

/* As under emulators: it says yes to everything, and does nothing. */
TEST(madvise_that_accepts_everything_is_not_believed)
{
	struct secmalloc_report r;
	pid_t pid = fork();
	int i;

	try(SYS_madvise, T_ERROR(0), &locked, &not_supported);
	if (pid == 0) {
		if (t_put_filter(SYS_madvise, T_ERROR(0)) != 0 ||
		    ta_start(&locked_effort) != 0)
			_exit(99);
		EXPECT_EQ(0, use_heap(0));
		r = ta_report();
		EXPECT_EQ(SECMALLOC_REASON_UNVERIFIED, r.reason);
		for (i = 0; i < SECMALLOC_TIERS; i++)
			EXPECT_EQ(0, r.tier[i].protections &
					     ~(unsigned)SECMALLOC_LOCKED);
		_exit(0);
	}
	EXPECT_EQ(0, ta_status(pid));
}

TEST(ftruncate_forbidden)
{
	want_clean(SYS_ftruncate);
}

TEST(mremap_forbidden)
{
	want_clean(SYS_mremap);
}

TEST(getrandom_forbidden)
{
	want_clean(SYS_getrandom);
}

TEST(prlimit_forbidden)
{
	want_clean(SYS_prlimit64);
}

TEST(openat_forbidden)
{
	want_clean(SYS_openat);
}

/* Set up first, confined then: as servers do. */
TEST(a_filter_after_init_leaves_what_was_locked)
{
	struct secmalloc_config config = { .size = sizeof(config) };
	pid_t pid = fork();
	int i;

	if (pid == 0) {
		config.initial_pools = 4;
		if (secmalloc_init(&config) != 0)
			_exit(0);
		if (t_put_filter(SYS_memfd_secret, T_KILL) != 0)
			_exit(99);
		for (i = 0; i < 1000; i++)
			if (!secmalloc(100))
				_exit(1);
		_exit(0);
	}
	EXPECT_EQ(0, ta_status(pid));
}
#else
static const char *why_not(void)
{
	return "seccomp is of Linux";
}

KSFT_PROGRAM_SKIP_IF(why_not);

TEST(nothing)
{
}
#endif
