/* SPDX-License-Identifier: MIT */
/*
 * die.h - the exact lines with which a process ends
 *
 * They are interface: programs and tests match them whole.
 */
#ifndef SECM_DIE_H
#define SECM_DIE_H

#include "compat.h"

#define SECM_DIE_DOUBLE_FREE "secmalloc: double free\n"
#define SECM_DIE_WILD "secmalloc: pointer is not ours\n"
#define SECM_DIE_INTERIOR "secmalloc: pointer is not the start of an object\n"
#define SECM_DIE_OVERFLOW \
	"secmalloc: overflow: bytes after the object changed\n"
#define SECM_DIE_UNDERFLOW \
	"secmalloc: underflow: bytes before the object changed\n"
#define SECM_DIE_WRITE_AFTER_FREE "secmalloc: write after free\n"
#define SECM_DIE_REUSE "secmalloc: use of a freed object\n"
#define SECM_DIE_SIZE "secmalloc: freed with a wrong size\n"
#define SECM_DIE_HEAP "secmalloc: heap was destroyed\n"
#define SECM_DIE_SCOPE "secmalloc: end of an access scope that was not begun\n"
#define SECM_DIE_SCOPE_FREE \
	"secmalloc: object freed or moved inside an access scope\n"
#define SECM_DIE_SELF \
	"secmalloc: thread would wait for its own access scope\n"
#define SECM_DIE_LOCK "secmalloc: lock is corrupt\n"
#define SECM_DIE_FORK "secmalloc: fork on a secret stack\n"
#define SECM_DIE_META "secmalloc: metadata is corrupt\n"

void secm_die(const char *line) SECM_NORETURN;

#endif /* SECM_DIE_H */
