/* SPDX-License-Identifier: Apache-2.0 */

/* What an agent costs, as others see it. */
#include <errno.h>

#include "engine/lcore/room.h"
#include "engine/schedule/profile.h"
#include "engine/turn/rooms.h"

static uint64_t memory_of(const struct tern_engine *engine, const struct tern_agent *agent)
{
	const struct tern_room *room =
		tern_load(&engine->rooms[tern_address_slot(tern_load(&agent->address))]);
	struct tern_memory memory;
	tern_engine_memory(engine, &memory);
	uint64_t queued = tern_load(&agent->mailbox.queued);
	uint64_t cells = queued * (sizeof(struct tern_signal) + sizeof(uint32_t));
	const struct tern_extras *kept = tern_load(&agent->extras);
	uint64_t extras = kept ? sizeof(*kept) + tern_load(&kept->stack_bytes) : 0;
	if (kept && tern_load(&kept->hops))
		extras += TERN_HOPS * sizeof(struct tern_histogram);
	return memory.bytes_per_agent + cells + extras + (room ? tern_room_bytes(room) : 0);
}

int tern_agent_profile(const struct tern_engine *engine, tern_address address,
		       struct tern_agent_profile *profile)
{
	uint32_t slot = tern_address_slot(address), generation = tern_address_generation(address);
	if (tern_address_node(address) != engine->config.node || slot >= engine->slots ||
	    !tern_dir_alive(__atomic_load_n(&engine->directory[slot], __ATOMIC_ACQUIRE), address))
		return -ESRCH;
	const struct tern_agent *agent = &engine->agents[slot];
	const struct tern_profile *kept = &engine->profiles[slot];
	struct tern_agent_profile found = {.memory_bytes = memory_of(engine, agent),
					   .signals_in = tern_load(&agent->signals_in),
					   .signals_out = tern_load(&agent->signals_out)};
	if (tern_load(&kept->generation) == generation) {
		found.execution_ns = tern_profile_execution_ns(engine, kept);
		found.longest_ns =
			(double)tern_clock_to_ns(&engine->clock, tern_load(&kept->longest));
		found.measured = tern_load(&kept->samples);
		found.overruns = tern_load(&kept->overruns);
	}
	if (tern_load(&kept->seen_generation) == generation) {
		found.signals_per_s = tern_load_float(&kept->rate);
		found.cpu = tern_load_float(&kept->cpu);
		found.cpu_next = tern_load_float(&kept->next);
		found.forecast_error = tern_load_float(&kept->error);
	}
	/* It may have ended and been replaced while we read: then nothing of this is true. */
	if (!tern_dir_alive(tern_load(&engine->directory[slot]), address))
		return -ESRCH;
	*profile = found;
	return 0;
}
