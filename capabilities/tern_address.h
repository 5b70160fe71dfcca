/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TERN_ADDRESS_H
#define TERN_ADDRESS_H

#include <stdint.h>

/**
 * Where an agent lives: node (14 bits), slot (26 bits), generation (24 bits), high to low.
 *
 * Sending to an address needs no lookup. A slot is reused first-in-first-out under a new
 * generation, so an old address never reaches a new agent. 0 is no address.
 */
typedef uint64_t tern_address;

#define TERN_ADDRESS_NONE ((tern_address)0)
#define TERN_ADDRESS_SLOT_BITS 26
#define TERN_ADDRESS_GENERATION_BITS 24
#define TERN_ADDRESS_GENERATION_MASK 0xFFFFFFu
#define TERN_AGENTS_MAX (1u << TERN_ADDRESS_SLOT_BITS)

static inline tern_address tern_address_make(uint32_t node, uint32_t slot, uint32_t generation)
{
	return (tern_address)node << 50 | (tern_address)slot << 24 | generation;
}

static inline uint32_t tern_address_node(tern_address address)
{
	return (uint32_t)(address >> 50);
}

static inline uint32_t tern_address_slot(tern_address address)
{
	return (uint32_t)(address >> 24) & (TERN_AGENTS_MAX - 1);
}

static inline uint32_t tern_address_generation(tern_address address)
{
	return (uint32_t)address & TERN_ADDRESS_GENERATION_MASK;
}

/** Identity of an agent that outlives its slot: stable across restarts and nodes. */
struct tern_id {
	uint64_t high;
	uint64_t low;
};

#endif
