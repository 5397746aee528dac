# SPDX-License-Identifier: MIT
#
# t_planted.sh - builds t_planted.c; read with "." by test_valgrind.sh and
# test_asan.sh, after tap.sh
#
#   plant OUTPUT FLAGS...       builds it against what was just built, or ends
#                               the script
#   plant_nothing OUTPUT FLAGS...
#                               builds a program that does nothing, or loses
#                               memory if it has an argument

# The library that was built: shared if there is one.
planted_lib=
for planted_try in .libs/libsecmalloc.so .libs/libsecmalloc.a
do
	if [ -f "$planted_try" ]; then
		planted_lib=$planted_try
		break
	fi
done
LD_LIBRARY_PATH=$PWD/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH

# No optimization: an access that is of no use has to stay.  Not all that
# valgrind is used with reads the notes for debuggers that compilers make today.
plant()
{
	planted_out=$1
	shift
	# shellcheck disable=SC2086
	$CC $CPPFLAGS $CFLAGS -gdwarf-4 -O0 "$@" -I"$srcdir/src" $LDFLAGS \
		-o "$planted_out" "$srcdir/tests/t_planted.c" \
		"$srcdir/tests/t_planted_bugs.c" "$planted_lib" $LIBS >"$tmp/cc" 2>&1 && return
	sed 's/^/# /' "$tmp/cc"
	echo "Bail out! cannot build t_planted.c"
	exit 1
}

plant_nothing()
{
	planted_out=$1
	shift
	cat >"$tmp/nothing.c" <<-'END'
	#include <stdlib.h>
	static void *volatile p;
	int main(int argc, char **argv)
	{
		int i;

		for (i = 0; i < 9 * (argc - 1); i++)
			p = malloc(9);
		p = argv;
		return 0;
	}
	END
	# shellcheck disable=SC2086
	$CC $CPPFLAGS $CFLAGS -g -O0 "$@" $LDFLAGS -o "$planted_out" \
		"$tmp/nothing.c" $LIBS >"$tmp/cc" 2>&1
}
