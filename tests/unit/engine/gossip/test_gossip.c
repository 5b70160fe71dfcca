/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a miss asks each peer once and holds the answer; an agent's end, and what it no longer
 * offers, is heard; what a peer cannot know, or what is malformed, is refused and changes nothing;
 * a telling that lacks a part settles nothing; who has nothing to say says nothing. Method: two
 * polled engines under virtual clocks, payloads looked at and carried by hand.
 */
#include "tests/unit/support.h"

#include "engine/gossip/gossip.h"

#define MS 1000000ull

struct pair {
	struct world worlds[2];
	struct tern_gossip *gossip[2]; /* of nodes 1 and 2 */
};

static uint64_t now_at(const struct pair *pair, int side)
{
	return tern_engine_now(pair->worlds[side].engine);
}

static struct pair *open_pair(void)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	struct tern_config config;
	assert_non_null(pair);
	for (int side = 0; side < 2; side++) {
		world_config(&config, true);
		config.max_agents = 256;
		config.router.node = (uint32_t)side + 1;
		config.router.version = 1000;
		config.router.compare_ms = 10;
		config.router.absent_ms = 50;
		config.router.drift_ms = 30;
		config.router.tell_ms = 100;
		config.router.ttl_ms = 1000;
		world_open(&pair->worlds[side], &config);
		assert_int_equal(
			tern_gossip_create(&pair->gossip[side], pair->worlds[side].engine, 4, NULL),
			0);
	}
	assert_int_equal(tern_gossip_add(pair->gossip[0], 2, now_at(pair, 0)), 0);
	assert_int_equal(tern_gossip_add(pair->gossip[1], 1, now_at(pair, 1)), 0);
	return pair;
}

static void close_pair(struct pair *pair)
{
	for (int side = 0; side < 2; side++) {
		tern_gossip_destroy(pair->gossip[side]);
		world_close(&pair->worlds[side]);
	}
	free(pair);
}

/* What leaves a side now: those of a kind are counted; all are carried over, unless they are kept.
 */
static uint32_t carry(struct pair *pair, int side, enum tern_payload_kind kind, bool keep)
{
	uint8_t bytes[TERN_PAYLOAD_MAX];
	struct tern_payload payload;
	uint32_t count = 0;
	uint16_t to = 0;
	size_t size;
	while ((size = tern_gossip_next(pair->gossip[side], now_at(pair, side), &to, bytes)) != 0) {
		assert_int_equal(to, 2 - side);
		assert_int_equal(tern_payload_read(&payload, bytes, size), 0);
		count += payload.kind == kind;
		if (keep && payload.kind == kind)
			continue;
		assert_int_equal(tern_gossip_take(pair->gossip[!side], (uint16_t)(side + 1), bytes,
						  size, now_at(pair, !side)),
				 0);
	}
	return count;
}

static void pass_ms(struct pair *pair, uint32_t ms)
{
	for (uint32_t i = 0; i < ms; i++)
		for (int side = 0; side < 2; side++) {
			tern_engine_advance(pair->worlds[side].engine, MS);
			world_settle(&pair->worlds[side]);
			carry(pair, side, TERN_PAYLOAD_KINDS, false);
		}
}

static tern_address spawn_named(struct pair *pair, int side, const char *name)
{
	struct tern_spawn_options options = {.name = name};
	struct world *world = &pair->worlds[side];
	tern_address agent;
	assert_int_equal(
		tern_spawn(world->self, &probe_behaviour, world_probes(world, 1), &options, &agent),
		0);
	world_settle(world);
	return agent;
}

static bool finds(struct pair *pair, int side, const char *name, tern_address *found)
{
	return tern_find(pair->worlds[side].self, name, found) == 0;
}

static void a_miss_asks_once_and_holds_the_answer(void **state)
{
	struct pair *pair = open_pair();
	tern_address found, far = spawn_named(pair, 1, "far");
	(void)state;
	pass_ms(pair, 20);
	for (int i = 0; i < 3; i++) {
		assert_false(finds(pair, 0, "far", &found));
		assert_false(finds(pair, 0, "nobody", &found));
	}
	assert_int_equal(tern_gossip_stats(pair->gossip[0])->asked, 0);
	assert_int_equal(carry(pair, 0, TERN_PAYLOAD_WHO, false), 1);
	assert_int_equal(tern_gossip_stats(pair->gossip[0])->asked, 2);
	assert_int_equal(tern_gossip_stats(pair->gossip[1])->answered, 1);
	assert_int_equal(carry(pair, 1, TERN_PAYLOAD_NEWS, false) > 0, 1);
	assert_true(finds(pair, 0, "far", &found));
	assert_int_equal(found, far | tern_address_make(2, 0, 0));
	/* Long after its time to live: its node tells of it again. */
	pass_ms(pair, 5000);
	assert_true(finds(pair, 0, "far", &found));
	assert_int_equal(tern_gossip_stats(pair->gossip[0])->asked, 2);
	/* Nobody is asked for again past its time, and only then. */
	assert_false(finds(pair, 0, "nobody", &found));
	assert_int_equal(carry(pair, 0, TERN_PAYLOAD_WHO, false), 1);
	assert_int_equal(tern_agent_stop(pair->worlds[1].self, far), 0);
	pass_ms(pair, 30);
	assert_false(finds(pair, 0, "far", &found));
	close_pair(pair);
}

TERN_HANDLER(static, offer_or_not)
{
	(void)state;
	assert_int_equal(signal->type ? tern_offer(self, "quotes") : tern_withdraw(self, "quotes"),
			 0);
}

static const struct tern_behaviour offering = {.name = "offering", .handler = offer_or_not};

static void what_is_no_longer_offered_is_heard(void **state)
{
	struct pair *pair = open_pair();
	struct world *far = &pair->worlds[1];
	tern_address agents[3], found[4];
	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		agents[i] = spawn_on(far->self, 0, &offering, NULL);
		assert_int_equal(tern_signal_bytes(far->self, agents[i], 1, NULL, 0), 0);
	}
	world_settle(far);
	assert_int_equal(tern_providers(pair->worlds[0].self, "quotes", found, 4), 0);
	pass_ms(pair, 3);
	assert_int_equal(tern_providers(pair->worlds[0].self, "quotes", found, 4), 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(found[i], agents[i] | tern_address_make(2, 0, 0));
	assert_int_equal(tern_signal_bytes(far->self, agents[1], 0, NULL, 0), 0);
	pass_ms(pair, 110);
	assert_int_equal(tern_providers(pair->worlds[0].self, "quotes", found, 4), 2);
	/* The peer goes: what it had is not known any more. */
	assert_int_equal(tern_gossip_remove(pair->gossip[0], 2), 0);
	assert_int_equal(tern_gossip_remove(pair->gossip[0], 2), -ENOENT);
	assert_int_equal(tern_providers(pair->worlds[0].self, "quotes", found, 4), 0);
	close_pair(pair);
}

static int take(struct pair *pair, const struct tern_payload *payload)
{
	uint8_t bytes[TERN_PAYLOAD_MAX];
	size_t size = tern_payload_write(payload, bytes);
	return tern_gossip_take(pair->gossip[0], 2, bytes, size, now_at(pair, 0));
}

static struct tern_payload news_of(uint64_t number, uint16_t origin, uint16_t node)
{
	struct tern_payload payload = {.kind = TERN_PAYLOAD_NEWS, .count = 1};
	payload.updates[0] = (struct tern_update){.id = {.high = 7, .low = number},
						  .address = tern_address_make(node, 70000, 1),
						  .version = 5000 + number,
						  .origin = origin,
						  .source = TERN_ROUTE_GOSSIP};
	return payload;
}

static uint64_t routes_of(struct pair *pair)
{
	struct tern_router_report report;
	tern_router_report(tern_engine_router(pair->worlds[0].engine), &report);
	return report.routes;
}

static void what_a_peer_cannot_know_is_refused(void **state)
{
	struct pair *pair = open_pair();
	const uint8_t byte = 1;
	(void)state;
	struct tern_payload payload = news_of(1, 2, 3);
	assert_int_equal(take(pair, &payload), -EBADMSG);
	payload = news_of(2, 2, 2);
	payload.number = 9;
	payload.node = 3; /* a telling of another node's changes */
	assert_int_equal(take(pair, &payload), -EBADMSG);
	payload = news_of(3, 1, 2);
	payload.number = 9;
	payload.node = 1; /* of this node's own */
	assert_int_equal(take(pair, &payload), -EBADMSG);
	payload = news_of(4, 3, 3);
	payload.kind = TERN_PAYLOAD_PROVIDERS;
	assert_int_equal(take(pair, &payload), -EBADMSG);
	assert_int_equal(tern_gossip_take(pair->gossip[0], 2, &byte, 1, 0), -EBADMSG);
	assert_int_equal(tern_gossip_take(pair->gossip[0], 3, &byte, 1, 0), -ENOENT);
	assert_int_equal(tern_gossip_take(pair->gossip[0], 9000, &byte, 1, 0), -ENOENT);
	assert_int_equal(routes_of(pair), 0);
	assert_int_equal(tern_gossip_stats(pair->gossip[0])->refused, 5);
	assert_int_equal(tern_gossip_stats(pair->gossip[0])->taken, 0);
	/* A third node's agents anybody may know of. */
	payload = news_of(5, 3, 3);
	assert_int_equal(take(pair, &payload), 0);
	assert_int_equal(routes_of(pair), 1);
	close_pair(pair);
}

static void publish_all(struct pair *pair, uint32_t count)
{
	struct world *world = &pair->worlds[1];
	struct tern_router *router = tern_engine_router(world->engine);
	for (uint32_t i = 0; i < count; i++) {
		struct tern_update told;
		struct tern_id id;
		tern_address agent =
			spawn_on(world->self, 0, &probe_behaviour, world_probes(world, 1));
		assert_int_equal(tern_agent_id(world->self, agent, &id), 0);
		tern_reader_begin(world->self);
		assert_int_equal(tern_router_publish(router, id, agent, &told), 0);
		tern_reader_end(world->self);
	}
	world_settle(world);
}

static uint64_t complete_of(struct pair *pair)
{
	return tern_router_complete(tern_engine_router(pair->worlds[0].engine), 2);
}

/* One of four parts is lost: what was in it is asked for once it has been lacking for drift_ms. */
static void a_telling_without_a_part_settles_nothing(void **state)
{
	struct pair *pair = open_pair();
	uint8_t bytes[TERN_PAYLOAD_MAX];
	uint32_t parts = 0;
	uint16_t to;
	size_t size;
	(void)state;
	pass_ms(pair, 5);
	publish_all(pair, 80);
	uint64_t before = complete_of(pair);
	for (int side = 0; side < 2; side++)
		tern_engine_advance(pair->worlds[side].engine, 2 * MS);
	for (int i = 0; i < 50; i++) {
		struct tern_payload payload;
		size = tern_gossip_next(pair->gossip[1], now_at(pair, 1), &to, bytes);
		if (size == 0)
			continue;
		assert_int_equal(tern_payload_read(&payload, bytes, size), 0);
		if (payload.kind == TERN_PAYLOAD_NEWS && parts++ == 1)
			continue;
		assert_int_equal(tern_gossip_take(pair->gossip[0], 2, bytes, size, now_at(pair, 0)),
				 0);
	}
	assert_int_equal(parts, 4);
	assert_int_equal(routes_of(pair), 58);
	assert_true(complete_of(pair) < before + 80);
	pass_ms(pair, 60);
	assert_int_equal(routes_of(pair), 80);
	assert_int_equal(complete_of(pair),
			 tern_router_version(tern_engine_router(pair->worlds[1].engine), 2));
	assert_true(tern_gossip_stats(pair->gossip[0])->reconciled >= 1);
	close_pair(pair);
}

/* What lies below it may be lacking. */
static void a_telling_above_what_is_known_settles_nothing(void **state)
{
	struct pair *pair = open_pair();
	struct tern_payload payload = news_of(4001, 2, 2);
	(void)state;
	payload.updates[0].first = payload.complete = payload.updates[0].version;
	payload.number = 9;
	payload.node = 2;
	payload.above = payload.complete - 1;
	payload.last = true;
	assert_int_equal(take(pair, &payload), 0);
	assert_int_equal(routes_of(pair), 1);
	assert_int_equal(complete_of(pair), 0);
	assert_int_equal(tern_gossip_stats(pair->gossip[0])->settled, 0);
	payload.number = 10;
	payload.above = 0;
	assert_int_equal(take(pair, &payload), 0);
	assert_int_equal(complete_of(pair), payload.complete);
	close_pair(pair);
}

static void who_has_nothing_to_say_is_silent(void **state)
{
	struct pair *pair = open_pair();
	uint8_t bytes[TERN_PAYLOAD_MAX];
	uint16_t to;
	(void)state;
	pass_ms(pair, 3);
	carry(pair, 0, TERN_PAYLOAD_KINDS, false);
	uint64_t now = now_at(pair, 0), due = tern_gossip_due(pair->gossip[0]);
	assert_true(due > now);
	assert_int_equal(tern_gossip_next(pair->gossip[0], now, &to, bytes), 0);
	assert_int_equal(tern_gossip_next(pair->gossip[0], due - 1, &to, bytes), 0);
	assert_int_equal(tern_gossip_due(pair->gossip[0]), due);
	/* Versions each 10 ms, its agents each 100 ms, and nothing else. */
	uint64_t sent = tern_gossip_stats(pair->gossip[0])->sent;
	pass_ms(pair, 1000);
	assert_in_range(tern_gossip_stats(pair->gossip[0])->sent - sent, 105, 115);
	close_pair(pair);
}

static void peers_are_other_nodes(void **state)
{
	struct pair *pair = open_pair();
	struct tern_gossip *none = NULL;
	struct tern_error error;
	struct world world;
	struct tern_config config;
	(void)state;
	assert_int_equal(tern_gossip_add(pair->gossip[0], 1, 0), -EINVAL);
	assert_int_equal(tern_gossip_add(pair->gossip[0], 0, 0), -EINVAL);
	assert_int_equal(tern_gossip_add(pair->gossip[0], 8192, 0), -EINVAL);
	for (uint16_t peer = 3; peer < 6; peer++)
		assert_int_equal(tern_gossip_add(pair->gossip[0], peer, 0), 0);
	assert_int_equal(tern_gossip_add(pair->gossip[0], 6, 0), -ENOSPC);
	assert_int_equal(tern_gossip_create(&none, pair->worlds[0].engine, 0, &error), -EINVAL);
	close_pair(pair);
	world_config(&config, true);
	world_open(&world, &config);
	assert_int_equal(tern_gossip_create(&none, world.engine, 4, &error), -EINVAL);
	assert_non_null(strstr(error.text, "router.node"));
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_miss_asks_once_and_holds_the_answer),
		cmocka_unit_test(what_is_no_longer_offered_is_heard),
		cmocka_unit_test(what_a_peer_cannot_know_is_refused),
		cmocka_unit_test(a_telling_without_a_part_settles_nothing),
		cmocka_unit_test(a_telling_above_what_is_known_settles_nothing),
		cmocka_unit_test(who_has_nothing_to_say_is_silent),
		cmocka_unit_test(peers_are_other_nodes),
	};
	return cmocka_run_group_tests_name("gossip", tests, NULL, NULL);
}
