/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTEXT_H
#define CONTEXT_H

#include <stdbool.h>

#include "float_flags.h"
#include "capabilities/sanitizer.h"
#include "stack.h"

/* Boost.Context's two functions; it has no C header. */
struct tern_transfer {
	void *from; /* where the side that jumped here goes on */
	void *data;
};
struct tern_transfer jump_fcontext(void *to, void *data);
void *make_fcontext(void *stack_top, size_t size, void (*fn)(struct tern_transfer));

/**
 * A fiber and the scheduler that runs it: two stacks that hand one thread to each other.
 *
 * A switch saves the callee-saved registers and the floating point control bits, rounding mode
 * included, but not the exception flags (float_flags.h). It makes no system call. Each side's
 * saved place is good for one jump, so that it is taken down anew at every switch.
 *
 * A suspended fiber may be entered by another thread than the one it left, if the hand-over orders
 * memory (release and acquire). All that its code keeps of thread-local addresses is stale then,
 * that of errno included, and a compiler may keep one in a register across a call of
 * tern_context_leave(): code that calls it uses none.
 */
struct tern_context {
	void *fiber;	 /* where the fiber goes on, while it is suspended */
	void *scheduler; /* where the scheduler goes on, while the fiber runs */
	struct tern_stack stack;
	void (*entry)(void *argument);
	void *argument;
	bool finished;	/* entry has returned: not to be entered again */
	bool preempted; /* suspended by a timer signal: see preempt.h */
	struct tern_switch notes;
};

/**
 * Make a suspended fiber; when first entered it runs entry(argument).
 *
 * @param stack  kept; stays the caller's to put back, after tern_context_abandon()
 *
 * Context: any thread. Floating point control words are those of the maker.
 */
void tern_context_make(struct tern_context *context, const struct tern_stack *stack,
		       void (*entry)(void *argument), void *argument);

/**
 * End a fiber that will not run again: it has finished, failed, or is suspended and given up.
 *
 * What its frames own is not released. To be called once for every context made.
 * Context: any thread, not the fiber itself.
 */
void tern_context_abandon(struct tern_context *context);

/**
 * Run a suspended fiber until it leaves or finishes.
 *
 * Context: a thread's own stack; not from another fiber, not for a finished one.
 */
static inline void tern_context_enter(struct tern_context *context)
{
	tern_switch_to_fiber(&context->notes, context->stack.base, context->stack.size);
	tern_float_flags_carry(context->fiber);
	context->fiber = jump_fcontext(context->fiber, context).from;
	tern_switch_on_thread(&context->notes);
}

/** Suspend the running fiber: its scheduler's tern_context_enter() returns. Context: the fiber. */
static inline void tern_context_leave(struct tern_context *context)
{
	tern_switch_to_thread(&context->notes);
	tern_float_flags_carry(context->scheduler);
	context->scheduler = jump_fcontext(context->scheduler, context).from;
	tern_switch_on_fiber(&context->notes);
}

/**
 * Tell the sanitizers that the running fiber is about to be left by siglongjmp() to its thread's
 * stack, never to be entered again.
 *
 * Context: the fiber, or a signal handler on top of it; the jump follows at once.
 */
TERN_NOTE void tern_context_escape(struct tern_context *context)
{
	tern_switch_off_fiber(&context->notes);
}

#endif
