/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a fault in an agent's own text ends that agent, once, with what happened in on_error;
 * nothing else of the lcore is lost: signals of others on the same lane, blocks in hand or queued,
 * descriptors, permits, and the sums of the counters.
 * Method: agents that fault in each of their functions, in each way; neighbours that count; the
 * world's end insists that all is drained and no block is left.
 */
#include <sys/eventfd.h>

#include "tests/unit/engine/faulty.h"

enum { PLAIN = 1, OTHER, TICK, FAULTS_IN_A_ROW = 100 };

static const char *const texts[FAULTS] = {"Segmentation fault", "Illegal instruction", NULL};

TERN_HANDLER(FAULTY static, fragile_handle)
{
	struct fragile *fragile = state;
	if (tern_signal_has_iso(signal))
		fragile->blocks += *(char *)tern_iso_data(signal->payload.iso) == 'k';
	if (tern_signal_from(signal) == tern_self(self))
		crash_in(fragile, tern_signal_type(signal) == TICK ? IN_TIMER : IN_FD);
	crash_in(fragile, IN_HANDLER);
	if (fragile->place == IN_ERROR)
		tern_fail(self, -EIO, "on purpose");
	note(&fragile->actor.count);
}

AGENT static void fragile_start(struct tern_agent *self, void *state)
{
	struct fragile *fragile = state;
	probe_start(self, state);
	crash_in(fragile, IN_START);
}

AGENT static void fragile_stop(struct tern_agent *self, void *state, enum tern_end why,
			       int64_t result)
{
	struct fragile *fragile = state;
	probe_stop(self, state, why, result);
	crash_in(fragile, IN_STOP);
}

AGENT static void fragile_error(struct tern_agent *self, void *state,
				const struct tern_error *error)
{
	actor_error(self, state, error);
	crash_in(state, IN_ERROR);
}

AGENT static void fragile_event(struct tern_agent *self, void *state,
				const struct tern_event *event)
{
	const enum place places[] = {IN_RETURNED, IN_PRESSURE, IN_ENDED};
	(void)self;
	crash_in(state, places[event->kind]);
}

static const struct tern_behaviour fragile_behaviour = {.name = "fragile",
							.handler = fragile_handle,
							.on_start = fragile_start,
							.on_event = fragile_event,
							.on_stop = fragile_stop,
							.on_error = fragile_error};

static struct fragile *open_fragile(struct world *world, enum place place, enum fault fault,
				    tern_address *agent)
{
	struct fragile *fragile = world_memory(world, sizeof(*fragile));
	fragile->place = place;
	fragile->fault = fault;
	*agent = spawn_on(world->self, 0, &fragile_behaviour, fragile);
	return fragile;
}

static tern_iso *make_block(struct tern_agent *self)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 300);
	if (iso)
		*(char *)tern_iso_data(iso) = 'k';
	return iso;
}

static void send_block(struct world *world, tern_address to)
{
	tern_iso *iso = make_block(world->self);
	assert_non_null(iso);
	iso = tern_signal_iso(world->self, to, PLAIN, iso);
	assert_null(iso);
}

static void assert_failed(struct world *world, const struct fragile *fragile, tern_address agent)
{
	ASSERT_ENDED(world, &fragile->actor, TERN_END_FAILED, -EFAULT);
	assert_int_equal(fragile->actor.errors, 1);
	if (texts[fragile->fault] && !strstr(fragile->actor.error.text, texts[fragile->fault]))
		fail_msg("no \"%s\" in: %s", texts[fragile->fault], fragile->actor.error.text);
	UNTIL(world, !tern_agent_alive(world->self, agent));
}

/* On one lane: a neighbour's numbers, and in between those that fail. */
CONTAINED(faults_in_a_row_disturb_nobody)
{
	struct sink *sink = world_memory(world, sizeof(*sink));
	tern_address neighbour = spawn_on(world->self, 0, &sink_behaviour, sink);
	struct fragile *fragiles[FAULTS_IN_A_ROW];
	tern_address agents[FAULTS_IN_A_ROW];
	uint64_t number = 0;
	for (int i = 0; i < FAULTS_IN_A_ROW; i++)
		fragiles[i] = open_fragile(world, IN_HANDLER, (enum fault)(i % FAULTS), &agents[i]);
	for (int i = 0; i < FAULTS_IN_A_ROW; i++)
		UNTIL(world, seen(&fragiles[i]->actor.probe.started) == 1);
	for (int i = 0; i < FAULTS_IN_A_ROW; i++) {
		send_surely(world, neighbour, PLAIN, number++);
		if (i % 2)
			send_block(world, agents[i]);
		else
			send_surely(world, agents[i], PLAIN, 0);
		send_surely(world, neighbour, PLAIN, number++);
	}
	for (int i = 0; i < FAULTS_IN_A_ROW; i++) {
		assert_failed(world, fragiles[i], agents[i]);
		assert_int_equal(fragiles[i]->actor.count, 0);
	}
	UNTIL(world, seen(&sink->expected) == number);
	assert_int_equal(sink->wrong, 0);
}

/* From the mailbox, with others waiting behind it: those come back. */
CONTAINED(a_fault_from_the_mailbox)
{
	for (int fault = 0; fault < FAULTS; fault++) {
		enum tern_agent_state at = TERN_STATE_NEW;
		tern_address agent;
		struct fragile *fragile =
			open_fragile(world, IN_HANDLER, (enum fault)fault, &agent);
		assert_int_equal(tern_agent_pause(world->self, agent), 0);
		UNTIL(world,
		      tern_agent_state(world->self, agent, &at) == 0 && at == TERN_STATE_PAUSED);
		for (int i = 0; i < 20; i++)
			send_block(world, agent);
		assert_int_equal(tern_agent_resume(world->self, agent), 0);
		assert_failed(world, fragile, agent);
		assert_int_equal(fragile->blocks, 1);
	}
}

TERN_HANDLER(FAULTY static, start_timer)
{
	struct fragile *fragile = state;
	if (tern_signal_type(signal) == PLAIN)
		tern_timer_start(self, &fragile->actor.timer, 1000, 1000, TICK);
	else
		crash_in(fragile, IN_TIMER);
}

CONTAINED(a_fault_in_a_timer)
{
	struct tern_behaviour behaviour = fragile_behaviour;
	behaviour.handler = start_timer;
	struct tern_behaviour *kept = world_memory(world, sizeof(*kept));
	*kept = behaviour;
	for (int i = 0; i < 10; i++) {
		struct fragile *fragile = world_memory(world, sizeof(*fragile));
		fragile->place = IN_TIMER;
		fragile->fault = (enum fault)(i % FAULTS);
		tern_address agent = spawn_on(world->self, 0, kept, fragile);
		send_surely(world, agent, PLAIN, 0);
		assert_failed(world, fragile, agent);
	}
}

CONTAINED(a_fault_in_on_start)
{
	for (int fault = 0; fault < FAULTS; fault++) {
		tern_address agent;
		struct fragile *fragile = open_fragile(world, IN_START, (enum fault)fault, &agent);
		assert_failed(world, fragile, agent);
	}
}

/* Told of its end, it fails: it is not called again, and ends. */
CONTAINED(a_fault_in_on_stop_or_on_error)
{
	for (int fault = 0; fault < FAULTS; fault++) {
		tern_address agents[2];
		struct tern_ended ended;
		struct fragile *stops = open_fragile(world, IN_STOP, (enum fault)fault, &agents[0]);
		struct fragile *errs = open_fragile(world, IN_ERROR, (enum fault)fault, &agents[1]);
		for (int i = 0; i < 2; i++)
			assert_int_equal(tern_watch(world->self, agents[i]), 0);
		assert_int_equal(tern_agent_stop(world->self, agents[0]), 0);
		send_surely(world, agents[1], PLAIN, 0);
		assert_int_equal(tern_wait(world->self, agents[0], PATIENCE_NS, &ended), 0);
		assert_int_equal(ended.why, TERN_END_STOPPED);
		assert_int_equal(ended.result, 0);
		assert_int_equal(tern_wait(world->self, agents[1], PATIENCE_NS, &ended), 0);
		assert_int_equal(ended.why, TERN_END_FAILED);
		assert_int_equal(stops->actor.probe.stopped, 1);
		assert_int_equal(stops->actor.errors, 0);
		assert_int_equal(errs->actor.probe.stopped, 0);
		assert_int_equal(errs->actor.errors, 1);
	}
}

/* Has another lcore's agent stopped and sends a block there, which comes back. */
AGENT static void send_in_vain(struct tern_agent *self, void *state) TERN_OWNS(self);
AGENT static void send_in_vain(struct tern_agent *self, void *state)
{
	struct fragile *fragile = state;
	probe_start(self, state);
	fragile->actor.step = tern_agent_stop(self, fragile->actor.peer) == 0;
	tern_iso *iso = make_block(self);
	iso = tern_signal_iso(self, fragile->actor.peer, PLAIN, iso);
	fragile->actor.step += iso == NULL;
	tern_iso_drop(tern_heap(self), iso);
}

CONTAINED(a_fault_with_a_returned_block)
{
	struct tern_behaviour *kept = world_memory(world, sizeof(*kept));
	*kept = fragile_behaviour;
	kept->on_start = send_in_vain;
	for (int i = 0; i < 10; i++) {
		struct fragile *fragile = world_memory(world, sizeof(*fragile));
		struct probe *probe = world_probes(world, 1);
		fragile->place = IN_RETURNED;
		fragile->actor.peer = spawn_on(world->self, 1, &probe_behaviour, probe);
		world_settle(world);
		tern_address agent = spawn_on(world->self, 0, kept, fragile);
		assert_failed(world, fragile, agent);
		assert_int_equal(fragile->actor.step, 2);
	}
}

/* The one whose function it was fails, not the one that ran before it. */
CONTAINED(a_fault_on_pressure_is_the_pressed_agents)
{
	struct tern_spawn_options options = {.capacity = 10};
	struct probe *probe = world_probes(world, 1);
	struct fragile *fragile = world_memory(world, sizeof(*fragile));
	fragile->place = IN_PRESSURE;
	tern_address agent = spawn_with(world, &fragile_behaviour, fragile, &options);
	tern_address other = spawn_on(world->self, 0, &probe_behaviour, probe);
	world_settle(world);
	assert_int_equal(tern_agent_pause(world->self, agent), 0);
	for (int i = 0; i < 10; i++)
		(void)!send_number(world->self, agent, PLAIN, 0);
	send_surely(world, other, PLAIN, 0);
	UNTIL(world, seen(&probe->handled) == 1);
	assert_int_equal(tern_agent_resume(world->self, agent), 0);
	assert_failed(world, fragile, agent);
	assert_true(tern_agent_alive(world->self, other));
}

AGENT static void watch_peer(struct tern_agent *self, void *state) TERN_OWNS(self);
AGENT static void watch_peer(struct tern_agent *self, void *state)
{
	struct fragile *fragile = state;
	fragile->actor.step = tern_watch(self, fragile->actor.peer) == 0;
	probe_start(self, state);
}

CONTAINED(a_fault_at_the_end_of_another)
{
	struct tern_behaviour *kept = world_memory(world, sizeof(*kept));
	*kept = fragile_behaviour;
	kept->on_start = watch_peer;
	for (uint32_t lcore = 0; lcore < 2; lcore++) {
		struct fragile *fragile = world_memory(world, sizeof(*fragile));
		struct probe *probe = world_probes(world, 1);
		fragile->place = IN_ENDED;
		fragile->actor.peer = spawn_on(world->self, lcore, &probe_behaviour, probe);
		tern_address agent = spawn_on(world->self, 0, kept, fragile);
		UNTIL(world, seen(&fragile->actor.probe.started) == 1);
		assert_int_equal(tern_agent_stop(world->self, fragile->actor.peer), 0);
		assert_failed(world, fragile, agent);
	}
}

TERN_HANDLER(FAULTY static, watch_fd)
{
	struct fragile *fragile = state;
	if (tern_signal_type(signal) == PLAIN)
		fragile->actor.code = tern_watch_fd(self, fragile->actor.fds[0], 1, OTHER);
	else
		crash_in(fragile, IN_FD);
	note(&fragile->actor.count);
}

/* All come ready at once; every other one faults when it is told. */
CONTAINED(a_fault_loses_no_descriptor_of_others)
{
	enum { WATCHERS = 20 };
	struct tern_behaviour *kept = world_memory(world, sizeof(*kept));
	struct fragile *fragiles = world_memory(world, WATCHERS * sizeof(*fragiles));
	tern_address agents[WATCHERS];
	const uint64_t one = 1;
	*kept = fragile_behaviour;
	kept->handler = watch_fd;
	for (int i = 0; i < WATCHERS; i++) {
		fragiles[i].place = i % 2 ? NOWHERE : IN_FD;
		fragiles[i].actor.fds[0] = eventfd(0, EFD_NONBLOCK);
		agents[i] = spawn_on(world->self, 0, kept, &fragiles[i]);
		send_surely(world, agents[i], PLAIN, 0);
		UNTIL(world, seen(&fragiles[i].actor.count) == 1);
		assert_int_equal(fragiles[i].actor.code, 0);
	}
	for (int i = 0; i < WATCHERS; i++)
		assert_int_equal(write(fragiles[i].actor.fds[0], &one, sizeof(one)), sizeof(one));
	for (int i = 0; i < WATCHERS; i++) {
		if (i % 2)
			UNTIL(world, seen(&fragiles[i].actor.count) == 2);
		else
			assert_failed(world, &fragiles[i], agents[i]);
	}
	for (int i = 0; i < WATCHERS; i++)
		close(fragiles[i].actor.fds[0]);
}

/* Each spawns the next on its own lcore, and the last one is stopped before it has run. */
struct elder {
	struct elder *next;
	struct fragile *child;
	tern_address agent;
	int code;
};

static const struct tern_behaviour elder_behaviour;

AGENT static void elder_start(struct tern_agent *self, void *state) TERN_OWNS(self);
AGENT static void elder_start(struct tern_agent *self, void *state)
{
	struct elder *elder = state;
	tern_address agent;
	if (elder->next) {
		elder->code = tern_spawn(self, &elder_behaviour, elder->next, NULL, &agent);
		return;
	}
	elder->code = tern_spawn(self, &fragile_behaviour, elder->child, NULL, &agent);
	elder->code += tern_agent_stop(self, agent);
	put(&elder->agent, agent);
}

TERN_HANDLER(FAULTY static, elder_handle)
{
	(void)self;
	(void)state;
	(void)signal;
}

static const struct tern_behaviour elder_behaviour = {
	.name = "elder", .handler = elder_handle, .on_start = elder_start};

CONTAINED(a_fault_in_on_start_of_a_stopped_agent)
{
	struct elder *elders = world_memory(world, 2 * sizeof(*elders));
	struct fragile *fragile = world_memory(world, sizeof(*fragile));
	fragile->place = IN_START;
	elders[0] = (struct elder){.next = &elders[1]};
	elders[1] = (struct elder){.child = fragile};
	spawn_on(world->self, 0, &elder_behaviour, &elders[0]);
	UNTIL(world, seen(&elders[1].agent));
	UNTIL(world, !tern_agent_alive(world->self, elders[1].agent));
	assert_int_equal(elders[0].code + elders[1].code, 0);
	assert_int_equal(seen(&fragile->actor.probe.started), 1);
	assert_int_equal(seen(&fragile->actor.errors), 1);
	assert_int_equal(seen(&fragile->actor.probe.stopped), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH(faults_in_a_row_disturb_nobody),
		IN_BOTH(a_fault_from_the_mailbox),
		IN_BOTH(a_fault_in_a_timer),
		IN_BOTH(a_fault_in_on_start),
		IN_BOTH(a_fault_in_on_stop_or_on_error),
		IN_POLLED(a_fault_with_a_returned_block),
		IN_BOTH(a_fault_on_pressure_is_the_pressed_agents),
		IN_BOTH(a_fault_at_the_end_of_another),
		IN_BOTH(a_fault_loses_no_descriptor_of_others),
		IN_BOTH(a_fault_in_on_start_of_a_stopped_agent),
	};
	return cmocka_run_group_tests_name("recover", tests, NULL, NULL);
}
