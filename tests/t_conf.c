/* SPDX-License-Identifier: MIT */
/*
 * t_conf.c - shows what the environment says to a program
 *
 * Not a test: test_os_log runs copies of it that have rights of their own.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "os.h"

int main(void)
{
	int same = getuid() == geteuid() && getgid() == getegid();
	const char *conf = secm_os_conf();

	/* A leak checker, which wants to trace, may not with such rights. */
	if (printf("%s rights: %s\n", same ? "same" : "more",
		   conf ? conf : "nothing") < 0 ||
	    fflush(stdout) != 0)
		_exit(1);
	_exit(0);
}
