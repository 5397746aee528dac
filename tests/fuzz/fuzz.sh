#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fuzz.sh - builds the decoders with libFuzzer, and runs them for a while
#
# Started by "make fuzz" in a build folder, after the library.  FUZZ_CC is a
# clang with its libraries for fuzzing, FUZZ_SECONDS how long.  In the folder
# fuzz/ are, afterwards, the corpus that was found and any input that does not
# do well (crash-*), which the program there takes as its argument.  Ends with 77
# if the compiler cannot do it.

: "${srcdir:=.}" "${FUZZ_CC:=clang}" "${FUZZ_SECONDS:=60}"
sanitize=-fsanitize=fuzzer,address,undefined

mkdir -p fuzz/corpus || exit 1
cat >fuzz/nothing.c <<'END'
#include <stddef.h>
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	return data == NULL && size > 0;
}
END
if ! $FUZZ_CC $sanitize -o fuzz/nothing fuzz/nothing.c >fuzz/nothing.log 2>&1 ||
	! fuzz/nothing -runs=1 >>fuzz/nothing.log 2>&1
then
	sed 's/^/fuzz: /' fuzz/nothing.log
	echo "fuzz: $FUZZ_CC cannot build or run a fuzzer"
	exit 77
fi

# The decoders and the tests are instrumented, the core need not be.
lib=
for try in .libs/libsecmalloc.so .libs/libsecmalloc.a
do
	if [ -z "$lib" ] && [ -f "$try" ]; then
		lib=$try
	fi
done
LD_LIBRARY_PATH=$PWD/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
# shellcheck disable=SC2086
$FUZZ_CC -std=c99 -O1 -g $sanitize -fno-sanitize-recover=all \
	-DHAVE_CONFIG_H -I. -I"$srcdir/src" -I"$srcdir/io" -I"$srcdir/tests" \
	-o fuzz/fuzz_decode "$srcdir/tests/fuzz/fuzz_decode.c" \
	"$srcdir/tests/t_decode.c" "$srcdir/io/base64.c" \
	"$srcdir/io/decode.c" "$srcdir/io/pem.c" "$srcdir/io/unhex.c" \
	"$lib" ${LIBS:-} || exit 1

fuzz/fuzz_decode -max_total_time="$FUZZ_SECONDS" -max_len=1024 -timeout=10 \
	-print_final_stats=1 -dict="$srcdir/tests/fuzz/decode.dict" \
	-artifact_prefix=fuzz/ fuzz/corpus "$srcdir/tests/fuzz/corpus" \
	>fuzz/log 2>&1
status=$?
if [ $status != 0 ]; then
	tail -n 60 fuzz/log
	echo "fuzz: failed; the whole log is fuzz/log"
	exit 1
fi
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' fuzz/log)
echo "fuzz: nothing found by $runs inputs"
[ "${runs:-0}" -gt 0 ]
