#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The secmalloc command where something is missing: /dev/null, the end of an
# attack, or descriptors for all of them.  A library that is loaded before the C
# library takes them away.  $SECM_TOOL is the command.

: "${srcdir:=.}" "${CC:=cc}"
. "$srcdir/tests/tap.sh"

tool=${SECM_TOOL:?}

cat >"$tmp/bad.c" <<'end'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* It is not a shell that starts it. */
static int is_command(void)
{
	return strstr(program_invocation_name, "secmalloc") != NULL;
}

static int next(const char *name, const char *path, int flags, int mode)
{
	int (*real)(const char *, int, int);

	*(void **)&real = dlsym(RTLD_NEXT, name);
	if (!is_command() || strcmp(path, "/dev/null") != 0)
		return real(path, flags, mode);
	errno = ENOENT;
	return -1;
}

int open(const char *path, int flags, int mode)
{
	return next("open", path, flags, mode);
}

int open64(const char *path, int flags, int mode)
{
	return next("open64", path, flags, mode);
}

/* With $NO_PIPES what the command forks gets none. */
static pid_t first;

__attribute__((constructor)) static void remember(void)
{
	first = getpid();
}

int pipe(int fds[2])
{
	int (*real)(int *);

	*(void **)&real = dlsym(RTLD_NEXT, "pipe");
	if (!getenv("NO_PIPES") || !is_command() || getpid() == first)
		return real(fds);
	errno = EMFILE;
	return -1;
}

/* Who reads secret memory ends before it has said what came of it. */
ssize_t process_vm_readv(pid_t pid, const struct iovec *to, unsigned long m,
			 const struct iovec *from, unsigned long n,
			 unsigned long flags)
{
	ssize_t (*real)(pid_t, const struct iovec *, unsigned long,
			const struct iovec *, unsigned long, unsigned long);
	ssize_t got;

	*(void **)&real = dlsym(RTLD_NEXT, "process_vm_readv");
	got = real(pid, to, m, from, n, flags);
	if (got < 0 && errno == EFAULT)
		_exit(0);
	return got;
}
end
case " $CC ${CFLAGS:-} " in
*-fsanitize*) skip_all "no library can be loaded before it" ;;
esac
# shellcheck disable=SC2086
$CC ${CFLAGS:-} -shared -fPIC -o "$tmp/bad.so" "$tmp/bad.c" -ldl \
	>"$tmp/cc" 2>&1 ||
	skip_all "no library can be made: $(sed 1q "$tmp/cc")"
LD_PRELOAD=$tmp/bad.so "$tool" --version >"$tmp/out" 2>"$tmp/err" &&
	[ ! -s "$tmp/err" ] || skip_all "no library can be loaded before it"

# with_bad STATUS COMMAND: output in $tmp/out and $tmp/err
with_bad()
{
	LD_PRELOAD=$tmp/bad.so "$tool" "$2" >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ $got = "$1" ] && return
	echo "exit status $got, not $1"
	cat "$tmp/out" "$tmp/err"
	return 1
}

without_dev_null()
{
	with_bad 0 --version && grep '^secmalloc ' "$tmp/out" || return 1
	LD_PRELOAD=$tmp/bad.so "$tool" --version >&- 2>"$tmp/err"
	[ $? = 74 ]
}

# What did not come to an end was not stopped.
broken_attack()
{
	with_bad 1 demo &&
	grep '^process_vm_readv  *VISIBLE  *failed  *claimed' "$tmp/out"
}

# Nothing was attacked, so nothing was stopped.
no_attack()
{
	NO_PIPES=1
	export NO_PIPES
	with_bad 71 demo
	got=$?
	unset NO_PIPES
	[ $got = 0 ] &&
	grep '^process_vm_readv  *failed  *failed ' "$tmp/out" &&
	grep '^secmalloc: no attack that is claimed to be stopped' "$tmp/err"
}

ok without_dev_null without_dev_null
if "$tool" demo | grep '^process_vm_readv *VISIBLE *blocked' >/dev/null; then
	ok a_broken_attack_counts_as_not_stopped broken_attack
else
	skip a_broken_attack_counts_as_not_stopped 'nothing here stops it'
fi
"$tool" check >/dev/null
if [ $? -le 1 ]; then
	ok no_attack_at_all_is_no_success no_attack
else
	skip no_attack_at_all_is_no_success 'no protected memory here'
fi
tap_done
