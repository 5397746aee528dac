/* SPDX-License-Identifier: MIT */
/*
 * show.h - words and colours of the command's output
 */
#ifndef SHOW_H
#define SHOW_H

#include <stddef.h>
#include <stdio.h>

enum show_colour {
	SHOW_PLAIN,
	SHOW_GOOD, /* green */
	SHOW_FAIR, /* yellow */
	SHOW_BAD,  /* red */
	SHOW_HEAD, /* bold */
	SHOW_FAINT
};

/* Colours only where standard output is a terminal, TERM is not "dumb" and
 * NO_COLOR is unset or empty.  To be called before the others. */
void show_init(void);

/* Prints text in the colour, filled with blanks to width columns. */
void show_cell(enum show_colour colour, int width, const char *text);

/* "hidden, locked, ..." for a set of SECMALLOC_* protections, in buf. */
const char *show_protections(unsigned protections, char *buf, size_t size);

/* "memfd_secret", "locked memory", ... for an enum secmalloc_tier */
const char *show_tier(int tier);

/* "EIO", "SIGSEGV"; a number where it has no name here.  In buf. */
const char *show_errno(int error, char *buf, size_t size);
const char *show_signal(int signal, char *buf, size_t size);

/* Prints a JSON string with its quotes, or null for NULL. */
void show_json_string(const char *text);

#endif /* SHOW_H */
