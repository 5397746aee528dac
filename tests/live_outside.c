/* SPDX-License-Identifier: MIT */
/*
 * live_outside.c - what gets at objects from outside the process, or through
 * the kernel, on each tier
 *
 * What the report claims is stopped has to be, and what it does not claim has
 * to work: the threat model says neither more nor less than is so.  Each attack
 * runs on ordinary memory first and must succeed there.  live_memfd_secret.c
 * has more of the tier secret.
 */
#include "t_api.h"
#include "t_attack.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "ksft.h"

#ifdef __linux__
#ifndef MADV_PAGEOUT /* 5.4 */
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_COLLAPSE /* 6.1 */
#define MADV_COLLAPSE 25
#endif

TA_TIERS(outside);

static unsigned protections(void)
{
	int tier = ta_only_tier();

	return tier < 0 ? 0 : ta_report().tier[tier].protections;
}

static const struct attack_heap ours = { "secmalloc", secmalloc,
					 secmalloc_guarded, secfree,
					 protections };

/* Stopped if the protections that were obtained claim it, and only then. */
static void attack_both(const char *key, size_t size, const char *folder)
{
	const struct attack *attack;
	struct attack_result r;

	attack = ta_attack_both(&ours, key, size, folder, &r);
	if (!attack)
		return;
	EXPECT_EQ(!attack_claimed(attack, r.protections), attack_succeeded(&r))
	{
		TH_LOG("%s, %zu bytes: outcome %d, errno %d, %s", key, size,
		       (int)r.outcome, r.error, r.note);
	}
}

TEST_F(outside, a_core_dump_has_what_the_report_does_not_claim)
{
	char folder[] = "/tmp/secmalloc-test.XXXXXX";

	ASSERT_NOT_NULL(mkdtemp(folder));
	attack_both("core_dump", 100, folder);
	attack_both("core_dump", 100000, folder);
	EXPECT_EQ(0, rmdir(folder));
}

TEST_F(outside, tracers_read_what_is_not_hidden)
{
	attack_both("proc_mem", 100, NULL);
	attack_both("process_vm_readv", 100, NULL);
	attack_both("ptrace_peek", 100, NULL);
	attack_both("proc_mem", 100000, NULL);
}

TEST_F(outside, handing_pages_to_the_kernel_works_where_they_are_not_hidden)
{
	attack_both("vmsplice", 100, NULL);
	attack_both("o_direct", 100, NULL);
	attack_both("vmsplice", 100000, NULL);
}

static char *map(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE((char *)MAP_FAILED, p);
	memset(p, 0x55, size);
	return p;
}

static char *page_of(const char *p)
{
	return (char *)((uintptr_t)p & ~(uintptr_t)(ta_page() - 1));
}

/* Of every kind, written to. */
enum { KINDS = 4 };
static void make(char *p[KINDS])
{
	int i;

	p[0] = secmalloc(100);
	p[1] = secmalloc(100000);
	p[2] = secmalloc_guarded(100);
	p[3] = secmalloc_sbrk(100);
	for (i = 0; i < KINDS; i++) {
		ASSERT_NOT_NULL(p[i]);
		memset(p[i], 0x55, 100);
	}
}

/* The kernel is asked to write pages to swap, now. */
TEST_F(outside, what_is_locked_is_not_paged_out_on_demand)
{
	char *control = map(ta_page()), *p[KINDS];
	int i, r, locked = (protections() & SECMALLOC_LOCKED) != 0;

	if (madvise(control, ta_page(), MADV_PAGEOUT) != 0)
		SKIP(return, "nothing is paged out on demand here: %s",
			   strerror(errno));
	make(p);
	if (ta_has_props(p[0], 1, SECM_LOCKED) != locked)
		SKIP(return, "locks have no flag here");
	for (i = 0; i < KINDS; i++) {
		errno = 0;
		r = madvise(page_of(p[i]), ta_page(), MADV_PAGEOUT);
		if (locked && errno == 0 && (protections() & SECMALLOC_HIDDEN))
			continue; /* from 7.2 on it is asked in vain */
		EXPECT_EQ(locked ? -1 : 0, r);
		EXPECT_EQ(locked ? EINVAL : 0, errno);
	}
}

/* 1 if the page is in swap, 0 if not; -1: it cannot be told. */
static int is_in_swap(const char *p)
{
	off_t at = (off_t)((uintptr_t)p / ta_page() * sizeof(uint64_t));
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), r = -1;
	uint64_t entry;

	if (fd >= 0 && pread(fd, &entry, sizeof(entry), at) == sizeof(entry))
		r = (int)(entry >> 62 & 1);
	(void)close(fd); /* only read from */
	return r;
}

/* That the kernel tries again helps it where the page was busy. */
static int swap_out(char *p)
{
	int i;

	for (i = 0; i < 100 && is_in_swap(p) == 0; i++)
		(void)madvise(page_of(p), ta_page(), MADV_PAGEOUT);
	return is_in_swap(p);
}

TEST_F(outside, what_is_locked_does_not_come_into_swap)
{
	char *control = map(ta_page()), *p[KINDS];
	int i, locked = (protections() & SECMALLOC_LOCKED) != 0;

	if (swap_out(control) != 1)
		SKIP(return, "no page comes into swap here");
	EXPECT_EQ(0x55, *control); /* and back */
	make(p);
	for (i = 0; i < KINDS && locked; i++)
		EXPECT_EQ(0, swap_out(p[i]));
}

/*
 * The kernel is asked to put a huge page in the place of small ones, which it
 * does by copying; the old ones go to free memory as they are.  Of ordinary
 * memory the library asks for no huge pages, but for other reasons than this
 * one the kernel moves that as well, so this is undone.
 */
TEST_F(outside, pages_are_not_moved_if_they_are_hidden)
{
	enum { HUGE_PAGE = 2 << 20 };
	char *control = map((size_t)2 * HUGE_PAGE), *p;
	int r, hidden = (protections() & SECMALLOC_HIDDEN) != 0;
	uintptr_t align = ~(uintptr_t)(HUGE_PAGE - 1);

	control = (char *)(((uintptr_t)control + HUGE_PAGE - 1) & align);
	if (madvise(control, HUGE_PAGE, MADV_COLLAPSE) != 0)
		SKIP(return, "no page is moved on demand here: %s",
			   strerror(errno));
	p = secmalloc((size_t)2 * HUGE_PAGE - 32);
	if (!p)
		SKIP(return, "the lock limit is too low for this");
	memset(p, 0x55, (size_t)2 * HUGE_PAGE - 32);
	p = (char *)(((uintptr_t)p + HUGE_PAGE - 1) & align);
	(void)madvise(p, HUGE_PAGE, MADV_HUGEPAGE); /* hidden: refused */
	errno = 0;
	r = madvise(p, HUGE_PAGE, MADV_COLLAPSE);
	if (!hidden && r != 0 &&
	    (errno == EAGAIN || errno == ENOMEM || errno == EBUSY))
		SKIP(return, "no huge page is left"); /* or none for us */
	EXPECT_EQ(hidden ? -1 : 0, r);
	EXPECT_EQ(hidden ? EINVAL : 0, errno);
}

/* A pipe that holds a page, or -1; the page outlives its mapping. */
static int hold(const char *p)
{
	struct iovec v = { page_of(p), ta_page() };
	int fd[2];

	ASSERT_EQ(0, pipe(fd));
	if (vmsplice(fd[1], &v, 1, 0) != (ssize_t)ta_page())
		return -1;
	ASSERT_EQ(0, close(fd[1]));
	return fd[0];
}

/* How many places in it are a secret's: four bytes of a canary may be so by
 * chance, eight are not. */
static int secret_bytes(int fd)
{
	char *page = malloc(ta_page());
	ssize_t i, n = read(fd, page, ta_page());
	int found = 0;

	ASSERT_EQ(ta_page(), n);
	for (i = 0; i + 8 <= n; i++)
		found += memcmp(page + i, "UUUUUUUU", 8) == 0;
	free(page);
	return found;
}

TEST_F(outside, what_is_given_back_was_wiped_before)
{
	struct secmalloc_config c = { .need = variant->tier.need,
				      .flags = variant->tier.flags };
	secmalloc_heap *heap = secmalloc_heap_create(&c);
	char *control = map(ta_page()), *p[KINDS], *q;
	int i, fd[KINDS], of_control = hold(control), of_heap;

	if (of_control < 0)
		SKIP(return, "pages cannot be held here");
	ASSERT_EQ(0, munmap(control, ta_page()));
	EXPECT_GT(secret_bytes(of_control), 1000);
	if (protections() & SECMALLOC_HIDDEN)
		SKIP(return,
			   "the kernel wipes these, and shows them to nobody");
	ASSERT_NOT_NULL(heap);
	q = secmalloc_heap_guarded(heap, 100);
	ASSERT_NOT_NULL(q);
	memset(q, 0x55, 100);
	of_heap = hold(q);
	secmalloc_heap_destroy(heap);
	EXPECT_EQ(0, secret_bytes(of_heap));
	make(p);
	for (i = 0; i < KINDS; i++)
		fd[i] = hold(p[i]);
	secfree(p[1]);
	(void)secmalloc_trim(); /* returns how much that was */
	EXPECT_EQ(0, secret_bytes(fd[1]));
	secmalloc_shutdown();
	for (i = 0; i < KINDS; i++)
		if (i != 1)
			EXPECT_EQ(0, secret_bytes(fd[i]));
}

/* To whom it is allowed the kernel gives descriptors of mapped files. */
static int open_mapping(const char *p, size_t size)
{
	char path[80];

	(void)snprintf(path, sizeof(path), "/proc/self/map_files/%zx-%zx",
		       (size_t)p, (size_t)p + size);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void find_mapping(void *arg, const struct ta_vma *vma)
{
	struct ta_vma *found = arg;

	if (vma->start <= found->start && vma->end > found->start)
		*found = *vma;
}

TEST_F(outside, there_is_no_file_behind_what_is_mapped)
{
	char *control = mmap(NULL, ta_page(), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *p = secmalloc(100);
	struct ta_vma vma = { .start = (uintptr_t)p };
	int fd, hidden = (protections() & SECMALLOC_HIDDEN) != 0;

	ASSERT_NE((char *)MAP_FAILED, control);
	ASSERT_NOT_NULL(p);
	fd = open_mapping(control, ta_page());
	if (fd < 0)
		SKIP(return, "mapped files cannot be opened here: %s",
			   strerror(errno));
	ASSERT_EQ(0, close(fd));
	ASSERT_GT(ta_vmas(find_mapping, &vma), 0);
	ASSERT_NE(0, vma.end);
	errno = 0;
	EXPECT_EQ(-1, open_mapping((char *)vma.start, vma.end - vma.start));
	EXPECT_EQ(hidden ? ENXIO : ENOENT, errno);
}
#else
TEST(attacks_from_outside)
{
	SKIP(return, "these are attacks on Linux");
}
#endif
