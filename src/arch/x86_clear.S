/* SPDX-License-Identifier: MIT */
/*
 * x86_clear.S - all registers that a function need not keep, as they are in a
 * new process
 *
 * Callers: x86.c.  The processor itself does it, in one instruction and
 * whatever registers it has: a state is loaded that says "initial" of all
 * parts.  Control words belong to the caller and are put back; %rbx, %rbp and
 * the other registers that functions keep hold the caller's values again.
 */
#include "arch.h"

#if defined(SECM_ARCH_X86) && defined(__x86_64__)
	.text
	.globl	secm_x86_clear
	.hidden	secm_x86_clear
	.type	secm_x86_clear, @function
	.balign	16
/* rdi: the state; esi: which parts, or 0: there is only fxrstor; edx: not 0:
 * those that are initial already can be told */
secm_x86_clear:
	.cfi_startproc
	.byte	0xf3, 0x0f, 0x1e, 0xfa	/* endbr64 */
	subq	$8, %rsp
	.cfi_def_cfa_offset 16
	fnstcw	(%rsp)
	stmxcsr	4(%rsp)
	movl	%esi, %eax
	testl	%esi, %esi
	jz	1f
	testl	%edx, %edx
	jz	2f
	movl	$1, %ecx
	.byte	0x0f, 0x01, 0xd0		/* xgetbv */
	orl	$7, %eax
	andl	%esi, %eax
2:	xorl	%edx, %edx
	xrstor	(%rdi)
	jmp	3f
1:	fxrstor	(%rdi)
3:	ldmxcsr	4(%rsp)
	fldcw	(%rsp)
	addq	$8, %rsp
	.cfi_def_cfa_offset 8
	xorl	%eax, %eax
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%esi, %esi
	xorl	%edi, %edi
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d
	ret
	.cfi_endproc
	.size	secm_x86_clear, . - secm_x86_clear
#endif

#if defined(SECM_ARCH_X86) && defined(__i386__)
	.text
	.globl	secm_x86_clear
	.hidden	secm_x86_clear
	.type	secm_x86_clear, @function
	.balign	16
/* As above, with its arguments on the stack. */
secm_x86_clear:
	.cfi_startproc
	.byte	0xf3, 0x0f, 0x1e, 0xfb	/* endbr32 */
	subl	$8, %esp
	.cfi_def_cfa_offset 12
	fnstcw	(%esp)
	stmxcsr	4(%esp)
	movl	16(%esp), %eax
	testl	%eax, %eax
	jz	1f
	cmpl	$0, 20(%esp)
	je	2f
	movl	$1, %ecx
	.byte	0x0f, 0x01, 0xd0		/* xgetbv */
	orl	$7, %eax
	andl	16(%esp), %eax
2:	xorl	%edx, %edx
	movl	12(%esp), %ecx
	xrstor	(%ecx)
	jmp	3f
1:	movl	12(%esp), %ecx
	fxrstor	(%ecx)
3:	ldmxcsr	4(%esp)
	fldcw	(%esp)
	addl	$8, %esp
	.cfi_def_cfa_offset 4
	xorl	%eax, %eax
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	ret
	.cfi_endproc
	.size	secm_x86_clear, . - secm_x86_clear
#endif

#if defined(__ELF__)
	.section .note.GNU-stack, "", %progbits
#endif

#if defined(SECM_ARCH_X86) && defined(__LP64__)
	.section .note.gnu.property, "a"
	.balign	8
	.long	4, 16, 5
	.asciz	"GNU"
	.long	0xc0000002, 4, 3, 0
#elif defined(SECM_ARCH_X86)
	.section .note.gnu.property, "a"
	.balign	4
	.long	4, 12, 5
	.asciz	"GNU"
	.long	0xc0000002, 4, 3
#endif
