/* SPDX-License-Identifier: MIT */
/*
 * test_environment_start.c - secmalloc_env_take() of what a program was started
 * with, as the system shows it to others
 *
 * The program is this one; its arguments say which scene it plays before
 * anything else.  It tells by its exit status, and on standard error, whether
 * all was as it has to be.
 */
#include "t_env.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>

enum { LENGTH = 200, HUGE_LENGTH = 100000, ROOM = 1 << 18, ARGS = 400 };

#define SCENE "test_environment_start scene"
#define ARGUMENT TE_NAME "=argument"

static int bad;
#define SHOULD(x)                                                             \
	do {                                                                  \
		if (!(x)) {                                                   \
			(void)fprintf(stderr, "line %d: %s\n", __LINE__, #x); \
			bad = 1;                                              \
		}                                                             \
	} while (0)

static char text[ROOM];

/* All that is in such a file, which is small. */
static size_t read_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t have = 0;
	ssize_t n = -1;

	memset(text, 0, sizeof(text));
	if (fd >= 0) {
		do {
			n = read(fd, text + have, ROOM - have);
			have += n > 0 ? (size_t)n : 0;
		} while (n > 0);
		(void)close(fd); /* only read from */
	}
	return n < 0 ? 0 : have;
}

/* 1 if the system shows the value among what process pid was started with. */
static int shows(pid_t pid, unsigned seed)
{
	char path[60];
	size_t size, i, k;
	int found = 0;

	(void)snprintf(path, sizeof(path), "/proc/%ld/environ", (long)pid);
	size = read_file(path);
	SHOULD(size > 0);
	for (i = 0; i + 16 <= size && !found; i++) {
		for (k = 0; k < 16; k++)
			if ((unsigned char)text[i + k] != te_byte(k, seed))
				break;
		found = k == 16;
	}
	secmalloc_wipe(text, sizeof(text));
	return found;
}

/* Another process looks. */
static int shows_others(unsigned seed)
{
	pid_t we = getpid(), pid = fork();

	if (pid == 0) {
		int found = shows(we, seed);

		_exit(bad ? 2 : found);
	}
	return ta_status(pid);
}

static int is_linux(void)
{
	struct secmalloc_report r = ta_report();

	return strcmp(r.backend, "linux") == 0;
}

static int is_nowhere(size_t length, unsigned seed)
{
	return ti_places(te_byte, length, seed) <= 0; /* -1: not to be told */
}

static int has(const char *p, size_t size, const char *word)
{
	const size_t n = strlen(word);
	size_t i;

	for (i = 0; i + n <= size; i++)
		if (memcmp(p + i, word, n) == 0)
			return 1;
	return 0;
}

/* The other variables, in their order; and what only looks like one. */
static void should_have_the_others(void)
{
	SHOULD(environ[0] && strcmp(environ[0], "A=1") == 0);
	SHOULD(environ[1] && strcmp(environ[1], "B=2") == 0);
	SHOULD(environ[1] && !environ[2]);
	SHOULD(read_file("/proc/self/environ") > 0);
	SHOULD(memcmp(text, "A=1", 4) == 0);
	SHOULD(!is_linux() || !has(text, ROOM, TE_NAME));
	SHOULD(read_file("/proc/self/cmdline") > 0);
	SHOULD(has(text, ROOM, ARGUMENT));
}

static void plain(size_t length)
{
	char *p;

	SHOULD(shows(getpid(), 1));
	SHOULD(shows_others(1) == 1);
	SHOULD(ti_places(te_byte, length, 1) != 0);
	p = secmalloc_env_take(TE_NAME, NULL);
	SHOULD(te_is(p, length, 1));
	SHOULD(!getenv(TE_NAME));
	SHOULD(!shows(getpid(), 1));
	SHOULD(shows_others(1) == 0);
	SHOULD(is_nowhere(length, 1));
	should_have_the_others();
	secfree(p);
	SHOULD(is_nowhere(length, 1));
}

/* The control: this is what others do. */
static void control(void)
{
	char *copy = strdup(getenv(TE_NAME));

	SHOULD(unsetenv(TE_NAME) == 0);
	SHOULD(shows(getpid(), 1));
	SHOULD(shows_others(1) == 1);
	SHOULD(ti_places(te_byte, LENGTH, 1) != 0);
	free(copy);
}

static void twice(void)
{
	SHOULD(shows(getpid(), 1) && shows(getpid(), 2));
	SHOULD(te_is(secmalloc_env_take(TE_NAME, NULL), LENGTH, 1));
	SHOULD(te_count(TE_NAME) == 0);
	SHOULD(!shows(getpid(), 1) && !shows(getpid(), 2));
	SHOULD(is_nowhere(LENGTH, 1) && is_nowhere(LENGTH, 2));
	should_have_the_others();
}

/* environ has another string, and the kernel still shows the first. */
static void replaced(void)
{
	SHOULD(te_set(LENGTH, 3) == 0);
	SHOULD(shows(getpid(), 1) && !shows(getpid(), 3));
	SHOULD(te_is(secmalloc_env_take(TE_NAME, NULL), LENGTH, 3));
	SHOULD(shows(getpid(), 1) == !is_linux());
	SHOULD(is_nowhere(LENGTH, 3));
	SHOULD(!is_linux() || is_nowhere(LENGTH, 1));
	should_have_the_others();
}

static void removed(void)
{
	SHOULD(unsetenv(TE_NAME) == 0);
	SHOULD(shows(getpid(), 1));
	SHOULD(!secmalloc_env_take(TE_NAME, NULL) && errno == ENOENT);
	SHOULD(shows(getpid(), 1) == !is_linux());
	SHOULD(!is_linux() || is_nowhere(LENGTH, 1));
}

static void no_environ(void)
{
	environ = NULL;
	SHOULD(!secmalloc_env_take(TE_NAME, NULL) && errno == ENOENT);
	SHOULD(shows(getpid(), 1) == !is_linux());
}

/* The name is what the kernel puts before the numbers that are looked for. */
static void renamed(void)
{
	int fd = open("/proc/self/comm", O_WRONLY);

	SHOULD(fd >= 0 && write(fd, ") S 1 (2) 3 \n)", 14) == 14);
	SHOULD(close(fd) == 0);
	replaced();
}

/* What was the environment is now a title, that begins like a variable. */
static void titled(void)
{
	static char a[] = "A=1", b[] = "B=2", *others[] = { a, b, NULL };
	char *start = environ[0];
	size_t size = read_file("/proc/self/environ");

	environ = others;
	memset(start, 'x', size);
	memcpy(start, TE_NAME "=", sizeof(TE_NAME));
	SHOULD(!secmalloc_env_take(TE_NAME, NULL) && errno == ENOENT);
	SHOULD(start[sizeof(TE_NAME)] == 'x' && start[size - 1] == 'x');
}

static void nothing(void)
{
	SHOULD(!environ || !environ[0]);
	SHOULD(!secmalloc_env_take(TE_NAME, NULL) && errno == ENOENT);
	SHOULD(te_set(LENGTH, 4) == 0);
	SHOULD(te_is(secmalloc_env_take(TE_NAME, NULL), LENGTH, 4));
	SHOULD(is_nowhere(LENGTH, 4));
}

static void play(const char *scene)
{
	if (!strcmp(scene, "plain"))
		plain(LENGTH);
	else if (!strcmp(scene, "huge"))
		plain(HUGE_LENGTH);
	else if (!strcmp(scene, "control"))
		control();
	else if (!strcmp(scene, "twice"))
		twice();
	else if (!strcmp(scene, "replaced"))
		replaced();
	else if (!strcmp(scene, "removed"))
		removed();
	else if (!strcmp(scene, "no_environ"))
		no_environ();
	else if (!strcmp(scene, "renamed"))
		renamed();
	else if (!strcmp(scene, "titled"))
		titled();
	else if (!strcmp(scene, "nothing"))
		nothing();
	else
		SHOULD(!"a scene");
}

KSFT_AT_START_(answer)
{
	static const struct ta_tier tiers[] = { TA_TIER_SECRET, TA_TIER_LOCKED,
						TA_TIER_PLAIN };
	char args[ARGS];
	size_t size = read_file("/proc/self/cmdline"), at = sizeof(SCENE);

	if (size < at + 2 || size > ARGS || memcmp(text, SCENE, at) != 0)
		return;
	memcpy(args, text, size);
	SHOULD(!ta_begin(&tiers[args[at] - '0']));
	play(args + at + 2);
	_exit(bad);
}

FIXTURE(started)
{
	char unused;
};
/* clang-format off */
FIXTURE_VARIANT(started)
{
	char number[2];
	struct ta_tier tier;
};
FIXTURE_VARIANT_ADD(started, secret) { "0", TA_TIER_SECRET };
FIXTURE_VARIANT_ADD(started, locked) { "1", TA_TIER_LOCKED };
FIXTURE_VARIANT_ADD(started, plain) { "2", TA_TIER_PLAIN };
/* clang-format on */
FIXTURE_SETUP(started)
{
	if (access("/proc/self/environ", R_OK) != 0)
		SKIP(return, "this system does not show environments");
	TA_BEGIN(&variant->tier);
}
FIXTURE_TEARDOWN(started)
{
}

/* A program with the secret among other variables: its exit status. */
static int start(const char *number, const char *scene, size_t length,
		 int times)
{
	char name[] = SCENE, a[] = "A=1", b[] = "B=2", word[20], tier[2];
	char argument[] = ARGUMENT;
	char *args[] = { name, tier, word, argument, NULL };
	char *variables[] = { a, NULL, b, NULL, NULL };
	pid_t pid;
	int i, r;

	memcpy(tier, number, 2);
	(void)snprintf(word, sizeof(word), "%s", scene);
	for (i = 0; i < times; i++) {
		variables[2 * i + 1] = malloc(sizeof(TE_NAME "=") + length);
		memcpy(variables[2 * i + 1], TE_NAME "=", sizeof(TE_NAME));
		te_fill(variables[2 * i + 1] + sizeof(TE_NAME), length,
			(unsigned)i + 1);
	}
	if (times == 0)
		variables[0] = NULL;
	r = posix_spawn(&pid, ksft_program, NULL, NULL, args, variables);
	for (i = 0; i < times; i++)
		free(variables[2 * i + 1]);
	return r == 0 ? ta_status(pid) : -1;
}

TEST_F(started, the_system_shows_it_whatever_others_do)
{
	EXPECT_EQ(0, start(variant->number, "control", LENGTH, 1));
}

TEST_F(started, it_is_shown_to_nobody_once_it_was_taken)
{
	EXPECT_EQ(0, start(variant->number, "plain", LENGTH, 1));
}

TEST_F(started, a_huge_one_neither)
{
	EXPECT_EQ(0, start(variant->number, "huge", HUGE_LENGTH, 1));
}

TEST_F(started, two_of_the_name_neither)
{
	EXPECT_EQ(0, start(variant->number, "twice", LENGTH, 2));
}

TEST_F(started, nor_one_that_was_replaced)
{
	EXPECT_EQ(0, start(variant->number, "replaced", LENGTH, 1));
}

TEST_F(started, nor_one_that_was_removed)
{
	EXPECT_EQ(0, start(variant->number, "removed", LENGTH, 1));
}

TEST_F(started, nor_one_of_a_program_without_environ)
{
	EXPECT_EQ(0, start(variant->number, "no_environ", LENGTH, 1));
}

TEST_F(started, whatever_the_program_is_called)
{
	EXPECT_EQ(0, start(variant->number, "renamed", LENGTH, 1));
}

TEST_F(started, a_title_in_its_place_is_left_alone)
{
	EXPECT_EQ(0, start(variant->number, "titled", LENGTH, 1));
}

TEST_F(started, an_empty_environment_is_one_too)
{
	EXPECT_EQ(0, start(variant->number, "nothing", LENGTH, 0));
}
