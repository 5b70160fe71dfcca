/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLLER_H
#define POLLER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Who polls what. Any thread may poll a polled engine or wait in one; whoever comes second does
 * nothing instead of waiting. The word of an lcore, and that of an engine's rounds, name the thread
 * that is at it, so that a thread can also find out that it is that one itself: it is in a handler.
 *
 * Acquire in begin pairs with release in end: the next poller finds the lcore as the last one left
 * it. Without it the two would race for everything that is the lcore's own.
 */

/** Of a thread that is just being made. */
#define TERN_POLL_TAKEN UINTPTR_MAX

/** Stands for the calling thread: no two living threads have the same. */
static inline uintptr_t tern_thread_mark(void)
{
	return (uintptr_t)pthread_self();
}

/** Try to become the poller. False: somebody is, maybe this thread. */
static inline bool tern_poll_begin(uintptr_t *polled_by)
{
	uintptr_t nobody = 0;
	return __atomic_compare_exchange_n(polled_by, &nobody, tern_thread_mark(), false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void tern_poll_end(uintptr_t *polled_by)
{
	__atomic_store_n(polled_by, 0, __ATOMIC_RELEASE);
}

/** Whether the calling thread is the poller. */
static inline bool tern_poll_is_own(const uintptr_t *polled_by)
{
	return __atomic_load_n(polled_by, __ATOMIC_RELAXED) == tern_thread_mark();
}

#endif
