#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the libraries define for others: exactly the list in src/secmalloc.sym
# from the shared one, nothing without our prefixes from the static one.  The
# header, the map and Debian's list have to name the same.  The same for
# libsecmalloc-io and, where it was built, libsecmalloc-cold.

: "${srcdir:=.}" "${NM:=nm}"
. "$srcdir/tests/tap.sh"
LC_ALL=C
export LC_ALL

# The functions that a C header declares: of each declaration outside braces
# the word before the first parenthesis.
declared()
{
	sed 's,/\*[^*]*\*/,,g' "$1" | awk '
	/^#ifdef __cplusplus/ { skip = 1 }
	/\/\*/ { comment = 1 }
	{
		line = $0
		if (skip || comment || more || /^#/)
			line = ""
		more = /\\$/ && (more || /^#/)
		text = text " " line
	}
	/\*\// { comment = 0 }
	/^#endif/ { skip = 0 }
	END {
		depth = 0
		for (i = 1; i <= length(text); i++) {
			c = substr(text, i, 1)
			if (c == "{")
				depth++
			if (depth == 0)
				out = out c
			if (c == "}")
				depth--
		}
		n = split(out, part, ";")
		for (i = 1; i <= n; i++)
			if (part[i] !~ /^ *typedef / &&
			    match(part[i], /[A-Za-z_][A-Za-z0-9_]* *\(/)) {
				name = substr(part[i], RSTART, RLENGTH)
				sub(/ *\($/, "", name)
				print name
			}
	}' | sort
}

same()
{
	diff "$1" "$2"
}

sorted()
{
	sort -c "$list"
}

# of_la KEY LIBRARY: where libtool put them.
of_la()
{
	sed -n "s/^$1='\(.*\)'/\1/p" "$2.la"
}

find_lib()
{
	name=$(of_la "$1" "$2" 2>/dev/null)
	[ -n "$name" ] || return 1
	for f in .libs/"$name" _libs/"$name"
	do
		if [ -f "$f" ]; then
			echo "$f"
			return 0
		fi
	done
	return 1
}

shared_exports()
{
	$NM -D --defined-only "$so" >"$tmp/nm" || return 1
	awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' "$tmp/nm" |
		sort >"$tmp/so"
	diff "$list" "$tmp/so"
}

shared_node()
{
	# Each of them in the node of the release; nm may not show versions.
	bare=$(awk '$2 != "A" && $3 !~ /@@SECMALLOC_((COLD|IO)_)?[0-9]/' "$tmp/nm")
	[ -z "$bare" ] || { echo "without version: $bare"; return 1; }
}

static_names()
{
	$NM -g "$a" >"$tmp/nma" || return 1
	bad=$(awk 'NF == 3 && $2 ~ /^[A-Z]$/ { print $3 }' "$tmp/nma" | grep -vE \
'^(__.*|_?sec(malloc(_[a-z0-9_]+)?|calloc|realloc|free)|_?secm_[a-z0-9_]+)$')
	[ -z "$bad" ] || { echo "other names: $bad"; return 1; }
}

static_complete()
{
	awk 'NF == 3 && $2 == "T" { print $3 }' "$tmp/nma" | sort >"$tmp/at"
	missing=$(comm -23 "$list" "$tmp/at")
	[ -z "$missing" ] || { echo "missing: $missing"; return 1; }
}

# examine PREFIX LIBRARY SOURCES PACKAGE: the tests' names begin with PREFIX.
examine()
{
	list=$3.sym
	sed -n '/^global:/,/^local:/s/^[ 	]*\([a-z0-9_]*\);$/\1/p' "$3.map" |
		sort >"$tmp/map"
	declared "$3.h" >"$tmp/header"
	ok "${1}list_is_sorted" sorted
	ok "${1}map_names_the_list" same "$list" "$tmp/map"
	ok "${1}header_declares_the_list" same "$list" "$tmp/header"
	symbols=$srcdir/debian/$4.symbols
	if [ -f "$symbols" ]; then
		sed -n 's/^ \([a-z0-9_]*\)@.*/\1/p' "$symbols" | sort >"$tmp/debian"
		ok "${1}debian_symbols_name_the_list" same "$list" "$tmp/debian"
	else
		skip "${1}debian_symbols_name_the_list" "no debian folder"
	fi
	if ! so=$(find_lib dlname "$2"); then
		skip "${1}shared_library_exports_the_list" \
			"no shared library was built"
	elif ! $NM -D --defined-only "$so" >/dev/null 2>&1; then
		skip "${1}shared_library_exports_the_list" "$NM cannot read it"
	else
		ok "${1}shared_library_exports_the_list" shared_exports
		if grep '@@' "$tmp/nm" >/dev/null; then
			ok "${1}exports_have_a_version" shared_node
		else
			skip "${1}exports_have_a_version" \
				"no version script, or an old nm"
		fi
	fi
	if a=$(find_lib old_library "$2"); then
		ok "${1}static_library_keeps_to_our_names" static_names
		ok "${1}static_library_is_complete" static_complete
	else
		skip "${1}static_library_keeps_to_our_names" \
			"no static library was built"
	fi
}

examine '' libsecmalloc "$srcdir/src/secmalloc" libsecmalloc0
if [ -f libsecmalloc-cold.la ]; then
	examine cold_ libsecmalloc-cold "$srcdir/src/cold/secmalloc_cold" \
		libsecmalloc-cold0
fi
examine io_ libsecmalloc-io "$srcdir/io/secmalloc_io" libsecmalloc-io0
tap_done
