/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COUNTER_H
#define COUNTER_H

#include <stdint.h>

/*
 * Counters with one writer and any readers: plain loads and stores in the machine code, atomic
 * in the language, so that a reader on another thread is no data race.
 */
#define tern_load(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define tern_store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define tern_count(p, n) \
	__atomic_store_n((p), __atomic_load_n((p), __ATOMIC_RELAXED) + (n), __ATOMIC_RELAXED)

#define tern_likely(x) __builtin_expect(!!(x), 1)
#define tern_unlikely(x) __builtin_expect(!!(x), 0)

#define TERN_LINE 64

#endif
