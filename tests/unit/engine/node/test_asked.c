/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Goal: what is asked of a running node from outside is done by its lcores: a ping is answered by
 * the other node, lost, or refused by name, one at a time, and a late answer is nobody's; faults
 * begin, change and end while signals go on, each lcore takes them up, and afterwards it sends to
 * its port itself again.
 * Method: two engines, polled by one thread on virtual clocks, with a wire between them.
 */
#include "engine/lcore/engine.h"
#include "engine/mail/control.h"
#include "engine/node/node.h"
#include "two_nodes.h"
#include "wire.h"

#define STEP_NS 1000u
#define NODES 2
#define LCORES 2

struct pair {
	struct wire_end ends[NODES];
	struct tern_engine *engines[NODES];
};

static void open_engine(struct pair *pair, unsigned i)
{
	struct tern_config config;
	node_config_polled(&config, i + 1, LCORES, &pair->ends[i].port);
	config.log_level = TERN_LOG_ERROR;
	pair->engines[i] = node_start(&config);
}

static void pair_step(struct pair *pair)
{
	for (int i = 0; i < NODES; i++) {
		for (uint32_t l = 0; l < LCORES; l++)
			tern_lcore_poll(tern_engine_lcore(pair->engines[i], l));
		tern_engine_advance(pair->engines[i], STEP_NS);
	}
}

static void pair_run(struct pair *pair, uint32_t us)
{
	for (uint32_t i = 0; i < us; i++)
		pair_step(pair);
}

static void open_pair(struct pair *pair)
{
	const uint16_t queues[] = {LCORES, LCORES};
	wire_join(pair->ends, queues);
	for (unsigned i = 0; i < NODES; i++)
		open_engine(pair, i);
	for (int i = 0; i < 100000 && !nodes_are_connected(pair->engines); i++)
		pair_step(pair);
	assert_true(tern_node_connected(pair->engines[0], 2));
}

static void close_pair(struct pair *pair)
{
	pair_run(pair, 200);
	for (int i = 0; i < NODES; i++)
		pair->ends[i].is_cut = true;
	wire_drain(pair->ends);
	for (int i = 0; i < NODES; i++)
		assert_int_equal(tern_engine_stop(pair->engines[i], 1000000000, NULL), 0);
	wire_drain(pair->ends);
}

static struct tern_node *node_of(const struct pair *pair)
{
	return pair->engines[0]->node;
}

static int64_t ping_await(struct pair *pair, uint64_t word)
{
	int64_t result = tern_node_ping_result(node_of(pair), word);
	for (int i = 0; i < 1100000 && result == -EINPROGRESS; i++) {
		pair_step(pair);
		result = tern_node_ping_result(node_of(pair), word);
	}
	return result;
}

static void a_ping_is_answered(void **state)
{
	struct pair pair = {0};
	uint64_t word, other;
	(void)state;
	open_pair(&pair);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(tern_node_ping_begin(node_of(&pair), 2, &word), 0);
		assert_int_equal(tern_node_ping_result(node_of(&pair), word), -EINPROGRESS);
		assert_int_equal(tern_node_ping_begin(node_of(&pair), 2, &other), -EBUSY);
		/* A turn of each lcore is a step: it takes a few, and the look before is not in. */
		assert_in_range(ping_await(&pair, word), STEP_NS, 20 * STEP_NS);
	}
	assert_int_equal(tern_node_ping_result(node_of(&pair), word - (1 << 16)), -ENOENT);
	assert_int_equal(tern_node_ping_begin(node_of(&pair), 1, &word), -ENOENT);
	assert_int_equal(tern_node_ping_begin(node_of(&pair), 3, &word), -ENOENT);
	assert_int_equal(tern_node_ping_begin(node_of(&pair), UINT64_MAX, &word), -ENOENT);
	close_pair(&pair);
}

/* The answer to one that was given up comes after all, and is not taken for the next one's. */
static void a_ping_without_an_answer_is_lost(void **state)
{
	struct pair pair = {0};
	uint64_t word, next;
	(void)state;
	open_pair(&pair);
	pair.ends[1].is_cut = true;
	assert_int_equal(tern_node_ping_begin(node_of(&pair), 2, &word), 0);
	/* Lcore 0 sends it within a ms; the connection is lost after 20 ms of silence. */
	assert_int_equal(ping_await(&pair, word), -ETIME);
	assert_false(tern_node_connected(pair.engines[0], 2));
	assert_int_equal(tern_node_ping_begin(node_of(&pair), 2, &word), 0);
	assert_int_equal(ping_await(&pair, word), -EHOSTUNREACH);
	pair.ends[1].is_cut = false;
	for (int i = 0; i < 2000000 && !tern_node_connected(pair.engines[0], 2); i++)
		pair_step(&pair);
	assert_int_equal(tern_node_ping_begin(node_of(&pair), 2, &next), 0);
	assert_in_range(ping_await(&pair, next), STEP_NS, 20 * STEP_NS);
	assert_int_equal(tern_node_ping_result(node_of(&pair), word), -ENOENT);
	close_pair(&pair);
}

/* By hand, as from a node that answers what it was not asked, or twice. */
static void a_false_answer_changes_nothing(void **state)
{
	struct pair pair = {0};
	uint64_t word, late;
	struct tern_signal pong = {.type = TERN_CONTROL_PONG, .kind = sizeof(word)};
	(void)state;
	open_pair(&pair);
	struct tern_lcore *lcore = tern_engine_lcore(pair.engines[0], 0);
	struct tern_node_link *link = lcore->net->to[0];
	assert_int_equal(tern_node_ping_begin(node_of(&pair), 2, &word), 0);
	assert_true(ping_await(&pair, word) > 0);
	int64_t result = tern_node_ping_result(node_of(&pair), word);
	pair_run(&pair, 100);
	memcpy(pong.payload.bytes, &word, sizeof(word));
	tern_node_ping_control(lcore, link, &pong);
	assert_int_equal(tern_node_ping_result(node_of(&pair), word), result);
	pair.ends[0].is_cut = true;
	assert_int_equal(tern_node_ping_begin(node_of(&pair), 2, &late), 0);
	tern_node_ping_control(lcore, link, &pong);
	assert_int_equal(tern_node_ping_result(node_of(&pair), late), -EINPROGRESS);
	memcpy(pong.payload.bytes, &late, sizeof(late));
	pong.kind = sizeof(late) - 1;
	pair_run(&pair, 2000);
	tern_node_ping_control(lcore, link, &pong);
	assert_int_equal(tern_node_ping_result(node_of(&pair), late), -EINPROGRESS);
	pair.ends[0].is_cut = false;
	close_pair(&pair);
}

static uint32_t rules_read(const char *text, struct tern_fault_rule *rules)
{
	struct tern_error error;
	int count = tern_fault_rules_read(text, rules, &error);
	if (count < 0)
		fail_msg("%s", error.text);
	return (uint32_t)count;
}

static int fault_set(struct pair *pair, const char *text)
{
	struct tern_fault_rule rules[TERN_FAULT_RULES];
	uint32_t count = rules_read(text, rules);
	return tern_node_fault_set(node_of(pair), rules, count);
}

static bool is_direct(const struct pair *pair)
{
	for (uint32_t i = 0; i < LCORES; i++) {
		const struct tern_node_lcore *net = &node_of(pair)->lcores[i];
		if (net->port != node_of(pair)->port || net->outlet.port != net->port)
			return false;
	}
	return true;
}

/* The port is used itself again only when nothing is held back any more. */
static void held_back_comes_first(struct pair *pair, const char *rules, enum tern_fault_way way)
{
	struct tern_injector_stats counts = {0};
	assert_int_equal(fault_set(pair, rules), 0);
	for (int i = 0; i < 100000 && !counts.delayed; i++) {
		pair_step(pair);
		tern_node_fault_counts(node_of(pair), way, &counts);
	}
	assert_true(counts.delayed > 0);
	for (int i = 0; i < 20000 && !tern_node_fault_is_set(node_of(pair)); i++)
		pair_step(pair);
	assert_int_equal(fault_set(pair, "off"), 0);
	pair_run(pair, 20000);
	assert_false(is_direct(pair));
	pair_run(pair, 40000);
	assert_true(is_direct(pair));
}

static void faults_come_and_go(void **state)
{
	struct pair pair = {0};
	struct tern_injector_stats in, out;
	(void)state;
	open_pair(&pair);
	assert_true(is_direct(&pair));
	assert_int_equal(fault_set(&pair, "partition,way=out"), 0);
	assert_false(tern_node_fault_is_set(node_of(&pair)));
	assert_int_equal(fault_set(&pair, "off"), -EBUSY);
	pair_run(&pair, 20000);
	assert_true(tern_node_fault_is_set(node_of(&pair)));
	assert_false(is_direct(&pair));
	for (int i = 0; i < 100000 && tern_node_connected(pair.engines[1], 1); i++)
		pair_step(&pair);
	assert_false(tern_node_connected(pair.engines[1], 1));
	tern_node_fault_counts(node_of(&pair), TERN_FAULT_INWARD, &in);
	tern_node_fault_counts(node_of(&pair), TERN_FAULT_OUTWARD, &out);
	assert_int_equal(in.seen, 0);
	assert_true(out.partitioned > 0 && out.partitioned == out.seen);
	held_back_comes_first(&pair, "delay=40ms,way=out", TERN_FAULT_OUTWARD);
	held_back_comes_first(&pair, "delay=40ms,way=in", TERN_FAULT_INWARD);
	for (int i = 0; i < 2000000 && !tern_node_connected(pair.engines[1], 1); i++)
		pair_step(&pair);
	assert_true(tern_node_connected(pair.engines[1], 1));
	close_pair(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ping_is_answered),
		cmocka_unit_test(a_ping_without_an_answer_is_lost),
		cmocka_unit_test(a_false_answer_changes_nothing),
		cmocka_unit_test(faults_come_and_go),
	};
	return run_with_two_nodes(tests);
}
