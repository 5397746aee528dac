#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Rules for the source tree that a machine can check: where system calls may
# be, how long a file may get, what its first line is.

: "${srcdir:=.}"
. "$srcdir/tests/tap.sh"

# Prints nothing and succeeds if grep finds nothing.
none()
{
	! grep -nE "$@"
}

# But for the one that writes the last line of a process.
cold_sources()
{
	ls "$srcdir"/src/cold/*.[ch] | grep -v '/die\.c$'
}

core_has_no_os_header()
{
	# shellcheck disable=SC2046
	none '^[ 	]*#[ 	]*include[ 	]*<(sys/(mman|syscall|prctl|resource|ptrace|uio|wait|stat|random)\.h|linux/|asm/|unistd\.h|fcntl\.h|signal\.h)' \
		"$srcdir"/src/*.[ch] $(cold_sources)
}

core_has_no_os_macro()
{
	none '(__linux__|__FreeBSD__|__OpenBSD__|__NetBSD__|__APPLE__|__sun|__unix__|__GLIBC__|_WIN32)' \
		"$srcdir"/src/*.[ch] "$srcdir"/src/arch/* "$srcdir"/src/cold/*.[ch]
}

# Calls, not words in comments and strings.
core_makes_no_os_call()
{
	bad=0
	for f in "$srcdir"/src/*.[ch]
	do
		sed -e 's,/\*.*\*/,,' -e '/^ *\/\*/,/\*\//d' \
			-e 's/"[^"]*"//g' "$f" | grep -nE \
'(^|[^a-z_0-9])(mmap|munmap|mprotect|madvise|mlock|munlock|syscall|prctl|getpid|getenv|printf|malloc|calloc|realloc|free)\(' |
			sed "s,^,${f##*/}:," >"$tmp/calls"
		if [ -s "$tmp/calls" ]; then
			cat "$tmp/calls"
			bad=1
		fi
	done
	return $bad
}

# But for programs' own: src/tool/.
environment_is_asked_once()
{
	grep -lE '(getenv|environ)[ 	]*[(;]' "$srcdir"/src/*.[ch] \
		"$srcdir"/src/arch/*.[ch] "$srcdir"/linux/*.[ch] \
		"$srcdir"/fallback/*.[ch] | sed 's,.*/\([^/]*/[^/]*\)$,\1,' |
		sort >"$tmp/who"
	for f in linux fallback
	do
		sed -n "s,[^\"]*\"\([A-Za-z_]*\)\"[^\"]*,$f/environ.c: \1,p" \
			"$srcdir/$f/environ.c"
	done >"$tmp/names"
	for f in fallback linux
	do
		echo "$f/environ.c"
	done | diff - "$tmp/who" &&
	for f in linux fallback
	do
		echo "$f/environ.c: SECMALLOC_CONF"
	done | diff - "$tmp/names"
}

backends_include_each_other_not()
{
	none '#[ 	]*include[ 	]*"(\.\./|fallback)' "$srcdir"/linux/*.[ch] &&
	none '#[ 	]*include[ 	]*"(\.\./|linux|uapi)' \
		"$srcdir"/fallback/*.[ch]
}

all_sources()
{
	for f in "$srcdir"/src/*.[ch] "$srcdir"/src/tool/*.[ch] \
		"$srcdir"/src/cold/*.[ch] "$srcdir"/src/arch/*.[chS] "$srcdir"/tests/*.S \
		"$srcdir"/linux/*.[ch] "$srcdir"/fallback/*.[ch] \
		"$srcdir"/io/*.[ch] "$srcdir"/io/*/*.[ch] \
		"$srcdir"/tests/*.[ch] "$srcdir"/tests/bench/*.[ch] \
		"$srcdir"/tests/fuzz/*.[ch] "$srcdir"/doc/examples/*.c
	do
		[ ! -f "$f" ] || echo "$f"
	done
}

files_are_short()
{
	bad=0
	for f in $(all_sources)
	do
		case $f in
		*/secmalloc.h | */secmalloc_io.h)
			continue ;; # they are the reference, too
		esac
		lines=$(($(wc -l <"$f")))
		if [ $lines -gt 400 ]; then
			echo "$f: $lines lines"
			bad=1
		fi
	done
	return $bad
}

first_line_is_the_licence()
{
	bad=0
	for f in $(all_sources)
	do
		case $(sed 1q "$f") in
		'/* SPDX-License-Identifier: '*' */') ;;
		*) echo "$f"; bad=1 ;;
		esac
	done
	for f in "$srcdir"/configure.ac "$srcdir"/Makefile.am \
		"$srcdir"/*/Makemodule.am "$srcdir"/*/*/Makemodule.am \
		"$srcdir"/m4/sec*.m4 "$srcdir"/tests/bench/*.awk \
		"$srcdir"/tests/*.sh "$srcdir"/tests/fuzz/*.sh \
		"$srcdir"/quickstart "$srcdir"/autogen.sh
	do
		case $(sed 2q "$f") in
		*SPDX-License-Identifier:*) ;;
		*) echo "$f"; bad=1 ;;
		esac
	done
	return $bad
}

# A function body is what is between a "{" and a "}" that start their lines.
no_condition_inside_a_function()
{
	all_sources | grep -v '/tests/' | xargs awk '
	FNR == 1 { inside = 0; open = 0 }
	/^[a-z].*\)$/ { open = 1 }
	/^\{/ { if (open) inside = 1 }
	/^\}/ { inside = 0 }
	/^[ 	]*#[ 	]*(if|ifdef|ifndef|else|elif)/ && inside {
		print FILENAME ":" FNR ": " $0
		bad = 1
	}
	/;$/ { open = 0 }
	END { exit bad }'
}

no_trailing_blanks()
{
	# shellcheck disable=SC2046
	none '[ 	]$' $(all_sources)
}

# A file that no list has is not built, or not in the tarball.
all_are_listed()
{
	bad=0
	sed -n 's/[\\ 	]\{1,\}/\
/gp' "$srcdir"/*/Makemodule.am "$srcdir"/*/*/Makemodule.am >"$tmp/lists"
	for f in $(all_sources) "$srcdir"/tests/*.sh "$srcdir"/tests/fuzz/*.sh \
		"$srcdir"/tests/fuzz/*.dict "$srcdir"/tests/fuzz/corpus/*
	do
		path=${f#"$srcdir"/}
		grep -Fx -e "$path" -e "${path%.c}" "$tmp/lists" >/dev/null ||
			{ echo "no Makemodule.am has $path"; bad=1; }
	done
	return $bad
}

# A HAVE_ that configure never heard of is 0 everywhere, and nobody notices.
answers_were_asked_for()
{
	bad=0
	# shellcheck disable=SC2046
	for name in $(cat $(all_sources) | tr -c 'A-Z0-9_' '\n' |
		grep '^HAVE_.*[A-Z0-9]$' | sort -u | grep -v '^HAVE_CONFIG_H$')
	do
		grep -w "$name" "$srcdir/config.h.in" >/dev/null ||
			{ echo "configure.ac does not ask for $name"; bad=1; }
	done
	return $bad
}

ok core_includes_no_os_header core_has_no_os_header
ok core_asks_for_no_os core_has_no_os_macro
ok core_makes_no_os_call core_makes_no_os_call
ok one_environment_variable_is_read environment_is_asked_once
ok backends_are_independent backends_include_each_other_not
ok files_have_400_lines_at_most files_are_short
ok first_line_is_the_licence first_line_is_the_licence
ok functions_have_no_preprocessor_conditions no_condition_inside_a_function
ok every_file_is_in_a_makefile all_are_listed
ok configure_asks_what_sources_use answers_were_asked_for
ok no_line_ends_in_blanks no_trailing_blanks
tap_done
