/* SPDX-License-Identifier: Apache-2.0 */

/* Runs of whole nodes: what the seed chooses, what happens to the nodes, and when it is over. */
#include "nodes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEP_NS_MAX = 3000 };

#define HEALED_NS (3000 * MS)

static const char *program;
static char members_path[] = "/tmp/tern-sim-XXXXXX";

void nodes_fail(const struct nodes *nodes, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	printf("seed %" PRIu64 ", at %" PRIu64 " ns: ", nodes->seed, nodes->now_ns);
	vprintf(format, arguments);
	printf("\nagain: %s --seeds 1 --from %" PRIu64 "\n", program, nodes->seed);
	va_end(arguments);
	unlink(members_path);
	exit(1);
}

static void node_start(struct nodes *nodes, uint32_t index)
{
	struct node *node = &nodes->node[index];
	struct tern_config config;
	struct tern_error error = {0};
	nodes_port_init(nodes, index);
	tern_config_init(&config);
	config.mode = TERN_MODE_POLLED;
	config.clock = TERN_CLOCK_VIRTUAL;
	config.seed = tern_rng_next(&nodes->rng);
	config.lcore_count = node->lcores;
	for (uint16_t cpu = 0; cpu < node->lcores; cpu++)
		config.lcores[cpu] = cpu;
	config.max_agents = 100;
	config.max_threads = 1;
	config.inspect = false;
	config.pages = TERN_PAGES_4K;
	config.block_mib = config.mailbox_mib = 1;
	config.data_depth = 64;
	config.express_depth = 16;
	config.log_level = TERN_LOG_ERROR;
	config.node = index + 1;
	config.frames = 1024;
	config.credit = 16 + nodes_pick(nodes, 200);
	config.window = 64;
	config.router.version = 1 + node->life * 1000000ull;
	snprintf(config.members, sizeof(config.members), "%s", members_path);
	config.port = &node->port.base;
	if (tern_engine_start(&node->engine, &config, &error) != 0)
		nodes_fail(nodes, "node %u does not start: %s", index + 1, error.text);
	node->life++;
	node->self = tern_thread_attach(node->engine, NULL, NULL);
	nodes_agents_spawn(nodes, index);
}

/* What it says as it ends is not heard. */
static void node_end(struct nodes *nodes, uint32_t index, bool crashes)
{
	struct node *node = &nodes->node[index];
	struct tern_engine *engine = node->engine;
	struct tern_stop_report report;
	for (uint32_t to = 0; to < nodes->count; to++)
		nodes->is_cut[index][to] |= crashes;
	if (crashes)
		nodes_agents_crash(nodes, index);
	tern_thread_detach(node->self);
	node->engine = NULL;
	tern_engine_stop(engine, crashes ? 0 : 1000 * MS, &report);
	if (report.blocks_leaked)
		nodes_fail(nodes, "node %u leaked %llu blocks", index + 1,
			   (unsigned long long)report.blocks_leaked);
	if (!crashes && report.undelivered)
		nodes_fail(nodes, "node %u left %llu signals undelivered", index + 1,
			   (unsigned long long)report.undelivered);
	nodes_port_drop(node);
	for (uint32_t to = 0; to < nodes->count; to++)
		nodes->is_cut[index][to] = false;
}

static void node_disturb(struct nodes *nodes, uint32_t index)
{
	struct node *node = &nodes->node[index];
	if (!node->engine) {
		bool has_room = nodes->actor_count + 2 * LCORES_MAX <= ACTORS_MAX;
		if (nodes->now_ns >= node->down_until_ns && has_room)
			node_start(nodes, index);
	} else if (node->life < LIVES_MAX && nodes_pick(nodes, 60000) == 0) {
		node_end(nodes, index, true);
		node->down_until_ns = nodes->now_ns + nodes_pick(nodes, 60) * MS;
		nodes->crashes++;
	} else if (nodes_pick(nodes, 40000) == 0) {
		node->paused_until_ns = nodes->now_ns + nodes_pick(nodes, 40) * MS;
		nodes->pauses++;
	}
}

static void network_disturb(struct nodes *nodes)
{
	uint32_t from = nodes_pick(nodes, nodes->count), to = nodes_pick(nodes, nodes->count);
	if (nodes->is_cut[from][to] ? nodes_pick(nodes, 3000) == 0 : nodes_pick(nodes, 20000) == 0)
		nodes->is_cut[from][to] = !nodes->is_cut[from][to];
}

static void run_step(struct nodes *nodes)
{
	uint64_t step = 1 + nodes_pick(nodes, STEP_NS_MAX);
	nodes_network_poll(nodes);
	for (uint32_t i = 0; i < nodes->count; i++) {
		struct node *node = &nodes->node[i];
		if (!node->engine)
			continue;
		tern_engine_advance(node->engine, step);
		if (nodes->now_ns < node->paused_until_ns)
			continue;
		if (!nodes->is_healing && nodes_chance(nodes, 300))
			nodes_agents_send(nodes, i);
		for (uint32_t l = 0; l < node->lcores; l++)
			if (nodes_chance(nodes, 800))
				tern_lcore_poll(tern_engine_lcore(node->engine, l));
		tern_thread_poll(node->self);
	}
	nodes->now_ns += step;
}

/* All that was accepted has been handled or has come back, and the nodes are at rest. */
static void run_healed(struct nodes *nodes)
{
	uint64_t end = nodes->now_ns + HEALED_NS;
	nodes->is_healing = true;
	nodes_network_heal(nodes);
	for (uint32_t i = 0; i < nodes->count; i++) {
		nodes->node[i].paused_until_ns = 0;
		if (!nodes->node[i].engine)
			node_start(nodes, i);
	}
	while (nodes_agents_open(nodes) && nodes->now_ns < end)
		for (int i = 0; i < 500; i++)
			run_step(nodes);
	if (nodes_agents_open(nodes))
		nodes_fail(nodes, "%llu signals were neither handled nor given back",
			   (unsigned long long)nodes_agents_open(nodes));
	for (uint32_t i = 0; i < nodes->count; i++)
		for (uint32_t j = 0; j < nodes->count && nodes->now_ns < end; j++)
			while (i != j && !tern_node_connected(nodes->node[i].engine, j + 1) &&
			       nodes->now_ns < end)
				run_step(nodes);
	if (nodes->now_ns >= end)
		nodes_fail(nodes, "two nodes do not come together again");
}

static void plan_faults(struct nodes *nodes, struct tern_fault_rule *worst)
{
	*worst = (struct tern_fault_rule){.loss = nodes_pick(nodes, 300000),
					  .duplicate = nodes_pick(nodes, 500000),
					  .reorder = nodes_pick(nodes, 200000),
					  .delayed = nodes_pick(nodes, 100000),
					  .delay_ns = nodes_pick(nodes, 300) * US,
					  .corrupt = nodes_pick(nodes, 50000),
					  .behind = 4,
					  .bits = 3};
	if (nodes_chance(nodes, 200))
		*worst = (struct tern_fault_rule){.behind = 1, .bits = 1};
}

static uint64_t run_seed(uint64_t seed, bool verbose)
{
	static struct nodes nodes;
	struct tern_fault_rule worst;
	memset(&nodes, 0, sizeof(nodes));
	nodes.seed = seed;
	nodes.rng = tern_rng_stream(seed, 9);
	nodes.actors = calloc(ACTORS_MAX, sizeof(*nodes.actors));
	nodes.streams = calloc((size_t)ACTORS_MAX * ACTORS_MAX, sizeof(*nodes.streams));
	nodes.count = 2 + nodes_pick(&nodes, NODES_MAX - 1);
	nodes.latency_ns = 1 * US + nodes_pick(&nodes, 50) * US;
	for (uint32_t i = 0; i < nodes.count; i++)
		nodes.node[i].lcores = 1 + nodes_pick(&nodes, LCORES_MAX);
	plan_faults(&nodes, &worst);
	nodes_network_init(&nodes, &worst);
	for (uint32_t i = 0; i < nodes.count; i++)
		node_start(&nodes, i);
	uint64_t end = nodes.now_ns + (10 + nodes_pick(&nodes, 60)) * MS;
	while (nodes.now_ns < end) {
		network_disturb(&nodes);
		node_disturb(&nodes, nodes_pick(&nodes, nodes.count));
		run_step(&nodes);
	}
	run_healed(&nodes);
	for (uint32_t i = 0; i < nodes.count; i++)
		node_end(&nodes, i, false);
	nodes_network_fini(&nodes);
	nodes_network_check(&nodes);
	if (verbose)
		printf("seed %" PRIu64 " hash %016" PRIx64 ": nodes %u accepted %" PRIu64
		       " frames %" PRIu64 " crashes %" PRIu64 " pauses %" PRIu64 "\n",
		       seed, nodes.hash, nodes.count, nodes.accepted, nodes.frames, nodes.crashes,
		       nodes.pauses);
	nodes_agents_free(&nodes);
	return nodes.hash;
}

static bool make_members(void)
{
	int fd = mkstemp(members_path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	for (int node = 1; file && node <= NODES_MAX; node++)
		fprintf(file, "%d 10.0.0.%d\n", node, node);
	return file && fclose(file) == 0;
}

static _Noreturn void usage(int code)
{
	fprintf(code ? stderr : stdout,
		"usage: %s [--seeds N] [--from S] [--twice] [--verbose]\n"
		"  N runs of whole nodes, of the seeds S, S + 1, ... (default 50 from 1)\n"
		"  --twice    each seed twice: both runs must be the same to the last event\n"
		"  --verbose  a line for each seed\n",
		program);
	exit(code);
}

int main(int count, char **arguments)
{
	uint64_t seeds = 50, from = 1;
	bool twice = false, verbose = false;
	program = arguments[0];
	for (int i = 1; i < count; i++) {
		if (!strcmp(arguments[i], "--twice"))
			twice = true;
		else if (!strcmp(arguments[i], "--verbose"))
			verbose = true;
		else if (!strcmp(arguments[i], "--seeds") && i + 1 < count)
			seeds = strtoull(arguments[++i], NULL, 0);
		else if (!strcmp(arguments[i], "--from") && i + 1 < count)
			from = strtoull(arguments[++i], NULL, 0);
		else
			usage(strcmp(arguments[i], "--help") ? 2 : 0);
	}
	nodes_network_start();
	if (!make_members())
		return 69;
	for (uint64_t seed = from; seed < from + seeds; seed++) {
		uint64_t hash = run_seed(seed, verbose);
		if (twice && run_seed(seed, false) != hash) {
			printf("seed %" PRIu64 ": two runs differ\n", seed);
			unlink(members_path);
			return 1;
		}
	}
	printf("%" PRIu64 " seeds from %" PRIu64 ": passed\n", seeds, from);
	unlink(members_path);
	return 0;
}
