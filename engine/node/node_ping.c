/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A ping of another node: the inspector's thread asks by a word, lcore 0 sends a control signal at
 * its next look, the other node's engine sends one back. It says what an agent's signal takes.
 */
#include "node.h"

#include <errno.h>

#include "engine/mail/control.h"

static uint64_t ping_node(uint64_t word)
{
	return word & 0xFFFF;
}

static bool is_over(const struct tern_node *node)
{
	const struct tern_node_ping *ping = &node->ping;
	return __atomic_load_n(&ping->answered, __ATOMIC_ACQUIRE) == ping->asked ||
	       tern_clock_ns(&node->engine->clock) - ping->asked_ns > TERN_NODE_PING_NS;
}

int tern_node_ping_begin(struct tern_node *node, uint64_t to, uint64_t *word)
{
	struct tern_node_ping *ping = &node->ping;
	if (to > TERN_WIRE_NODES_MAX || !node->by_node[to])
		return -ENOENT;
	if (!is_over(node))
		return -EBUSY;
	*word = ((ping->asked >> 16) + 1) << 16 | to;
	ping->asked_ns = tern_clock_ns(&node->engine->clock);
	__atomic_store_n(&ping->asked, *word, __ATOMIC_RELEASE);
	return 0;
}

/* Acquire pairs with the release of conclude_ping(): the result is that of this ping. */
int64_t tern_node_ping_result(const struct tern_node *node, uint64_t word)
{
	const struct tern_node_ping *ping = &node->ping;
	if (word != ping->asked || word == 0)
		return -ENOENT;
	if (__atomic_load_n(&ping->answered, __ATOMIC_ACQUIRE) == word)
		return tern_load(&ping->result);
	return is_over(node) ? -ETIME : -EINPROGRESS;
}

static void conclude_ping(struct tern_node_ping *ping, int64_t result)
{
	tern_store(&ping->result, result);
	__atomic_store_n(&ping->answered, ping->taken, __ATOMIC_RELEASE);
}

static bool is_open(const struct tern_node_link *link)
{
	struct tern_link_stats stats = {0};
	if (link)
		tern_link_stats(link->link, &stats);
	return stats.is_open;
}

/* A link that takes nothing now is tried again at the next look. */
void tern_node_ping_look(struct tern_lcore *lcore)
{
	struct tern_node_lcore *net = lcore->net;
	struct tern_node_ping *ping = &net->node->ping;
	uint64_t asked = __atomic_load_n(&ping->asked, __ATOMIC_ACQUIRE);
	if (tern_likely(asked == ping->taken))
		return;
	struct tern_node_link *link = net->to[net->node->by_node[ping_node(asked)] - 1];
	uint64_t now = tern_clock_ns(lcore->clock);
	if (!is_open(link)) {
		ping->taken = asked;
		conclude_ping(ping, -EHOSTUNREACH);
	} else if (tern_node_send_control(lcore, link, TERN_CONTROL_PING, &asked, sizeof(asked))) {
		ping->taken = asked;
		ping->sent_ns = now;
	}
}

void tern_node_ping_control(struct tern_lcore *lcore, struct tern_node_link *link,
			    const struct tern_signal *signal)
{
	struct tern_node_ping *ping = &lcore->net->node->ping;
	uint64_t word;
	if (signal->kind != sizeof(word))
		return;
	memcpy(&word, signal->payload.bytes, sizeof(word));
	if (signal->type == TERN_CONTROL_PING)
		tern_node_send_control(lcore, link, TERN_CONTROL_PONG, &word, sizeof(word));
	else if (lcore->index == 0 && word == ping->taken && word != ping->answered &&
		 ping_node(word) == link->peer->node)
		conclude_ping(ping, (int64_t)(tern_clock_ns(lcore->clock) - ping->sent_ns));
}
