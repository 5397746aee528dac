#!/bin/sh
# SPDX-License-Identifier: MIT
#
# summary.sh LOG... - the last words of "make check"
#
# Reads automake's results of a run (the .trs and .log file of each test) and
# prints one line for each skip, "skip: PROGRAM: TEST # SKIP why", one for each
# failure, "fail: PROGRAM: TEST", with what the test said, and at the end
# "N passed, N failed, N skipped".  Exits 1 if anything failed or left no result.
# Called by tests/Makemodule.am only.

for log
do
	shift
	trs=${log%.log}.trs
	if test -r "$trs" && test -r "$log"; then
		set -- "$@" "$trs" "$log"
	else
		echo "fail: ${log%.log}: no result"
		set -- "$@" missing=x
	fi
done

exec "${AWK:-awk}" '
# The driver writes "SKIP: path number name # SKIP why", and "SKIP: path - why"
# if the whole program was skipped.
function say(what, program) {
	sub(/^[A-Z]+: [^ ]+ */, "")
	if (what == "skip" && /^- /)
		sub(/^- /, "all # SKIP ")
	sub(/^[0-9]+ */, "")
	sub(/^- */, "")
	print what ": " program ": " $0
}
BEGIN {
	for (i = 1; i < ARGC; i++)
		if (ARGV[i] == "missing=x")
			failed++
}
FNR == 1 {
	said = ""
	lines = 0
}
FILENAME ~ /\.trs$/ {
	if ($1 != ":test-result:")
		next
	if ($2 == "PASS" || $2 == "XFAIL")
		passed++
	else if ($2 == "SKIP")
		skipped++
	else
		failed++
	next
}
/^#/ {
	if (lines++ < 20)
		said = said "   " $0 "\n"
	next
}
/^(SKIP|FAIL|XPASS|ERROR): / {
	program = FILENAME
	gsub(/^.*\/|\.log$/, "", program)
	path = $2
	gsub(/^.*\/|\.sh$/, "", path)
	if (path == program && $1 == "SKIP:")
		say("skip", program)
	else if (path == program) {
		say("fail", program)
		printf "%s", said
	}
}
!/^not ok/ {
	said = ""
	lines = 0
}
END {
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed > 0
}' "$@" /dev/null
