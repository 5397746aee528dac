/* SPDX-License-Identifier: MIT */
/*
 * sources.c - a secret from wherever the caller has it
 *
 *	sources env:NAME	a variable, which then is nowhere else
 *	sources credential:NAME	what the service manager hands over
 *	sources keyring:NAME	a key of type "user" that the kernel keeps
 *	sources fd:NUMBER	what comes from a descriptor
 *	sources ask		a pass phrase that is typed
 *
 * Prints how long it is (a string with its zero byte), and nothing of it.  Without
 * an argument a token is put into the environment, taken from there, decoded
 * where it is, and sent through a pipe with a deadline.
 */
#define _XOPEN_SOURCE 700

#include <errno.h>
#include <secmalloc_io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CANNOT = 77, SECONDS = 5 };

/* 77 where the machine has no memory for it. */
static int failed(const char *what)
{
	int error = errno;

	fprintf(stderr, "%s: %s\n", what, strerror(error));
	return error == ENOMEM || error == ENOTSUP ? CANNOT : 1;
}

/* What follows the word and a colon, or NULL. */
static const char *after(const char *source, const char *word)
{
	size_t n = strlen(word);

	return strncmp(source, word, n) == 0 && source[n] == ':'
		       ? source + n + 1
		       : NULL;
}

static void *load(const char *source)
{
	const char *name;

	if (strcmp(source, "ask") == 0)
		return secmalloc_getpass("Pass phrase: ", NULL);
	if ((name = after(source, "env")) != NULL)
		return secmalloc_env_take(name, NULL);
	if ((name = after(source, "credential")) != NULL)
		return secmalloc_credential(name, NULL, NULL);
	if ((name = after(source, "keyring")) != NULL)
		return secmalloc_keyring_read("user", name, NULL, NULL);
	if ((name = after(source, "fd")) != NULL)
		return secmalloc_load_fd((int)strtol(name, NULL, 10), NULL,
					 NULL);
	errno = EINVAL;
	return NULL;
}

static int tell(const char *source)
{
	void *secret = load(source);

	if (!secret)
		return failed(source);
	printf("%s: %zu bytes\n", source, secmalloc_usable_size(secret));
	secfree(secret);
	return 0;
}

/* Through a pipe, and back into another object; who has not read it by then is
 * given up. */
static int send_and_receive(const unsigned char *token, size_t size)
{
	unsigned char *copy = secmalloc(size);
	struct timespec until;
	int ends[2], same = 0;

	if (!copy || pipe(ends) != 0)
		return failed("a pipe");
	if (clock_gettime(CLOCK_MONOTONIC, &until) != 0)
		return failed("clock");
	until.tv_sec += SECONDS;
	if (secmalloc_write(ends[1], token, size, &until) == (ssize_t)size &&
	    secmalloc_read(ends[0], copy, size, &until) == (ssize_t)size)
		same = secmalloc_equal(token, copy, size);
	secfree(copy);
	printf("sent and received: %s\n", same ? "the same" : "not the same");
	return !same;
}

static int show(void)
{
	size_t length, size;
	char *text;
	int status;

	if (setenv("TOKEN", "dGhpcyBpcyBubyBzZWNyZXQ", 1) != 0)
		return failed("setenv");
	text = secmalloc_env_take("TOKEN", NULL);
	if (!text)
		return failed("TOKEN");
	printf("TOKEN is %s\n", getenv("TOKEN") ? "still there" : "gone");
	length = secmalloc_usable_size(text) - 1; /* without the zero byte */
	if (secmalloc_base64url_decode(text, length, &size, text, length) !=
		    0 ||
	    secmalloc_resize(text, size) != 0)
		return failed("decoding");
	printf("%zu characters were %zu bytes\n", length, size);
	status = send_and_receive((unsigned char *)text, size);
	secfree(text);
	return status;
}

int main(int argc, char **argv)
{
	return argc == 2 ? tell(argv[1]) : show();
}
