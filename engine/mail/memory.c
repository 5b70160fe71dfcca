/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include "engine/lcore/agent_state.h"

/* An agent may hold so many signals, or one in so many of those left, whatever its share. */
#define SHARE_MIN 16u
#define SHARE_MIN_PART 1024u
/* While memory is short, lanes may have so many signals under way. */
#define CREDIT_MIN 4u
#define CREDIT_MAX 64u

static uint32_t clamp_count(uint32_t value, uint32_t least, uint32_t most)
{
	return value < least ? least : value > most ? most : value;
}

static uint32_t part_of_left(const struct tern_cells *cells, uint32_t least, uint32_t most)
{
	return clamp_count(tern_memory_left_for_data(cells) / SHARE_MIN_PART, least, most);
}

bool tern_memory_is_over_least(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	return agent->mailbox.queued >= part_of_left(&lcore->mail.cells, 1, SHARE_MIN);
}

void tern_memory_set_credit(struct tern_lcore *lcore)
{
	const struct tern_cells *cells = &lcore->mail.cells;
	uint32_t lanes = lcore->lanes.data.count + lcore->lanes.express.count;
	uint32_t under_way = lanes * lcore->mail.depth_max;
	uint32_t ample = cells->count / 16 + clamp_count(under_way, 0, cells->count / 2);
	bool is_short = tern_memory_left_to_share(cells) < ample;
	lcore->mail.credit = is_short ? part_of_left(cells, CREDIT_MIN, CREDIT_MAX) : UINT32_MAX;
}

void tern_memory_await(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (agent->flags & TERN_AGENT_SHORT)
		return;
	tern_agent_set(agent, TERN_AGENT_SHORT);
	tern_slot_list_push(&lcore->mail.shorts, lcore->reserves, TERN_SLOTS_SHORT,
			    tern_address_slot(agent->address));
}

void tern_memory_forget(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (!(agent->flags & TERN_AGENT_SHORT))
		return;
	tern_agent_clear(agent, TERN_AGENT_SHORT);
	tern_slot_list_remove(&lcore->mail.shorts, lcore->reserves, TERN_SLOTS_SHORT,
			      tern_address_slot(agent->address));
}
