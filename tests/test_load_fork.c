/* SPDX-License-Identifier: MIT */
/*
 * test_load_fork.c - loading in children, and in the parent meanwhile
 */
#include "t_files.h"
#include "t_forking.h"

#ifdef __linux__
#include <pthread.h>
#include <sys/syscall.h>

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif

enum { FORKS = 40, CANNOT = 77 };

FIXTURE(forked)
{
	char folder[32];
};

TA_VARIANTS(forked);

FIXTURE_SETUP(forked)
{
	TA_BEGIN(&variant->tier);
	strcpy(self->folder, "secmalloc-test.XXXXXX");
	make_files(self->folder);
}

FIXTURE_TEARDOWN(forked)
{
	remove_files(self->folder);
}

/* What names of descriptors, or lines of mappings, have io_uring in them. */
static int rings_in_table(void)
{
	char path[40], name[80];
	int fd, n = 0;
	ssize_t size;

	for (fd = 0; fd < 1024; fd++) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		size = readlink(path, name, sizeof(name) - 1);
		if (size <= 0)
			continue;
		name[size] = '\0';
		n += strstr(name, "io_uring") != NULL;
	}
	return n;
}

static int rings_in_maps(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[400];
	int n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, "io_uring") != NULL;
	if (f)
		(void)fclose(f);
	return n;
}

static int go_on = 1;
static int loads, failures;

static void *load_on(void *arg)
{
	struct secmalloc_loaded files[FILES];

	(void)arg;
	do { /* once, however late it begins */
		if (load(files, FILES, NULL) != 0)
			failures++;
		__atomic_add_fetch(&loads, 1, __ATOMIC_RELAXED);
	} while (__atomic_load_n(&go_on, __ATOMIC_RELAXED));
	return NULL;
}

/* In a child that was made while another thread had a ring, perhaps. */
static void is_free_of_rings(void)
{
	struct secmalloc_loaded files[FILES];

	EXPECT_EQ(0, rings_in_table());
	EXPECT_EQ(0, rings_in_maps());
	EXPECT_EQ(0, load(files, FILES, NULL));
	EXPECT_EQ(0, rings_in_table());
}

TEST_F(forked, children_of_a_process_that_loads_have_no_ring_and_load)
{
	pthread_t thread;
	int i;

	KSFT_SANITIZER_SKIP("its allocator may be locked in such a child");
	ASSERT_EQ(0, rings_in_table());
	ASSERT_EQ(0, pthread_create(&thread, NULL, load_on, NULL));
	for (i = 0; i < FORKS; i++)
		T_IN_CHILD(is_free_of_rings());
	__atomic_store_n(&go_on, 0, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, failures);
	EXPECT_LT(0, loads);
	EXPECT_EQ(0, rings_in_table());
}

static void load_all(void)
{
	struct secmalloc_loaded files[FILES];

	EXPECT_EQ(0, load(files, FILES, NULL));
}

TEST_F(forked, a_child_that_is_being_made_when_loading_begins_has_none)
{
	KSFT_SANITIZER_SKIP("its allocator may be locked in such a child");
	t_forking_begin(load_all);
	T_IN_CHILD(is_free_of_rings());
	t_forking_end();
}

/* A ring that nobody closes is there, in a child as well. */
TEST_F(forked, control_rings_of_others_are_inherited)
{
	struct secmalloc_loaded files[FILES];
	uint32_t params[30] = { 0 };
	int fd = (int)syscall(SYS_io_uring_setup, 4, params);

	if (fd < 0)
		SKIP(return, "no io_uring here: %s", strerror(errno));
	EXPECT_EQ(1, rings_in_table());
	T_IN_CHILD({
		EXPECT_EQ(1, rings_in_table());
		EXPECT_EQ(0, load(files, FILES, NULL));
		EXPECT_EQ(1, rings_in_table());
	});
}

/* It can only say so. */
TEST_F(forked, a_child_without_handlers_is_told)
{
	struct secmalloc_loaded one = { .size = sizeof(one) };
	struct secmalloc_loaded files[FILES];
	pid_t pid = ta_raw_fork();
	int e;

	if (pid < 0)
		SKIP(return, "no such children here");
	if (pid == 0) {
		errno = 0;
		if (secmalloc(1))
			_exit(CANNOT);
		e = errno;
		EXPECT_NE(0, load(files, FILES, NULL));
		EXPECT_EQ(e, files[0].error);
		EXPECT_EQ(e, files[FILES - 1].error);
		EXPECT_NULL(secmalloc_load_file(names[1], NULL, &one));
		EXPECT_EQ(e, one.error);
		_exit(0);
	}
	e = ta_status(pid);
	if (e == CANNOT)
		SKIP(return, "this backend cannot tell such children apart");
	EXPECT_EQ(0, e);
}

#else
TEST(loading_in_children)
{
	SKIP(return, "it is on Linux alone");
}
#endif
