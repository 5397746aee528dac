/* SPDX-License-Identifier: MIT */
/*
 * die.c - corruption is never an error code: one line, then SIGABRT
 *
 * Callers: whoever finds corruption.  Takes no lock and returns to nobody.
 */
#include "die.h"

#include "os.h"

void secm_die(const char *line)
{
	secm_os_panic(line);
}
