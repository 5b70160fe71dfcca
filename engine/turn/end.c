/* SPDX-License-Identifier: Apache-2.0 */

/* The end of an agent, and of all that live on an lcore. */
#include "end.h"

#include "engine/agent/extras.h"
#include "engine/agent/fds.h"
#include "engine/agent/finish.h"
#include "engine/agent/life.h"
#include "engine/agent/registry.h"
#include "engine/agent/slots.h"
#include "engine/agent/timer.h"
#include "engine/agent/watch.h"
#include "engine/fiber/fiber.h"
#include "engine/fiber/waiter.h"
#include "engine/lcore/agent_state.h"
#include "engine/mail/event.h"
#include "engine/mail/memory.h"
#include "engine/schedule/profile.h"
#include "engine/schedule/ready.h"
#include "engine/schedule/roaming.h"
#include "rooms.h"

static void unlink_timers(struct tern_agent *agent)
{
	while (agent->timers)
		tern_timer_unlink(agent->timers);
}

/*
 * All that another agent may need: before anybody can know of this one's end, be it by a dead
 * address, by its name or from a note, so that whoever does can spawn in its place.
 */
static void give_back(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (agent->flags & TERN_AGENT_FIBER)
		tern_fiber_end(lcore, agent);
	tern_waiters_forget(lcore, agent);
	tern_memory_forget(lcore, agent);
	tern_finish_forget(lcore, agent);
	tern_ready_rest(lcore, agent);
	if (agent->extras)
		tern_extras_put(lcore, agent->extras);
	tern_store(&agent->extras, NULL);
	tern_slots_allow(lcore);
	tern_engine_unregister(lcore, agent);
}

void tern_life_end(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(agent->address);
	int64_t result = agent->result;
	bool has_room = tern_room_of(lcore, slot) != NULL;
	if (tern_lcore_is_gone(lcore))
		return;
	if (!(agent->flags & (TERN_AGENT_STARTED | TERN_AGENT_MUTE)))
		tern_life_start(lcore, agent); /* on_stop without on_start would surprise */
	tern_store(&lcore->turn.running, slot);
	/* Before on_stop, which may free the state they lie in; and after, for what it armed. */
	unlink_timers(agent);
	tern_fds_forget(lcore, agent);
	tern_agent_begin_telling(agent);
	if (agent->behaviour->on_stop && !(agent->flags & TERN_AGENT_MUTE))
		agent->behaviour->on_stop(agent, agent->state, agent->end_why, result);
	tern_life_see_off(lcore, agent, result);
	if (tern_lcore_is_gone(lcore))
		return;
	tern_lcore_skip_sample(lcore);
	unlink_timers(agent);
	tern_fds_forget(lcore, agent);
	give_back(lcore, agent);
	tern_dir_set(&lcore->directory[slot], TERN_DIR_VACANT);
	tern_watch_ended(lcore, agent, result);
	tern_watch_forget(lcore, agent);
	tern_agent_on_ended(agent);
	tern_count(&lcore->stats.agents_ended, 1);
	if (has_room)
		tern_roaming_bury(lcore, agent);
	else
		tern_slots_put(lcore, agent);
}

/*
 * An agent that roams, and that an lcore ran last which was given up. Unless it was in that one's
 * hands, or something of it lies there, somebody else can end it: queued or idle, its memory was
 * released by the state word (R1 of mail_ring.h), and its places in queues are nobody's any more.
 */
static bool inherit_agent(struct tern_lcore *lcore, struct tern_agent *agent)
{
	uint32_t slot = tern_address_slot(tern_load(&agent->address));
	struct tern_room *room = tern_room_of(lcore, slot);
	if (tern_load(&lcore->engine->heir) != lcore->index ||
	    !tern_load(&tern_load(&agent->lcore)->turn.gone) ||
	    __atomic_load_n(&room->ring.state, __ATOMIC_ACQUIRE) >= TERN_MAIL_RING_RUNNING ||
	    !tern_roaming_is_loose(agent))
		return false;
	tern_agent_inherit(agent);
	tern_store(&agent->lcore, lcore);
	return true;
}

static bool lives_here(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t entry)
{
	if (tern_dir_route(entry) != lcore->roam_route)
		return tern_dir_route(entry) >> 1 == lcore->index;
	return tern_load(&lcore->engine->closed) &&
	       (tern_load(&agent->lcore) == lcore || inherit_agent(lcore, agent));
}

void tern_lcore_end_agents(struct tern_lcore *lcore)
{
	uint32_t slots = tern_slots_used(lcore->engine);
	/* Also those that roam, which another lcore may end, when all have been here. */
	tern_ready_empty(lcore);
	for (uint32_t i = lcore->engine->system_count; i < slots; i++) {
		if (tern_lcore_is_gone(lcore))
			return;
		struct tern_agent *agent = &lcore->agents[i];
		uint64_t entry = __atomic_load_n(&lcore->directory[i], __ATOMIC_ACQUIRE);
		if (!tern_dir_inhabited(entry) || !lives_here(lcore, agent, entry))
			continue;
		if (agent->status != TERN_ENDING)
			tern_life_ask_end(lcore, agent, TERN_END_SHUTDOWN, 0);
		/* It was queued to end, or woken by an end before: it ends here. */
		tern_ready_empty(lcore);
		tern_life_end(lcore, agent);
	}
}
