/* SPDX-License-Identifier: Apache-2.0 */

/* One turn of an lcore: express lanes, data lanes, timers, ready agents, what waits to leave. */
#include "lcore_turn.h"

#include "due_run.h"
#include "end.h"
#include "engine/agent/answer.h"
#include "engine/agent/fds.h"
#include "engine/agent/finish.h"
#include "engine/agent/life.h"
#include "engine/fiber/fiber.h"
#include "engine/fiber/waiter.h"
#include "engine/lcore/agent_state.h"
#include "engine/lcore/reader.h"
#include "engine/mail/bounce.h"
#include "engine/mail/inbox.h"
#include "engine/mail/memory.h"
#include "engine/node/node.h"
#include "engine/schedule/profile.h"
#include "engine/schedule/ready.h"
#include "engine/schedule/reschedule.h"
#include "engine/schedule/roaming.h"
#include "expire.h"
#include "places.h"
#include "recover.h"
#include "roaming_run.h"
#include "rooms.h"
#include "steal.h"

/* What a lane's slot must not be to run in place, in the word of generation and kind. */
#define NOT_IN_PLACE ((TERN_KIND_TRACED | TERN_KIND_RETURNED) << 24)

static inline bool runs_in_place(const struct tern_lcore *lcore, const struct tern_agent *agent,
				 uint32_t word, uint32_t heeded)
{
	uint32_t status = tern_agent_status_first(agent);
	uint32_t address = tern_load(&agent->address_low); /* measured: the whole costs 10 % */
	uint32_t differs = (word ^ address) & TERN_ADDRESS_GENERATION_MASK;
	return (differs | (word & NOT_IN_PLACE) | status | (lcore->turn.hold & heeded)) == 0;
}

/* The fast path of everything: a signal handled on the lane's own slot. */
static inline void run_in_place(struct tern_lcore *lcore, struct tern_agent *agent,
				struct tern_signal *signal, uint32_t word)
{
	tern_store(&lcore->turn.running, signal->to_slot);
	tern_count(&agent->signals_in, 1);
	lcore->turn.in_place++;
	agent->handler(agent, agent->state, signal);
	if (tern_unlikely((word >> 24 & TERN_KIND_MASK) >= TERN_KIND_ISO))
		tern_signal_discard(lcore, signal);
	tern_lcore_check(lcore);
}

/* In memory until here, not in a register: a handler that fails does not return. */
void tern_lcore_settle_in_place(struct tern_lcore *lcore)
{
	tern_count(&lcore->stats.in_place, lcore->turn.in_place);
	tern_count(&lcore->stats.handled, lcore->turn.in_place);
	tern_lcore_settle(lcore, lcore->turn.in_place);
	lcore->turn.in_place = 0;
}

static inline unsigned drain_express(struct tern_lcore *lcore);

/*
 * A signal that does not run in place. From here on the copy counts: nobody stands on the slot, nor
 * frees its block. What was only queued is no sample of who ran last.
 */
static __attribute__((noinline)) void
deliver_signal(struct tern_lcore *lcore, struct tern_lane_in *in, const struct tern_signal *signal)
{
	uint64_t settled = tern_lcore_check_begin(lcore);
	in->stands_on = NULL;
	tern_life_deliver(lcore, signal, false);
	tern_lcore_check_run(lcore, settled);
}

/*
 * Take up to a burst from one lane. The position moves before the handler runs, because a
 * handler that floods its own lcore drains this same lane (tern_lcore_spill).
 */
static inline unsigned drain_lane(struct tern_lcore *lcore, struct tern_lane_in *in, bool express)
{
	/* Who has an express lane waits for nobody but an agent of its own kind. */
	const uint32_t heeded =
		express ? TERN_HOLD_LATE | TERN_HOLD_POLICY | TERN_HOLD_GONE : UINT32_MAX;
	unsigned taken = 0, more = 0;
	struct tern_signal *signal;
	while (taken < TERN_LANE_BURST && (signal = tern_lane_peek(in)) != NULL) {
		struct tern_agent *agent = &lcore->agents[signal->to_slot];
		uint32_t word = tern_slot_word(signal);
		tern_lane_next(in);
		in->stands_on = signal;
		if (tern_likely(runs_in_place(lcore, agent, word, heeded))) {
			run_in_place(lcore, agent, signal, word);
		} else {
			deliver_signal(lcore, in, signal);
		}
		taken++;
		if (!express && taken % TERN_EXPRESS_EVERY == 0 &&
		    tern_unlikely(lcore->lanes.express.count)) {
			in->stands_on = NULL;
			more += drain_express(lcore);
		}
	}
	in->stands_on = NULL;
	if (taken == 0)
		return more;
	lcore->turn.wet = lcore->turn.wet || taken == TERN_LANE_BURST;
	tern_lane_publish_within(in, lcore->mail.credit);
	tern_lcore_settle_in_place(lcore);
	return taken + more;
}

/* Out of line, so that the loops above have the registers to themselves. */
static __attribute__((noinline)) unsigned drain_data(struct tern_lcore *lcore)
{
	unsigned taken = 0;
	for (uint32_t i = 0; i < lcore->lanes.data.count; i++)
		taken += drain_lane(lcore, &lcore->lanes.data.lanes[i], false);
	return taken;
}

static __attribute__((noinline)) unsigned drain_express_lanes(struct tern_lcore *lcore)
{
	unsigned taken = 0;
	for (uint32_t i = 0; i < lcore->lanes.express.count; i++)
		taken += drain_lane(lcore, &lcore->lanes.express.lanes[i], true);
	return taken;
}

static inline unsigned drain_express(struct tern_lcore *lcore)
{
	return lcore->lanes.express.count ? drain_express_lanes(lcore) : 0;
}

/* Handle up to `budget` signals of an agent's mailbox; returns how many. */
static unsigned run_mailbox(struct tern_lcore *lcore, struct tern_agent *agent, unsigned budget)
{
	struct tern_signal signal;
	unsigned handled = 0;
	if (tern_sampler_lacks_start(&lcore->sampler))
		tern_sampler_restart(&lcore->sampler, tern_clock_ticks(lcore->clock));
	while (handled < budget && agent->mailbox.queued && agent->status == TERN_READY &&
	       !(lcore->turn.hold & TERN_HOLD_LATE)) {
		tern_inbox_take(lcore, agent, &signal);
		tern_life_handle(lcore, agent, &signal);
		handled++;
		tern_lcore_check(lcore);
		drain_express(lcore);
	}
	return handled;
}

static inline void tell_pressure(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (tern_unlikely(agent->flags & TERN_WATER))
		tern_inbox_tell(lcore, agent);
}

/* Run an agent's mailbox: what was in it now, not what it sends itself meanwhile. */
static unsigned run_agent(struct tern_lcore *lcore, struct tern_agent *agent, unsigned budget)
{
	if (agent->status == TERN_NEW)
		tern_life_start(lcore, agent);
	tern_agent_on_run(agent);
	tell_pressure(lcore, agent);
	budget = agent->mailbox.queued < budget ? agent->mailbox.queued : budget;
	unsigned handled = 0;
	if (tern_unlikely(agent->flags & TERN_AGENT_DUE)) {
		handled = tern_due_run(lcore, agent);
		if (agent->flags & TERN_AGENT_DUE && tern_due_is_first(lcore, agent))
			return handled;
		budget++; /* a fiber receives them */
	}
	handled += agent->flags & TERN_AGENT_FIBER ? tern_fiber_run(lcore, agent, budget)
						   : run_mailbox(lcore, agent, budget);
	tell_pressure(lcore, agent);
	return handled;
}

/* A run under the agent's own slice, where it has one, and on the policy's account. */
static unsigned run_measured(struct tern_lcore *lcore, struct tern_agent *agent, unsigned budget)
{
	uint64_t slice = agent->extras ? agent->extras->slice_ticks : 0;
	bool timed = lcore->ready.policy->ran;
	if (!slice && !timed)
		return run_agent(lcore, agent, budget);
	struct tern_slice lcore_slice = lcore->sampler.slice;
	uint64_t start = tern_clock_ticks(lcore->clock);
	if (slice)
		tern_sampler_open_own_slice(&lcore->sampler, start, slice);
	unsigned handled = run_agent(lcore, agent, budget);
	lcore->sampler.slice = lcore_slice;
	uint64_t now = tern_clock_ticks(lcore->clock);
	lcore->turn.hold &= (uint8_t)~TERN_HOLD_LATE;
	if (tern_sampler_is_late(&lcore->sampler, now))
		lcore->turn.hold |= TERN_HOLD_LATE;
	tern_ready_ran(lcore, agent, now - start, handled);
	return handled;
}

static bool has_work(const struct tern_lcore *lcore, const struct tern_agent *agent)
{
	if (agent->status != TERN_READY)
		return false;
	return agent->flags & TERN_AGENT_FIBER
		       ? tern_fiber_is_ready(lcore, agent)
		       : agent->mailbox.queued || agent->flags & TERN_AGENT_DUE;
}

/* After a run: back among the ready ones, or at rest. */
static void settle_agent(struct tern_lcore *lcore, struct tern_agent *agent)
{
	if (agent->flags & TERN_AGENT_LISTED)
		return;
	if (has_work(lcore, agent)) {
		tern_ready_push(lcore, agent);
		return;
	}
	if (agent->status == TERN_READY)
		tern_agent_on_settle(agent, false);
	tern_ready_rest(lcore, agent);
}

void tern_lcore_put_back(struct tern_lcore *lcore)
{
	struct tern_agent *agent = lcore->hand.agent;
	/* A slot that an agent has left has no flags any more. */
	if (!agent || agent->status == TERN_DEAD)
		lcore->hand.agent = NULL;
	else if (tern_is_roaming(agent))
		tern_roaming_settle(lcore, agent, has_work(lcore, agent));
	else if (agent->status != TERN_PAUSED)
		settle_agent(lcore, agent);
	lcore->hand.agent = NULL;
}

/* A roaming agent, which this lcore took from a queue. */
static unsigned run_roaming(struct tern_lcore *lcore, struct tern_agent *agent)
{
	unsigned handled = 0;
	lcore->hand.agent = agent;
	tern_roaming_begin(lcore, agent);
	bool ends = agent->status == TERN_ENDING;
	if (ends)
		tern_life_end(lcore, agent); /* its slot may be another's by now */
	if (ends || tern_roaming_leave(lcore, agent)) {
		lcore->hand.agent = NULL;
		return 0;
	}
	unsigned budget = tern_roaming_fetch(lcore, agent, tern_ready_budget(lcore, agent));
	if (agent->status != TERN_PAUSED)
		handled = run_measured(lcore, agent, budget);
	tern_lcore_put_back(lcore);
	return handled;
}

static unsigned run_pinned(struct tern_lcore *lcore, struct tern_agent *agent)
{
	unsigned handled = 0;
	if (agent->status == TERN_ENDING) {
		tern_life_end(lcore, agent);
	} else if (agent->status == TERN_PAUSED) {
		tern_ready_rest(lcore, agent);
	} else {
		lcore->hand.agent = agent;
		handled = run_measured(lcore, agent, tern_ready_budget(lcore, agent));
		tern_lcore_put_back(lcore);
	}
	return handled;
}

static inline struct tern_agent *next_ready(struct tern_lcore *lcore)
{
	struct tern_agent *agent = NULL;
	if (tern_unlikely(lcore->roaming.any)) {
		tern_roaming_admit(lcore);
		agent = tern_roaming_lifo(lcore);
	}
	return agent ? agent : tern_ready_pop(lcore);
}

static inline bool has_ready(const struct tern_lcore *lcore)
{
	return lcore->ready.count || lcore->ready.waiting.head != TERN_SLOT_NONE ||
	       lcore->roaming.any;
}

static unsigned run_ready(struct tern_lcore *lcore)
{
	unsigned done = 0;
	struct tern_agent *agent;
	if (tern_unlikely(tern_load(&lcore->arrivals.woken) != TERN_SLOT_NONE))
		lcore->roaming.any = true;
	if (!has_ready(lcore))
		return 0;
	lcore->turn.hold &= (uint8_t)~TERN_HOLD_LATE;
	tern_sampler_open_slice(&lcore->sampler, tern_clock_ticks(lcore->clock));
	while (done < TERN_READY_BUDGET && !(lcore->turn.hold & TERN_HOLD_LATE) &&
	       (agent = next_ready(lcore)) != NULL) {
		done += tern_is_roaming(agent) ? run_roaming(lcore, agent)
					       : run_pinned(lcore, agent);
		done++;
		done += drain_express(lcore) + tern_ask_take(lcore);
	}
	return done;
}

static void publish_all(struct tern_lcore *lcore, struct tern_lane_set *set)
{
	for (uint32_t i = 0; i < set->count; i++)
		tern_lane_publish_within(&set->lanes[i], lcore->mail.credit);
}

/* Mailbox memory is short, or was: what lanes may have under way, and whom senders may reach. */
static __attribute__((noinline)) void look_for_memory(struct tern_lcore *lcore)
{
	tern_memory_set_credit(lcore);
	if (lcore->mail.credit == UINT32_MAX) {
		publish_all(lcore, &lcore->lanes.express);
		publish_all(lcore, &lcore->lanes.data);
	}
	tern_inbox_relieve(lcore);
}

/* A thread's place that nobody has taken: what lies in its lanes waits for the next one. */
static bool is_deserted(const void *owner, uint32_t route)
{
	const struct tern_engine *engine = owner;
	uint32_t place = route >> 1;
	return place >= engine->lcore_count &&
	       !tern_load(&engine->attached[place - engine->lcore_count]);
}

/* What an engine with roaming agents costs each turn. */
static unsigned look_after_roaming(struct tern_lcore *lcore, bool idle)
{
	if (lcore->roaming.passage.open ||
	    lcore->roaming.passage.wanted != lcore->roaming.passage.noted) {
		if (tern_unlikely(lcore->net != NULL))
			tern_node_note(lcore);
		tern_passage_look(&lcore->roaming.passage, lcore->out, lcore->roam_route,
				  is_deserted, lcore->engine);
	}
	if (lcore->is_thread)
		return 0;
	unsigned work = idle ? tern_roaming_steal(lcore) : 0;
	tern_reader_quiet(lcore);
	if (tern_load(&lcore->roaming.graves))
		tern_roaming_graves(lcore, false);
	return work;
}

/*
 * What others seldom leave. Acquire pairs with the releases that count news, in make_lane() of
 * lanes.c and in reschedule_lcore() of policy.c: what was left before is found now.
 */
static __attribute__((noinline)) void take_news(struct tern_lcore *lcore)
{
	lcore->lanes.seen = __atomic_load_n(&lcore->arrivals.news, __ATOMIC_ACQUIRE);
	tern_lcore_adopt(lcore);
	if (!tern_reschedule_take(lcore))
		lcore->lanes.seen--; /* to be asked again in the next turn */
}

unsigned tern_lcore_turn(struct tern_lcore *lcore)
{
	tern_store(&lcore->turn.ticks, tern_clock_ticks(lcore->clock));
	tern_sampler_open_slice(&lcore->sampler, lcore->turn.ticks);
	lcore->turn.stamp = (uint32_t)(lcore->turn.ticks >> 4);
	lcore->turn.hold &= (uint8_t)~TERN_HOLD_LATE;
	lcore->turn.wet = false;
	tern_store(&lcore->turn.is_on, true);
	if (tern_unlikely(tern_load(&lcore->arrivals.news) != lcore->lanes.seen))
		take_news(lcore);

	bool is_short = lcore->mail.credit != UINT32_MAX || lcore->mail.shorts.count;
	if (tern_unlikely(lcore->mail.cells.used > lcore->mail.cells.count / 4 || is_short))
		look_for_memory(lcore);

	unsigned work = tern_ask_take(lcore) + tern_fds_take(lcore) + drain_express(lcore);
	work += drain_data(lcore);
	if (tern_unlikely(lcore->net != NULL))
		work += tern_node_receive(lcore);
	work += tern_timers_run(lcore);
	work += run_ready(lcore);
	if (tern_unlikely(lcore->pending.finishing.count != 0))
		work += tern_finish_check(lcore);
	if (tern_unlikely(tern_waiters_any(&lcore->waiters)))
		work += tern_waiters_look(lcore);
	if (tern_unlikely(lcore->guard.preempt.started) && work == 0)
		tern_preempt_stop(&lcore->guard.preempt);
	if (tern_unlikely(tern_load(&lcore->engine->roaming)))
		work += look_after_roaming(lcore, work == 0);
	if (tern_unlikely(tern_load(&lcore->engine->leaving) && !lcore->is_thread))
		work += tern_threads_see_off(lcore->engine);
	/* Full chains at once, others when there is time, and now and then when there never is. */
	bool pause = work == 0 || lcore->stats.turns % 64 == 0;
	work += tern_lcore_flush(lcore, pause);
	if (tern_unlikely(lcore->net != NULL))
		tern_node_flush(lcore);
	if (pause && !lcore->is_thread)
		tern_reader_quiet(lcore);
	tern_store(&lcore->turn.is_on, false);

	tern_count(work ? &lcore->stats.turns : &lcore->stats.idle_turns, 1);
	return work;
}

/* The fault point lies in this frame, which is there as long as the turn is. */
static unsigned guarded_turn(struct tern_lcore *lcore)
{
	if (TERN_FAULT_POINT(lcore->guard.scope)) {
		tern_fault_arm(lcore->guard.scope, &lcore->engine->texts, NULL, NULL);
		tern_recover_from(lcore);
		tern_fault_disarm(lcore->guard.scope);
		tern_store(&lcore->turn.is_on, false);
		return 1;
	}
	tern_fault_arm(lcore->guard.scope, &lcore->engine->texts, NULL, NULL);
	unsigned work = tern_lcore_turn(lcore);
	tern_fault_disarm(lcore->guard.scope);
	return work;
}

unsigned tern_lcore_turn_polled(struct tern_lcore *lcore)
{
	/* Not from a function of its own: no agent is entered twice. */
	if (lcore->turn.is_on)
		return 0;
	if (!tern_recover_here(lcore)) {
		/* The scope may be another thread's, which polls another lcore meanwhile. */
		lcore->guard.scope = &lcore->guard.own;
		return tern_lcore_turn(lcore);
	}
	struct tern_fault_scope *before = tern_fault_use(lcore->guard.scope);
	unsigned work = guarded_turn(lcore);
	tern_fault_use(before);
	return work;
}

static void end_guarded(struct tern_lcore *lcore)
{
	if (TERN_FAULT_POINT(lcore->guard.scope)) {
		tern_fault_arm(lcore->guard.scope, &lcore->engine->texts, NULL, NULL);
		tern_recover_from(lcore);
	}
	tern_fault_arm(lcore->guard.scope, &lcore->engine->texts, NULL, NULL);
	tern_lcore_end_agents(lcore);
	tern_fault_disarm(lcore->guard.scope);
}

void tern_lcore_end_polled(struct tern_lcore *lcore)
{
	if (!tern_recover_here(lcore)) {
		tern_lcore_end_agents(lcore);
		return;
	}
	struct tern_fault_scope *before = tern_fault_use(lcore->guard.scope);
	end_guarded(lcore);
	tern_fault_use(before);
}
