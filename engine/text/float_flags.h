/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOAT_FLAGS_H
#define FLOAT_FLAGS_H

/*
 * Floating point exception flags at a switch of stacks.
 *
 * On x86-64 jump_fcontext() loads MXCSR, control bits (rounding, masks) and sticky flags (inexact
 * and so on) in one. Loading what is there already is free; loading anything else costs about
 * 50 ns, and after the first inexact division on either side the flags differ for ever. So the
 * flags go over from the side that jumps to the side that goes on: they belong to the thread,
 * as the ABI has it (status bits are not preserved by calls, control bits are). Where a fiber is
 * preempted, the kernel keeps its flags with all its registers.
 *
 * This knows one thing of Boost.Context: where a saved place begins there lies MXCSR.
 *
 * Source: System V ABI, AMD64 supplement, section 3.2.3.
 */
#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)

#include <xmmintrin.h>

/** Give the saved place about to be jumped to the flags of now. */
static inline void tern_float_flags_carry(void *place)
{
	uint32_t *saved = place;
	*saved = (*saved & ~(uint32_t)_MM_EXCEPT_MASK) | (_mm_getcsr() & _MM_EXCEPT_MASK);
}

/** Whether a place just made has MXCSR where it is expected. */
static inline bool tern_float_flags_known(const void *place)
{
	return *(const uint32_t *)place == _mm_getcsr();
}

#else

/* Elsewhere, arm64 included, a switch leaves these flags alone. */
static inline void tern_float_flags_carry(void *place)
{
	(void)place;
}

static inline bool tern_float_flags_known(const void *place)
{
	(void)place;
	return true;
}

#endif

#endif
