/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Faults on purpose: a port between an lcore and the real one, as long as there are rules. The
 * inspector's thread sets rules; each lcore takes them up at its look, and goes back to its port
 * once there are none and nothing is held back.
 */
#include "node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/fault/injector.h"

/* Frames that are held back at once, in each way. */
#define HELD_MAX 4096u

struct tern_node_fault {
	struct tern_port port;
	struct tern_port *inner;
	const struct tern_clock *clock;
	struct tern_injector in, out;
};

static void send_on(struct tern_node_fault *faulty, uint16_t queue, struct rte_mbuf **frames,
		    unsigned count)
{
	unsigned sent = tern_port_tx(faulty->inner, queue, frames, (uint16_t)count);
	/* What a port does not take is lost as on a full switch. */
	for (; sent < count; sent++)
		rte_pktmbuf_free(frames[sent]);
}

static void send_due(struct tern_node_fault *faulty, uint16_t queue, uint64_t now)
{
	struct rte_mbuf *frames[TERN_FAULT_OUT];
	unsigned count;
	while ((count = tern_injector_due(&faulty->out, now, frames, TERN_FAULT_OUT)) != 0)
		send_on(faulty, queue, frames, count);
}

static uint16_t receive_faulty(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
			       uint16_t count)
{
	struct tern_node_fault *faulty = (struct tern_node_fault *)port;
	uint64_t now = tern_clock_ns(faulty->clock);
	send_due(faulty, queue, now);
	unsigned taken = tern_injector_due(&faulty->in, now, frames, count);
	struct rte_mbuf *frame;
	while (taken + TERN_FAULT_OUT <= count && tern_port_rx(faulty->inner, queue, &frame, 1))
		taken += tern_injector_pass(&faulty->in, frame, now, frames + taken);
	return (uint16_t)taken;
}

static uint16_t send_faulty(struct tern_port *port, uint16_t queue, struct rte_mbuf **frames,
			    uint16_t count)
{
	struct tern_node_fault *faulty = (struct tern_node_fault *)port;
	uint64_t now = tern_clock_ns(faulty->clock);
	for (uint16_t i = 0; i < count; i++) {
		struct rte_mbuf *out[TERN_FAULT_OUT];
		send_on(faulty, queue, out, tern_injector_pass(&faulty->out, frames[i], now, out));
	}
	return count;
}

static const struct tern_port_ops faulty_ops = {.rx_burst = receive_faulty,
						.tx_burst = send_faulty};

static int make_fault(struct tern_node *node, uint32_t lcore)
{
	const struct tern_engine *engine = node->engine;
	struct tern_node_lcore *net = &node->lcores[lcore];
	uint64_t seed = engine->config.fault_seed + 2 * lcore;
	struct tern_node_fault *faulty = calloc(1, sizeof(*faulty));
	if (!faulty)
		return -ENOMEM;
	net->fault = faulty;
	faulty->port = *node->port;
	faulty->port.ops = &faulty_ops;
	faulty->inner = node->port;
	faulty->clock = &engine->clock;
	if (tern_injector_init(&faulty->in, seed, HELD_MAX, net->frames) == 0 &&
	    tern_injector_init(&faulty->out, seed + 1, HELD_MAX, net->frames) == 0)
		return 0;
	tern_node_fault_close(net);
	return -ENOMEM;
}

bool tern_node_fault_is_set(const struct tern_node *node)
{
	for (uint32_t i = 0; i < node->engine->lcore_count; i++)
		if (__atomic_load_n(&node->lcores[i].fault_era, __ATOMIC_ACQUIRE) !=
		    node->rules.era)
			return false;
	return true;
}

/* Release pairs with the acquire in tern_node_fault_look(): who sees the era sees its rules. */
int tern_node_fault_set(struct tern_node *node, const struct tern_fault_rule *rules, uint32_t count)
{
	if (!tern_node_fault_is_set(node))
		return -EBUSY;
	for (uint32_t i = 0; i < node->engine->lcore_count; i++)
		if (!node->lcores[i].fault && make_fault(node, i) != 0)
			return -ENOMEM;
	memcpy(node->rules.rules, rules, count * sizeof(*rules));
	node->rules.count = count;
	__atomic_store_n(&node->rules.era, node->rules.era + 1, __ATOMIC_RELEASE);
	return 0;
}

static void use_port(struct tern_node_lcore *net, struct tern_port *port)
{
	net->port = net->outlet.port = port;
}

static void take_rules(struct tern_node_lcore *net, uint64_t era)
{
	const struct tern_node_rules *rules = &net->node->rules;
	struct tern_node_fault *faulty = net->fault;
	tern_injector_set(&faulty->in, TERN_FAULT_INWARD, rules->rules, rules->count);
	tern_injector_set(&faulty->out, TERN_FAULT_OUTWARD, rules->rules, rules->count);
	use_port(net, &faulty->port);
	/* The rules may change from here on: release, with the load in tern_node_fault_is_set(). */
	__atomic_store_n(&net->fault_era, era, __ATOMIC_RELEASE);
}

void tern_node_fault_look(struct tern_node_lcore *net)
{
	uint64_t era = __atomic_load_n(&net->node->rules.era, __ATOMIC_ACQUIRE);
	if (tern_unlikely(era != net->fault_era))
		take_rules(net, era);
	else if (tern_unlikely(net->port != net->node->port) && !net->fault->in.is_on &&
		 !net->fault->out.is_on)
		use_port(net, net->node->port);
}

int tern_node_fault_open(struct tern_node *node, struct tern_error *error)
{
	const struct tern_config *config = &node->engine->config;
	struct tern_fault_rule rules[TERN_FAULT_RULES];
	if (!config->fault[0])
		return 0;
	int count = tern_fault_rules_read(config->fault, rules, error);
	int code = count < 0 ? count : tern_node_fault_set(node, rules, (uint32_t)count);
	for (uint32_t i = 0; code == 0 && i < node->engine->lcore_count; i++)
		take_rules(&node->lcores[i], node->rules.era);
	return code;
}

static void add_counts(struct tern_injector_stats *sum, const struct tern_injector_stats *counts)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)counts;
	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += tern_load(&from[i]);
}

void tern_node_fault_counts(const struct tern_node *node, enum tern_fault_way way,
			    struct tern_injector_stats *counts)
{
	*counts = (struct tern_injector_stats){0};
	for (uint32_t i = 0; i < node->engine->lcore_count; i++) {
		const struct tern_node_fault *faulty = node->lcores[i].fault;
		if (faulty)
			add_counts(counts, way == TERN_FAULT_INWARD ? &faulty->in.stats
								    : &faulty->out.stats);
	}
}

void tern_node_fault_close(struct tern_node_lcore *net)
{
	if (!net->fault)
		return;
	tern_injector_fini(&net->fault->in);
	tern_injector_fini(&net->fault->out);
	free(net->fault);
	net->fault = NULL;
}
