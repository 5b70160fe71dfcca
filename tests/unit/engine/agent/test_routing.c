/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the keys of the engine's router have effect; a program reaches the router and can neither
 * end nor move what lives in the engine; routes of the configuration are found by id, capability
 * and node, until their node tells otherwise; a node with a number asks for what it misses, once.
 * Method: polled engines under a virtual clock, through the public headers; for questions the list
 * of them that peers are asked from.
 */
#include "dataplane/router/questions.h"
#include "engine/lcore/engine.h"
#include "tests/unit/support.h"

enum { MS = 1000000 };

static void open_with(struct world *world, const char *const *settings)
{
	struct tern_config config;
	struct tern_error error;
	world_config(&config, true);
	for (; *settings; settings++)
		if (tern_config_set(&config, *settings, &error) != 0)
			fail_msg("%s", error.text);
	world_open(world, &config);
}

static struct tern_update news(const char *name, uint16_t node, uint32_t slot, uint64_t version)
{
	return (struct tern_update){.id = tern_name_id(name),
				    .address = tern_address_make(node, slot, 1),
				    .version = version,
				    .origin = node,
				    .source = TERN_ROUTE_GOSSIP};
}

static int tell(struct world *world, const struct tern_update *update)
{
	tern_reader_begin(world->self);
	int code = tern_router_update(tern_engine_router(world->engine), update, NULL);
	tern_reader_end(world->self);
	return code;
}

static bool is_at(struct world *world, const char *name, uint32_t node, uint32_t slot)
{
	tern_address found;
	return tern_find(world->self, name, &found) == 0 &&
	       found == tern_address_make(node, slot, 1);
}

static void times_to_live_are_keys(void **state)
{
	static const char *const settings[] = {"router.ttl_ms=40", NULL};
	struct tern_update update = news("far", 2, 70000, 1);
	struct world world;
	(void)state;
	open_with(&world, settings);
	assert_int_equal(tell(&world, &update), TERN_APPLIED);
	tern_engine_advance(world.engine, 39 * MS);
	assert_true(is_at(&world, "far", 2, 70000));
	tern_engine_advance(world.engine, 2 * MS);
	assert_false(is_at(&world, "far", 2, 70000));
	world_close(&world);
}

static void limits_are_keys(void **state)
{
	static const char *const settings[] = {"router.remote_max=3",  "router.sets_max=2",
					       "router.shards=8",      "router.members_max=5",
					       "engine.max_agents=64", NULL};
	struct tern_router_stats stats;
	struct world world;
	(void)state;
	open_with(&world, settings);
	struct tern_router *router = tern_engine_router(world.engine);
	for (uint32_t i = 0; i < 4; i++) {
		struct tern_update update = news("far", 2, 70000 + i, 1 + i);
		update.id.low += i;
		assert_int_equal(tell(&world, &update), i < 3 ? TERN_APPLIED : -ENOSPC);
	}
	/* The room of agents is theirs, whatever others tell. */
	for (uint32_t i = 0; i < 64; i++)
		spawn_on(world.self, i % 2, &probe_behaviour, world_probes(&world, 1));
	tern_router_stats(router, &stats);
	assert_int_equal(stats.remote, 3);
	assert_int_equal(stats.table.shards, 8);
	assert_int_equal(stats.sets.sets, 1);
	struct tern_update gone = news("far", 2, 0, 9);
	gone.address = TERN_ADDRESS_NONE;
	assert_int_equal(tell(&world, &gone), TERN_APPLIED);
	struct tern_update next = news("another", 2, 70009, 10);
	assert_int_equal(tell(&world, &next), TERN_APPLIED);
	assert_int_equal(tern_router_offer(router, tern_name_id("a"), next.id, next.address), 0);
	assert_int_equal(tern_router_offer(router, tern_name_id("b"), next.id, next.address),
			 -ENOSPC);
	world_close(&world);
}

static void what_lives_here_is_the_engines(void **state)
{
	static const char *const settings[] = {"router.node=3", "router.version=500", NULL};
	struct tern_spawn_options options = {.name = "near"};
	struct tern_update told, wrong = news("near", 2, 70000, 1000);
	struct world world;
	tern_address near;
	(void)state;
	open_with(&world, settings);
	struct tern_router *router = tern_engine_router(world.engine);
	struct tern_id id = tern_name_id("near");
	assert_int_equal(
		tern_spawn(world.self, &probe_behaviour, world_probes(&world, 1), &options, &near),
		0);
	assert_int_equal(tell(&world, &wrong), TERN_REJECTED);
	uint32_t reader = tern_reader_begin(world.self);
	assert_int_equal(tern_router_publish(router, id, TERN_ADDRESS_NONE, &told), -EEXIST);
	assert_int_equal(tern_router_publish(router, id, near + 1, &told), -EEXIST);
	assert_int_equal(tern_router_publish(router, tern_name_id("no one"), near + 1, &told),
			 -ESRCH);
	assert_int_equal(tern_router_publish(router, tern_name_id("no one"),
					     tern_address_make(0, TERN_AGENTS_MAX - 1, 1), &told),
			 -ESRCH);
	tern_address found;
	assert_int_equal(tern_router_find(router, reader, id, &found), TERN_WHERE_LOCAL);
	assert_int_equal(found, near);
	assert_int_equal(tern_router_publish(router, id, near, &told), 0);
	assert_int_equal(told.address, near | tern_address_make(3, 0, 0));
	assert_int_equal(told.origin, 3);
	assert_true(told.version > 1000);
	tern_reader_end(world.self);
	assert_int_equal(tern_agent_stop(world.self, near), 0);
	UNTIL(&world, tern_find(world.self, "near", &found) == -ENOENT);
	tern_reader_begin(world.self);
	assert_int_equal(tern_router_publish(router, id, TERN_ADDRESS_NONE, &told), 0);
	tern_reader_end(world.self);
	world_close(&world);
}

/* An address of this process that cannot be leads nowhere. */
static void an_address_beyond_all_slots_is_offered_in_vain(void **state)
{
	static const char *const settings[] = {NULL};
	struct world world;
	tern_address found;
	(void)state;
	open_with(&world, settings);
	struct tern_router *router = tern_engine_router(world.engine);
	assert_int_equal(tern_router_offer(router, tern_name_id("a"), tern_name_id("x"),
					   tern_address_make(0, TERN_AGENTS_MAX - 1, 1)),
			 0);
	assert_int_equal(tern_providers(world.self, "a", &found, 1), 0);
	world_close(&world);
}

static void routes_of_the_configuration_are_found(void **state)
{
	static const char *const settings[] = {
		"router.ttl_ms=40", "routes.risk=2:70001:1 limits,orders",
		"routes.0123456789abcdef0123456789abcdef=5:70002:1 orders", NULL};
	struct world world;
	tern_address found[4];
	struct tern_id id;
	(void)state;
	open_with(&world, settings);
	tern_engine_advance(world.engine, 1000ull * MS);
	assert_true(is_at(&world, "risk", 2, 70001));
	assert_true(tern_id_read("01234567-89AB-cdef-0123-456789abcdef", &id));
	assert_int_equal(tern_find_id(world.self, id, found), 0);
	assert_int_equal(found[0], tern_address_make(5, 70002, 1));
	assert_int_equal(tern_providers(world.self, "orders", found, 4), 2);
	assert_int_equal(tern_providers(world.self, "limits", found, 4), 1);
	assert_int_equal(found[0], tern_address_make(2, 70001, 1));
	assert_int_equal(tern_node_agents(world.self, 5, found, 4), 1);
	assert_int_equal(found[0], tern_address_make(5, 70002, 1));
	assert_int_equal(tern_node_agents(world.self, 4, found, 4), 0);
	/* Nothing leaves for another node yet. */
	assert_int_equal(tern_signal_id(world.self, tern_name_id("risk"), 1, NULL, 0), -ESRCH);
	struct tern_update moved = news("risk", 2, 70005, 1700);
	assert_int_equal(tell(&world, &moved), TERN_APPLIED);
	assert_true(is_at(&world, "risk", 2, 70005));
	assert_int_equal(tern_providers(world.self, "limits", found, 4), 1);
	assert_int_equal(found[0], tern_address_make(2, 70005, 1));
	world_close(&world);
}

static void too_many_routes_are_refused(void **state)
{
	struct tern_config config;
	struct tern_engine *engine;
	struct tern_error error;
	(void)state;
	world_config(&config, true);
	assert_int_equal(tern_config_set(&config, "router.remote_max=1", NULL), 0);
	assert_int_equal(tern_config_set(&config, "routes.a=2:70001:1", NULL), 0);
	assert_int_equal(tern_config_set(&config, "routes.b=2:70002:1", NULL), 0);
	assert_int_equal(tern_engine_start(&engine, &config, &error), -ENOSPC);
	assert_string_equal(error.text, "routes.b: no room: raise router.remote_max, "
					"router.sets_max or router.members_max");
}

static void a_node_with_a_number_asks_once(void **state)
{
	static const char *const settings[] = {"router.node=3", "router.absent_ms=10", NULL};
	struct tern_question asked[4];
	struct world world;
	tern_address found;
	uint64_t from = 0;
	(void)state;
	open_with(&world, settings);
	struct tern_questions *questions = world.engine->questions;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(tern_find(world.self, "far", &found), -ENOENT);
		assert_int_equal(tern_providers(world.self, "quotes", &found, 1), 0);
	}
	assert_int_equal(tern_questions_get(questions, &from, asked, 4), 2);
	assert_false(asked[0].capability);
	assert_int_equal(asked[0].id.low, tern_name_id("far").low);
	assert_true(asked[1].capability);
	assert_int_equal(asked[1].id.high, tern_name_id("quotes").high);
	tern_engine_advance(world.engine, 11 * MS);
	assert_int_equal(tern_find(world.self, "far", &found), -ENOENT);
	assert_int_equal(tern_questions_get(questions, &from, asked, 4), 1);
	world_close(&world);
	static const char *const none[] = {NULL};
	open_with(&world, none);
	assert_null(world.engine->questions);
	assert_int_equal(tern_find(world.self, "far", &found), -ENOENT);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_to_live_are_keys),
		cmocka_unit_test(limits_are_keys),
		cmocka_unit_test(what_lives_here_is_the_engines),
		cmocka_unit_test(an_address_beyond_all_slots_is_offered_in_vain),
		cmocka_unit_test(routes_of_the_configuration_are_found),
		cmocka_unit_test(too_many_routes_are_refused),
		cmocka_unit_test(a_node_with_a_number_asks_once),
	};
	return cmocka_run_group_tests_name("routing", tests, NULL, NULL);
}
