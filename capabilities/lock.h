/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>

#include <ck_spinlock.h>

#include "sanitizer.h"

/* A short lock for writers, whose order ThreadSanitizer is told: it does not see into ck's. */

static inline void tern_lock(ck_spinlock_t *lock)
{
	ck_spinlock_lock(lock);
	tern_sanitizer_locked(lock);
}

/** Lock unless somebody has it. */
static inline bool tern_lock_try(ck_spinlock_t *lock)
{
	if (!ck_spinlock_trylock(lock))
		return false;
	tern_sanitizer_locked(lock);
	return true;
}

static inline void tern_unlock(ck_spinlock_t *lock)
{
	tern_sanitizer_unlocking(lock);
	ck_spinlock_unlock(lock);
}

#endif
