/* SPDX-License-Identifier: MIT */
/*
 * t_tty.h - a user at a terminal, and a shell that has one job there
 *
 *	test -- fork --> shell -- fork --> job
 *	  types, and     leader of a       asks, in a process group
 *	  sees what      session of its    of its own, and is in front
 *	  is shown       own
 *
 * The shell says each time that the job has stopped or ended, and continues it
 * when it is told to.  Nothing here waits for time to pass: what has been shown,
 * or said, has happened.
 */
#ifndef T_TTY_H
#define T_TTY_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

struct ti_tty {
	int master, slave;
	const char *name; /* of the slave */
	struct termios before;
	int said[2];	    /* from the shell */
	int told[2];	    /* to the shell */
	int go[2], done[2]; /* to and from the job, as it likes */
	pid_t shell, job;
	char shown[4096];
	size_t have; /* bytes shown */
	size_t seen; /* of them, up to where we have looked */
	int behind;  /* the job begins in the background */
	int stdin_is_slave;
};

typedef void ti_job(struct ti_tty *t);

/* A terminal that echoes: 0, or -1 with errno. */
int ti_tty_open(struct ti_tty *t);

/* Starts the job, which ends with status 0 when job() returns. */
void ti_tty_start(struct ti_tty *t, ti_job *job);

/* What became of it, as of waitpid(2). */
int ti_tty_wait(struct ti_tty *t);

/* Brings the job to the front, and continues it; continues it behind the shell,
 * which has the terminal again as soon as the job stops. */
void ti_tty_continue(struct ti_tty *t);
void ti_tty_continue_behind(struct ti_tty *t);

void ti_tty_type(struct ti_tty *t, const char *text);
void ti_tty_type_byte(struct ti_tty *t, unsigned char byte);

/* Waits until the text is shown: how many bytes come before it, behind what was
 * seen already; -1 if it does not come. */
int ti_tty_see(struct ti_tty *t, const char *text);

/* 1 if it has all the settings that it had. */
int ti_tty_is_as_before(const struct ti_tty *t);
int ti_tty_echoes(const struct ti_tty *t);

/* Bytes that a program could read now; and 1 if, when the line that is typed has
 * been ended, it is an empty one. */
int ti_tty_unread(const struct ti_tty *t);
int ti_tty_line_is_empty(struct ti_tty *t);

/* Waits until there is a line to be read. */
void ti_tty_wait_for_line(const struct ti_tty *t);

/* One byte through go or done. */
void ti_send(const int *ends);
void ti_receive(const int *ends);

#endif /* T_TTY_H */
