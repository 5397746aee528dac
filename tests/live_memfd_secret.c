/* SPDX-License-Identifier: MIT */
/*
 * live_memfd_secret.c - what the kernel promises of memfd_secret(2), held
 * against objects of this allocator
 *
 * Needs the system call; else each test is skipped with the errno.  Each
 * attack runs on ordinary memory first and must succeed there: errno and
 * contents are looked at, never a result alone.
 */
#include "t_api.h"
#include "t_attack.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "ksft.h"

FIXTURE(live)
{
	char unused;
};

FIXTURE_SETUP(live)
{
	static const struct ta_tier tier = TA_TIER_SECRET;

	TA_BEGIN(&tier);
}

FIXTURE_TEARDOWN(live)
{
}

static unsigned protections(void)
{
	return ta_report().tier[SECMALLOC_TIER_SECRET].protections;
}

static const struct attack_heap secret = { "secmalloc", secmalloc,
					   secmalloc_guarded, secfree,
					   protections };

/* The attack on both kinds of memory: skipped where it cannot work at all. */
static void attack_both(const char *key, int want_errno, size_t size)
{
	struct attack_result r;

	if (!ta_attack_both(&secret, key, size, NULL, &r))
		return;
	EXPECT_EQ(ATTACK_BLOCKED, r.outcome)
	{
		TH_LOG("%s", r.note);
	}
	EXPECT_EQ(want_errno, r.error);
	EXPECT_TRUE(r.protections & SECMALLOC_HIDDEN);
}

TEST_F(live, process_vm_readv_is_refused)
{
	attack_both("process_vm_readv", EFAULT, 100);
	attack_both("process_vm_readv", EFAULT, 100000);
}

TEST_F(live, ptrace_peek_is_refused)
{
	attack_both("ptrace_peek", EIO, 100);
	attack_both("ptrace_peek", EIO, 20000);
}

TEST_F(live, proc_pid_mem_is_refused)
{
	attack_both("proc_mem", EIO, 100);
	attack_both("proc_mem", EIO, 100000);
}

TEST_F(live, vmsplice_of_an_existing_page_is_refused)
{
	attack_both("vmsplice", EFAULT, 100);
	attack_both("vmsplice", EFAULT, 100000);
}

TEST_F(live, direct_writes_are_refused)
{
	attack_both("o_direct", EFAULT, 100);
	attack_both("o_direct", EFAULT, 100000);
}

/* -1 and errno, or the byte that came through. */
static int splice_byte(const char *p)
{
	struct iovec v;
	unsigned char c;
	int fd[2], r = -1, error;

	v.iov_base = (void *)(uintptr_t)p;
	v.iov_len = 1;
	if (pipe(fd) != 0)
		abort();
	if (vmsplice(fd[1], &v, 1, 0) == 1 && read(fd[0], &c, 1) == 1)
		r = c;
	error = errno;
	close(fd[0]);
	close(fd[1]);
	errno = error;
	return r;
}

/* Pages of an object that nobody has written to. */
TEST_F(live, vmsplice_of_a_fresh_page_is_refused)
{
	size_t page = ta_page(), i;
	char *p = secmalloc(64 * page);
	char *control = mmap(NULL, page, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NOT_NULL(p);
	ASSERT_NE(MAP_FAILED, control);
	if (splice_byte(control) != 0)
		SKIP(return, "attack does not work here: %s", strerror(errno));
	for (i = 1; i < 63; i++) {
		errno = 0;
		EXPECT_EQ(-1, splice_byte(p + i * page));
		EXPECT_EQ(EFAULT, errno);
	}
	secfree(p);
}

static int read_own(int fd, const char *p)
{
	unsigned char c;

	errno = 0;
	return pread(fd, &c, 1, (off_t)(uintptr_t)p) == 1 ? c : -1;
}

TEST_F(live, own_proc_mem_is_refused)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char *control = malloc(100), *p[3];
	int i;

	p[0] = secmalloc(100);
	p[1] = secmalloc(100000);
	p[2] = secmalloc_guarded(100);
	ASSERT_TRUE(control && p[0] && p[1] && p[2]);
	memset(control, 0x55, 100);
	if (fd < 0 || read_own(fd, control) != 0x55)
		SKIP(return, "attack does not work here: %s", strerror(errno));
	for (i = 0; i < 3; i++) {
		memset(p[i], 0x55, 100);
		EXPECT_EQ(-1, read_own(fd, p[i]));
		EXPECT_EQ(EIO, errno);
		EXPECT_EQ(-1, pwrite(fd, "x", 1, (off_t)(uintptr_t)p[i]));
		EXPECT_TRUE(ta_holds(p[i], 100, 0x55));
		secfree(p[i]);
	}
	free(control);
	close(fd);
}

/* Also behind closed doors, through which debuggers look elsewhere. */
TEST_F(live, own_proc_mem_is_refused_without_access_too)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	char *control = mmap(NULL, ta_page(), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = secmalloc_guarded(100);

	ASSERT_NOT_NULL(p);
	ASSERT_NE(MAP_FAILED, control);
	memset(control, 0x55, 100);
	memset(p, 0x55, 100);
	ASSERT_EQ(0, mprotect(control, ta_page(), PROT_NONE));
	ASSERT_EQ(0, secmalloc_protect(p, SECMALLOC_NOACCESS));
	if (fd < 0 || read_own(fd, control) != 0x55)
		SKIP(return, "attack does not work here: %s", strerror(errno));
	EXPECT_EQ(-1, read_own(fd, p));
	EXPECT_EQ(EIO, errno);
	close(fd);
}

TEST_F(live, no_descriptor_stays_open)
{
	int i, before = ta_descriptors();
	void *p[300];

	for (i = 0; i < 300; i++) {
		p[i] = secmalloc((size_t)i * 100);
		ASSERT_NOT_NULL(p[i]);
	}
	EXPECT_EQ(before, ta_descriptors());
	for (i = 0; i < 300; i++)
		secfree(p[i]);
	EXPECT_EQ(before, ta_descriptors());
}

/* The control: ordinary calls that copy work, as they should. */
TEST_F(live, read_and_write_of_own_memory_work)
{
	char *p = secmalloc(5000), *q = secmalloc_guarded(5000), back[10];
	int fd[2];

	ASSERT_TRUE(p && q);
	ASSERT_EQ(0, pipe(fd));
	memset(p, 0x55, 5000);
	EXPECT_EQ(10, write(fd[1], p + 4090, 10));
	EXPECT_EQ(10, read(fd[0], q + 4090, 10));
	EXPECT_TRUE(ta_holds(q + 4090, 10, 0x55));
	EXPECT_EQ(10, write(fd[1], q + 4090, 10));
	EXPECT_EQ(10, read(fd[0], back, 10));
	EXPECT_TRUE(ta_holds(back, 10, 0x55));
	secfree(p);
	secfree(q);
}

TEST(the_lock_limit_is_respected)
{
	enum { LIMIT = 1 << 20 };
	static const struct ta_tier tier = TA_TIER_SECRET;
	struct secmalloc_report r;
	size_t n = 0;

	if (ta_drop_privileges() != 0 ||
	    ta_limit(RLIMIT_MEMLOCK, LIMIT, LIMIT) != 0 ||
	    !ta_lock_limit_binds())
		SKIP(return, "lock limit does not bind here");
	if (ta_start(&tier) != 0)
		SKIP(return, "no memfd_secret: %s", strerror(errno));
	errno = 0;
	while (n < 10000 && secmalloc(1000))
		n++;
	EXPECT_EQ(ENOMEM, errno);
	r = ta_report();
	EXPECT_LE(r.tier[SECMALLOC_TIER_SECRET].mapped, LIMIT);
	EXPECT_GT(r.tier[SECMALLOC_TIER_SECRET].mapped, LIMIT / 2);
	EXPECT_EQ(0, r.tier[SECMALLOC_TIER_LOCKED].mapped);
	EXPECT_EQ(SECMALLOC_REASON_LOCK_LIMIT, r.reason);
	EXPECT_EQ(EAGAIN, r.reason_errno);
}
