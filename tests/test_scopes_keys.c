/* SPDX-License-Identifier: MIT */
/*
 * test_scopes_keys.c - access scopes by protection keys: per thread, and what
 * they do not stop
 *
 * Skipped as a whole where there are no keys.
 */
#include "t_api.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "ksft.h"
#include "t_util.h"

enum { SIZE = 3000, PKUERR = 4, THREADS = 4, ROUNDS = 2000 };
enum { NO = SECM_NONE, RO = SECM_READ, RW = SECM_READWRITE };

FIXTURE(key)
{
	secmalloc_heap *heap;
	unsigned char *p;
};

TA_VARIANTS(key);

static const char *no_keys(void)
{
	int key = secm_os_key_new();

	if (key == -ENOTSUP)
		return "no protection keys here";
	return NULL;
}

KSFT_PROGRAM_SKIP_IF(no_keys);

FIXTURE_SETUP(key)
{
	struct secmalloc_report r = { .size = sizeof(r) };

	TA_BEGIN(&variant->tier);
	self->heap = ta_scoped(&variant->tier, 0);
	ASSERT_NOT_NULL(self->heap);
	ASSERT_EQ(0, secmalloc_heap_report(self->heap, &r));
	ASSERT_EQ(SECMALLOC_BY_KEY, r.access);
	EXPECT_EQ(0, r.access_errno);
	self->p = secmalloc_heap_malloc(self->heap, SIZE);
	ASSERT_NOT_NULL(self->p);
}

FIXTURE_TEARDOWN(key)
{
	secmalloc_heap_destroy(self->heap);
}

static void *look(void *arg)
{
	return (void *)(uintptr_t)ta_access(arg);
}

static int seen_by_another(unsigned char *p)
{
	pthread_t thread;
	void *seen;

	EXPECT_EQ(0, pthread_create(&thread, NULL, look, p));
	EXPECT_EQ(0, pthread_join(thread, &seen));
	return (int)(uintptr_t)seen;
}

static pthread_barrier_t gate;

/* Made outside of the scope, and looks while another thread is inside. */
static void *look_at_the_gate(void *arg)
{
	void *seen;

	(void)pthread_barrier_wait(&gate);
	seen = look(arg);
	(void)pthread_barrier_wait(&gate);
	return seen;
}

TEST_F(key, a_scope_is_that_of_one_thread)
{
	pthread_t thread;
	void *seen;

	ASSERT_EQ(0, pthread_barrier_init(&gate, NULL, 2));
	ASSERT_EQ(0, pthread_create(&thread, NULL, look_at_the_gate, self->p));
	ASSERT_EQ(0, secmalloc_heap_begin(self->heap, SECMALLOC_READWRITE));
	(void)pthread_barrier_wait(&gate);
	(void)pthread_barrier_wait(&gate);
	EXPECT_EQ(RW, ta_access(self->p));
	secmalloc_heap_end(self->heap, SECMALLOC_READWRITE);
	ASSERT_EQ(0, pthread_join(thread, &seen));
	EXPECT_EQ(NO, (int)(uintptr_t)seen);
	EXPECT_EQ(NO, seen_by_another(self->p));
}

/* The kernel's default; and what was interrupted goes on as it was. */
static volatile int in_handler;
static unsigned char *handled;

static void handler(int sig)
{
	(void)sig;
	in_handler = (int)ta_access(handled);
}

TEST_F(key, a_signal_handler_starts_without_access)
{
	struct sigaction action = { .sa_handler = handler };

	handled = self->p;
	in_handler = -1;
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, secmalloc_begin(self->p, SECMALLOC_READONLY));
	ASSERT_EQ(0, raise(SIGUSR1));
	EXPECT_EQ(NO, in_handler);
	EXPECT_EQ(RO, ta_access(self->p));
	secmalloc_end(self->p, SECMALLOC_READONLY);
}

struct inherited {
	unsigned char *p;
	int first, then;
};

static void *look_and_call(void *arg)
{
	struct inherited *i = arg;

	i->first = (int)ta_access(i->p);
	(void)secmalloc_owns(i->p);
	i->then = (int)ta_access(i->p);
	return NULL;
}

/* As secmalloc_begin(3) says: the processor's register is passed on. */
TEST_F(key, a_thread_made_inside_loses_access_by_its_first_call)
{
	struct inherited i = { self->p, -1, -1 };
	pthread_t thread;

	ASSERT_EQ(0, secmalloc_heap_begin(self->heap, SECMALLOC_READONLY));
	ASSERT_EQ(0, pthread_create(&thread, NULL, look_and_call, &i));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(NO, i.then);
	secmalloc_heap_end(self->heap, SECMALLOC_READONLY);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	_exit(info->si_code == PKUERR ? 17 : 18);
}

TEST_F(key, a_stray_access_faults_by_the_key)
{
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO };
	pid_t pid;

	KSFT_SANITIZER_SKIP("signals are taken");
	pid = fork();
	ASSERT_GE(pid, 0);
	if (pid == 0) {
		secmalloc_heap *a = ta_scoped(&variant->tier, 0);
		volatile unsigned char *p =
			ta_hide(secmalloc_heap_malloc(a, 40));

		if (sigaction(SIGSEGV, &action, NULL) == 0)
			(void)p[1];
		_exit(19);
	}
	EXPECT_EQ(17, ta_status(pid));
}

/* Each page of the heap: that of its own key for canaries, too. */
TEST_F(key, every_page_has_the_key)
{
	struct secmalloc_report r = { .size = sizeof(r) };
	unsigned long from, to, len = 0;
	size_t with = 0, mapped = 0;
	char line[512];
	FILE *f;
	int i, key;

	for (i = 0; i < 40; i++)
		ASSERT_NOT_NULL(secmalloc_heap_malloc(self->heap,
						      (size_t)i * 1000 + 1));
	ASSERT_EQ(0, secmalloc_heap_report(self->heap, &r));
	for (i = 0; i < SECMALLOC_TIERS; i++)
		mapped += r.tier[i].mapped;
	f = fopen("/proc/self/smaps", "r");
	if (!f)
		SKIP(return, "no /proc/self/smaps");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %*s", &from, &to) == 2)
			len = to - from;
		else if (sscanf(line, "ProtectionKey: %d", &key) == 1 && key)
			with += len;
	}
	(void)fclose(f);
	EXPECT_EQ(mapped, with);
}

/* The kernel acts for whoever asks, and does not ask the key. */
TEST_F(key, proc_self_mem_is_not_stopped)
{
	unsigned char byte = 1;
	int fd = open("/proc/self/mem", O_RDONLY);

	if (fd < 0)
		SKIP(return, "no /proc/self/mem");
	ASSERT_EQ(NO, ta_access(self->p));
	EXPECT_EQ(variant->tier.need & SECMALLOC_HIDDEN ? -1 : 1,
		  pread(fd, &byte, 1, (off_t)(uintptr_t)self->p));
	(void)close(fd);
}

static void *toggle(void *arg)
{
	secmalloc_heap *heap = arg;
	unsigned char *p = secmalloc_heap_malloc(heap, 40);
	int i;

	ASSERT_NOT_NULL(p);
	for (i = 0; i < ROUNDS; i++) {
		EXPECT_EQ(NO, ta_access(p));
		ASSERT_EQ(0, secmalloc_heap_begin(heap, SECMALLOC_READWRITE));
		p[i % 40] = (unsigned char)i;
		if (i % 7 == 0)
			secfree(secmalloc_heap_malloc(heap, 100));
		p[i % 40]++;
		secmalloc_heap_end(heap, SECMALLOC_READWRITE);
	}
	secfree(p);
	return NULL;
}

TEST_F(key, threads_open_and_close_for_themselves)
{
	pthread_t thread[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0,
			  pthread_create(&thread[i], NULL, toggle, self->heap));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	EXPECT_EQ(1, secmalloc_verify());
}
