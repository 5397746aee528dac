#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Each public function and the command have a man page, each page is installed,
# and a formatter has nothing to say about it.

: "${srcdir:=.}"
. "$srcdir/tests/tap.sh"

man=$srcdir/doc/man

page_of_each_function()
{
	bad=0
	for name in $(cat "$srcdir/src/secmalloc.sym" \
		"$srcdir/src/cold/secmalloc_cold.sym" \
		"$srcdir/io/secmalloc_io.sym")
	do
		if [ ! -f "$man/$name.3" ]; then
			echo "no doc/man/$name.3"
			bad=1
		fi
	done
	return $bad
}

aliases_lead_somewhere()
{
	bad=0
	for page in "$man"/*.[137]
	do
		to=$(sed -n 's,^\.so man[137]/,,p' "$page")
		if [ -n "$to" ] && [ ! -f "$man/$to" ]; then
			echo "${page##*/}: no $to"
			bad=1
		fi
		if [ -n "$to" ] && [ "${page##*.}" = 3 ]; then
			name=${page##*/}
			grep "${name%.3}" "$man/$to" >/dev/null ||
				{ echo "$to does not mention ${name%.3}"; bad=1; }
		fi
	done
	return $bad
}

all_are_installed()
{
	bad=0
	for page in "$man"/*.[137]
	do
		case " $SECM_MANS " in
		*" doc/man/${page##*/} "*) ;;
		*) echo "doc/Makemodule.am does not list ${page##*/}"; bad=1 ;;
		esac
	done
	return $bad
}

# Of libsecmalloc-io, by name: a pattern would take those of the core, too.
debian_has_the_list_of_io()
{
	for page in $SECM_IO_MANS
	do
		echo "usr/share/man/man3/${page##*/}"
	done | sort | diff - "$srcdir/debian/libsecmalloc-io-dev.manpages"
}

# What that list lacks would be packaged as a page of the core.
pages_of_io_are_in_its_list()
{
	bad=0
	for name in $(cat "$srcdir/io/secmalloc_io.sym")
	do
		case " $SECM_IO_MANS " in
		*" doc/man/$name.3 "*) ;;
		*) echo "io_mans has no $name.3"; bad=1 ;;
		esac
	done
	return $bad
}

lint()
{
	bad=0
	for page in "$man"/*.[137]
	do
		grep '^\.so ' "$page" >/dev/null && continue
		"$@" "$page" >"$tmp/lint" 2>&1
		if [ -s "$tmp/lint" ]; then
			cat "$tmp/lint"
			bad=1
		fi
	done
	return $bad
}

mandoc_lint()
{
	lint mandoc -T lint -W warning
}

groff_lint()
{
	lint groff -man -Tutf8 -ww -z
}

ok command_has_a_page test -f "$man/secmalloc.1"
ok overview_has_a_page test -f "$man/secmalloc.7"
ok each_function_has_a_page page_of_each_function
ok aliases_lead_somewhere aliases_lead_somewhere
if [ -n "${SECM_MANS:-}" ]; then
	ok all_pages_are_installed all_are_installed
else
	skip all_pages_are_installed "run it by make check"
fi
if [ -n "${SECM_IO_MANS:-}" ]; then
	ok pages_of_io_are_in_its_list pages_of_io_are_in_its_list
	if [ -d "$srcdir/debian" ]; then
		ok debian_has_the_list_of_io debian_has_the_list_of_io
	else
		skip debian_has_the_list_of_io "no debian folder"
	fi
else
	skip pages_of_io_are_in_its_list "run it by make check"
	skip debian_has_the_list_of_io "run it by make check"
fi
if have mandoc; then
	ok mandoc_has_no_complaint mandoc_lint
else
	skip mandoc_has_no_complaint "no mandoc"
fi
if have groff; then
	ok groff_has_no_complaint groff_lint
else
	skip groff_has_no_complaint "no groff"
fi
tap_done
