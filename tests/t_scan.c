/* SPDX-License-Identifier: MIT */
/*
 * t_scan.c - look for a secret in all memory of the process
 *
 * Every position of memory is looked up, by a hash of the bytes there, among the
 * pieces of the secret; what is in the table are numbers of pieces, never bytes.
 * One thread at a time.
 *
 * I1  Nothing is allocated between the first and the last look.
 * I2  The buffer is the one place that gets copies of what is looked at; it does
 *     not count, and is wiped.
 */
#include "t_scan.h"

#include "ksft.h"
#include "secmalloc.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PIECES = 4096,
	HASHES = 65536,
	CHUNK = 65536,
	MAPS = 1 << 20, /* bytes of text that describe all mappings */
	NAMED = 4	/* finds that are logged */
};

/* A sanitizer's shadow is readable, and larger than any time. */
#ifdef KSFT_SANITIZED
static const int too_large = 1;
#else
static const int too_large = 0;
#endif

static struct {
	ti_sequence *byte;
	unsigned seed;
	size_t piece, step; /* bytes in one, and from one to the next */
	size_t pieces;
	int places;
	uintptr_t at[NAMED];
} scan;

static uint16_t first[HASHES], next[PIECES + 1]; /* 0, or a piece plus 1 */
static unsigned char buffer[CHUNK + TI_PIECE];
static char maps[MAPS];

static unsigned hash(unsigned a, unsigned b, unsigned c, unsigned d)
{
	return ((a | b << 8 | c << 16 | d << 24) * 2654435761u) >> 16;
}

static unsigned hash_piece(size_t n)
{
	size_t i = n * scan.step;

	return hash(scan.byte(i, scan.seed), scan.byte(i + 1, scan.seed),
		    scan.byte(i + 2, scan.seed), scan.byte(i + 3, scan.seed));
}

static void make_table(size_t size)
{
	size_t n, starts;

	scan.piece = size < TI_PIECE ? size : TI_PIECE;
	starts = size - scan.piece + 1;
	scan.step = (starts + PIECES - 1) / PIECES;
	scan.pieces = (starts + scan.step - 1) / scan.step;
	memset(first, 0, sizeof(first));
	for (n = 0; n < scan.pieces; n++) {
		unsigned h = hash_piece(n);

		next[n + 1] = first[h];
		first[h] = (uint16_t)(n + 1);
	}
}

static int is_piece(const unsigned char *p, size_t n)
{
	size_t i;

	for (i = 0; i < scan.piece; i++)
		if (p[i] != scan.byte(n * scan.step + i, scan.seed))
			return 0;
	return 1;
}

static int counts(uintptr_t at)
{
	uintptr_t own = (uintptr_t)buffer;

	if (at + scan.piece > own && at < own + sizeof(buffer)) /* I2 */
		return 0;
	return !secmalloc_owns((const void *)at);
}

/* size bytes of the buffer, which are those at that address. */
static void look(uintptr_t at, size_t size)
{
	size_t i;
	unsigned n;

	for (i = 0; i + scan.piece <= size; i++) {
		const unsigned char *p = buffer + i;

		for (n = first[hash(p[0], p[1], p[2], p[3])]; n; n = next[n])
			if (is_piece(p, n - 1) && counts(at + i)) {
				if (scan.places < NAMED)
					scan.at[scan.places] = at + i;
				scan.places++;
				break;
			}
	}
}

/* Each chunk begins with the end of the one before, so that nothing is missed at
 * the seams. */
static void look_through(int mem, uintptr_t start, uintptr_t end)
{
	size_t kept = 0;
	uintptr_t at;

	for (at = start; at < end;) {
		size_t want = end - at < CHUNK ? end - at : CHUNK;
		ssize_t n = pread(mem, buffer + kept, want, (off_t)at);

		if (n <= 0) { /* secret, or no memory at all */
			kept = 0;
			at += 4096 - at % 4096;
			continue;
		}
		look(at - kept, kept + (size_t)n);
		at += (size_t)n;
		n += (ssize_t)kept;
		kept = (size_t)n < scan.piece ? (size_t)n : scan.piece - 1;
		memmove(buffer, buffer + n - kept, kept);
	}
}

/* All of the file in maps[], as a string: 0 or -1 */
static int read_maps(void)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	while (size < MAPS - 1 &&
	       (n = read(fd, maps + size, MAPS - 1 - size)) > 0)
		size += (size_t)n;
	close(fd);
	maps[size] = '\0';
	return n == 0 && size > 0 ? 0 : -1;
}

/* Reads a line; the next one, or NULL after the last. */
static const char *parse(const char *line, uintptr_t *start, uintptr_t *end,
			 int *readable)
{
	char *rest;

	*start = (uintptr_t)strtoull(line, &rest, 16);
	*end = (uintptr_t)strtoull(rest + 1, &rest, 16);
	*readable = rest[1] == 'r';
	rest = strchr(rest, '\n');
	return rest && rest[1] ? rest + 1 : NULL;
}

static void name(uintptr_t at)
{
	const char *line, *after;
	uintptr_t start, end;
	int readable;

	for (line = maps; line; line = after) {
		after = parse(line, &start, &end, &readable);
		if (at >= start && at < end)
			ksft_log_("scan", 0, "found %lu bytes into %.*s",
				  (unsigned long)(at - start),
				  (int)strcspn(line, "\n"), line);
	}
}

int ti_places(ti_sequence *byte, size_t size, unsigned seed)
{
	int readable, mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	const char *line;
	uintptr_t start, end;

	if (mem < 0 || too_large || size < 4 || read_maps() != 0)
		return -1;
	scan.byte = byte;
	scan.seed = seed;
	scan.places = 0;
	make_table(size);
	for (line = maps; line;) {
		line = parse(line, &start, &end, &readable);
		if (readable)
			look_through(mem, start, end);
	}
	close(mem);
	secmalloc_wipe(buffer, sizeof(buffer)); /* I2 */
	return scan.places;
}

void ti_log_places(void)
{
	int i;

	for (i = 0; i < scan.places && i < NAMED; i++)
		name(scan.at[i]);
}
