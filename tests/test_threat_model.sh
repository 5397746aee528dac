#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A test point for each statement of doc/threat-model.md: it runs the tests that
# tests/data/threats.txt has for the statement, and passes if they pass.  It is
# skipped if all of them are, for the first one's reason.  The two files have to
# have the same numbers; the table's first lines say what it looks like.

: "${srcdir:=.}"
. "$srcdir/tests/tap.sh"

document=$srcdir/doc/threat-model.md
table=$srcdir/tests/data/threats.txt

# One statement a line: its tests may go on in lines that begin with a blank.
sed -e '/^#/d' -e '/^[ 	]*$/d' "$table" | ${AWK:-awk} '
/^[ \t]/ { line = line " " $0; next }
{ if (line) print line; line = $0 }
END { print line }' >"$tmp/table"
sed -n 's/^| \([TN][0-9]*\) | .*/\1/p' "$document" >"$tmp/stated"
cut -d ' ' -f 1 "$tmp/table" >"$tmp/listed"
sort "$tmp/stated" >"$tmp/stated.sorted"
sort "$tmp/listed" >"$tmp/listed.sorted"

# none_in FILE TEXT: FILE is empty; else what it has, and TEXT
none_in()
{
	[ -s "$1" ] || return 0
	tr '\n' ' ' <"$1"
	echo "$2"
	return 1
}

each_number_is_used_once()
{
	uniq -d "$tmp/stated.sorted" >"$tmp/twice"
	uniq -d "$tmp/listed.sorted" >"$tmp/twice.listed"
	none_in "$tmp/twice" 'twice in doc/threat-model.md' &&
		none_in "$tmp/twice.listed" 'twice in tests/data/threats.txt'
}

each_statement_has_a_line()
{
	[ -s "$tmp/stated" ] || { echo "no statement in $document"; return 1; }
	comm -23 "$tmp/stated.sorted" "$tmp/listed.sorted" >"$tmp/bare"
	none_in "$tmp/bare" "of doc/threat-model.md: no line in\
 tests/data/threats.txt, as \"NUMBER name program:test\""
}

each_line_has_a_statement()
{
	comm -13 "$tmp/stated.sorted" "$tmp/listed.sorted" >"$tmp/lost"
	none_in "$tmp/lost" \
		'of tests/data/threats.txt: not in doc/threat-model.md'
}

# Only those that say so in the document need no test.
only_those_by_design_have_none()
{
	sed -n 's/^| \(T[0-9]*\) |[^|]*(by design) |.*/\1/p' "$document" |
		sort >"$tmp/design"
	sed -n 's/^\(T[0-9]*\) [^ ]* *-*$/\1/p' "$tmp/table" |
		sort >"$tmp/none"
	comm -13 "$tmp/design" "$tmp/none" >"$tmp/bare"
	comm -23 "$tmp/design" "$tmp/none" >"$tmp/tested"
	none_in "$tmp/bare" "without a test in tests/data/threats.txt, and not\
 (by design) in doc/threat-model.md" &&
		none_in "$tmp/tested" "(by design) in doc/threat-model.md, and\
 with a test in tests/data/threats.txt"
}

# run PROGRAM TEST: its TAP
run()
{
	case $1:$2 in
	*.sh:*) TAP_ONLY=$2 sh "$srcdir/tests/$1" ;;
	*:*.*.*)
		rest=${2#*.}
		"./tests/$1" -f "${2%%.*}" -v "${rest%%.*}" -t "${rest#*.}" ;;
	*:*.*) "./tests/$1" -f "${2%%.*}" -t "${2#*.}" ;;
	*) "./tests/$1" -t "$2" ;;
	esac
}

# in_source PROGRAM TEST: a test that is in no build is a slip of the pen.
in_source()
{
	source=$srcdir/tests/${1%.sh}.c word=${2##*.}
	case $1 in
	*.sh) source=$srcdir/tests/$1 ;;
	esac
	grep -F -e "${word%%[*?[]*}" "$source" >/dev/null 2>&1
}

# prove PROGRAM:TEST...: 0, or 77 if all are skipped, for the reasons in
# $tmp/why, or 1
prove()
{
	passed=0 failed=0
	: >"$tmp/why"
	for proof
	do
		program=${proof%%:*} test=${proof#*:}
		run "$program" "$test" >"$tmp/said" 2>&1
		status=$?
		if grep '^not ok' "$tmp/said" >/dev/null; then
			failed=1
			grep -v '^ok' "$tmp/said" | sed "s/^/$program: /"
		elif grep '^ok' "$tmp/said" | grep -v '# SKIP' >/dev/null; then
			passed=1
		elif grep '# SKIP' "$tmp/said" >/dev/null; then
			sed -n 's/.*# SKIP //p' "$tmp/said" >>"$tmp/why"
		elif in_source "$program" "$test"; then
			echo "not in this build" >>"$tmp/why"
			continue
		else
			echo "tests/data/threats.txt: no test is $proof"
			failed=1
			continue
		fi
		[ $status -eq 0 ] ||
			{ echo "$proof ended with $status"; failed=1; }
	done
	[ $failed -eq 0 ] || return 1
	[ $passed -eq 1 ] || return 77
}

failed()
{
	cat "$tmp/proof"
	false
}

ok each_number_is_used_once each_number_is_used_once
ok each_statement_has_a_line each_statement_has_a_line
ok each_line_has_a_statement each_line_has_a_statement
ok only_those_by_design_have_none only_those_by_design_have_none
while read -r number name tests <&3
do
	[ "${tests:--}" != - ] || continue
	# shellcheck disable=SC2086
	(set -f; prove $tests) >"$tmp/proof" 2>&1 </dev/null
	case $? in
	0) ok "${number}_$name" true ;;
	77) skip "${number}_$name" "$(sed 1q "$tmp/why")" ;;
	*) ok "${number}_$name" failed ;;
	esac
done 3<"$tmp/table"
tap_done
