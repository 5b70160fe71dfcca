/* SPDX-License-Identifier: Apache-2.0 */

/* Counters and memory as others see them: plain reads, so that no lcore notices. */
#include <errno.h>

#include "engine/agent/extras.h"
#include "engine/lcore/asked.h"
#include "engine/mail/inbox.h"
#include "engine/schedule/profile.h"

/* The counters of a running lcore are read one after the other: never below nothing. */
static uint64_t less_some(uint64_t all, uint64_t some)
{
	return all > some ? all - some : 0;
}

void tern_lcore_stats(const struct tern_engine *engine, uint32_t index,
		      struct tern_lcore_stats *stats)
{
	_Static_assert(sizeof(*stats) % sizeof(uint64_t) == 0, "counters of 64 bits only");
	if (index >= engine->system_count) {
		*stats = (struct tern_lcore_stats){0};
		return;
	}
	const struct tern_lcore *lcore = &engine->lcores[index];
	const uint64_t *from = (const uint64_t *)(const void *)&lcore->stats;
	uint64_t *to = (uint64_t *)(void *)stats;
	for (size_t i = 0; i < sizeof(*stats) / sizeof(uint64_t); i++)
		to[i] = tern_load(&from[i]);
	/* What the engine tells itself is no signal to those who count. */
	stats->handled = less_some(stats->handled, tern_load(&lcore->signals.own_handled));
	stats->sent = less_some(less_some(tern_load(&lcore->signals.accepted),
					  tern_load(&lcore->signals.forwarded)),
				stats->timers);
	stats->blocks_out = tern_load(&lcore->heap.in_use);
	if (stats->sleeps)
		stats->wake_ns = tern_load(&lcore->loop.oversleep_ns) / stats->sleeps;
}

static const struct tern_agent *living_agent(const struct tern_engine *engine, tern_address address)
{
	uint32_t slot = tern_address_slot(address);
	if (tern_address_node(address) != engine->config.node || slot >= engine->slots)
		return NULL;
	/* Acquire pairs with the release of the spawn: the agent's fields are there. */
	uint64_t entry = __atomic_load_n(&engine->directory[slot], __ATOMIC_ACQUIRE);
	if (!tern_dir_inhabited(entry) || !tern_dir_alive(entry, address))
		return NULL;
	return &engine->agents[slot];
}

int tern_agent_stats(const struct tern_engine *engine, tern_address address,
		     struct tern_agent_stats *stats)
{
	const struct tern_agent *agent = living_agent(engine, address);
	if (!agent)
		return -ESRCH;
	const struct tern_profile *profile = &engine->profiles[tern_address_slot(address)];
	bool profiled = tern_load(&profile->generation) == tern_address_generation(address);
	struct tern_agent_stats found = {
		.address = address,
		.behaviour = tern_load(&agent->behaviour)->name,
		.lcore = tern_load(&agent->lcore)->index,
		.signals_in = tern_load(&agent->signals_in),
		.signals_out = tern_load(&agent->signals_out),
		.pressured = profiled ? tern_load(&profile->pressured) : 0,
		.dropped = profiled ? tern_load(&profile->dropped) : 0,
	};
	const struct tern_extras *extras = tern_load(&agent->extras);
	if (extras)
		tern_extras_name(extras, found.name);
	const struct tern_room *room = tern_load(&engine->rooms[tern_address_slot(address)]);
	found.queued = tern_inbox_count(agent, room);
	if (room) {
		found.pressured += tern_load(&room->pressured);
		found.dropped += tern_load(&room->dropped);
	}
	/* It may have ended and been replaced while we read: then nothing of this is true. */
	if (!living_agent(engine, address))
		return -ESRCH;
	*stats = found;
	return 0;
}

int tern_agent_anatomy(const struct tern_engine *engine, tern_address address,
		       struct tern_histogram hops[TERN_HOPS])
{
	const struct tern_agent *agent = living_agent(engine, address);
	if (!agent)
		return -ESRCH;
	const struct tern_extras *extras = tern_load(&agent->extras);
	const struct tern_histogram *kept = extras ? tern_load(&extras->hops) : NULL;
	if (!kept)
		return -ENODATA;
	memset(hops, 0, TERN_HOPS * sizeof(*hops));
	for (int i = 0; i < TERN_HOPS; i++)
		tern_histogram_merge(&hops[i], &kept[i]);
	return living_agent(engine, address) ? 0 : -ESRCH;
}

void tern_engine_memory(const struct tern_engine *engine, struct tern_memory *memory)
{
	struct tern_table_stats table;
	tern_table_stats(engine->table, &table);
	*memory = (struct tern_memory){
		.bytes = engine->arena.size + table.bytes,
		.page_bytes = engine->arena.page_bytes,
		.transparent = engine->arena.transparent,
		.bytes_per_agent = sizeof(struct tern_agent) + sizeof(uint64_t) +
				   sizeof(struct tern_asked) + table.bytes / engine->slots};
	for (uint32_t i = 0; i < engine->system_count; i++)
		memory->lane_bytes += tern_load(&engine->lcores[i].lanes.bytes);
}
