/* SPDX-License-Identifier: MIT */
/*
 * test_fork_window.c - a child that another thread makes while pages are mapped
 *
 * By a bare clone(2), for which nobody waits: here at the worst moments, just
 * before a mapping is taken away from children, and just after the copy for a
 * child that is being forked is given to all.  It must see no secret of its
 * parent, now or later.
 */
#include "t_api.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "ksft.h"
#include "t_util.h"

TA_TIERS(fork_window);

enum { MOST = 64, SIZE = 100, SECRET = 0x77 };

static struct {
	char *at;
	size_t len;
	pid_t child;
} window[MOST];
static int windows, armed, go[2], answer[2];

/* How many of these pages hold the secret, as far as they can be touched. */
static int pages_with_secret(const char *at, size_t len)
{
	unsigned char page[1 << 16], eight[8]; /* four may be a canary's */
	int n = 0, fd[2];
	size_t i;

	memset(eight, SECRET, sizeof(eight));
	if (pipe(fd) != 0)
		return -1;
	for (i = 0; i < len; i += ta_page())
		if (write(fd[1], at + i, ta_page()) == (ssize_t)ta_page() &&
		    read(fd[0], page, ta_page()) == (ssize_t)ta_page())
			n += memmem(page, ta_page(), eight, sizeof(eight)) != 0;
	return n;
}

static void in_child(const char *at, size_t len)
{
	char c;
	int n;

	(void)close(go[1]);
	if (read(go[0], &c, 1) != 0) /* until the parent has written */
		_exit(1);
	n = pages_with_secret(at, len);
	_exit(write(answer[1], &n, sizeof(n)) == sizeof(n) ? 0 : 1);
}

#if defined(MADV_DONTFORK) && defined(MADV_KEEPONFORK) && defined(SYS_madvise)
enum { ABLE = 1 };

static void make_child(void *at, size_t len)
{
	pid_t pid = windows < MOST ? ta_raw_fork() : -1;

	if (pid == 0)
		in_child(at, len);
	if (pid < 0)
		return;
	window[windows].at = at;
	window[windows].len = len;
	window[windows++].child = pid;
}

/* In place of the C library's. */
int madvise(void *at, size_t len, int advice)
{
	int r;

	if (armed && advice == MADV_DONTFORK)
		make_child(at, len);
	r = (int)syscall(SYS_madvise, at, len, advice);
	if (armed && (advice == MADV_DOFORK || advice == MADV_KEEPONFORK))
		make_child(at, len);
	return r;
}
#else
enum { ABLE = 0 };
#endif

/* The sum of what the children have seen. */
static int seen(void)
{
	int i, n, sum = 0;

	(void)close(go[1]);
	for (i = 0; i < windows; i++) {
		ASSERT_EQ(sizeof(n), read(answer[0], &n, sizeof(n)));
		EXPECT_GE(n, 0);
		sum += n;
		EXPECT_EQ(0, ta_status(window[i].child));
	}
	return sum;
}

TEST_F(fork_window, a_child_made_while_pages_are_mapped_sees_no_secret)
{
	unsigned char *p, *q;

	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(answer));
	armed = ABLE;
	p = secmalloc(SIZE);
	q = secmalloc_guarded(300000);
	armed = 0;
	ASSERT_TRUE(p && q);
	memset(p, SECRET, SIZE);
	memset(q, SECRET, 300000);
	if (variant->tier.need & SECMALLOC_HIDDEN)
		EXPECT_GT(windows, 0);
	EXPECT_EQ(0, seen());
	secfree(p);
	secfree(q);
}

TEST_F(fork_window, one_made_while_a_heap_is_copied_sees_no_copy)
{
	secmalloc_heap *heap = ta_heap(&variant->tier, SECMALLOC_CHILD_COPY);
	unsigned char *p = secmalloc_heap_malloc(heap, SIZE);

	ASSERT_NOT_NULL(p);
	memset(p, SECRET, SIZE);
	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(answer));
	armed = ABLE;
	T_IN_CHILD(armed = 0; EXPECT_TRUE(ta_holds(p, SIZE, SECRET)));
	armed = 0;
	if (ABLE && strcmp(ta_report().backend, "linux") == 0)
		EXPECT_GT(windows, 0);
	EXPECT_EQ(0, seen());
	EXPECT_TRUE(ta_holds(p, SIZE, SECRET));
	secmalloc_heap_destroy(heap);
}

/* The control: of memory that is not taken away in time such a child sees all. */
TEST(a_child_made_in_time_sees_shared_memory)
{
	char *p = mmap(NULL, ta_page(), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (!ABLE)
		SKIP(return, "nothing takes mappings away from children");
	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(answer));
	armed = 1;
	ASSERT_EQ(0, madvise(p, ta_page(), MADV_DONTFORK));
	memset(p, SECRET, SIZE);
	ASSERT_EQ(1, windows);
	EXPECT_EQ(1, seen());
}
