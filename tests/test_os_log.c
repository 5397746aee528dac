/* SPDX-License-Identifier: MIT */
/*
 * test_os_log.c - what every backend promises in os.h: lines, and the
 * environment
 *
 * That a program with more rights than its caller is told nothing takes a
 * program of its own: tests/t_conf.c, in copies that have such rights.
 */
#include "t_os.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "ksft.h"

extern char **environ;

enum { ODD_ERRNO = 4711 };

static const char line[] = "secmalloc: a line\n";

TEST(a_line_is_written_as_it_is_and_in_one_piece)
{
	char text[400], buf[500];
	int pair[2], saved = dup(STDERR_FILENO);
	size_t len;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	ASSERT_GE(dup2(pair[1], STDERR_FILENO), 0);
	memset(text, '%', sizeof(text));
	for (len = 1; len <= sizeof(text); len += 57) {
		errno = ODD_ERRNO;
		secm_os_log(text, len);
		EXPECT_EQ(ODD_ERRNO, errno);
		EXPECT_EQ(len, recv(pair[0], buf, sizeof(buf), MSG_DONTWAIT));
		EXPECT_EQ(0, memcmp(text, buf, len));
		EXPECT_EQ(-1, recv(pair[0], buf, sizeof(buf), MSG_DONTWAIT));
	}
	ASSERT_GE(dup2(saved, STDERR_FILENO), 0);
}

TEST(nobody_to_read_a_line_is_no_error)
{
	int saved = dup(STDERR_FILENO);

	ASSERT_EQ(0, close(STDERR_FILENO));
	errno = ODD_ERRNO;
	secm_os_log(line, strlen(line));
	EXPECT_EQ(ODD_ERRNO, errno);
	ASSERT_EQ(STDERR_FILENO, dup2(saved, STDERR_FILENO));
}

/* Standard error is a pipe that nobody reads from. */
static int broken_stderr(void)
{
	int fd[2];

	if (pipe(fd) != 0 || dup2(fd[1], STDERR_FILENO) < 0)
		return -1;
	return close(fd[0]) != 0 || close(fd[1]) != 0;
}

TEST_SIGNAL(a_broken_pipe_ends_who_writes_to_it_control, SIGPIPE)
{
	ASSERT_EQ(0, broken_stderr());
	(void)signal(SIGPIPE, SIG_DFL); /* cannot fail for this signal */
	(void)!write(STDERR_FILENO, line, 1);
}

static volatile sig_atomic_t pipes;

static void on_pipe(int sig)
{
	(void)sig;
	pipes++;
}

static int is_blocked(int sig)
{
	sigset_t now;

	return pthread_sigmask(SIG_BLOCK, NULL, &now) == 0 &&
	       sigismember(&now, sig) == 1;
}

static int is_pending(int sig)
{
	sigset_t now;

	return sigpending(&now) == 0 && sigismember(&now, sig) == 1;
}

TEST(a_broken_pipe_is_no_signal)
{
	void (*const handlers[])(int) = { SIG_DFL, SIG_IGN, on_pipe };
	int saved = dup(STDERR_FILENO), i;

	ASSERT_EQ(0, broken_stderr());
	for (i = 0; i < 3; i++) {
		(void)signal(SIGPIPE, handlers[i]); /* cannot fail */
		errno = ODD_ERRNO;
		secm_os_log(line, strlen(line));
		EXPECT_EQ(ODD_ERRNO, errno);
		EXPECT_FALSE(is_pending(SIGPIPE));
		EXPECT_FALSE(is_blocked(SIGPIPE));
	}
	EXPECT_EQ(0, pipes);
	(void)raise(SIGPIPE); /* to us */
	EXPECT_EQ(1, pipes);
	ASSERT_GE(dup2(saved, STDERR_FILENO), 0);
}

/* A signal that was there before is the program's. */
TEST(a_signal_that_waits_goes_on_waiting)
{
	int saved = dup(STDERR_FILENO);
	sigset_t set;

	(void)signal(SIGPIPE, on_pipe); /* cannot fail for this signal */
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	ASSERT_EQ(0, pthread_sigmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, broken_stderr());
	secm_os_log(line, strlen(line));
	EXPECT_FALSE(is_pending(SIGPIPE));
	(void)raise(SIGPIPE); /* to us */
	ASSERT_TRUE(is_pending(SIGPIPE));
	secm_os_log(line, strlen(line));
	EXPECT_TRUE(is_pending(SIGPIPE));
	EXPECT_TRUE(is_blocked(SIGPIPE));
	EXPECT_EQ(0, pipes);
	ASSERT_EQ(0, pthread_sigmask(SIG_UNBLOCK, &set, NULL));
	EXPECT_EQ(1, pipes);
	ASSERT_GE(dup2(saved, STDERR_FILENO), 0);
}

TEST(a_full_pipe_that_would_not_wait_is_no_error)
{
	int fd[2], saved = dup(STDERR_FILENO);

	ASSERT_EQ(0, pipe(fd));
	ASSERT_EQ(0, fcntl(fd[1], F_SETFL, O_NONBLOCK));
	while (write(fd[1], line, sizeof(line)) > 0)
		;
	ASSERT_EQ(EAGAIN, errno);
	ASSERT_GE(dup2(fd[1], STDERR_FILENO), 0);
	errno = ODD_ERRNO;
	secm_os_log(line, strlen(line));
	EXPECT_EQ(ODD_ERRNO, errno);
	ASSERT_GE(dup2(saved, STDERR_FILENO), 0);
}

TEST(conf_is_what_the_environment_says)
{
	ASSERT_EQ(0, unsetenv("SECMALLOC_CONF"));
	EXPECT_NULL(secm_os_conf());
	ASSERT_EQ(0, setenv("SECMALLOC_CONF", "a=b,c", 1));
	EXPECT_STREQ("a=b,c", secm_os_conf());
	ASSERT_EQ(0, setenv("SECMALLOC_CONF", "", 1));
	EXPECT_STREQ("", secm_os_conf());
	ASSERT_EQ(0, unsetenv("SECMALLOC_CONF"));
	ASSERT_EQ(0, setenv("SECMALLOC_CONFX", "no", 1));
	ASSERT_EQ(0, setenv("SECMALLOC_CON", "no", 1));
	EXPECT_NULL(secm_os_conf());
}

TEST(without_an_environment_conf_is_nothing)
{
	static char *none[] = { NULL };
	char **before = environ;

	ASSERT_EQ(0, setenv("SECMALLOC_CONF", "strict", 1));
	environ = none;
	EXPECT_NULL(secm_os_conf());
	environ = NULL;
	EXPECT_NULL(secm_os_conf());
	environ = before;
}

/* Copies of the program that shows what the backend says. */
FIXTURE(rights)
{
	char folder[64], copy[96];
};

FIXTURE_VARIANT(rights)
{
	unsigned mode; /* of the copy, besides 0755 */
};

FIXTURE_VARIANT_ADD(rights, of_the_user) { S_ISUID };
FIXTURE_VARIANT_ADD(rights, of_the_group) { S_ISGID };

enum { CALLER = 65534, OTHER = 65533 };

static int copy_file(const char *from, const char *to)
{
	char buf[65536];
	int in = open(from, O_RDONLY), out;
	ssize_t n;

	out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0700);
	if (in < 0 || out < 0)
		return -1;
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			return -1;
	return close(in) != 0 || close(out) != 0 || n != 0 ? -1 : 0;
}

FIXTURE_SETUP(rights)
{
	const char *slash = strrchr(ksft_program, '/');
	char from[400];

	if (geteuid() != 0)
		SKIP(return, "only root can give a file away");
	ASSERT_NOT_NULL(slash);
	snprintf(from, sizeof(from), "%.*s/t_conf",
		 (int)(slash - ksft_program), ksft_program);
	strcpy(self->folder, "/tmp/secmalloc-test.XXXXXX");
	ASSERT_NOT_NULL(mkdtemp(self->folder));
	ASSERT_EQ(0, chmod(self->folder, 0711));
	snprintf(self->copy, sizeof(self->copy), "%s/t_conf", self->folder);
	ASSERT_EQ(0, copy_file(from, self->copy));
	ASSERT_EQ(0, chmod(self->copy, 0755));
}

FIXTURE_TEARDOWN(rights)
{
	if (self->copy[0])
		EXPECT_EQ(0, unlink(self->copy));
	if (self->folder[0])
		EXPECT_EQ(0, rmdir(self->folder));
}

/* What the copy prints when somebody without rights runs it. */
static void run(const char *copy, char *text, size_t size)
{
	int fd[2], status;
	ssize_t n;
	pid_t pid;

	ASSERT_EQ(0, pipe(fd));
	pid = fork();
	if (pid == 0) {
		if (dup2(fd[1], STDOUT_FILENO) < 0 ||
		    setenv("SECMALLOC_CONF", "strict", 1) != 0 ||
		    setgid(CALLER) != 0 || setuid(CALLER) != 0)
			_exit(99);
		execl(copy, copy, (char *)NULL);
		_exit(98);
	}
	ASSERT_EQ(0, close(fd[1]));
	n = read(fd[0], text, size - 1);
	text[n > 0 ? n : 0] = 0;
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, close(fd[0]));
}

TEST_F(rights, a_program_that_has_more_than_its_caller_is_told_nothing)
{
	char text[200];

	run(self->copy, text, sizeof(text));
	EXPECT_STREQ("same rights: strict\n", text); /* the control */
	if (chown(self->copy, OTHER, OTHER) != 0)
		SKIP(return, "files cannot be given away here");
	ASSERT_EQ(0, chmod(self->copy, variant->mode | 0755));
	run(self->copy, text, sizeof(text));
	if (strncmp(text, "same", 4) == 0)
		SKIP(return, "this file system gives no rights");
	EXPECT_STREQ("more rights: nothing\n", text);
}
