/* SPDX-License-Identifier: Apache-2.0 */

/* What sets are, and how large they would be. */
#include "sets.h"
#include "dataplane/table/table_index.h"

/* What is told once both tables of ids have been looked at. */
static void fill_stats(const struct tern_sets *sets, const struct tern_table_stats *numbers,
		       const struct tern_table_stats *agents, struct tern_sets_stats *stats)
{
	uint64_t retired = tern_load(&sets->retired_bytes);
	*stats = (struct tern_sets_stats){
		.sets = tern_load(&sets->set_count),
		.agents = agents->routes,
		.members = tern_load(&sets->member_count),
		.copies = tern_load(&sets->copies),
		.growing = numbers->growing + agents->growing,
		.bytes = sizeof(*sets) + numbers->bytes + agents->bytes +
			 tern_load(&sets->set_stock.memory.size) +
			 tern_load(&sets->membership_stock.memory.size) + tern_load(&sets->bytes) +
			 retired,
		.retired_bytes = retired,
	};
}

void tern_sets_note(struct tern_sets *sets)
{
	struct tern_table_stats agents;
	tern_table_look(sets->agents, &agents);
	tern_store(&sets->agent_count, agents.routes);
	tern_store(&sets->agent_bytes, agents.bytes);
	tern_store(&sets->agents_growing, agents.growing);
}

void tern_sets_stats(struct tern_sets *sets, struct tern_sets_stats *stats)
{
	struct tern_table_stats numbers, agents;
	tern_sets_lock(sets);
	tern_table_stats(sets->numbers, &numbers);
	tern_table_stats(sets->agents, &agents);
	fill_stats(sets, &numbers, &agents, stats);
	tern_sets_unlock(sets);
}

void tern_sets_look(const struct tern_sets *sets, struct tern_sets_stats *stats)
{
	struct tern_table_stats numbers;
	const struct tern_table_stats agents = {.routes = tern_load(&sets->agent_count),
						.bytes = tern_load(&sets->agent_bytes),
						.growing = tern_load(&sets->agents_growing)};
	tern_table_look(sets->numbers, &numbers);
	fill_stats(sets, &numbers, &agents, stats);
}

uint64_t tern_sets_bytes(uint64_t sets, uint64_t agents, uint64_t members, bool sized)
{
	uint64_t each = sets ? members / sets : 0, one_more = members - each * sets;
	return sizeof(struct tern_sets) + tern_index_bytes_grown(sets) +
	       (sized ? tern_table_bytes(agents, 0, 1) : tern_index_bytes_grown(agents)) +
	       tern_stock_bytes(sizeof(struct tern_set), sets) +
	       tern_stock_bytes(sizeof(struct tern_membership), members) +
	       one_more * tern_members_bytes(each + 1) +
	       (sets - one_more) * tern_members_bytes(each);
}
