/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SANITIZER_H
#define SANITIZER_H

/*
 * What the sanitizers must be told of stacks that change under them: the same functions for
 * AddressSanitizer, for ThreadSanitizer, and, empty, for neither.
 *
 * In pairs around a jump: _to_fiber before it on the thread, _on_fiber after it on the fiber;
 * _to_thread before it on the fiber, _on_thread after it on the thread. _first and _last are
 * for the two ends of a fiber's life. _off_fiber stands for _to_thread and _on_thread in one,
 * for a jump by siglongjmp from a fiber to its thread's stack.
 *
 * Always inline: ThreadSanitizer keeps a call stack for each fiber, so that a function must not
 * be entered on one and left on another.
 */
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define TERN_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TERN_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define TERN_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TERN_TSAN 1
#endif
#endif

#define TERN_NOTE static inline __attribute__((always_inline))

#if TERN_ASAN

#include <sanitizer/common_interface_defs.h>

struct tern_switch {
	void *thread_frames; /* ASan's record of frames that outlive their function */
	void *fiber_frames;
	const void *thread_base; /* of the thread that runs the fiber now */
	size_t thread_size;
};

TERN_NOTE void tern_switch_make(struct tern_switch *notes)
{
	*notes = (struct tern_switch){0};
}

TERN_NOTE void tern_switch_end(struct tern_switch *notes)
{
	(void)notes;
}

TERN_NOTE void tern_switch_to_fiber(struct tern_switch *notes, const void *base, size_t size)
{
	__sanitizer_start_switch_fiber(&notes->thread_frames, base, size);
}

TERN_NOTE void tern_switch_on_fiber_first(struct tern_switch *notes)
{
	__sanitizer_finish_switch_fiber(NULL, &notes->thread_base, &notes->thread_size);
}

TERN_NOTE void tern_switch_on_fiber(struct tern_switch *notes)
{
	__sanitizer_finish_switch_fiber(notes->fiber_frames, &notes->thread_base,
					&notes->thread_size);
}

TERN_NOTE void tern_switch_to_thread(struct tern_switch *notes)
{
	__sanitizer_start_switch_fiber(&notes->fiber_frames, notes->thread_base,
				       notes->thread_size);
}

TERN_NOTE void tern_switch_to_thread_last(struct tern_switch *notes)
{
	__sanitizer_start_switch_fiber(NULL, notes->thread_base, notes->thread_size);
}

TERN_NOTE void tern_switch_on_thread(struct tern_switch *notes)
{
	__sanitizer_finish_switch_fiber(notes->thread_frames, NULL, NULL);
}

TERN_NOTE void tern_switch_off_fiber(struct tern_switch *notes)
{
	/* Not _last: the caller's own frame may lie in what that would free. */
	tern_switch_to_thread(notes);
	tern_switch_on_thread(notes);
}

#elif TERN_TSAN

#include <sanitizer/tsan_interface.h>

struct tern_switch {
	void *thread; /* that runs the fiber now */
	void *fiber;
};

TERN_NOTE void tern_switch_make(struct tern_switch *notes)
{
	*notes = (struct tern_switch){.fiber = __tsan_create_fiber(0)};
}

TERN_NOTE void tern_switch_end(struct tern_switch *notes)
{
	__tsan_destroy_fiber(notes->fiber);
}

TERN_NOTE void tern_switch_to_fiber(struct tern_switch *notes, const void *base, size_t size)
{
	(void)base;
	(void)size;
	notes->thread = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(notes->fiber, 0);
}

TERN_NOTE void tern_switch_on_fiber_first(struct tern_switch *notes)
{
	(void)notes;
}

TERN_NOTE void tern_switch_on_fiber(struct tern_switch *notes)
{
	(void)notes;
}

TERN_NOTE void tern_switch_to_thread(struct tern_switch *notes)
{
	__tsan_switch_to_fiber(notes->thread, 0);
}

TERN_NOTE void tern_switch_to_thread_last(struct tern_switch *notes)
{
	tern_switch_to_thread(notes);
}

TERN_NOTE void tern_switch_on_thread(struct tern_switch *notes)
{
	(void)notes;
}

TERN_NOTE void tern_switch_off_fiber(struct tern_switch *notes)
{
	tern_switch_to_thread(notes);
}

#else

struct tern_switch {
};

#define TERN_NOTE_NOTHING(name)                                      \
	TERN_NOTE void tern_switch_##name(struct tern_switch *notes) \
	{                                                            \
		(void)notes;                                         \
	}

TERN_NOTE_NOTHING(make)
TERN_NOTE_NOTHING(end)
TERN_NOTE_NOTHING(on_fiber_first)
TERN_NOTE_NOTHING(on_fiber)
TERN_NOTE_NOTHING(to_thread)
TERN_NOTE_NOTHING(to_thread_last)
TERN_NOTE_NOTHING(on_thread)
TERN_NOTE_NOTHING(off_fiber)

TERN_NOTE void tern_switch_to_fiber(struct tern_switch *notes, const void *base, size_t size)
{
	(void)notes;
	(void)base;
	(void)size;
}

#endif

#if TERN_TSAN

/* For a function whose order it cannot follow, which is told in words instead. */
#define TERN_HIDDEN __attribute__((noinline, no_sanitize("thread")))

/* ThreadSanitizer keeps a signal back until the thread next calls a function that it wraps. */
#define TERN_SIGNALS_DELAYED 1

/* It does not see into ck's locks either. */
TERN_NOTE void tern_sanitizer_locked(void *lock)
{
	__tsan_acquire(lock);
}

TERN_NOTE void tern_sanitizer_unlocking(void *lock)
{
	__tsan_release(lock);
}

#else

#define TERN_HIDDEN inline
#define TERN_SIGNALS_DELAYED 0

TERN_NOTE void tern_sanitizer_locked(void *lock)
{
	(void)lock;
}

TERN_NOTE void tern_sanitizer_unlocking(void *lock)
{
	(void)lock;
}

#endif

#endif
