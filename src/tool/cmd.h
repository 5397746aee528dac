/* SPDX-License-Identifier: MIT */
/*
 * cmd.h - the commands of secmalloc(1) and their exit statuses
 *
 * Each command gets what follows its name and returns the exit status; main()
 * has seen to standard output and closes it.
 */
#ifndef CMD_H
#define CMD_H

/* Verdicts. */
#define CMD_FULL 0     /* check: memfd_secret; demo: every claim held */
#define CMD_DEGRADED 1 /* check: less than that; demo: a claim did not hold */
#define CMD_NOTHING 2  /* no protected memory at all */

/* Failures, numbered as in sysexits.h. */
#define CMD_USAGE 64  /* wrong arguments */
#define CMD_NOINPUT 66 /* the file cannot be used */
#define CMD_OSERR 71  /* the system refuses something else */
#define CMD_IOERR 74  /* standard output cannot be written */

int cmd_check(int argc, char **argv);
int cmd_demo(int argc, char **argv);

/* Says what is wrong with the arguments; returns CMD_USAGE. */
int cmd_usage(const char *what, const char *argument);

#endif /* CMD_H */
