/* SPDX-License-Identifier: MIT */
/*
 * uapi.h - kernel numbers that the headers of the build machine may not have
 *
 * The one file of this folder with conditional definitions.  A number here
 * says nothing about the kernel that runs: probe.c asks that.
 */
#ifndef SECM_LINUX_UAPI_H
#define SECM_LINUX_UAPI_H

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* Since 5.1 all architectures number new calls alike, each from its base. */
#ifndef SYS_memfd_secret
#if defined(__alpha__)
#define SYS_memfd_secret 557
#elif defined(__mips__) && defined(__NR_Linux)
#define SYS_memfd_secret (__NR_Linux + 447)
#elif defined(__x86_64__) && defined(__ILP32__)
#define SYS_memfd_secret (0x40000000 + 447)
#else
#define SYS_memfd_secret 447
#endif
#endif

#ifndef SYS_membarrier /* 4.3 */
#define SYS_membarrier (-1)
#endif
#ifndef MEMBARRIER_CMD_PRIVATE_EXPEDITED /* 4.14 */
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED (1 << 3)
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED (1 << 4)
#endif

/* 4.9 */
#ifndef SYS_pkey_alloc
#if defined(__x86_64__) && defined(__ILP32__)
#define SYS_pkey_mprotect (0x40000000 + 329)
#define SYS_pkey_alloc (0x40000000 + 330)
#define SYS_pkey_free (0x40000000 + 331)
#elif defined(__x86_64__)
#define SYS_pkey_mprotect 329
#define SYS_pkey_alloc 330
#define SYS_pkey_free 331
#else
#define SYS_pkey_mprotect 380
#define SYS_pkey_alloc 381
#define SYS_pkey_free 382
#endif
#endif

#ifndef SYS_mseal
#define SYS_mseal (SYS_memfd_secret + 15)
#endif

#ifndef MADV_WIPEONFORK /* 4.14 */
#define MADV_WIPEONFORK 18
#define MADV_KEEPONFORK 19
#endif
#ifndef MADV_POPULATE_WRITE /* 5.14 */
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_GUARD_INSTALL /* 6.13 */
#define MADV_GUARD_INSTALL 102
#endif

#ifndef MAP_FIXED_NOREPLACE /* 4.17; older kernels take it as a hint */
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MLOCK_ONFAULT /* 4.4 */
#define MLOCK_ONFAULT 1
#endif

/* What AT_HWCAP says of processors with vectors of any length (4.15). */
#if defined(__aarch64__)
#define SECM_HWCAP_SVE (1ul << 22)
#else
#define SECM_HWCAP_SVE 0ul
#endif

#ifndef PR_GET_SECCOMP
#define PR_GET_SECCOMP 21
#endif
#ifndef PR_SET_NO_NEW_PRIVS
#define PR_SET_NO_NEW_PRIVS 38
#endif
#ifndef PR_SET_MDWE /* 6.3 */
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

#endif /* SECM_LINUX_UAPI_H */
