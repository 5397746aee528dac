/* SPDX-License-Identifier: MIT */
/*
 * facts.c - what this machine can do for secrets, one fact at a time
 *
 * Called by util.c for secmalloc_fact().  Lock: none.  Stores nothing: every
 * call asks the system anew.  Names that linux/facts.c has too mean the same.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "fallback.h"
#include "os.h"
#include "secmalloc.h"

/* A program with some thousand keys; the default of today's Linux. */
#define LIMIT_GOOD ((size_t)8 << 20)

static void text(struct secmalloc_fact *fact, const char *value)
{
	(void)snprintf(fact->value, sizeof(fact->value), "%s", value);
}

static void set(struct secmalloc_fact *fact, int status, const char *value,
		const char *advice)
{
	fact->status = status;
	fact->advice = advice;
	text(fact, value);
}

static void backend(struct secmalloc_fact *fact)
{
	set(fact, SECMALLOC_FACT_GOOD, "fallback: POSIX calls only", NULL);
}

static void memfd_secret(struct secmalloc_fact *fact)
{
	set(fact, SECMALLOC_FACT_MISSING, "not in this backend",
	    "on Linux, build with ./configure --with-backend=linux");
}

/* Locks one page and gives it back. */
static void locking(struct secmalloc_fact *fact)
{
	struct secm_posix now;
	void *at;
	int err;

	secm_posix_probe(&now);
	if (now.lock_lies) {
		set(fact, SECMALLOC_FACT_MISSING, "mlock() only pretends",
		    "build without sanitizers");
		return;
	}
	at = secm_posix_space(NULL, now.page, 0, 0);
	if (at == MAP_FAILED) {
		set(fact, SECMALLOC_FACT_MISSING, "no page to try it on", NULL);
		return;
	}
	/* Inaccessible pages cannot be made present, hence not locked. */
	err = mprotect(at, now.page, PROT_READ | PROT_WRITE) == 0
		      ? secm_extra_lock(at, now.page)
		      : -errno;
	(void)munmap(at, now.page); /* ours, whole: cannot fail */
	if (err == 0) {
		set(fact, SECMALLOC_FACT_GOOD, "mlock() works", NULL);
		return;
	}
	set(fact, SECMALLOC_FACT_MISSING, "",
	    "raise the limit of locked memory, or run with the privilege");
	(void)snprintf(fact->value, sizeof(fact->value), "mlock(): %s",
		       strerror(-err));
}

static const char *limit_text(size_t limit, char *buf, size_t len)
{
	if (limit == SIZE_MAX)
		return "none or unknown";
	(void)snprintf(buf, len, "%lu KiB", (unsigned long)(limit / 1024));
	return buf;
}

static void lock_limit(struct secmalloc_fact *fact)
{
	size_t soft, hard;
	char a[32], b[32];

	secm_os_lock_limit(&soft, &hard);
	if (hard >= LIMIT_GOOD)
		set(fact, SECMALLOC_FACT_GOOD, "", NULL);
	else
		set(fact,
		    hard ? SECMALLOC_FACT_DEGRADED : SECMALLOC_FACT_MISSING, "",
		    "raise RLIMIT_MEMLOCK: ulimit -l, or where the system "
		    "sets limits");
	(void)snprintf(fact->value, sizeof(fact->value), "%s soft, %s hard",
		       limit_text(soft, a, sizeof(a)),
		       limit_text(hard, b, sizeof(b)));
}

static void nodump(struct secmalloc_fact *fact)
{
	struct secm_posix now;

	secm_posix_probe(&now);
	if (now.props & SECM_NODUMP)
		set(fact, SECMALLOC_FACT_GOOD, secm_extra_nodump_name(), NULL);
	else
		set(fact, SECMALLOC_FACT_MISSING,
		    secm_extra_nodump_name() ? "refused by the system"
					     : "no call for it",
		    "allow no core dumps: ulimit -c 0, or secmalloc_harden()");
}

static void fork_zero(struct secmalloc_fact *fact)
{
	struct secm_posix now;

	secm_posix_probe(&now);
	if (now.props & SECM_FORK_ZERO)
		set(fact, SECMALLOC_FACT_GOOD, "minherit()", NULL);
	else
		set(fact, SECMALLOC_FACT_DEGRADED,
		    "not by the kernel: fork handlers wipe",
		    "make children with fork(), not without fork handlers");
}

static void madvice(struct secmalloc_fact *fact)
{
	struct secm_posix now;

	secm_posix_probe(&now);
	if (now.madvise_lies)
		set(fact, SECMALLOC_FACT_MISSING,
		    "nonsense is accepted: an emulator",
		    "what madvise() promises cannot be believed here");
	else
		set(fact, SECMALLOC_FACT_GOOD, "no nonsense accepted", NULL);
}

/* Not tried: a page that is sealed stays for good. */
static void sealing(struct secmalloc_fact *fact)
{
	if (secm_extra_seal_name())
		set(fact, SECMALLOC_FACT_GOOD, secm_extra_seal_name(), NULL);
	else
		set(fact, SECMALLOC_FACT_DEGRADED, "no call for it", NULL);
}

static void core_dumps(struct secmalloc_fact *fact)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0)
		set(fact, SECMALLOC_FACT_GOOD, "0: no core dumps", NULL);
	else
		set(fact, SECMALLOC_FACT_DEGRADED, "core dumps are allowed",
		    "ulimit -c 0, or secmalloc_harden()");
}

static void hibernation(struct secmalloc_fact *fact)
{
	set(fact, SECMALLOC_FACT_DEGRADED, "cannot tell",
	    "an image of the memory holds locked pages, too: encrypt it");
}

static void random_source(struct secmalloc_fact *fact)
{
	const char *name = secm_extra_random_name();
	unsigned char byte;

	if (name && secm_extra_random(&byte, sizeof(byte)) == 0)
		set(fact, SECMALLOC_FACT_GOOD, name, NULL);
	else if (secm_os_random(&byte, sizeof(byte)) == 0)
		set(fact, SECMALLOC_FACT_GOOD, "/dev/urandom", NULL);
	else
		set(fact, SECMALLOC_FACT_MISSING, "no source",
		    "make /dev/urandom available to the process");
}

static void verify(struct secmalloc_fact *fact)
{
	set(fact, SECMALLOC_FACT_DEGRADED,
	    "the system cannot be asked what holds", NULL);
}

static void moving(struct secmalloc_fact *fact)
{
	set(fact, SECMALLOC_FACT_DEGRADED, "pages cannot be moved", NULL);
}

static const struct {
	const char *name;
	void (*ask)(struct secmalloc_fact *fact);
} facts[] = {
	{ "backend", backend },
	{ "memfd_secret", memfd_secret },
	{ "lock", locking },
	{ "lock_limit", lock_limit },
	{ "nodump", nodump },
	{ "fork_zero", fork_zero },
	{ "madvise", madvice },
	{ "mseal", sealing },
	{ "core_dumps", core_dumps },
	{ "hibernation", hibernation },
	{ "random", random_source },
	{ "verify", verify },
	{ "move", moving },
};

int secm_os_fact(unsigned n, struct secmalloc_fact *fact)
{
	if (n >= sizeof(facts) / sizeof(facts[0]))
		return 0;
	fact->name = facts[n].name;
	facts[n].ask(fact);
	return 1;
}
