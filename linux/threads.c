/* SPDX-License-Identifier: MIT */
/*
 * threads.c - a memory barrier in every thread, and waiting for one
 *
 * Callers: the core's cache.c, through os.h.
 *
 * membarrier(2) has to be announced once.  Where a filter that came later
 * refuses it, taking write access from a page has the same effect: the kernel
 * interrupts every processor that runs a thread of ours to make it forget the
 * page.
 */
#include "linux.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "uapi.h"

static void *page;

static int membarrier(int command)
{
	return (int)syscall(SYS_membarrier, command, 0, 0);
}

int secm_linux_announce(void)
{
	return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) ? errno
								     : 0;
}

static void bar_by_page(void)
{
	if (!page)
		page = mmap(NULL, secm_linux_page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED ||
	    mprotect(page, secm_linux_page, PROT_READ | PROT_WRITE) != 0)
		secm_os_panic("secmalloc: cannot stop other threads\n");
	*(volatile char *)page = 1;
	if (mprotect(page, secm_linux_page, PROT_READ) != 0)
		secm_os_panic("secmalloc: cannot stop other threads\n");
}

void secm_os_barrier(void)
{
	if (secm_seccomp_changed() ||
	    membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0)
		bar_by_page();
}

void secm_os_yield(void)
{
	(void)sched_yield(); /* never fails here */
}
