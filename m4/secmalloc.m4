# SPDX-License-Identifier: FSFAP
#
# secmalloc.m4 - find libsecmalloc from configure.ac
#
# Copyright The secmalloc authors
#
# Copying and distribution of this file, with or without modification, are
# permitted in any medium without royalty provided the copyright notice and
# this notice are preserved.  This file is offered as-is, without any
# warranty.
#
# SECMALLOC_CHECK([MIN-VERSION], [IF-FOUND], [IF-NOT-FOUND])
#
# Looks for the library, at least MIN-VERSION ("major.minor" or
# "major.minor.patch") if that is given, and links a small program with it.
# If it works, SECMALLOC_CFLAGS and SECMALLOC_LIBS are substituted,
# HAVE_SECMALLOC is defined, and IF-FOUND is run; else IF-NOT-FOUND is run, or
# configure stops if there is none.
#
# Where it looks: the variables SECMALLOC_CFLAGS and SECMALLOC_LIBS if the user
# set either; else pkg-config, if it is there and knows the module; else the
# compiler's own directories.  Nothing is run, so it works in cross builds.

AC_DEFUN([SECMALLOC_CHECK], [
AC_REQUIRE([AC_PROG_CC])
AC_ARG_VAR([SECMALLOC_CFLAGS], [C compiler flags for secmalloc])
AC_ARG_VAR([SECMALLOC_LIBS], [linker flags for secmalloc])
AC_ARG_VAR([PKG_CONFIG], [path of the pkg-config program])
AC_PATH_TOOL([PKG_CONFIG], [pkg-config])

AC_MSG_CHECKING([for secmalloc]m4_ifval([$1], [[ >= $1]]))
secmalloc_min=m4_default([$1], [0])
secmalloc_min=`echo "$secmalloc_min.0.0" | sed 's/^\([[0-9]]*\)\.\([[0-9]]*\)\.\([[0-9]]*\).*/(\1 * 1000000L + \2 * 1000L + \3)/'`
secmalloc_user_CFLAGS=$SECMALLOC_CFLAGS
secmalloc_user_LIBS=$SECMALLOC_LIBS
AS_IF([test -z "$SECMALLOC_CFLAGS$SECMALLOC_LIBS"], [
	AS_IF([test -n "$PKG_CONFIG" && $PKG_CONFIG --exists secmalloc 2>/dev/null], [
		SECMALLOC_CFLAGS=`$PKG_CONFIG --cflags secmalloc 2>/dev/null`
		SECMALLOC_LIBS=`$PKG_CONFIG --libs secmalloc 2>/dev/null`
	], [SECMALLOC_LIBS=-lsecmalloc])
])
secmalloc_save_CFLAGS=$CFLAGS
secmalloc_save_LIBS=$LIBS
CFLAGS="$CFLAGS $SECMALLOC_CFLAGS"
LIBS="$SECMALLOC_LIBS $LIBS"
AC_LINK_IFELSE([AC_LANG_SOURCE([[
#include <secmalloc.h>
typedef char version_is_new_enough[SECMALLOC_VERSION_MAJOR * 1000000L +
	SECMALLOC_VERSION_MINOR * 1000L + SECMALLOC_VERSION_PATCH >=
	$secmalloc_min ? 1 : -1];
int main(void)
{
	return secmalloc_version()[0] == 0;
}
]])], [secmalloc_found=yes], [secmalloc_found=no])
CFLAGS=$secmalloc_save_CFLAGS
LIBS=$secmalloc_save_LIBS
AC_MSG_RESULT([$secmalloc_found])
AS_IF([test "$secmalloc_found" = yes], [
	AC_DEFINE([HAVE_SECMALLOC], [1], [Define to 1 if libsecmalloc is there.])
	$2
], [
	SECMALLOC_CFLAGS=$secmalloc_user_CFLAGS
	SECMALLOC_LIBS=$secmalloc_user_LIBS
	m4_default([$3], [AC_MSG_ERROR([libsecmalloc]m4_ifval([$1], [[ >= $1]])[ was not found])])
])
])
