/* SPDX-License-Identifier: MIT */
/*
 * aarch64.S - fn(arg) on another stack, and registers without fn's data
 *
 * Callers: enter.c.  As x86_64.S; the frame is that of x29.
 */
#include "arch.h"

#if defined(SECM_ARCH_SWITCH) && defined(__aarch64__)
	.text
	.globl	secm_arch_switch
	.hidden	secm_arch_switch
	.hidden	secm_arch_clear
	.hidden	secm_arch_personality
	.type	secm_arch_switch, %function
	.balign	16
/* x0: top, x1: fn, x2: arg */
secm_arch_switch:
	.cfi_startproc
	.cfi_personality 0x1b, secm_arch_personality
	.cfi_signal_frame
	hint	34			/* bti c */
	stp	x29, x30, [sp, -16]!
	.cfi_def_cfa_offset 16
	.cfi_offset 29, -16
	.cfi_offset 30, -8
	mov	x29, sp
	.cfi_def_cfa_register 29
	mov	sp, x0
	mov	x0, x2
	blr	x1
	bl	secm_arch_clear
	mov	sp, x29
	.cfi_def_cfa_register 31
	ldp	x29, x30, [sp], 16
	.cfi_def_cfa_offset 0
	.cfi_restore 29
	.cfi_restore 30
	ret
	.cfi_endproc
	.size	secm_arch_switch, . - secm_arch_switch
#endif

#ifdef SECM_ARCH_AARCH64
	.text
	.globl	secm_arch_clear
	.hidden	secm_arch_clear
	.hidden	secm_arch_vectors
	.type	secm_arch_clear, %function
	.balign	16
/* Of v8 to v15 functions keep the lower halves, which are the caller's again;
 * the upper ones are not.  x18 is the system's.  What is written here clears
 * whatever a longer vector has beyond 16 bytes, too. */
secm_arch_clear:
	.cfi_startproc
	hint	34
	adrp	x0, secm_arch_vectors
	ldr	w0, [x0, :lo12:secm_arch_vectors]
	cbz	w0, 1f
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	.inst	0x2518e400 + \n	/* pfalse p.b */
	.endr
1:	.irp	n, 0,1,2,3,4,5,6,7,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	movi	v\n\().16b, 0
	.endr
	.irp	n, 8,9,10,11,12,13,14,15
	mov	v\n\().d[1], xzr
	.endr
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17
	mov	x\n, xzr
	.endr
	ret
	.cfi_endproc
	.size	secm_arch_clear, . - secm_arch_clear
#endif

#if defined(__ELF__)
	.section .note.GNU-stack, "", %progbits
#endif

/* Calls through pointers arrive at "bti c". */
#ifdef SECM_ARCH_AARCH64
	.section .note.gnu.property, "a"
	.balign	8
	.long	4, 16, 5
	.asciz	"GNU"
	.long	0xc0000000, 4, 1, 0
#endif
