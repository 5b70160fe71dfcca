/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULT_PC_H
#define FAULT_PC_H

/* What a signal interrupted, and how a call looks: the one place that knows the machine. */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#if defined(__x86_64__)
#define TERN_UCONTEXT_PC(ucontext) ((ucontext)->uc_mcontext.gregs[REG_RIP])
#define TERN_UCONTEXT_SP(ucontext) ((ucontext)->uc_mcontext.gregs[REG_RSP])
#define TERN_CALL_PUSHES sizeof(void *) /* what a call puts on the stack */
#elif defined(__aarch64__)
#define TERN_UCONTEXT_PC(ucontext) ((ucontext)->uc_mcontext.pc)
#define TERN_UCONTEXT_SP(ucontext) ((ucontext)->uc_mcontext.sp)
#define TERN_CALL_PUSHES ((size_t)0)
#else
#error "add this machine's program counter, stack pointer and calls"
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

/**
 * Whether there is no instruction at all where the program went: it fetched one in vain, or, on
 * some machines, came to an address that none can have.
 */
static inline bool tern_fault_is_nowhere(const siginfo_t *info, const ucontext_t *ucontext)
{
	uintptr_t pc = (uintptr_t)tern_fault_pc(ucontext);
	bool canonical = pc >> 47 == 0 || pc >> 47 == UINTPTR_MAX >> 47;
	return (info->si_signo == SIGSEGV || info->si_signo == SIGBUS) &&
	       (pc == (uintptr_t)info->si_addr || !canonical);
}

/**
 * Make what was interrupted look as it did before its last call, which went nowhere. Returns the
 * place behind that call. Reads the stack: it may fault.
 */
static inline uintptr_t tern_fault_undo_call(ucontext_t *ucontext)
{
	uintptr_t from;
#if defined(__x86_64__)
	memcpy(&from, tern_fault_sp(ucontext), sizeof(from));
	TERN_UCONTEXT_SP(ucontext) += (greg_t)TERN_CALL_PUSHES;
	TERN_UCONTEXT_PC(ucontext) = (greg_t)(from - 1);
#else
	from = ucontext->uc_mcontext.regs[30];
	TERN_UCONTEXT_PC(ucontext) = from - 4;
#endif
	return from;
}

#if defined(__x86_64__)

/* Bytes of `ff /2`, a call of what a register or memory holds; 0: it is none, or of a fixed place,
 * as calls of functions by name are. */
static inline unsigned tern_fault_call_length(const unsigned char *at)
{
	unsigned mod = at[1] >> 6, rm = at[1] & 7;
	if (at[0] != 0xff || (at[1] >> 3 & 7) != 2 || (mod == 0 && rm == 5))
		return 0;
	if (mod == 3)
		return 2;
	unsigned sib = rm == 4;
	if (mod == 0)
		return sib && (at[2] & 7) == 5 ? 7 : 2 + sib;
	return (mod == 1 ? 3 : 6) + sib;
}

/** Whether the call that returns to `from` was one through a pointer. Reads the code before it. */
static inline bool tern_fault_by_pointer(uintptr_t from)
{
	for (unsigned length = 2; length <= 7; length++)
		if (tern_fault_call_length((const unsigned char *)from - length) == length)
			return true;
	return false;
}

/** Whether a call may return to `from`. */
static inline bool tern_fault_follows_call(uintptr_t from)
{
	const unsigned char *by_name = (const unsigned char *)from - 5;	 /* call rel32 */
	const unsigned char *by_table = (const unsigned char *)from - 6; /* call [rip + disp32] */
	return *by_name == 0xe8 || (by_table[0] == 0xff && by_table[1] == 0x15) ||
	       tern_fault_by_pointer(from);
}

#else

static inline bool tern_fault_by_pointer(uintptr_t from)
{
	uint32_t before;
	memcpy(&before, (const void *)(from - sizeof(before)), sizeof(before));
	return (before & 0xfffffc1fu) == 0xd63f0000u; /* blr */
}

static inline bool tern_fault_follows_call(uintptr_t from)
{
	uint32_t before;
	memcpy(&before, (const void *)(from - sizeof(before)), sizeof(before));
	return before >> 26 == 0x25 || tern_fault_by_pointer(from); /* bl */
}

#endif

#endif
