/* SPDX-License-Identifier: MIT */
/*
 * keys.c - keys that the kernel keeps, by its own system calls
 *
 * Called by io/keyring.c.  Lock: none.
 */
#include "io.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Without information for a call-out none is made: what is not there is not
 * fetched.  A key that somebody else is just making is waited for. */
long secm_io_os_key_find(const char *type, const char *description)
{
	long key;

	do
		key = syscall(SYS_request_key, type, description, NULL, 0);
	while (key < 0 && errno == EINTR);
	return key < 0 ? -errno : key;
}

long secm_io_os_key_read(long key, void *p, size_t size)
{
	long n;

	do
		n = syscall(SYS_keyctl, KEYCTL_READ, key, p, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}
