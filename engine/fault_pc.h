/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULT_PC_H
#define FAULT_PC_H

/* What a signal interrupted: the one place that knows the machine's registers. */
#include <stdint.h>
#include <ucontext.h>

#if defined(__x86_64__)
#define TERN_UCONTEXT_PC(ucontext) ((ucontext)->uc_mcontext.gregs[REG_RIP])
#define TERN_UCONTEXT_SP(ucontext) ((ucontext)->uc_mcontext.gregs[REG_RSP])
#elif defined(__aarch64__)
#define TERN_UCONTEXT_PC(ucontext) ((ucontext)->uc_mcontext.pc)
#define TERN_UCONTEXT_SP(ucontext) ((ucontext)->uc_mcontext.sp)
#else
#error "add this machine's program counter and stack pointer in a ucontext_t"
#endif

/** The instruction interrupted. */
static inline void *tern_fault_pc(const ucontext_t *ucontext)
{
	return (void *)(uintptr_t)TERN_UCONTEXT_PC(ucontext);
}

/** The stack pointer at that instruction. */
static inline void *tern_fault_sp(const ucontext_t *ucontext)
{
	return (void *)(uintptr_t)TERN_UCONTEXT_SP(ucontext);
}

#endif
