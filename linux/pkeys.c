/* SPDX-License-Identifier: MIT */
/*
 * pkeys.c - protection keys, and the register with a thread's rights
 *
 * Callers: the core, through os.h.  No state: the kernel knows which keys are
 * taken.
 *
 * x86 alone: the register (PKRU) has bit 2k set where key k is closed and bit
 * 2k + 1 where it may not be written with.  The instructions are given as bytes
 * for assemblers that do not know them; a processor that has no keys does not
 * either, and is never asked, as the kernel has none to give then.
 */
#include "linux.h"

#include "uapi.h"

#if defined(__x86_64__) || defined(__i386__)

int secm_os_key_new(void)
{
	long key = syscall(SYS_pkey_alloc, 0L, 0L);

	if (key >= 0)
		return (int)key;
	return errno == ENOSPC ? -ENOSPC : -ENOTSUP;
}

int secm_os_key_pages(void *at, size_t len, unsigned key)
{
	return syscall(SYS_pkey_mprotect, at, len,
		       (long)(PROT_READ | PROT_WRITE), (long)key) == 0
		       ? 0
		       : -ENOMEM;
}

uint32_t secm_os_rights(uint32_t mask, uint32_t bits)
{
	uint32_t now, then, zero = 0, unused;

	__asm__ volatile(".byte 0x0f, 0x01, 0xee" /* rdpkru */
			 : "=a"(now), "=d"(unused)
			 : "c"(zero)
			 : "memory");
	then = (now & ~mask) | bits;
	if (then != now)
		__asm__ volatile(".byte 0x0f, 0x01, 0xef" /* wrpkru */
				 :
				 : "a"(then), "c"(zero), "d"(zero)
				 : "memory");
	return now;
}

#else

int secm_os_key_new(void)
{
	return -ENOTSUP;
}

int secm_os_key_pages(void *at, size_t len, unsigned key)
{
	(void)at;
	(void)len;
	(void)key;
	return -ENOMEM;
}

uint32_t secm_os_rights(uint32_t mask, uint32_t bits)
{
	(void)mask;
	(void)bits;
	return 0;
}

#endif
