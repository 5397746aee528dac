/* SPDX-License-Identifier: MIT */
/*
 * harden.c - make the whole process a harder target
 *
 * Callers: the core, through os.h, when the program asks.  No state.
 */
#include "linux.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "uapi.h"

enum { FOR_NOBODY = 0, FOR_ROOT = 2 }; /* what PR_GET_DUMPABLE says */

/* Where dumps go: '|' to a program, '@' to a socket, else to files. */
static int pattern(void)
{
	char buf[256];

	return secm_linux_read_file("/proc/sys/kernel/core_pattern", buf,
				    sizeof(buf)) > 0
		       ? buf[0]
		       : '|';
}

/* No file has room for a dump of 1 byte, and it is the one limit at which the
 * kernel starts no program to dump to; 0 counts for files only. */
int secm_linux_core_is_off(void)
{
	struct rlimit r;
	int to;

	if (getrlimit(RLIMIT_CORE, &r) != 0 || r.rlim_max > 1)
		return 0;
	to = pattern();
	return to != '@' && (r.rlim_max == 1 || to != '|');
}

/* Who has a hard limit of 0 may not raise it. */
static int no_core(void)
{
	static const struct rlimit none = { 0, 0 }, least = { 1, 1 };

	if (setrlimit(RLIMIT_CORE, &least) != 0 &&
	    setrlimit(RLIMIT_CORE, &none) != 0)
		return -1;
	return secm_linux_core_is_off() ? 0 : -1;
}

static int not_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
}

static int no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L);
}

/* What holds counts: a second call, or one after another's with more bits, is
 * refused. */
static int no_write_exec(void)
{
	int held;

	(void)prctl(PR_SET_MDWE, (unsigned long)PR_MDWE_REFUSE_EXEC_GAIN, 0L,
		    0L, 0L);
	held = prctl(PR_GET_MDWE, 0L, 0L, 0L, 0L);
	return held > 0 && (held & PR_MDWE_REFUSE_EXEC_GAIN) ? 0 : -1;
}

/* Who is not dumpable can be attached to by privileged processes alone, but
 * keeps the tracer that it has.  Nothing else that a process can do to itself
 * keeps tracers away. */
static int no_trace(void)
{
	int dumpable = prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L);

	if (dumpable != FOR_NOBODY && dumpable != FOR_ROOT)
		return -1;
	return secm_linux_traced() == 0 ? 0 : -1;
}

/* In this order: the last relies on what not_dumpable() did. */
void secm_os_harden(unsigned want, unsigned *got)
{
	static const struct {
		unsigned bit;
		int (*set)(void);
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
		if ((want & steps[i].bit) && steps[i].set() == 0)
			*got |= steps[i].bit;
}
