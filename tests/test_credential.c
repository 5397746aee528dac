/* SPDX-License-Identifier: MIT */
/*
 * test_credential.c - secmalloc_credential(): files of $CREDENTIALS_DIRECTORY
 *
 * This program is also the one that has rights its caller lacks: its arguments
 * say which file it loads before anything else, and its exit status is the
 * error, or 0.
 */
#include "t_io.h"
#include "t_scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define VARIABLE "CREDENTIALS_DIRECTORY"
#define SCENE "test_credential scene"

enum {
	SIZE = 300,
	ODD_ERRNO = 4711,
	CALLER = 65534,
	OTHER = 65533,
	ROOM = 400
};

FIXTURE(credential)
{
	char folder[40];
	int start; /* where the program was started */
};

TA_VARIANTS(credential);

/* In the folder that the tests are in, from now on. */
static void put(const char *name, size_t size, unsigned seed)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	size_t i;

	ASSERT_LE(0, fd);
	for (i = 0; i < size; i++) {
		unsigned char byte = ti_byte(i, seed);

		ASSERT_EQ(1, write(fd, &byte, 1));
	}
	ASSERT_EQ(0, close(fd));
}

FIXTURE_SETUP(credential)
{
	TA_BEGIN(&variant->tier);
	self->start = open(".", O_RDONLY | O_CLOEXEC);
	strcpy(self->folder, "/tmp/secmalloc-test.XXXXXX");
	ASSERT_NOT_NULL(mkdtemp(self->folder));
	ASSERT_EQ(0, chdir(self->folder));
	put("token", SIZE, 1);
	ASSERT_EQ(0, symlink("token", "link"));
	ASSERT_EQ(0, mkdir("folder", 0700));
	put("folder/token", SIZE, 2);
	ASSERT_EQ(0, setenv(VARIABLE, self->folder, 1));
}

FIXTURE_TEARDOWN(credential)
{
	EXPECT_EQ(0, unlink("token"));
	EXPECT_EQ(0, unlink("link"));
	EXPECT_EQ(0, unlink("folder/token"));
	EXPECT_EQ(0, rmdir("folder"));
	EXPECT_EQ(0, rmdir(self->folder));
}

/* The error with which it is not loaded, or 0. */
static int refused(const char *name)
{
	void *p;

	errno = ODD_ERRNO;
	p = secmalloc_credential(name, NULL, NULL);
	secfree(p);
	return p ? 0 : errno;
}

TEST_F(credential, a_file_becomes_an_object)
{
	struct secmalloc_loaded l = { .size = sizeof(l), .error = 1 };
	void *p;

	errno = ODD_ERRNO;
	p = secmalloc_credential("token", NULL, &l);
	EXPECT_EQ(ODD_ERRNO, errno);
	EXPECT_TRUE(ti_is_object(p, SIZE, 1));
	EXPECT_EQ(p, l.data);
	EXPECT_EQ(SIZE, l.length);
	EXPECT_EQ(0, l.error);
	EXPECT_NE(SECMALLOC_WAY_NONE, l.way);
	secfree(p);
}

TEST_F(credential, a_slash_more_does_no_harm)
{
	char path[50];

	(void)snprintf(path, sizeof(path), "%s//", self->folder);
	ASSERT_EQ(0, setenv(VARIABLE, path, 1));
	EXPECT_EQ(0, refused("token"));
}

TEST_F(credential, what_is_no_name_is_refused)
{
	static const char *const bad[] = {
		"",	   ".",	       "..",	 "/",	       "folder/token",
		"./token", "../token", "token/", "/etc/passwd"
	};
	struct secmalloc_loaded l = { .size = sizeof(l), .data = &l };
	size_t i;

	EXPECT_EQ(EINVAL, refused(NULL));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(EINVAL, refused(bad[i]))
		{
			TH_LOG("%s", bad[i]);
		}
	EXPECT_EQ(ENOENT, refused("..."));
	EXPECT_EQ(ENOENT, refused("..token"));
	EXPECT_EQ(EISDIR, refused("folder"));
	EXPECT_NULL(secmalloc_credential("", NULL, &l));
	EXPECT_EQ(EINVAL, l.error);
	EXPECT_NULL(l.data);
}

TEST_F(credential, without_a_folder_there_are_none)
{
	ASSERT_EQ(0, refused("token")); /* the control */
	ASSERT_EQ(0, unsetenv(VARIABLE));
	EXPECT_EQ(ENXIO, refused("token"));
}

TEST_F(credential, a_folder_has_an_absolute_path)
{
	ASSERT_EQ(0, access("folder/token", R_OK)); /* the control */
	ASSERT_EQ(0, setenv(VARIABLE, "folder", 1));
	EXPECT_EQ(EINVAL, refused("token"));
	ASSERT_EQ(0, setenv(VARIABLE, "", 1));
	EXPECT_EQ(EINVAL, refused("token"));
}

TEST_F(credential, what_was_not_given_is_told)
{
	struct secmalloc_loaded l = { .size = sizeof(l), .data = &l };

	EXPECT_NULL(secmalloc_credential("other", NULL, &l));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(ENOENT, l.error);
	EXPECT_NULL(l.data);
	l.size = 1;
	EXPECT_NULL(secmalloc_credential("token", NULL, &l));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(credential, a_link_is_not_followed)
{
	void *p = secmalloc_load_file("link", NULL, NULL);

	EXPECT_TRUE(ti_is_object(p, SIZE, 1)); /* the control */
	EXPECT_EQ(ELOOP, refused("link"));
}

TEST_F(credential, options_are_passed_on)
{
	struct secmalloc_load_options o = { .max = SIZE - 1 };
	struct secmalloc_loaded l = { .size = sizeof(l) };
	void *p;

	EXPECT_NULL(secmalloc_credential("token", &o, NULL));
	EXPECT_EQ(EFBIG, errno);
	o.max = SIZE;
	o.flags = SECMALLOC_LOAD_STRING | SECMALLOC_LOAD_PRIVATE;
	p = secmalloc_credential("token", &o, &l);
	ASSERT_NOT_NULL(p);
	EXPECT_EQ(SIZE + 1, secmalloc_usable_size(p));
	EXPECT_EQ(SIZE, l.length);
	ASSERT_EQ(0, chmod("token", 0644));
	EXPECT_NULL(secmalloc_credential("token", &o, &l));
	EXPECT_EQ(EPERM, errno);
	o.flags = 0x8000;
	EXPECT_NULL(secmalloc_credential("token", &o, &l));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(EINVAL, l.error);
}

/* The control: what a program leaves that does it itself. */
TEST_F(credential, a_stream_leaves_it_in_other_memory)
{
	char *p = malloc(SIZE);
	FILE *f = fopen("token", "r");
	int places;

	ASSERT_NOT_NULL(f);
	EXPECT_EQ(SIZE, fread(p, 1, SIZE, f));
	EXPECT_EQ(0, fclose(f));
	secmalloc_wipe(p, SIZE);
	free(p);
	places = ti_places(ti_byte, SIZE, 1);
	if (places < 0)
		SKIP(return, "memory cannot be read here");
	EXPECT_LT(0, places);
}

TEST_F(credential, no_other_memory_has_it)
{
	void *p = secmalloc_credential("token", NULL, NULL);

	EXPECT_TRUE(ti_is_object(p, SIZE, 1));
	TI_IS_NOWHERE(ti_byte, SIZE, 1);
	secfree(p);
	TI_IS_NOWHERE(ti_byte, SIZE, 1);
}

/* Of which system it is by what it has in /proc. */
KSFT_AT_START_(answer)
{
	static const struct ta_tier tier = TA_TIER_PLAIN;
	char args[ROOM + 1] = "";
	int fd = open("/proc/self/cmdline", O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, args, ROOM) : -1;

	(void)close(fd); /* only read from, if that */
	if (n <= (ssize_t)sizeof(SCENE) ||
	    memcmp(args, SCENE, sizeof(SCENE)) != 0)
		return;
	_exit(ta_begin(&tier) ? 1 : refused(args + sizeof(SCENE)));
}

static int copy_file(int folder, const char *from, const char *to)
{
	char buf[65536];
	int in = openat(folder, from, O_RDONLY), out;
	ssize_t n;

	out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0700);
	if (in < 0 || out < 0)
		return -1;
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			return -1;
	return close(in) != 0 || close(out) != 0 || n != 0 ? -1 : 0;
}

/* The exit status of the copy, when somebody without rights runs it. */
static int run_copy(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (setgid(CALLER) != 0 || setuid(CALLER) != 0)
			_exit(2);
		(void)execl("./copy", SCENE, "token", (char *)NULL);
		_exit(3);
	}
	return ta_status(pid);
}

TEST_F(credential, a_program_that_gained_rights_has_none)
{
	if (geteuid() != 0)
		SKIP(return, "only root can give a file away");
	if (access("/proc/self/cmdline", R_OK) != 0)
		SKIP(return, "no /proc");
	if (!strchr(ksft_program, '/'))
		SKIP(return, "the program's path is not known");
	ASSERT_EQ(0, chmod(self->folder, 0755));
	ASSERT_EQ(0, chmod("token", 0644));
	ASSERT_EQ(0, copy_file(self->start, ksft_program, "copy"));
	ASSERT_EQ(0, chmod("copy", 0755));
	EXPECT_EQ(0, run_copy()); /* the control */
	ASSERT_EQ(0, chown("copy", OTHER, OTHER));
	ASSERT_EQ(0, chmod("copy", 04755));
	EXPECT_EQ(ENXIO, run_copy());
	ASSERT_EQ(0, chmod("copy", 02755));
	EXPECT_EQ(ENXIO, run_copy());
	EXPECT_EQ(0, unlink("copy"));
}
