/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what is said of a router's memory is what it takes, within 5 %; memory is shared out as
 * said.
 * Method: routers of several sizes, with 1 to 64 shards, filled to what they were made for, in
 * pages of 4 KiB; ids are the same in each run.
 */
#include "tests/unit/dataplane/recorder.h"

static void assert_near(const char *what, uint64_t said, uint64_t taken)
{
	uint64_t off = said > taken ? said - taken : taken - said;
	if (off * 20 > taken)
		fail_msg("%s: %" PRIu64 " bytes said, %" PRIu64 " taken", what, said, taken);
}

/* Remote routes, missing ids, and agents in two sets each, of sixteen members. */
static void fill(struct recorder *recorder, const struct tern_router_load *load)
{
	for (uint64_t i = 0; i < load->agents; i++) {
		const struct tern_route route = {.id = number_id(i),
						 .address = on(0, (uint32_t)i),
						 .expires_ns = TERN_ROUTE_FOREVER};
		assert_int_equal(tern_table_put(tern_router_table(recorder->router), &route, false),
				 0);
	}
	for (uint64_t i = 0; i < load->remote; i++) {
		struct tern_route route = {.id = number_id(load->agents + i),
					   .address = on(2, (uint32_t)i),
					   .expires_ns = 100 * SECOND,
					   .source = TERN_ROUTE_GOSSIP};
		assert_int_equal(tern_table_put(tern_router_table(recorder->router), &route, false),
				 0);
	}
	for (uint64_t i = 0; i < load->absent; i++)
		assert_false(is_known(recorder, (1ull << 32) + i));
	for (uint64_t i = 0; i < load->members; i++)
		assert_int_equal(tern_router_offer(recorder->router, number_id(i / 16),
						   number_id(i % (load->members / 2)),
						   on(0, (uint32_t)i)),
				 0);
}

static void check(struct tern_router_options options, const struct tern_router_load *load)
{
	options.table.page_bytes_max = 4096;
	struct recorder *recorder = recorder_open(options);
	fill(recorder, load);
	struct tern_router_bytes taken = router_stats(recorder).bytes;
	struct tern_router_bytes said = tern_router_bytes(load, options.table.shards);
	assert_near("routes", said.routes, taken.routes);
	assert_near("missing ids", said.absent, taken.absent);
	assert_near("sets", said.sets, taken.sets);
	recorder_close(recorder);
}

static const uint32_t shard_counts[] = {1, 2, 4, 8, 16, 64};
static const uint64_t seed[2] = {5, 8};

static void what_is_said_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(shard_counts); i++)
		for (uint64_t scale = 512; scale <= 100352; scale *= 14) {
			const struct tern_router_load load = {.agents = 2 * scale,
							      .remote = scale,
							      .absent = scale,
							      .sets = 2 * scale / 16,
							      .members = 2 * scale};
			check((struct tern_router_options){.table = {.routes_max = 3 * scale,
								     .routes_expected = 3 * scale,
								     .shards = shard_counts[i],
								     .seed = seed},
							   .absent_max = (uint32_t)scale,
							   .sets_max = 65536,
							   .members_max = 2 * scale,
							   .agents_expected = scale},
			      &load);
		}
}

/* Near what is said, and never more than there is. */
static void share_out(uint64_t bytes, uint32_t shards)
{
	struct tern_router_options options = {.table = {.shards = shards, .seed = seed}};
	assert_int_equal(tern_router_split(bytes, &options), 0);
	options.table.page_bytes_max = 4096;
	const struct tern_router_load load = {
		.remote = options.table.routes_max,
		.absent = options.absent_max,
		.sets = options.sets_max,
		.members = options.members_max / 16 * 16,
	};
	struct recorder *recorder = recorder_open(options);
	fill(recorder, &load);
	struct tern_router_bytes taken = router_stats(recorder).bytes;
	assert_near("60 % for routes", bytes / 100 * 60, taken.routes);
	assert_near("25 % for missing ids", bytes / 100 * 25, taken.absent);
	assert_near("15 % for sets", bytes / 100 * 15, taken.sets);
	assert_in_range(taken.routes + taken.absent + taken.sets, 1, bytes);
	recorder_close(recorder);
}

static void memory_is_shared_out(void **state)
{
	(void)state;
	struct tern_router_options options = {0};
	assert_int_equal(tern_router_split(1000, &options), -EINVAL);
	/* More memory than a table of one shard can use. */
	assert_int_equal(tern_router_split(1ull << 38, &options), 0);
	assert_int_equal(options.table.routes_max, TERN_TABLE_SHARD_ROUTES_MAX / 16 * 15);
	assert_int_equal(options.absent_max, 1u << 27);
	assert_int_equal(options.members_max, TERN_SETS_MEMBERS_MAX);
	assert_in_range(options.sets_max, 1, TERN_SETS_MAX);
	for (size_t i = 0; i < RTE_DIM(shard_counts); i++)
		for (uint64_t bytes = 8u << 20; bytes <= 64u << 20; bytes *= 8)
			share_out(bytes, shard_counts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_is_taken),
		cmocka_unit_test(memory_is_shared_out),
	};
	return cmocka_run_group_tests_name("router: size", tests, NULL, NULL);
}
