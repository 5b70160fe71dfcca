/* SPDX-License-Identifier: Apache-2.0 */
#include "finish.h"

#include "extras.h"
#include "fiber.h"
#include "life.h"
#include "roaming.h"

static bool has_extras(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (!agent->extras)
		tern_store(&agent->extras,
			   tern_extras_take(lcore, tern_address_slot(agent->address)));
	return agent->extras;
}

void tern_finish_start(struct tern_lcore *lcore, struct tern_agent *agent, uint64_t by)
{
	uint64_t *entry = &lcore->directory[tern_address_slot(agent->address)];
	if (agent->status >= TERN_ENDING)
		return;
	if (!has_extras(lcore, agent)) {
		tern_life_ask_end(lcore, agent, TERN_END_STOPPED, 0);
		return;
	}
	if (agent->status == TERN_PAUSED)
		tern_life_resume(lcore, agent);
	tern_dir_set(entry, TERN_DIR_CLOSED);
	/* Lanes that this turn has looked at already may hold more: a whole turn comes after. */
	lcore->wet = true;
	bool known = agent->flags & TERN_AGENT_FINISHING;
	/* Asked twice, the earlier time counts. */
	if (!known || by < agent->extras->finish_by)
		agent->extras->finish_by = by;
	if (known)
		return;
	agent->flags |= TERN_AGENT_FINISHING;
	agent->extras->finish_next = lcore->finishing;
	lcore->finishing = agent;
}

static bool is_at_rest(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	if (agent->mailbox.queued || agent->flags & TERN_AGENT_LISTED)
		return false;
	if (!tern_is_roaming(agent))
		return true;
	const struct tern_roam *roam =
		&tern_room_of(lcore, tern_address_slot(agent->address))->roam;
	return tern_load(&roam->state) == TERN_ROAM_IDLE && tern_roam_count(roam) == 0;
}

static bool is_through(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	bool idle = is_at_rest(lcore, agent);
	return (idle && !lcore->wet) || lcore->turn_ticks >= agent->extras->finish_by;
}

/* In time, a fiber is told, and returns when it likes. */
static bool cancel_fiber(struct tern_lcore *lcore, struct tern_agent *agent)
{
	bool in_time = lcore->turn_ticks < agent->extras->finish_by;
	if (!(agent->flags & TERN_AGENT_FIBER) || !in_time)
		return false;
	if (!agent->extras->fiber->cancelled) {
		agent->extras->fiber->cancelled = true;
		tern_ready_wake(lcore, agent);
	}
	return true;
}

unsigned tern_finish_check(struct tern_lcore *lcore)
{
	unsigned ended = 0;
	struct tern_agent *next;
	for (struct tern_agent *agent = lcore->finishing; agent; agent = next) {
		next = agent->extras->finish_next;
		if (agent->status == TERN_ENDING || !is_through(lcore, agent))
			continue;
		if (!cancel_fiber(lcore, agent))
			tern_life_ask_end(lcore, agent, TERN_END_STOPPED, 0);
		ended++;
	}
	return ended;
}

void tern_finish_forget(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_agent **link = &lcore->finishing;
	if (!(agent->flags & TERN_AGENT_FINISHING))
		return;
	while (*link != agent)
		link = &(*link)->extras->finish_next;
	*link = agent->extras->finish_next;
}
