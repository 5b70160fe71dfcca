/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: engines whose gossip is lost, doubled and overtaken, whose agents come, go and move, and
 * which are started anew, find the same agents once it is quiet, by name and by capability: all
 * that live, and none that has ended. Method: two or three polled engines under virtual clocks in
 * one thread, payloads carried by hand, over seeds. TERN_SEED is the first; the first argument
 * gives the number of seeds.
 */
#include "tests/unit/support.h"

#include "capabilities/sanitizer.h"
#include "engine/gossip/gossip.h"

enum { NODES = 3, AGENTS = 10, CAPABILITIES = 3, FOUND_MAX = 32 };

#define MS 1000000ull
#define BUSY_MS 1500u
#define TTL_MS 200u
/* A steady route's time, and that of an end remembered, and comparisons with every peer. */
#define QUIET_MS (7 * TTL_MS)

#if TERN_ASAN || TERN_TSAN
static uint64_t seeds = 3;
#else
static uint64_t seeds = 20;
#endif

struct letter {
	struct letter *next;
	uint64_t at; /* ms */
	uint16_t to, from;
	size_t size;
	uint8_t bytes[TERN_PAYLOAD_MAX];
};

struct office {
	struct world world;
	struct tern_gossip *gossip;
};

struct cluster {
	struct office offices[NODES + 1]; /* from 1 */
	uint16_t node_count;
	uint16_t home[AGENTS]; /* 0: nowhere */
	tern_address at[AGENTS];
	uint64_t ms, seed, lost, restarts;
	uint32_t loss_percent;
	struct tern_rng rng;
	struct letter *letters;
};

static const char *agent_name(uint32_t agent)
{
	static const char *const names[AGENTS] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
	return names[agent];
}

/* An agent has the capability of its number. */
static const char *capability_name(uint32_t agent)
{
	static const char *const names[CAPABILITIES] = {"quotes", "orders", "limits"};
	return names[agent % CAPABILITIES];
}

static void offer_own(struct tern_agent *self, void *state) TERN_OWNS(self)
{
	const char *capability = state;
	assert_int_equal(tern_offer(self, capability), 0);
}

TERN_HANDLER(static, drop_all)
{
	(void)self;
	(void)state;
	(void)signal;
}

static const struct tern_behaviour offering = {
	.name = "offering", .handler = drop_all, .on_start = offer_own};

static void open_office(struct cluster *cluster, uint16_t node)
{
	struct office *office = &cluster->offices[node];
	struct tern_config config;
	struct tern_error error;
	world_config(&config, true);
	config.max_agents = 64;
	config.router.node = node;
	config.router.version = 1 + cluster->ms * 1000;
	config.router.ttl_ms = TTL_MS;
	config.router.absent_ms = 15;
	config.router.drift_ms = 15;
	config.router.tell_ms = TTL_MS / 5;
	config.router.compare_ms = 10;
	config.router.absent_max = 1024;
	config.block_mib = config.mailbox_mib = 1;
	world_open(&office->world, &config);
	if (tern_gossip_create(&office->gossip, office->world.engine, NODES, &error) != 0)
		fail_msg("%s", error.text);
}

static uint64_t now_of(const struct office *office)
{
	return tern_engine_now(office->world.engine);
}

static void meet(struct cluster *cluster, uint16_t node, uint16_t peer)
{
	struct office *office = &cluster->offices[node];
	assert_int_equal(tern_gossip_add(office->gossip, peer, now_of(office)), 0);
	assert_int_equal(tern_gossip_add(office->gossip, peer, now_of(office)), -EEXIST);
}

static void post(struct cluster *cluster, uint16_t from, uint16_t to, const uint8_t *bytes,
		 size_t size)
{
	struct letter *letter = malloc(sizeof(*letter));
	assert_non_null(letter);
	*letter = (struct letter){.next = cluster->letters,
				  .at = cluster->ms + 1 + pick(&cluster->rng, 12),
				  .to = to,
				  .from = from,
				  .size = size};
	memcpy(letter->bytes, bytes, size);
	cluster->letters = letter;
}

static void collect(struct cluster *cluster, uint16_t from)
{
	struct office *office = &cluster->offices[from];
	uint8_t bytes[TERN_PAYLOAD_MAX];
	uint16_t to = 0;
	size_t size;
	for (int i = 0;
	     i < 200 && (size = tern_gossip_next(office->gossip, now_of(office), &to, bytes)) != 0;
	     i++) {
		bool lost = pick(&cluster->rng, 100) < cluster->loss_percent;
		uint32_t copies = lost ? 0 : 1 + (pick(&cluster->rng, 10) == 0);
		assert_true(size <= TERN_PAYLOAD_MAX && to != from);
		cluster->lost += lost;
		for (uint32_t copy = 0; copy < copies; copy++)
			post(cluster, from, to, bytes, size);
	}
}

static void deliver(struct cluster *cluster, const struct letter *letter)
{
	struct office *office = &cluster->offices[letter->to];
	int code = tern_gossip_take(office->gossip, letter->from, letter->bytes, letter->size,
				    now_of(office));
	if (code != 0)
		fail_msg("seed %" PRIu64 ": refused %d", cluster->seed, code);
}

static void deliver_due(struct cluster *cluster)
{
	for (struct letter **at = &cluster->letters; *at;) {
		struct letter *letter = *at;
		if (letter->at > cluster->ms) {
			at = &letter->next;
			continue;
		}
		*at = letter->next;
		deliver(cluster, letter);
		free(letter);
	}
}

static void start_agent(struct cluster *cluster, uint32_t agent, uint16_t node)
{
	struct world *world = &cluster->offices[node].world;
	struct tern_spawn_options options = {.name = agent_name(agent),
					     .lcore = pick(&cluster->rng, 2)};
	void *capability = (void *)(uintptr_t)capability_name(agent);
	/* Who holds that it lives elsewhere does not start it. */
	if (tern_spawn(world->self, &offering, capability, &options, &cluster->at[agent]) != 0)
		return;
	world_settle(world);
	cluster->home[agent] = node;
}

static void end_agent(struct cluster *cluster, uint32_t agent)
{
	struct world *world = &cluster->offices[cluster->home[agent]].world;
	assert_int_equal(tern_agent_stop(world->self, cluster->at[agent]), 0);
	world_settle(world);
	cluster->home[agent] = 0;
}

static void restart(struct cluster *cluster, uint16_t node)
{
	struct office *office = &cluster->offices[node];
	tern_gossip_destroy(office->gossip);
	world_close(&office->world);
	for (uint32_t agent = 0; agent < AGENTS; agent++)
		if (cluster->home[agent] == node)
			cluster->home[agent] = 0;
	open_office(cluster, node);
	for (uint16_t peer = 1; peer <= cluster->node_count; peer++) {
		if (peer == node)
			continue;
		assert_int_equal(tern_gossip_remove(cluster->offices[peer].gossip, node), 0);
		meet(cluster, peer, node);
		meet(cluster, node, peer);
	}
	cluster->restarts++;
}

static void look_up(struct cluster *cluster, uint16_t node)
{
	struct tern_agent *self = cluster->offices[node].world.self;
	tern_address found[FOUND_MAX];
	for (uint32_t agent = 0; agent < AGENTS; agent++)
		(void)!tern_find(self, agent_name(agent), found);
	for (uint32_t i = 0; i < CAPABILITIES; i++)
		tern_providers(self, capability_name(i), found, FOUND_MAX);
}

static void act(struct cluster *cluster)
{
	uint32_t agent = pick(&cluster->rng, AGENTS);
	uint16_t node = (uint16_t)(1 + pick(&cluster->rng, cluster->node_count));
	if (pick(&cluster->rng, 100) == 0)
		restart(cluster, node);
	else if (pick(&cluster->rng, 2))
		look_up(cluster, node);
	else if (cluster->home[agent])
		end_agent(cluster, agent);
	else
		start_agent(cluster, agent, node);
}

static void run_for(struct cluster *cluster, uint64_t ms, bool busy)
{
	for (uint64_t end = cluster->ms + ms; cluster->ms < end; cluster->ms++) {
		deliver_due(cluster);
		for (uint16_t node = 1; node <= cluster->node_count; node++) {
			tern_engine_advance(cluster->offices[node].world.engine, MS);
			world_settle(&cluster->offices[node].world);
			if (!busy && (cluster->ms + node) % 20 == 0)
				look_up(cluster, node);
			collect(cluster, node);
		}
		if (busy && pick(&cluster->rng, 4) == 0)
			act(cluster);
	}
}

static tern_address seen_from(const struct cluster *cluster, uint16_t node, uint32_t agent)
{
	uint16_t home = cluster->home[agent];
	if (home == 0)
		return TERN_ADDRESS_NONE;
	return home == node ? cluster->at[agent]
			    : cluster->at[agent] | tern_address_make(home, 0, 0);
}

static void assert_found(const struct cluster *cluster, uint16_t node)
{
	struct tern_agent *self = cluster->offices[node].world.self;
	for (uint32_t agent = 0; agent < AGENTS; agent++) {
		tern_address found = TERN_ADDRESS_NONE, expected = seen_from(cluster, node, agent);
		(void)!tern_find(self, agent_name(agent), &found);
		if (found != expected)
			fail_msg("seed %" PRIu64 ": node %u has agent %u at %" PRIx64
				 ", it is at %" PRIx64,
				 cluster->seed, node, agent, found, expected);
	}
}

/* Nobody who has ended; and all, where only others have it. */
static void assert_provided(const struct cluster *cluster, uint16_t node, uint32_t capability)
{
	struct tern_agent *self = cluster->offices[node].world.self;
	tern_address found[FOUND_MAX];
	uint32_t known = 0, live = 0, here = 0;
	uint32_t count = tern_providers(self, capability_name(capability), found, FOUND_MAX);
	for (uint32_t agent = capability; agent < AGENTS; agent += CAPABILITIES) {
		tern_address expected = seen_from(cluster, node, agent);
		live += expected != TERN_ADDRESS_NONE;
		here += cluster->home[agent] == node;
		for (uint32_t i = 0; expected && i < count; i++)
			known += found[i] == expected;
	}
	if (known != count || (here ? known < here : known != live))
		fail_msg("seed %" PRIu64 ": node %u has %u with capability %u, %u of them live, "
			 "of %u, %u here",
			 cluster->seed, node, count, capability, known, live, here);
}

static void assert_agreed(const struct cluster *cluster)
{
	for (uint16_t node = 1; node <= cluster->node_count; node++) {
		struct tern_router_report report;
		assert_found(cluster, node);
		for (uint32_t capability = 0; capability < CAPABILITIES; capability++)
			assert_provided(cluster, node, capability);
		tern_router_report(tern_engine_router(cluster->offices[node].world.engine),
				   &report);
		if (report.behind)
			fail_msg("seed %" PRIu64 ": node %u lacks %" PRIu64 " of node %u",
				 cluster->seed, node, report.drift_max, report.drift_node);
	}
}

static struct cluster *open_cluster(uint64_t seed)
{
	struct cluster *cluster = calloc(1, sizeof(*cluster));
	assert_non_null(cluster);
	cluster->seed = seed;
	cluster->rng = tern_rng_stream(seed, 3);
	cluster->node_count = (uint16_t)(2 + pick(&cluster->rng, 2));
	cluster->loss_percent = pick(&cluster->rng, 4) * 15;
	for (uint16_t node = 1; node <= cluster->node_count; node++)
		open_office(cluster, node);
	for (uint16_t node = 1; node <= cluster->node_count; node++)
		for (uint16_t peer = 1; peer <= cluster->node_count; peer++)
			if (peer != node)
				meet(cluster, node, peer);
	return cluster;
}

static void close_cluster(struct cluster *cluster)
{
	for (uint16_t node = 1; node <= cluster->node_count; node++) {
		tern_gossip_destroy(cluster->offices[node].gossip);
		world_close(&cluster->offices[node].world);
	}
	for (struct letter *next; cluster->letters; cluster->letters = next) {
		next = cluster->letters->next;
		free(cluster->letters);
	}
	free(cluster);
}

static void when_it_is_quiet_all_find_the_same(void **state)
{
	uint64_t first = test_seed(1), lost = 0, restarts = 0;
	(void)state;
	for (uint64_t seed = first; seed < first + seeds; seed++) {
		struct cluster *cluster = open_cluster(seed);
		run_for(cluster, BUSY_MS, true);
		cluster->loss_percent = 0;
		run_for(cluster, QUIET_MS, false);
		assert_agreed(cluster);
		lost += cluster->lost;
		restarts += cluster->restarts;
		close_cluster(cluster);
	}
	assert_true(seeds < 20 || (lost > 100 * seeds && restarts > seeds));
	print_message("%" PRIu64 " payloads were lost, %" PRIu64 " engines started anew\n", lost,
		      restarts);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(when_it_is_quiet_all_find_the_same),
	};
	if (argc > 1)
		seeds = strtoull(argv[1], NULL, 10);
	return cmocka_run_group_tests_name("gossip: a world of engines", tests, NULL, NULL);
}
