/* SPDX-License-Identifier: MIT */
/*
 * facts.c - what this machine can do for secrets, and what would help
 *
 * Callers: secmalloc_fact(), through os.h.  No state, no lock: each fact is
 * asked for anew.
 */
#include "linux.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "secmalloc.h"
#include "uapi.h"

static void say(struct secmalloc_fact *fact, int status, const char *advice,
		const char *format, ...)
	__attribute__((__format__(__printf__, 4, 5)));

static void say(struct secmalloc_fact *fact, int status, const char *advice,
		const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(fact->value, sizeof(fact->value), format, args);
	va_end(args);
	fact->status = status;
	fact->advice = advice;
}

static void fact_kernel(struct secmalloc_fact *fact)
{
	struct utsname u;

	fact->name = "kernel";
	if (uname(&u) != 0)
		say(fact, SECMALLOC_FACT_DEGRADED, NULL, "unknown");
	else
		say(fact, SECMALLOC_FACT_GOOD, NULL, "%.20s %.30s %.20s",
		    u.sysname, u.release, u.machine);
}

static void fact_memfd_secret(struct secmalloc_fact *fact)
{
	int error = secm_secretmem_errno();

	fact->name = "memfd_secret";
	if (error == 0)
		say(fact, SECMALLOC_FACT_GOOD, NULL, "available");
	else if (error == ENOSYS)
		say(fact, SECMALLOC_FACT_MISSING,
		    "needs Linux 5.14 with CONFIG_SECRETMEM; before 6.5 boot "
		    "with secretmem.enable=1; some container profiles also "
		    "answer so",
		    "not there (ENOSYS)");
	else if (error == EPERM || error == EACCES)
		say(fact, SECMALLOC_FACT_MISSING,
		    "allow memfd_secret in the seccomp filter; in a systemd "
		    "unit: SystemCallFilter=memfd_secret",
		    "forbidden (EPERM)");
	else
		say(fact, SECMALLOC_FACT_DEGRADED, "free some descriptors",
		    "not now (%s)", strerror(error));
}

static void fact_seccomp(struct secmalloc_fact *fact)
{
	int mode = prctl(PR_GET_SECCOMP, 0L, 0L, 0L, 0L);

	fact->name = "seccomp";
	if (mode == 2)
		say(fact, SECMALLOC_FACT_GOOD, NULL,
		    "a filter is active; memfd_secret was tried in a child");
	else
		say(fact, SECMALLOC_FACT_GOOD, NULL, "no filter");
}

static const char *limit_text(size_t limit, char *buf, size_t size)
{
	if (limit == SIZE_MAX)
		return "unlimited";
	(void)snprintf(buf, size, "%zu KiB", limit / 1024);
	return buf;
}

/* Bit 14 of the effective set in /proc/self/status. */
static int may_lock_any(void)
{
	static const char key[] = "\nCapEff:";
	enum { CAP_IPC_LOCK_BIT = 14, FROM_RIGHT = CAP_IPC_LOCK_BIT / 4 };
	char buf[4096], *hex, *end;

	if (secm_linux_read_file("/proc/self/status", buf, sizeof(buf)) <= 0)
		return 0;
	hex = strstr(buf, key);
	if (!hex)
		return 0;
	end = strchr(hex + 1, '\n');
	if (!end || end - hex < (long)sizeof(key) + FROM_RIGHT)
		return 0;
	return strchr("4567cdef", end[-1 - FROM_RIGHT]) != NULL;
}

static void fact_lock_limit(struct secmalloc_fact *fact)
{
	enum { COMFORT = 8 << 20, TIGHT = 64 << 10 };
	char a[32], b[32];
	size_t soft, hard;

	secm_os_lock_limit(&soft, &hard);
	fact->name = "lock_limit";
	if (may_lock_any()) {
		say(fact, SECMALLOC_FACT_GOOD, NULL,
		    "%s soft, %s hard; CAP_IPC_LOCK lifts it",
		    limit_text(soft, a, sizeof(a)),
		    limit_text(hard, b, sizeof(b)));
		return;
	}
	say(fact,
	    hard >= COMFORT	? SECMALLOC_FACT_GOOD
	    : hard >= TIGHT / 2 ? SECMALLOC_FACT_DEGRADED
				: SECMALLOC_FACT_MISSING,
	    hard >= COMFORT ? NULL
			    : "raise RLIMIT_MEMLOCK: memlock in "
			      "/etc/security/limits.d, or LimitMEMLOCK=64M in "
			      "the systemd unit",
	    "%s soft, %s hard", limit_text(soft, a, sizeof(a)),
	    limit_text(hard, b, sizeof(b)));
}

static void fact_accounting(struct secmalloc_fact *fact)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int lazy = 0;

	fact->name = "accounting";
	if (secm_secretmem_probe(page, &lazy) != 0)
		say(fact, SECMALLOC_FACT_GOOD, NULL,
		    "locked memory per process");
	else if (lazy)
		say(fact, SECMALLOC_FACT_GOOD, NULL,
		    "secret pages per user, at first touch");
	else
		say(fact, SECMALLOC_FACT_GOOD, NULL,
		    "secret pages per process, when mapped");
}

static void fact_madvise(struct secmalloc_fact *fact)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct secm_linux_anon found;

	fact->name = "madvise";
	secm_linux_try_anon(page, &found);
	if (found.lies) {
		say(fact, SECMALLOC_FACT_MISSING,
		    "this looks like an emulator: run on a real kernel",
		    "accepts nonsense: dump and fork protection unverified");
		return;
	}
	say(fact,
	    !(found.props & SECM_NODUMP)   ? SECMALLOC_FACT_MISSING
	    : found.props & SECM_FORK_ZERO ? SECMALLOC_FACT_GOOD
					   : SECMALLOC_FACT_DEGRADED,
	    found.props & SECM_FORK_ZERO ? NULL : "needs Linux 4.14",
	    "dontdump %s, wipeonfork %s",
	    found.props & SECM_NODUMP ? "yes" : "no",
	    found.props & SECM_FORK_ZERO ? "yes" : "no");
}

static void fact_mseal(struct secmalloc_fact *fact)
{
	int error = secm_seal_errno();

	fact->name = "mseal";
	if (error == 0)
		say(fact, SECMALLOC_FACT_GOOD, NULL,
		    "available: what describes objects is sealed");
	else if (error == EPERM || error == EACCES)
		say(fact, SECMALLOC_FACT_DEGRADED,
		    "allow mseal in the seccomp filter", "forbidden (%s)",
		    strerror(error));
	else
		say(fact, SECMALLOC_FACT_DEGRADED,
		    "needs Linux 6.10 on a 64-bit processor; some container "
		    "profiles also answer so",
		    "not there (%s)", strerror(error));
}

static void fact_hibernation(struct secmalloc_fact *fact)
{
	fact->name = "hibernation";
	if (secm_os_hibernation() > 0)
		say(fact, SECMALLOC_FACT_DEGRADED,
		    "memfd_secret is left alone so that the machine can "
		    "hibernate; SECMALLOC_HIBERNATION_GIVE_UP uses it anyway, "
		    "noresume removes the device",
		    "a resume device is set up");
	else
		say(fact, SECMALLOC_FACT_GOOD, NULL, "not set up");
}

static void fact_swap(struct secmalloc_fact *fact)
{
	char buf[512], *first;

	fact->name = "swap";
	if (secm_linux_read_file("/proc/swaps", buf, sizeof(buf)) <= 0) {
		say(fact, SECMALLOC_FACT_GOOD, NULL, "unknown");
		return;
	}
	first = strchr(buf, '\n');
	say(fact, SECMALLOC_FACT_GOOD, NULL,
	    first && first[1] ? "in use; locked pages stay out of it" : "none");
}

static void fact_core(struct secmalloc_fact *fact)
{
	fact->name = "core_dumps";
	if (secm_linux_core_is_off())
		say(fact, SECMALLOC_FACT_GOOD, NULL, "off for good");
	else
		say(fact, SECMALLOC_FACT_GOOD, NULL,
		    "possible; secret memory is left out of them");
}

static void fact_write_exec(struct secmalloc_fact *fact)
{
	int held = prctl(PR_GET_MDWE, 0L, 0L, 0L, 0L);

	fact->name = "write_exec";
	if (held < 0)
		say(fact, SECMALLOC_FACT_DEGRADED, "needs Linux 6.3",
		    "written pages can be executed; no call ends that");
	else if (held & PR_MDWE_REFUSE_EXEC_GAIN)
		say(fact, SECMALLOC_FACT_GOOD, NULL,
		    "pages that were written never become executable");
	else
		say(fact, SECMALLOC_FACT_GOOD, NULL,
		    "written pages can be executed; secmalloc_harden() ends "
		    "that");
}

static void fact_tracers(struct secmalloc_fact *fact)
{
	static const char *const who[] = { "its user's processes and root's",
					   "its ancestors and root's processes",
					   "root's processes", "nobody" };
	int yama = secm_linux_yama();

	fact->name = "tracers";
	if (secm_linux_traced() > 0)
		say(fact, SECMALLOC_FACT_DEGRADED,
		    "keep secrets out of a process that is traced",
		    "a process traces this one");
	else if (yama < 0 || yama > 3)
		say(fact, SECMALLOC_FACT_GOOD, NULL, "%s may trace; no Yama",
		    who[0]);
	else
		say(fact, SECMALLOC_FACT_GOOD, NULL,
		    "%s may trace; Yama's ptrace_scope is %d", who[yama], yama);
}

static void fact_guards(struct secmalloc_fact *fact)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct secm_linux_anon found;
	int light = 0;

	fact->name = "guards";
	secm_linux_try_anon(page, &found);
	if (p != MAP_FAILED) {
		light = !found.lies &&
			madvise(p, page, MADV_GUARD_INSTALL) == 0;
		(void)munmap(p, page); /* a scratch page of our own */
	}
	say(fact, SECMALLOC_FACT_GOOD, NULL,
	    "inaccessible address space; MADV_GUARD_INSTALL %s",
	    light ? "available" : "not available");
}

static void fact_mappings(struct secmalloc_fact *fact)
{
	char buf[32];

	fact->name = "max_map_count";
	if (secm_linux_read_file("/proc/sys/vm/max_map_count", buf,
				 sizeof(buf)) <= 0)
		say(fact, SECMALLOC_FACT_GOOD, NULL, "unknown");
	else
		say(fact, SECMALLOC_FACT_GOOD, NULL, "%.*s",
		    (int)strcspn(buf, "\n"), buf);
}

static void fact_pkeys(struct secmalloc_fact *fact)
{
	char buf[16384], *flags;

	fact->name = "protection_keys";
	if (secm_linux_read_file("/proc/cpuinfo", buf, sizeof(buf)) > 0 &&
	    (flags = strstr(buf, "flags")) != NULL && strstr(flags, " ospke"))
		say(fact, SECMALLOC_FACT_GOOD, NULL, "this CPU has them");
	else
		say(fact, SECMALLOC_FACT_DEGRADED, NULL, "this CPU has none");
}

int secm_os_fact(unsigned n, struct secmalloc_fact *fact)
{
	static void (*const facts[])(struct secmalloc_fact *) = {
		fact_kernel,	 fact_memfd_secret, fact_seccomp,
		fact_lock_limit, fact_accounting,   fact_madvise,
		fact_guards,	 fact_mseal,	    fact_hibernation,
		fact_swap,	 fact_core,	    fact_write_exec,
		fact_tracers,	 fact_mappings,	    fact_pkeys,
	};

	if (n >= sizeof(facts) / sizeof(facts[0]))
		return 0;
	facts[n](fact);
	return 1;
}
