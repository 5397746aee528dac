#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What others make of a secret stack: a debugger that walks it, memcheck, the
# linker (no executable stack, a shadow stack that agrees), C++ exceptions.

: "${srcdir:=.}" "${CC:=cc}"
. "$srcdir/tests/tap.sh"
. "$srcdir/tests/t_planted.sh"

# Memory that a debugger can read; "thread": not on the first stack.
cat >"$tmp/walk.c" <<'END'
#include <pthread.h>
#include <secmalloc.h>
static volatile int depth;
void stop_here(void)
{
	depth++;
}
static void on_stack(void *arg)
{
	(void)arg;
	stop_here();
	depth++;
}
static void *who_calls(void *arg)
{
	if (secmalloc_call(on_stack, 0, 0) != 0)
		depth = -100;
	depth++;
	return arg;
}
int main(int argc, char **argv)
{
	struct secmalloc_config c = { 0 };
	pthread_t t;

	(void)argv;
	c.hibernation = SECMALLOC_HIBERNATION_KEEP;
	c.flags = SECMALLOC_BEST_EFFORT;
	if (secmalloc_init(&c) != 0)
		return 1;
	stop_here();
	if (argc == 1)
		who_calls(0);
	else if (pthread_create(&t, 0, who_calls, 0) || pthread_join(t, 0))
		return 2;
	return depth == 4 ? 0 : 3;
}
END

# With a C++ compiler: argument 1: caught inside, 2: not.
cat >"$tmp/throw.cc" <<'END'
#include <cstdio>
#include <secmalloc.h>
static void inside(void *arg)
{
	try {
		throw 1;
	} catch (int i) {
		*static_cast<int *>(arg) = i;
	}
}
static void outside(void *)
{
	throw 2;
}
int main(int argc, char **)
{
	secmalloc_config c = {};
	int got = 0;

	c.flags = SECMALLOC_BEST_EFFORT;
	if (secmalloc_init(&c) != 0)
		return 9;
	try {
		if (secmalloc_call(argc == 1 ? inside : outside, &got, 0))
			return 8;
	} catch (int i) {
		return 7;
	}
	return got == 1 ? 0 : 6;
}
END

# build OUTPUT SOURCE COMPILER...
build()
{
	out=$1 source=$2
	shift 2
	# shellcheck disable=SC2086
	"$@" $CPPFLAGS $CFLAGS -g -I"$srcdir/src" $LDFLAGS -o "$out" \
		"$source" "$planted_lib" $LIBS
}

walks()
{
	gdb -nx -batch -ex 'break stop_here' -ex run -ex continue -ex bt \
		--args "$tmp/walk" "$@" </dev/null >"$tmp/gdb" 2>&1
	sed -n '/^#0/,$p' "$tmp/gdb" | tee "$tmp/bt"
	grep 'on_stack' "$tmp/bt" >/dev/null &&
		grep 'who_calls' "$tmp/bt" >/dev/null
}

# On an ordinary stack.
gdb_works()
{
	gdb -nx -batch -ex 'break stop_here' -ex run -ex bt "$tmp/walk" \
		</dev/null 2>&1 | grep '^#1 .*main' >/dev/null
}

# Of system calls that it does not know it says so, once.
is_quiet()
{
	valgrind --error-exitcode=9 "$tmp/walk" "$@" >"$tmp/vg" 2>&1 &&
		! grep 'switching stacks' "$tmp/vg" ||
		{ cat "$tmp/vg"; return 1; }
}

no_executable_stack()
{
	readelf -lW "$planted_lib" | grep GNU_STACK | tee "$tmp/stack"
	grep ' RW ' "$tmp/stack" >/dev/null
}

# properties PATTERN NAME...: each object of assembly says so, as it was built
# for the archive, for the shared library, or both; the linker does the same
# for a whole library.
properties()
{
	pattern=$1
	shift
	for name
	do
		seen=no
		for o in "src/arch/$name.o" "src/arch/.libs/$name.o"
		do
			[ -f "$o" ] || continue
			seen=yes
			readelf -n "$o" 2>&1 | grep "$pattern" >/dev/null ||
				{ echo "$o does not"; return 1; }
		done
		[ $seen = yes ] || { echo "no object $name.o"; return 1; }
	done
}

# ends STATUS PROGRAM...
ends()
{
	want=$1
	shift
	(ulimit -c 0; exec "$@") >"$tmp/out" 2>&1
	status=$?
	[ $status = "$want" ] || { cat "$tmp/out"; echo "status $status"; return 1; }
}

# Whether that holds for the compiler's macros.
defines()
{
	printf '#if %s\nyes\n#endif\n' "$1" |
		$CC $CPPFLAGS $CFLAGS -E -P - 2>/dev/null |
		grep '^yes$' >/dev/null
}

case " $CFLAGS $LDFLAGS " in
*-fsanitize*) skip_all "sanitizer build: stacks are watched" ;;
esac
# shellcheck disable=SC2086
build "$tmp/walk" "$tmp/walk.c" $CC >"$tmp/cc" 2>&1 || {
	sed 's/^/# /' "$tmp/cc"
	skip_all "no program can be built"
}
ok it_runs "$tmp/walk"
assembly=no
if defines 'defined(__LP64__) && \
	(defined(__x86_64__) || defined(__aarch64__))' && ! grep '^#define SECM_NO_ASSEMBLY' \
	config.h >/dev/null; then
	assembly=yes
fi
if [ $assembly = no ]; then
	skip debugger_walks_to_the_caller "no assembly: makecontext() ends it"
	skip debugger_walks_to_the_caller_in_a_thread "no assembly"
elif ! have gdb || ! gdb_works; then
	skip debugger_walks_to_the_caller "no gdb that works here"
	skip debugger_walks_to_the_caller_in_a_thread "no gdb that works here"
else
	ok debugger_walks_to_the_caller walks
	ok debugger_walks_to_the_caller_in_a_thread walks thread
fi
if have valgrind && valgrind "$tmp/walk" 2>&1 |
	grep 'error when reading debug info' >/dev/null; then
	skip memcheck_is_quiet "this valgrind cannot read what $CC tells debuggers"
	skip memcheck_is_quiet_in_a_thread "this valgrind cannot read that"
elif have valgrind && valgrind -q true >/dev/null 2>&1 &&
	plant_nothing "$tmp/no" &&
	valgrind -q --error-exitcode=9 "$tmp/no" >/dev/null 2>&1; then
	ok memcheck_is_quiet is_quiet
	ok memcheck_is_quiet_in_a_thread is_quiet thread
else
	skip memcheck_is_quiet "no valgrind that works here"
	skip memcheck_is_quiet_in_a_thread "no valgrind that works here"
fi
if ! have readelf || [ "${planted_lib%.so}" = "$planted_lib" ]; then
	skip no_executable_stack "no readelf, or no shared library"
else
	ok no_executable_stack no_executable_stack
fi
if ! have readelf; then
	skip shadow_stack_and_branch_targets "no readelf"
elif defines 'defined(__x86_64__) && defined(__LP64__)'; then
	ok shadow_stack_and_branch_targets \
		properties 'IBT, SHSTK' x86_64 x86_clear
elif defines 'defined(__aarch64__)'; then
	ok shadow_stack_and_branch_targets properties BTI aarch64
else
	skip shadow_stack_and_branch_targets "not this processor"
fi
cxx=
for try in ${CXX:-} g++ c++ clang++
do
	# shellcheck disable=SC2086
	if build "$tmp/throw" "$tmp/throw.cc" $try >/dev/null 2>&1; then
		cxx=$try
		break
	fi
done
if [ -z "$cxx" ]; then
	skip exceptions_inside_are_caught "no C++ compiler"
	skip exceptions_do_not_leave "no C++ compiler"
else
	ok exceptions_inside_are_caught ends 0 "$tmp/throw"
	ok exceptions_do_not_leave ends 134 "$tmp/throw" outside
fi
tap_done
