/* SPDX-License-Identifier: MIT */
/*
 * test_load_cache.c - what the page cache has of a file that was loaded, and
 * that the result says so
 */
#include "t_io.h"
#include "t_load.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __linux__
#include "t_filter.h"

#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#endif

TA_TIERS(cache);

enum { SIZE = 70001, MANY = 20 };

/* The control: what stdio leaves behind. */
static long ordinary(const char *path)
{
	static char here[SIZE];
	FILE *f = fopen(path, "r");

	ASSERT_NOT_NULL(f);
	ASSERT_EQ(SIZE, fread(here, 1, SIZE, f));
	ASSERT_EQ(0, fclose(f));
	return tl_cached(path);
}

/* Whether the test's folder can show anything. */
#define NEED_A_CACHE(path)                                                   \
	do {                                                                 \
		if (tl_cached(path) != 0 || ordinary(tl_file(SIZE, 0)) <= 0) \
			SKIP(return, "no page cache that can be seen here"); \
	} while (0)

TEST_F(cache, nothing_stays_of_what_was_loaded)
{
	struct secmalloc_loaded l = { .size = sizeof(l) };
	char *path = tl_file(SIZE, 1);

	NEED_A_CACHE(path);
	ASSERT_NOT_NULL(secmalloc_load_file(path, NULL, &l));
	EXPECT_TRUE(ti_is(l.data, SIZE, 1));
	EXPECT_EQ(0, tl_cached(path));
	EXPECT_LE(l.cached, 0);
	EXPECT_NE(SECMALLOC_WAY_CACHED, l.way);
	TH_LOG("way %d", (int)l.way);
}

TEST_F(cache, nothing_stays_of_what_was_there_before)
{
	struct secmalloc_loaded l = { .size = sizeof(l) };
	char *path = tl_file(SIZE, 1);

	NEED_A_CACHE(path);
	EXPECT_LT(0, ordinary(path));
	ASSERT_NOT_NULL(secmalloc_load_file(path, NULL, &l));
	EXPECT_EQ(0, tl_cached(path));
	EXPECT_LE(l.cached, 0);
}

TEST_F(cache, nothing_stays_of_what_is_not_on_the_disk_yet)
{
	struct secmalloc_loaded l = { .size = sizeof(l) };
	char *path = tl_file(SIZE, 1);
	int fd = open(path, O_WRONLY);

	NEED_A_CACHE(path);
	ASSERT_EQ(3, write(fd, "new", 3));
	ASSERT_EQ(0, close(fd));
	EXPECT_LT(0, tl_cached(path));
	ASSERT_NOT_NULL(secmalloc_load_file(path, NULL, &l));
	EXPECT_EQ(0, memcmp(l.data, "new", 3));
	EXPECT_EQ(0, tl_cached(path));
}

TEST_F(cache, a_descriptor_leaves_nothing_either)
{
	struct secmalloc_loaded l = { .size = sizeof(l) };
	char *path = tl_file(SIZE, 1);
	int fd = open(path, O_RDONLY);

	NEED_A_CACHE(path);
	ASSERT_NOT_NULL(secmalloc_load_fd(fd, NULL, &l));
	EXPECT_TRUE(ti_is(l.data, SIZE, 1));
	EXPECT_EQ(SECMALLOC_WAY_DROPPED, l.way);
	EXPECT_EQ(0, tl_cached(path));
}

TEST_F(cache, many_files_leave_nothing)
{
	struct secmalloc_loaded l[MANY];
	int i;

	for (i = 0; i < MANY; i++) {
		l[i].size = sizeof(l[i]);
		l[i].path = tl_file(SIZE, (unsigned)i);
	}
	NEED_A_CACHE(l[0].path);
	EXPECT_LT(0, ordinary(l[7].path));
	if (secmalloc_load_files(l, MANY, NULL) != 0 && errno == ENOMEM)
		SKIP(return, "too little may be locked here");
	for (i = 0; i < MANY; i++) {
		EXPECT_EQ(0, l[i].error);
		EXPECT_EQ(0, tl_cached(l[i].path));
		EXPECT_LE(l[i].cached, 0);
	}
}

/* It is somebody else's then. */
TEST_F(cache, what_is_refused_stays_as_it_is)
{
	const struct secmalloc_load_options o = { .max = SIZE - 1 };
	char *path = tl_file(SIZE, 1);
	int fd = open(path, O_RDONLY);

	NEED_A_CACHE(path);
	EXPECT_LT(0, ordinary(path));
	EXPECT_NULL(secmalloc_load_file(path, &o, NULL));
	EXPECT_EQ(EFBIG, errno);
	EXPECT_NULL(secmalloc_load_fd(fd, &o, NULL));
	EXPECT_EQ(EFBIG, errno);
	EXPECT_EQ(0, lseek(fd, 0, SEEK_CUR));
	EXPECT_LT(0, tl_cached(path));
}

TEST_F(cache, it_may_keep_the_file_if_it_is_allowed_to)
{
	const struct secmalloc_load_options o = {
		.flags = SECMALLOC_LOAD_CACHED
	};
	struct secmalloc_loaded l = { .size = sizeof(l) };
	char *path = tl_file(SIZE, 1);

	NEED_A_CACHE(path);
	ASSERT_NOT_NULL(secmalloc_load_file(path, &o, &l));
	EXPECT_EQ(SECMALLOC_WAY_CACHED, l.way);
	EXPECT_EQ(-1, l.cached);
	EXPECT_LT(0, tl_cached(path));
	ASSERT_NOT_NULL(secmalloc_load_fd(open(path, O_RDONLY), &o, &l));
	EXPECT_EQ(SECMALLOC_WAY_CACHED, l.way);
	EXPECT_EQ(-1, l.cached);
}

/* Pages that are mapped and in use stay, and the result does not deny it. */
TEST_F(cache, what_others_keep_is_reported)
{
	struct secmalloc_loaded l = { .size = sizeof(l) };
	char *path = tl_file(SIZE, 1);
	int fd = open(path, O_RDONLY);
	volatile char *p;
	size_t i;
	char sum = 0;

	NEED_A_CACHE(path);
	p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	for (i = 0; i < SIZE; i += 512)
		sum = (char)(sum + p[i]);
	ASSERT_NOT_NULL(secmalloc_load_file(path, NULL, &l));
	EXPECT_LT(0, tl_cached(path))
	{
		TH_LOG("%d", sum);
	}
	EXPECT_NE(0, l.cached);
	EXPECT_NE(SECMALLOC_WAY_DIRECT, l.way);
}

/* A file whose disk is the page cache. */
TEST_F(cache, a_file_in_memory_is_not_said_to_be_gone)
{
	struct secmalloc_loaded l = { .size = sizeof(l) };
	char *path = tl_in_memory("secret");

	if (!path)
		SKIP(return, "no file in memory");
	ASSERT_NOT_NULL(secmalloc_load_file(path, NULL, &l));
	EXPECT_EQ(0, memcmp(l.data, "secret", 6));
	EXPECT_NE(SECMALLOC_WAY_DIRECT, l.way);
	if (strcmp(ta_report().backend, "linux") != 0)
		return;
	EXPECT_EQ(SECMALLOC_WAY_CACHED, l.way);
	EXPECT_EQ(1, l.cached);
}

#ifdef __linux__
static int put(const char *path, const char *format, unsigned id)
{
	char line[32];
	int fd = open(path, O_WRONLY), n, r;

	n = snprintf(line, sizeof(line), format, id, id);
	r = fd >= 0 && write(fd, line, (size_t)n) == n ? 0 : -1;
	(void)close(fd);
	return r;
}

/* The name of that file in a file system of layers, as containers have it; NULL:
 * none can be made.  For this process alone it is in place of /etc, which is
 * there everywhere. */
static const char *in_layers(const char *path)
{
	static char there[64], options[300];
	const unsigned uid = geteuid(), gid = getegid();
	char here[256];

	if (!getcwd(here, sizeof(here)))
		return NULL;
	(void)snprintf(there, sizeof(there), "/etc/%s", path);
	(void)snprintf(options, sizeof(options), "lowerdir=%s:/etc", here);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
	    put("/proc/self/setgroups", "deny", 0) != 0 ||
	    put("/proc/self/uid_map", "%u %u 1", uid) != 0 ||
	    put("/proc/self/gid_map", "%u %u 1", gid) != 0 ||
	    mount("layers", "/etc", "overlay", 0, options) != 0)
		return NULL;
	return there;
}

TEST_F(cache, pages_of_a_layer_below_are_found_and_dropped)
{
	struct secmalloc_loaded l = { .size = sizeof(l) };
	const char *path = in_layers(tl_file(SIZE, 1));

	if (!path)
		SKIP(return, "no user namespaces, or no overlayfs in them");
	if (ordinary(path) <= 0)
		SKIP(return, "no page cache that can be seen here");
	ASSERT_NOT_NULL(secmalloc_load_file(path, NULL, &l));
	EXPECT_TRUE(ti_is(l.data, SIZE, 1));
	EXPECT_EQ(0, tl_cached(path));
	EXPECT_LE(l.cached, 0);
	EXPECT_EQ(SECMALLOC_WAY_DROPPED, l.way);
}

/* Emptying the disk's own memory, for each file, would take far longer than to
 * load it. */
TEST_F(cache, what_is_not_on_the_disk_yet_goes_there_without_a_flush)
{
	struct secmalloc_loaded l = { .size = sizeof(l) };
	const char *path = tl_quick_file(SIZE, 1);

	if (strcmp(ta_report().backend, "linux") != 0)
		SKIP(return, "POSIX has nothing less");
	if (tl_cached(path) <= 0)
		SKIP(return, "no page cache that can be seen here");
	/* No new memory is hidden behind a filter: some is there then. */
	secfree(secmalloc_load_file(tl_file(SIZE, 2), NULL, &l));
	if (t_put_filter(SYS_fdatasync, T_KILL) != 0)
		SKIP(return, "no filters here");
	ASSERT_NOT_NULL(secmalloc_load_fd(open(path, O_RDONLY), NULL, &l));
	EXPECT_TRUE(ti_is(l.data, SIZE, 1));
	EXPECT_EQ(0, tl_cached(path));
}

enum { DISK = 65536, DISK_TRIES = 1000 };

/* A disk that has the contents of that file, and goes when it is closed; -1:
 * none can be had. */
static int disk(const char *path)
{
	struct loop_info64 as = { .lo_flags = LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR), from, fd = -1;
	char name[32];

	if (control >= 0) {
		(void)snprintf(name, sizeof(name), "/dev/loop%d",
			       ioctl(control, LOOP_CTL_GET_FREE));
		fd = open(name, O_RDWR);
		(void)close(control);
	}
	from = open(path, O_RDWR);
	if (fd >= 0 && (ioctl(fd, LOOP_SET_FD, from) != 0 ||
			ioctl(fd, LOOP_SET_STATUS64, &as) != 0)) {
		(void)close(fd);
		fd = -1;
	}
	(void)close(from);
	return fd;
}

static int pages_of(int fd)
{
	unsigned char in[DISK / 4096];
	void *p = mmap(NULL, DISK, PROT_READ, MAP_SHARED, fd, 0);
	size_t i;
	int n = 0;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mincore(p, DISK, in));
	for (i = 0; i < DISK / ta_page(); i++)
		n += in[i] & 1;
	ASSERT_EQ(0, munmap(p, DISK));
	return n;
}

/* Others may look at a new disk at first, and bring it back. */
static void leaves_nothing(int fd, const char *name)
{
	struct secmalloc_loaded l = { .size = sizeof(l) };
	int i;

	for (i = 0; i == 0 || (i < DISK_TRIES && pages_of(fd) > 0); i++) {
		secfree(l.data);
		ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
		ASSERT_NOT_NULL(name ? secmalloc_load_file(name, NULL, &l)
				     : secmalloc_load_fd(fd, NULL, &l));
		ASSERT_TRUE(ti_is_object(l.data, DISK, 1));
		ASSERT_EQ(SECMALLOC_WAY_DROPPED, l.way);
	}
	EXPECT_EQ(0, pages_of(fd));
	EXPECT_LE(l.cached, 0);
}

/* It is no regular file, but the page cache has what is read of it. */
TEST_F(cache, nothing_stays_of_a_disk_that_is_read_itself)
{
	static char here[DISK];
	char name[32];
	int fd = disk(tl_file(DISK, 1));

	if (fd < 0)
		SKIP(return, "no disk can be made here");
	ASSERT_EQ(DISK, pread(fd, here, DISK, 0));
	ASSERT_LT(0, pages_of(fd));
	leaves_nothing(fd, NULL);
	ASSERT_EQ(DISK, pread(fd, here, DISK, 0));
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	leaves_nothing(fd, name);
}
#endif
