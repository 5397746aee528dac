/* SPDX-License-Identifier: MIT */
/*
 * t_forking.h - threads that begin to use something while another forks
 */
#ifndef T_FORKING_H
#define T_FORKING_H

/* Threads that call use(), again and again.  They begin when the next fork(2) of
 * this process has: who registers handlers only then is not asked any more.
 * Once in a process. */
void t_forking_begin(void (*use)(void));

/* They stop. */
void t_forking_end(void);

#endif /* T_FORKING_H */
