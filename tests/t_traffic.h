/* SPDX-License-Identifier: MIT */
/*
 * t_traffic.h - threads that make objects of all kinds and hand them over
 *
 * Places hold an object each, or none.  A thread that gets hold of a place
 * checks what is there to the byte, frees or resizes it, or puts something new
 * there.  So most objects are freed by another thread than made them.
 */
#ifndef T_TRAFFIC_H
#define T_TRAFFIC_H

#include <pthread.h>

#include "t_util.h"

enum { T_PLACES = 256, T_DRIVERS = 3 };

struct t_place {
	int taken; /* by a thread at work on it: __atomic builtins only */
	char *p;
	size_t size;
	uint64_t seed;
	int guarded;
};

extern struct t_place t_place[T_PLACES];

/* One step at a place of chance's choice; *random is the caller's own.  NULL
 * is no error where secmalloc says ENOMEM. */
void t_step(uint64_t *random);

/* Threads that step until they are told to end. */
void t_drive(pthread_t thread[T_DRIVERS]);
void t_park(pthread_t thread[T_DRIVERS]);

/* 1 if t_park() was called. */
int t_parked(void);

/* Frees and checks what is there.  No thread may be at work. */
void t_clear(void);

/* Objects at places that no thread is at work on. */
size_t t_standing(void);

#endif /* T_TRAFFIC_H */
