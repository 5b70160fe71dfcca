/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever calls a send may send more to its own lcore than the lane holds: the rest goes
 * to mailboxes, in order, and what the caller is looking at stays as it is.
 * Method: a handler run in place, a handler run from a mailbox, on_start, on_event and a timer
 * each flood a counting agent, by data and by express lane; an agent that is about to end
 * floods itself.
 */
#include "tests/unit/support.h"

enum { DEPTH = 64, FLOOD = 5 * DEPTH, ISO_SIZE = 100 };

enum where { IN_HANDLER, IN_START, IN_EVENT, IN_TIMER };

struct flooder {
	enum where where;
	tern_address sink;
	tern_address dead;
	struct tern_timer timer;
	uint64_t sent;
	uint64_t changed; /* signals whose bytes changed under the handler */
	uint64_t events;
	bool take;
	bool exits;
};

static void flood(struct tern_agent *self, struct flooder *flooder, tern_address to)
{
	for (int i = 0; i < FLOOD; i++)
		if (send_number(self, to, 1, flooder->sent) == 0)
			flooder->sent++;
}

static void check_iso(struct tern_agent *self, struct flooder *flooder, struct tern_signal *signal)
{
	tern_iso *iso = tern_signal_take_iso(signal);
	const unsigned char *bytes = iso ? tern_iso_data(iso) : NULL;
	for (int i = 0; bytes && i < ISO_SIZE; i++)
		flooder->changed += bytes[i] != 0xA5;
	flooder->changed += !iso;
	tern_iso_drop(tern_heap(self), iso);
}

TERN_HANDLER(static, flooder_handle)
{
	struct flooder *flooder = state;
	struct tern_signal before = *signal;
	if (flooder->where == IN_EVENT && flooder->dead) {
		flooder->changed += send_number(self, flooder->dead, 1, 0) != 0;
		return;
	}
	if (flooder->exits)
		tern_exit(self, 0);
	if (flooder->where == IN_HANDLER || flooder->where == IN_TIMER)
		flood(self, flooder, flooder->exits ? tern_self(self) : flooder->sink);
	if (memcmp(&before, signal, sizeof(before)) != 0)
		flooder->changed++;
	if (flooder->take)
		check_iso(self, flooder, signal);
}

static void flooder_start(struct tern_agent *self, void *state) TERN_OWNS(self);
static void flooder_start(struct tern_agent *self, void *state)
{
	struct flooder *flooder = state;
	if (flooder->where == IN_START)
		flood(self, flooder, flooder->sink);
	if (flooder->where == IN_TIMER)
		tern_timer_start(self, &flooder->timer, 1000, 0, 2);
}

static void flooder_event(struct tern_agent *self, void *state, const struct tern_event *event)
{
	struct flooder *flooder = state;
	if (event->kind == TERN_EVENT_RETURNED) {
		flooder->events++;
		if (flooder->where == IN_EVENT)
			flood(self, flooder, flooder->sink);
	}
}

static const struct tern_behaviour flooder_behaviour = {.name = "flooder",
							.handler = flooder_handle,
							.on_start = flooder_start,
							.on_event = flooder_event};

struct scene {
	struct world world;
	struct sink *sink;
	struct flooder *flooder;
	tern_address agent;
};

static void open_scene(struct scene *scene, enum where where, enum tern_priority sink_priority,
		       enum tern_priority priority)
{
	struct tern_config config;
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	world_config(&config, true);
	config.data_depth = DEPTH;
	config.express_depth = DEPTH;
	world_open(&scene->world, &config);
	options.lcore = 0;
	options.capacity = 100000;
	options.priority = sink_priority;
	scene->sink = world_memory(&scene->world, sizeof(*scene->sink));
	scene->flooder = world_memory(&scene->world, sizeof(*scene->flooder));
	scene->flooder->where = where;
	assert_int_equal(tern_spawn(scene->world.self, &sink_behaviour, scene->sink, &options,
				    &scene->flooder->sink),
			 0);
	world_settle(&scene->world);
	options.priority = priority;
	assert_int_equal(tern_spawn(scene->world.self, &flooder_behaviour, scene->flooder, &options,
				    &scene->agent),
			 0);
	world_settle(&scene->world);
}

static void close_scene(struct scene *scene, uint64_t floods)
{
	assert_int_equal(scene->flooder->sent, floods * FLOOD);
	assert_int_equal(scene->sink->expected, floods * FLOOD);
	assert_int_equal(scene->sink->wrong, 0);
	assert_int_equal(scene->flooder->changed, 0);
	world_close(&scene->world);
}

/* Agent to agent on one lcore, so that the flooder stands on a slot of the lane it floods. */
struct nudge {
	tern_address to;
	uint64_t count;
	bool iso;
};

TERN_HANDLER(static, nudge_handle)
{
	struct nudge *nudge = state;
	for (uint64_t i = 0; i < nudge->count; i++) {
		if (!nudge->iso) {
			assert_int_equal(send_number(self, nudge->to, 9, 0x1122334455667788u), 0);
			continue;
		}
		tern_iso *iso = tern_iso_create(tern_heap(self), ISO_SIZE);
		memset(tern_iso_data(iso), 0xA5, ISO_SIZE);
		assert_null(tern_signal_iso(self, nudge->to, 9, iso));
	}
}

static const struct tern_behaviour nudge_behaviour = {.name = "nudge", .handler = nudge_handle};

static void nudge(struct scene *scene, uint64_t count, bool iso)
{
	struct nudge *nudge = world_memory(&scene->world, sizeof(*nudge));
	*nudge = (struct nudge){.to = scene->agent, .count = count, .iso = iso};
	tern_address agent = spawn_on(scene->world.self, 0, &nudge_behaviour, nudge);
	assert_int_equal(send_number(scene->world.self, agent, 0, 0), 0);
	world_settle(&scene->world);
}

static void in_place(enum tern_priority sink_priority, enum tern_priority priority, bool iso,
		     bool take)
{
	struct scene scene;
	open_scene(&scene, IN_HANDLER, sink_priority, priority);
	scene.flooder->take = take;
	nudge(&scene, 1, iso);
	nudge(&scene, 1, iso);
	nudge(&scene, 20, iso);
	close_scene(&scene, 22);
}

static void the_signal_in_hand_stays(void **state)
{
	(void)state;
	in_place(TERN_PRIORITY_NORMAL, TERN_PRIORITY_NORMAL, false, false);
}

static void the_block_in_hand_stays(void **state)
{
	(void)state;
	in_place(TERN_PRIORITY_NORMAL, TERN_PRIORITY_NORMAL, true, true);
}

static void a_block_not_taken_is_dropped_once(void **state)
{
	(void)state;
	in_place(TERN_PRIORITY_NORMAL, TERN_PRIORITY_NORMAL, true, false);
}

static void express_lanes_do_the_same(void **state)
{
	(void)state;
	in_place(TERN_PRIORITY_CRITICAL, TERN_PRIORITY_CRITICAL, true, true);
	in_place(TERN_PRIORITY_CRITICAL, TERN_PRIORITY_NORMAL, true, true);
	in_place(TERN_PRIORITY_NORMAL, TERN_PRIORITY_CRITICAL, true, true);
}

static void on_start_may_flood(void **state)
{
	struct scene scene;
	(void)state;
	open_scene(&scene, IN_START, TERN_PRIORITY_NORMAL, TERN_PRIORITY_NORMAL);
	close_scene(&scene, 1);
}

static void a_timer_may_flood(void **state)
{
	struct scene scene;
	(void)state;
	open_scene(&scene, IN_TIMER, TERN_PRIORITY_NORMAL, TERN_PRIORITY_NORMAL);
	tern_engine_advance(scene.world.engine, 10000);
	world_settle(&scene.world);
	close_scene(&scene, 1);
}

/* The victim is asked to stop and signalled in one handler, so that the signal comes back. */
static void on_event_may_flood(void **state)
{
	struct scene scene;
	(void)state;
	open_scene(&scene, IN_EVENT, TERN_PRIORITY_NORMAL, TERN_PRIORITY_NORMAL);
	struct probe *probe = world_probes(&scene.world, 1);
	scene.flooder->dead = spawn_on(scene.world.self, 1, &probe_behaviour, probe);
	world_settle(&scene.world);
	assert_int_equal(send_number(scene.world.self, scene.agent, 1, 0), 0);
	tern_thread_poll(scene.world.self);
	tern_lcore_poll(tern_engine_lcore(scene.world.engine, 0));
	assert_int_equal(tern_agent_stop(scene.world.self, scene.flooder->dead), 0);
	tern_lcore_poll(tern_engine_lcore(scene.world.engine, 1));
	scene.flooder->dead = TERN_ADDRESS_NONE;
	world_settle(&scene.world);
	assert_int_equal(scene.flooder->events, 1);
	close_scene(&scene, 1);
}

/* Signals to itself are accepted until it ends and then have nobody to go back to. */
static void an_agent_about_to_end_may_flood_itself(void **state)
{
	struct scene scene;
	struct tern_lcore_stats stats;
	(void)state;
	open_scene(&scene, IN_HANDLER, TERN_PRIORITY_NORMAL, TERN_PRIORITY_NORMAL);
	scene.flooder->exits = true;
	assert_int_equal(send_number(scene.world.self, scene.agent, 0, 0), 0);
	world_settle(&scene.world);
	assert_false(tern_agent_alive(scene.world.self, scene.agent));
	tern_lcore_stats(scene.world.engine, 0, &stats);
	assert_true(scene.flooder->sent >= DEPTH);
	assert_int_equal(stats.lost + stats.returned, scene.flooder->sent);
	world_close(&scene.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_signal_in_hand_stays),
		cmocka_unit_test(the_block_in_hand_stays),
		cmocka_unit_test(a_block_not_taken_is_dropped_once),
		cmocka_unit_test(express_lanes_do_the_same),
		cmocka_unit_test(on_start_may_flood),
		cmocka_unit_test(a_timer_may_flood),
		cmocka_unit_test(on_event_may_flood),
		cmocka_unit_test(an_agent_about_to_end_may_flood_itself),
	};
	return cmocka_run_group_tests_name("flood", tests, NULL, NULL);
}
