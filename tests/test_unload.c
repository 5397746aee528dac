/* SPDX-License-Identifier: MIT */
/*
 * test_unload.c - the shared library, opened and closed while the program runs
 *
 * A plugin may bring it and be gone before the threads end that used it, but
 * each of these calls the library at its end, and so does the process when it
 * forks.  So the library stays when it is closed, with all that it knows.
 *
 * Nothing of the library is linked with this program, which takes the one that
 * libtool says was built here.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ksft.h"
#include "secmalloc.h"

enum { THREADS = 4, OBJECTS = 50, WARM = 20, ROUNDS = 3 * WARM };

/* The library as the program sees it; valid between load() and unload(). */
static struct {
	void *handle;
	void *(*alloc)(size_t size);
	void *(*guarded)(size_t size);
	void (*free)(void *p);
	int (*owns)(const void *p);
	int (*init)(const struct secmalloc_config *config);
	size_t (*verify)(void);
	void (*shutdown)(void);
} lib;

static char path[512];

/* The value of dlname in the file that libtool left, as a path. */
static const char *find(void)
{
	FILE *f = fopen("libsecmalloc.la", "r");
	char line[256], name[128] = "";

	if (!f)
		return "not run in the folder of a build";
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "dlname='%127[^']'", name) == 1)
			break;
	(void)fclose(f); /* only read from */
	if (!name[0])
		return "no shared library was built";
	(void)snprintf(path, sizeof(path), "./%s%s", LT_OBJDIR, name);
	return NULL;
}

KSFT_PROGRAM_SKIP_IF(find);

/* POSIX has functions come as void *, which C99 has no cast for. */
static void look_up(const char *name, void *function)
{
	void *found = dlsym(lib.handle, name);

	ASSERT_NOT_NULL(found) { TH_LOG("%s: %s", name, dlerror()); }
	memcpy(function, &found, sizeof(found));
}

static void load(void)
{
	(void)find();
	lib.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ASSERT_NOT_NULL(lib.handle) { TH_LOG("%s", dlerror()); }
	look_up("secmalloc", &lib.alloc);
	look_up("secmalloc_guarded", &lib.guarded);
	look_up("secfree", &lib.free);
	look_up("secmalloc_owns", &lib.owns);
	look_up("secmalloc_init", &lib.init);
	look_up("secmalloc_verify", &lib.verify);
	look_up("secmalloc_shutdown", &lib.shutdown);
}

static void unload(void)
{
	void *handle = lib.handle;

	memset(&lib, 0, sizeof(lib));
	ASSERT_EQ(0, dlclose(handle)) { TH_LOG("%s", dlerror()); }
}

static void begin(void)
{
	struct secmalloc_config config = { .flags = SECMALLOC_BEST_EFFORT };

	load();
	ASSERT_EQ(0, lib.init(&config));
}

static void make(char *p[OBJECTS])
{
	size_t i;

	for (i = 0; i < OBJECTS; i++) {
		p[i] = i % 10 ? lib.alloc(i * i * 7) : lib.guarded(i);
		ASSERT_NOT_NULL(p[i]);
		memset(p[i], 'x', i);
	}
}

static void unmake(char *p[OBJECTS])
{
	size_t i;

	for (i = 0; i < OBJECTS; i++)
		lib.free(p[(i * 7) % OBJECTS]);
}

/* Leaves emptied objects of many sizes in the caller's cache. */
static void use(void)
{
	char *p[OBJECTS];

	make(p);
	unmake(p);
}

/* Threads that have used the library, and end when they are told to. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int used, may_end; /* under the mutex */

static void *user(void *arg)
{
	use();
	(void)pthread_mutex_lock(&mutex);
	used++;
	(void)pthread_cond_broadcast(&changed);
	while (!may_end)
		(void)pthread_cond_wait(&changed, &mutex);
	(void)pthread_mutex_unlock(&mutex);
	return arg;
}

static void start(pthread_t thread[THREADS])
{
	int i;

	used = may_end = 0;
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, user, NULL));
	(void)pthread_mutex_lock(&mutex);
	while (used < THREADS)
		(void)pthread_cond_wait(&changed, &mutex);
	(void)pthread_mutex_unlock(&mutex);
}

static void end(pthread_t thread[THREADS])
{
	int i;

	(void)pthread_mutex_lock(&mutex);
	may_end = 1;
	(void)pthread_cond_broadcast(&changed);
	(void)pthread_mutex_unlock(&mutex);
	for (i = 0; i < THREADS; i++)
		EXPECT_EQ(0, pthread_join(thread[i], NULL));
}

/* A round as plugins make it. */
static void come_and_go(void)
{
	pthread_t thread[THREADS];

	load();
	use();
	start(thread);
	EXPECT_EQ(0, lib.verify());
	unload();
	end(thread);
}

TEST(threads_may_end_after_the_library_was_closed)
{
	pthread_t thread[THREADS];

	begin();
	start(thread);
	use();
	unload();
	end(thread);
}

TEST(a_process_may_fork_after_the_library_was_closed)
{
	pid_t pid;
	int status = -1;

	begin();
	use();
	unload();
	pid = fork();
	if (pid == 0)
		_exit(23);
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(23, WEXITSTATUS(status));
}

/* The first thread's end is the library's business, too. */
static void *last(void *first)
{
	if (pthread_join(*(pthread_t *)first, NULL) != 0)
		_exit(1);
	_exit(24);
}

TEST(the_first_thread_may_end_after_the_library_was_closed)
{
	static pthread_t first;
	pthread_t thread;
	int status = -1;
	pid_t pid;

	begin();
	pid = fork();
	if (pid == 0) {
		first = pthread_self();
		use();
		unload();
		if (pthread_create(&thread, NULL, last, &first) != 0)
			_exit(2);
		pthread_exit(NULL);
	}
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(24, WEXITSTATUS(status));
}

TEST(objects_are_known_to_who_opens_it_again)
{
	char *p;
	int i;

	begin();
	p = lib.alloc(100);
	ASSERT_NOT_NULL(p);
	memcpy(p, "secret", 7);
	for (i = 0; i < 3; i++) {
		unload();
		EXPECT_STREQ("secret", p);
		load();
		EXPECT_TRUE(lib.owns(p));
		EXPECT_EQ(1, lib.verify());
	}
	lib.free(p);
	EXPECT_FALSE(lib.owns(p));
	EXPECT_EQ(0, lib.verify());
	unload();
}

/* Mappings, or -1 where the system does not tell. */
static int mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	int c, n = 0;

	if (!f)
		return -1;
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	(void)fclose(f); /* only read from */
	return n;
}

static int descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* As much at once as there can be when no thread waits for another. */
static void use_most(void)
{
	static char *p[THREADS + 1][OBJECTS];
	int i;

	for (i = 0; i <= THREADS; i++)
		make(p[i]);
	for (i = 0; i <= THREADS; i++)
		unmake(p[i]);
}

/* A little moves by chance; what a round leaves would be 2 * WARM times more. */
static void opened_and_closed(void (*round)(void))
{
	int i, fds = 0, maps = 0, now;

	begin();
	use_most();
	unload();
	for (i = 0; i < ROUNDS; i++) {
		round();
		now = mappings();
		if (i < WARM && now > maps)
			maps = now;
		if (i == 0)
			fds = descriptors();
	}
	EXPECT_EQ(fds, descriptors());
	EXPECT_LT(mappings(), maps + 2 * WARM);
}

TEST(opening_and_closing_again_leaves_nothing)
{
	opened_and_closed(come_and_go);
}

static void come_and_stop(void)
{
	struct secmalloc_config config = { .flags = SECMALLOC_BEST_EFFORT };

	come_and_go();
	load();
	lib.shutdown();
	ASSERT_EQ(0, lib.init(&config));
	unload();
}

TEST(nor_does_shutting_down_each_time)
{
	opened_and_closed(come_and_stop);
}
