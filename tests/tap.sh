# SPDX-License-Identifier: MIT
#
# tap.sh - what the test scripts share; they read it with "."
#
#   ok NAME CMD...      runs CMD; its output is shown only if it fails
#   skip NAME WHY       a test that cannot be had here
#   plenty              whether 8 MiB may be locked
#   want_plenty NAME CMD...
#                       ok, but where that is not so a skip
#   want_valgrind       ends the script where it cannot build programs for
#                       valgrind, or this build does not go with it
#   skip_all WHY        ends the script: none of its tests can be had here
#   tap_done            prints the plan; the last line of each script
#
# With a name in $TAP_ONLY all other tests are left out.
#
# $tmp is a folder of the script's own, gone at exit: that of the script, not of
# a subshell that a signal ends before it dropped the script's traps.

tap_n=0
tmp=$(mktemp -d "${TMPDIR:-/tmp}/secmalloc-test.XXXXXX") || exit 99
trap '[ "$(exec sh -c '\''echo $PPID'\'')" != $$ ] || rm -rf "$tmp"' 0
trap 'exit 99' 1 2 15

ok()
{
	tap_name=$1
	[ "${TAP_ONLY:-$1}" = "$1" ] || return 0
	shift
	tap_n=$((tap_n + 1))
	if "$@" >"$tmp/tap.out" 2>&1; then
		echo "ok $tap_n $tap_name"
	else
		sed 's/^/# /' "$tmp/tap.out"
		echo "not ok $tap_n $tap_name"
	fi
}

skip()
{
	[ "${TAP_ONLY:-$1}" = "$1" ] || return 0
	tap_n=$((tap_n + 1))
	echo "ok $tap_n $1 # SKIP $2"
}

plenty()
{
	tap_limit=$(ulimit -l 2>/dev/null)
	case $tap_limit in
	unlimited) return 0 ;;
	*) [ "$(id -u)" = 0 ] || [ "${tap_limit:-0}" -ge 8192 ] ;;
	esac
}

want_plenty()
{
	if plenty; then
		ok "$@"
	else
		skip "$1" "the lock limit is too low for this"
	fi
}

want_valgrind()
{
	[ -n "${CC:-}" ] || skip_all "no compiler known: run it by make check"
	have valgrind || skip_all "no valgrind"
	grep '^#define HAVE_VALGRIND 1' config.h >/dev/null ||
		skip_all "built without valgrind/memcheck.h"
	case " $CC $CFLAGS $LDFLAGS " in
	*-fsanitize*) skip_all "valgrind cannot run sanitizer builds" ;;
	esac
	unset VALGRIND_OPTS
}

skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

tap_done()
{
	echo "1..$tap_n"
}

have()
{
	command -v "$1" >/dev/null 2>&1
}
