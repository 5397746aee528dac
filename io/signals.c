/* SPDX-License-Identifier: MIT */
/*
 * signals.c - signals while a terminal does not echo
 *
 * Called by getpass.c.  Lock: none, there is one who asks at a time; handlers run
 * in any thread, and use what is there before they are installed.
 *
 * What ends or stops the process is caught and told to the thread that asks, by a
 * pipe.  It restores the terminal, then the dispositions, and sends the signal
 * once more.  Faults cannot wait for that: their handler restores the terminal
 * itself, and the fault happens again.
 *
 * I1  A handler may still be on its way in another thread when it is not
 *     installed any more.  So the pipe stays open, for the next time.
 * I2  In a child, handlers only do what would have been done without them.
 * I3  No signal gets lost, and none comes twice: a handler says that it was
 *     called, and then looks whether anybody listens; who stops listening looks
 *     before, so that what has woken him is his, and afterwards, who called.
 *     System calls that take locks are between the two, on both sides.  Who takes
 *     the word back sends the signal.
 */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIGNALS = 129, MOST_MS = 2000 };

enum kind {
	NONE,  /* does no harm, or cannot be caught */
	KILLS, /* ends the process, unless it is handled */
	ENDS,  /* the same; who handles it wants to be asked no more */
	STOPS,
	CONTINUES,
	FAULTS
};

static const int harmless[] = {
	SIGKILL,  SIGSTOP, SIGCHLD, SIGURG,
#ifdef SIGWINCH
	SIGWINCH,
#endif
#ifdef SIGINFO
	SIGINFO,
#endif
};

static struct {
	pid_t pid;
	int pipe[2];
	struct stat is; /* the pipe */
	int made;
	int open;		       /* I3 */
	struct sigaction old[SIGNALS]; /* what was there before ours */
	int installed[SIGNALS];
	int caught[SIGNALS];
} state;

static pthread_once_t once = PTHREAD_ONCE_INIT, fork_once = PTHREAD_ONCE_INIT;
static int registered, fork_registered;

static enum kind kind_of(int sig)
{
	size_t i;

	for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (sig == harmless[i])
			return NONE;
	switch (sig) {
	case SIGHUP:
	case SIGINT:
	case SIGQUIT:
	case SIGTERM:
		return ENDS;
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		return STOPS;
	case SIGCONT:
		return CONTINUES;
	case SIGABRT:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGSEGV:
	case SIGSYS:
	case SIGTRAP:
		return FAULTS;
	}
	return KILLS;
}

/* Both kinds of handlers share their place, so the flags need not be asked. */
static int is_ignored(const struct sigaction *a)
{
	return a->sa_handler == SIG_IGN;
}

static int is_handled(const struct sigaction *a)
{
	return a->sa_handler != SIG_DFL && a->sa_handler != SIG_IGN;
}

static void tell(int sig)
{
	secm_store(&state.caught[sig], 1);
	(void)!write(state.pipe[1], "", 1); /* full: there is enough of it */
}

static int is_ours(const struct sigaction *a);

/* What was there before ours, unless somebody has set something else since. */
static int put_back(int sig, struct sigaction *ours)
{
	return sigaction(sig, NULL, ours) == 0 && is_ours(ours) &&
	       sigaction(sig, &state.old[sig], NULL) == 0;
}

/* It is there without a question if somebody has found it during one and put it
 * back, as system(3) does.  Once the next one has begun it belongs there. */
static void leave(int sig)
{
	struct sigaction ours;

	if (put_back(sig, &ours) && secm_load(&state.open))
		(void)sigaction(sig, &ours, NULL);
}

static void tell_or_raise(int sig)
{
	tell(sig);
	if (secm_load(&state.open) || !secm_exchange(&state.caught[sig], 0))
		return;
	leave(sig);
	(void)raise(sig); /* I3 */
}

/* As if it had come just now; inside of a handler that means after it. */
static void send_again(int sig)
{
	(void)sigaction(sig, &state.old[sig], NULL);
	(void)raise(sig);
}

static void on_signal(int sig)
{
	const int saved = errno;

	if (getpid() == state.pid)
		tell_or_raise(sig);
	else
		send_again(sig); /* I2 */
	errno = saved;
}

/* Whether returning is enough for it to happen again. */
static int repeats(int sig, const siginfo_t *info)
{
	return info->si_code > 0 && info->si_code != SI_USER &&
	       (sig == SIGBUS || sig == SIGFPE || sig == SIGILL ||
		sig == SIGSEGV);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	const int saved = errno;

	(void)context;
	if (getpid() == state.pid && !is_handled(&state.old[sig])) {
		secm_io_terminal_restore_for_good();
	} else if (getpid() == state.pid) {
		secm_io_terminal_restore(1);
		tell(sig);
	}
	if (repeats(sig, info))
		(void)sigaction(sig, &state.old[sig], NULL);
	else
		send_again(sig);
	errno = saved;
}

/* Whoever closes all descriptors closes these too, and their numbers may be
 * another file's now. */
static int is_our_pipe(void)
{
	struct stat a, b;

	return state.made && fstat(state.pipe[0], &a) == 0 &&
	       fstat(state.pipe[1], &b) == 0 && S_ISFIFO(a.st_mode) &&
	       a.st_dev == state.is.st_dev && a.st_ino == state.is.st_ino &&
	       b.st_dev == state.is.st_dev && b.st_ino == state.is.st_ino;
}

static void close_pipe(void)
{
	(void)close(state.pipe[0]);
	(void)close(state.pipe[1]);
	state.made = 0;
}

static int make_pipe(void)
{
	int i;

	if (is_our_pipe())
		return 0;
	if (pipe(state.pipe) != 0)
		return -errno;
	state.made = 1;
	for (i = 0; i < 2; i++)
		if (fcntl(state.pipe[i], F_SETFD, FD_CLOEXEC) < 0 ||
		    fcntl(state.pipe[i], F_SETFL, O_NONBLOCK) < 0 ||
		    fstat(state.pipe[i], &state.is) != 0) {
			const int e = -errno;

			close_pipe();
			return e;
		}
	return 0;
}

static void empty_pipe(void)
{
	char bytes[16];

	while (read(state.pipe[0], bytes, sizeof(bytes)) > 0)
		;
}

static void install(int sig)
{
	struct sigaction a = { .sa_handler = on_signal,
			       .sa_flags = SA_ONSTACK };
	const enum kind kind = kind_of(sig);
	struct sigaction now;

	if (kind == FAULTS) /* nobody takes that back */
		secm_store(&state.caught[sig], 0);
	if (kind == NONE || sigaction(sig, NULL, &now) != 0)
		return;
	if (!is_ours(&now)) {
		if (is_ignored(&now) || (kind == KILLS && is_handled(&now)))
			return;
		state.old[sig] = now;
	}
	(void)sigfillset(&a.sa_mask);
	if (kind == FAULTS) {
		a.sa_sigaction = on_fault;
		a.sa_flags |= SA_SIGINFO;
	}
	state.installed[sig] = sigaction(sig, &a, NULL) == 0;
}

static int is_ours(const struct sigaction *a)
{
	return a->sa_flags & SA_SIGINFO ? a->sa_sigaction == on_fault
					: a->sa_handler == on_signal;
}

static void take_back(void)
{
	struct sigaction ours;
	int sig;

	for (sig = 1; sig < SIGNALS; sig++) {
		if (state.installed[sig])
			(void)put_back(sig, &ours);
		state.installed[sig] = 0;
	}
}

/* The pipe is the parent's, and what is in it, and the words. */
static void child(void)
{
	take_back();
	secm_store(&state.open, 0);
	memset(state.caught, 0, sizeof(state.caught));
	if (is_our_pipe())
		close_pipe();
	state.made = 0;
	secm_io_terminal_forget();
	secm_io_getpass_forget();
}

static void set_up_fork(void)
{
	fork_registered = pthread_atfork(NULL, NULL, child) == 0;
}

/* Not at the first use: see fork.c. */
SECM_CONSTRUCTOR static void at_load(void)
{
	(void)pthread_once(&fork_once, set_up_fork);
}

static void set_up(void)
{
	registered = pthread_once(&fork_once, set_up_fork) == 0 &&
		     fork_registered &&
		     atexit(secm_io_terminal_restore_for_good) == 0;
}

int secm_io_signals_set_up(void)
{
	return pthread_once(&once, set_up) == 0 && registered ? 0 : -ENOMEM;
}

int secm_io_signals_begin(void)
{
	int e, sig;

	e = make_pipe();
	if (e < 0)
		return e;
	empty_pipe();
	if (state.pid != getpid()) /* a child without handlers of fork(2) */
		memset(state.caught, 0, sizeof(state.caught));
	state.pid = getpid();
	secm_store(&state.open, 1);
	for (sig = 1; sig < SIGNALS; sig++)
		install(sig);
	for (sig = 1; sig < SIGNALS; sig++) /* I3: of one that was late */
		if (secm_load(&state.caught[sig]))
			(void)!write(state.pipe[1], "", 1);
	return 0;
}

int secm_io_signals_fd(void)
{
	return state.pipe[0];
}

/* By another thread, if there is one; or the next question is told of it. */
static void await_taken(int sig)
{
	sigset_t waiting;
	int ms = 0;

	while (ms++ < MOST_MS && sigpending(&waiting) == 0 &&
	       sigismember(&waiting, sig))
		(void)poll(NULL, 0, 1);
}

/* One that is blocked here goes to the thread that wants it, except where there
 * is no handler that could tell the difference. */
static void deliver(int sig, int handled)
{
	sigset_t one, before;

	(void)sigemptyset(&one);
	(void)sigaddset(&one, sig);
	(void)pthread_sigmask(SIG_BLOCK, NULL, &before);
	if (handled && kind_of(sig) == ENDS && sigismember(&before, sig)) {
		(void)kill(getpid(), sig);
		await_taken(sig);
		return;
	}
	(void)pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	(void)raise(sig);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int deliver_all(void)
{
	int e = 0, sig;

	for (sig = 1; sig < SIGNALS; sig++) {
		const int handled = is_handled(&state.old[sig]);
		const enum kind kind = kind_of(sig);

		if (!secm_exchange(&state.caught[sig], 0))
			continue;
		if (kind != FAULTS)
			deliver(sig, handled);
		if (handled && kind != CONTINUES && sig != SIGTSTP)
			e = -EINTR;
	}
	return e;
}

/* A handler of the program may have made a child, which is here now without the
 * pipe, or have closed all descriptors. */
int secm_io_signals_end(void)
{
	int first, last;

	take_back();
	first = deliver_all();
	secm_store(&state.open, 0);
	if (is_our_pipe())
		empty_pipe();
	last = deliver_all(); /* I3 */
	return first < 0 ? first : last;
}
