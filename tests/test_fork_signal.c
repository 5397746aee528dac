/* SPDX-License-Identifier: MIT */
/*
 * test_fork_signal.c - forks in signal handlers, wherever they interrupt
 *
 * A lock that the interrupted thread has is not to be had in the handler.  So
 * such a child is like one without fork handlers: it gets errors, and its
 * parent goes on.  A hang is a failure.
 */
#include "t_api.h"

#include <pthread.h>
#include <signal.h>

#include "compat.h"
#include "heap.h"
#include "ksft.h"
#include "turn.h"

TA_TIERS(fork_signal);

enum { OBJECTS = 8, SIZE = 100, FORKS = 200 };

static char *volatile inherited;
static volatile int bad, forks, can_tell, armed;

/* The lock may be held for ever there: an error, at once. */
static int use_without_handlers(void)
{
	errno = 0;
	if (secmalloc(10) || errno != EPERM)
		return 1;
	secfree(inherited);
	return secmalloc_owns(inherited);
}

static void fork_in_handler(int signal)
{
	int saved = errno;
	pid_t pid = fork();

	(void)signal;
	if (pid == 0)
		_exit(can_tell ? use_without_handlers() : 0);
	bad |= ta_status(pid);
	forks++;
	errno = saved;
}

/* Before the library's own handlers are registered: ours runs after them when
 * a fork is prepared. */
static void interrupt_fork(void)
{
	if (!armed)
		return;
	armed = 0; /* not in that of the handler */
	(void)raise(SIGUSR1);
}

#ifdef __GNUC__
__attribute__((__constructor__(200)))
#endif
static void register_first(void)
{
	(void)pthread_atfork(interrupt_fork, NULL, NULL);
}

static void begin(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = fork_in_handler;
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	can_tell = strcmp(ta_report().backend, "linux") == 0;
	inherited = secmalloc(SIZE);
	ASSERT_NOT_NULL(inherited);
	memset(inherited, 0x77, SIZE);
}

/* All is as it was, and an ordinary fork is one again. */
static void check(int n)
{
	pid_t pid;

	EXPECT_EQ(n, forks);
	EXPECT_EQ(0, bad);
	EXPECT_TRUE(ta_holds(inherited, SIZE, 0x77));
	pid = fork();
	if (pid == 0) {
		secfree(inherited);
		_exit(secmalloc(10) == NULL);
	}
	EXPECT_EQ(0, ta_status(pid));
	secfree(inherited);
	EXPECT_EQ(0, secmalloc_verify());
}

#ifdef SECM_THREAD
enum { LOCKS_TELL = 1 };
#else
enum { LOCKS_TELL = 0 };
#endif

static void interrupt_lock(struct secm_lock *lock)
{
	secm_lock(lock);
	(void)raise(SIGUSR1);
	secm_unlock(lock);
}

TEST_F(fork_signal, in_a_function_that_has_the_lock)
{
	if (!LOCKS_TELL)
		SKIP(return, "no variables of a thread: it waits for ever");
	KSFT_SANITIZER_SKIP("it does not know such children");
	begin();
	interrupt_lock(&secm_heap_lock);
	interrupt_lock(&secm_turn_lock);
	check(2);
}

TEST_F(fork_signal, between_the_handlers_of_another_fork)
{
	pid_t pid;

	KSFT_SANITIZER_SKIP("it does not know such children");
	begin();
	armed = 1;
	pid = fork();
	if (pid == 0)
		_exit(secmalloc(10) == NULL);
	EXPECT_EQ(0, ta_status(pid));
	if (forks == 0)
		SKIP(return, "fork handlers are called in another order");
	check(1);
}

static int stop; /* read and written by __atomic builtins only */
static pthread_t target;

static void *interrupt(void *arg)
{
	int i;

	for (i = 0; i < FORKS; i++)
		(void)pthread_kill(target, SIGUSR1);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	return arg;
}

/* Wherever chance has it. */
TEST_F(fork_signal, while_objects_come_and_go)
{
	char *p[OBJECTS] = { NULL };
	pthread_t thread;
	size_t n = 1;
	int i;

	if (!LOCKS_TELL)
		SKIP(return, "no variables of a thread: it waits for ever");
	KSFT_SANITIZER_SKIP("it does not know such children");
	begin();
	can_tell = 0; /* some of these forks interrupt nothing */
	target = pthread_self();
	ASSERT_EQ(0, pthread_create(&thread, NULL, interrupt, NULL));
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		n = n * 1103515245u + 12345u;
		i = (int)(n / 65536 % OBJECTS);
		secfree(p[i]);
		p[i] = secmalloc(n / 4096 % 20000);
	}
	ASSERT_EQ(0, pthread_join(thread, NULL));
	for (i = 0; i < OBJECTS; i++)
		secfree(p[i]);
	EXPECT_GT(forks, 0);
	check(forks);
}
