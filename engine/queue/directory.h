/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "capabilities/counter.h"
#include "tern_address.h"

/*
 * The one thing a sender reads about a receiver: 8 bytes per slot, dense and read-mostly.
 *
 *   bits  0..23  generation
 *   bit   24     pressed: the mailbox refuses
 *   bit   25     vacant: nobody lives here
 *   bit   26     closed: who lives here handles what it has and takes nothing more
 *   bit   27     blocks: fibers that it refuses may wait (no reason to refuse by itself)
 *   bits 32..47  route: index of the lane that leads there, home lcore x 2 + express
 *
 * Written by the receiver's home lcore (and by the spawner before the address is known to
 * anyone): at birth, at death and at the two water marks.
 */
#define TERN_DIR_PRESSED (1ull << 24)
#define TERN_DIR_VACANT (1ull << 25)
#define TERN_DIR_CLOSED (1ull << 26)
#define TERN_DIR_BLOCKS (1ull << 27)
#define TERN_DIR_FLAGS (TERN_DIR_PRESSED | TERN_DIR_VACANT | TERN_DIR_CLOSED)

static inline uint64_t tern_dir_make(uint32_t generation, uint32_t route)
{
	return (uint64_t)route << 32 | generation;
}

static inline uint32_t tern_dir_route(uint64_t entry)
{
	return (uint32_t)(entry >> 32);
}

/** Set or clear flags of an entry. Written seldom; by any lcore for a roaming agent. */
static inline void tern_dir_set(uint64_t *entry, uint64_t flags)
{
	__atomic_fetch_or(entry, flags, __ATOMIC_RELAXED);
}

static inline void tern_dir_clear(uint64_t *entry, uint64_t flags)
{
	__atomic_fetch_and(entry, ~flags, __ATOMIC_RELAXED);
}

/** Whether anybody lives there. */
static inline bool tern_dir_inhabited(uint64_t entry)
{
	return (entry & TERN_ADDRESS_GENERATION_MASK) && !(entry & TERN_DIR_VACANT);
}

/** Whether `entry` takes signals for `address`: 0 in the common case. */
static inline uint64_t tern_dir_differs(uint64_t entry, tern_address address)
{
	return ((entry ^ address) & TERN_ADDRESS_GENERATION_MASK) | (entry & TERN_DIR_FLAGS);
}

/** Whether `address` is alive there, pressed, closed or not. */
static inline bool tern_dir_alive(uint64_t entry, tern_address address)
{
	return !(tern_dir_differs(entry, address) & ~(TERN_DIR_PRESSED | TERN_DIR_CLOSED));
}

#endif
