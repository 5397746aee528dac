#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Memcheck finds the bugs of t_planted.c, with the function that has them, and
# says nothing of the same program without them.  Runs under memcheck are slow,
# so one run has all bugs that a program survives.

: "${srcdir:=.}"
. "$srcdir/tests/tap.sh"
. "$srcdir/tests/t_planted.sh"

want_valgrind

memcheck()
{
	valgrind --num-callers=25 --leak-check=full --error-exitcode=9 \
		--errors-for-leak-kinds=definite,possible \
		--show-leak-kinds=definite,possible \
		--log-file="$tmp/log.%p" "$@" >"$tmp/out" 2>&1
	status=$?
	cat "$tmp"/log.* >"$tmp/log"
	rm -f "$tmp"/log.*
	return $status
}

# Without the symbols of the C library, or for another kind of program than the
# machine's own, valgrind may refuse to run at all.
plant_nothing "$tmp/nothing" && memcheck "$tmp/nothing" ||
	skip_all "valgrind does not run here"
plant "$tmp/planted"
memcheck "$tmp/planted" any right report
! grep 'debuginfo reader: .* failed' "$tmp/log" >/dev/null ||
	skip_all "this valgrind cannot read what $CC tells debuggers"

clean()
{
	memcheck "$tmp/planted" any right "$@" && return
	echo "exit status $?"
	cat "$tmp/out" "$tmp/log"
	return 1
}

# reported FUNCTION TEXT...: there is a record in $tmp/log that names the
# function first of all the program's own and has each text.
reported()
{
	sed 's/^[=-]*[0-9]*[=-]* \{0,1\}//' "$tmp/log" |
	${AWK:-awk} -v texts="$(printf '%s|' "$@")" '
	function judge(   i, n, text) {
		n = split(texts, text, "|")
		for (i = 2; i < n; i++)
			if (index(record, text[i]) == 0)
				return
		if (first == text[1])
			found = 1
	}
	/^$/ { judge(); record = first = ""; next }
	{
		record = record $0 "\n"
		if (first == "" && /\(t_planted_bugs\.c:/)
			first = $(NF - 1)
	}
	END { judge(); exit !found }' && return
	echo "not in the log:" "$@"
	cat "$tmp/log"
	return 1
}

# beyond FUNCTION SIZE: read one byte after an object of that size.
beyond()
{
	reported "$1" "Invalid read of size 1" \
		"is 0 bytes after a" "block of size $2 alloc'd"
}

# The byte before may be nearer to the end of a neighbour, by chance.
before()
{
	reported "$1" "Invalid $3 of size 1" \
		"is 1 bytes before a" "block of size $2 alloc'd" ||
		reported "$1" "Invalid $3 of size 1" \
			"bytes after a block of size 125 alloc'd"
}

freed()
{
	reported "$1" "Invalid $2 of size 1" "inside a block of size $3 free'd"
}

# Definitely, or possibly: if by chance something else looks like a pointer.
lost()
{
	reported "$1" "$2 are" "lost in loss record"
}

# wrong STATUS BUG...: the bugs are noticed, and the program ends like that.
wrong()
{
	want=$1
	shift
	memcheck "$tmp/planted" any wrong "$@"
	got=$?
	[ $got = "$want" ] && return
	echo "exit status $got, not $want"
	cat "$tmp/out" "$tmp/log"
	return 1
}

# dies BUG STATUS TEXT...: for bugs that the library or the processor notices
# after memcheck did.
dies()
{
	bug=$1 want=$2
	shift 2
	wrong "$want" "$bug" && reported "$bug" "$@"
}

dies_of_underflow()
{
	wrong 134 underflow_write && before underflow_write 125 write
}

claims()
{
	memcheck "$tmp/planted" any right report &&
		{ grep '^tier [01]$' "$tmp/out" || ! plenty; } && return
	cat "$tmp/out" "$tmp/log"
	return 1
}

# Programs without bugs that use more of the library; 77: no memory here.
example()
{
	# shellcheck disable=SC2086
	$CC $CPPFLAGS $CFLAGS -gdwarf-4 -O0 -I"$srcdir/src" $LDFLAGS \
		-o "$tmp/$1" "$srcdir/doc/examples/$1.c" "$planted_lib" $LIBS ||
		return 1
	memcheck "$tmp/$1"
	got=$?
	[ $got = 0 ] || [ $got = 77 ] && return
	echo "exit status $got"
	cat "$tmp/out" "$tmp/log"
	return 1
}

fatal="overflow_guard overflow_write underflow_write wipe_too_much"
# shellcheck disable=SC2086
want_plenty nothing_is_said_of_a_program_without_bugs \
	clean churn all $fatal write_after_free
ok what_it_claims_is_confirmed_under_valgrind claims
ok nothing_is_said_of_a_shutdown clean leak_small read_after_shutdown
want_plenty nothing_is_said_of_heaps example heaps
want_plenty nothing_is_said_of_buffers_and_keys example containers

ok bugs_change_the_exit_status wrong 9 all write_after_free
ok finds_read_after_a_small_object beyond overflow_small 125
ok finds_read_after_a_large_object beyond overflow_large 20,001
ok finds_read_after_a_guarded_object beyond overflow_guarded 125
ok finds_read_of_an_empty_object beyond overflow_empty 0
ok finds_read_after_an_inherited_object beyond overflow_in_child 125
ok finds_read_before_a_small_object before underflow_read 125 read
ok finds_read_before_an_object_that_was_closed before underflow_guarded 32 read
ok finds_read_of_a_freed_object freed read_after_free read 125
ok finds_read_of_a_freed_large_object freed read_large_after_free read 20,001
ok finds_write_to_a_freed_object freed write_after_free write 125
ok finds_read_of_what_was_cut_off beyond read_of_cut_off 920
ok finds_read_after_what_was_added beyond read_beyond_added 950
ok finds_read_after_what_was_added_to_a_guarded_object \
	beyond read_beyond_added_guarded 127
ok finds_read_after_a_large_object_that_grew \
	beyond read_beyond_grown_large 25,001
ok finds_read_after_an_aligned_object beyond overflow_aligned 125
ok finds_read_of_a_freed_part freed read_of_freed_part read 2,000
ok finds_read_after_a_part beyond overflow_of_part 125
ok finds_read_after_the_segment reported overflow_segment \
	"Invalid read of size 1"
ok finds_read_after_an_object_that_could_not_grow \
	beyond overflow_after_refusal 125
ok finds_read_after_a_large_object_that_could_not_grow \
	beyond overflow_large_after_refusal 20,001
ok finds_use_of_bytes_that_were_never_set reported undefined \
	"Conditional jump or move depends on uninitialised value(s)"
ok finds_comparison_of_too_much beyond compare_too_much 125
ok finds_a_lost_small_object lost leak_small "125 bytes in 1 blocks"
ok finds_a_lost_large_object lost leak_large "20,001 bytes in 1 blocks"
ok finds_a_lost_guarded_object lost leak_guarded "32 bytes in 1 blocks"
ok finds_memory_lost_by_a_secret lost leak_ordinary "blocks"

ok finds_read_of_a_guard_page dies overflow_guard 139 \
	"Invalid read of size 1" "is 0 bytes after a block of size 32 alloc'd"
ok finds_write_after_an_object dies overflow_write 134 \
	"Invalid write of size 1" "is 0 bytes after a block of size 20,001 alloc'd"
ok finds_write_before_an_object dies_of_underflow
ok finds_wiping_of_too_much dies wipe_too_much 134 \
	"Invalid write of size" "is 0 bytes after a block of size 125 alloc'd"
ok finds_use_after_shutdown dies read_after_shutdown 139 \
	"Invalid read of size 1" "inside a block of size 125 free'd"
tap_done
