/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FENCED_H
#define FENCED_H

#include <stdint.h>

#include <rte_cycles.h>

/** A clock reading that neither earlier nor later instructions cross. Stores may still drain. */
#if defined(__x86_64__)
#include <x86intrin.h>
static inline uint64_t fenced_ticks(void)
{
	_mm_lfence();
	uint64_t ticks = __rdtsc();
	_mm_lfence();
	return ticks;
}
#else
static inline uint64_t fenced_ticks(void)
{
	return rte_rdtsc_precise();
}
#endif

#endif
