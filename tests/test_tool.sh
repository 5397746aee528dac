#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The secmalloc command: arguments, files, exit statuses, what its output says
# and that it says nothing secret.  $SECM_TOOL is the command.

: "${srcdir:=.}"
. "$srcdir/tests/tap.sh"

tool=${SECM_TOOL:?}
# The demo's attacks are not to be seen as the bugs of an instrumented build.
ASAN_OPTIONS=allow_user_poisoning=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
export ASAN_OPTIONS
esc=$(printf '\033')

# leaves STATUS CMD...: CMD ends with it, output in $tmp/out and $tmp/err
leaves()
{
	want=$1
	shift
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ $got = "$want" ] && return
	echo "exit status $got, not $want:" "$@"
	cat "$tmp/out" "$tmp/err"
	return 1
}

out_has()
{
	grep -e "$1" "$tmp/out" >/dev/null && return
	echo "no '$1' in:"
	cat "$tmp/out"
	return 1
}

err_is()
{
	[ "$(sed 1q "$tmp/err")" = "secmalloc: $1" ] && return
	echo "not 'secmalloc: $1' but:"
	cat "$tmp/err"
	return 1
}

help_and_version()
{
	leaves 0 "$tool" --help && out_has '^usage: secmalloc check' &&
	leaves 0 "$tool" demo --help && out_has '^usage: secmalloc check' &&
	leaves 0 "$tool" --version &&
	out_has '^secmalloc [0-9]*\.[0-9]*\.[0-9]* (library [0-9.]*)$' &&
	[ "$(wc -l <"$tmp/out")" -eq 1 ]
}

wrong_arguments()
{
	leaves 64 "$tool" && err_is 'no command given' &&
	leaves 64 "$tool" chekc && err_is 'unknown command: chekc' &&
	leaves 64 "$tool" --versoin && err_is 'unknown option: --versoin' &&
	leaves 64 "$tool" --version x && err_is 'too many arguments: x' &&
	leaves 64 "$tool" check x && err_is 'check: unknown argument: x' &&
	leaves 64 "$tool" demo -x && err_is 'demo: unknown option: -x' &&
	leaves 64 "$tool" demo a b && err_is 'demo: more than one file: b'
}

refuses()
{
	leaves 66 "$tool" demo "$1" && err_is "$1: $2" && [ ! -s "$tmp/out" ]
}

unfit_files()
{
	: >"$tmp/empty"
	printf 'fifteen bytes..' >"$tmp/short"
	head -c 5000 /dev/zero >"$tmp/zeros"
	head -c 1048577 /dev/urandom >"$tmp/large"
	mkfifo "$tmp/fifo" || return 1
	refuses "$tmp" 'is a directory' &&
	refuses "$tmp/empty" 'is empty' &&
	refuses "$tmp/short" \
		'is too short to be recognised: 16 bytes at least' &&
	refuses "$tmp/zeros" \
		'starts with bytes that are all alike: nothing to recognise' &&
	refuses "$tmp/large" 'is too large: 1048576 bytes at most' &&
	refuses "$tmp/fifo" 'is not a regular file' &&
	refuses /dev/null 'is not a regular file' &&
	refuses "$tmp/none" 'No such file or directory' &&
	leaves 66 "$tool" demo -- -x && err_is '-x: No such file or directory'
}

unreadable_file()
{
	echo 0123456789abcdef >"$tmp/unreadable"
	chmod 0 "$tmp/unreadable"
	refuses "$tmp/unreadable" 'Permission denied'
}

closed_output()
{
	"$tool" check >&- 2>"$tmp/err"
	[ $? = 74 ] || return 1
	"$tool" demo >&- 2>"$tmp/err"
	[ $? = 74 ]
}

full_output()
{
	"$tool" check --json >/dev/full 2>"$tmp/err"
	[ $? = 74 ]
}

# The last line, the JSON verdict and the exit status say the same.
check_agrees_with_itself()
{
	"$tool" check >"$tmp/out" || [ $? -le 2 ] || return 1
	"$tool" check --json >"$tmp/json"
	case $? in
	0) verdict=full ;;
	1) verdict=degraded ;;
	2) verdict=nothing ;;
	*) return 1 ;;
	esac
	sed -n '$p' "$tmp/out" | grep "^$verdict:" &&
	grep "^{\"version\":\"[0-9.]*\",\"verdict\":\"$verdict\"," "$tmp/json"
}

json_is_json()
{
	"$tool" check --json | "$1" -c '
import json, sys
d = json.load(sys.stdin)
for key in "version verdict error advice best_effort facts report".split():
    d[key]
assert d["facts"], "no facts"
for fact in d["facts"]:
    assert fact["status"] in ("good", "degraded", "missing"), fact
    assert isinstance(fact["name"], str) and isinstance(fact["value"], str)
'
}

# cell COLUMN NAME: what a row of $tmp/out says; columns as in the heading
cell()
{
	sed -n "s/^$2  *//p" "$tmp/out" | sed 's/   */|/g' | cut -d '|' -f "$1"
}

# each NAME...: the row's first cell says that it works on ordinary memory (or
# cannot be tried here) and its claim fits the second
each()
{
	for row
	do
		plain=$(cell 1 "$row")
		ours=$(cell 2 "$row")
		claim=$(cell 3 "$row")
		case "$plain|$ours|$claim" in
		'not possible|not possible|'*) ;;
		'VISIBLE|blocked E'*'|claimed'*) ;;
		'VISIBLE|blocked SIG'*'|claimed'*) ;;
		'VISIBLE|blocked, exited|claimed'*) ;; # by a sanitizer
		'VISIBLE|zeros|claimed'* | 'VISIBLE|absent|claimed'*) ;;
		'UNNOTICED|blocked SIGABRT|claimed; secmalloc: '*) ;;
		'VISIBLE|VISIBLE|not claimed by '*) ;;
		*'; does not work on ordinary memory here: proves nothing') ;;
		*) echo "$row: $plain, $ours, $claim"; return 1 ;;
		esac
	done
}

rows()
{
	each '\/proc\/PID\/mem' 'process_vm_readv' 'ptrace PEEKDATA' \
		'core dump' 'vmsplice to a pipe' 'O_DIRECT write to disk' \
		'child made by fork' 'child without fork handlers' \
		'read after free' 'write after free' \
		'read past a guarded object' 'read past a small object' \
		'write one byte past the end' 'write(2) by the program' \
		'ptrace, injected write(2)' 'code in the same process'
}

made_up_secret()
{
	leaves 0 "$tool" demo && rows &&
	out_has '^secret   made-up bytes in the shape of a PEM file, 984 bytes$'
}

# What the library promises on every tier, and what nobody promises.
promises()
{
	for row in 'child made by fork' 'read after free' \
		'read past a guarded object' 'write one byte past the end'
	do
		case $(cell 3 "$row") in
		claimed*) ;;
		*) echo "$row is not claimed"; return 1 ;;
		esac
	done
	for row in 'read past a small object' 'write(2) by the program' \
		'code in the same process'
	do
		case "$(cell 2 "$row")|$(cell 3 "$row")" in
		'VISIBLE|not claimed by any tier') ;;
		'VISIBLE|not claimed by any tier; does not work on '*) ;;
		*) echo "$row is not honest"; return 1 ;;
		esac
	done
	# Elsewhere another checker, a sanitizer say, was quicker.
	[ "$(cell 1 'write one byte past the end')" != UNNOTICED ] ||
	[ "$(cell 3 'write one byte past the end')" = \
	"claimed; secmalloc: overflow: bytes after the object changed" ]
}

# memfd_secret is claimed where it is, and nowhere else.
claims_fit_the_memory()
{
	want='not claimed by this tier'
	grep '^memory   memfd_secret: ' "$tmp/out" >/dev/null && want=claimed
	[ "$(cell 3 process_vm_readv)" = "$want" ]
}

key_file()
{
	leaves 0 "$tool" demo "$1" && rows &&
	out_has "^secret   $1, $(($(wc -c <"$1"))) bytes$"
}

keeps_the_key_to_itself()
{
	while read -r line
	do
		case $line in -----*) continue ;; esac
		if grep -e "$line" "$tmp/out" "$tmp/err"; then
			return 1
		fi
	done <"$1"
}

binary_file()
{
	head -c 1048576 /dev/urandom >"$tmp/binary"
	head -c 16 /dev/urandom >"$tmp/sixteen"
	leaves 0 "$tool" demo "$tmp/binary" && rows &&
	leaves 0 "$tool" demo "$tmp/sixteen"
}

leaves_no_folder()
{
	mkdir "$tmp/folder" || return 1
	TMPDIR=$tmp/folder
	export TMPDIR
	"$tool" demo >/dev/null
	"$tool" demo >/dev/null &
	pid=$!
	kill -TERM $pid
	wait $pid
	unset TMPDIR
	rmdir "$tmp/folder"
}

plain_in_a_pipe()
{
	! "$tool" check | grep "$esc" && ! "$tool" demo | grep "$esc"
}

on_a_terminal()
{
	TERM=xterm NO_COLOR=$1 script -qec "'$tool' check" /dev/null </dev/null
}

colours_on_a_terminal()
{
	on_a_terminal '' | grep "$esc" >/dev/null &&
	! on_a_terminal 1 | grep "$esc"
}

no_lock_quota()
{
	( ulimit -l 0 && leaves 2 "$tool" demo && err_is \
		"$(sed 1q "$tmp/err" | sed 's/^secmalloc: //')" &&
	  grep '^secmalloc: no protected memory: ' "$tmp/err" &&
	  grep ': RLIMIT_MEMLOCK is used up$' "$tmp/err" &&
	  leaves 2 "$tool" check && out_has '^nothing: ' &&
	  out_has '^What it gets by best effort$' &&
	  out_has '^  needed  *none$' && out_has 'RLIMIT_MEMLOCK' &&
	  leaves 2 "$tool" check --json && out_has '"best_effort":true,' )
}

ok help_and_version help_and_version
ok wrong_arguments_end_with_64 wrong_arguments
protected=
"$tool" check >/dev/null || [ $? = 1 ] && protected=yes
if [ "$protected" ]; then
	ok unfit_files_end_with_66 unfit_files
	ok closed_output_ends_with_74 closed_output
else
	skip unfit_files_end_with_66 'no protected memory here'
	skip closed_output_ends_with_74 'no protected memory here'
fi
if [ "$(id -u)" = 0 ]; then
	skip unreadable_file_ends_with_66 'root may read everything'
else
	ok unreadable_file_ends_with_66 unreadable_file
fi
if [ -c /dev/full ]; then
	ok full_output_ends_with_74 full_output
else
	skip full_output_ends_with_74 'no /dev/full'
fi
ok check_agrees_with_itself check_agrees_with_itself
if have python3; then
	ok json_is_json json_is_json python3
else
	skip json_is_json 'no python3'
fi
if [ "$protected" ]; then
	ok demo_of_a_made_up_secret made_up_secret
	ok promises_and_honest_rows promises
	ok claims_fit_the_memory claims_fit_the_memory
	want_plenty demo_of_binary_files binary_file
	ok demo_leaves_no_folder leaves_no_folder
	if have openssl; then
		openssl genrsa -out "$tmp/rsa.pem" 2048 2>/dev/null
		openssl ecparam -genkey -name prime256v1 -out "$tmp/ec.pem"
		ok demo_of_an_rsa_key key_file "$tmp/rsa.pem"
		ok demo_prints_nothing_of_it \
			keeps_the_key_to_itself "$tmp/rsa.pem"
		ok demo_of_an_ec_key key_file "$tmp/ec.pem"
	else
		skip demo_of_openssl_keys 'no openssl'
	fi
else
	skip demo 'no protected memory here'
fi
ok plain_in_a_pipe plain_in_a_pipe
if script -qec true /dev/null </dev/null >/dev/null 2>&1; then
	ok colours_on_a_terminal colours_on_a_terminal
else
	skip colours_on_a_terminal 'no script(1) with -e'
fi
if [ "$(id -u)" = 0 ]; then
	skip no_lock_quota_ends_with_2 'no lock limit holds for root'
else
	ok no_lock_quota_ends_with_2 no_lock_quota
fi
tap_done
