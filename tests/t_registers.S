/* SPDX-License-Identifier: MIT */
/*
 * t_registers.S - fill all registers with a pattern; call, and store them
 *
 *	void t_fill_registers(void *fill);
 *	void t_store_registers(void (*fn)(void *), void *arg, void *to);
 *
 * fill: struct t_fill; to: struct t_registers, both of t_registers.h.  Of
 * what functions have to keep nothing is changed.
 */
#if defined(__ELF__) && defined(__x86_64__) && defined(__LP64__)
	.text
	.globl	t_fill_registers, t_store_registers
	.type	t_fill_registers, @function
	.type	t_store_registers, @function

/* 0(%rdi): pattern, 8(%rdi): parts */
t_fill_registers:
	movq	(%rdi), %rax
	movq	8(%rdi), %rdx
	fldl	(%rax)
	fldl	(%rax)
	fstp	%st(0)
	fstp	%st(0)
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movups	(%rax), %xmm\n
	.endr
	testl	$4, %edx
	jz	1f
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	vmovups	(%rax), %ymm\n
	.endr
	testl	$0xe0, %edx
	jz	1f
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	vmovups	(%rax), %zmm\n
	.endr
	.irp	n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	vmovups	(%rax), %zmm\n
	.endr
	.irp	n, 0,1,2,3,4,5,6,7
	kmovq	(%rax), %k\n
	.endr
1:	movq	(%rax), %rax
	.irp	r, rcx,rdx,rsi,rdi,r8,r9,r10,r11
	movq	%rax, %\r
	.endr
	ret

t_store_registers:
	pushq	%rbx
	movq	%rdx, %rbx
	movq	%rdi, %rax
	movq	%rsi, %rdi
	call	*%rax
	movq	%rax, (%rbx)
	movq	%rcx, 8(%rbx)
	movq	%rdx, 16(%rbx)
	movq	%rsi, 24(%rbx)
	movq	%rdi, 32(%rbx)
	movq	%r8, 40(%rbx)
	movq	%r9, 48(%rbx)
	movq	%r10, 56(%rbx)
	movq	%r11, 64(%rbx)
	movl	$-1, %eax
	movl	$-1, %edx
	xsave	512(%rbx)
	popq	%rbx
	ret
#elif defined(__ELF__) && defined(__i386__)
	.text
	.globl	t_fill_registers, t_store_registers
	.type	t_fill_registers, @function
	.type	t_store_registers, @function

t_fill_registers:
	movl	4(%esp), %ecx
	movl	8(%ecx), %edx
	movl	(%ecx), %eax
	fldl	(%eax)
	fldl	(%eax)
	fstp	%st(0)
	fstp	%st(0)
	.irp	n, 0,1,2,3,4,5,6,7
	movups	(%eax), %xmm\n
	.endr
	testl	$4, %edx
	jz	1f
	.irp	n, 0,1,2,3,4,5,6,7
	vmovups	(%eax), %ymm\n
	.endr
	testl	$0xe0, %edx
	jz	1f
	.irp	n, 0,1,2,3,4,5,6,7
	vmovups	(%eax), %zmm\n
	kmovq	(%eax), %k\n
	.endr
1:	movl	(%eax), %eax
	movl	%eax, %ecx
	movl	%eax, %edx
	ret

t_store_registers:
	pushl	%ebx
	subl	$20, %esp
	movl	36(%esp), %ebx
	movl	32(%esp), %eax
	movl	%eax, (%esp)
	call	*28(%esp)
	movl	%eax, (%ebx)
	movl	%eax, 4(%ebx)
	movl	%ecx, 8(%ebx)
	movl	%ecx, 12(%ebx)
	movl	%edx, 16(%ebx)
	movl	%edx, 20(%ebx)
	movl	$-1, %eax
	movl	$-1, %edx
	xsave	512(%ebx)
	addl	$20, %esp
	popl	%ebx
	ret
#elif defined(__ELF__) && defined(__aarch64__)
	.text
	.globl	t_fill_registers, t_store_registers
	.type	t_fill_registers, %function
	.type	t_store_registers, %function

t_fill_registers:
	hint	34
	ldr	x1, [x0]
	ldr	x2, [x0, 8]
	cbz	x2, 1f
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	.inst	0x2518e3e0 + \n		/* ptrue p.b */
	.endr
1:	.irp	n, 0,1,2,3,4,5,6,7,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	ld1	{v\n\().16b}, [x1]
	.endr
	ldr	x2, [x1]
	.irp	n, 8,9,10,11,12,13,14,15
	mov	v\n\().d[1], x2
	.endr
	ldr	x3, [x0, 8]
	cbz	x3, 2f
	.irp	n, 0,1,2,3,4,5,6,7,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	.inst	0x05e03840 + \n		/* mov z.d, x2 */
	.endr
2:	.irp	n, 0,1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17
	mov	x\n, x2
	.endr
	ret

t_store_registers:
	hint	34
	stp	x29, x30, [sp, -32]!
	str	x19, [sp, 16]
	mov	x29, sp
	mov	x19, x2
	mov	x2, x0
	mov	x0, x1
	blr	x2
	stp	x0, x1, [x19]
	stp	x2, x3, [x19, 16]
	stp	x4, x5, [x19, 32]
	stp	x6, x7, [x19, 48]
	stp	x8, x9, [x19, 64]
	stp	x10, x11, [x19, 80]
	stp	x12, x13, [x19, 96]
	stp	x14, x15, [x19, 112]
	stp	x16, x17, [x19, 128]
	add	x0, x19, 512
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	st1	{v\n\().16b}, [x0], 16
	.endr
	ldr	x1, [x19, 144]
	cbz	x1, 1f
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	.inst	0xe5800000 + \n		/* str p, [x0] */
	.inst	0x04605020		/* addpl x0, x0, 1 */
	.endr
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	.inst	0xe5804000 + \n		/* str z, [x0] */
	.inst	0x04205020		/* addvl x0, x0, 1 */
	.endr
1:	ldr	x19, [sp, 16]
	ldp	x29, x30, [sp], 32
	ret
#endif

#if defined(__ELF__)
	.section .note.GNU-stack, "", %progbits
#endif
