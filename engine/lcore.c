/* SPDX-License-Identifier: Apache-2.0 */
#include "lcore.h"

#include <errno.h>
#include <rte_pause.h>
#include <sys/prctl.h>
#include <time.h>

#include "ask.h"
#include "engine.h"
#include "life.h"

/* What a lane's slot must not be to run in place, in the word of generation and kind. */
#define NOT_IN_PLACE ((TERN_KIND_TRACED | TERN_KIND_RETURNED) << 24)

/* Look at the clock: often while handlers are long, seldom while they are short. */
static void check_slice(struct tern_lcore *lcore)
{
	uint64_t now = tern_clock_ticks(lcore->clock);
	if (now - lcore->slice_start > lcore->slice_ticks) {
		lcore->late = true;
		lcore->check_every = 1;
	} else if (lcore->check_every < TERN_CHECK_EVERY_MAX) {
		lcore->check_every *= 2;
	}
	lcore->check_left = lcore->check_every;
}

static inline bool runs_in_place(const struct tern_lcore *lcore, const struct tern_agent *agent,
				 uint32_t word)
{
	uint32_t differs = (word ^ (uint32_t)agent->address) & TERN_ADDRESS_GENERATION_MASK;
	return (differs | (word & NOT_IN_PLACE) | agent->status | lcore->late) == 0;
}

/* The fast path of everything: a signal handled on the lane's own slot. */
static inline void run_in_place(struct tern_lcore *lcore, struct tern_agent *agent,
				struct tern_signal *signal, uint32_t word)
{
	tern_store(&lcore->running, signal->to_slot);
	tern_count(&agent->signals_in, 1);
	agent->handler(agent, agent->state, signal);
	if (tern_unlikely((word >> 24 & TERN_KIND_MASK) >= TERN_KIND_ISO))
		tern_signal_discard(lcore, signal);
	if (--lcore->check_left == 0)
		check_slice(lcore);
}

/*
 * Take up to a burst from one lane. The position moves before the handler runs, because a
 * handler that floods its own lcore drains this same lane (tern_lcore_spill).
 */
static unsigned drain_lane(struct tern_lcore *lcore, struct tern_lane_in *in)
{
	unsigned taken = 0, in_place = 0;
	struct tern_signal *signal;
	while (taken < TERN_LANE_BURST && (signal = tern_lane_peek(in)) != NULL) {
		struct tern_agent *agent = &lcore->agents[signal->to_slot];
		uint32_t word = tern_slot_word(signal);
		tern_lane_next(in);
		in->in_place = true;
		if (tern_likely(runs_in_place(lcore, agent, word))) {
			run_in_place(lcore, agent, signal, word);
			in_place++;
		} else if (!tern_life_deliver(lcore, signal, false)) {
			tern_lane_back(in);
			break;
		} else if (--lcore->check_left == 0) {
			check_slice(lcore);
		}
		taken++;
	}
	in->in_place = false;
	if (taken == 0)
		return 0;
	tern_lane_publish(in);
	tern_count(&lcore->stats.in_place, in_place);
	tern_count(&lcore->stats.handled, in_place);
	tern_lcore_settle(lcore, in_place);
	return taken;
}

static inline unsigned drain_set(struct tern_lcore *lcore, struct tern_lane_set *set)
{
	unsigned taken = 0;
	for (uint32_t i = 0; i < set->count; i++)
		taken += drain_lane(lcore, &set->lanes[i]);
	return taken;
}

/* Run an agent's mailbox: what was in it now, not what it sends itself meanwhile. */
static unsigned run_agent(struct tern_lcore *lcore, struct tern_agent *agent, unsigned budget)
{
	struct tern_signal signal;
	unsigned handled = 0;
	if (agent->status == TERN_NEW)
		tern_life_start(lcore, agent);
	tern_policy_tell(lcore, agent);
	if (agent->mailbox.queued < budget)
		budget = agent->mailbox.queued;
	while (handled < budget && agent->mailbox.queued && agent->status != TERN_ENDING &&
	       !lcore->late) {
		tern_policy_take(lcore, agent, &signal);
		tern_life_handle(lcore, agent, &signal);
		handled++;
		if (--lcore->check_left == 0)
			check_slice(lcore);
	}
	tern_policy_tell(lcore, agent);
	if (agent->mailbox.queued)
		tern_ready_push(lcore, agent);
	else if (agent->status == TERN_READY && !(agent->flags & TERN_AGENT_LISTED))
		agent->status = TERN_IDLE;
	return handled + 1;
}

static unsigned run_ready(struct tern_lcore *lcore)
{
	unsigned done = 0;
	struct tern_agent *agent;
	if (lcore->ready_head == TERN_SLOT_NONE)
		return 0;
	lcore->late = false;
	lcore->slice_start = tern_clock_ticks(lcore->clock);
	while (done < TERN_READY_BUDGET && !lcore->late &&
	       (agent = tern_ready_pop(lcore)) != NULL) {
		if (agent->status == TERN_ENDING)
			tern_life_end(lcore, agent);
		else
			done += run_agent(lcore, agent, TERN_READY_BUDGET - done);
		done++;
		done += drain_set(lcore, &lcore->express) + tern_ask_take(lcore);
	}
	return done;
}

void tern_lcore_adopt(struct tern_lcore *lcore)
{
	lcore->lanes_seen = __atomic_load_n(&lcore->lanes_made, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < 2 * lcore->engine->system_count; i++) {
		struct tern_lane *lane = __atomic_load_n(&lcore->inbound[i], __ATOMIC_ACQUIRE);
		if (!lane || lcore->inbound_open[i])
			continue;
		struct tern_lane_set *set = i & 1 ? &lcore->express : &lcore->data;
		lcore->inbound_open[i] = true;
		if (i >> 1 == lcore->index)
			lcore->self_lane[i & 1] = set->count;
		tern_lane_open_in(lane, &set->lanes[set->count++]);
	}
}

unsigned tern_lcore_poll(struct tern_lcore *lcore)
{
	lcore->turn_ticks = tern_clock_ticks(lcore->clock);
	lcore->slice_start = lcore->turn_ticks;
	lcore->turn_stamp = (uint32_t)(lcore->turn_ticks >> 4);
	lcore->late = false;
	lcore->in_turn = true;
	if (tern_unlikely(tern_load(&lcore->lanes_made) != lcore->lanes_seen))
		tern_lcore_adopt(lcore);

	unsigned work = tern_ask_take(lcore) + drain_set(lcore, &lcore->express);
	work += drain_set(lcore, &lcore->data);
	work += tern_timers_run(lcore);
	work += run_ready(lcore);
	/* Full chains at once, others when there is time, and now and then when there never is. */
	work += tern_lcore_flush(lcore, work == 0 || lcore->stats.turns % 64 == 0);
	lcore->in_turn = false;

	tern_count(work ? &lcore->stats.turns : &lcore->stats.idle_turns, 1);
	return work;
}

static struct tern_lane_in *self_lane(struct tern_lcore *lcore, bool express)
{
	struct tern_lane_set *set = express ? &lcore->express : &lcore->data;
	return &set->lanes[lcore->self_lane[express]];
}

static struct tern_lane *take_lane(struct tern_lcore *lcore, uint32_t route)
{
	uint32_t depth = tern_layout_depth(lcore->engine, lcore->index, route);
	struct tern_lane *lane =
		tern_span_take(&lcore->lane_span, tern_lane_bytes(depth), TERN_LINE);
	if (!lane)
		return NULL;
	tern_lane_init(lane, depth);
	tern_count(&lcore->lane_bytes, tern_lane_bytes(depth));
	return lane;
}

/* A handler stands on a slot of this lane, which must stay as it is: go on in other memory. */
static void change_lane(struct tern_lcore *lcore, struct tern_lane_in *in, bool express)
{
	struct tern_lane *stands_on = in->lane;
	struct tern_lane *lane = lcore->spare[express];
	if (!lane)
		lane = take_lane(lcore, 2 * lcore->index + express);
	if (!lane)
		return;
	lcore->spare[express] = stands_on;
	tern_lane_move(&lcore->out[2 * lcore->index + express], in, lane);
	in->in_place = false;
}

void tern_lcore_spill(struct tern_lcore *lcore, bool express)
{
	struct tern_lane_in *in = self_lane(lcore, express);
	struct tern_signal *signal;
	while ((signal = tern_lane_peek(in)) != NULL && tern_life_deliver(lcore, signal, true))
		tern_lane_next(in);
	if (!in->in_place)
		tern_lane_publish(in);
	else if (!signal)
		change_lane(lcore, in, express);
}

static bool make_lane(struct tern_lcore *lcore, uint32_t route)
{
	struct tern_engine *engine = lcore->engine;
	struct tern_lcore *target = &engine->lcores[route >> 1];
	struct tern_lane *lane = take_lane(lcore, route);
	if (!lane)
		return false;
	tern_lane_open_out(lane, &lcore->out[route]);
	__atomic_store_n(&target->inbound[2 * lcore->index + (route & 1)], lane, __ATOMIC_RELEASE);
	__atomic_fetch_add(&target->lanes_made, 1, __ATOMIC_RELEASE);
	if (target == lcore)
		tern_lcore_adopt(lcore);
	return true;
}

bool tern_lcore_has_room(struct tern_lcore *lcore, uint32_t route)
{
	struct tern_lane_out *out = &lcore->out[route];
	if (!out->lane)
		return make_lane(lcore, route);
	return !tern_lane_spent(out) || tern_lane_refresh(out);
}

bool tern_lcore_make_room(struct tern_lcore *lcore, uint32_t route)
{
	if (tern_lcore_has_room(lcore, route))
		return true;
	if (route >> 1 != lcore->index || !lcore->out[route].lane)
		return false;
	tern_lcore_spill(lcore, route & 1);
	return tern_lane_refresh(&lcore->out[route]);
}

void tern_control_handle(struct tern_agent *self, void *state, struct tern_signal *signal)
{
	struct tern_lcore *lcore = self->lcore;
	/* By size, too: a timer of a wrong type is no chain of blocks. */
	if (signal->type != TERN_CONTROL_BLOCKS || signal->kind != sizeof(uint64_t)) {
		if (lcore->behaviour) {
			lcore->behaviour->handler(self, state, signal);
			return;
		}
		tern_count(&lcore->own_handled, 1);
		tern_count(&lcore->stats.lost, 1);
		return;
	}
	tern_count(&lcore->own_handled, 1);
	tern_heap_collect(&lcore->heap, (struct tern_block *)(uintptr_t)signal->payload.words[0]);
}

static void sleep_ns(struct tern_lcore *lcore, uint64_t ns)
{
	struct timespec span = {.tv_nsec = (long)ns};
	uint64_t before = tern_clock_ns(lcore->clock);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
	uint64_t took = tern_clock_ns(lcore->clock) - before;
	tern_count(&lcore->stats.sleeps, 1);
	tern_count(&lcore->oversleep_ns, took > ns ? took - ns : 0);
}

/*
 * Nothing to do, `idle` turns running. Sleeping needs no wake-up from senders, so that sending
 * stays free of system calls: it doubles up to idle_sleep_us_max, which bounds the delay, and
 * never goes past the next timer.
 */
static void lcore_idle(struct tern_lcore *lcore, uint64_t idle)
{
	const struct tern_config *config = &lcore->engine->config;
	if (config->idle == TERN_IDLE_SPIN)
		return;
	rte_pause();
	if (config->idle == TERN_IDLE_PAUSE || idle < TERN_IDLE_SPINS)
		return;
	uint64_t due = tern_wheel_next(&lcore->wheel), now = lcore->turn_ticks;
	uint64_t due_ns = due > now ? tern_clock_to_ns(lcore->clock, due - now) : 0;
	uint64_t doublings = (idle - TERN_IDLE_SPINS) / TERN_IDLE_SLEEPS_EACH;
	uint64_t ns_max = config->idle_sleep_us_max * 1000ull;
	uint64_t ns = doublings < 10 ? 1000ull << doublings : ns_max;
	ns = ns < ns_max ? ns : ns_max;
	if (due_ns >= TERN_IDLE_SLEEP_NS_MIN)
		sleep_ns(lcore, ns < due_ns ? ns : due_ns);
}

void *tern_lcore_main(void *argument)
{
	struct tern_lcore *lcore = argument;
	uint64_t idle = 0;
	/* The default lets the kernel add 50 us to each sleep. */
	prctl(PR_SET_TIMERSLACK, 1ul);
	while (tern_engine_state(lcore->engine) != TERN_ENGINE_ENDING) {
		if (tern_lcore_poll(lcore))
			idle = 0;
		else
			lcore_idle(lcore, ++idle);
	}
	tern_lcore_end_agents(lcore);
	return NULL;
}

void tern_lcore_end_agents(struct tern_lcore *lcore)
{
	uint32_t cursor = tern_load(&lcore->engine->slot_cursor);
	uint32_t slots = cursor < lcore->slots ? cursor : lcore->slots;
	while (tern_ready_pop(lcore))
		;
	for (uint32_t i = lcore->engine->system_count; i < slots; i++) {
		struct tern_agent *agent = &lcore->agents[i];
		uint64_t entry = __atomic_load_n(&lcore->directory[i], __ATOMIC_ACQUIRE);
		if (!tern_dir_inhabited(entry) || tern_dir_route(entry) >> 1 != lcore->index)
			continue;
		if (agent->status != TERN_ENDING)
			tern_life_ask_end(lcore, agent, TERN_END_SHUTDOWN, 0);
		tern_life_end(lcore, agent);
	}
}
