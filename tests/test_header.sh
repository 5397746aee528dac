#!/bin/sh
# SPDX-License-Identifier: MIT
#
# secmalloc.h alone is a whole translation unit in every dialect of C since
# C89 and in C++, without a warning; so are secmalloc_cold.h and secmalloc_io.h.

: "${srcdir:=.}"
. "$srcdir/tests/tap.sh"

printf '#include <secmalloc.h>\n%s\n' 'extern int use(struct secmalloc_report *r);' \
	>"$tmp/t.c"
printf '#include <secmalloc_cold.h>\n%s\n' \
	'extern int use(struct secmalloc_cold_report *r);' >"$tmp/tc.c"
printf '#include <secmalloc_io.h>\n%s\n' \
	'extern int use(const struct timespec *deadline, ssize_t size);' \
	>"$tmp/ti.c"
printf '#include <secmalloc.h>\n#include <secmalloc.h>\n%s\n' \
	'int twice(void);' >"$tmp/t2.c"
printf '#include <secmalloc_cold.h>\n#include <secmalloc_cold.h>\n%s\n' \
	'int twice(void);' >"$tmp/tc2.c"
printf '#include <secmalloc_io.h>\n#include <secmalloc_io.h>\n%s\n' \
	'int twice(void);' >"$tmp/ti2.c"
cp "$tmp/t.c" "$tmp/t.cc"
cp "$tmp/tc.c" "$tmp/tc.cc"
cp "$tmp/ti.c" "$tmp/ti.cc"

# compile LANGUAGE-FLAGS SOURCE COMPILER...
compile()
{
	flags=$1 source=$2
	shift 2
	# shellcheck disable=SC2086
	"$@" $flags -I"$srcdir/src" -I"$srcdir/src/cold" -I"$srcdir/io" \
		-c -o "$tmp/t.o" "$source"
}

strict='-pedantic-errors -Wall -Wextra -Werror'
for std in c90 c99 c11 c17 c2x
do
	if ! echo 'int x;' | $CC -std=$std -x c -c -o "$tmp/x.o" - 2>/dev/null
	then
		skip "compiles_as_$std" "$CC has no -std=$std"
		continue
	fi
	ok "compiles_as_$std" compile "-std=$std $strict" "$tmp/t.c" $CC
	ok "cold_compiles_as_$std" compile "-std=$std $strict" "$tmp/tc.c" $CC
	ok "io_compiles_as_$std" compile "-std=$std $strict" "$tmp/ti.c" $CC
done
ok compiles_included_twice compile "" "$tmp/t2.c" $CC
ok cold_compiles_included_twice compile "" "$tmp/tc2.c" $CC
ok io_compiles_included_twice compile "" "$tmp/ti2.c" $CC

cxx=
for try in ${CXX:-} g++ c++ clang++
do
	if have "$try"; then
		cxx=$try
		break
	fi
done
if [ -n "$cxx" ]; then
	ok compiles_as_cxx98 compile "-std=c++98 $strict" "$tmp/t.cc" "$cxx"
	ok cold_compiles_as_cxx98 compile "-std=c++98 $strict" "$tmp/tc.cc" \
		"$cxx"
	ok io_compiles_as_cxx98 compile "-std=c++98 $strict" "$tmp/ti.cc" "$cxx"
	ok compiles_as_cxx17 compile "-std=c++17 $strict" "$tmp/t.cc" "$cxx"
	ok io_compiles_as_cxx17 compile "-std=c++17 $strict" "$tmp/ti.cc" "$cxx"
else
	skip compiles_as_cxx98 "no C++ compiler"
	skip compiles_as_cxx17 "no C++ compiler"
fi

# A scope whose variable nobody looks at does what it is for; C++ has rules of
# its own for that.
cat >"$tmp/scopes.c" <<'END'
#include <secmalloc.h>
int use(const void *p, secmalloc_heap *heap, secmalloc_key *key);
int use(const void *p, secmalloc_heap *heap, secmalloc_key *key)
{
	SECMALLOC_SCOPE(of_object, p, SECMALLOC_READONLY);
	SECMALLOC_HEAP_SCOPE(of_heap, heap, SECMALLOC_READWRITE);
	SECMALLOC_KEY_READ(bytes, key);
	SECMALLOC_KEY_WRITE(same, key);

	return 0;
}
END
cp "$tmp/scopes.c" "$tmp/scopes.cc"
ok scopes_compile_unused compile "-std=c99 $strict" "$tmp/scopes.c" $CC
for try in g++ clang++
do
	if have "$try"; then
		ok "scopes_compile_unused_with_$try" compile \
			"-std=c++98 $strict" "$tmp/scopes.cc" "$try"
	else
		skip "scopes_compile_unused_with_$try" "no $try"
	fi
done

version_agrees()
{
	want=$(sed -n "s/^Version: //p" secmalloc.pc)
	printf '#include <secmalloc.h>\nv=SECMALLOC_VERSION_STRING %s\n' \
		'n=SECMALLOC_VERSION_MAJOR.SECMALLOC_VERSION_MINOR.SECMALLOC_VERSION_PATCH' \
		>"$tmp/v.c"
	$CC -E -I"$srcdir/src" "$tmp/v.c" | tr -d ' ' >"$tmp/v.out" || return 1
	grep "^v=\"$want\"" "$tmp/v.out" ||
		{ echo "version string is not $want"; return 1; }
	for part in MAJOR MINOR PATCH
	do
		sed -n "s/^#define SECMALLOC_VERSION_$part //p" \
			"$srcdir/src/secmalloc.h"
	done | tr '\n' '.' | grep "^$want\.\$" ||
		{ echo "version numbers are not $want"; return 1; }
}
ok version_is_that_of_configure version_agrees
tap_done
