/* SPDX-License-Identifier: MIT */
/*
 * x86_64.S - fn(arg) on another stack
 *
 * Callers: enter.c.  The frame is the usual one of %rbp, which fn keeps as any
 * function does; so the description for unwinders (CFI) holds on both sides
 * of the switch, and a backtrace from inside fn goes on to main.  It is marked
 * as that of a signal, which is the one place where debuggers expect that the
 * stack is another one from there on, at whatever address.
 *
 * fn is called and returns as any function, so the shadow stack of the
 * processor, which is not switched, agrees.
 */
#include "arch.h"

#if defined(SECM_ARCH_SWITCH) && defined(__x86_64__)
	.text
	.globl	secm_arch_switch
	.hidden	secm_arch_switch
	.hidden	secm_arch_clear
	.hidden	secm_arch_personality
	.type	secm_arch_switch, @function
	.balign	16
/* rdi: top, rsi: fn, rdx: arg */
secm_arch_switch:
	.cfi_startproc
	.cfi_personality 0x1b, secm_arch_personality
	.cfi_signal_frame
	.byte	0xf3, 0x0f, 0x1e, 0xfa	/* endbr64 */
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	movq	%rdi, %rsp
	movq	%rdx, %rdi
	call	*%rsi
	call	secm_arch_clear
	movq	%rbp, %rsp
	popq	%rbp
	.cfi_def_cfa %rsp, 8
	ret
	.cfi_endproc
	.size	secm_arch_switch, . - secm_arch_switch
#endif

#if defined(__ELF__)
	.section .note.GNU-stack, "", %progbits
#endif

/* endbr64 is where calls through pointers arrive, and returns are balanced:
 * IBT and SHSTK. */
#if defined(__ELF__) && defined(__x86_64__) && defined(__LP64__)
	.section .note.gnu.property, "a"
	.balign	8
	.long	4, 16, 5
	.asciz	"GNU"
	.long	0xc0000002, 4, 3, 0
#endif
