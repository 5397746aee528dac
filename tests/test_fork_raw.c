/* SPDX-License-Identifier: MIT */
/*
 * test_fork_raw.c - children that are made without fork handlers
 *
 * By a bare clone(2), as sandboxes and language run-times do.  Such a child
 * gets a fault or zeros and an error of each function, and its parent loses
 * nothing.  Where the system cannot do so, the backend does not claim it.
 */
#include "t_api.h"

#include <stdlib.h>

#include "compat.h"
#include "ksft.h"

enum { OBJECTS = 4, LARGE = 100005 };

FIXTURE(raw)
{
	unsigned char *p[OBJECTS];
};

TA_VARIANTS(raw);

static const size_t size[OBJECTS] = { 40, LARGE, 100, 100 };

FIXTURE_SETUP(raw)
{
	int i;

	TA_BEGIN(&variant->tier);
	if (strcmp(ta_report().backend, "linux") != 0)
		SKIP(return, "this backend cannot tell such children apart");
	for (i = 0; i < OBJECTS; i++) {
		self->p[i] = i < 2 ? secmalloc(size[i])
				   : secmalloc_guarded(size[i]);
		ASSERT_NOT_NULL(self->p[i]);
		memset(self->p[i], 0x77, size[i]);
	}
	ASSERT_EQ(0, secmalloc_protect(self->p[3], SECMALLOC_NOACCESS));
}

/* The parent's objects are whole, whatever the child did. */
FIXTURE_TEARDOWN(raw)
{
	int i;

	EXPECT_EQ(SECM_NONE, ta_access(self->p[3]));
	ASSERT_EQ(0, secmalloc_protect(self->p[3], SECMALLOC_READWRITE));
	EXPECT_EQ(OBJECTS, ta_report().objects);
	for (i = 0; i < OBJECTS; i++) {
		EXPECT_TRUE(ta_holds(self->p[i], size[i], 0x77));
		secfree(self->p[i]);
	}
}

/* Fault, zeros or Secret. */
static int look(const unsigned char *p, int fd)
{
	if (write(fd, p, 1) != 1)
		return 'f';
	return *(const volatile unsigned char *)p == 0 ? 'z' : 'S';
}

TEST_F(raw, child_sees_no_secret)
{
	int i, fd[2], found;
	pid_t pid;

	ASSERT_EQ(0, pipe(fd));
	for (i = 0; i < OBJECTS; i++) {
		pid = ta_raw_fork();
		if (pid == 0)
			_exit(look(self->p[i], fd[1]));
		found = ta_status(pid);
		EXPECT_TRUE(found == 'f' || found == 'z') {
			TH_LOG("object %d: '%c'", i, found);
		}
	}
}

/* The control: of ordinary memory such a child sees all. */
TEST_F(raw, child_sees_ordinary_memory)
{
	unsigned char *p = malloc(100);
	int fd[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(fd));
	ASSERT_NOT_NULL(p);
	memset(p, 0x77, 100);
	pid = ta_raw_fork();
	if (pid == 0)
		_exit(look(p, fd[1]));
	EXPECT_EQ('S', ta_status(pid));
	free(p);
}

static int refused(const void *result)
{
	int error = errno;

	errno = 0;
	return !result && error == EPERM;
}

static int call_everything(struct ksft_data_raw *self)
{
	struct secmalloc_report r = { .size = sizeof(r) };
	int n = 0;

	errno = 0;
	n += !refused(secmalloc(10));
	n += !refused(secmalloc(size[0])); /* the parent's cache has some */
	n += !refused(seccalloc(size[0], 1));
	n += !refused(secmalloc_guarded(10));
	n += !refused(seccalloc(10, 10));
	n += !refused(secrealloc(self->p[0], 1000));
	n += !refused(secmalloc_init(NULL) == 0 ? "" : NULL);
	n += !refused(secmalloc_report(&r) == 0 ? "" : NULL);
	n += !refused(secmalloc_protect(self->p[3], 0) == 0 ? "" : NULL);
	n += secmalloc_owns(self->p[0]);
	n += secmalloc_usable_size(self->p[0]) != 0;
	return n;
}

TEST_F(raw, child_gets_errors)
{
	struct secmalloc_stats stats = { .size = sizeof(stats) };
	pid_t pid;

	secfree(secmalloc(size[0]));
	ASSERT_EQ(0, secmalloc_stats(&stats));
	EXPECT_EQ(SECM_ATOMICS, stats.cached > size[0]); /* a quick way */
	pid = ta_raw_fork();
	if (pid == 0)
		_exit(call_everything(self));
	EXPECT_EQ(0, ta_status(pid));
}

TEST_F(raw, child_may_call_what_returns_nothing)
{
	pid_t pid = ta_raw_fork();
	int i;

	if (pid == 0) {
		for (i = 0; i < OBJECTS; i++)
			secfree(self->p[i]);
		secmalloc_shutdown();
		_exit(secmalloc(1) != NULL);
	}
	EXPECT_EQ(0, ta_status(pid));
}

/* A child by fork(2) of such a child, which nothing was prepared for. */
TEST_F(raw, grandchild_sees_no_secret)
{
	pid_t pid = ta_raw_fork();
	int fd[2], i, bad = 0;

	if (pid == 0) {
		pid = fork();
		if (pid != 0)
			_exit(ta_status(pid) & 0xff);
		if (pipe(fd) != 0)
			_exit(1);
		for (i = 0; i < OBJECTS; i++)
			bad |= look(self->p[i], fd[1]) == 'S';
		_exit(bad);
	}
	EXPECT_EQ(0, ta_status(pid));
}

/* From a child that was prepared: its own secrets are as safe from its own
 * raw children. */
static int in_a_child(void)
{
	unsigned char *p = secmalloc(40);
	pid_t pid;
	int fd[2];

	if (!p || pipe(fd) != 0)
		return 1;
	memset(p, 0x66, 40);
	pid = ta_raw_fork();
	if (pid == 0)
		_exit(look(p, fd[1]) == 'S' || secmalloc(1));
	if (ta_status(pid) != 0)
		return 2;
	return !ta_holds(p, 40, 0x66);
}

TEST_F(raw, children_of_children_see_no_secret)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(in_a_child());
	EXPECT_EQ(0, ta_status(pid));
}
