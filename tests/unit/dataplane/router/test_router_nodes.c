/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: nodes that heard the same news know the same, whatever the order; who knows an agent to
 * live with it, or not to, is not talked out of it and puts others right; what contradicts is
 * named; no version makes a node mute; who lacks much asks for it.
 * Method: random news to several routers in different orders, over seeds; small worlds of nodes
 * that move agents about and tell each other until nobody has anything new; then examples. The
 * seed is printed at a failure; the first argument gives the number of seeds, the second the first
 * one.
 */
#include "tests/unit/dataplane/recorder.h"

enum { NODES = 4, AGENTS = 12, NEWS = 60, MOVES = 20, TOLD_MAX = 400 };

static uint64_t seeds = 200, first_seed = 1;

static struct recorder *open_node(uint16_t node)
{
	return recorder_open((struct tern_router_options){
		.node = node, .table = {.routes_max = 64}, .absent_max = 64, .members_max = 256});
}

static struct tern_route known(struct recorder *recorder, uint64_t number)
{
	struct tern_route route = {0};
	tern_table_route(tern_router_table(recorder->router), number_id(number), &route);
	return route;
}

static bool know_the_same(struct recorder *a, struct recorder *b)
{
	for (uint64_t i = 0; i < AGENTS; i++) {
		struct tern_route x = known(a, i), y = known(b, i);
		if (x.address != y.address || x.version != y.version || x.origin != y.origin ||
		    x.hops != y.hops || x.source != y.source)
			return false;
	}
	return true;
}

static struct tern_update draw(struct tern_rng *rng)
{
	struct tern_update update =
		news(pick(rng, AGENTS), (uint16_t)(2 + pick(rng, 3)), 1 + pick(rng, 20));
	if (pick(rng, 5) == 0)
		update.address = TERN_ADDRESS_NONE;
	update.base = pick(rng, (uint32_t)update.version);
	update.hops = (uint8_t)update.version;
	return update;
}

/* A path of the news: each at least once, in some order. */
static void tell_all(struct recorder *recorder, const struct tern_update *updates,
		     struct tern_rng *rng)
{
	bool told[NEWS] = {false};
	for (uint32_t left = NEWS; left > 0;) {
		uint32_t which = pick(rng, NEWS);
		left -= !told[which];
		told[which] = true;
		assert_true(tell(recorder, updates[which]) >= 0);
	}
}

static void any_order_comes_to_the_same(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
		struct tern_rng rng = tern_rng_stream(seed, 0);
		struct tern_update updates[NEWS];
		struct recorder *a = open_node(1), *b = open_node(1);
		for (int i = 0; i < NEWS; i++)
			updates[i] = draw(&rng);
		tell_all(a, updates, &rng);
		tell_all(b, updates, &rng);
		if (!know_the_same(a, b))
			fail_msg("seed %" PRIu64 ": two orders differ", seed);
		for (uint16_t node = 1; node <= NODES; node++)
			assert_int_equal(tern_router_version(a->router, node),
					 tern_router_version(b->router, node));
		recorder_close(a);
		recorder_close(b);
	}
}

/* Nodes that tell each other what happened, late and in any order. */
struct world_of_nodes {
	struct recorder *nodes[NODES + 1]; /* from 1 */
	uint16_t home[AGENTS];		   /* 0: nowhere */
	struct tern_update told[TOLD_MAX];
	uint32_t told_count;
};

static struct tern_table *table_of(struct world_of_nodes *world, uint16_t node)
{
	return tern_router_table(world->nodes[node]->router);
}

static void publish(struct world_of_nodes *world, uint16_t node, uint64_t agent,
		    tern_address address)
{
	tern_router_publish(world->nodes[node]->router, number_id(agent), address,
			    &world->told[world->told_count++]);
}

/* An agent ends where it lives, and starts where nobody knows of it. */
static void move_agent(struct world_of_nodes *world, uint64_t agent, uint16_t to)
{
	uint16_t from = world->home[agent];
	if (from) {
		assert_int_equal(tern_table_remove(table_of(world, from), number_id(agent), 0), 0);
		publish(world, from, agent, TERN_ADDRESS_NONE);
	}
	world->home[agent] = 0;
	/* Whoever thinks that it lives elsewhere still does not start it. */
	const struct tern_route route = {.id = number_id(agent),
					 .address = on(0, (uint32_t)agent),
					 .expires_ns = TERN_ROUTE_FOREVER};
	if (to && tern_table_put(table_of(world, to), &route, false) == 0) {
		publish(world, to, agent, route.address);
		world->home[agent] = to;
	}
}

static bool is_told(const struct world_of_nodes *world, const struct tern_update *update)
{
	for (uint32_t i = 0; i < world->told_count; i++)
		if (world->told[i].version == update->version &&
		    world->told[i].origin == update->origin &&
		    world->told[i].id.low == update->id.low)
			return true;
	return false;
}

/* Everybody hears everything, in an order of its own; what is answered is told, too. */
static void gossip(struct world_of_nodes *world, struct tern_rng *rng)
{
	for (uint16_t node = 1; node <= NODES; node++) {
		uint32_t count = world->told_count, from = pick(rng, count + 1);
		for (uint32_t i = 0; i < count; i++) {
			struct tern_update answer;
			struct tern_router *router = world->nodes[node]->router;
			const struct tern_update *told = &world->told[(from + i) % count];
			if (tern_router_update(router, told, &answer) == TERN_REJECTED &&
			    !is_told(world, &answer)) {
				assert_true(world->told_count < TOLD_MAX);
				world->told[world->told_count++] = answer;
			}
		}
	}
}

/* Nothing new is told when all have heard all. */
static void gossip_to_the_end(struct world_of_nodes *world, struct tern_rng *rng)
{
	uint32_t before;
	do {
		before = world->told_count;
		gossip(world, rng);
	} while (world->told_count != before);
}

static void assert_agreed(struct world_of_nodes *world, uint64_t seed)
{
	for (uint64_t agent = 0; agent < AGENTS; agent++)
		for (uint16_t node = 1; node <= NODES; node++) {
			struct tern_route route = known(world->nodes[node], agent);
			uint16_t home = world->home[agent];
			tern_address there = on(home == node ? 0 : home, (uint32_t)agent);
			if (route.address != (home ? there : TERN_ADDRESS_NONE))
				fail_msg("seed %" PRIu64 ": node %u has agent %" PRIu64
					 " on %u, it is on %u",
					 seed, node, agent, tern_address_node(route.address), home);
		}
}

static void nodes_come_to_agree(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
		struct world_of_nodes *world = calloc(1, sizeof(*world));
		struct tern_rng rng = tern_rng_stream(seed, 1);
		for (uint16_t node = 1; node <= NODES; node++)
			world->nodes[node] = open_node(node);
		for (int i = 0; i < MOVES; i++) {
			move_agent(world, pick(&rng, AGENTS), (uint16_t)pick(&rng, NODES + 1));
			if (pick(&rng, 4) == 0)
				gossip(world, &rng);
		}
		gossip_to_the_end(world, &rng);
		assert_agreed(world, seed);
		for (uint16_t node = 1; node <= NODES; node++)
			recorder_close(world->nodes[node]);
		free(world);
	}
}

static struct tern_contradiction last_of(struct recorder *recorder)
{
	struct tern_contradiction last = {0};
	assert_int_equal(tern_router_contradictions(recorder->router, &last, 1), 1);
	return last;
}

static void who_lives_here_is_known_here(void **state)
{
	(void)state;
	struct recorder *here = open_node(1), *there = open_node(2);
	const struct tern_route local = {
		.id = number_id(3), .address = on(0, 3), .expires_ns = TERN_ROUTE_FOREVER};
	struct tern_update said = news(3, 2, 50), answer;
	assert_int_equal(tern_table_put(tern_router_table(here->router), &local, false), 0);
	assert_int_equal(tell(there, news(3, 3, 50)), TERN_APPLIED);
	assert_int_equal(tern_router_update(here->router, &said, &answer), TERN_REJECTED);
	struct tern_contradiction last = last_of(here);
	assert_int_equal(last.kind, TERN_CONTRADICTION_LIVES_HERE);
	assert_int_equal(last.held, on(0, 3));
	assert_int_equal(last.claimed, on(2, 3));
	assert_int_equal(last.origin, 2);
	assert_int_equal(last.version, 50);
	/* The answer is newer than what was said, and convinces. */
	assert_true(answer.version > 50);
	assert_int_equal(answer.address, on(1, 3));
	assert_int_equal(tell(there, answer), TERN_APPLIED);
	assert_int_equal(known(there, 3).address, on(1, 3));
	assert_int_equal(known(there, 3).hops, 1);
	/* Told what it knows anyway, the home is not disturbed. */
	assert_int_equal(tell(here, answer), TERN_MERGED);
	assert_int_equal(known(here, 3).address, on(0, 3));
	/* The same again is old news, answered and not counted. */
	assert_int_equal(tern_router_update(here->router, &said, &said), TERN_REJECTED);
	assert_int_equal(said.version, answer.version);
	assert_int_equal(said.address, answer.address);
	assert_int_equal(router_stats(here).updates.contradictions, 1);
	recorder_close(here);
	recorder_close(there);
}

/* A node started anew, and others hold what it told in its life before. */
static void a_dead_address_here_is_contradicted(void **state)
{
	(void)state;
	struct recorder *here = open_node(1), *there = open_node(2);
	const struct tern_route local = {
		.id = number_id(3), .address = on(0, 7), .expires_ns = TERN_ROUTE_FOREVER};
	struct tern_update before = news(3, 1, 50), said, answer;
	assert_int_equal(tell(there, before), TERN_APPLIED);
	assert_int_equal(tern_table_put(tern_router_table(here->router), &local, false), 0);
	tern_router_publish(here->router, local.id, local.address, &said);
	assert_int_equal(tern_router_update(there->router, &said, &answer), TERN_REJECTED);
	assert_int_equal(answer.address, before.address);
	assert_int_equal(tern_router_update(here->router, &answer, &said), TERN_REJECTED);
	struct tern_contradiction last = last_of(here);
	assert_int_equal(last.kind, TERN_CONTRADICTION_LIVES_HERE);
	assert_int_equal(last.held, on(0, 7));
	assert_int_equal(last.claimed, before.address);
	assert_int_equal(said.address, on(1, 7));
	assert_int_equal(tell(there, said), TERN_APPLIED);
	assert_int_equal(known(there, 3).address, on(1, 7));
	/* The dead address once more is old news; the right one is confirmed. */
	assert_int_equal(tern_router_update(here->router, &before, &answer), TERN_REJECTED);
	assert_int_equal(answer.version, said.version);
	assert_int_equal(tell(here, said), TERN_MERGED);
	assert_int_equal(router_stats(here).updates.contradictions, 1);
	recorder_close(here);
	recorder_close(there);
}

static void who_is_not_here_is_known_here(void **state)
{
	(void)state;
	struct recorder *here = open_node(2), *there = open_node(1);
	struct tern_update said = news(3, 2, 50), answer;
	assert_int_equal(tell(there, said), TERN_APPLIED);
	said.origin = 1;
	assert_int_equal(tern_router_update(here->router, &said, &answer), TERN_REJECTED);
	assert_int_equal(last_of(here).kind, TERN_CONTRADICTION_NOT_HERE);
	assert_int_equal(answer.address, TERN_ADDRESS_NONE);
	assert_int_equal(tell(there, answer), TERN_APPLIED);
	assert_false(is_known(there, 3));
	/* It starts there after all, and ends: each is news. */
	tern_router_publish(here->router, number_id(3), on(0, 3), &answer);
	assert_int_equal(tell(there, answer), TERN_APPLIED);
	assert_int_equal(known(there, 3).address, on(2, 3));
	tern_router_publish(here->router, number_id(3), TERN_ADDRESS_NONE, &answer);
	assert_int_equal(tell(here, said), TERN_REJECTED);
	assert_int_equal(router_stats(here).updates.contradictions, 1);
	assert_int_equal(tell(there, answer), TERN_APPLIED);
	assert_false(is_known(there, 3));
	recorder_close(here);
	recorder_close(there);
}

static void outcomes_have_names(void **state)
{
	(void)state;
	struct recorder *recorder = open_node(1);
	struct tern_update answer, update = news(3, 2, 10);
	assert_int_equal(tell(recorder, update), TERN_APPLIED);
	assert_int_equal(tell(recorder, update), TERN_MERGED);
	assert_int_equal(tern_router_update(recorder->router, &(struct tern_update){0}, NULL),
			 -EINVAL);
	update.version = 9;
	assert_int_equal(tern_router_update(recorder->router, &update, &answer), TERN_REJECTED);
	assert_int_equal(answer.version, 10);
	assert_int_equal(answer.address, on(2, 3));
	/* Two nodes say different things and did not know of each other. */
	assert_int_equal(tell(recorder, news(3, 4, 11)), TERN_APPLIED);
	assert_int_equal(last_of(recorder).kind, TERN_CONTRADICTION_CONCURRENT);
	assert_int_equal(tell(recorder, news(3, 3, 11)), TERN_REJECTED);
	struct tern_router_stats stats = router_stats(recorder);
	assert_int_equal(stats.updates.applied, 2);
	assert_int_equal(stats.updates.merged, 1);
	assert_int_equal(stats.updates.rejected, 2);
	assert_int_equal(stats.updates.concurrent, 2);
	assert_int_equal(stats.updates.contradictions, 2);
	recorder_close(recorder);
}

static void assert_convinces(const struct tern_update *update, uint64_t seed)
{
	struct recorder *peer = open_node(9);
	if (tell(peer, *update) != TERN_APPLIED)
		fail_msg("seed %" PRIu64 ": a node that knows nothing refuses version %" PRIu64,
			 seed, update->version);
	recorder_close(peer);
}

/* Near one of the edges, or anywhere. */
static uint64_t draw_version(struct tern_rng *rng)
{
	const uint64_t edges[] = {1, TERN_VERSION_FOLLOWED_MAX, TERN_VERSION_MAX, UINT64_MAX};
	uint32_t which = pick(rng, 5);
	uint64_t off = pick(rng, 4);
	if (which == 4)
		return tern_rng_next(rng);
	return pick(rng, 2) ? edges[which] - off : edges[which] + off;
}

/* Of an agent here or elsewhere, by any node, one that says to be this one included. */
static struct tern_update draw_edge(struct tern_rng *rng)
{
	struct tern_update update = news(pick(rng, 4), (uint16_t)(1 + pick(rng, 3)), 0);
	update.version = draw_version(rng);
	update.base = pick(rng, 2) ? update.version - 1 : 0;
	if (pick(rng, 4) == 0)
		update.address = TERN_ADDRESS_NONE;
	else if (pick(rng, 3) == 0)
		update.address = on(1, 77);
	return update;
}

static void no_version_mutes_a_node(void **state)
{
	(void)state;
	const struct tern_route local = {
		.id = number_id(1), .address = on(0, 1), .expires_ns = TERN_ROUTE_FOREVER};
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
		struct tern_rng rng = tern_rng_stream(seed, 2);
		struct recorder *here = open_node(1);
		struct tern_table *table = tern_router_table(here->router);
		assert_int_equal(tern_table_put(table, &local, false), 0);
		for (int i = 0; i < 10; i++) {
			struct tern_update said = draw_edge(&rng), answer = said;
			int code = tern_router_update(here->router, &said, &answer);
			if (code == TERN_REJECTED && said.id.low == local.id.low)
				assert_convinces(&answer, seed);
			tern_router_publish(here->router, local.id, local.address, &answer);
			assert_convinces(&answer, seed);
		}
		recorder_close(here);
	}
}

static void the_largest_version_cannot_be_outdone(void **state)
{
	(void)state;
	struct recorder *here = open_node(1);
	const struct tern_route local = {
		.id = number_id(1), .address = on(0, 1), .expires_ns = TERN_ROUTE_FOREVER};
	struct tern_update said = news(1, 2, TERN_VERSION_MAX), answer, again;
	assert_int_equal(tern_table_put(tern_router_table(here->router), &local, false), 0);
	assert_int_equal(tern_router_update(here->router, &said, &answer), TERN_REJECTED);
	assert_int_equal(last_of(here).kind, TERN_CONTRADICTION_LIVES_HERE);
	assert_int_equal(answer.address, on(1, 1));
	assert_int_equal(answer.version, 1);
	assert_int_equal(tern_router_update(here->router, &said, &again), TERN_REJECTED);
	assert_int_equal(again.version, answer.version);
	assert_int_equal(tern_router_version(here->router, 1), 1);
	said = news(1, 2, TERN_VERSION_FOLLOWED_MAX);
	assert_int_equal(tern_router_update(here->router, &said, &answer), TERN_REJECTED);
	assert_int_equal(answer.version, TERN_VERSION_FOLLOWED_MAX + 1);
	recorder_close(here);
}

static void impossible_news_are_refused(void **state)
{
	(void)state;
	struct recorder *recorder = open_node(1);
	struct tern_update bad[] = {
		news(3, 2, 1), news(3, 2, 1), news(3, 2, 1), news(3, 2, 0),
		news(3, 2, 1), news(3, 2, 1), news(3, 2, 1), news(3, 2, TERN_VERSION_MAX + 1)};
	bad[0].first = 2;
	bad[1].origin = TERN_NODE_MAX + 1;
	bad[2].origin = 0;
	bad[4].address = on(0, 3);
	bad[5].source = TERN_ROUTE_SOURCES;
	bad[6].base = 1;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(tell(recorder, bad[i]), -EINVAL);
	assert_false(is_known(recorder, 3));
	for (uint64_t i = 0; i < 64; i++)
		assert_int_equal(tell(recorder, news(i, 2, i + 1)), TERN_APPLIED);
	assert_int_equal(tell(recorder, news(64, 2, 65)), -ENOSPC);
	assert_true(is_known(recorder, 3));
	recorder_close(recorder);
}

static void who_lacks_much_asks(void **state)
{
	(void)state;
	struct recorder *recorder = open_node(1);
	struct tern_consistency report;
	tell(recorder, news(1, 2, 100));
	tell(recorder, news(2, 3, 100));
	tell(recorder, news(3, 4, 100));
	const uint64_t peer[] = {0, 900, 100, 164, 90, 3};
	assert_int_equal(tern_router_compare(recorder->router, 9, peer, 6, &report), 0);
	assert_int_equal(report.same, 1);
	assert_int_equal(report.ahead, 1);
	assert_int_equal(report.behind, 2);
	assert_int_equal(report.drift_max, 64);
	assert_int_equal(report.drift_node, 3);
	assert_int_equal(report.reconciled, 0);
	assert_int_equal(recorder->reconciled, 0);
	const uint64_t later[] = {0, 900, 100, 165};
	assert_int_equal(tern_router_compare(recorder->router, 9, later, 4, &report), 0);
	assert_int_equal(report.reconciled, 1);
	assert_int_equal(recorder->reconciled, 1);
	assert_int_equal(recorder->peer, 9);
	assert_int_equal(recorder->node, 3);
	assert_int_equal(recorder->have, 100);
	assert_int_equal(recorder->told, 165);
	assert_int_equal(tern_router_compare(recorder->router, 9, peer, TERN_NODE_MAX + 2, &report),
			 -EINVAL);
	recorder_close(recorder);
}

static struct tern_consistency compare_with(struct recorder *recorder, uint64_t version)
{
	const uint64_t versions[] = {0, 0, version};
	struct tern_consistency report;
	assert_int_equal(tern_router_compare(recorder->router, 2, versions, 3, &report), 0);
	return report;
}

static struct tern_update published(struct recorder *recorder, uint64_t number)
{
	const struct tern_route route = {.id = number_id(number),
					 .address = on(0, (uint32_t)number),
					 .expires_ns = TERN_ROUTE_FOREVER};
	struct tern_update update;
	assert_int_equal(tern_table_put(tern_router_table(recorder->router), &route, true), 0);
	tern_router_publish(recorder->router, route.id, route.address, &update);
	return update;
}

/* Of a hundred changes of node 2 some arrive, and those told again later. */
static void what_did_not_arrive_is_lacking(void **state)
{
	(void)state;
	struct recorder *here = recorder_open((struct tern_router_options){.node = 1});
	struct recorder *there = recorder_open((struct tern_router_options){.node = 2});
	struct tern_update told[101];
	for (uint64_t i = 1; i <= 100; i++)
		told[i] = published(there, i);
	assert_int_equal(tell(here, told[100]), TERN_APPLIED);
	assert_int_equal(tern_router_version(here->router, 2), 100);
	assert_int_equal(tern_router_complete(here->router, 2), 0);
	struct tern_consistency report = compare_with(here, 100);
	assert_int_equal(report.behind, 1);
	assert_int_equal(report.drift_max, 99);
	assert_int_equal(report.drift_node, 2);
	assert_int_equal(here->reconciled, 1);
	assert_int_equal(here->have, 0);
	for (uint64_t i = 1; i < 100; i++)
		if (i % 10)
			assert_int_equal(tell(here, told[i]), TERN_APPLIED);
	assert_int_equal(compare_with(here, 100).drift_max, 9);
	assert_int_equal(compare_with(here, 9).same + compare_with(here, 9).ahead, 1);
	assert_int_equal(tern_router_complete(here->router, 2), 9);
	for (uint64_t i = 10; i < 100; i += 10)
		assert_int_equal(tell(here, told[i]), TERN_APPLIED);
	assert_int_equal(compare_with(here, 100).same, 1);
	assert_int_equal(tern_router_complete(here->router, 2), 100);
	recorder_close(here);
	recorder_close(there);
}

/* What a node hears has it pass versions over: that is no loss. */
static void a_version_passed_over_is_not_lacking(void **state)
{
	(void)state;
	struct recorder *here = open_node(1), *there = open_node(2);
	assert_int_equal(tell(here, published(there, 1)), TERN_APPLIED);
	assert_int_equal(tell(there, news(9, 3, 500)), TERN_APPLIED);
	struct tern_update lost = published(there, 2), last = published(there, 3);
	assert_int_equal(lost.version, 501);
	assert_int_equal(lost.first, 2);
	assert_int_equal(tell(here, last), TERN_APPLIED);
	assert_int_equal(compare_with(here, 502).drift_max, 500);
	assert_int_equal(tell(here, lost), TERN_APPLIED);
	assert_int_equal(compare_with(here, 502).same, 1);
	recorder_close(here);
	recorder_close(there);
}

static void what_was_not_kept_is_lacking(void **state)
{
	(void)state;
	struct recorder *here = open_node(1);
	for (uint64_t i = 1; i <= 1000; i++)
		assert_int_equal(tell(here, news(i, 2, i)), i <= 64 ? TERN_APPLIED : -ENOSPC);
	struct tern_consistency report = compare_with(here, 1000);
	assert_int_equal(report.behind, 1);
	assert_int_equal(report.drift_max, 936);
	assert_int_equal(here->have, 64);
	/* What was overtaken is never told again: who has told all says so. */
	tern_router_settle(here->router, 2, 990);
	assert_int_equal(compare_with(here, 1000).drift_max, 10);
	tern_router_settle(here->router, 2, 1000);
	assert_int_equal(compare_with(here, 1000).same, 1);
	tern_router_settle(here->router, 2, TERN_VERSION_MAX + 1);
	tern_router_settle(here->router, TERN_NODE_MAX + 1, 1);
	assert_int_equal(tern_router_version(here->router, 2), 1000);
	recorder_close(here);
}

static void two_ids_of_one_address_are_found(void **state)
{
	(void)state;
	struct recorder *recorder = open_node(1);
	struct tern_contradiction found[2];
	for (uint64_t i = 0; i < 40; i++)
		tell(recorder, news(i, 2, i + 1));
	assert_int_equal(tern_router_check(recorder->router, found, 2), 0);
	struct tern_update other = news(50, 2, 60);
	other.address = on(2, 7);
	tell(recorder, other);
	assert_int_equal(tern_router_check(recorder->router, found, 2), 1);
	assert_int_equal(found[0].kind, TERN_CONTRADICTION_SHARED);
	assert_int_equal(found[0].held, on(2, 7));
	assert_true(found[0].id.low == number_id(50).low ||
		    found[0].other.low == number_id(50).low);
	recorder_close(recorder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_comes_to_the_same),
		cmocka_unit_test(nodes_come_to_agree),
		cmocka_unit_test(who_lives_here_is_known_here),
		cmocka_unit_test(a_dead_address_here_is_contradicted),
		cmocka_unit_test(who_is_not_here_is_known_here),
		cmocka_unit_test(outcomes_have_names),
		cmocka_unit_test(no_version_mutes_a_node),
		cmocka_unit_test(the_largest_version_cannot_be_outdone),
		cmocka_unit_test(impossible_news_are_refused),
		cmocka_unit_test(who_lacks_much_asks),
		cmocka_unit_test(what_did_not_arrive_is_lacking),
		cmocka_unit_test(a_version_passed_over_is_not_lacking),
		cmocka_unit_test(what_was_not_kept_is_lacking),
		cmocka_unit_test(two_ids_of_one_address_are_found),
	};
	if (argc > 1)
		seeds = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests_name("router: nodes", tests, NULL, NULL);
}
