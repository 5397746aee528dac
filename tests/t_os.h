/* SPDX-License-Identifier: MIT */
/*
 * t_os.h - what the conformance tests of the backend share
 *
 * test_os*.c are written against os.h alone and are the same files for every
 * backend; what a backend can do they learn from struct secm_os_info.  Memory
 * is tried by handing it to read(2) and write(2), which answer EFAULT where a
 * touch would be a signal.  Each test is a process of its own, so nothing here
 * is locked or cleaned up.
 */
#ifndef T_OS_H
#define T_OS_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os.h"

/*
 * The reservation of a test, in pages; tests map the range "at":
 *
 *	| BEFORE reserved | PAGES at ... | AFTER reserved |
 */
enum { T_BEFORE = 4, T_PAGES = 4, T_AFTER = 8 };
enum { T_ALL = T_BEFORE + T_PAGES + T_AFTER };

/* One more answer of t_access(): its pages differ, or can only be written. */
#define T_MIXED ((enum secm_access)9)

struct t_os {
	struct secm_os_info info;
	int pipe[2];
	char *base;	/* T_ALL pages of reserved space */
	char *at;	/* T_PAGES of them */
	size_t len;	/* bytes at at */
	unsigned need;	/* of the tier */
	unsigned want;	/* need and all else that can be had */
	unsigned got;	/* by t_map() */
	int why;	/* by t_map() */
};

static inline enum secm_access t_access_byte(const int fd[2], char *p)
{
	char back;

	if (write(fd[1], p, 1) == 1) {
		if (read(fd[0], p, 1) == 1)
			return SECM_READWRITE;
		return read(fd[0], &back, 1) == 1 ? SECM_READ : T_MIXED;
	}
	if (errno != EFAULT || write(fd[1], "", 1) != 1)
		return T_MIXED;
	if (read(fd[0], p, 1) == 1)
		return T_MIXED;
	return read(fd[0], &back, 1) == 1 ? SECM_NONE : T_MIXED;
}

/* What the kernel lets anybody do with all of the pages. */
static inline enum secm_access t_access(const struct t_os *t, char *at,
					size_t len)
{
	enum secm_access first = t_access_byte(t->pipe, at);
	size_t i;

	for (i = 0; i < len; i += t->info.page)
		if (t_access_byte(t->pipe, at + i) != first ||
		    t_access_byte(t->pipe, at + i + t->info.page - 1) != first)
			return T_MIXED;
	return first;
}

/* 1 if all bytes are the given one. */
static inline int t_holds(const char *at, size_t len, char byte)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (at[i] != byte)
			return 0;
	return 1;
}

/* 1 if nothing around the test's pages can be accessed. */
static inline int t_alone(const struct t_os *t)
{
	size_t page = t->info.page;

	return t_access(t, t->base, T_BEFORE * page) == SECM_NONE &&
	       t_access(t, t->at + t->len, T_AFTER * page) == SECM_NONE;
}

/* Maps the test's pages with the tier's needs; as secm_os_map(). */
static inline int t_map(struct t_os *t)
{
	t->got = 0;
	t->why = 0;
	return secm_os_map(t->at, t->len, t->need, t->want, &t->got, &t->why);
}

/* Mapped and present: from here on touching is safe on every system. */
static inline int t_map_present(struct t_os *t)
{
	int r = t_map(t);

	return r ? r : secm_os_populate(t->at, t->len);
}

/* The core wipes before it unmaps; so do tests. */
static inline int t_unmap(struct t_os *t)
{
	memset(t->at, 0, t->len);
	return secm_os_unmap(t->at, t->len);
}

/* 0, or the negative errno that says why this tier is not to be had. */
static inline int t_setup(struct t_os *t, unsigned hide, unsigned need)
{
	int r;

	memset(t, 0, sizeof(*t));
	secm_os_mask(hide);
	secm_os_init(&t->info);
	t->need = need;
	t->want = need | t->info.props;
	t->len = T_PAGES * t->info.page;
	if (pipe(t->pipe) != 0)
		return -errno;
	t->base = secm_os_reserve(T_ALL * t->info.page);
	if (!t->base)
		return -ENOMEM;
	t->at = t->base + T_BEFORE * t->info.page;
	if (need & ~t->info.props)
		return t->info.hidden_errno ? -t->info.hidden_errno : -ENOTSUP;
	r = t_map_present(t);
	return r ? r : t_unmap(t);
}

/* How many descriptors are open. */
static inline int t_descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	return n;
}

/* From now on none can be opened; those that are open stay open. */
static inline int t_no_more_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return -1;
	limit.rlim_cur = 0;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

/* As many as may be: the process ends in peace. */
static inline int t_descriptors_again(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return -1;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * A fixture and its tiers, each in a line of its own.  A backend need not have
 * the first; without quota there is no second either, which is what a machine
 * may be like, so both may be skipped.
 */
#define T_OS_FIXTURE(name)                                               \
	FIXTURE(name)                                                    \
	{                                                                \
		struct t_os t;                                           \
	};                                                               \
	FIXTURE_VARIANT(name)                                            \
	{                                                                \
		unsigned hide, need;                                     \
	};                                                               \
	FIXTURE_SETUP(name)                                              \
	{                                                                \
		int r = t_setup(&self->t, variant->hide, variant->need); \
                                                                         \
		if (r && variant->need)                                  \
			SKIP(return, "tier not to be had: %s",           \
			     strerror(-r));                              \
		ASSERT_EQ(0, r);                                         \
	}                                                                \
	FIXTURE_TEARDOWN(name)                                           \
	{                                                                \
	}

#define T_OS_SECRET(name) FIXTURE_VARIANT_ADD(name, secret) { 0, SECM_HIDDEN }
#define T_OS_LOCKED(name) \
	FIXTURE_VARIANT_ADD(name, locked) { SECM_HIDDEN, SECM_LOCKED }
#define T_OS_PLAIN(name) \
	FIXTURE_VARIANT_ADD(name, plain) { SECM_HIDDEN | SECM_LOCKED, 0 }

#endif /* T_OS_H */
