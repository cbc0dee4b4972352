// For each function of functions.inc a jump in its place (`--wrap` gives it this name), through sdxl_lazy_table.
// x86-64, as the System V ABI has it.

#define FUNCTION(index, name)                                                                                          \
  .globl __wrap_##name;                                                                                                \
  .type __wrap_##name, @function;                                                                                      \
  __wrap_##name : jmp *(sdxl_lazy_table + 8 * index)(%rip);                                                            \
  .Lfirst_##name : movl $index, %eax;                                                                                  \
  jmp first;                                                                                                           \
  .size __wrap_##name, . - __wrap_##name;

  .text
#include "functions.inc"
#undef FUNCTION

// Loads libtorch, with the arguments of the call that came first left as they are, and goes on there. None of the
// functions takes a variable number of arguments, so %rax is free.
  .type first, @function
first:
  .cfi_startproc
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  movq %rsp, %rbp
  .cfi_def_cfa_register %rbp
  pushq %rax
  pushq %rdi
  pushq %rsi
  pushq %rdx
  pushq %rcx
  pushq %r8
  pushq %r9
  subq $136, %rsp
  movups %xmm0, (%rsp)
  movups %xmm1, 16(%rsp)
  movups %xmm2, 32(%rsp)
  movups %xmm3, 48(%rsp)
  movups %xmm4, 64(%rsp)
  movups %xmm5, 80(%rsp)
  movups %xmm6, 96(%rsp)
  movups %xmm7, 112(%rsp)
  call sdxl_lazy_must_load
  movups (%rsp), %xmm0
  movups 16(%rsp), %xmm1
  movups 32(%rsp), %xmm2
  movups 48(%rsp), %xmm3
  movups 64(%rsp), %xmm4
  movups 80(%rsp), %xmm5
  movups 96(%rsp), %xmm6
  movups 112(%rsp), %xmm7
  addq $136, %rsp
  popq %r9
  popq %r8
  popq %rcx
  popq %rdx
  popq %rsi
  popq %rdi
  popq %rax
  popq %rbp
  .cfi_restore %rbp
  .cfi_def_cfa %rsp, 8
  leaq sdxl_lazy_table(%rip), %r11
  jmp *(%r11, %rax, 8)
  .cfi_endproc
  .size first, . - first

#define FUNCTION(index, name) .quad .Lfirst_##name;

  .section .data.rel.local, "aw"
  .balign 8
  .globl sdxl_lazy_table
  .hidden sdxl_lazy_table
  .type sdxl_lazy_table, @object
sdxl_lazy_table:
#include "functions.inc"
  .size sdxl_lazy_table, . - sdxl_lazy_table

  .section .note.GNU-stack, "", @progbits
