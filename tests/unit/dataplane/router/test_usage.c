/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: lookups are counted by capability over all readers, each once, be they counted apart or
 * with all others; those timed have their times; names are kept for people. Method: random lookups
 * of more capabilities than are counted apart beside a plain array of counts, and a clock that
 * moves at each look.
 */
#include "tests/unit/dataplane/recorder.h"

enum { CAPABILITIES = 200, READERS = 3, LOOKUPS = 20000, ROWS = 2 * CAPABILITIES };

struct expected {
	uint64_t lookups, unknown, answers;
};

static struct tern_id capability_id(uint32_t number)
{
	return make_id(9, 3, 1 + number);
}

static struct recorder *open_recorder(uint32_t sample_every)
{
	struct recorder *recorder = recorder_open(
		(struct tern_router_options){.readers = READERS, .sample_every = sample_every});
	for (uint32_t i = 0; i < CAPABILITIES; i++)
		for (uint32_t agent = 0; agent < i % 4; agent++)
			assert_int_equal(tern_router_offer(recorder->router, capability_id(i),
							   number_id(agent), on(2, agent)),
					 0);
	return recorder;
}

static uint32_t number_of_capability(struct tern_id id)
{
	for (uint32_t i = 0; i < CAPABILITIES; i++)
		if (memcmp(&id, &(struct tern_id){capability_id(i).high, capability_id(i).low},
			   sizeof(id)) == 0)
			return i;
	return CAPABILITIES;
}

static void each_lookup_counts_once(void **state)
{
	struct tern_rng rng = tern_rng_stream(test_seed(7), 0);
	struct expected expected[CAPABILITIES] = {0}, others = {0};
	struct tern_capability_counts counts[ROWS];
	struct recorder *recorder = open_recorder(0);
	tern_address found[4];
	(void)state;
	for (uint32_t i = 0; i < LOOKUPS; i++) {
		uint32_t which = pick(&rng, CAPABILITIES);
		uint32_t told = tern_router_providers(recorder->router, pick(&rng, READERS),
						      capability_id(which), found, 4);
		assert_int_equal(told, which % 4);
		expected[which].lookups++;
		expected[which].unknown += told == 0;
		expected[which].answers += told;
	}
	uint32_t count = tern_router_capabilities(recorder->router, counts, ROWS);
	assert_in_range(count, 2, READERS * TERN_CAPABILITIES_COUNTED + 1);
	for (uint32_t i = 0; i + 1 < count; i++) {
		uint32_t which = number_of_capability(counts[i].capability);
		assert_in_range(which, 0, CAPABILITIES - 1);
		assert_true(i == 0 || counts[i].lookups <= counts[i - 1].lookups);
		assert_true(counts[i].lookups <= expected[which].lookups);
		assert_int_equal(counts[i].answers, counts[i].lookups * (which % 4));
		assert_int_equal(counts[i].unknown, which % 4 ? 0 : counts[i].lookups);
		assert_int_equal(counts[i].timed, 0);
	}
	struct tern_id none = {0};
	assert_memory_equal(&counts[count - 1].capability, &none, sizeof(none));
	struct expected sum = {0};
	for (uint32_t i = 0; i < count; i++) {
		sum.lookups += counts[i].lookups;
		sum.unknown += counts[i].unknown;
		sum.answers += counts[i].answers;
	}
	for (uint32_t i = 0; i < CAPABILITIES; i++) {
		others.lookups += expected[i].lookups;
		others.unknown += expected[i].unknown;
		others.answers += expected[i].answers;
	}
	assert_memory_equal(&sum, &others, sizeof(sum));
	/* Fewer places: the rest is with the others. */
	assert_int_equal(tern_router_capabilities(recorder->router, counts, 3), 3);
	assert_int_equal(counts[0].lookups + counts[1].lookups + counts[2].lookups, LOOKUPS);
	assert_int_equal(tern_router_capabilities(recorder->router, counts, 0), 0);
	recorder_close(recorder);
}

/* Few are all apart, and exact. */
static void few_are_counted_apart(void **state)
{
	struct recorder *recorder = open_recorder(0);
	struct tern_capability_counts counts[ROWS];
	tern_address found[4];
	(void)state;
	for (uint32_t i = 0; i < 8; i++)
		for (uint32_t n = 0; n <= i; n++)
			tern_router_providers(recorder->router, n % READERS, capability_id(i),
					      found, 4);
	assert_int_equal(tern_router_capabilities(recorder->router, counts, ROWS), 8);
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(number_of_capability(counts[i].capability), 7 - i);
		assert_int_equal(counts[i].lookups, 8 - i);
	}
	recorder_close(recorder);
}

/* Each look at the clock takes 10 ns. */
static uint64_t clock_that_moves(void *context)
{
	return ((struct recorder *)context)->now += 10;
}

static void times_are_those_of_the_capability(void **state)
{
	struct recorder recorder = {.now = SECOND};
	const struct tern_router_calls calls = {.now = clock_that_moves};
	const struct tern_router_options options = {.table = {.routes_max = 100},
						    .sample_every = 4,
						    .calls = &calls,
						    .context = &recorder};
	struct tern_router *router = make_router(&options);
	struct tern_capability_counts counts[2];
	tern_address found;
	(void)state;
	for (uint32_t i = 0; i < 40; i++)
		tern_router_providers(router, 0, capability_id(1), &found, 1);
	assert_int_equal(tern_router_capabilities(router, counts, 2), 1);
	assert_int_equal(counts[0].lookups, 40);
	assert_int_equal(counts[0].timed, 10);
	assert_int_equal(counts[0].ns, 100);
	assert_int_equal(counts[0].ns_max, 10);
	tern_router_destroy(router);
}

static void names_are_kept(void **state)
{
	struct recorder *recorder = recorder_open((struct tern_router_options){0});
	char name[80];
	(void)state;
	assert_null(tern_router_label_of(recorder->router, capability_id(0)));
	for (uint32_t i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "capability %u", i);
		tern_router_label(recorder->router, capability_id(i), name);
		tern_router_label(recorder->router, capability_id(i), "another");
	}
	assert_string_equal(tern_router_label_of(recorder->router, capability_id(0)),
			    "capability 0");
	assert_string_equal(tern_router_label_of(recorder->router, capability_id(255)),
			    "capability 255");
	assert_null(tern_router_label_of(recorder->router, capability_id(256)));
	recorder_close(recorder);
	recorder = recorder_open((struct tern_router_options){0});
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	tern_router_label(recorder->router, capability_id(0), name);
	assert_int_equal(strlen(tern_router_label_of(recorder->router, capability_id(0))), 63);
	recorder_close(recorder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_lookup_counts_once),
		cmocka_unit_test(few_are_counted_apart),
		cmocka_unit_test(times_are_those_of_the_capability),
		cmocka_unit_test(names_are_kept),
	};
	return cmocka_run_group_tests_name("usage", tests, NULL, NULL);
}
