#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs into a folder of its own and is a user there: a small program is
# built with what pkg-config says, with secmalloc.m4, and statically, and runs.

: "${srcdir:=.}"
. "$srcdir/tests/tap.sh"

[ -n "${SECM_LIBDIR:-}" ] || skip_all "no folders known: run it by make check"
[ -z "${DESTDIR:-}" ] || unset DESTDIR

root=$tmp/root
lib=$root$SECM_LIBDIR
PKG_CONFIG_LIBDIR=$lib/pkgconfig
PKG_CONFIG_SYSROOT_DIR=$root
PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS PKG_CONFIG_ALLOW_SYSTEM_LIBS
: "${PKG_CONFIG:=pkg-config}"

# Not the jobserver of the make that runs this.
install_it()
{
	(unset MAKEFLAGS MFLAGS MAKELEVEL
	 exec $MAKE install DESTDIR="$root") >"$tmp/make" 2>&1 && return 0
	tail -n 20 "$tmp/make"
	return 1
}

cat >"$tmp/user.c" <<'END'
#include <errno.h>
#include <string.h>
#include <secmalloc.h>

int main(void)
{
	struct secmalloc_config config;
	char *p;

	memset(&config, 0, sizeof(config));
	config.size = sizeof(config);
	config.flags = SECMALLOC_BEST_EFFORT;
	if (secmalloc_init(&config) < 0)
		return 1;
	p = secmalloc(100);
	if (!p || secmalloc_usable_size(p) != 100)
		return 2;
	memset(p, 1, 100);
	secfree(p);
	return strcmp(secmalloc_version(), SECMALLOC_VERSION_STRING) ? 3 : 0;
}
END

run()
{
	LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$@" ||
		{ echo "exit status $?"; return 1; }
}

# build_from SOURCE OUTPUT FLAGS...
build_from()
{
	from=$1 out=$2
	shift 2
	# shellcheck disable=SC2086
	$CC $CPPFLAGS $CFLAGS $LDFLAGS -o "$out" "$from" "$@" $LIBS
}

# build OUTPUT FLAGS...
build()
{
	build_from "$tmp/user.c" "$@"
}

by_pkg_config()
{
	# shellcheck disable=SC2046
	build "$tmp/user1" $($PKG_CONFIG --cflags --libs secmalloc) &&
		run "$tmp/user1"
}

include_dir()
{
	$PKG_CONFIG --cflags-only-I secmalloc | sed 's/^-I//; s/ *$//'
}

pkg_config_version()
{
	v=$($PKG_CONFIG --modversion secmalloc) &&
		grep "^#define SECMALLOC_VERSION_STRING \"$v\"" \
			"$(include_dir)/secmalloc.h"
}

by_m4()
{
	mkdir "$tmp/m4" && cd "$tmp/m4" || return 1
	cat >configure.ac <<-'END'
	AC_INIT([user], [1])
	AC_PROG_CC
	SECMALLOC_CHECK([0.9], [found=yes])
	SECMALLOC_CHECK([99.0], [AC_MSG_ERROR([found a version of the future])], [:])
	SECMALLOC_CHECK
	AC_CONFIG_FILES([flags])
	AC_OUTPUT
	END
	cat >flags.in <<-'END'
	CFLAGS="@SECMALLOC_CFLAGS@" LIBS="@SECMALLOC_LIBS@" DEFS="@DEFS@"
	END
	aclocal -I "$root$SECM_M4DIR" && autoconf || return 1
	# LIBS of this build would hide what the macro forgot; CC has its own.
	env LIBS= ./configure "$@" || { cat config.log; return 1; }
	grep -e '-DHAVE_SECMALLOC=1' flags || { cat flags; return 1; }
	flags=$(sed -n 's/.*CFLAGS="\([^"]*\)" LIBS="\([^"]*\)".*/\1 \2/p' flags)
	# shellcheck disable=SC2086
	build "$tmp/user2" $flags && run "$tmp/user2"
}

m4_with_pkg_config()
{
	( by_m4 ) && rm -rf "$tmp/m4"
}

m4_without_pkg_config()
{
	( by_m4 PKG_CONFIG=false SECMALLOC_CFLAGS="-I$(include_dir)" \
		SECMALLOC_LIBS="-L$lib -lsecmalloc" ) && rm -rf "$tmp/m4"
}

by_static_library()
{
	private=$(sed -n 's/^Libs.private: *//p' "$lib/pkgconfig/secmalloc.pc")
	# shellcheck disable=SC2046,SC2086
	build "$tmp/user3" $($PKG_CONFIG --cflags secmalloc) \
		"$lib/libsecmalloc.a" $private && "$tmp/user3"
}

# build_cold OUTPUT FLAGS...
build_cold()
{
	sed -e 's/secmalloc\.h/secmalloc_cold.h/' \
		-e 's/memset(p, 1, 100);/secmalloc_cold_free(secmalloc_cold_freeze(p, 100));/' \
		-e 's/secmalloc_init(.*) < 0/& || secmalloc_cold_init(\&config) < 0/' \
		"$tmp/user.c" >"$tmp/cold.c"
	build_from "$tmp/cold.c" "$@"
}

cold_by_pkg_config()
{
	# shellcheck disable=SC2046
	build_cold "$tmp/cold1" $($PKG_CONFIG --cflags --libs secmalloc-cold) &&
		run "$tmp/cold1"
}

# build_io OUTPUT FLAGS...
build_io()
{
	sed -e 's/secmalloc\.h/secmalloc_io.h/' \
		-e 's/memset(p, 1, 100);/if (secmalloc_read(0, p, 100, NULL) != 3) return 4;/' \
		"$tmp/user.c" >"$tmp/io.c"
	build_from "$tmp/io.c" "$@"
}

io_by_pkg_config()
{
	# shellcheck disable=SC2046
	build_io "$tmp/io1" $($PKG_CONFIG --cflags --libs secmalloc-io) &&
		printf abc | run "$tmp/io1"
}

io_by_static_library()
{
	private=$(sed -n 's/^Libs.private: *//p' "$lib/pkgconfig/secmalloc-io.pc")
	# shellcheck disable=SC2046,SC2086
	build_io "$tmp/io2" $($PKG_CONFIG --cflags secmalloc-io) \
		"$lib/libsecmalloc-io.a" "$lib/libsecmalloc.a" $private &&
		printf abc | "$tmp/io2"
}

installs_no_stranger()
{
	(cd "$root" && find . -type f -o -type l) | grep -vE \
'/(bin/secmalloc(\.exe)?|include/secmalloc(_cold|_io)?\.h|libsecmalloc(-cold|-io)?\.(a|la|so|so\.[0-9.]+)|pkgconfig/secmalloc(-cold|-io)?\.pc|aclocal/secmalloc\.m4|man[137]/sec[a-z0-9_]*\.[137]|doc/.*)$' \
		>"$tmp/strange"
	[ ! -s "$tmp/strange" ] || { cat "$tmp/strange"; return 1; }
}

ok installs install_it
ok installs_no_stranger installs_no_stranger
if have "$PKG_CONFIG"; then
	ok pkg_config_has_the_version pkg_config_version
	if [ -f "$lib/libsecmalloc.so" ]; then
		ok program_builds_by_pkg_config by_pkg_config
		ok io_program_builds_by_pkg_config io_by_pkg_config
	else
		skip program_builds_by_pkg_config "no shared library was built"
	fi
	if [ -f "$lib/libsecmalloc-cold.so" ]; then
		ok cold_program_builds_by_pkg_config cold_by_pkg_config
	fi
	if have autoconf && have aclocal; then
		ok program_builds_by_m4 m4_with_pkg_config
		ok program_builds_by_m4_without_pkg_config m4_without_pkg_config
	else
		skip program_builds_by_m4 "no autoconf or no automake"
	fi
	if [ -f "$lib/libsecmalloc.a" ]; then
		ok program_builds_statically by_static_library
		ok io_program_builds_statically io_by_static_library
	else
		skip program_builds_statically "no static library was built"
	fi
else
	skip program_builds_by_pkg_config "no pkg-config"
	skip program_builds_by_m4 "no pkg-config"
	skip program_builds_statically "no pkg-config"
fi
tap_done
