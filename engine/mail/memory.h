/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/lcore/lcore.h"

/*
 * Who may use how much of an lcore's mailbox memory, by dynamic thresholds. An agent that holds
 * more than its share of what is left refuses, or drops, as if its mailbox were full: the more
 * memory is used, the less each may hold, so that those who hold much stop first and some is always
 * left for those who hold little. What lanes still bring for an agent that refuses goes to the
 * headroom; while memory is short, their senders have little credit, so that this is not much.
 *
 * Source: Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet
 * switches", IEEE/ACM Transactions on Networking 6(2), 1998.
 */

/** An agent may hold so many times what is left, so that whoever comes later finds some left. */
#define TERN_MEMORY_SHARE 8u
/** Of the cells, one in so many is for what is under way when agents are told to refuse. */
#define TERN_MEMORY_HEADROOM_PART 8u

static inline uint32_t tern_memory_left_for_data(const struct tern_cells *cells)
{
	uint32_t left = tern_cells_left(cells);
	return left > cells->kept ? left - cells->kept : 0;
}

static inline uint32_t tern_memory_left_to_share(const struct tern_cells *cells)
{
	uint32_t left = tern_memory_left_for_data(cells);
	uint32_t headroom = cells->count / TERN_MEMORY_HEADROOM_PART;
	return left > headroom ? left - headroom : 0;
}

/** The rest of tern_memory_is_over_share(): less is left to share than an agent holds. */
bool tern_memory_is_over_least(const struct tern_lcore *lcore, const struct tern_agent *agent);

/** Whether an agent holds more than its share. */
static inline bool tern_memory_is_over_share(const struct tern_lcore *lcore,
					     const struct tern_agent *agent)
{
	uint32_t left = tern_memory_left_to_share(&lcore->mail.cells);
	if (tern_likely(agent->mailbox.queued / TERN_MEMORY_SHARE < left))
		return false;
	return tern_memory_is_over_least(lcore, agent);
}

/**
 * Whether data may take one more cell. One that waits for nothing else gets of what is kept, more
 * than what comes back to paused ones does (life.c).
 */
static inline bool tern_memory_may_take(const struct tern_lcore *lcore,
					const struct tern_agent *agent)
{
	uint32_t left = tern_cells_left(&lcore->mail.cells), kept = lcore->mail.cells.kept;
	if (tern_likely(left > kept))
		return true;
	return agent->mailbox.queued == 0 && agent->status < TERN_PAUSED && left > kept / 4;
}

/** How many of `count` signals of a ring the cells may take. */
static inline unsigned tern_memory_may_fetch(const struct tern_lcore *lcore,
					     const struct tern_agent *agent, unsigned count)
{
	uint32_t left = tern_cells_left(&lcore->mail.cells), kept = lcore->mail.cells.kept;
	if (tern_likely(left >= kept + count))
		return count;
	if (left > kept)
		return left - kept;
	/* One at a time, so that whoever runs goes on. */
	return agent->mailbox.queued == 0 && left != 0;
}

/** Whether those who ran short may go on. Hysteresis: a sixteenth of all is there to share. */
static inline bool tern_memory_is_back(const struct tern_cells *cells)
{
	return tern_memory_left_to_share(cells) > cells->count / 16;
}

/** How many signals each lane to this lcore may have under way, by the memory left for them. */
void tern_memory_set_credit(struct tern_lcore *lcore);

/** An agent refuses, or waits with what is in its ring, until there is memory again. */
void tern_memory_await(struct tern_lcore *lcore, struct tern_agent *agent);

/** It ends, or does so no longer. */
void tern_memory_forget(struct tern_lcore *lcore, struct tern_agent *agent);

#endif
