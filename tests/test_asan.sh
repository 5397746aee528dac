#!/bin/sh
# SPDX-License-Identifier: MIT
#
# An instrumented program against the library as it was built: AddressSanitizer
# finds the bugs of t_planted.c at the very access, and says nothing of the same
# program without them.  Where the library is instrumented itself, tests that
# make no forbidden access run once more with its pages closed.

: "${srcdir:=.}"
. "$srcdir/tests/tap.sh"
. "$srcdir/tests/t_planted.sh"

[ -n "${CC:-}" ] || skip_all "no compiler known: run it by make check"

options=detect_leaks=0
asan()
{
	ASAN_OPTIONS=exitcode=9:$options "$@" >"$tmp/out" 2>&1
}

# The runtime may be missing, or not run here (an address space limit, say).
plant_nothing "$tmp/nothing" -fsanitize=address ||
	skip_all "no AddressSanitizer with $CC"
asan "$tmp/nothing" || skip_all "AddressSanitizer does not run here"
plant "$tmp/planted" -fsanitize=address

right()
{
	asan "$tmp/planted" "$@" && return
	echo "exit status $?"
	cat "$tmp/out"
	return 1
}

# finds TIER BUG: in the topmost of the program's own functions.
finds()
{
	asan "$tmp/planted" "$1" wrong "$2"
	status=$?
	[ $status = 9 ] && grep 'ERROR: AddressSanitizer: use-after-poison ' "$tmp/out" &&
		sed -n "s/^ *#[0-9]* 0x[0-9a-f]* in \($2\) .*t_planted_bugs\.c.*/\1/p" \
			"$tmp/out" | grep . && return
	echo "exit status $status"
	cat "$tmp/out"
	return 1
}

accesses="overflow_in_child overflow_small overflow_large overflow_guarded
	overflow_empty overflow_guard overflow_write underflow_read
	underflow_guarded underflow_write read_after_free
	read_large_after_free write_after_free read_of_cut_off
	read_beyond_added read_beyond_added_guarded read_beyond_grown_large
	overflow_after_refusal overflow_large_after_refusal
	overflow_aligned read_of_freed_part overflow_of_part overflow_segment
	read_after_shutdown"

# The runtime makes mlock(2) do nothing, which the fallback has to notice.
tiers="secret locked"
no_lock_is_claimed()
{
	asan "$tmp/planted" locked right report
	[ $? = 77 ]
}
if [ "${SECM_BACKEND:-linux}" = fallback ]; then
	tiers=any
	ok no_lock_is_claimed no_lock_is_claimed
fi
plenty || tiers=any
for tier in $tiers
do
	asan "$tmp/planted" "$tier" right report
	if [ $? = 77 ]; then
		skip "$tier.all" "tier not to be had: $(sed 1q "$tmp/out")"
		continue
	fi
	# shellcheck disable=SC2086
	ok "$tier.nothing_is_said_of_a_program_without_bugs" \
		right $tier right churn all wipe_too_much $accesses
	for bug in $accesses wipe_too_much
	do
		ok "$tier.finds_$bug" finds $tier $bug
	done
done

# The leak search runs as a tracer, which may be forbidden here.
options=detect_leaks=1
asan "$tmp/nothing" leak
if grep 'LeakSanitizer: detected memory leaks' "$tmp/out" >/dev/null; then
	ok what_a_secret_points_to_is_not_lost \
		right ${tiers##* } right leak_ordinary
	lost_by_a_secret()
	{
		asan "$tmp/planted" "${tiers##* }" wrong leak_ordinary
		grep 'LeakSanitizer: detected memory leaks' "$tmp/out" &&
			grep ' in leak_ordinary ' "$tmp/out" && return
		cat "$tmp/out"
		return 1
	}
	ok finds_memory_lost_by_a_secret lost_by_a_secret
else
	skip what_a_secret_points_to_is_not_lost "no leak search here"
	skip finds_memory_lost_by_a_secret "no leak search here"
fi

# Options can turn it off.
options=detect_leaks=0:allow_user_poisoning=0
ok options_can_turn_it_off right ${tiers##* } wrong overflow_small

# The allocator's own accesses to closed bytes, all over it.
case " $CC $CFLAGS " in
*-fsanitize=*address*)
	options=detect_leaks=0:allow_user_poisoning=1
	closed()
	{
		asan "./tests/$1" &&
			! grep -e '^not ok' -e 'ERROR: AddressS' "$tmp/out" &&
			return
		cat "$tmp/out"
		return 1
	}
	for test in test_setup test_bad_input test_report test_log_threads
	do
		ok "the_library_keeps_to_it_in_$test" closed $test
	done ;;
esac
tap_done
