/*
 * void mini_switch_stack(void **save, void *load)
 *
 * Leaves one stack for another.  Here because it is not C: nothing about
 * contexts can be learnt from this file.
 */
#ifdef __x86_64__
    .text
    .globl mini_switch_stack
    .type mini_switch_stack, @function
mini_switch_stack:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
    .size mini_switch_stack, . - mini_switch_stack
#endif
    .section .note.GNU-stack, "", %progbits
