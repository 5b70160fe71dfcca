/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULT_WALK_H
#define FAULT_WALK_H

#include <signal.h>
#include <ucontext.h>

#include "fault_text.h"
#include "tern_text.h"

/*
 * Whose failure a fault is. Called by fault.c in its signal handler, which also sees to a fault met
 * while looking.
 *
 * From the instruction that failed the stack is walked up to the engine's call of an agent's
 * function, by the unwind tables that every module has (libgcc and, since glibc 2.35,
 * _dl_find_object() take no lock for that). The fault is the agent's where all of these hold:
 *
 * - somewhere on the way there is own text;
 * - what own text called of libc is a function that may be left in its midst: one known by name
 *   (fault_names.c), or, where the fault is in that function itself, one that has no frame on the
 *   stack: it has called nothing, as string functions in assembler do, whichever variant it is;
 * - a call that went nowhere was made by own text, by such a function of libc, or by the engine
 *   through a pointer, as it calls agents' functions;
 * - the engine did not make the call that failed: memcpy() of a bad pointer below tern_signal() is
 *   a fault of the engine's.
 *
 * A function that ends in a jump to another, as compilers make of a last call, is not on the stack.
 * So libc below a call that the engine made through a pointer counts as called by own text: the
 * engine calls libc by name.
 *
 * Where nothing can be told apart, in a program linked with libc into one, only text that was
 * marked is own (tern_text.h).
 */

enum tern_fault_where {
	TERN_FAULT_IN_OWN, /* and to be contained */
	TERN_FAULT_IN_ENGINE,
	TERN_FAULT_IN_LIBC,    /* `name` says in which function, if that is known */
	TERN_FAULT_BY_ENGINE,  /* in libc, called by the engine */
	TERN_FAULT_IN_FOREIGN, /* loader, allocator, DPDK */
	TERN_FAULT_NOWHERE,    /* and nobody knows who went there */
	TERN_FAULT_SENT,       /* by a process: no fault at all */
};

struct tern_fault_verdict {
	enum tern_fault_where where;
	const char *name; /* of the function of libc's that own text called; NULL: not known */
	uintptr_t own; /* in the innermost own function: the instruction, or the one called from */
	uintptr_t entry; /* beginning of the outermost own function; 0: not known */
};

/** May fault, and changes the program counter and stack pointer of `ucontext`. */
void tern_fault_judge(const struct tern_code_table *table, const struct tern_text_set *marked,
		      const siginfo_t *info, ucontext_t *ucontext,
		      struct tern_fault_verdict *verdict);

/** The same by the instruction alone, where the stack cannot be walked. Does not fault. */
void tern_fault_judge_alone(const struct tern_code_table *table, const struct tern_text_set *marked,
			    const siginfo_t *info, const ucontext_t *ucontext,
			    struct tern_fault_verdict *verdict);

/** Walk once, so that nothing is left to be done at the first walk. No signal handler. */
void tern_fault_walk_warm(void);

#endif
