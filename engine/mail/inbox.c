/* SPDX-License-Identifier: Apache-2.0 */

/* A mailbox's bound and policy, and who may use how much of an lcore's mailbox memory. */
#include "inbox.h"

#include "bounce.h"
#include "engine/lcore/agent_state.h"
#include "engine/lcore/fiber_state.h"
#include "engine/lcore/room.h"
#include "engine/schedule/profile.h"
#include "engine/schedule/roaming.h"
#include "event.h"
#include "keys.h"
#include "notes.h"

/* An agent may hold so many times what is left, so that whoever comes later finds some left. */
#define SHARE 8u
/* It may hold so many signals, or one in so many of those left, whatever its share. */
#define SHARE_MIN 16u
#define SHARE_MIN_PART 1024u
/* Of the cells, one in so many is for what is under way when agents are told to refuse. */
#define HEADROOM_PART 8u
/* While memory is short, lanes may have so many signals under way. */
#define CREDIT_MIN 4u
#define CREDIT_MAX 64u
/* Agents looked at in one turn when memory is back. */
#define RELIEVE_MAX 64u

static void set_pressed(struct tern_lcore *lcore, struct tern_agent *agent, bool on)
{
	uint64_t *entry = &lcore->directory[tern_address_slot(agent->address)];
	if (on)
		tern_dir_set(entry, TERN_DIR_PRESSED);
	else
		tern_dir_clear(entry, TERN_DIR_PRESSED);
}

/* The agent itself hears of it when it runs next: its own handler may be on the stack now. */
static void cross_high(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_agent_rise(agent);
	tern_count(&tern_profile_of(lcore, agent)->pressured, 1);
	if (tern_policy_refuses(agent->policy))
		set_pressed(lcore, agent, true);
}

static void cross_low(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_agent_fall(agent);
	tern_policy_forget(lcore, agent);
	if (tern_policy_refuses(agent->policy))
		set_pressed(lcore, agent, false);
}

void tern_policy_tell(struct tern_lcore *lcore, struct tern_agent *agent)
{
	bool over = agent->flags & TERN_AGENT_OVER;
	if (!tern_agent_is_water_news(agent) || agent->status >= TERN_PAUSED)
		return;
	tern_agent_tell_water(agent);
	struct tern_event event = {.kind = TERN_EVENT_PRESSURE,
				   .pressure = {.on = over, .queued = agent->mailbox.queued}};
	tern_life_event(lcore, agent, &event);
}

/*
 * Mailbox memory is shared by dynamic thresholds. An agent that holds more than its share of what
 * is left refuses, or drops, as if its mailbox were full: the more memory is used, the less each
 * may hold, so that those who hold much stop first and some is always left for those who hold
 * little. What lanes still bring for an agent that refuses goes to the headroom; while memory is
 * short, their senders have little credit, so that this is not much.
 *
 * Source: Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet
 * switches", IEEE/ACM Transactions on Networking 6(2), 1998.
 */
static uint32_t left_for_data(const struct tern_cells *cells)
{
	uint32_t left = tern_cells_left(cells);
	return left > cells->kept ? left - cells->kept : 0;
}

static uint32_t left_to_share(const struct tern_cells *cells)
{
	uint32_t left = left_for_data(cells), headroom = cells->count / HEADROOM_PART;
	return left > headroom ? left - headroom : 0;
}

static uint32_t clamp_count(uint32_t value, uint32_t least, uint32_t most)
{
	return value < least ? least : value > most ? most : value;
}

static bool is_over_share(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	uint32_t queued = agent->mailbox.queued;
	if (tern_likely(queued / SHARE < left_to_share(&lcore->mail.cells)))
		return false;
	return queued >=
	       clamp_count(left_for_data(&lcore->mail.cells) / SHARE_MIN_PART, 1, SHARE_MIN);
}

void tern_policy_set_credit(struct tern_lcore *lcore)
{
	const struct tern_cells *cells = &lcore->mail.cells;
	uint32_t under_way =
		(lcore->lanes.data.count + lcore->lanes.express.count) * lcore->mail.depth_max;
	uint32_t ample = cells->count / 16 + clamp_count(under_way, 0, cells->count / 2);
	bool is_short = left_to_share(cells) < ample;
	lcore->mail.credit = UINT32_MAX;
	if (is_short)
		lcore->mail.credit =
			clamp_count(left_for_data(cells) / SHARE_MIN_PART, CREDIT_MIN, CREDIT_MAX);
}

/*
 * Whether data may take one more cell. One that waits for nothing else gets of what is kept, more
 * than what comes back to paused ones does (life.c).
 */
static bool may_take(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	uint32_t left = tern_cells_left(&lcore->mail.cells), kept = lcore->mail.cells.kept;
	if (tern_likely(left > kept))
		return true;
	return agent->mailbox.queued == 0 && agent->status < TERN_PAUSED && left > kept / 4;
}

void tern_policy_forget(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (!(agent->flags & TERN_AGENT_SHORT))
		return;
	tern_agent_clear(agent, TERN_AGENT_SHORT);
	tern_slot_list_remove(&lcore->mail.shorts, lcore->reserves, TERN_SLOTS_SHORT,
			      tern_address_slot(agent->address));
}

static void set_short(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_agent_set(agent, TERN_AGENT_SHORT);
	tern_slot_list_push(&lcore->mail.shorts, lcore->reserves, TERN_SLOTS_SHORT,
			    tern_address_slot(agent->address));
}

void tern_policy_await_memory(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (!(agent->flags & TERN_AGENT_SHORT))
		set_short(lcore, agent);
}

/* Hysteresis: not before a sixteenth of all is there to share. */
static bool has_memory_again(const struct tern_cells *cells)
{
	return left_to_share(cells) > cells->count / 16;
}

void tern_policy_relieve(struct tern_lcore *lcore)
{
	for (uint32_t i = 0; i < RELIEVE_MAX && lcore->mail.shorts.count; i++) {
		struct tern_agent *agent = &lcore->agents[lcore->mail.shorts.head];
		if (!has_memory_again(&lcore->mail.cells))
			return;
		tern_policy_forget(lcore, agent);
		if (tern_is_roaming(agent))
			tern_ready_wake(lcore, agent); /* it takes more of its ring */
		else if (agent->mailbox.queued < agent->high_water)
			cross_low(lcore, agent);
	}
}

static void count_drop(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_count(&tern_profile_of(lcore, agent)->dropped, 1);
	tern_count(&lcore->stats.dropped, 1);
	tern_lcore_settle(lcore, 1);
}

/* Senders are let in again. One that ran short holds nothing by then, or there is enough. */
static void look_for_low(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (agent->mailbox.queued > agent->low_water || tern_is_roaming(agent))
		return;
	if (agent->flags & TERN_AGENT_SHORT && agent->mailbox.queued &&
	    !has_memory_again(&lcore->mail.cells))
		return;
	cross_low(lcore, agent);
}

/* Of a cell that left the mailbox others may have kept the number. */
static void cell_left(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t cell,
		      uint32_t before)
{
	if (agent->flags & TERN_AGENT_EXACT)
		tern_room_leave(tern_room_of(lcore, tern_address_slot(agent->address)));
	if (agent->flags & TERN_AGENT_FIBER)
		tern_fiber_cell_left(agent->extras->fiber, cell);
	else if (agent->flags & TERN_AGENT_MARKED)
		tern_watch_cell_left(lcore, agent, cell, before);
}

/* Take the signal out that follows a cell (TERN_CELL_NONE: the oldest), whatever waits on it. */
static void take_after(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t before,
		       struct tern_signal *signal)
{
	struct tern_cells *cells = &lcore->mail.cells;
	uint32_t cell = before == TERN_CELL_NONE ? agent->mailbox.head : cells->next[before];
	struct tern_signal *waiting = tern_cells_at(cells, cell);
	memcpy(signal, waiting, sizeof(*signal));
	if (agent->policy == TERN_POLICY_CONFLATE && tern_keys_applies(agent->extras, waiting))
		tern_keys_remove(lcore, agent->extras, cell);
	tern_mailbox_remove(cells, &agent->mailbox, before);
	tern_cells_put(cells, cell);
	if (tern_unlikely(agent->flags & (TERN_AGENT_MARKED | TERN_AGENT_FIBER | TERN_AGENT_EXACT)))
		cell_left(lcore, agent, cell, before);
}

void tern_policy_take_after(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t before,
			    struct tern_signal *signal)
{
	take_after(lcore, agent, before, signal);
	if (tern_unlikely(agent->flags & TERN_AGENT_OVER))
		look_for_low(lcore, agent);
}

void tern_policy_take(struct tern_lcore *lcore, struct tern_agent *agent,
		      struct tern_signal *signal)
{
	tern_policy_take_after(lcore, agent, TERN_CELL_NONE, signal);
}

/* What came back to it waits among its signals, and is not dropped with them. */
static bool drop_oldest(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_signal oldest;
	uint32_t before;
	if (!tern_mailbox_seek_data(&lcore->mail.cells, &agent->mailbox, &before))
		return false;
	take_after(lcore, agent, before, &oldest);
	tern_signal_discard(lcore, &oldest);
	count_drop(lcore, agent);
	return true;
}

/* The newest value takes the waiting one's place, and with it its turn. */
static bool conflate_signal(struct tern_lcore *lcore, struct tern_agent *agent,
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

/* At its bound, or where memory is used up and it holds some of it: what the policy says. */
static bool is_full(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	return agent->mailbox.queued >= agent->extras->capacity || is_over_share(lcore, agent) ||
	       (!may_take(lcore, agent) && agent->mailbox.queued);
}

bool tern_policy_make_room(struct tern_lcore *lcore, struct tern_agent *agent,
			   const struct tern_signal *signal)
{
	if (tern_policy_refuses(agent->policy))
		return true;
	if (agent->policy == TERN_POLICY_CONFLATE && conflate_signal(lcore, agent, signal))
		return false;
	if (!is_full(lcore, agent))
		return true;
	if (agent->policy != TERN_POLICY_EVICT) {
		drop_oldest(lcore, agent);
		return true;
	}
	tern_life_ask_end(lcore, agent, TERN_END_EVICTED, 0);
	tern_life_bounce(lcore, signal, false);
	return false;
}

static void look_for_high(struct tern_lcore *lcore, struct tern_agent *agent)
{
	bool high = agent->mailbox.queued >= agent->high_water;
	bool is_short = !high && tern_policy_refuses(agent->policy) && is_over_share(lcore, agent);
	if (tern_likely(!high && !is_short))
		return;
	if (is_short)
		set_short(lcore, agent);
	cross_high(lcore, agent);
}

/* A policy that drops has freed a cell where there was none. */
static uint32_t take_cell(struct tern_lcore *lcore, const struct tern_agent *agent)
{
	if (tern_unlikely(!may_take(lcore, agent) &&
			  (tern_policy_refuses(agent->policy) || !agent->mailbox.queued)))
		return TERN_CELL_NONE;
	return tern_cells_take(&lcore->mail.cells);
}

bool tern_policy_queue(struct tern_lcore *lcore, struct tern_agent *agent,
		       const struct tern_signal *signal)
{
	if (!tern_policy_make_room(lcore, agent, signal))
		return true;
	uint32_t cell = take_cell(lcore, agent);
	if (tern_unlikely(cell == TERN_CELL_NONE))
		return false;
	struct tern_signal *place = tern_cells_at(&lcore->mail.cells, cell);
	memcpy(place, signal, sizeof(*place));
	tern_mailbox_append(&lcore->mail.cells, &agent->mailbox, cell);
	tern_count(&lcore->stats.queued, 1);
	if (agent->policy == TERN_POLICY_CONFLATE && tern_keys_applies(agent->extras, place))
		tern_keys_add(lcore, agent->extras, cell);
	if (agent->status != TERN_READY || tern_is_roaming(agent))
		tern_ready_wake(lcore, agent);
	if (!(agent->flags & TERN_AGENT_OVER))
		look_for_high(lcore, agent);
	return true;
}

unsigned tern_policy_may_take(const struct tern_lcore *lcore, const struct tern_agent *agent,
			      unsigned count)
{
	uint32_t left = tern_cells_left(&lcore->mail.cells), kept = lcore->mail.cells.kept;
	if (tern_likely(left >= kept + count))
		return count;
	if (left > kept)
		return left - kept;
	/* One at a time, so that whoever runs goes on. */
	return agent->mailbox.queued == 0 && left != 0;
}

void tern_policy_take_in(struct tern_lcore *lcore, struct tern_agent *agent,
			 const struct tern_signal *signal)
{
	if (tern_mailbox_push(&lcore->mail.cells, &agent->mailbox, signal) == TERN_CELL_NONE)
		tern_life_bounce(lcore, signal, false);
}
