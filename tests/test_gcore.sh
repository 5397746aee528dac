#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a debugger writes to a file of a process that it stops, even when it is
# told to take what the kernel leaves out of dumps: memory that others can read,
# and nothing that is hidden.

: "${srcdir:=.}" "${CC:=cc}"
. "$srcdir/tests/tap.sh"
. "$srcdir/tests/t_planted.sh"

# Has a secret in an object, or with an argument in ordinary memory; no piece of
# it is in the program, nor is it anywhere else.  0: the object is hidden.
cat >"$tmp/holder.c" <<'END'
#include <secmalloc.h>
#include <stdlib.h>
static volatile char *secret;
void stop_here(void)
{
	secret[0] = secret[0];
}
int main(int argc, char **argv)
{
	struct secmalloc_config c = { 0 };
	struct secmalloc_report r = { 0 };
	int i;

	(void)argv;
	c.hibernation = SECMALLOC_HIBERNATION_GIVE_UP;
	c.flags = SECMALLOC_BEST_EFFORT;
	r.size = sizeof(r);
	if (secmalloc_init(&c) != 0 || secmalloc_report(&r) != 0)
		return 9;
	secret = argc == 1 ? secmalloc(64) : malloc(64);
	if (!secret)
		return 9;
	for (i = 0; i < 64; i++)
		secret[i] = (char)('A' + i * 7 % 26);
	stop_here();
	return secmalloc_report(&r) != 0 ||
	       !(r.tier[SECMALLOC_TIER_SECRET].mapped);
}
END
secret=AHOVCJQXELSZGNUBIPWDKRYFMTAHOVCJQXELSZGNUBIPWDKRYFMTAHOVCJQXELSZ

# With little address space, as the debugger writes all that is reserved.
cat >"$tmp/little" <<'END'
#!/bin/sh
ulimit -v 49152 && exec "$@"
END
chmod +x "$tmp/little"

# shows ARG...: the debugger's file of the program has the secret
shows()
{
	rm -f "$tmp/core"
	(ulimit -f 262144 && gdb -nx -batch -ex 'set use-coredump-filter off' \
		-ex 'set dump-excluded-mappings on' \
		-ex "set exec-wrapper $tmp/little" -ex 'break stop_here' \
		-ex run -ex "gcore $tmp/core" --args "$tmp/holder" "$@" \
		</dev/null >"$tmp/gdb" 2>&1)
	[ -f "$tmp/core" ] && grep -a "$secret" "$tmp/core" >/dev/null
}

hidden_memory_is_not_in_it()
{
	if shows || [ ! -f "$tmp/core" ]; then
		cat "$tmp/gdb"
		return 1
	fi
}

case " $CFLAGS $LDFLAGS " in
*-fsanitize*) skip_all "sanitizer build: there is too much to dump" ;;
esac
have gdb || skip_all "no gdb"
# shellcheck disable=SC2086
$CC $CPPFLAGS $CFLAGS -g -I"$srcdir/src" $LDFLAGS -o "$tmp/holder" \
	"$tmp/holder.c" "$planted_lib" $LIBS >"$tmp/cc" 2>&1 || {
	sed 's/^/# /' "$tmp/cc"
	skip_all "no program can be built"
}
shows control || skip_all "control: gdb writes nothing of ordinary memory"
if "$tmp/holder"; then
	ok hidden_memory_is_not_in_it hidden_memory_is_not_in_it
else
	skip hidden_memory_is_not_in_it "no hidden memory here"
	ok other_memory_is shows
fi
tap_done
