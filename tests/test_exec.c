/* SPDX-License-Identifier: MIT */
/*
 * test_exec.c - what a program finds that is executed
 *
 * The program is this one, which tells by its exit status how many descriptors
 * it has, or that it has read a secret, before anything else.
 */
#include "t_api.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>

#include "ksft.h"

enum { FOUND = 200, BROKEN, SECRET = 16, BYTE = 0x77, PROGRAMS = 100 };

#define QUESTION "TEST_EXEC_LOOK_AT"

/* At that address, by a system call: no fault. */
static int has_secret(const void *p)
{
	char back[SECRET];
	int fd[2], found;

	if (pipe(fd) != 0)
		return BROKEN;
	found = write(fd[1], p, SECRET) == SECRET &&
		read(fd[0], back, SECRET) == SECRET &&
		ta_holds(back, SECRET, BYTE);
	(void)close(fd[0]); /* nothing is left in it */
	(void)close(fd[1]);
	return found ? FOUND : 0;
}

KSFT_AT_START_(answer)
{
	const char *address = getenv(QUESTION);
	int n;

	if (address) {
		n = ta_descriptors();
		if (has_secret((void *)(uintptr_t)strtoumax(address, NULL, 16)))
			n = FOUND;
		_exit(n);
	}
}

TA_TIERS(exec);

/* How many descriptors a program has, or FOUND. */
static int execute(const void *p)
{
	static char name[] = "test_exec";
	char question[80];
	char *args[] = { name, NULL }, *environment[] = { question, NULL };
	pid_t pid;

	(void)snprintf(question, sizeof(question), QUESTION "=%zx", (size_t)p);
	if (posix_spawn(&pid, ksft_program, NULL, NULL, args, environment) != 0)
		return BROKEN;
	return ta_status(pid);
}

static void *make(size_t size)
{
	void *p = secmalloc(size);

	ASSERT_NOT_NULL(p);
	memset(p, BYTE, size);
	return p;
}

TEST_F(exec, a_program_has_no_descriptor_and_no_memory_of_ours)
{
	int before, fd, i;
	void *p[20];

	p[0] = make(100);
	before = execute(p[0]);
	ASSERT_LT(before, FOUND);
	for (i = 1; i < 20; i++) {
		p[i] = make((size_t)i * i * 300);
		EXPECT_EQ(before, execute(p[i]));
	}
	EXPECT_EQ(FOUND, has_secret(p[0])); /* the control: it is here */
	fd = open("/dev/null", O_RDONLY);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(before + 1, execute(p[0])); /* the control */
	ASSERT_EQ(0, close(fd));
}

static int finished;

/* Memory comes and goes: a mapping of its own each time. */
static void *keep_mapping(void *arg)
{
	while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE)) {
		secfree(secmalloc(300000));
		(void)secmalloc_trim(); /* returns how much that was */
	}
	return arg;
}

/* posix_spawn(3) runs no fork handlers, so nothing waits for the thread. */
TEST_F(exec, nor_one_that_is_open_for_a_moment)
{
	void *p = make(100);
	int before = execute(p), i;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, keep_mapping, NULL));
	for (i = 0; i < PROGRAMS; i++)
		EXPECT_EQ(before, execute(p));
	__atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, NULL));
}
