/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The end of an engine, on the thread that stops it: let it drain, let the lcores end their agents,
 * give up those that do not come back, sweep up and report. What it waits for is always an lcore
 * that calls functions of agents, so each wait has an end; what belongs to an lcore that was given
 * up is only looked at from then on.
 */
#include "stop.h"

#include <errno.h>
#include <time.h>

#include "engine/agent/life.h"
#include "engine/agent/watch.h"
#include "engine/inspect/inspect.h"
#include "engine/lcore/poller.h"
#include "engine/mail/bounce.h"
#include "engine/mail/inbox.h"
#include "engine/node/node.h"
#include "engine/observer/observer.h"
#include "engine/turn/lcore_turn.h"
#include "engine/turn/rooms.h"

#define POLLED_STEP_NS 1000u
#define NAP_NS 50000
/* What an lcore has for each function of an agent while it ends them, at least. */
#define GRACE_NS_MIN 1000000000ull
/* No further than time goes, ten times over. */
#define GRACE_NS_MAX (UINT64_MAX / 16)
/* All that it has for all of them, in graces. */
#define GRACES_MAX 10u
/* A function that returns so soon after its lcore was given up leaves no thread behind. */
#define LAST_CALL_NS 100000000ull

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

/* Of threads, whatever the clock of their engine is. */
static uint64_t real_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/*
 * Whether every accepted signal is settled. Reading all `settled` before all `accepted` makes an
 * equality true at the moment between: a handler's sends are accepted before it settles.
 */
static bool is_quiet(const struct tern_engine *engine)
{
	uint64_t settled = 0, accepted = 0;
	for (uint32_t i = 0; i < engine->system_count; i++)
		settled += __atomic_load_n(&engine->lcores[i].signals.settled, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < engine->system_count; i++)
		accepted += __atomic_load_n(&engine->lcores[i].signals.accepted, __ATOMIC_ACQUIRE);
	return settled == accepted;
}

static uint64_t poll_range(struct tern_engine *engine, uint32_t from, uint32_t to)
{
	uint64_t work = 0;
	for (uint32_t i = from; i < to; i++) {
		struct tern_lcore *lcore = &engine->lcores[i];
		work += i < engine->lcore_count ? tern_lcore_poll(lcore)
						: tern_thread_poll(&engine->agents[i]);
	}
	return work;
}

/* One step of a stop: what nobody else polls, or a short sleep. Virtual time always moves. */
static void drain_step(struct tern_engine *engine)
{
	bool polled = engine->config.mode == TERN_MODE_POLLED;
	uint64_t work = poll_range(engine, polled ? 0 : engine->lcore_count, engine->system_count);
	if (engine->clock.is_virtual)
		tern_clock_advance(&engine->clock, POLLED_STEP_NS);
	else if (!work && !polled)
		nap();
}

static bool drain_engine(struct tern_engine *engine, uint64_t timeout_ns)
{
	uint64_t deadline = tern_clock_deadline(&engine->clock, timeout_ns);
	while (!is_quiet(engine)) {
		if (tern_clock_ns(&engine->clock) >= deadline)
			return false;
		drain_step(engine);
	}
	return true;
}

static uint32_t phase_of(const struct tern_lcore *lcore)
{
	return __atomic_load_n(&lcore->loop.phase, __ATOMIC_ACQUIRE);
}

/* Given up by now, or with its thread as far as it is to come. */
static bool has_come(const struct tern_lcore *lcore, uint32_t phase)
{
	return tern_load(&lcore->turn.gone) || phase_of(lcore) >= phase;
}

/* Something that changes whenever a function returns to the lcore. */
static uint64_t moves_of(const struct tern_lcore *lcore)
{
	uint64_t running = tern_load(&lcore->turn.running);
	return tern_load(&lcore->signals.settled) + tern_load(&lcore->stats.turns) +
	       tern_load(&lcore->stats.idle_turns) + tern_load(&lcore->stats.agents_ended) +
	       tern_load(&lcore->agents[running].signals_in) + (running << 32);
}

/* What was seen of an lcore, and since when it has not moved. */
struct look {
	uint64_t moves;
	uint64_t since_ns;
};

static bool stands_still(const struct tern_lcore *lcore, struct look *look, uint64_t now,
			 uint64_t grace_ns)
{
	uint64_t moves = moves_of(lcore);
	if (look->since_ns == 0 || moves != look->moves)
		*look = (struct look){.moves = moves, .since_ns = now};
	return now - look->since_ns >= grace_ns;
}

/* Wait until all threads have come so far, or those that have not will hardly do. */
static void await_threads(const struct tern_engine *engine, uint32_t phase, uint64_t grace_ns)
{
	struct look looks[TERN_LCORES_MAX] = {0};
	uint64_t now = real_ns(), end = now + GRACES_MAX * grace_ns;
	for (;;) {
		uint32_t behind = 0, hopeless = 0;
		for (uint32_t i = 0; i < engine->threads_started; i++) {
			const struct tern_lcore *lcore = &engine->lcores[i];
			if (has_come(lcore, phase))
				continue;
			behind++;
			hopeless += stands_still(lcore, &looks[i], now, grace_ns);
		}
		if (hopeless == behind || now >= end)
			return;
		nap();
		now = real_ns();
	}
}

/*
 * The one thing that a signal run in place looks at. The lcore's own changes leave this bit alone,
 * and while one of its functions runs it makes none, so a plain byte of its own would do no better;
 * a change that it makes just now may undo this one, which is why it is done again and again.
 */
static TERN_HIDDEN void hold_in_place(struct tern_lcore *lcore)
{
	__atomic_fetch_or(&lcore->turn.hold, TERN_HOLD_GONE, __ATOMIC_RELAXED);
}

static uint32_t last_call(struct tern_engine *engine, uint32_t phase)
{
	uint32_t out = 0;
	for (uint32_t i = 0; i < engine->threads_started; i++) {
		struct tern_lcore *lcore = &engine->lcores[i];
		if (!has_come(lcore, phase))
			tern_store(&lcore->turn.gone, true);
		if (!tern_load(&lcore->turn.gone) || phase_of(lcore) >= TERN_PHASE_LOST)
			continue;
		hold_in_place(lcore);
		out++;
	}
	return out;
}

/* From here on the lcore's thread holds the engine's memory, unless it has just left. */
static void lose_lcore(struct tern_engine *engine, struct tern_lcore *lcore)
{
	uint32_t phase = phase_of(lcore);
	__atomic_fetch_add(&engine->holders, 1, __ATOMIC_RELAXED);
	while (phase < TERN_PHASE_LOST)
		if (__atomic_compare_exchange_n(&lcore->loop.phase, &phase, TERN_PHASE_LOST, false,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			pthread_detach(engine->threads[lcore->index]);
			return;
		}
	__atomic_fetch_sub(&engine->holders, 1, __ATOMIC_RELAXED);
}

static void name_stuck(const struct tern_engine *engine, const struct tern_lcore *lcore,
		       struct tern_stop_report *report)
{
	uint32_t slot = tern_load(&lcore->turn.running);
	struct tern_stuck stuck = {.lcore = lcore->index, .name = "engine"};
	if (slot >= engine->system_count) {
		stuck.agent = tern_load(&engine->agents[slot].address);
		tern_agent_label(&engine->agents[slot], stuck.name);
	}
	if (report->stuck < TERN_STOP_STUCK_MAX)
		report->stuck_list[report->stuck] = stuck;
	report->stuck++;
	tern_log_write(&engine->log, TERN_LOG_ERROR, "agent does not return",
		       "agent=\"%s\" slot=%u lcore=%u", stuck.name, slot, stuck.lcore);
}

/* Who has not come so far. Named last: until then another of its functions may be the one. */
static void give_up(struct tern_engine *engine, uint32_t phase, struct tern_stop_report *report)
{
	bool before[TERN_LCORES_MAX];
	uint64_t end = real_ns() + LAST_CALL_NS;
	for (uint32_t i = 0; i < engine->threads_started; i++)
		before[i] = tern_load(&engine->lcores[i].turn.gone);
	while (last_call(engine, phase) && real_ns() < end)
		nap();
	for (uint32_t i = 0; i < engine->threads_started; i++) {
		struct tern_lcore *lcore = &engine->lcores[i];
		if (before[i] || !tern_load(&lcore->turn.gone))
			continue;
		name_stuck(engine, lcore, report);
		lose_lcore(engine, lcore);
	}
}

/* The first that was not given up. Without any, nobody ends what roamed. */
static uint32_t first_left(const struct tern_engine *engine)
{
	uint32_t heir = 0;
	while (heir < engine->lcore_count && tern_load(&engine->lcores[heir].turn.gone))
		heir++;
	return heir;
}

/* Release pairs with the acquire in loop.c: who is told finds what each lcore left. */
static void close_all(struct tern_engine *engine, uint32_t heir)
{
	tern_store(&engine->heir, heir);
	__atomic_store_n(&engine->closed, true, __ATOMIC_RELEASE);
}

static void join_left(struct tern_engine *engine)
{
	for (uint32_t i = 0; i < engine->threads_started; i++)
		if (phase_of(&engine->lcores[i]) != TERN_PHASE_LOST)
			pthread_join(engine->threads[i], NULL);
}

void tern_engine_join(struct tern_engine *engine)
{
	tern_engine_set_state(engine, TERN_ENGINE_ENDING);
	close_all(engine, 0);
	tern_observer_stop(engine);
	tern_inspect_stop(engine);
	join_left(engine);
}

/* Pinned agents first; those that roam when no lcore can take one any more. */
static void end_threads(struct tern_engine *engine, uint64_t timeout_ns,
			struct tern_stop_report *report)
{
	uint64_t grace_ns = timeout_ns > GRACE_NS_MIN ? timeout_ns : GRACE_NS_MIN;
	grace_ns = grace_ns < GRACE_NS_MAX ? grace_ns : GRACE_NS_MAX;
	await_threads(engine, TERN_PHASE_CLOSED, grace_ns);
	give_up(engine, TERN_PHASE_CLOSED, report);
	close_all(engine, first_left(engine));
	await_threads(engine, TERN_PHASE_LEFT, grace_ns);
	give_up(engine, TERN_PHASE_LEFT, report);
	join_left(engine);
}

static void end_polled(struct tern_engine *engine)
{
	close_all(engine, 0);
	for (uint32_t i = 0; i < engine->lcore_count; i++) {
		struct tern_lcore *lcore = &engine->lcores[i];
		bool polls = tern_poll_begin(&lcore->loop.polled_by);
		tern_lcore_end_polled(lcore);
		if (polls)
			tern_poll_end(&lcore->loop.polled_by);
	}
}

static void sweep_mailbox(struct tern_lcore *lcore, struct tern_mailbox *mailbox)
{
	struct tern_signal *signal;
	while ((signal = tern_mailbox_front(&lcore->mail.cells, mailbox)) != NULL) {
		tern_engine_undelivered(lcore, signal);
		tern_mailbox_pop(&lcore->mail.cells, mailbox);
	}
}

/* Its thread is gone: what is left in lanes and outboxes, and blocks on their way home. */
static void sweep_lcore(struct tern_engine *engine, struct tern_lcore *lcore)
{
	struct tern_lane_set *sets[] = {&lcore->lanes.express, &lcore->lanes.data};
	struct tern_signal *signal;
	tern_lcore_adopt(lcore);
	for (int s = 0; s < 2; s++)
		for (uint32_t i = 0; i < sets[s]->count; i++)
			while ((signal = tern_lane_peek(&sets[s]->lanes[i])) != NULL) {
				tern_lane_next(&sets[s]->lanes[i]);
				tern_engine_undelivered(lcore, signal);
			}
	for (uint32_t route = 0; route < engine->roam_route; route++) {
		sweep_mailbox(lcore, &lcore->outboxes.returns[route]);
		while (lcore->outboxes.ends[route].first)
			tern_iso_drop(&lcore->heap,
				      tern_notes_pop(&lcore->outboxes.ends[route])->iso);
	}
	tern_watch_forget(lcore, &engine->agents[lcore->index]);
	sweep_mailbox(lcore, &engine->agents[lcore->index].mailbox);
}

/*
 * Where an lcore that was given up is with the lane of a route, as a copy. It does not move while
 * its function does not return; one that sends to its own lcore may, and then it is a guess.
 */
static TERN_HIDDEN struct tern_lane_in glimpse_lane(const struct tern_lcore *lcore, uint32_t route,
						    struct tern_lane *lane)
{
	const struct tern_lane_set *set = route & 1 ? &lcore->lanes.express : &lcore->lanes.data;
	for (uint32_t i = 0; i < set->count; i++)
		if (set->lanes[i].lane == lane)
			return set->lanes[i];
	return (struct tern_lane_in){
		.slots = lane->slots, .lane = lane, .mask = lane->depth - 1, .lap = 1};
}

static void count_lane(struct tern_engine *engine, struct tern_lane_in in)
{
	const struct tern_signal *signal;
	for (uint32_t left = in.mask + 1; left && (signal = tern_lane_peek(&in)) != NULL; left--) {
		if (signal->type <= TERN_TYPE_MAX)
			tern_engine_list_undelivered(engine, signal);
		tern_lane_next(&in);
	}
}

/* What lies in the lanes to an lcore that was given up; its own outboxes it alone can read. */
static void count_lanes(struct tern_engine *engine, const struct tern_lcore *lcore)
{
	for (uint32_t route = 0; route < 2 * engine->system_count; route++) {
		struct tern_lane *lane =
			__atomic_load_n(&lcore->arrivals.lanes[route], __ATOMIC_ACQUIRE);
		if (lane)
			count_lane(engine, glimpse_lane(lcore, route, lane));
	}
}

/* Whoever still lives is an agent that nobody could end. */
static void count_agents(struct tern_engine *engine, struct tern_stop_report *report)
{
	uint32_t slots = tern_slots_used(engine);
	for (uint32_t slot = engine->system_count; slot < slots; slot++) {
		uint64_t entry = __atomic_load_n(&engine->directory[slot], __ATOMIC_ACQUIRE);
		const struct tern_room *room = tern_load(&engine->rooms[slot]);
		if (!tern_dir_inhabited(entry))
			continue;
		report->agents_lost++;
		report->undelivered += tern_inbox_count(&engine->agents[slot], room);
	}
}

static void sweep_all(struct tern_engine *engine, struct tern_stop_report *report)
{
	for (uint32_t i = 0; i < engine->lcore_count; i++)
		if (!tern_load(&engine->lcores[i].turn.gone))
			tern_roaming_graves(&engine->lcores[i], true);
	for (uint32_t i = 0; i < engine->system_count; i++) {
		struct tern_lcore *lcore = &engine->lcores[i];
		if (tern_load(&lcore->turn.gone)) {
			count_lanes(engine, lcore);
			continue;
		}
		sweep_lcore(engine, lcore);
		tern_watch_drop(lcore, &lcore->attached.ends);
	}
	if (report->stuck)
		count_agents(engine, report);
}

static void collect_blocks(struct tern_engine *engine)
{
	for (uint32_t i = 0; i < engine->system_count; i++)
		if (!tern_load(&engine->lcores[i].turn.gone))
			tern_heap_settle(&engine->lcores[i].heap);
	for (uint32_t i = 0; i < engine->system_count; i++)
		for (uint32_t to = 0; to < engine->system_count; to++)
			if (!tern_load(&engine->lcores[i].turn.gone) &&
			    !tern_load(&engine->lcores[to].turn.gone))
				tern_heap_collect(&engine->lcores[to].heap,
						  engine->lcores[i].heap.away[to].first);
}

static uint64_t count_ended(const struct tern_engine *engine)
{
	uint64_t ended = 0;
	for (uint32_t i = 0; i < engine->system_count; i++)
		ended += tern_load(&engine->lcores[i].stats.agents_ended);
	return ended;
}

static void fill_report(const struct tern_engine *engine, uint64_t ended_before,
			struct tern_stop_report *report)
{
	for (uint32_t i = 0; i < engine->system_count; i++)
		report->blocks_leaked += tern_load(&engine->lcores[i].heap.in_use);
	report->agents_ended = count_ended(engine) - ended_before;
	uint64_t listed = tern_load(&engine->undelivered);
	/* Beside what was counted of mailboxes of lost agents, of which only the number is known.
	 */
	report->undelivered += listed;
	report->listed = listed < TERN_STOP_LIST_MAX ? (uint32_t)listed : TERN_STOP_LIST_MAX;
	memcpy(report->list, engine->undelivered_list, sizeof(report->list));
}

static void log_stop(const struct tern_engine *engine, const struct tern_stop_report *report)
{
	bool clean = report->drained && report->blocks_leaked == 0 && report->stuck == 0;
	tern_log_write(&engine->log, clean ? TERN_LOG_DEBUG : TERN_LOG_WARN, "engine stopped",
		       "drained=%d undelivered=%llu blocks_leaked=%llu agents_ended=%llu "
		       "agents_lost=%llu lcores_lost=%u",
		       report->drained, (unsigned long long)report->undelivered,
		       (unsigned long long)report->blocks_leaked,
		       (unsigned long long)report->agents_ended,
		       (unsigned long long)report->agents_lost, report->stuck);
}

/* Whether this thread runs a function of an agent, or of a thread's behaviour, on this engine. */
static bool is_within(const struct tern_engine *engine)
{
	for (uint32_t i = 0; i < engine->system_count; i++)
		if (tern_poll_is_own(&engine->lcores[i].loop.polled_by))
			return true;
	return false;
}

static int begin_stop(struct tern_engine *engine)
{
	uint32_t running = TERN_ENGINE_RUNNING;
	if (tern_engine_is_foreign(engine))
		return -ECHILD;
	if (is_within(engine))
		return -EDEADLK;
	return __atomic_compare_exchange_n(engine->state, &running, TERN_ENGINE_DRAINING, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)
		       ? 0
		       : -EALREADY;
}

int tern_engine_stop(struct tern_engine *engine, uint64_t timeout_ns,
		     struct tern_stop_report *report)
{
	struct tern_stop_report unread;
	int code = begin_stop(engine);
	if (code != 0)
		return code;
	if (!report)
		report = &unread;
	*report = (struct tern_stop_report){.drained = drain_engine(engine, timeout_ns)};
	uint64_t ended_before = count_ended(engine);
	tern_engine_set_state(engine, TERN_ENGINE_ENDING);
	tern_observer_stop(engine);
	tern_inspect_stop(engine);
	if (engine->config.mode == TERN_MODE_POLLED)
		end_polled(engine);
	else
		end_threads(engine, timeout_ns, report);
	tern_node_stop(engine);
	sweep_all(engine, report);
	collect_blocks(engine);
	fill_report(engine, ended_before, report);
	log_stop(engine, report);
	tern_observer_close(engine);
	tern_inspect_free(engine);
	code = report->drained && report->stuck == 0 ? 0 : -ETIMEDOUT;
	tern_engine_let_go(engine);
	return code;
}
