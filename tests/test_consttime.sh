#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The decoders, and what the core compares and decodes, take no branch and use no
# address by a secret: memcheck says so.  See t_consttime.c.
#
# Compilers make branches and tables of arithmetic, too, if they think it faster,
# so the decoders are built with every level of optimization; and then there is
# the library as it was built.

: "${srcdir:=.}"
. "$srcdir/tests/tap.sh"

want_valgrind

# Not all that valgrind is used with reads the notes for debuggers that compilers
# make today, or runs with them; names of functions it reads.
mkdir "$tmp/lib" || exit 99
for f in .libs/libsecmalloc.* .libs/libsecmalloc-io.*
do
	case $f in
	*.la | *.lai) continue ;;
	esac
	cp -RP "$f" "$tmp/lib" || exit 99
	[ -h "$f" ] || ! have strip || strip -S "$tmp/lib/${f##*/}"
done
LD_LIBRARY_PATH=$tmp/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH

# found LIBRARY: the one that was built, shared if there is one.
found()
{
	for f in "$tmp/lib/$1.so" "$tmp/lib/$1.a"
	do
		if [ -f "$f" ]; then
			echo "$f"
			return
		fi
	done
}
lib=$(found libsecmalloc)
io_lib=$(found libsecmalloc-io)
decoders="$srcdir/io/base64.c $srcdir/io/decode.c $srcdir/io/pem.c
	$srcdir/io/unhex.c"
decoding="base64 base64_in_place base64url hex pem bad"

build()
{
	out=$tmp/$1
	shift
	# shellcheck disable=SC2086
	$CC -DHAVE_CONFIG_H -I. -I"$srcdir/src" -I"$srcdir/io" $CPPFLAGS \
		$CFLAGS -g0 "$@" $LDFLAGS -o "$out" \
		"$srcdir/tests/t_consttime.c" $sources $lib $LIBS \
		>"$tmp/cc" 2>&1 && return
	sed 's/^/# /' "$tmp/cc"
	echo "Bail out! cannot build t_consttime.c"
	exit 1
}

memcheck()
{
	valgrind -q --error-exitcode=9 --expensive-definedness-checks=yes \
		--log-file="$tmp/log" "$@" >"$tmp/out" 2>&1
	status=$?
	cat "$tmp/out" "$tmp/log"
	return $status
}

# reported TEXT FUNCTION PROGRAM CASE
reported()
{
	text=$1 function=$2
	shift 2
	memcheck "$@"
	[ $? = 9 ] && grep "$text" "$tmp/log" >/dev/null &&
		sed -n 's/^.*at 0x[0-9A-F]*: \([a-z0-9_]*\).*/\1/p' "$tmp/log" |
		grep -x "$function" >/dev/null
}

sources=$decoders
build default -DSECM_IO_PUBLIC=t_public
memcheck "$tmp/default" >"$tmp/first" ||
	skip_all "valgrind does not run here"

branch="Conditional jump or move depends on uninitialised value"
address="Use of uninitialised value"
ok control_a_table_is_found reported "$address" by_table \
	"$tmp/default" by_table
ok control_a_branch_is_found reported "$branch" by_branch \
	"$tmp/default" by_branch
ok control_a_loop_that_ends_early_is_found reported "$branch" by_loop \
	"$tmp/default" by_loop
build told
ok control_without_a_word_white_space_is_found reported "$branch" '.*' \
	"$tmp/told" base64

# shellcheck disable=SC2086
ok decoders_show_nothing memcheck "$tmp/default" $decoding
for level in 0 1 2 3 s
do
	build "O$level" -DSECM_IO_PUBLIC=t_public "-O$level"
	# shellcheck disable=SC2086
	ok "decoders_show_nothing_with_O$level" memcheck "$tmp/O$level" \
		$decoding
done

sources=$io_lib
build built -DT_AS_BUILT
ok control_a_table_is_found_as_built reported "$address" by_table \
	"$tmp/built" by_table
ok control_a_branch_is_found_as_built reported "$branch" by_branch \
	"$tmp/built" by_branch
# shellcheck disable=SC2086
ok decoders_as_built_show_nothing memcheck "$tmp/built" $decoding
ok equal_as_built_shows_nothing memcheck "$tmp/default" equal
ok to_hex_as_built_shows_nothing memcheck "$tmp/default" to_hex
ok from_hex_as_built_shows_nothing memcheck "$tmp/built" from_hex
tap_done
