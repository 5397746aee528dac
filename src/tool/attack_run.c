/* SPDX-License-Identifier: MIT */
/*
 * attack_run.c - the processes of an attack
 *
 *	caller   forks the attacker, into a process group of its own, waits for
 *		 its result and then kills the group;
 *	attacker forks the victim, loads the bytes to look for, and attacks
 *		 from outside;
 *	victim	 loads the secret, says where it is, attacks from inside if the
 *		 attack has such a half, else waits for the end of file on hold.
 *
 * The victim is made before the attacker knows the secret, so that nothing of
 * it is inherited; being a child of the attacker, it may be traced even where
 * a process may trace its descendants only.  Pipes, named by what they carry:
 *
 *	hello	victim to attacker: struct hello, then the result of inside
 *	leak	victim to attacker: what leaks
 *	said	victim to attacker: the victim's standard error
 *	hold	attacker to victim: nothing
 *
 * No lock and no state; errors end as ATTACK_BROKEN with a note.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack_impl.h"
#include "secmalloc.h"

#define LEAK_SLACK (256 * 1024) /* room for more than the secret itself */
#define LAST_SECONDS 5		/* for what was killed to be gone */

struct hello {
	struct attack_result r; /* not pending: no memory; else error is that
				   of loading */
	unsigned char *at;
};

struct pipes {
	int hello[2];
	int leak[2];
	int said[2];
	int hold[2];
};

static void broken(struct attack_result *r, const char *what, int error)
{
	r->outcome = ATTACK_BROKEN;
	r->error = error;
	snprintf(r->note, sizeof(r->note), "%s: %s", what, strerror(error));
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int open_pipes(struct pipes *p)
{
	if (pipe(p->hello) != 0 || pipe(p->leak) != 0 || pipe(p->said) != 0 ||
	    pipe(p->hold) != 0)
		return -errno;
	return 0; /* the attacker ends soon: nothing is closed on errors */
}

static size_t scene_size(const struct attack *a, const struct attack_scene *s)
{
	if ((a->flags & ATTACK_PIECE) && s->size > ATTACK_PIECE_MAX)
		return ATTACK_PIECE_MAX;
	return s->size;
}

/* ---- victim ---- */

static unsigned char *load_copy(const struct attack_heap *heap,
				const struct attack_scene *s, size_t size,
				struct attack_result *r)
{
	unsigned char *p;

	errno = 0;
	p = heap->get(size);
	if (p == NULL) {
		attack_no_memory(heap, r);
		return NULL;
	}
	r->error = s->load(s->arg, p, size);
	return p;
}

/*
 * A crash must not put the secret into somebody's collection of dumps.  The
 * hard limit stays: the core dump attack needs it.
 */
static void keep_quiet(int undumpable)
{
	struct rlimit limit;
	unsigned got = 0;

	if (getrlimit(RLIMIT_CORE, &limit) == 0) {
		limit.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &limit); /* lowering is allowed */
	}
	if (undumpable &&
	    secmalloc_harden(SECMALLOC_HARDEN_NOT_DUMPABLE, &got) != 0)
		return; /* not to be had here: the limit has to do */
}

static void play(const struct attack *a, struct attack_site *site,
		 struct pipes *p)
{
	struct attack_result r = { ATTACK_PENDING, 0, 0, 0, "" };
	char end;

	if (a->inside == NULL) {
		while (read(p->hold[0], &end, 1) < 0 && errno == EINTR)
			;
		return;
	}
	a->inside(site, &r);
	(void)attack_write_all(p->hello[1], &r, sizeof(r)); /* or it died */
}

static void victim(const struct attack *a, const struct attack_scene *s,
		   struct pipes *p)
{
	struct attack_site site = { 0 };
	struct hello hello = { { ATTACK_PENDING, 0, 0, 0, "" }, NULL };

	close(p->hello[0]);
	close(p->leak[0]);
	close(p->said[0]);
	close(p->hold[1]);
	if (dup2(p->said[1], STDERR_FILENO) < 0)
		_exit(1);
	close(p->said[1]);
	keep_quiet(a->outside == NULL);
	site.heap = s->heap;
	site.folder = s->folder;
	site.size = scene_size(a, s);
	site.out = p->leak[1];
	site.at = load_copy(s->heap, s, site.size, &hello.r);
	hello.at = site.at;
	if (hello.r.error == 0 && s->beside != NULL &&
	    !(a->flags & ATTACK_ALONE))
		(void)load_copy(s->beside, s, site.size, &hello.r);
	if (hello.r.error == 0 && s->heap->protections != NULL)
		hello.r.protections = s->heap->protections();
	if (attack_write_all(p->hello[1], &hello, sizeof(hello)) != 0 ||
	    hello.r.error != 0)
		_exit(1);
	play(a, &site, p);
	_exit(0);
}

/* ---- attacker ---- */

/* The first line that the victim said. */
static void note_said(int fd, struct attack_result *r)
{
	char said[ATTACK_NOTE_SIZE];
	char rest[64];
	size_t n;

	n = attack_read_all(fd, said, sizeof(said) - 1);
	while (read(fd, rest, sizeof(rest)) > 0)
		; /* so that the victim is not held up */
	said[n] = '\0';
	said[strcspn(said, "\n")] = '\0';
	if (said[0] != '\0' && r->note[0] == '\0')
		memcpy(r->note, said, sizeof(said));
}

static int await_end(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* The victim attacks itself: take what leaks until it has ended. */
static void watch_inside(struct attack_site *site, struct pipes *p,
			 struct attack_result *r)
{
	struct attack_result inside;
	unsigned protections = r->protections;
	int status;

	site->got = attack_read_all(p->leak[0], site->leak, site->room);
	close_fd(&p->leak[0]);
	note_said(p->said[0], r);
	if (attack_read_all(p->hello[0], &inside, sizeof(inside)) ==
	    sizeof(inside)) {
		if (inside.note[0] == '\0')
			memcpy(inside.note, r->note, sizeof(r->note));
		*r = inside;
		r->protections = protections;
	}
	status = await_end(site->pid);
	site->pid = -1;
	if (WIFSIGNALED(status))
		r->signal = WTERMSIG(status);
	else if (WEXITSTATUS(status) != 0)
		r->signal = -1; /* a checker that exits, as sanitizers do */
}

static int get_memory(struct attack_site *site, const struct attack_scene *s,
		      unsigned char **expected)
{
	int error;

	*expected = malloc(site->size);
	site->room = site->size + LEAK_SLACK;
	site->leak = malloc(site->room);
	if (*expected == NULL || site->leak == NULL)
		return ENOMEM;
	site->expected = *expected;
	error = s->load(s->arg, *expected, site->size);
	return error;
}

/* 0, or -1 and the result says why. */
static int hear_hello(int fd, struct hello *hello, struct attack_result *r)
{
	if (attack_read_all(fd, hello, sizeof(*hello)) != sizeof(*hello)) {
		broken(r, "the victim ended early", EPIPE);
		return -1;
	}
	*r = hello->r;
	if (r->outcome == ATTACK_PENDING && r->error != 0)
		broken(r, "loading the secret", r->error);
	return r->outcome == ATTACK_PENDING ? 0 : -1;
}

static void face(const struct attack *a, const struct attack_scene *s,
		 struct pipes *p, pid_t pid, struct attack_result *r)
{
	struct attack_site site = { 0 };
	unsigned char *expected = NULL;
	struct hello hello;
	int error;

	if (hear_hello(p->hello[0], &hello, r) != 0)
		return;
	keep_quiet(1); /* it is about to know the secret */
	site.heap = s->heap;
	site.folder = s->folder;
	site.size = scene_size(a, s);
	site.at = hello.at;
	site.pid = pid;
	site.in = p->leak[0];
	site.out = p->leak[1]; /* closed here, the number is what counts */
	error = get_memory(&site, s, &expected);
	if (error != 0) {
		broken(r, "loading the secret", error);
	} else {
		if (a->inside != NULL)
			watch_inside(&site, p, r);
		if (a->outside != NULL && r->outcome == ATTACK_PENDING)
			a->outside(&site, r);
		attack_judge(a, &site, r);
		secmalloc_wipe(site.leak, site.room);
		secmalloc_wipe(expected, site.size);
	}
	free(site.leak);
	free(expected);
	if (site.pid > 0 && kill(site.pid, SIGKILL) == 0)
		(void)await_end(site.pid);
}

static void attacker(const struct attack *a, const struct attack_scene *s,
		     int out)
{
	struct attack_result r = { ATTACK_PENDING, 0, 0, 0, "" };
	struct pipes p;
	pid_t pid = -1;
	int error;

	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	error = open_pipes(&p);
	if (error == 0) {
		pid = fork();
		if (pid == 0)
			victim(a, s, &p);
		if (pid < 0)
			error = -errno;
	}
	if (error != 0) {
		broken(&r, "making a victim", -error);
	} else {
		close(p.hello[1]);
		close(p.leak[1]);
		close(p.said[1]);
		close(p.hold[0]);
		face(a, s, &p, pid, &r);
	}
	(void)attack_write_all(out, &r, sizeof(r));
	_exit(0);
}

/* ---- caller ---- */

static void await(int fd, const struct attack_scene *s, struct attack_result *r)
{
	struct pollfd watch = { fd, POLLIN, 0 };
	int n;

	do
		n = poll(&watch, 1, (int)s->seconds * 1000);
	while (n < 0 && errno == EINTR && (s->stop == NULL || !s->stop()));
	if (n == 0) {
		r->outcome = ATTACK_TIMEOUT;
	} else if (n < 0) {
		broken(r, "waiting for the attacker", errno);
	} else if (attack_read_all(fd, r, sizeof(*r)) != sizeof(*r)) {
		memset(r, 0, sizeof(*r));
		broken(r, "the attacker ended early", EPIPE);
	}
}

/* The victim is no child of ours, and what is killed may be busy with a last
 * system call: one that makes a file, say.  Each of them has had the pipe since
 * it began, and it ends with the last of them. */
static void await_the_last(int fd)
{
	struct pollfd watch = { fd, POLLIN, 0 };
	char rest[64];
	int n;

	do
		n = poll(&watch, 1, LAST_SECONDS * 1000);
	while ((n < 0 && errno == EINTR) ||
	       (n > 0 && read(fd, rest, sizeof(rest)) > 0));
}

void attack_run(const struct attack *attack, const struct attack_scene *scene,
		struct attack_result *result)
{
	int fds[2];
	pid_t pid;

	memset(result, 0, sizeof(*result));
	if (pipe(fds) != 0) {
		broken(result, "pipe", errno);
		return;
	}
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		close(fds[0]);
		attacker(attack, scene, fds[1]);
	}
	close(fds[1]);
	if (pid < 0) {
		broken(result, "fork", errno);
	} else {
		/* Both sides do it; whoever is second fails, no matter. */
		(void)setpgid(pid, pid);
		await(fds[0], scene, result);
		kill(-pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		await_the_last(fds[0]);
	}
	close(fds[0]);
}
