/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: nodes that get the same updates of an id come to hold the same, whatever the order, and
 * however often each comes; and an update is called by its right name.
 * Method: the laws of a join, tried on random updates drawn from few values so that they collide;
 * sequences shuffled and repeated; then one example for each name. The seed is printed at a
 * failure; the first argument gives the number of seeds, the second the first one.
 */
#include "tests/unit/support.h"

#include "tern_update.h"

enum { TRIPLES = 200, NEWS = 12 };

static uint64_t seeds = 1000, first_seed = 1;

/* Of few versions, addresses and origins; an origin counts no version twice. */
static struct tern_update draw(struct tern_rng *rng)
{
	struct tern_update update = {.id = {.high = 1, .low = 2},
				     .origin = (uint16_t)(1 + pick(rng, 3)),
				     .version = 1 + pick(rng, 3),
				     .base = pick(rng, 3)};
	bool agrees = pick(rng, 2);
	uint32_t which = agrees ? 0 : update.origin + 4 * (uint32_t)update.version;
	update.address = pick(rng, 4) ? tern_address_make(1 + which % 5, which, 1) : 0;
	update.hops = (uint8_t)(1 + update.origin);
	update.source = agrees ? TERN_ROUTE_GOSSIP : TERN_ROUTE_DISCOVERY;
	update.first = pick(rng, (uint32_t)update.version + 1);
	update.left_ns = pick(rng, 3);
	return update;
}

static bool same(struct tern_update a, struct tern_update b)
{
	return a.id.high == b.id.high && a.id.low == b.id.low && a.address == b.address &&
	       a.version == b.version && a.base == b.base && a.origin == b.origin &&
	       a.hops == b.hops && a.source == b.source && a.first == b.first &&
	       a.left_ns == b.left_ns;
}

static void joins_are_joins(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
		struct tern_rng rng = tern_rng_stream(seed, 0);
		for (int i = 0; i < TRIPLES; i++) {
			struct tern_update a = draw(&rng), b = draw(&rng), c = draw(&rng);
			struct tern_update ab = tern_update_join(&a, &b);
			struct tern_update ba = tern_update_join(&b, &a);
			struct tern_update bc = tern_update_join(&b, &c);
			if (!same(ab, ba))
				fail_msg("seed %" PRIu64 ": not commutative", seed);
			if (!same(tern_update_join(&ab, &c), tern_update_join(&a, &bc)))
				fail_msg("seed %" PRIu64 ": not associative", seed);
			if (!same(tern_update_join(&a, &a), a) ||
			    !same(tern_update_join(&ab, &b), ab))
				fail_msg("seed %" PRIu64 ": not idempotent", seed);
			if (ab.version < a.version || ab.version < b.version)
				fail_msg("seed %" PRIu64 ": a version went down", seed);
		}
	}
}

static struct tern_update join_all(const struct tern_update *updates, struct tern_rng *rng)
{
	struct tern_update held = {.id = updates[0].id};
	bool told[NEWS] = {false};
	for (uint32_t left = NEWS; left > 0;) {
		uint32_t which = pick(rng, NEWS);
		left -= !told[which];
		told[which] = true;
		held = tern_update_join(&held, &updates[which]);
	}
	return held;
}

static void any_order_comes_to_the_same(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
		struct tern_rng rng = tern_rng_stream(seed, 1);
		struct tern_update updates[NEWS];
		for (int i = 0; i < NEWS; i++)
			updates[i] = draw(&rng);
		struct tern_update held = join_all(updates, &rng);
		for (int i = 0; i < 5; i++)
			if (!same(join_all(updates, &rng), held))
				fail_msg("seed %" PRIu64 ": two orders differ", seed);
	}
}

static void resolving_and_joining_agree(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
		struct tern_rng rng = tern_rng_stream(seed, 2);
		struct tern_update held = draw(&rng), update = draw(&rng);
		struct tern_update joined = tern_update_join(&held, &update);
		switch (tern_update_resolve(&held, &update)) {
		case TERN_RESOLUTION_ACCEPT:
			assert_true(same(joined, update));
			assert_int_not_equal(tern_update_order(&held, &update), TERN_UPDATE_OLDER);
			break;
		case TERN_RESOLUTION_REJECT:
			assert_true(same(joined, held));
			assert_int_not_equal(tern_update_order(&held, &update), TERN_UPDATE_NEWER);
			break;
		case TERN_RESOLUTION_MERGE:
			assert_int_equal(joined.version, held.version);
			assert_int_equal(joined.address, held.address);
			break;
		}
	}
}

static void each_has_its_name(void **state)
{
	(void)state;
	const struct tern_update nothing = {.version = 0};
	const struct tern_update held = {
		.address = tern_address_make(2, 7, 1), .version = 10, .origin = 2, .hops = 3};
	struct tern_update update = held;
	assert_int_equal(tern_update_order(&nothing, &update), TERN_UPDATE_NEWER);
	assert_int_equal(tern_update_order(&held, &update), TERN_UPDATE_SAME);
	update.version = 11;
	assert_int_equal(tern_update_order(&held, &update), TERN_UPDATE_NEWER);
	update.origin = 3;
	update.base = 10;
	assert_int_equal(tern_update_order(&held, &update), TERN_UPDATE_NEWER);
	update.base = 9;
	assert_int_equal(tern_update_order(&held, &update), TERN_UPDATE_CONCURRENT);
	assert_int_equal(tern_update_resolve(&held, &update), TERN_RESOLUTION_ACCEPT);
	update.version = 9;
	assert_int_equal(tern_update_order(&held, &update), TERN_UPDATE_OLDER);
	assert_int_equal(tern_update_resolve(&held, &update), TERN_RESOLUTION_REJECT);
	update.version = 10;
	update.hops = 1;
	assert_int_equal(tern_update_order(&held, &update), TERN_UPDATE_CONCURRENT);
	assert_int_equal(tern_update_resolve(&held, &update), TERN_RESOLUTION_MERGE);
	assert_int_equal(tern_update_join(&held, &update).hops, 1);
	update.address = TERN_ADDRESS_NONE;
	assert_int_equal(tern_update_resolve(&held, &update), TERN_RESOLUTION_ACCEPT);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_are_joins),
		cmocka_unit_test(any_order_comes_to_the_same),
		cmocka_unit_test(resolving_and_joining_agree),
		cmocka_unit_test(each_has_its_name),
	};
	if (argc > 1)
		seeds = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests_name("updates", tests, NULL, NULL);
}
