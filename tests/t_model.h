/* SPDX-License-Identifier: MIT */
/*
 * t_model.h - a model of what a program has, for random sequences of calls
 *
 * It knows of each object its size, its access and the seed of what it holds,
 * and the same of the segment.  Everything that the allocator says is compared
 * with that.  KSFT_SEED repeats a sequence.
 */
#ifndef T_MODEL_H
#define T_MODEL_H

/* Some public call, with an object of chance's choice. */
void t_model_step(void);

/* In a child: everything is zeros and can be freed, and it goes on. */
void t_model_in_child(void);

/* The allocator was shut down: what there is can only be freed. */
void t_model_dies(void);

/* Frees what there is. */
void t_model_end(void);

#endif /* T_MODEL_H */
