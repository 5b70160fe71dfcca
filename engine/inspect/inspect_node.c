/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect_node.h"

#include <errno.h>

#include "engine/lcore/engine.h"
#include "engine/node/node.h"

_Static_assert(sizeof(struct tern_inspect_faulted) == sizeof(struct tern_injector_stats),
	       "the same counters, in the same order");

int tern_inspect_answer_peers(const struct tern_engine *engine,
			      const union tern_inspect_request *request,
			      union tern_inspect_reply *reply)
{
	struct tern_inspect_peers *page = &reply->peers.page;
	uint32_t total = tern_node_peers(engine, NULL, 0);
	*page = (struct tern_inspect_peers){
		.node = tern_node_id(engine),
		.lcores = engine->lcore_count,
		.total = total,
		.first = (uint32_t)RTE_MIN(request->peers.first, (uint64_t)total)};
	page->count = RTE_MIN(total - page->first, TERN_INSPECT_PEERS_MAX);
	for (uint32_t i = 0; i < page->count; i++)
		tern_node_peer_look(engine, page->first + i, &page->peers[i]);
	return 0;
}

int tern_inspect_answer_ping(const struct tern_engine *engine,
			     const union tern_inspect_request *request,
			     union tern_inspect_reply *reply)
{
	struct tern_node *node = engine->node;
	uint64_t word = request->ping.word;
	int64_t result = -ENETDOWN;
	if (node && word) {
		result = tern_node_ping_result(node, word);
	} else if (node) {
		int code = tern_node_ping_begin(node, request->ping.node, &word);
		result = code == 0 ? -EINPROGRESS : code;
	}
	reply->ping.word = word;
	reply->ping.result = result;
	return 0;
}

static struct tern_inspect_faulted faulted(const struct tern_node *node, enum tern_fault_way way)
{
	struct tern_injector_stats counts;
	struct tern_inspect_faulted told;
	tern_node_fault_counts(node, way, &counts);
	memcpy(&told, &counts, sizeof(told));
	return told;
}

int tern_inspect_answer_fault(const struct tern_engine *engine,
			      const union tern_inspect_request *request,
			      union tern_inspect_reply *reply)
{
	struct tern_inspect_fault *fault = &reply->fault.fault;
	const struct tern_node *node = engine->node;
	(void)request;
	*fault = (struct tern_inspect_fault){.is_network = node != NULL};
	if (!node)
		return 0;
	fault->is_pending = !tern_node_fault_is_set(node);
	fault->rule_count = node->rules.count;
	fault->seed = engine->config.fault_seed;
	fault->in = faulted(node, TERN_FAULT_INWARD);
	fault->out = faulted(node, TERN_FAULT_OUTWARD);
	int code = tern_fault_rules_write(node->rules.rules, node->rules.count, fault->rules,
					  sizeof(fault->rules));
	return code == -ENOSPC ? 0 : code; /* a longer text is cut */
}

int tern_inspect_answer_fault_set(const struct tern_engine *engine,
				  const union tern_inspect_request *request,
				  union tern_inspect_reply *reply)
{
	struct tern_fault_rule rules[TERN_FAULT_RULES];
	int code = engine->node ? tern_fault_rules_read(request->fault_set.rules, rules, NULL)
				: -ENETDOWN;
	if (code >= 0)
		code = tern_node_fault_set(engine->node, rules, (uint32_t)code);
	reply->fault_set.result = code;
	return 0;
}
