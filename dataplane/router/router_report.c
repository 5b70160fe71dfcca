/* SPDX-License-Identifier: Apache-2.0 */

/* How far this node's knowledge agrees with itself and with others', for whoever looks: no lock. */
#include "router.h"

#include <string.h>

#include <rte_common.h>

#define WORDS (sizeof(struct tern_contradiction) / sizeof(uint64_t))
_Static_assert(sizeof(struct tern_contradiction) % sizeof(uint64_t) == 0, "whole words");

static struct tern_contradiction *place_of(struct tern_router *router, uint64_t number)
{
	return &router->contradictions[number % TERN_CONTRADICTIONS_PLACES];
}

void tern_router_note_contradiction(struct tern_router *router,
				    const struct tern_contradiction *noted)
{
	uint64_t number = router->updates.contradictions, words[WORDS];
	uint64_t *place = (uint64_t *)(void *)place_of(router, number);
	memcpy(words, noted, sizeof(words));
	/* Release, and the acquire in tern_router_contradictions(): who sees a word of this one
	 * also sees that all before it are counted, and so that the one in its place is too old. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (size_t i = 0; i < WORDS; i++)
		tern_store(&place[i], words[i]);
	__atomic_store_n(&router->updates.contradictions, number + 1, __ATOMIC_RELEASE);
}

static void copy_contradiction(struct tern_router *router, uint64_t number,
			       struct tern_contradiction *copy)
{
	const uint64_t *place = (const uint64_t *)(const void *)place_of(router, number);
	uint64_t words[WORDS];
	for (size_t i = 0; i < WORDS; i++)
		words[i] = tern_load(&place[i]);
	memcpy(copy, words, sizeof(words));
}

uint32_t tern_router_contradictions(struct tern_router *router, struct tern_contradiction *found,
				    uint32_t count_max)
{
	/* Acquire: pairs with the release of the count in tern_router_note_contradiction(). */
	uint64_t all = __atomic_load_n(&router->updates.contradictions, __ATOMIC_ACQUIRE);
	uint64_t count = RTE_MIN(RTE_MIN(all, count_max), TERN_CONTRADICTIONS_KEPT);
	for (uint64_t i = 0; i < count; i++)
		copy_contradiction(router, all - 1 - i, &found[i]);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	/* Those whose place was written meanwhile, or is being written now, are too old. */
	uint64_t newer = tern_load(&router->updates.contradictions) - all;
	uint64_t whole = newer < TERN_CONTRADICTIONS_KEPT ? TERN_CONTRADICTIONS_KEPT - newer : 0;
	return (uint32_t)RTE_MIN(count, whole);
}

static struct tern_node_report report_node(const struct tern_router *router, uint16_t node)
{
	const struct tern_heard *heard = &router->heard[node];
	struct tern_node_report report = {.node = node,
					  .version = tern_load(&heard->version),
					  .complete = tern_load(&heard->complete),
					  .told = tern_load(&heard->told),
					  .told_ns = tern_load(&heard->told_ns)};
	report.drift = tern_load(&heard->lacking);
	if (report.told > report.version)
		report.drift += report.told - report.version;
	return report;
}

uint32_t tern_router_next_known(const struct tern_router *router, uint32_t node)
{
	while (node <= TERN_NODE_MAX) {
		uint64_t rest = tern_load(&router->known[node / 64]) >> node % 64;
		if (rest)
			return node + (uint32_t)__builtin_ctzll(rest);
		node = (node | 63) + 1;
	}
	return node;
}

uint32_t tern_router_nodes(const struct tern_router *router, uint32_t *from,
			   struct tern_node_report *nodes, uint32_t count_max)
{
	uint32_t count = 0;
	*from = tern_router_next_known(router, *from);
	for (; *from <= TERN_NODE_MAX && count < count_max;
	     *from = tern_router_next_known(router, *from + 1))
		nodes[count++] = report_node(router, (uint16_t)*from);
	return count;
}

void tern_router_report(const struct tern_router *router, struct tern_router_report *report)
{
	*report = (struct tern_router_report){.version = tern_router_version(router, router->node),
					      .routes = tern_load(&router->remote),
					      .contradictions =
						      tern_load(&router->updates.contradictions),
					      .node = router->node};
	for (uint32_t node = tern_router_next_known(router, 1); node <= TERN_NODE_MAX;
	     node = tern_router_next_known(router, node + 1)) {
		struct tern_node_report one = report_node(router, (uint16_t)node);
		report->nodes++;
		report->behind += one.drift != 0;
		if (one.drift > report->drift_max) {
			report->drift_max = one.drift;
			report->drift_node = (uint16_t)node;
		}
	}
}
