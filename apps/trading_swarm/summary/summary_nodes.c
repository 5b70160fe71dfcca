/* SPDX-License-Identifier: Apache-2.0 */

/* The half of node 2, on its way to node 1. */
#include "summary.h"

#include <errno.h>
#include <stdlib.h>

/* What has one size in all runs. */
struct half {
	uint32_t lcore_count;
	struct tern_memory memory;
	struct tern_peer peer;
	struct tern_stop_report stop;
};

int summary_send(const struct summary *summary, struct partner *partner)
{
	const struct half half = {.lcore_count = summary->lcore_count,
				  .memory = summary->memory,
				  .peer = summary->peers[0],
				  .stop = summary->stop};
	int code = partner_send(partner, &half, sizeof(half));
	if (code == 0)
		code = partner_send(partner, summary->agents,
				    summary->agent_count * sizeof(*summary->agents));
	if (code == 0)
		code = partner_send(partner, summary->lcores,
				    summary->lcore_count * sizeof(*summary->lcores));
	if (code == 0)
		code = partner_send(partner, summary->crew, sizeof(*summary->crew));
	return code;
}

static int receive_agents(struct summary *summary, struct partner *partner)
{
	struct summary_agent agent;
	int code = 0;
	for (uint32_t i = 0; code == 0 && i < summary->agent_count; i++) {
		code = partner_receive(partner, &agent, sizeof(agent));
		if (code == 0 && agent.node != partner->node)
			summary->agents[i] = agent;
	}
	return code;
}

static int receive_lcores(struct summary *summary, struct partner *partner, uint32_t count)
{
	const uint32_t own = summary->lcore_count;
	struct summary_lcore *lcores =
		realloc(summary->lcores, (own + count) * sizeof(*summary->lcores));
	if (!lcores)
		return -ENOMEM;
	summary->lcores = lcores;
	summary->lcore_count = own + count;
	return partner_receive(partner, lcores + own, count * sizeof(*lcores));
}

static void add_half(struct summary *summary, const struct half *half)
{
	summary->memory.bytes += half->memory.bytes;
	summary->memory.lane_bytes += half->memory.lane_bytes;
	summary->peers[1] = half->peer;
	summary->peer_count = 2;
	summary->other_stop = half->stop;
}

int summary_receive(struct summary *summary, struct partner *partner)
{
	struct half half;
	int code = partner_receive(partner, &half, sizeof(half));
	if (code < 0)
		return code;
	add_half(summary, &half);
	code = receive_agents(summary, partner);
	if (code == 0)
		code = receive_lcores(summary, partner, half.lcore_count);
	if (code == 0)
		code = partner_receive(partner, summary->crew, sizeof(*summary->crew));
	return code;
}
