/* SPDX-License-Identifier: MIT */
/*
 * test_harden.c - secmalloc_harden(): what is obtained stops the attack
 *
 * Each attack runs before it is to be stopped, too, and must succeed then.
 * Where a bit is not obtained nothing may have changed.  Victims that are
 * traced are children: their parent is the tracer, which Yama lets it be.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksft.h"
#include "secmalloc.h"
#include "t_util.h"

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#endif

#if !defined(MAP_ANONYMOUS) && defined(MAP_ANON)
#define MAP_ANONYMOUS MAP_ANON
#endif

static void *map(int prot)
{
	return mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), prot,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int set(void *p, int prot)
{
	return mprotect(p, (size_t)sysconf(_SC_PAGESIZE), prot);
}

/* Of all limits the kernel takes 1 alone to mean that no program gets a dump
 * either, where core_pattern names one. */
TEST(no_core_is_obtained_where_no_program_gets_a_dump)
{
	struct secmalloc_report r = { .size = sizeof(r) };
	struct rlimit limit;
	char to = 0;
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);

	(void)!secmalloc_report(&r);
	if (fd < 0 || strcmp(r.backend, "linux") != 0)
		SKIP(return, "where dumps go is not known here");
	ASSERT_EQ(1, read(fd, &to, 1));
	ASSERT_EQ(0, getrlimit(RLIMIT_CORE, &limit));
	if (limit.rlim_max == 0 || to == '@')
		SKIP(return, "0 is all that can be had, or a socket");
	ASSERT_EQ(0, secmalloc_harden(SECMALLOC_HARDEN_NO_CORE, NULL));
	ASSERT_EQ(0, getrlimit(RLIMIT_CORE, &limit));
	EXPECT_EQ(1, limit.rlim_cur);
	EXPECT_EQ(1, limit.rlim_max);
}

#ifdef __linux__
/* What a hard limit of 0 leaves, without the right to raise it. */
TEST(no_core_is_not_promised_for_a_limit_that_programs_pass)
{
	struct rlimit none = { 0, 0 };
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);
	struct secmalloc_report r = { .size = sizeof(r) };
	unsigned got = 77;
	char to = 0;

	(void)!secmalloc_report(&r);
	if (fd < 0 || strcmp(r.backend, "linux") != 0)
		SKIP(return, "where dumps go is not known here");
	ASSERT_EQ(1, read(fd, &to, 1));
	ASSERT_EQ(0, setrlimit(RLIMIT_CORE, &none));
	if (geteuid() == 0)
		ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	EXPECT_EQ(to == '|' || to == '@' ? -1 : 0,
		  secmalloc_harden(SECMALLOC_HARDEN_NO_CORE, &got));
	EXPECT_EQ(to == '|' || to == '@' ? 0 : SECMALLOC_HARDEN_NO_CORE, got);
}
#endif

/* Three ways from writing a page to executing it: a bit for each that works. */
static int ways(void *executable)
{
	void *both = map(PROT_READ | PROT_WRITE | PROT_EXEC);
	void *data = map(PROT_READ | PROT_WRITE);
	int w = 0;

	ASSERT_NE(MAP_FAILED, data);
	w |= both != MAP_FAILED ? 1 : 0;
	w |= set(data, PROT_READ | PROT_EXEC) == 0 ? 2 : 0;
	ASSERT_EQ(0, set(executable, PROT_READ | PROT_WRITE));
	w |= set(executable, PROT_READ | PROT_EXEC) == 0 ? 4 : 0;
	return w;
}

TEST(written_pages_never_become_executable)
{
	unsigned got = 77;
	void *executable = map(PROT_READ | PROT_EXEC);
	int r;

	if (executable == MAP_FAILED || ways(executable) != 7)
		SKIP(return, "not possible on this machine anyway");
	r = secmalloc_harden(SECMALLOC_HARDEN_NO_WRITE_EXEC, &got);
	if (r != 0) {
		EXPECT_EQ(ENOTSUP, errno);
		EXPECT_EQ(0, got);
		EXPECT_EQ(7, ways(executable));
		SKIP(return, "this system has no refusal of executable pages");
	}
	EXPECT_EQ(SECMALLOC_HARDEN_NO_WRITE_EXEC, got);
	EXPECT_EQ(0, ways(map(PROT_READ | PROT_EXEC)));
	T_IN_CHILD(EXPECT_EQ(0, ways(map(PROT_READ | PROT_EXEC))));
	EXPECT_EQ(0, secmalloc_harden(SECMALLOC_HARDEN_NO_WRITE_EXEC, NULL));
}

static void fill(void *arg)
{
	memset(arg, 0x77, 64);
}

/* It uses no such pages itself: not for a stack, nor for its assembly. */
TEST(the_allocator_works_without_executable_pages)
{
	static const struct secmalloc_config config = {
		.flags = SECMALLOC_BEST_EFFORT
	};
	char *p[3];
	int i;

	if (secmalloc_harden(SECMALLOC_HARDEN_NO_WRITE_EXEC, NULL) != 0)
		SKIP(return, "this system has no refusal of executable pages");
	ASSERT_EQ(0, secmalloc_init(&config));
	p[0] = secmalloc(64);
	p[1] = secmalloc_guarded(64);
	p[2] = secmalloc((size_t)1 << 20);
	for (i = 0; i < 3; i++) {
		ASSERT_NOT_NULL(p[i]);
		EXPECT_EQ(0, secmalloc_call(fill, p[i], 0));
		EXPECT_TRUE(t_holds(p[i], 64, 0x77));
		secfree(p[i]);
	}
	EXPECT_EQ(0, secmalloc_verify());
	secmalloc_shutdown();
}

#ifdef __linux__
enum { HIDE = SECMALLOC_HARDEN_NOT_DUMPABLE };
enum { BOTH = SECMALLOC_HARDEN_NOT_DUMPABLE | SECMALLOC_HARDEN_NO_TRACE };

/* A process that does as it is told and says what came of it; the tracer's
 * child.  Both are nobody special. */
struct victim {
	pid_t pid;
	int order[2], answer[2];
};

struct answer {
	int result, error;
	unsigned got;
	pid_t thread; /* one that the victim has besides its first */
};

static pid_t second; /* written before the mutex is unlocked */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *linger(void *arg)
{
	second = (pid_t)syscall(SYS_gettid);
	(void)pthread_mutex_unlock(arg);
	while (pause() != 0)
		; /* until the process ends */
	return NULL;
}

/* Orders are bits to harden with; 0 says hello. */
static void obey(int order, int answer)
{
	struct answer a = { 0, 0, 0, 0 };
	pthread_t thread;
	unsigned want;

	if (pthread_mutex_lock(&mutex) != 0 ||
	    pthread_create(&thread, NULL, linger, &mutex) != 0 ||
	    pthread_mutex_lock(&mutex) != 0)
		_exit(1);
	a.thread = second;
	while (read(order, &want, sizeof(want)) == (ssize_t)sizeof(want)) {
		a.got = 0;
		a.result = want ? secmalloc_harden(want, &a.got) : 0;
		a.error = a.result ? errno : 0;
		if (write(answer, &a, sizeof(a)) != (ssize_t)sizeof(a))
			break;
	}
	_exit(0);
}

/* Giving up root takes this away; the control needs it. */
static int ordinary(void)
{
	return t_drop_privilege() == 0 &&
	       prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L) == 0;
}

FIXTURE(tracer)
{
	struct victim v;
};

FIXTURE_SETUP(tracer)
{
	struct victim *v = &self->v;

	ASSERT_TRUE(ordinary());
	ASSERT_EQ(0, pipe(v->order));
	ASSERT_EQ(0, pipe(v->answer));
	v->pid = fork();
	ASSERT_NE(-1, v->pid);
	if (v->pid == 0) {
		(void)close(v->order[1]); /* so that its end is seen */
		obey(v->order[0], v->answer[1]);
	}
	(void)close(v->answer[1]);
}

FIXTURE_TEARDOWN(tracer)
{
	(void)kill(self->v.pid, SIGKILL);
	(void)waitpid(self->v.pid, NULL, 0);
}

static struct answer tell(const struct victim *v, unsigned want)
{
	struct answer a;

	ASSERT_EQ(sizeof(want), write(v->order[1], &want, sizeof(want)));
	ASSERT_EQ(sizeof(a), read(v->answer[0], &a, sizeof(a)));
	return a;
}

static int seize(pid_t thread)
{
	return ptrace(PTRACE_SEIZE, thread, NULL, NULL) == 0 ? 0 : errno;
}

/* 1 if the registers of the thread can be had, which has to be seized. */
static int registers(pid_t thread)
{
	enum { GENERAL = 1 /* NT_PRSTATUS */ };
	char room[4096];
	struct iovec to = { room, sizeof(room) };
	int had;

	if (ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) != 0 ||
	    waitpid(thread, NULL, __WALL) != thread)
		return 0;
	had = ptrace(PTRACE_GETREGSET, thread, GENERAL, &to) == 0;
	return ptrace(PTRACE_CONT, thread, NULL, NULL) == 0 && had;
}

static int can_be_read(const struct victim *v)
{
	struct iovec ours, theirs = { &second, sizeof(second) };
	pid_t copy;

	ours.iov_base = &copy;
	ours.iov_len = sizeof(copy);
	return process_vm_readv(v->pid, &ours, 1, &theirs, 1, 0) ==
	       (ssize_t)sizeof(copy);
}

#define CONTROL_SEIZE(thread)                                     \
	do {                                                      \
		int error_ = seize(thread);                       \
                                                                  \
		if (error_)                                       \
			SKIP(return, "nobody may trace here: %s", \
				   strerror(error_));             \
	} while (0)

static void let_go(pid_t thread)
{
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, thread, NULL, NULL));
	ASSERT_EQ(thread, waitpid(thread, NULL, __WALL));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, thread, NULL, NULL));
}

TEST_F(tracer, is_refused_afterwards)
{
	struct answer a = tell(&self->v, 0);

	CONTROL_SEIZE(self->v.pid);
	EXPECT_TRUE(can_be_read(&self->v));
	EXPECT_TRUE(registers(self->v.pid));
	let_go(self->v.pid);
	a = tell(&self->v, BOTH);
	if (!(a.got & SECMALLOC_HARDEN_NO_TRACE))
		SKIP(return, "this backend cannot refuse tracers");
	EXPECT_EQ(0, a.result);
	EXPECT_EQ(BOTH, a.got);
	EXPECT_EQ(EPERM, seize(self->v.pid));
	EXPECT_EQ(EPERM, seize(a.thread));
	EXPECT_FALSE(can_be_read(&self->v));
}

static int opens_memory(pid_t pid)
{
	char path[40];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/mem", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)close(fd); /* nothing was done with it */
	return fd >= 0;
}

/* The first bit alone does that. */
TEST_F(tracer, of_the_same_user_is_kept_out_of_memory)
{
	struct answer a = tell(&self->v, 0);

	CONTROL_SEIZE(self->v.pid);
	EXPECT_TRUE(can_be_read(&self->v));
	EXPECT_TRUE(opens_memory(self->v.pid));
	let_go(self->v.pid);
	a = tell(&self->v, HIDE);
	ASSERT_EQ(HIDE, a.got);
	EXPECT_EQ(EPERM, seize(self->v.pid));
	EXPECT_EQ(EPERM, seize(a.thread));
	EXPECT_FALSE(can_be_read(&self->v));
	EXPECT_FALSE(opens_memory(self->v.pid));
}

/* What is obtained for the first bit alone leaves the tracer its registers. */
TEST_F(tracer, that_came_first_is_not_hidden)
{
	struct answer a = tell(&self->v, 0);

	CONTROL_SEIZE(self->v.pid);
	a = tell(&self->v, HIDE);
	ASSERT_EQ(HIDE, a.got);
	EXPECT_FALSE(can_be_read(&self->v));
	EXPECT_TRUE(registers(self->v.pid));
	a = tell(&self->v, BOTH);
	EXPECT_EQ(-1, a.result);
	EXPECT_EQ(ENOTSUP, a.error);
	EXPECT_EQ(HIDE, a.got);
	EXPECT_TRUE(registers(self->v.pid));
}

TEST_F(tracer, of_one_thread_is_not_hidden)
{
	struct answer a = tell(&self->v, 0);

	CONTROL_SEIZE(a.thread);
	a = tell(&self->v, BOTH);
	EXPECT_EQ(HIDE, a.got);
	EXPECT_TRUE(registers(a.thread));
	let_go(a.thread);
	a = tell(&self->v, SECMALLOC_HARDEN_NO_TRACE);
	if (a.result != 0)
		SKIP(return, "this backend cannot refuse tracers");
	EXPECT_EQ(SECMALLOC_HARDEN_NO_TRACE, a.got);
	EXPECT_EQ(EPERM, seize(a.thread));
}

TEST_F(tracer, is_not_refused_by_the_second_bit_alone)
{
	struct answer a = tell(&self->v, SECMALLOC_HARDEN_NO_TRACE);

	EXPECT_EQ(-1, a.result);
	EXPECT_EQ(ENOTSUP, a.error);
	EXPECT_EQ(0, a.got);
	CONTROL_SEIZE(self->v.pid);
	EXPECT_TRUE(can_be_read(&self->v));
}
#endif
