/* SPDX-License-Identifier: Apache-2.0 */
#include "fiber.h"
#include "keys.h"
#include "life.h"
#include "profile.h"
#include "roaming.h"

void tern_signal_discard(struct tern_lcore *lcore, struct tern_signal *signal)
{
	uint32_t kind = signal->kind & TERN_KIND_MASK;
	if ((kind == TERN_KIND_ISO || kind == TERN_KIND_VAL) && signal->payload.iso)
		tern_block_release(&lcore->heap, (struct tern_block *)(void *)signal->payload.iso);
	signal->payload.iso = NULL;
}

static void set_pressed(struct tern_lcore *lcore, struct tern_agent *agent, bool on)
{
	uint64_t *entry = &lcore->directory[tern_address_slot(agent->address)];
	if (on)
		tern_dir_set(entry, TERN_DIR_PRESSED);
	else
		tern_dir_clear(entry, TERN_DIR_PRESSED);
}

static bool refuses(const struct tern_agent *agent)
{
	return agent->policy == TERN_POLICY_REFUSE || agent->policy == TERN_POLICY_BLOCK;
}

/* The agent itself hears of it when it runs next: its own handler may be on the stack now. */
static void cross_high(struct tern_lcore *lcore, struct tern_agent *agent)
{
	agent->flags |= TERN_AGENT_OVER;
	tern_count(&tern_profile_of(lcore, agent)->pressured, 1);
	if (refuses(agent))
		set_pressed(lcore, agent, true);
}

static void cross_low(struct tern_lcore *lcore, struct tern_agent *agent)
{
	agent->flags &= ~TERN_AGENT_OVER;
	if (refuses(agent))
		set_pressed(lcore, agent, false);
}

void tern_policy_tell(struct tern_lcore *lcore, struct tern_agent *agent)
{
	bool over = agent->flags & TERN_AGENT_OVER, told = agent->flags & TERN_AGENT_TOLD_OVER;
	if (over == told || agent->status >= TERN_PAUSED)
		return;
	agent->flags ^= TERN_AGENT_TOLD_OVER;
	struct tern_event event = {.kind = TERN_EVENT_PRESSURE,
				   .pressure = {.on = over, .queued = agent->mailbox.queued}};
	tern_life_event(lcore, agent, &event);
}

static void count_drop(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_count(&tern_profile_of(lcore, agent)->dropped, 1);
	tern_count(&lcore->stats.dropped, 1);
	tern_lcore_settle(lcore, 1);
}

/* What the engine tells a paused agent waits among its signals, and is not dropped with them. */
static void drop_oldest(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_signal oldest = {0};
	uint32_t place = tern_mailbox_oldest(&lcore->chunks, &agent->mailbox);
	if (place == agent->mailbox.queued)
		return;
	if (tern_likely(place == 0))
		tern_policy_take(lcore, agent, &oldest);
	else
		tern_policy_take_at(lcore, agent, place, &oldest);
	if (agent->flags & TERN_AGENT_FIBER)
		agent->extras->fiber->scanned = 0;
	tern_signal_discard(lcore, &oldest);
	count_drop(lcore, agent);
}

/* The newest value takes the waiting one's place, and with it its turn. */
static bool conflate(struct tern_lcore *lcore, struct tern_agent *agent,
		     const struct tern_signal *signal)
{
	if (!tern_keys_applies(agent->extras, signal))
		return false;
	struct tern_signal *waiting = tern_keys_find(lcore, agent->extras, signal);
	if (!waiting)
		return false;
	memcpy(waiting, signal, sizeof(*waiting));
	count_drop(lcore, agent);
	return true;
}

bool tern_policy_make_room(struct tern_lcore *lcore, struct tern_agent *agent,
			   const struct tern_signal *signal)
{
	if (refuses(agent))
		return true;
	if (agent->policy == TERN_POLICY_CONFLATE && conflate(lcore, agent, signal))
		return false;
	if (agent->mailbox.queued < agent->extras->capacity)
		return true;
	if (agent->policy != TERN_POLICY_EVICT) {
		drop_oldest(lcore, agent);
		return true;
	}
	tern_life_ask_end(lcore, agent, TERN_END_EVICTED, 0);
	tern_life_bounce(lcore, signal);
	return false;
}

bool tern_policy_queue(struct tern_lcore *lcore, struct tern_agent *agent,
		       const struct tern_signal *signal)
{
	if (tern_unlikely(!tern_chunks_left(&lcore->chunks)))
		return false;
	if (!tern_policy_make_room(lcore, agent, signal))
		return true;
	const struct tern_signal *place =
		tern_mailbox_push(&lcore->chunks, &agent->mailbox, signal);
	tern_count(&lcore->stats.queued, 1);
	if (agent->policy == TERN_POLICY_CONFLATE && tern_keys_applies(agent->extras, place))
		tern_keys_add(lcore, agent->extras, place);
	if (agent->status != TERN_READY || tern_is_roaming(agent))
		tern_ready_wake(lcore, agent);
	if (!(agent->flags & TERN_AGENT_OVER) && agent->mailbox.queued >= agent->high_water)
		cross_high(lcore, agent);
	return true;
}

static void take_front(struct tern_lcore *lcore, struct tern_agent *agent,
		       struct tern_signal *signal)
{
	struct tern_signal *front = tern_mailbox_front(&lcore->chunks, &agent->mailbox);
	memcpy(signal, front, sizeof(*signal));
	if (agent->policy == TERN_POLICY_CONFLATE && tern_keys_applies(agent->extras, front))
		tern_keys_remove(lcore, agent->extras, front);
	tern_mailbox_pop(&lcore->chunks, &agent->mailbox);
}

static void put_back(struct tern_lcore *lcore, struct tern_agent *agent,
		     const struct tern_signal *signal)
{
	const struct tern_signal *place =
		tern_mailbox_push(&lcore->chunks, &agent->mailbox, signal);
	if (agent->policy == TERN_POLICY_CONFLATE && tern_keys_applies(agent->extras, place))
		tern_keys_add(lcore, agent->extras, place);
}

/* Once round the queue, which leaves all others in their order. The chunk just freed is there. */
void tern_policy_take_at(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t place,
			 struct tern_signal *signal)
{
	struct tern_signal other;
	uint32_t queued = agent->mailbox.queued;
	for (uint32_t i = 0; i < queued; i++) {
		take_front(lcore, agent, i == place ? signal : &other);
		if (i != place)
			put_back(lcore, agent, &other);
	}
	if (agent->flags & TERN_AGENT_OVER && agent->mailbox.queued <= agent->low_water &&
	    !tern_is_roaming(agent))
		cross_low(lcore, agent);
}

void tern_policy_take(struct tern_lcore *lcore, struct tern_agent *agent,
		      struct tern_signal *signal)
{
	take_front(lcore, agent, signal);
	if (tern_unlikely(agent->flags & TERN_AGENT_OVER) &&
	    agent->mailbox.queued <= agent->low_water && !tern_is_roaming(agent))
		cross_low(lcore, agent);
}
