/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PREEMPT_H
#define PREEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "capabilities/clock.h"
#include "capabilities/counter.h"
#include "context.h"
#include "tern_text.h"

/*
 * Preemption of fibers that ask for it, or whose engine does: a timer signal to their thread, on
 * whose handler's frame the fiber is suspended as if it had left by itself. Later the same thread
 * enters it again, the handler returns, and the fiber goes on where it was interrupted, all
 * registers restored.
 *
 * A fiber is suspended only where the interrupted instruction lies in marked text (tern_text.h),
 * and its stack pointer on its own stack. This makes it safe: engine and libc code is never stopped
 * half way, as while it runs the program counter is in it. A lock of theirs is never held by a
 * suspended fiber, nor a structure of theirs left half changed, whichever function was called.
 * So preemptible code may call anything, within these bounds, which no signal handler can check:
 *   - no callback marked TERN_TEXT below foreign code that holds something (a lock, static data):
 *     the comparison given to qsort() is fine, one called under flockfile() is not;
 *   - no lock of its own held over marked text that others on this lcore take;
 *   - functions that keep state between calls (strtok, rand) in their re-entrant form only; of
 *     thread-local state only errno is kept for the fiber;
 *   - system calls may end with EINTR where signal(7) says so, whatever SA_RESTART;
 *   - engine code must not be put inline into marked text if it may not be interrupted: what the
 *     compiler inlines there is marked text.
 * The fiber stays on its thread until it has been entered again: the kernel's signal frame, and
 * the handler's, belong to that thread.
 */

/** A thread's preemption. Members are written by the thread and by its signal handler only. */
struct tern_preempt {
	struct tern_context *current; /* preemptible fiber that runs, or NULL */
	const struct tern_text_set *text;
	uint64_t entered; /* TSC ticks */
	uint64_t slice_ticks;
	uint64_t preempted; /* fibers suspended; any thread reads */
	uint64_t refused;   /* ticks at which one was due but not in its text; any thread reads */
	uint64_t slice_ns;
	timer_t timer;
	bool started;
};

/** The signal used; nothing else may use it, and no scheduler thread block it. */
int tern_preempt_signo(void);

/**
 * Bytes that a preemptible fiber's stack needs beside what its own code does: two signal frames
 * of the size that this machine's registers have (AT_MINSIGSTKSZ: up to 12 KB with AMX), as a tick
 * may come while the handler of the one before returns.
 */
size_t tern_preempt_stack_room(void);

/**
 * Make this thread's timer, stopped; install the process's signal handler with the first one.
 *
 * @param preempt   kept until fini; the caller's memory
 * @param slice_ns  1 to 10^9 x 1000: a fiber is suspended after one to two slices
 * @return 0; -EINVAL: slice; -ENOTSUP: the clock is virtual; -EBUSY: somebody else handles the
 *         signal; -EAGAIN, -ENOMEM: timer_create(2)
 *
 * Context: the scheduler thread. Under ThreadSanitizer, which keeps signals back until the next
 * call of a function that it wraps, every tick is a refusal.
 */
int tern_preempt_thread_init(struct tern_preempt *preempt, const struct tern_clock *clock,
			     uint64_t slice_ns);

/** Undo tern_preempt_thread_init(). Context: the same thread; no fiber of it is preempted. */
void tern_preempt_thread_fini(struct tern_preempt *preempt);

/** Let the timer tick; a system call unless it does already. Context: the thread. */
void tern_preempt_start(struct tern_preempt *preempt);

/** Stop the timer: no preemptible fiber is ready. Context: the thread. */
void tern_preempt_stop(struct tern_preempt *preempt);

/** Make one of this thread's the one that its ticks look at: before tern_preempt_enter(). */
void tern_preempt_use(struct tern_preempt *preempt);

/** No fiber runs any more: also to be called where a fault was contained. */
static inline void tern_preempt_clear(struct tern_preempt *preempt)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	tern_store(&preempt->current, NULL);
}

/**
 * tern_context_enter() for a preemptible fiber; context->preempted says how it left. A preempted
 * one must be entered again by this thread, or abandoned.
 *
 * @param text  borrowed meanwhile: where the fiber may be suspended
 */
static inline void tern_preempt_enter(struct tern_preempt *preempt, struct tern_context *context,
				      const struct tern_text_set *text)
{
	preempt->text = text;
	preempt->entered = rte_rdtsc();
	/* The handler runs on this thread: the compiler's order is all that counts. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	tern_store(&preempt->current, context);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	tern_context_enter(context);
	tern_preempt_clear(preempt);
}

#endif
