/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the report says of each node what was heard, what is lacking and what peers have, page by
 * page, and how many contradict; contradictions that are read while others are noted are whole.
 * Method: changes with gaps by hand under a set clock, beside what tern_router_complete() says;
 * then a thread that brings contradictions whose members belong together, and one that reads them.
 */
#include "tests/unit/dataplane/recorder.h"

#include <pthread.h>

static struct tern_router_report report_of(struct recorder *recorder)
{
	struct tern_router_report report;
	tern_router_report(recorder->router, &report);
	return report;
}

static void tell_one(struct recorder *recorder, uint64_t number, uint16_t node, uint64_t version,
		     uint64_t first)
{
	struct tern_update update = news(number, node, version);
	update.first = first;
	assert_in_range(tern_router_update(recorder->router, &update, NULL), TERN_APPLIED,
			TERN_MERGED);
}

static void drift_is_told_by_node(void **state)
{
	struct recorder *recorder = recorder_open((struct tern_router_options){.node = 3});
	struct tern_router_report report = report_of(recorder);
	struct tern_node_report nodes[4];
	uint64_t versions[10] = {[2] = 17, [7] = 5, [3] = 100};
	uint32_t from = 0;
	(void)state;
	assert_int_equal(report.node, 3);
	assert_int_equal(report.nodes + report.behind + report.drift_node, 0);
	tell_one(recorder, 1, 2, 10, 1);
	tell_one(recorder, 2, 2, 15, 14); /* 11 to 13 are lacking */
	tell_one(recorder, 3, 8191, 4, 1);
	recorder->now += SECOND;
	assert_int_equal(tern_router_compare(recorder->router, 9, versions, 10, NULL), 0);
	report = report_of(recorder);
	assert_int_equal(report.nodes, 3);
	assert_int_equal(report.behind, 2);
	assert_int_equal(report.drift_node, 2);
	assert_int_equal(report.drift_max, 5); /* and 16, 17 */
	assert_int_equal(report.routes, 3);
	assert_int_equal(tern_router_nodes(recorder->router, &from, nodes, 2), 2);
	assert_int_equal(nodes[0].node, 2);
	assert_int_equal(nodes[0].version, 15);
	assert_int_equal(nodes[0].complete, tern_router_complete(recorder->router, 2));
	assert_int_equal(nodes[0].complete, 10);
	assert_int_equal(nodes[0].told, 17);
	assert_int_equal(nodes[0].told_ns, 2 * SECOND);
	assert_int_equal(nodes[0].drift, 5);
	assert_int_equal(nodes[1].node, 7);
	assert_int_equal(nodes[1].drift, 5);
	assert_int_equal(tern_router_nodes(recorder->router, &from, nodes, 2), 1);
	assert_int_equal(nodes[0].node, 8191);
	assert_int_equal(nodes[0].drift, 0);
	assert_int_equal(nodes[0].complete, 4);
	assert_int_equal(tern_router_nodes(recorder->router, &from, nodes, 2), 0);
	assert_true(from > TERN_NODE_MAX);
	tern_router_settle(recorder->router, 2, 17);
	tern_router_settle(recorder->router, 7, 5);
	report = report_of(recorder);
	assert_int_equal(report.behind + report.drift_node, 0);
	recorder_close(recorder);
}

enum { NOTED = 20000 };

struct reading {
	struct tern_router *router;
	uint64_t read;
	bool over;
};

static void *read_on(void *argument)
{
	struct reading *reading = argument;
	struct tern_contradiction found[TERN_CONTRADICTIONS_KEPT];
	bool last;
	do {
		last = seen(&reading->over);
		uint32_t count = tern_router_contradictions(reading->router, found,
							    TERN_CONTRADICTIONS_KEPT);
		for (uint32_t i = 0; i < count; i++, reading->read++) {
			assert_int_equal(found[i].kind, TERN_CONTRADICTION_NOT_HERE);
			assert_int_equal(tern_address_slot(found[i].claimed), found[i].id.low);
			assert_true(i == 0 || found[i].id.low == found[i - 1].id.low - 1);
		}
	} while (!last);
	return NULL;
}

static void contradictions_are_read_whole(void **state)
{
	struct recorder *recorder =
		recorder_open((struct tern_router_options){.absent_max = NOTED});
	struct reading reading = {.router = recorder->router};
	pthread_t thread;
	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, read_on, &reading), 0);
	for (uint32_t i = 1; i <= NOTED; i++) {
		struct tern_update update = {.id = {.high = 5, .low = i},
					     .address = on(1, i),
					     .version = i,
					     .origin = 2,
					     .source = TERN_ROUTE_GOSSIP};
		assert_int_equal(tern_router_update(recorder->router, &update, NULL),
				 TERN_REJECTED);
	}
	put(&reading.over, true);
	pthread_join(thread, NULL);
	assert_true(reading.read >= TERN_CONTRADICTIONS_KEPT);
	assert_int_equal(report_of(recorder).contradictions, NOTED);
	recorder_close(recorder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drift_is_told_by_node),
		cmocka_unit_test(contradictions_are_read_whole),
	};
	return cmocka_run_group_tests_name("router: report", tests, NULL, NULL);
}
