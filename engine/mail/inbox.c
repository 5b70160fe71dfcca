/* SPDX-License-Identifier: Apache-2.0 */
#include "inbox.h"

#include <errno.h>

#include "ask.h"
#include "bounce.h"
#include "engine/lcore/agent_state.h"
#include "engine/lcore/asked.h"
#include "engine/lcore/fiber_state.h"
#include "engine/lcore/reader.h"
#include "engine/schedule/profile.h"
#include "engine/schedule/roaming.h"
#include "event.h"
#include "keys.h"
#include "memory.h"
#include "notes.h"

/* Signals moved from a ring to cells in one go. */
#define FETCH 32
/* Agents looked at in one turn when memory is back. */
#define RELIEVE_MAX 64u

/* What the policy says */

/* What a full inbox does with one signal more. */
enum answer { TURNS_AWAY, DROPS, ENDS };

static enum answer answer_of(uint8_t policy)
{
	switch (policy) {
	case TERN_POLICY_DROP_OLDEST:
	case TERN_POLICY_CONFLATE:
		return DROPS;
	case TERN_POLICY_EVICT:
		return ENDS;
	default: /* refuse, block */
		return TURNS_AWAY;
	}
}

static bool turns_away(uint8_t policy)
{
	return answer_of(policy) == TURNS_AWAY;
}

static void count_drop(struct tern_lcore *lcore)
{
	tern_count(&lcore->stats.dropped, 1);
	tern_lcore_settle(lcore, 1);
}

static struct tern_room *ring_of(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	return tern_room_of(lcore, tern_address_slot(agent->address));
}

/* Water marks: above high water senders are sent away, at low water they are let in */

/* The agent itself hears of it when it runs next: its own handler may be on the stack now. */
static void cross_high(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_agent_rise(agent);
	tern_count(&tern_profile_of(lcore, agent)->pressured, 1);
	if (turns_away(agent->policy))
		tern_dir_set(&lcore->directory[tern_address_slot(agent->address)],
			     TERN_DIR_PRESSED);
}

static void cross_low(struct tern_lcore *lcore, struct tern_agent *agent)
{
	tern_agent_fall(agent);
	tern_memory_forget(lcore, agent);
	if (turns_away(agent->policy))
		tern_dir_clear(&lcore->directory[tern_address_slot(agent->address)],
			       TERN_DIR_PRESSED);
}

/*
 * A sender's word, of the agent whose ring it filled. By CAS, so that only the agent that was meant
 * is marked, not who lives in its slot by now. Whoever marks it counts.
 */
static void press_agent(struct tern_lcore *lcore, struct tern_room *room, tern_address to)
{
	uint64_t *entry = &lcore->directory[tern_address_slot(to)], seen = tern_load(entry);
	if (!turns_away(tern_load(&room->policy)))
		return;
	do {
		if (seen & TERN_DIR_PRESSED || !tern_dir_alive(seen, to))
			return;
	} while (!__atomic_compare_exchange_n(entry, &seen, seen | TERN_DIR_PRESSED, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	__atomic_fetch_add(&room->pressured, 1, __ATOMIC_RELAXED);
}

static void look_for_high(struct tern_lcore *lcore, struct tern_agent *agent)
{
	bool high = agent->mailbox.queued >= agent->high_water;
	bool is_short =
		!high && turns_away(agent->policy) && tern_memory_is_over_share(lcore, agent);
	if (tern_likely(!high && !is_short))
		return;
	if (is_short)
		tern_memory_await(lcore, agent);
	cross_high(lcore, agent);
}

/* With a ring: when the run ends. One that ran short holds nothing by then, or there is enough. */
static void look_for_low(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (agent->mailbox.queued > agent->low_water || tern_is_roaming(agent))
		return;
	if (agent->flags & TERN_AGENT_SHORT && agent->mailbox.queued &&
	    !tern_memory_is_back(&lcore->mail.cells))
		return;
	cross_low(lcore, agent);
}

void tern_inbox_tell(struct tern_lcore *lcore, struct tern_agent *agent)
{
	bool over = agent->flags & TERN_AGENT_OVER;
	if (!tern_agent_is_water_news(agent) || agent->status >= TERN_PAUSED)
		return;
	tern_agent_tell_water(agent);
	struct tern_event event = {.kind = TERN_EVENT_PRESSURE,
				   .pressure = {.on = over, .queued = agent->mailbox.queued}};
	tern_life_event(lcore, agent, &event);
}

void tern_inbox_relieve(struct tern_lcore *lcore)
{
	for (uint32_t i = 0; i < RELIEVE_MAX && lcore->mail.shorts.count; i++) {
		struct tern_agent *agent = &lcore->agents[lcore->mail.shorts.head];
		if (!tern_memory_is_back(&lcore->mail.cells))
			return;
		tern_memory_forget(lcore, agent);
		if (tern_is_roaming(agent))
			tern_ready_wake(lcore, agent); /* it takes more of its ring */
		else if (agent->mailbox.queued < agent->high_water)
			cross_low(lcore, agent);
	}
}

/* Cells */

/* Of a cell that left the mailbox others may have kept the number. */
static void cell_left(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t cell,
		      uint32_t before)
{
	if (agent->flags & TERN_AGENT_EXACT)
		tern_room_leave(ring_of(lcore, agent));
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

void tern_inbox_take_after(struct tern_lcore *lcore, struct tern_agent *agent, uint32_t before,
			   struct tern_signal *signal)
{
	take_after(lcore, agent, before, signal);
	if (tern_unlikely(agent->flags & TERN_AGENT_OVER))
		look_for_low(lcore, agent);
}

void tern_inbox_take(struct tern_lcore *lcore, struct tern_agent *agent, struct tern_signal *signal)
{
	tern_inbox_take_after(lcore, agent, TERN_CELL_NONE, signal);
}

/* What came back to it waits among its signals, and is not dropped with them. */
static void drop_from_cells(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_signal oldest;
	uint32_t before;
	if (!tern_mailbox_seek_data(&lcore->mail.cells, &agent->mailbox, &before))
		return;
	take_after(lcore, agent, before, &oldest);
	tern_signal_discard(lcore, &oldest);
	tern_count(&tern_profile_of(lcore, agent)->dropped, 1);
	count_drop(lcore);
}

/* The newest value takes the waiting one's place, and with it its turn. */
static bool conflate_signal(struct tern_lcore *lcore, struct tern_agent *agent,
			    const struct tern_signal *signal)
{
	if (agent->policy != TERN_POLICY_CONFLATE || !tern_keys_applies(agent->extras, signal))
		return false;
	struct tern_signal *waiting = tern_keys_find(lcore, agent->extras, signal);
	if (!waiting)
		return false;
	memcpy(waiting, signal, sizeof(*waiting));
	tern_count(&tern_profile_of(lcore, agent)->dropped, 1);
	count_drop(lcore);
	return true;
}

/* At its bound, or where memory is used up and it holds some of it. */
static bool are_cells_full(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	return agent->mailbox.queued >= agent->extras->capacity ||
	       tern_memory_is_over_share(lcore, agent) ||
	       (!tern_memory_may_take(lcore, agent) && agent->mailbox.queued);
}

/* Whether the signal still wants a cell. Who is sent away was so before it came: it is taken. */
static bool make_place_in_cells(struct tern_lcore *lcore, struct tern_agent *agent,
				const struct tern_signal *signal)
{
	enum answer answer = answer_of(agent->policy);
	if (answer == TURNS_AWAY)
		return true;
	if (conflate_signal(lcore, agent, signal))
		return false;
	if (!are_cells_full(lcore, agent))
		return true;
	if (answer == DROPS) {
		drop_from_cells(lcore, agent);
		return true;
	}
	tern_life_ask_end(lcore, agent, TERN_END_EVICTED, 0);
	tern_life_bounce(lcore, signal, false);
	return false;
}

/* A policy that drops has freed a cell where there was none. */
static uint32_t take_cell(struct tern_lcore *lcore, const struct tern_agent *agent)
{
	if (tern_unlikely(!tern_memory_may_take(lcore, agent) &&
			  (turns_away(agent->policy) || !agent->mailbox.queued)))
		return TERN_CELL_NONE;
	return tern_cells_take(&lcore->mail.cells);
}

bool tern_inbox_put(struct tern_lcore *lcore, struct tern_agent *agent,
		    const struct tern_signal *signal)
{
	if (!make_place_in_cells(lcore, agent, signal))
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

/* The ring, as its senders see it: the agent may end at any moment */

static tern_address receiver_of(const struct tern_lcore *lcore, const struct tern_signal *signal)
{
	return tern_lcore_address_of(lcore, signal->to_slot, signal->to_generation);
}

static bool is_to_living(const struct tern_lcore *lcore, const struct tern_signal *signal)
{
	return tern_dir_alive(tern_dir_load(lcore, signal->to_slot), receiver_of(lcore, signal));
}

/* Whether a place may have come free. One for the life before goes back. */
static bool drop_from_ring(struct tern_lcore *lcore, struct tern_room *room)
{
	struct tern_signal oldest;
	if (!tern_mail_ring_drop_oldest(&room->ring, &oldest))
		return false;
	if (tern_unlikely(!is_to_living(lcore, &oldest))) {
		tern_life_bounce(lcore, &oldest, false);
		return true;
	}
	tern_signal_discard(lcore, &oldest);
	__atomic_fetch_add(&room->dropped, 1, __ATOMIC_RELAXED);
	count_drop(lcore);
	return true;
}

/* Whether a place may have come free in a full ring. At an engine's end nothing is dropped. */
static bool make_place_in_ring(struct tern_lcore *lcore, struct tern_room *room,
			       const struct tern_signal *signal)
{
	uint8_t policy = tern_load(&room->policy);
	if (tern_engine_state(lcore->engine) == TERN_ENGINE_ENDING)
		return false;
	switch (answer_of(policy)) {
	case ENDS:
		tern_ask(lcore, receiver_of(lcore, signal), TERN_ASK_EVICT);
		return false;
	case DROPS: /* who conflates has its lcore do so: only that one knows what waits */
		return policy == TERN_POLICY_DROP_OLDEST && drop_from_ring(lcore, room);
	default:
		return false;
	}
}

/* Take a place within an exact bound, which counts what has left the ring and is not taken up. */
static bool enter_exact(struct tern_room *room, uint32_t *waiting)
{
	*waiting = 0;
	if (tern_likely(!room->exact))
		return true;
	*waiting = __atomic_add_fetch(&room->waiting, 1, __ATOMIC_RELAXED);
	if (*waiting <= tern_load(&room->capacity))
		return true;
	tern_room_leave(room);
	return false;
}

/*
 * Apart, because the agent's line, which its lcore writes for each signal, is one that a sender
 * does without while few wait. What goes from ring to cells meanwhile counts twice: pressed early,
 * never late.
 */
static __attribute__((noinline)) void look_for_high_in_ring(struct tern_lcore *lcore,
							    struct tern_room *room, tern_address to,
							    uint32_t waiting)
{
	if (!room->exact)
		waiting += tern_load(&lcore->agents[tern_address_slot(to)].mailbox.queued);
	if (waiting >= tern_load(&room->high_water))
		press_agent(lcore, room, to);
}

/* 0, with the signals that are in the ring by then; or why it was not put. */
static int put_in_ring(struct tern_lcore *lcore, struct tern_room *room,
		       const struct tern_signal *signal, uint32_t *count)
{
	for (uint32_t i = 0; tern_mail_ring_put(&room->ring, signal, count) != 0; i++) {
		if (i > tern_load(&room->capacity) || !make_place_in_ring(lcore, room, signal))
			return -EAGAIN;
		if (!is_to_living(lcore, signal))
			return -ESRCH;
	}
	return 0;
}

/* An agent that ends meanwhile has its room take the signal for it, or there is none. */
static int send_to_ring(struct tern_lcore *lcore, const struct tern_signal *signal)
{
	uint32_t count, waiting;
	struct tern_room *room =
		is_to_living(lcore, signal) ? tern_room_of(lcore, signal->to_slot) : NULL;
	if (tern_unlikely(!room))
		return -ESRCH;
	if (!enter_exact(room, &waiting))
		return -EAGAIN;
	int code = put_in_ring(lcore, room, signal, &count);
	if (code != 0) {
		tern_room_leave(room);
		return code;
	}
	/* Before the wake: the run that follows finds the mark, and clears it when it may. */
	if (tern_unlikely(room->exact || count >= tern_load(&room->calm)))
		look_for_high_in_ring(lcore, room, receiver_of(lcore, signal),
				      room->exact ? waiting : count);
	if (tern_mail_ring_wake_after_put(&room->ring))
		tern_roaming_schedule(lcore, room);
	return 0;
}

/* An lcore is quiet between turns only; a thread is, but here. */
int tern_inbox_send(struct tern_lcore *lcore, const struct tern_signal *signal)
{
	if (tern_likely(!lcore->is_thread))
		return send_to_ring(lcore, signal);
	tern_reader_enter(lcore);
	int code = send_to_ring(lcore, signal);
	tern_reader_leave(lcore);
	return code;
}

/* The ring, as the lcore sees it that runs the agent */

/* By what is in the ring and was taken from there, or by a sender's word, which it counted. */
void tern_inbox_open(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_room *room = ring_of(lcore, agent);
	bool pressed = tern_dir_load(lcore, room->slot) & TERN_DIR_PRESSED;
	if (agent->flags & TERN_AGENT_OVER ||
	    (!pressed && tern_inbox_count(agent, room) < room->high_water))
		return;
	tern_agent_rise(agent);
	if (!turns_away(agent->policy))
		__atomic_fetch_add(&room->pressured, 1, __ATOMIC_RELAXED);
}

/* To its cells; or back, where it was told to end, or is for the life before. */
static void fetch_signal(struct tern_lcore *lcore, struct tern_agent *agent,
			 const struct tern_signal *signal)
{
	if (agent->status == TERN_ENDING ||
	    tern_unlikely(receiver_of(lcore, signal) != agent->address))
		tern_room_leave(ring_of(lcore, agent));
	else if (!make_place_in_cells(lcore, agent, signal) ||
		 tern_mailbox_push(&lcore->mail.cells, &agent->mailbox, signal) != TERN_CELL_NONE)
		return;
	tern_life_bounce(lcore, signal, false);
}

void tern_inbox_fetch(struct tern_lcore *lcore, struct tern_agent *agent, unsigned most)
{
	struct tern_room *room = ring_of(lcore, agent);
	struct tern_signal signals[FETCH];
	while (agent->mailbox.queued < most) {
		unsigned want = most - agent->mailbox.queued;
		want = tern_memory_may_fetch(lcore, agent, want < FETCH ? want : FETCH);
		unsigned got = tern_mail_ring_take(&room->ring, signals, want);
		for (unsigned i = 0; i < got; i++)
			fetch_signal(lcore, agent, &signals[i]);
		if (tern_unlikely(agent->flags & TERN_AGENT_MARKED))
			tern_watch_ring_moved(lcore, agent);
		if (got < want || want == 0)
			break;
	}
}

uint32_t tern_inbox_close(struct tern_lcore *lcore, struct tern_agent *agent)
{
	struct tern_room *room = ring_of(lcore, agent);
	uint32_t left = tern_mail_ring_count(&room->ring);
	if (agent->flags & TERN_AGENT_OVER && left + agent->mailbox.queued <= room->low_water) {
		cross_low(lcore, agent);
		tern_inbox_tell(lcore, agent);
	}
	return left;
}

bool tern_inbox_is_idle(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	if (agent->mailbox.queued || agent->flags & TERN_AGENT_LISTED)
		return false;
	if (!tern_is_roaming(agent))
		return true;
	const struct tern_mail_ring *ring = &ring_of(lcore, agent)->ring;
	return tern_load(&ring->state) == TERN_MAIL_RING_IDLE && tern_mail_ring_count(ring) == 0;
}
