/* SPDX-License-Identifier: MIT */
/*
 * work_files.c - ten thousand key files, one by one and in one call
 *
 * Callers: worker.c, by the list in work.c.  Peers have no function for it: the
 * reference opens, asks for the size, allocates, reads and closes, and leaves the
 * files in the page cache.  The files are in a folder of this process in the
 * folder that the benchmark is started in, so that is the disk that is measured.
 *
 * Cold: the kernel is told to forget all files, names and sizes included, which
 * only root may; else it forgets their contents.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secmalloc_io.h"

enum { FILES = 10000, BYTES = 1700, NAME = 48, PATH = NAME + 16 };

struct files {
	char folder[NAME];
	char path[FILES][PATH];
	struct secmalloc_loaded loaded[FILES];
};

static int create(const char *path)
{
	char bytes[BYTES];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int whole;

	memset(bytes, 'k', sizeof(bytes));
	if (fd < 0)
		return -1;
	whole = write(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes);
	return close(fd) == 0 && whole ? 0 : -1;
}

int bench_setup_files(struct bench_run *run)
{
	struct files *f = calloc(1, sizeof(*f));
	int i;

	if (run->peer != &bench_secmalloc && run->peer != &bench_wiping) {
		free(f);
		return bench_cannot(run, "the reference is enough");
	}
	if (!f)
		return bench_cannot(run, "no memory");
	run->more = f;
	run->per_unit = FILES;
	snprintf(f->folder, NAME, "bench.files.%ld", (long)getpid());
	if (mkdir(f->folder, 0700) != 0)
		return bench_cannot(run, "a folder cannot be made here");
	for (i = 0; i < FILES; i++) {
		snprintf(f->path[i], PATH, "%s/key%04d", f->folder, i);
		if (create(f->path[i]) < 0)
			return bench_cannot(run, "files cannot be made here");
	}
	sync();
	return 0;
}

void bench_end_files(struct bench_run *run)
{
	struct files *f = run->more;
	int i;

	for (i = 0; f && i < FILES; i++)
		if (f->path[i][0])
			(void)unlink(f->path[i]);
	if (f)
		(void)rmdir(f->folder);
}

#ifdef POSIX_FADV_DONTNEED
static void forget_contents(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	(void)close(fd);
}
#else
static void forget_contents(const char *path)
{
	(void)path;
}
#endif

static void make_cold(struct bench_run *run)
{
	struct files *f = run->more;
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY), i;
	int done = fd >= 0 && write(fd, "3", 1) == 1;

	if (fd >= 0)
		(void)close(fd);
	for (i = 0; !done && i < FILES; i++)
		forget_contents(f->path[i]);
	if (!done)
		snprintf(run->why, sizeof(run->why),
			 "names and sizes are not cold: that takes root");
}

/* What a careful program does: 0, or -1. */
static int load_ordinary(const struct bench_run *run,
			 struct secmalloc_loaded *l)
{
	int fd = open(l->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		l->length = (size_t)st.st_size;
		l->data = run->peer->alloc(l->length);
	}
	if (l->data && read(fd, l->data, l->length) != (ssize_t)l->length)
		l->error = EIO;
	(void)close(fd);
	return l->data && !l->error ? 0 : -1;
}

static int load_all(const struct bench_run *run, struct files *f, unsigned how)
{
	const struct secmalloc_load_options options = {
		.size = sizeof(options),
		.flags = how & BENCH_WARM ? SECMALLOC_LOAD_CACHED : 0
	};
	int i, e = 0;

	if (run->peer == &bench_secmalloc && (how & BENCH_MANY))
		return secmalloc_load_files(f->loaded, FILES, &options);
	for (i = 0; i < FILES && e == 0; i++) {
		struct secmalloc_loaded *l = &f->loaded[i];

		if (run->peer != &bench_secmalloc)
			e = load_ordinary(run, l);
		else if (!secmalloc_load_file(l->path, &options, l))
			e = -1;
	}
	return e;
}

double bench_do_files(struct bench_run *run, size_t units)
{
	const unsigned how = (unsigned)run->work->count;
	struct files *f = run->more;
	double t = 0, start;
	int i, e = 0;

	for (; units > 0 && e == 0; units--) {
		memset(f->loaded, 0, sizeof(f->loaded));
		for (i = 0; i < FILES; i++) {
			f->loaded[i].size = sizeof(f->loaded[i]);
			f->loaded[i].path = f->path[i];
		}
		if (!(how & BENCH_WARM))
			make_cold(run);
		start = bench_wall();
		e = load_all(run, f, how);
		t += bench_wall() - start;
		for (i = 0; i < FILES; i++)
			run->peer->release(f->loaded[i].data,
					   f->loaded[i].length);
	}
	return e == 0 ? t : bench_failed(run, strerror(errno));
}
