/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPAWNS_H
#define SPAWNS_H

#include <stdint.h>

#include "tern_agent.h"

/** Free slots kept by one lcore; more come from and go to the engine's ring. */
#define TERN_SLOT_CACHE 128
/** Ids drawn ahead: so many spawns take longer than the table's lines to come. */
#define TERN_IDS_AHEAD 4

/** An id and what the table makes of it. */
struct tern_next_id {
	struct tern_id id;
	uint64_t hash;
};

/** What an lcore keeps ready for the agents it makes. Its thread writes, but for what is said. */
struct tern_spawns {
	uint32_t slots[TERN_SLOT_CACHE];
	uint32_t slot_first; /* FIFO in slots */
	uint32_t slot_count;
	uint32_t permits; /* agents that may be made; others take some when the pool is empty */
	uint32_t next_id; /* counts on: its place in `ids` */
	struct tern_next_id ids[TERN_IDS_AHEAD];
	uint32_t home_turn; /* whose turn it is to be home of what this lcore or thread spawns */
};

#endif
