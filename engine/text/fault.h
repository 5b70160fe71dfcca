/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULT_H
#define FAULT_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "tern_text.h"

/*
 * Containment of faults: SIGSEGV, SIGBUS, SIGFPE and SIGILL raised by the machine in an agent's
 * code, and overflow of a fiber's stack, end that agent and not the process.
 *
 *     if (TERN_FAULT_POINT(&scope)) {        in the scheduler's loop
 *             ... scope.fault says what happened; abandon the fiber, if one ran ...
 *     }
 *     tern_fault_arm(&scope, text, name, context);
 *     tern_context_enter(context);           or a handler, on the thread's own stack
 *     tern_fault_disarm(&scope);
 *
 * A fault is contained if a scope of this thread is armed and the fault's address lies in the
 * guard of the fiber that runs, whatever code met it, or it is own text's failure: fault_walk.h
 * says when it is. What foreign code had in hand when a stack overflowed in it (locks, half-made
 * changes) stays as it was: give fibers stacks that do not overflow.
 *
 * Any other fault is reported on stderr and passed on to the handler installed before, or kills
 * the process by the signal it is. So is SIGABRT while an agent runs: who calls abort(), the heap's
 * own checks among others, wants the process to end.
 */

/** What happened. */
struct tern_fault {
	int signo;
	void *address; /* touched; of the instruction for SIGFPE and SIGILL; NULL: not known */
	void *pc;
	const char *function; /* of libc's, called by own text; NULL: none, or not known */
	void *own;	      /* in the innermost own function; NULL: not known */
	void *entry;	      /* beginning of the outermost: one of the agent's; NULL: not known */
	bool overflow;	      /* the fiber's stack was used up */
};

struct tern_fault_inquiry;

/** A scheduler thread's recovery point, and whose code runs on it. */
struct tern_fault_scope {
	/* the thread writes, per agent run; its signal handler reads */
	bool armed;
	struct tern_context *context; /* the fiber that runs; NULL: none */
	const struct tern_text_set *text;
	const char *label;  /* who runs, for the report; NULL: ask who(owner) */
	const char *beside; /* what runs that is no agent's: not to be left; NULL: none does */

	/* the signal handler writes */
	struct tern_fault fault;
	struct tern_fault_inquiry *inquiry; /* looks whose it is: another fault ends that */

	/* constant between init and fini, but for the point */
	void (*save)(void *owner);	 /* before the jump, or NULL. Runs in the signal handler */
	const char *(*who)(void *owner); /* NULL: nobody knows. Runs in the signal handler */
	/* which of the agent's functions begins there; NULL: not known. Runs in the signal handler
	 */
	const char *(*which)(void *owner, const void *entry);
	void *owner;
	sigjmp_buf point;
	void *alternate; /* mapping with the thread's signal stack */
	size_t alternate_size;
};

/**
 * Install the process's handlers, or count one more user of them, and look at what is loaded.
 *
 * @return 0; -ENOMEM; a negative errno value of sigaction(2)
 *
 * Context: any thread.
 */
int tern_fault_install(void);

/**
 * Count one user less; the last one puts the handlers from before back.
 *
 * A handler that somebody else installed on top of ours stays, and ours below it: it then only
 * reports and passes on.
 */
void tern_fault_remove(void);

/**
 * Give this thread a signal stack and make `scope` its scope, disarmed.
 *
 * @param scope  kept until tern_fault_thread_fini(); the caller's memory
 * @return 0; -ENOMEM; -EPERM: this is a signal handler
 */
int tern_fault_thread_init(struct tern_fault_scope *scope);

/** File name of a module that is not an agent's, and where it begins. NULL: it is not known. */
const char *tern_fault_module(const void *pc, uintptr_t *begin);

/** Whether a scope is of this thread. */
bool tern_fault_is_here(const struct tern_fault_scope *scope);

/**
 * Make a scope of this thread the one that counts, NULL for none. Returns the one that did before,
 * to be put back: one agent may poll the engine of others.
 */
struct tern_fault_scope *tern_fault_use(struct tern_fault_scope *scope);

/**
 * Make a scope one of this thread, which has not called tern_fault_thread_init() for it, until
 * another thread visits with it. The thread's signal stack stays until the thread ends.
 *
 * @return false: there is no memory for a signal stack
 */
bool tern_fault_visit(struct tern_fault_scope *scope);

/** Undo tern_fault_thread_init(). Context: the same thread, disarmed. */
void tern_fault_thread_fini(struct tern_fault_scope *scope);

/**
 * Set the recovery point here: 0, and non-zero each time a fault was contained since.
 *
 * For the condition of an if, in a function that does not return while the scope is armed. Local
 * variables of that function which change while it is armed must be volatile. Saves no signal
 * mask (no system call, about 5 ns): the signal handler puts the interrupted one back. After a
 * contained fault the scope is disarmed, and the point still good.
 */
#define TERN_FAULT_POINT(scope) sigsetjmp((scope)->point, 0)

/**
 * From here on an agent's code runs on this thread.
 *
 * @param text     borrowed until disarmed: what is own text beside all that is so by itself, or
 *                 NULL
 * @param label    borrowed until disarmed: who runs, for the report
 * @param context  borrowed until disarmed: the fiber about to be entered; NULL: code on the
 *                 thread's own stack
 */
static inline void tern_fault_arm(struct tern_fault_scope *scope, const struct tern_text_set *text,
				  const char *label, struct tern_context *context)
{
	scope->text = text;
	scope->label = label;
	scope->context = context;
	scope->beside = NULL;
	scope->armed = true;
	/* The compiler must not move the agent's instructions before these. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/** From here on, or no longer: code that is neither an agent's nor the engine's. */
static inline void tern_fault_beside(struct tern_fault_scope *scope, const char *what)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	scope->beside = what;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/** The agent's code has returned or left. */
static inline void tern_fault_disarm(struct tern_fault_scope *scope)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	scope->armed = false;
}

#endif
