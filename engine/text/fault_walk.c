/* SPDX-License-Identifier: Apache-2.0 */

/* Runs in signal handlers. */
#include "fault_walk.h"

#include <string.h>
#include <unwind.h>

#include "fault_pc.h"

#define FRAMES_MAX 100 /* of a recursion without end, the last are looked at */

struct frame {
	uintptr_t place; /* the instruction, or the one behind a call */
	uintptr_t pc;	 /* in the instruction */
	uintptr_t sp;
	uintptr_t start; /* of the function; 0: not known */
};

/* What was called by the frame that comes next, as far as it is not own text. */
struct pending {
	uint32_t frames; /* 0: own text was */
	bool unsafe;	 /* one of them is never left */
	const char *unsafe_name;
	bool pure; /* libm's alone */
	bool top;  /* the fault is in it */
	struct frame outermost;
};

struct walk {
	const struct tern_code_table *table;
	const struct tern_text_set *marked;
	struct tern_fault_verdict *verdict;
	uintptr_t
		from; /* instruction that the walk begins at; before it are the handler's frames */
	uint32_t frames;
	bool begun;
	bool own;     /* there was own text */
	bool decided; /* goes on to find out which of the agent's functions it was */
	bool done;
	bool nowhere;
	struct pending pending;
};

static void decide_walk(struct walk *walk, enum tern_fault_where where)
{
	if (!walk->decided)
		walk->verdict->where = where;
	walk->decided = true;
}

static bool is_marked(const struct walk *walk, uintptr_t pc)
{
	return tern_text_has(walk->marked, (const void *)pc);
}

static enum tern_code code_of(const struct walk *walk, uintptr_t pc)
{
	return is_marked(walk, pc) ? TERN_CODE_OWN : tern_code_of(walk->table, pc);
}

static void add_pending(struct walk *walk, const struct frame *frame, enum tern_code code)
{
	struct pending *pending = &walk->pending;
	const struct tern_known_function *known = tern_code_function(walk->table, frame->start);
	if (pending->frames == 0)
		*pending =
			(struct pending){.pure = true, .top = walk->frames == 0 && !walk->nowhere};
	pending->frames++;
	pending->pure = pending->pure && code == TERN_CODE_PURE;
	pending->outermost = *frame;
	if (known && !known->safe)
		pending->unsafe_name = known->name;
	if (known ? !known->safe : code == TERN_CODE_FOREIGN)
		pending->unsafe = true;
}

/* Whether what was called may be left; `caller` is behind it on the stack. */
static bool may_be_left(const struct walk *walk, const struct frame *caller)
{
	const struct pending *pending = &walk->pending;
	const struct frame *outermost = &pending->outermost;
	const struct tern_known_function *known = tern_code_function(walk->table, outermost->start);
	bool frameless = pending->top && pending->frames == 1 &&
			 caller->sp - outermost->sp == TERN_CALL_PUSHES;
	bool may = !pending->unsafe && (pending->pure || frameless || known);
	if (!walk->decided)
		walk->verdict->name = !may ? pending->unsafe_name : known ? known->name : NULL;
	return may;
}

/* An agent's function called something, or failed itself. */
static void meet_own(struct walk *walk, const struct frame *frame)
{
	if (walk->pending.frames && !may_be_left(walk, frame))
		decide_walk(walk, TERN_FAULT_IN_LIBC);
	walk->pending.frames = 0;
	walk->own = true;
	if (!walk->verdict->own)
		walk->verdict->own = frame->pc;
	walk->verdict->entry = frame->start;
}

/* Nobody called but the engine: an agent's function that ended in a jump, or the engine itself. */
static void meet_engine_alone(struct walk *walk, const struct frame *frame)
{
	bool first = walk->frames == 0;
	if ((first && !walk->nowhere) || !tern_fault_by_pointer(frame->place))
		decide_walk(walk, first ? TERN_FAULT_IN_ENGINE : TERN_FAULT_BY_ENGINE);
	else if (walk->pending.frames && !may_be_left(walk, frame))
		decide_walk(walk, TERN_FAULT_IN_LIBC);
	else
		decide_walk(walk, TERN_FAULT_IN_OWN);
	walk->pending.frames = 0;
}

static void meet_engine(struct walk *walk, const struct frame *frame)
{
	if (!walk->own || walk->pending.frames)
		meet_engine_alone(walk, frame);
	else
		decide_walk(walk, TERN_FAULT_IN_OWN);
	/* Below the engine's own failure may be whoever called it. */
	walk->done = walk->own || walk->verdict->where == TERN_FAULT_IN_OWN;
}

static void meet_frame(struct walk *walk, const struct frame *frame)
{
	enum tern_code code = code_of(walk, frame->pc);
	if (code == TERN_CODE_OWN)
		meet_own(walk, frame);
	else if (code == TERN_CODE_ENGINE)
		meet_engine(walk, frame);
	else if (!walk->decided)
		add_pending(walk, frame, code);
	walk->frames++;
}

/* No caller is known any more: libc begins threads, too. */
static void meet_end(struct walk *walk)
{
	if (walk->own)
		decide_walk(walk, TERN_FAULT_IN_OWN);
	else
		decide_walk(walk, walk->pending.frames ? TERN_FAULT_IN_LIBC : TERN_FAULT_NOWHERE);
}

/* In a program that is one with its libc. */
static void judge_by_marks(struct walk *walk, uintptr_t pc)
{
	walk->verdict->where = is_marked(walk, pc) ? TERN_FAULT_IN_OWN : TERN_FAULT_IN_FOREIGN;
	walk->verdict->own = pc;
}

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *argument)
{
	struct walk *walk = argument;
	int before = 0;
	uintptr_t place = _Unwind_GetIPInfo(context, &before);
	struct frame frame = {.place = place,
			      .pc = before ? place : place - 1,
			      .sp = _Unwind_GetCFA(context),
			      .start = _Unwind_GetRegionStart(context)};
	if (!walk->begun && place != walk->from)
		return _URC_NO_REASON;
	walk->begun = true;
	if (place == 0)
		return _URC_NORMAL_STOP; /* the thread begins here */
	meet_frame(walk, &frame);
	return walk->done || walk->frames == FRAMES_MAX ? _URC_NORMAL_STOP : _URC_NO_REASON;
}

/* Whoever went nowhere is found where its call would have returned to. */
static void step_back(struct walk *walk, ucontext_t *ucontext)
{
	struct frame caller = {.place = tern_fault_undo_call(ucontext)};
	caller.pc = walk->from = (uintptr_t)tern_fault_pc(ucontext);
	if (!tern_fault_follows_call(caller.place)) {
		decide_walk(walk, TERN_FAULT_NOWHERE);
		walk->done = true;
	} else if (code_of(walk, caller.pc) == TERN_CODE_ENGINE) {
		meet_engine(walk, &caller);
		walk->done = true;
	}
}

void tern_fault_judge(const struct tern_code_table *table, const struct tern_text_set *marked,
		      const siginfo_t *info, ucontext_t *ucontext,
		      struct tern_fault_verdict *verdict)
{
	struct walk walk = {.table = table, .marked = marked, .verdict = verdict};
	*verdict = (struct tern_fault_verdict){.where = TERN_FAULT_NOWHERE};
	walk.from = (uintptr_t)tern_fault_pc(ucontext);
	if (!tern_code_is_known(table)) {
		judge_by_marks(&walk, walk.from);
		return;
	}
	walk.nowhere = tern_fault_is_nowhere(info, ucontext);
	if (walk.nowhere)
		step_back(&walk, ucontext);
	if (!walk.done)
		_Unwind_Backtrace(step, &walk);
	/* A runtime in between, as ThreadSanitizer's, may hide the frames. */
	if (!walk.begun && !walk.done)
		tern_fault_judge_alone(table, marked, info, ucontext, verdict);
	else
		meet_end(&walk);
}

void tern_fault_judge_alone(const struct tern_code_table *table, const struct tern_text_set *marked,
			    const siginfo_t *info, const ucontext_t *ucontext,
			    struct tern_fault_verdict *verdict)
{
	struct walk walk = {.table = table, .marked = marked, .verdict = verdict};
	uintptr_t pc = (uintptr_t)tern_fault_pc(ucontext);
	struct frame top = {.place = pc, .pc = pc};
	*verdict = (struct tern_fault_verdict){.where = TERN_FAULT_NOWHERE};
	if (!tern_fault_is_nowhere(info, ucontext)) {
		meet_frame(&walk, &top);
		meet_end(&walk);
	}
}

void tern_fault_walk_warm(void)
{
	struct tern_fault_verdict verdict = {0};
	struct walk walk = {.verdict = &verdict, .from = 1};
	_Unwind_Backtrace(step, &walk);
}
