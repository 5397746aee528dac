/* SPDX-License-Identifier: MIT */
/*
 * probe.c - ask the kernel, once, what it can do
 *
 * Callers: the core at start, tests through secm_os_mask().  Sends no signal
 * and touches no page that could raise one.  A "yes" is no promise: quota and
 * descriptors are told at each mapping.
 */
#include "linux.h"

#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>

#include "uapi.h"

unsigned secm_linux_anon_props;
unsigned secm_linux_hidden_mask;
size_t secm_linux_page;

enum { NONSENSE_ADVICE = 9999 };

/* Tries it on two reserved pages of our own.  Without room for them nothing is
 * known: most can be moved. */
void secm_linux_try_anon(size_t page, struct secm_linux_anon *found)
{
	char *p = mmap(NULL, 2 * page, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*found = (struct secm_linux_anon){ .can_move = 1 };
	if (p == MAP_FAILED)
		return;
	found->lies = madvise(p, page, NONSENSE_ADVICE) == 0;
	if (!found->lies)
		found->props = secm_anon_probe(p, page);
	found->can_move = mremap(p, page, page, MREMAP_MAYMOVE | MREMAP_FIXED,
				 p + page) == p + page;
	(void)munmap(p, 2 * page);
}

/* Reads the beginning of a small file; ends it with a zero.  -1 on error. */
ssize_t secm_linux_read_file(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1; /* with errno */
	do
		n = read(fd, buf, len - 1);
	while (n < 0 && errno == EINTR);
	(void)close(fd); /* only read from */
	buf[n > 0 ? n : 0] = 0;
	return n;
}

/* /sys/power/state leaves "disk" out while secret memory is in use, by us or
 * anybody; the resume device stays.  What must not be read may be set up. */
int secm_os_hibernation(void)
{
	char buf[32];

	if (secm_linux_read_file("/sys/power/resume", buf, sizeof(buf)) > 0)
		return strncmp(buf, "0:0", 3) != 0;
	if (errno == EMFILE || errno == ENFILE)
		return -EMFILE;
	return errno == EACCES || errno == EPERM;
}

static size_t memory(size_t page)
{
	long pages = sysconf(_SC_PHYS_PAGES);

	if (pages <= 0 || (size_t)pages > SIZE_MAX / page)
		return SIZE_MAX;
	return (size_t)pages * page;
}

static void probe_anon(struct secm_os_info *info)
{
	struct secm_linux_anon found;

	secm_linux_try_anon(info->page, &found);
	info->madvise_lies = found.lies;
	info->can_move = found.can_move;
	/* A quota of 0 is told when mapping. */
	secm_linux_anon_props = SECM_LOCKED | found.props;
	info->props = secm_anon_props();
}

static void probe_hidden(struct secm_os_info *info)
{
	static const unsigned hidden = SECM_HIDDEN | SECM_FORK_GONE;

	info->hidden_errno =
		secm_linux_hidden_mask & SECM_HIDDEN
			? ENOSYS
			: secm_secretmem_probe(info->page, &info->hidden_lazy);
	if (info->hidden_errno == EMFILE || info->hidden_errno == ENFILE)
		info->hidden_errno = 0; /* only not just now */
	if (info->hidden_errno)
		return;
	info->props |= hidden & ~secm_linux_hidden_mask;
}

/* Under a filter a child asks; else mseal(2) is asked when it is wanted. */
static void probe_calls(struct secm_os_info *info)
{
	int two = secm_seccomp_ask_two(secm_linux_announce, secm_seal_try);

	/* -1 has both bits. */
	info->barrier = (two & 1) && secm_linux_announce() == 0;
	secm_seal_init(two < 0	 ? SECM_SEAL_ASK
		       : two & 2 ? SECM_SEAL_WORKS
				 : SECM_SEAL_MISSING);
}

void secm_os_init(struct secm_os_info *info)
{
	*info = (struct secm_os_info){ .name = "linux" };
	secm_seccomp_init();
	info->page = secm_linux_page = (size_t)sysconf(_SC_PAGESIZE);
	info->memory = memory(info->page);
	probe_anon(info);
	info->reserve_hint = (size_t)1 << 26;
	if (sizeof(void *) > 4 && !info->madvise_lies)
		info->reserve_hint <<= 10;
	probe_calls(info);
	info->vectors = (getauxval(AT_HWCAP) & SECM_HWCAP_SVE) != 0;
	info->hibernation = secm_os_hibernation();
	probe_hidden(info);
}

void secm_os_mask(unsigned hide)
{
	secm_linux_hidden_mask = hide;
}
