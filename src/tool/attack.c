/* SPDX-License-Identifier: MIT */
/*
 * attack.c - the table of attacks, and what is claimed against them
 *
 * Order is the order of the demonstration: from outside, by the kernel's page
 * access, from children, by mistakes of the program, and last what no memory
 * can stop.  claimed_by says what we promise (doc/threat-model.md), nothing
 * else; tests hold the library to it.  No lock, no state.
 */
#include "config.h"

#include "attack_impl.h"
#include "secmalloc.h"

#define UNDUMPED (SECMALLOC_NODUMP | SECMALLOC_HIDDEN)
#define UNFORKED (SECMALLOC_FORK_ZERO | SECMALLOC_FORK_GONE)

const struct attack attack_table[] = {
	{ "proc_mem", "/proc/PID/mem", SECMALLOC_HIDDEN, 0,
	  NULL, attack_proc_mem },
	{ "process_vm_readv", "process_vm_readv", SECMALLOC_HIDDEN, 0,
	  NULL, attack_vm_readv },
	{ "ptrace_peek", "ptrace PEEKDATA", SECMALLOC_HIDDEN, 0,
	  NULL, attack_peek },
	{ "core_dump", "core dump", UNDUMPED, ATTACK_ALONE,
	  attack_core_die, attack_core_search },
	{ "vmsplice", "vmsplice to a pipe", SECMALLOC_HIDDEN, ATTACK_PIECE,
	  attack_vmsplice, NULL },
	{ "o_direct", "O_DIRECT write to disk", SECMALLOC_HIDDEN,
	  ATTACK_PIECE | ATTACK_ANYWHERE, attack_o_direct, NULL },
	{ "fork_child", "child made by fork", ATTACK_LIBRARY, 0,
	  attack_fork_child, NULL },
	{ "clone_child", "child without fork handlers", UNFORKED, 0,
	  attack_clone_child, NULL },
	{ "read_freed", "read after free", ATTACK_LIBRARY, ATTACK_PIECE,
	  attack_read_freed, NULL },
	{ "write_freed", "write after free", ATTACK_LIBRARY, ATTACK_DAMAGE,
	  attack_write_freed, NULL },
	{ "read_past", "read past a guarded object", ATTACK_LIBRARY,
	  ATTACK_PIECE | ATTACK_ANYWHERE, attack_read_past, NULL },
	{ "write_past", "write one byte past the end", ATTACK_LIBRARY,
	  ATTACK_DAMAGE, attack_write_past, NULL },
	{ "read_neighbour", "read past a small object", 0,
	  ATTACK_PIECE | ATTACK_ANYWHERE, attack_read_neighbour, NULL },
	{ "own_write", "write(2) by the program", 0, 0,
	  attack_own_write, NULL },
	{ "inject_write", "ptrace, injected write(2)", 0, ATTACK_PIECE,
	  NULL, attack_inject_write },
	{ "own_read", "code in the same process", 0, 0,
	  attack_own_read, NULL },
};

const size_t attack_count = sizeof(attack_table) / sizeof(attack_table[0]);

int attack_succeeded(const struct attack_result *result)
{
	return result->outcome == ATTACK_VISIBLE ||
	       result->outcome == ATTACK_UNNOTICED;
}

int attack_claimed(const struct attack *attack, unsigned protections)
{
	return (attack->claimed_by & (protections | ATTACK_LIBRARY)) != 0;
}
