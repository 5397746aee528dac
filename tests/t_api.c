/* SPDX-License-Identifier: MIT */
/*
 * t_api.c - what the tests of the public interface share
 *
 * Linked with every test program.  No lock: see t_api.h.
 */
#include "t_api.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#ifdef __linux__
#include <signal.h>
#include <sys/syscall.h>
#endif

#include "ksft.h"
#include "t_util.h"

enum {
	NOBODY = 65534,
	ROOM = 8 << 20, /* bytes that tests may lock */
	TRIED_MOST = 1 << 28 /* bytes that are locked to see if they can be */
};

int ta_start(const struct ta_tier *tier)
{
	struct secmalloc_config config = { .size = sizeof(config) };

	secm_os_mask(tier->hide);
	config.need = tier->need;
	config.flags = tier->flags;
	config.hibernation = SECMALLOC_HIBERNATION_GIVE_UP;
	return secmalloc_init(&config) == 0 ? 0 : errno;
}

static size_t lock_limit(void)
{
	size_t soft, hard;

	secm_os_lock_limit(&soft, &hard);
	return hard;
}

const char *ta_begin(const struct ta_tier *tier)
{
	static char why[80];
	int error;

	if (!tier->flags && lock_limit() < ROOM && ta_lock_limit_binds())
		return "lock limit is below 8 MiB";
	error = ta_start(tier);
	if (error == 0)
		return NULL;
	(void)snprintf(why, sizeof(why), "tier not to be had: %s",
		       strerror(error));
	return why;
}

static secmalloc_heap *create(const struct ta_tier *tier, unsigned child,
			      unsigned access)
{
	struct secmalloc_config c = { .need = tier->need,
				      .flags = tier->flags,
				      .child = child,
				      .access = access };
	secmalloc_heap *heap = secmalloc_heap_create(&c);

	EXPECT_NOT_NULL(heap);
	return heap;
}

secmalloc_heap *ta_heap(const struct ta_tier *tier, unsigned child)
{
	return create(tier, child, SECMALLOC_ACCESS_ALWAYS);
}

secmalloc_heap *ta_scoped(const struct ta_tier *tier, unsigned child)
{
	return create(tier, child, SECMALLOC_ACCESS_SCOPES);
}

struct secmalloc_report ta_report(void)
{
	struct secmalloc_report r = { .size = sizeof(r) };

	if (secmalloc_report(&r) != 0)
		memset(&r, 0, sizeof(r));
	return r;
}

int ta_only_tier(void)
{
	struct secmalloc_report r = ta_report();
	int i, found = -1;

	for (i = 0; i < SECMALLOC_TIERS; i++) {
		if (!r.tier[i].mapped)
			continue;
		if (found >= 0)
			return -1;
		found = i;
	}
	return found;
}

void *ta_hide(void *p)
{
	void *volatile hidden = p;

	return hidden;
}

int ta_holds(const void *p, size_t size, int byte)
{
	return t_holds(p, size, byte);
}

size_t ta_page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Its bytes travel through a pipe: the kernel says EFAULT, nothing faults.  The
 * pipe is of this call alone, as other threads and children look, too. */
enum secm_access ta_access(const void *p)
{
	enum secm_access can = SECM_NONE;
	int fd[2];

	if (pipe(fd) != 0)
		abort();
	if (write(fd[1], p, 1) == 1)
		can = read(fd[0], (void *)(uintptr_t)p, 1) == 1 ? SECM_READWRITE
								: SECM_READ;
	(void)close(fd[0]); /* a scratch pipe */
	(void)close(fd[1]);
	return can;
}

static unsigned flag_props(const char *line)
{
	unsigned props = 0;

	props |= strstr(line, " lo") ? SECM_LOCKED : 0;
	props |= strstr(line, " dd") ? SECM_NODUMP : 0;
	props |= strstr(line, " wf") ? SECM_FORK_ZERO : 0;
	props |= strstr(line, " dc") ? SECM_FORK_GONE : 0;
	return props;
}

int ta_vmas_of(pid_t pid, void (*see)(void *arg, const struct ta_vma *vma),
	       void *arg)
{
	struct ta_vma v = { 0, 0, 0, 0, 0 };
	unsigned long start, end;
	char line[512], perms[8];
	unsigned props;
	int n = 0;
	FILE *f;

	(void)snprintf(line, sizeof(line), "/proc/%ld/smaps", (long)pid);
	f = fopen(line, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, perms) == 3) {
			v.start = start;
			v.end = end;
			v.readable = perms[0] == 'r';
			v.writable = perms[1] == 'w';
			v.props = strstr(line, "/secretmem") ? SECM_HIDDEN : 0;
		} else if (strncmp(line, "VmFlags:", 8) == 0) {
			props = v.props;
			v.props |= flag_props(line + 8);
			/* From 7.2 on the flag is not there, the lock is. */
			if (props & SECM_HIDDEN)
				v.props |= SECM_LOCKED;
			n++;
			if (see)
				see(arg, &v);
		}
	}
	fclose(f);
	return n > 0 ? n : -1;
}

int ta_vmas(void (*see)(void *arg, const struct ta_vma *vma), void *arg)
{
	return ta_vmas_of(getpid(), see, arg);
}

struct range {
	uintptr_t at, end;
	unsigned props;
};

static void narrow(void *arg, const struct ta_vma *vma)
{
	struct range *r = arg;

	if (r->at < vma->start || r->at >= vma->end || r->at >= r->end)
		return;
	r->props &= vma->props;
	r->at = vma->end;
}

int ta_has_props(const void *p, size_t size, unsigned props)
{
	struct range r = { (uintptr_t)p, (uintptr_t)p + size, SECM_PROPS };

	if (ta_vmas(narrow, &r) < 0)
		return -1;
	return r.at >= r.end && (r.props & props) == props;
}

int ta_descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	return n;
}

int ta_status(pid_t pid)
{
	int status;

	if (pid < 0)
		return -1000;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1001;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

#if defined(__linux__) && defined(SYS_clone)
/* No flags, so the order of the other arguments does not matter. */
pid_t ta_raw_fork(void)
{
	return (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
}
#else
pid_t ta_raw_fork(void)
{
	errno = ENOSYS;
	return -1;
}
#endif

int ta_limit(int resource, size_t soft, size_t hard)
{
	struct rlimit r;

	r.rlim_cur = soft == SIZE_MAX ? RLIM_INFINITY : (rlim_t)soft;
	r.rlim_max = hard == SIZE_MAX ? RLIM_INFINITY : (rlim_t)hard;
	return setrlimit(resource, &r);
}

int ta_drop_privileges(void)
{
	if (geteuid() != 0)
		return 0;
	return setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY) ? -1 : 0;
}

int ta_unlock(void *p, size_t size)
{
	return munlock(p, size);
}

#ifdef RLIMIT_MEMLOCK
int ta_lock_limit_binds(void)
{
	size_t page = ta_page(), size;
	struct rlimit r;
	int binds;
	void *p;

	if (getrlimit(RLIMIT_MEMLOCK, &r) != 0 || r.rlim_cur > TRIED_MOST)
		return 0;
	size = ((size_t)r.rlim_cur / page + 1) * page;
	p = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return 1;
	binds = mlock(p, size) != 0;
	(void)munmap(p, size);
	return binds;
}
#else
int ta_lock_limit_binds(void)
{
	return 0;
}
#endif
