/* SPDX-License-Identifier: MIT */
/*
 * test_call_leave.c - what else can happen to a function on a secret stack:
 * signals, the end of its thread, jumps, exceptions, children
 */
#include "t_api.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "arch/arch.h"
#include "die.h"
#include "ksft.h"

/* The unwinder of the compiler that came with the C library. */
#if defined(__GLIBC__)
#include <unwind.h>
#endif

TA_TIERS(leave);

extern char **environ;

/* Where things were, by the address of a variable. */
struct spots {
	char *fn, *handler;
	char *low, *high; /* of the alternate stack */
};

static struct spots spots;

static char *volatile escaped;

static SECM_NOINLINE char *here(void)
{
	volatile char local = 0;

	escaped = (char *)(uintptr_t)&local;
	return escaped;
}

static void handle(int sig)
{
	(void)sig;
	spots.handler = here();
}

static void raise_one(void *arg)
{
	(void)arg;
	spots.fn = here();
	(void)raise(SIGUSR1);
	EXPECT_TRUE(secmalloc_owns(spots.fn));
	if (!spots.low)
		EXPECT_TRUE(secmalloc_owns(spots.handler));
	else
		EXPECT_FALSE(secmalloc_owns(spots.handler));
}

static void catch (int flags)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_handler = handle;
	act.sa_flags = flags;
	ASSERT_EQ(0, sigaction(SIGUSR1, &act, NULL));
}

TEST_F(leave, a_signal_is_handled_on_the_secret_stack)
{
	KSFT_SANITIZER_SKIP("variables are elsewhere");
	catch (0);
	ASSERT_EQ(0, secmalloc_call(raise_one, NULL, 0));
	EXPECT_NOT_NULL(spots.handler);
	EXPECT_EQ(0, ta_report().objects);
}

TEST_F(leave, or_where_the_program_wants_it_which_may_be_an_object_too)
{
	enum { ALT = 65536 };
	static char plain[ALT];
	char *guarded = secmalloc_guarded(ALT);
	stack_t alt = { .ss_sp = plain, .ss_size = ALT };

	KSFT_SANITIZER_SKIP("variables are elsewhere");
	ASSERT_NOT_NULL(guarded);
	catch (SA_ONSTACK);
	spots.low = plain;
	ASSERT_EQ(0, sigaltstack(&alt, NULL));
	ASSERT_EQ(0, secmalloc_call(raise_one, NULL, 0));
	EXPECT_TRUE(spots.handler >= plain && spots.handler < plain + ALT);
	spots.low = NULL;
	alt.ss_sp = guarded;
	ASSERT_EQ(0, sigaltstack(&alt, NULL));
	ASSERT_EQ(0, secmalloc_call(raise_one, NULL, 0));
	EXPECT_TRUE(spots.handler >= guarded && spots.handler < guarded + ALT);
}

/* Ends of threads.  Only some C libraries go back to the caller's stack. */
#if defined(__GLIBC__)
enum { GOES_BACK = 1 };
#else
enum { GOES_BACK = 0 };
#endif

static int cleaned;

static void clean(void *arg)
{
	(void)arg;
	cleaned++;
}

static void exit_thread(void *arg)
{
	pthread_cleanup_push(clean, NULL);
	pthread_exit(arg);
	pthread_cleanup_pop(0);
}

static void wait_to_be_cancelled(void *arg)
{
	pthread_cleanup_push(clean, NULL);
	(void)pthread_cancel(pthread_self());
	pthread_testcancel();
	pthread_cleanup_pop(0);
	(void)arg;
}

static void nested(void *arg)
{
	(void)!secmalloc_call(exit_thread, arg, 0);
}

static void *in_thread(void *fn)
{
	pthread_cleanup_push(clean, NULL);
	(void)!secmalloc_call(*(void (**)(void *))fn, &spots, 262144);
	pthread_cleanup_pop(0);
	return NULL;
}

static void end_by(void (*fn)(void *), void *want)
{
	pthread_t thread;
	void *result;

	cleaned = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, in_thread, &fn));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(want, result);
	EXPECT_EQ(2, cleaned);
	if (GOES_BACK)
		EXPECT_EQ(0, ta_report().objects);
	EXPECT_EQ(ta_report().objects, secmalloc_verify());
}

TEST_F(leave, pthread_exit_wipes_the_stack)
{
	KSFT_SANITIZER_SKIP("threads end otherwise");
	end_by(exit_thread, &spots);
}

TEST_F(leave, pthread_exit_wipes_nested_stacks)
{
	KSFT_SANITIZER_SKIP("threads end otherwise");
	end_by(nested, &spots);
}

TEST_F(leave, cancellation_wipes_the_stack)
{
	KSFT_SANITIZER_SKIP("threads end otherwise");
	end_by(wait_to_be_cancelled, PTHREAD_CANCELED);
}

/* Jumps: forbidden, as nobody notices.  Nothing gets out all the same. */
static jmp_buf back;

static void jump(void *arg)
{
	memset(arg, 0, 1);
	longjmp(back, 1);
}

TEST_F(leave, after_a_jump_the_stack_stays_until_shutdown)
{
	static char byte;

	KSFT_SANITIZER_SKIP("jumps are watched");
	if (setjmp(back) == 0)
		ASSERT_EQ(-2, secmalloc_call(jump, &byte, 0));
	EXPECT_EQ(1, ta_report().objects);
	EXPECT_EQ(0, secmalloc_call(clean, NULL, 0));
	EXPECT_EQ(1, secmalloc_verify());
	secmalloc_shutdown();
	ASSERT_EQ(0, ta_start(&variant->tier));
	EXPECT_EQ(0, ta_report().objects);
}

/* Unwinding */
#if defined(__GLIBC__) && defined(SECM_ARCH_SWITCH)
struct trace {
	void *want;
	int found, frames;
};

static _Unwind_Reason_Code see(struct _Unwind_Context *context, void *arg)
{
	struct trace *trace = arg;
	void *ip = (void *)(uintptr_t)_Unwind_GetIP(context);

	trace->frames++;
	if (ip && _Unwind_FindEnclosingFunction((char *)ip - 1) == trace->want)
		trace->found = 1;
	return trace->frames < 100 ? _URC_NO_REASON : _URC_END_OF_STACK;
}

static void unwind(void *arg)
{
	(void)_Unwind_Backtrace(see, arg);
}

static SECM_NOINLINE void *start_of_trace(void *arg)
{
	struct trace *trace = arg;

	trace->want = (void *)(uintptr_t)start_of_trace;
	ASSERT_EQ(0, secmalloc_call(unwind, trace, 0));
	return trace;
}

TEST_F(leave, a_backtrace_goes_on_where_the_call_came_from)
{
	struct trace of_main = { 0 }, of_thread = { 0 };
	pthread_t thread;

	(void)start_of_trace(&of_main);
	EXPECT_TRUE(of_main.found)
	{
		TH_LOG("%d frames", of_main.frames);
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, start_of_trace, &of_thread));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(of_thread.found)
	{
		TH_LOG("%d", of_thread.frames);
	}
}

static void throw(void *arg)
{
	static struct _Unwind_Exception exception;

	*(int *)arg = (int)_Unwind_RaiseException(&exception);
}

/* Two answers are not a refusal: "a handler was found" does not come back, and
 * "the end was reached", which means that it looked at the callers. */
TEST_F(leave, an_exception_is_refused_before_anything_is_unwound)
{
	int answer = 0, plain = 0;

	throw(&plain);
	if (plain != _URC_END_OF_STACK)
		SKIP(return, "control: this unwinder's answer is %d", plain);
	ASSERT_EQ(0, secmalloc_call(throw, &answer, 0));
	EXPECT_EQ(_URC_FATAL_PHASE1_ERROR, answer);
}
#endif

/* Children */
struct child {
	pid_t (*make)(void);
	int status;
};

static void make_child(void *arg)
{
	struct child *child = arg;
	pid_t pid = child->make();

	if (pid == 0)
		_exit(42);
	child->status = pid > 0 ? ta_status(pid) : 1000;
}

TEST_F(leave, a_forked_child_of_fn_ends_and_the_parent_goes_on)
{
	struct child child = { fork, 0 };
	pid_t pid = fork();

	KSFT_SANITIZER_SKIP("variables are elsewhere");
	if (pid == 0)
		_exit(42);
	ASSERT_EQ(42, ta_status(pid)); /* on an ordinary stack it lives */
	ASSERT_EQ(0, secmalloc_call(make_child, &child, 0));
	EXPECT_TRUE(child.status == -SIGSEGV || child.status == -SIGBUS ||
		    child.status == -SIGABRT)
	{
		TH_LOG("status %d", child.status);
	}
	EXPECT_EQ(0, ta_report().objects);
}

static void spawn(void *arg)
{
	static char sh[] = "sh", c[] = "-c", line[] = "exit 42";
	char *argv[] = { sh, c, line, NULL };
	pid_t pid;

	ASSERT_EQ(0, posix_spawnp(&pid, sh, NULL, NULL, argv, environ));
	*(int *)arg = ta_status(pid);
}

TEST_F(leave, fn_may_start_other_programs)
{
	int status = 0;

	ASSERT_EQ(0, secmalloc_call(spawn, &status, 0));
	EXPECT_EQ(42, status);
}

/* What fn's caller inherits is not touched by a child of its own. */
static void nothing(void *arg)
{
	++*(int *)arg;
}

TEST_F(leave, children_have_stacks_of_their_own)
{
	int runs = 0;
	pid_t pid;

	ASSERT_EQ(0, secmalloc_call(nothing, &runs, 0));
	pid = fork();
	if (pid == 0)
		_exit(secmalloc_call(nothing, &runs, 0) == 0 ? runs : 9);
	EXPECT_EQ(2, ta_status(pid));
}

TEST_F(leave, a_child_without_fork_handlers_gets_no_stack)
{
	int runs = 0, status;
	pid_t pid = ta_raw_fork();

	if (pid < 0)
		SKIP(return, "no such child here");
	if (pid == 0)
		_exit(secmalloc_call(nothing, &runs, 0) == 0 ? 99 : errno);
	status = ta_status(pid);
	if (status == 99)
		SKIP(return, "nothing tells such a child apart here");
	EXPECT_EQ(EPERM, status);
}
