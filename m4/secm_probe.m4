# SPDX-License-Identifier: MIT
#
# The questions that configure.ac asks more than once, or that take more than
# a line.  Each links or compiles the real thing; none runs a program, so that
# cross builds get the same answers.

# SECM_CHECK_CFLAG(FLAG): adds FLAG to SECM_CFLAGS if the compiler takes it.
# The program is written out: older AC_LANG_PROGRAM trips -Wstrict-prototypes.
AC_DEFUN([SECM_CHECK_CFLAG], [
	AS_VAR_PUSHDEF([secm_cv], [secm_cv_cflag_$1])
	AC_CACHE_CHECK([whether $CC accepts $1], [secm_cv], [
		secm_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $1"
		AC_COMPILE_IFELSE(
			[AC_LANG_SOURCE([[int main(void) { return 0; }]])],
			[AS_VAR_SET([secm_cv], [yes])],
			[AS_VAR_SET([secm_cv], [no])])
		CFLAGS=$secm_save_CFLAGS
	])
	AS_VAR_IF([secm_cv], [yes], [SECM_CFLAGS="$SECM_CFLAGS $1"])
	AS_VAR_POPDEF([secm_cv])
])

# SECM_CHECK_LDFLAG(FLAG): adds FLAG to SECM_LDFLAGS if the linker takes it.
AC_DEFUN([SECM_CHECK_LDFLAG], [
	AS_VAR_PUSHDEF([secm_cv], [secm_cv_ldflag_$1])
	AC_CACHE_CHECK([whether the linker accepts $1], [secm_cv], [
		secm_save_LDFLAGS=$LDFLAGS
		LDFLAGS="$LDFLAGS $1"
		AC_LINK_IFELSE(
			[AC_LANG_SOURCE([[int main(void) { return 0; }]])],
			[AS_VAR_SET([secm_cv], [yes])],
			[AS_VAR_SET([secm_cv], [no])])
		LDFLAGS=$secm_save_LDFLAGS
	])
	AS_VAR_IF([secm_cv], [yes], [SECM_LDFLAGS="$SECM_LDFLAGS $1"])
	AS_VAR_POPDEF([secm_cv])
])

# SECM_VERSION_SCRIPT: secm_cv_version_script says whether a shared object can
# be linked by a map file with a named node.
AC_DEFUN([SECM_VERSION_SCRIPT], [
	AC_CACHE_CHECK([whether the linker takes a version script],
		[secm_cv_version_script], [
		printf '%s\n' 'NODE_0 { global: secm_f; local: *; };' \
			>conftest.map
		secm_save_LDFLAGS=$LDFLAGS
		secm_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -fPIC"
		LDFLAGS="$LDFLAGS -shared -Wl,--version-script=conftest.map"
		AC_LINK_IFELSE(
			[AC_LANG_SOURCE([[
int secm_f(void);
int secm_f(void) { return 0; }
			]])],
			[secm_cv_version_script=yes],
			[secm_cv_version_script=no])
		LDFLAGS=$secm_save_LDFLAGS
		CFLAGS=$secm_save_CFLAGS
		rm -f conftest.map
	])
])

# SECM_VALGRIND_REQUESTS: secm_cv_valgrind_requests says whether the header of
# memcheck's client requests is there and has what src/annotate.c wants.
AC_DEFUN([SECM_VALGRIND_REQUESTS], [
	AC_CACHE_CHECK([for valgrind/memcheck.h],
		[secm_cv_valgrind_requests], [
		AC_LINK_IFELSE([AC_LANG_SOURCE([[
#include <valgrind/memcheck.h>
int main(void)
{
	char p[16];

	VALGRIND_MALLOCLIKE_BLOCK(p, 16, 0, 1);
	VALGRIND_RESIZEINPLACE_BLOCK(p, 16, 8, 0);
	VALGRIND_FREELIKE_BLOCK(p, 0);
	VALGRIND_STACK_DEREGISTER(VALGRIND_STACK_REGISTER(p, p + 15));
	(void)VALGRIND_MAKE_MEM_NOACCESS(p, 16);
	(void)VALGRIND_MAKE_MEM_DEFINED(p, 16);
	VALGRIND_DISABLE_ERROR_REPORTING;
	VALGRIND_ENABLE_ERROR_REPORTING;
	return VALGRIND_GET_VBITS(p, p, 1) == 1;
}
			]])], [secm_cv_valgrind_requests=yes],
			[secm_cv_valgrind_requests=no])
	])
])

# SECM_LIBSODIUM: secm_cv_libsodium says whether libsodium has what src/cold/
# wants; LIBSODIUM_CFLAGS and LIBSODIUM_LIBS are substituted.  They are the
# user's, or pkg-config's, or the compiler finds it by itself.
AC_DEFUN([SECM_LIBSODIUM], [
	AC_ARG_VAR([LIBSODIUM_CFLAGS], [C compiler flags for libsodium])
	AC_ARG_VAR([LIBSODIUM_LIBS], [linker flags for libsodium])
	AC_ARG_VAR([PKG_CONFIG], [path of the pkg-config program])
	AC_PATH_TOOL([PKG_CONFIG], [pkg-config])
	AS_IF([test -z "$LIBSODIUM_CFLAGS$LIBSODIUM_LIBS"], [
		AS_IF([test -n "$PKG_CONFIG" && $PKG_CONFIG --exists libsodium 2>/dev/null], [
			LIBSODIUM_CFLAGS=`$PKG_CONFIG --cflags libsodium`
			LIBSODIUM_LIBS=`$PKG_CONFIG --libs libsodium`
		], [LIBSODIUM_LIBS=-lsodium])
	])
	AC_CACHE_CHECK([for libsodium], [secm_cv_libsodium], [
		secm_save_CFLAGS=$CFLAGS
		secm_save_LIBS=$LIBS
		CFLAGS="$CFLAGS $LIBSODIUM_CFLAGS"
		LIBS="$LIBSODIUM_LIBS $LIBS"
		AC_LINK_IFELSE([AC_LANG_SOURCE([[
#include <sodium.h>
int main(void)
{
	unsigned char a[32] = { 0 }, b[48];

	if (sodium_init() < 0 || crypto_shorthash(b, a, 32, a) != 0)
		return 1;
	return crypto_aead_xchacha20poly1305_ietf_encrypt(b, NULL, a, 32, a, 32,
							  NULL, a, a) ||
	       crypto_aead_xchacha20poly1305_ietf_decrypt(a, NULL, NULL, b, 48,
							  a, 32, a, a);
}
			]])], [secm_cv_libsodium=yes], [secm_cv_libsodium=no])
		CFLAGS=$secm_save_CFLAGS
		LIBS=$secm_save_LIBS
	])
])

# SECM_LIBURING: secm_cv_liburing says whether liburing has what io/ wants;
# LIBURING_CFLAGS and LIBURING_LIBS are found as those of libsodium.
AC_DEFUN([SECM_LIBURING], [
	AC_ARG_VAR([LIBURING_CFLAGS], [C compiler flags for liburing])
	AC_ARG_VAR([LIBURING_LIBS], [linker flags for liburing])
	AC_ARG_VAR([PKG_CONFIG], [path of the pkg-config program])
	AC_PATH_TOOL([PKG_CONFIG], [pkg-config])
	AS_IF([test -z "$LIBURING_CFLAGS$LIBURING_LIBS"], [
		AS_IF([test -n "$PKG_CONFIG" && $PKG_CONFIG --exists liburing 2>/dev/null], [
			LIBURING_CFLAGS=`$PKG_CONFIG --cflags liburing`
			LIBURING_LIBS=`$PKG_CONFIG --libs liburing`
		], [LIBURING_LIBS=-luring])
	])
	AC_CACHE_CHECK([for liburing], [secm_cv_liburing], [
		secm_save_CFLAGS=$CFLAGS
		secm_save_LIBS=$LIBS
		CFLAGS="$CFLAGS $LIBURING_CFLAGS"
		LIBS="$LIBURING_LIBS $LIBS"
		AC_LINK_IFELSE([AC_LANG_SOURCE([[
#include <liburing.h>
int main(void)
{
	struct io_uring ring;
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;

	if (io_uring_queue_init(1, &ring, 0) < 0 ||
	    io_uring_ring_dontfork(&ring) < 0)
		return 1;
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_openat(sqe, 0, "", 0, 0);
	io_uring_sqe_set_data(sqe, 0);
	return io_uring_submit_and_wait(&ring, 1) < 0 ||
	       io_uring_peek_cqe(&ring, &cqe) < 0;
}
			]])], [secm_cv_liburing=yes], [secm_cv_liburing=no])
		CFLAGS=$secm_save_CFLAGS
		LIBS=$secm_save_LIBS
	])
])

# SECM_BACKEND_LINUX: secm_cv_backend_linux says whether linux/ can be built.
# What the running kernel can do is asked at run time.
AC_DEFUN([SECM_BACKEND_LINUX], [
	AC_CACHE_CHECK([whether the linux backend can be built],
		[secm_cv_backend_linux], [
		secm_cv_backend_linux=no
		AS_CASE([$host_os], [linux*], [AC_LINK_IFELSE([AC_LANG_SOURCE([[
#include <pthread.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void)
{
	void *p = mmap(NULL, 4096, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mremap(p, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p)
		return 1;
	if (madvise(p, 4096, MADV_DONTDUMP) || madvise(p, 4096, MADV_DONTFORK))
		return 1;
	if (getauxval(AT_SECURE))
		return 1;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || getrandom(p, 1, 0) != 1)
		return 1;
	return pthread_atfork(NULL, NULL, NULL) || syscall(SYS_gettid) < 0;
}
			]])], [secm_cv_backend_linux=yes])])
	])
])

# SECM_BACKEND_FALLBACK: secm_cv_backend_fallback, the same for fallback/.
AC_DEFUN([SECM_BACKEND_FALLBACK], [
	AC_CACHE_CHECK([whether the fallback backend can be built],
		[secm_cv_backend_fallback], [
		AC_LINK_IFELSE([AC_LANG_SOURCE([[
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
int main(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = open("/dev/zero", O_RDWR);
	void *p = mmap(NULL, page, PROT_NONE, MAP_PRIVATE, fd, 0);
	struct rlimit r;

	if (p == MAP_FAILED || mprotect(p, page, PROT_READ | PROT_WRITE))
		return 1;
	return pthread_atfork(NULL, NULL, NULL) || getrlimit(RLIMIT_CORE, &r);
}
			]])], [secm_cv_backend_fallback=yes],
			[secm_cv_backend_fallback=no])
	])
])

# SECM_CHECK_TLS
# Defines SECM_TLS as what makes a variable one for each thread, if there is
# such a thing.  With glibc the quick kind: the other may allocate at a thread's
# first access, and that may be us.
AC_DEFUN([SECM_CHECK_TLS],
[AC_CACHE_CHECK([for variables of threads], [secm_cv_tls],
	[secm_cv_tls=no
	AS_CASE([$host_os],
		[linux-gnu*],
			[secm_kinds='__thread __attribute__((__tls_model__("initial-exec")))'],
		[secm_kinds=])
	for secm_kind in "$secm_kinds" __thread _Thread_local
	do
		AS_IF([test -n "$secm_kind" && test "$secm_cv_tls" = no],
			[AC_LINK_IFELSE([AC_LANG_PROGRAM(
				[[static $secm_kind int *variable;
				static int other;]],
				[[variable = &other; return *variable;]])],
				[secm_cv_tls=$secm_kind])])
	done])
AS_IF([test "$secm_cv_tls" != no],
	[AC_DEFINE_UNQUOTED([SECM_TLS], [$secm_cv_tls],
		[What makes a variable one for each thread.])])
])
