/* SPDX-License-Identifier: Apache-2.0 */
#include "context.h"

#include <assert.h>

/* The first frame of every fiber. */
static void begin_context(struct tern_transfer transfer)
{
	struct tern_context *context = transfer.data;
	tern_switch_on_fiber_first(&context->notes);
	context->scheduler = transfer.from;
	context->entry(context->argument);
	context->finished = true;
	tern_switch_to_thread_last(&context->notes);
	tern_float_flags_carry(context->scheduler);
	jump_fcontext(context->scheduler, context);
	__builtin_unreachable();
}

void tern_context_make(struct tern_context *context, const struct tern_stack *stack,
		       void (*entry)(void *argument), void *argument)
{
	*context = (struct tern_context){.stack = *stack, .entry = entry, .argument = argument};
	tern_switch_make(&context->notes);
	context->fiber = make_fcontext(stack->base + stack->size, stack->size, begin_context);
	/* Once per fiber, so that another Boost.Context cannot go unnoticed. */
	assert(tern_float_flags_known(context->fiber));
}

void tern_context_abandon(struct tern_context *context)
{
	tern_switch_end(&context->notes);
	context->fiber = NULL;
}
