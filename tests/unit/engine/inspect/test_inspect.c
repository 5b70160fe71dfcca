/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: who asks a running engine is told what is true of it: its table and router, any route, each
 * route that stays once, while agents come and go; each engine of a process by its number; none
 * where it is not wanted or there is no name left; and who has only taken a name is no engine.
 * Method: engine and asker in one process, on threads; a table with routes put in by hand; lookups
 * and times by hand; names taken before the engine can have them.
 */
#include "tests/unit/engine/inspected.h"

#include "dataplane/router/router.h"

#include "engine/inspect/inspect_wire.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { STAYING = 3000, PAGES_MAX = 100000 };

/* Agents that stay, by their ids, and how often each was shown. */
struct crowd {
	struct tern_id ids[STAYING];
	tern_address agents[STAYING];
	uint32_t lcores[STAYING];
	uint32_t shown[STAYING];
	uint64_t others;
	uint32_t *places; /* by slot: 1 + place in the above; 0: of nobody who stays */
};

static const struct tern_behaviour quiet_behaviour = {.name = "quiet", .handler = probe_handle};

static void crowd_open(struct world *world, struct crowd *crowd, struct probe *probe)
{
	struct tern_spawn_options options = TERN_SPAWN_DEFAULTS;
	crowd->places = world_memory(world, world->engine->slots * sizeof(uint32_t));
	for (uint32_t i = 0; i < STAYING; i++) {
		options.lcore = crowd->lcores[i] = i % tern_engine_lcores(world->engine);
		UNTIL(world, tern_spawn(world->self, &quiet_behaviour, probe, &options,
					&crowd->agents[i]) == 0);
		assert_int_equal(tern_agent_id(world->self, crowd->agents[i], &crowd->ids[i]), 0);
		crowd->places[tern_address_slot(crowd->agents[i])] = i + 1;
	}
}

static void crowd_note(struct crowd *crowd, const struct tern_inspect_route *told)
{
	uint32_t i = crowd->places[tern_address_slot(told->route.address)] - 1;
	if (i >= STAYING) {
		crowd->others++;
		return;
	}
	assert_int_equal(told->route.address, crowd->agents[i]);
	crowd->shown[i]++;
	assert_memory_equal(&told->route.id, &crowd->ids[i], sizeof(crowd->ids[i]));
	assert_int_equal(told->lcore, crowd->lcores[i]);
	assert_string_equal(told->behaviour, "quiet");
	assert_string_equal(told->name, "");
	assert_int_equal(told->route.expires_ns, TERN_ROUTE_FOREVER);
	assert_int_equal(told->route.source, TERN_ROUTE_LOCAL);
}

static void show_all(struct tern_inspect *inspect, struct crowd *crowd, uint32_t which)
{
	struct tern_inspect_page page = {0};
	uint32_t pages = 0;
	do {
		assert_int_equal(tern_inspect_show(inspect, which, &page, NULL), 0);
		for (uint32_t i = 0; i < page.count; i++)
			crowd_note(crowd, &page.routes[i]);
		assert_true(++pages < PAGES_MAX);
	} while (page.more);
}

static void each_agent_is_shown_once(void **state)
{
	struct world *world = *state;
	struct crowd *crowd = world_memory(world, sizeof(*crowd));
	crowd_open(world, crowd, world_probes(world, 1));
	struct tern_inspect *inspect = inspect_open(0);
	struct tern_inspect_stat stat;
	assert_int_equal(tern_inspect_stat(inspect, &stat, NULL), 0);
	assert_int_equal(stat.routes, STAYING);
	assert_int_equal(stat.lcores, tern_engine_lcores(world->engine));
	assert_int_equal(stat.agents_max, 4096);
	assert_true(stat.buckets > STAYING / 5 && stat.bytes > stat.buckets * 128);
	assert_true(stat.now_ns > 0 && stat.now_ns <= tern_engine_now(world->engine));
	assert_string_equal(stat.kernel, tern_table_kernel_name(0));
	show_all(inspect, crowd, TERN_INSPECT_REMOTE);
	show_all(inspect, crowd, TERN_INSPECT_LOCAL);
	for (uint32_t i = 0; i < STAYING; i++)
		assert_int_equal(crowd->shown[i], 1);
	assert_int_equal(crowd->others, 0);
	tern_inspect_close(inspect);
}

struct churn {
	struct tern_engine *engine;
	struct probe *probe;
	uint64_t rounds;
	bool over;
};

/* A thread that spawns and stops for as long as others look. */
static void *churn_on(void *argument)
{
	struct churn *churn = argument;
	struct tern_agent *self = tern_thread_attach(churn->engine, NULL, NULL);
	tern_address agents[50];
	while (self && !seen(&churn->over)) {
		struct tern_spawn_options options = {.name = "comes and goes"};
		uint32_t count = 0;
		while (count < 50 && tern_spawn(self, &probe_behaviour, churn->probe, &options,
						&agents[count]) == 0) {
			options.name = NULL;
			count++;
		}
		for (uint32_t i = 0; i < count; i++)
			(void)!tern_agent_stop(self, agents[i]);
		tern_thread_poll(self);
		note(&churn->rounds);
		breathe();
	}
	if (self)
		tern_thread_detach(self);
	return NULL;
}

static void comings_and_goings_do_not_mislead(void **state)
{
	struct world *world = *state;
	struct crowd *crowd = world_memory(world, sizeof(*crowd));
	struct churn *churn = world_memory(world, sizeof(*churn));
	pthread_t thread;
	*churn = (struct churn){.engine = world->engine, .probe = world_probes(world, 1)};
	crowd_open(world, crowd, world_probes(world, 1));
	assert_int_equal(pthread_create(&thread, NULL, churn_on, churn), 0);
	struct tern_inspect *inspect = inspect_open(0);
	uint32_t walks = 0;
	for (; walks < 5 || seen(&churn->rounds) < 20; walks++)
		show_all(inspect, crowd, TERN_INSPECT_LOCAL | TERN_INSPECT_REMOTE);
	put(&churn->over, true);
	pthread_join(thread, NULL);
	for (uint32_t i = 0; i < STAYING; i++)
		assert_int_equal(crowd->shown[i], walks);
	tern_inspect_close(inspect);
}

static void a_name_is_looked_up(void **state)
{
	struct world *world = *state;
	struct tern_spawn_options options = {.name = "alice", .lcore = 0};
	struct tern_inspect *inspect = inspect_open(0);
	struct tern_inspect_route told;
	struct tern_error error;
	tern_address alice;
	assert_int_equal(tern_inspect_lookup(inspect, tern_name_id("alice"), &told, &error),
			 -ENOENT);
	assert_int_equal(
		tern_spawn(world->self, &probe_behaviour, world_probes(world, 1), &options, &alice),
		0);
	assert_int_equal(tern_inspect_lookup(inspect, tern_name_id("alice"), &told, &error), 0);
	assert_int_equal(told.route.address, alice);
	assert_int_equal(told.lcore, 0);
	assert_string_equal(told.name, "alice");
	assert_string_equal(told.behaviour, "probe");
	assert_int_equal(tern_agent_stop(world->self, alice), 0);
	UNTIL(world, tern_inspect_lookup(inspect, tern_name_id("alice"), &told, NULL) == -ENOENT);
	tern_inspect_close(inspect);
}

static void a_remote_route_is_told_whole(void **state)
{
	struct world *world = *state;
	struct tern_engine *engine = world->engine;
	struct tern_route route = {.id = {.high = 1, .low = 2},
				   .address = tern_address_make(5, 6, 7),
				   .expires_ns = 1000,
				   .version = UINT64_MAX,
				   .updated_ns = 900,
				   .origin = 4,
				   .hops = 3,
				   .source = TERN_ROUTE_GOSSIP};
	struct tern_inspect_page page = {0};
	struct tern_inspect_route told;
	uint32_t count = 0;
	struct server server;
	assert_int_equal(tern_table_put(engine->table, &route, false), 0);
	spawn_on(world->self, 0, &probe_behaviour, world_probes(world, 1));
	world_settle(world);
	tern_engine_advance(engine, 12345);
	server_start(&server, engine);
	struct tern_inspect *inspect = inspect_open(0);
	do {
		assert_int_equal(tern_inspect_show(inspect, TERN_INSPECT_REMOTE, &page, NULL), 0);
		count += page.count;
		if (page.count)
			told = page.routes[0];
	} while (page.more);
	assert_int_equal(count, 1);
	assert_memory_equal(&told.route, &route, sizeof(route));
	assert_int_equal(told.lcore, TERN_INSPECT_NO_LCORE);
	assert_int_equal(told.now_ns, tern_engine_now(engine));
	assert_string_equal(told.name, "");
	assert_int_equal(tern_inspect_lookup(inspect, route.id, &told, NULL), 0);
	assert_memory_equal(&told.route, &route, sizeof(route));
	tern_inspect_close(inspect);
	server_stop(&server);
}

/* Lookups by two lcores and by a thread, timed as the test says. */
static void look_up(struct tern_engine *engine)
{
	const struct tern_id agent = {.high = 1, .low = 2}, capability = {.high = 3, .low = 4};
	const struct tern_update news = {.id = agent,
					 .address = tern_address_make(5, 6, 7),
					 .version = 1,
					 .origin = 5,
					 .source = TERN_ROUTE_GOSSIP};
	struct tern_router *router = engine->router;
	struct tern_id ids[3] = {agent, capability, agent};
	tern_address found[3];
	assert_int_equal(tern_router_update(router, &news, NULL), TERN_APPLIED);
	assert_int_equal(tern_router_offer(router, capability, agent, news.address), 0);
	tern_router_label(router, capability, "quotes");
	assert_int_equal(tern_router_find(router, 0, agent, found), TERN_WHERE_REMOTE);
	assert_int_equal(tern_router_find_batch(router, 1, ids, 3, found), 2);
	assert_int_equal(tern_router_providers(router, 1, capability, found, 3), 1);
	assert_int_equal(tern_router_find(router, engine->lcore_count, capability, found),
			 TERN_WHERE_UNKNOWN);
	for (uint32_t i = 0; i < 100; i++)
		tern_histogram_record(&router->times[i % 2][TERN_PATH_REMOTE], i < 98 ? 20 : 30);
}

static void assert_counts(struct tern_inspect *inspect, uint32_t lcore,
			  struct tern_router_counts expected)
{
	struct tern_router_counts told;
	assert_int_equal(tern_inspect_counts(inspect, lcore, &told, NULL), 0);
	assert_memory_equal(&told, &expected, sizeof(expected));
}

static void assert_router(const struct tern_inspect_stat *stat)
{
	assert_int_equal(stat->lookups.remote, 3);
	assert_int_equal(stat->lookups.unknown, 2);
	assert_int_equal(stat->lookups.capability_found, 1);
	assert_int_equal(stat->updates.applied, 1);
	assert_int_equal(stat->absent, 0);
	assert_int_equal(stat->sets, 2);
	assert_int_equal(stat->set_agents, 1);
	assert_int_equal(stat->set_members, 2);
	assert_true(stat->held.routes > stat->bytes);
	assert_true(stat->held.absent && stat->held.sets);
	assert_int_equal(stat->times[TERN_PATH_REMOTE].samples, 100);
	assert_int_equal(stat->times[TERN_PATH_REMOTE].p50_ns, 20);
	assert_int_equal(stat->times[TERN_PATH_REMOTE].p99_ns, 30);
	assert_int_equal(stat->times[TERN_PATH_LOCAL].samples, 0);
}

static void assert_capabilities(struct tern_inspect *inspect)
{
	struct tern_inspect_capabilities told;
	assert_int_equal(tern_inspect_capabilities(inspect, &told, NULL), 0);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.counts[0].capability.high, 3);
	assert_int_equal(told.counts[0].lookups, 1);
	assert_int_equal(told.counts[0].answers, 1);
	assert_string_equal(told.names[0], "quotes");
}

/* Seventy nodes and two contradictions: two pages. */
static void assert_report(struct tern_inspect *inspect, struct tern_engine *engine)
{
	struct tern_inspect_report told = {0};
	struct tern_update news = {.id = {.high = 9, .low = 9}, .source = TERN_ROUTE_GOSSIP};
	for (uint16_t node = 10; node < 80; node++) {
		news.address = tern_address_make(node, 70000, 1);
		news.origin = node;
		news.version = node < 78 ? 10u + node : 77 + 10;
		assert_true(tern_router_update(engine->router, &news, NULL) >= 0);
	}
	assert_int_equal(tern_inspect_report(inspect, &told, NULL), 0);
	assert_int_equal(told.router.nodes, 71);
	assert_int_equal(told.router.routes, 2);
	assert_int_equal(told.node_count, 64);
	assert_int_equal(told.nodes[0].node, 5);
	assert_int_equal(told.nodes[63].node, 72);
	assert_int_equal(told.contradiction_count,
			 told.router.contradictions > 32 ? 32 : told.router.contradictions);
	assert_int_equal(told.contradictions[0].origin, 79);
	assert_int_equal(told.contradictions[0].kind, TERN_CONTRADICTION_CONCURRENT);
	assert_int_equal(tern_inspect_report(inspect, &told, NULL), 0);
	assert_int_equal(told.node_count, 7);
	assert_int_equal(told.nodes[6].node, 79);
	assert_true(told.next > TERN_NODE_MAX);
	assert_int_equal(tern_inspect_report(inspect, &told, NULL), -EBADMSG);
}

static void what_the_router_knows_is_told(void **state)
{
	struct world world;
	struct tern_config config;
	struct tern_inspect_stat stat;
	struct tern_router_counts none;
	struct server server;
	(void)state;
	world_config(&config, true);
	config.trace_every = 1000;
	world_open(&world, &config);
	assert_int_equal(tern_inspect_listen(world.engine), 0);
	look_up(world.engine);
	server_start(&server, world.engine);
	struct tern_inspect *inspect = inspect_open(0);
	assert_int_equal(tern_inspect_stat(inspect, &stat, NULL), 0);
	assert_router(&stat);
	assert_counts(inspect, 0, (struct tern_router_counts){.remote = 1});
	assert_counts(inspect, 1,
		      (struct tern_router_counts){.remote = 2,
						  .unknown = 1,
						  .capability_found = 1,
						  .batches = 1,
						  .batch_ids = 3});
	assert_int_equal(tern_inspect_counts(inspect, stat.lcores, &none, NULL), -ENOENT);
	assert_capabilities(inspect);
	assert_report(inspect, world.engine);
	tern_inspect_close(inspect);
	server_stop(&server);
	world_close(&world);
}

static void engines_of_a_process_are_told_apart(void **state)
{
	struct world *first = *state, second;
	struct tern_inspect_engine engines[256];
	struct tern_config config;
	struct tern_inspect_stat stat;
	uint32_t own = 0;
	world_config(&config, false);
	config.max_agents = 77;
	world_open(&second, &config);
	int count = tern_inspect_list(engines, 256);
	assert_in_range(count, 2, 256);
	for (int i = 0; i < count; i++)
		if (engines[i].pid == getpid()) {
			assert_int_equal(engines[i].number, own++);
			assert_int_equal(engines[i].uid, geteuid());
			assert_string_equal(engines[i].program, "test_inspect");
		}
	assert_int_equal(own, 2);
	/* Engines of other processes come and go between two calls: no two need count the same. */
	assert_true(tern_inspect_list(NULL, 0) >= 2);
	struct tern_inspect *inspect = inspect_open(1);
	assert_int_equal(tern_inspect_stat(inspect, &stat, NULL), 0);
	assert_int_equal(stat.agents_max, 77);
	world_close(&second);
	struct tern_error error;
	assert_int_equal(tern_inspect_stat(inspect, &stat, &error), -ECONNREFUSED);
	assert_non_null(strstr(error.text, "engine 1 of process"));
	tern_inspect_close(inspect);
	assert_int_equal(tern_inspect_open(&inspect, getpid(), 1, &error), -ECONNREFUSED);
	assert_non_null(first->engine->inspector);
}

/* A child that has a name of this process, and listens there. */
static pid_t start_impostor(uint32_t number)
{
	pid_t named = getpid();
	int ready[2];
	char byte = 0;
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct sockaddr_un address;
		socklen_t length = tern_inspect_address(&address, named, number);
		int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		if (bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, 1) == 0 &&
		    write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void who_has_taken_a_name_is_not_listed(void **state)
{
	struct tern_inspect_engine engines[256];
	uint32_t own = 0;
	(void)state;
	pid_t impostor = start_impostor(5);
	int count = tern_inspect_list(engines, 256);
	assert_in_range(count, 1, 256);
	for (int i = 0; i < count; i++)
		if (engines[i].pid == getpid()) {
			assert_int_equal(engines[i].number, 0);
			own++;
		}
	assert_int_equal(own, 1);
	assert_int_equal(kill(impostor, SIGKILL), 0);
	assert_int_equal(waitpid(impostor, NULL, 0), impostor);
}

/* Each look leaves a connection that the engine has not taken yet. */
static void who_does_not_answer_is_listed(void **state)
{
	struct tern_inspect_engine engines[256];
	(void)state;
	for (uint32_t look = 0; look < 100; look++) {
		uint32_t own = 0;
		int count = tern_inspect_list(engines, 256);
		assert_in_range(count, 1, 256);
		for (int i = 0; i < count; i++)
			own += engines[i].pid == getpid();
		assert_int_equal(own, 1);
	}
}

static void nobody_asks_where_it_is_not_wanted(void **state)
{
	struct world world;
	struct tern_config config;
	struct tern_inspect *inspect;
	(void)state;
	world_config(&config, false);
	config.inspect = false;
	world_open(&world, &config);
	assert_null(world.engine->inspector);
	assert_int_equal(tern_inspect_open(&inspect, getpid(), 0, NULL), -ECONNREFUSED);
	world_close(&world);
}

static void without_a_name_the_engine_runs_all_the_same(void **state)
{
	struct world world;
	struct tern_config config;
	struct sockaddr_un address;
	int fds[TERN_INSPECT_NUMBERS];
	(void)state;
	for (uint32_t i = 0; i < TERN_INSPECT_NUMBERS; i++) {
		socklen_t length = tern_inspect_address(&address, getpid(), i);
		fds[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(fds[i], (struct sockaddr *)&address, length), 0);
	}
	world_config(&config, false);
	world_open(&world, &config);
	assert_null(world.engine->inspector);
	world_close(&world);
	for (uint32_t i = 0; i < TERN_INSPECT_NUMBERS; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		THREADED(each_agent_is_shown_once),
		THREADED(comings_and_goings_do_not_mislead),
		THREADED(a_name_is_looked_up),
		INSPECTED(a_remote_route_is_told_whole),
		cmocka_unit_test(what_the_router_knows_is_told),
		THREADED(engines_of_a_process_are_told_apart),
		THREADED(who_has_taken_a_name_is_not_listed),
		INSPECTED(who_does_not_answer_is_listed),
		cmocka_unit_test(nobody_asks_where_it_is_not_wanted),
		cmocka_unit_test(without_a_name_the_engine_runs_all_the_same),
	};
	return cmocka_run_group_tests_name("inspect", tests, NULL, NULL);
}
