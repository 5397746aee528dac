/* SPDX-License-Identifier: MIT */
/*
 * live_pinned.c - system calls for which the kernel takes hold of pages
 *
 * Reading and writing past the page cache, sending without a copy, reading the
 * memory of a process: none of them gets hidden pages, and all of them get what
 * is not hidden.  live_outside.c has more, live_uring.c the same by io_uring.
 */
#include "t_api.h"

#include "ksft.h"

#ifdef __linux__
#include "t_pin.h"

#include <sys/uio.h>

#ifndef SO_ZEROCOPY /* 4.14 */
#define SO_ZEROCOPY 60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000
#endif

TA_TIERS(pinned);

static int direct_read(void *arg, unsigned char *page)
{
	int fd = t_pin_direct_file(1), e;
	ssize_t n;

	(void)arg;
	if (fd < 0)
		return -EOPNOTSUPP;
	n = pread(fd, page, ta_page(), 0);
	e = n < 0 ? -errno : t_is_filled(page, ta_page(), 1) ? 0 : -EIO;
	(void)close(fd);
	return e;
}

static int direct_write(void *arg, unsigned char *page)
{
	int fd = t_pin_direct_file(1), e = 0;

	(void)arg;
	if (fd < 0)
		return -EOPNOTSUPP;
	t_fill(page, ta_page(), 2);
	if (pwrite(fd, page, ta_page(), 0) < 0)
		e = -errno;
	if (e == 0)
		e = t_pin_file_has(fd, 2);
	(void)close(fd);
	return e;
}

TEST_F(pinned, past_the_page_cache_nothing_comes_into_hidden_pages)
{
	t_pin(direct_read, NULL, -EFAULT);
}

TEST_F(pinned, nor_does_it_go_from_them_to_a_disk)
{
	t_pin(direct_write, NULL, -EFAULT);
}

/* The same file and the same bytes, with the kernel's copy in between. */
TEST_F(pinned, through_the_page_cache_all_of_it_works)
{
	unsigned char *p = t_pin_object();
	int fd = t_pin_direct_file(1);

	if (fd < 0)
		SKIP(return, "attack does not work here: %s",
			   strerror(EOPNOTSUPP));
	ASSERT_EQ(0, t_pin_set_direct(fd, 0));
	ASSERT_EQ(ta_page(), pread(fd, p, ta_page(), 0));
	EXPECT_TRUE(t_is_filled(p, ta_page(), 1));
	t_fill(p, ta_page(), 2);
	ASSERT_EQ(ta_page(), pwrite(fd, p, ta_page(), 0));
	EXPECT_EQ(0, t_pin_file_has(fd, 2));
}

static int zero_copy(void *arg, unsigned char *page)
{
	static const int on = 1;
	int fd[2], e = 0;
	ssize_t n;

	(void)arg;
	if (t_pin_sockets(fd) != 0)
		return -ENETUNREACH;
	t_fill(page, ta_page(), 3);
	if (setsockopt(fd[1], SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)) != 0)
		e = -errno;
	if (e == 0) {
		n = send(fd[1], page, ta_page(), MSG_ZEROCOPY);
		e = n == (ssize_t)ta_page() ? t_pin_got(fd[0], 3) : -errno;
	}
	t_pin_close(fd);
	return e;
}

TEST_F(pinned, hidden_pages_are_not_sent_without_a_copy)
{
	t_pin(zero_copy, NULL, -EFAULT);
}

static int own_process(void *arg, unsigned char *page)
{
	unsigned char *copy = t_pin_page();
	struct iovec to = { copy, ta_page() }, from = { page, ta_page() };
	int e = 0;

	(void)arg;
	t_fill(page, ta_page(), 4);
	if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) < 0)
		return -errno;
	e = t_is_filled(copy, ta_page(), 4) ? 0 : -EIO;
	t_fill(copy, ta_page(), 5);
	if (process_vm_writev(getpid(), &to, 1, &from, 1, 0) < 0)
		return -errno;
	return e == 0 && t_is_filled(page, ta_page(), 5) ? 0 : -EIO;
}

TEST_F(pinned, hidden_pages_are_not_read_and_written_as_a_process)
{
	t_pin(own_process, NULL, -EFAULT);
}
#else
TEST(what_takes_hold_of_pages)
{
	SKIP(return, "these are attacks on Linux");
}
#endif
