/* SPDX-License-Identifier: MIT */
/*
 * secret_file.c - where the demonstration's secret comes from
 *
 * A file is read with read(2) and pread(2) alone, straight to where it shall
 * be: stdio would keep a copy.  A made-up secret is born in secmalloc memory;
 * children, who cannot inherit that, are sent it through a pipe.  Called by
 * cmd_demo.c, secret_load() by its children.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attack.h"
#include "cmd.h"
#include "secmalloc.h"
#include "secret_file.h"

/* A made-up secret looks like a PEM file, but says that it is no key.  Several
 * copies have to fit into the smallest pipe, 4096 bytes. */
#define HEAD "-----BEGIN SECMALLOC DEMO SECRET-----\n"
#define TAIL "-----END SECMALLOC DEMO SECRET-----\n"
#define LINES 14
#define LINE_RAW 48  /* random bytes in a line */
#define LINE_TEXT 64 /* characters of base64 in a line */
#define MADE_SIZE (sizeof(HEAD) - 1 + LINES * (LINE_TEXT + 1) + \
		   sizeof(TAIL) - 1)

static int refuse(const char *path, const char *why)
{
	fprintf(stderr, "secmalloc: %s: %s\n", path, why);
	return CMD_NOINPUT;
}

static int no_memory(void)
{
	struct secmalloc_report report;
	int error = errno;

	report.size = sizeof(report);
	fprintf(stderr, "secmalloc: no protected memory: %s", strerror(error));
	if (secmalloc_report(&report) == 0 &&
	    report.reason != SECMALLOC_REASON_NONE)
		fprintf(stderr, ": %s", secmalloc_reason_string(report.reason));
	fprintf(stderr, "\nTry 'secmalloc check'.\n");
	return CMD_NOTHING;
}

/* NULL, or why this is no secret to work with. */
static const char *unfit(const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return "is a directory";
	if (!S_ISREG(st->st_mode))
		return "is not a regular file";
	if (st->st_size == 0)
		return "is empty";
	if (st->st_size < ATTACK_SIZE_MIN)
		return "is too short to be recognised: 16 bytes at least";
	if (st->st_size > (off_t)SECRET_SIZE_MAX)
		return "is too large: 1048576 bytes at most";
	return NULL;
}

static int read_at(int fd, unsigned char *to, size_t size)
{
	size_t got = 0;
	ssize_t n;

	while (got < size) {
		n = pread(fd, to + got, size - got, (off_t)got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			return EIO; /* it has become shorter */
		got += (size_t)n;
	}
	return 0;
}

int secret_open(struct secret *s, const char *path)
{
	const char *why;
	struct stat st;
	size_t piece;
	int error;

	/* Not to wait for a pipe's writer, and not to get a terminal. */
	s->file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (s->file < 0 || fstat(s->file, &st) != 0)
		return refuse(path, strerror(errno));
	why = unfit(&st);
	if (why != NULL)
		return refuse(path, why);
	s->name = path;
	s->size = (size_t)st.st_size;
	s->bytes = secmalloc(s->size);
	if (s->bytes == NULL)
		return no_memory();
	error = read_at(s->file, s->bytes, s->size);
	if (error != 0)
		return refuse(path, strerror(error));
	piece = s->size < ATTACK_PIECE_MAX ? s->size : ATTACK_PIECE_MAX;
	if (!attack_recognisable(s->bytes, piece))
		return refuse(path, "starts with bytes that are all alike: "
				    "nothing to recognise");
	return 0;
}

static void encode(unsigned char *to, const unsigned char *from)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	int i;

	for (i = 0; i < LINE_RAW; i += 3, from += 3) {
		*to++ = (unsigned char)digits[from[0] >> 2];
		*to++ = (unsigned char)digits[(from[0] & 3) << 4 |
					      from[1] >> 4];
		*to++ = (unsigned char)digits[(from[1] & 15) << 2 |
					      from[2] >> 6];
		*to++ = (unsigned char)digits[from[2] & 63];
	}
}

int secret_make(struct secret *s)
{
	unsigned char *raw;
	unsigned char *to;
	int i;

	s->file = -1;
	s->name = "made-up bytes in the shape of a PEM file";
	s->size = MADE_SIZE;
	s->bytes = secmalloc(s->size);
	raw = s->bytes != NULL ? secmalloc(LINES * LINE_RAW) : NULL;
	if (raw == NULL)
		return no_memory();
	if (secmalloc_random(raw, LINES * LINE_RAW) != 0) {
		fprintf(stderr, "secmalloc: no random bytes\n");
		return CMD_OSERR;
	}
	to = s->bytes;
	memcpy(to, HEAD, sizeof(HEAD) - 1);
	to += sizeof(HEAD) - 1;
	for (i = 0; i < LINES; i++) {
		encode(to, raw + i * LINE_RAW);
		to += LINE_TEXT;
		*to++ = '\n';
	}
	memcpy(to, TAIL, sizeof(TAIL) - 1);
	secfree(raw);
	return 0;
}

int secret_pour(struct secret *s, int copies)
{
	int fds[2];
	int error = 0;

	s->stream = -1;
	if (s->file >= 0)
		return 0;
	if (pipe(fds) != 0)
		return errno;
	while (copies-- > 0 && error == 0)
		if (write(fds[1], s->bytes, s->size) != (ssize_t)s->size)
			error = EIO;
	close(fds[1]);
	s->stream = fds[0];
	return error;
}

void secret_pour_end(struct secret *s)
{
	if (s->stream >= 0)
		close(s->stream);
	s->stream = -1;
}

int secret_load(void *arg, void *to, size_t size)
{
	const struct secret *s = arg;
	unsigned char *p = to;
	ssize_t n;

	if (s->file >= 0)
		return read_at(s->file, p, size);
	while (size > 0) {
		n = read(s->stream, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : EIO;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

void secret_close(struct secret *s)
{
	secfree(s->bytes);
	s->bytes = NULL;
	if (s->file >= 0)
		close(s->file);
	s->file = -1;
}
