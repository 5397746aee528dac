/* SPDX-License-Identifier: MIT */
/*
 * harden.c - secmalloc_harden() for the whole process
 *
 * The core limit is POSIX; the rest needs prctl(2), procctl(2) or a ptrace(2)
 * that denies, with the system's names for it, and is not obtained where there
 * are none.  Called by util.c.  Lock: none.
 *
 * Only what prctl(2) does was ever run; the rest has been compiled.
 *
 * What is not counted as SECM_HARDEN_NO_WRITE_EXEC, as pages that were written
 * can be made executable all the same: FreeBSD's PROC_WXMAP_CTL, which is about
 * programs that are executed later, its PROC_PROTMAX_CTL, which leaves the
 * mappings that there are alone, and that OpenBSD has no page writable and
 * executable at once.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#if HAVE_SYS_PRCTL_H && HAVE_DECL_PRCTL
#include <sys/prctl.h>
#endif
#if HAVE_SYS_PROCCTL_H
#include <sys/procctl.h>
#endif
#if HAVE_SYS_PTRACE_H
#include <sys/ptrace.h>
#endif
#ifdef PT_DENY_ATTACH
#include <sys/sysctl.h>
#endif

#include "os.h"

static int no_core(void)
{
	const struct rlimit none = { 0, 0 };

	return setrlimit(RLIMIT_CORE, &none) == 0;
}

/* On FreeBSD one call refuses tracers and core dumps, but not while there is a
 * tracer. */
#ifdef PROC_TRACE_CTL
static int tracing_is_off(void)
{
	int off = PROC_TRACE_CTL_DISABLE, status = 0;

	return procctl(P_PID, getpid(), PROC_TRACE_CTL, &off) == 0 &&
	       procctl(P_PID, getpid(), PROC_TRACE_STATUS, &status) == 0 &&
	       status == -1;
}
#endif

#if defined(PR_SET_DUMPABLE)
static int not_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) == 0;
}
#elif defined(PROC_TRACE_CTL)
static int not_dumpable(void)
{
	return tracing_is_off();
}
#else
static int not_dumpable(void)
{
	return 0;
}
#endif

#if defined(PR_SET_NO_NEW_PRIVS)
static int no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == 0;
}
#elif defined(PROC_NO_NEW_PRIVS_CTL)
static int no_new_privs(void)
{
	int on = PROC_NO_NEW_PRIVS_ENABLE;

	return procctl(P_PID, getpid(), PROC_NO_NEW_PRIVS_CTL, &on) == 0;
}
#else
static int no_new_privs(void)
{
	return 0;
}
#endif

/* Setting it a second time is refused; what holds is asked for. */
#if defined(PR_SET_MDWE) && defined(PR_GET_MDWE)
static int no_write_exec(void)
{
	int held;

	(void)prctl(PR_SET_MDWE, (unsigned long)PR_MDWE_REFUSE_EXEC_GAIN, 0L,
		    0L, 0L);
	held = prctl(PR_GET_MDWE, 0L, 0L, 0L, 0L);
	return held > 0 && (held & (int)PR_MDWE_REFUSE_EXEC_GAIN);
}
#else
static int no_write_exec(void)
{
	return 0;
}
#endif

/* macOS ends a process that denies while it is traced, so that is asked first.
 * It denies to ptrace(2) alone, not to who gets the process's task port. */
#if defined(PROC_TRACE_CTL)
static int no_trace(void)
{
	return tracing_is_off();
}
#elif defined(PT_DENY_ATTACH)
static int no_trace(void)
{
	int name[] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, getpid() };
	struct kinfo_proc info;
	size_t len = sizeof(info);

	if (sysctl(name, sizeof(name) / sizeof(name[0]), &info, &len, NULL,
		   0) != 0 ||
	    len != sizeof(info) || (info.kp_proc.p_flag & P_TRACED))
		return 0;
	return ptrace(PT_DENY_ATTACH, 0, NULL, 0) == 0;
}
#else
static int no_trace(void)
{
	return 0;
}
#endif

void secm_os_harden(unsigned want, unsigned *got)
{
	static const struct {
		unsigned bit;
		int (*obtained)(void);
	} steps[] = {
		{ SECM_HARDEN_NO_CORE, no_core },
		{ SECM_HARDEN_NOT_DUMPABLE, not_dumpable },
		{ SECM_HARDEN_NO_NEW_PRIVS, no_new_privs },
		{ SECM_HARDEN_NO_WRITE_EXEC, no_write_exec },
		{ SECM_HARDEN_NO_TRACE, no_trace },
	};
	size_t i;

	*got = 0;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if ((want & steps[i].bit) && steps[i].obtained())
			*got |= steps[i].bit;
}
