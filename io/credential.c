/* SPDX-License-Identifier: MIT */
/*
 * credential.c - what a service manager hands to a program as a file
 *
 * Public function alone.  Lock: none.
 *
 * The folder is named by a variable of the environment, so a program that has
 * gained rights does not look there, and a name never leads out of it.
 */
#include "io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int is_name(const char *name)
{
	return name && name[0] && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && !strchr(name, '/');
}

static int path_of(const char *name, char **path)
{
	const char *folder = secm_io_os_trusted_env("CREDENTIALS_DIRECTORY");
	size_t n, m;

	if (!is_name(name))
		return -EINVAL;
	if (!folder)
		return -ENXIO;
	if (folder[0] != '/')
		return -EINVAL;
	n = strlen(folder);
	m = strlen(name) + 1;
	*path = malloc(n + 1 + m);
	if (!*path)
		return -ENOMEM;
	memcpy(*path, folder, n);
	(*path)[n] = '/';
	memcpy(*path + n + 1, name, m);
	return 0;
}

SECM_API void *secmalloc_credential(
	const char *name, const struct secmalloc_load_options *options,
	struct secmalloc_loaded *loaded)
{
	struct secmalloc_load_options o = { 0 };
	struct secmalloc_loaded own;
	const int saved = errno;
	char *path = NULL;
	int e = secm_io_result(&loaded, &own);

	if (e < 0) {
		errno = -e;
		return NULL;
	}
	e = path_of(name, &path);
	if (e == 0) {
		if (options)
			o = *options;
		o.flags |= SECMALLOC_LOAD_NOFOLLOW;
		if (!secmalloc_load_file(path, &o, loaded))
			e = -errno;
		free(path);
	}
	loaded->error = -e;
	errno = e < 0 ? -e : saved;
	return loaded->data;
}
