#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs each program of doc/examples: it must end with status 0, or with 77 if
# this machine cannot do what it shows.  Some need more than 64 KiB of locked
# memory.

: "${srcdir:=.}"
. "$srcdir/tests/tap.sh"

[ -n "${SECM_EXAMPLES:-}" ] || skip_all "no list: run it by make check"

for program in $SECM_EXAMPLES
do
	name=${program##*/}
	"./$program" </dev/null >"$tmp/out" 2>&1
	status=$?
	[ $status != 1 ] || plenty || status=77
	case $status in
	0) ok "$name" true ;;
	77) skip "$name" "$(sed 1q "$tmp/out")" ;;
	*)
		echo "exit status $status" >>"$tmp/out"
		sed 's/^/# /' "$tmp/out"
		ok "$name" false ;;
	esac
done
tap_done
