/* SPDX-License-Identifier: Apache-2.0 */
#include "summary.h"

#include <errno.h>
#include <stdlib.h>

static void read_agent(struct summary_agent *agent, const struct swarm *swarm,
		       const struct swarm_member *member)
{
	struct tern_histogram hops[TERN_HOPS];
	agent->node = member->node;
	if (swarm->partner && member->node != swarm->partner->node)
		return;
	tern_agent_stats(swarm->engine, member->address, &agent->stats);
	agent->cpu = swarm->config.lcores[agent->stats.lcore];
	if (tern_agent_anatomy(swarm->engine, member->address, hops) != 0)
		return;
	for (int i = 0; i < TERN_HOPS; i++)
		agent->hops[i] =
			(struct summary_hop){.count = hops[i].count,
					     .p50_ns = tern_histogram_percentile(&hops[i], 50),
					     .p99_ns = tern_histogram_percentile(&hops[i], 99)};
}

int summary_begin(struct summary *summary, const struct swarm *swarm)
{
	*summary = (struct summary){.options = swarm->options,
				    .config = &swarm->config,
				    .signal_number = swarm->signal_number,
				    .agent_count = swarm->member_count,
				    .lcore_count = tern_engine_lcores(swarm->engine)};
	summary->agents = calloc(summary->agent_count, sizeof(*summary->agents));
	summary->lcores = calloc(summary->lcore_count, sizeof(*summary->lcores));
	summary->crew = calloc(1, sizeof(*summary->crew));
	if (!summary->agents || !summary->lcores || !summary->crew) {
		summary_fini(summary);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < summary->agent_count; i++)
		read_agent(&summary->agents[i], swarm, &swarm->members[i]);
	for (uint32_t i = 0; i < summary->lcore_count; i++) {
		summary->lcores[i].node = tern_node_id(swarm->engine);
		summary->lcores[i].index = i;
		summary->lcores[i].cpu = swarm->config.lcores[i];
		tern_lcore_stats(swarm->engine, i, &summary->lcores[i].stats);
	}
	tern_engine_memory(swarm->engine, &summary->memory);
	if (swarm->partner)
		tern_node_peers(swarm->engine, summary->peers, 1);
	return 0;
}

static void read_feed(struct summary *summary, const struct feed_agent *feed)
{
	summary->message_count = feed->read_count;
	summary->informative_count = feed->informative_count;
	summary->discarded_count = feed->discarded_count;
	summary->stall_count = feed->stall_count;
	summary->types = feed->types;
	if (feed->running)
		summary->seconds = (double)(feed->end_ns - feed->start_ns) / 1e9;
}

static void read_crew(struct summary *summary, const struct swarm *swarm)
{
	const struct crew *crew = summary->crew;
	for (int a = FEED_OK + 1; a < FEED_ANOMALY_LIMIT; a++)
		feed_counters_add(&summary->anomalies, (enum feed_anomaly)a,
				  crew->anomalies.count[a], crew->anomalies.first_place[a]);
	for (uint32_t i = 0; i < swarm->options->strategy_count; i++)
		summary->conflated_count +=
			summary->agents[1 + swarm->options->book_count + i].stats.dropped;
}

/* What two engines left is one sum; both have to be drained. */
static void add_stops(struct summary *summary)
{
	const struct tern_stop_report *other = &summary->other_stop;
	if (summary->peer_count == 0)
		return;
	summary->stop.drained &= other->drained;
	summary->stop.undelivered += other->undelivered;
	summary->stop.blocks_leaked += other->blocks_leaked;
}

static void read_executor(struct summary *summary, const struct executor_agent *executor)
{
	for (int i = 0; i < SWARM_OUTCOME_LIMIT; i++)
		summary->outcomes[i] = executor->outcomes[i];
	summary->bought_shares = executor->bought_shares;
	summary->sold_shares = executor->sold_shares;
	summary->turnover = executor->turnover;
}

void summary_finish(struct summary *summary, const struct swarm *swarm, const struct reader *reader,
		    bool finished)
{
	summary->finished = finished;
	if (reader->source) {
		summary->format = feed_format_name(feed_source_format(reader->source));
		summary->anomalies = *feed_source_counters(reader->source);
	}
	read_feed(summary, swarm->feed);
	if (!swarm->partner)
		crew_count(summary->crew, swarm);
	read_crew(summary, swarm);
	add_stops(summary);
	read_executor(summary, swarm->executor);
	summary->refused = swarm->risk->refused;
	for (int i = 0; i < RISK_LIMIT_COUNT; i++)
		summary->outcomes[SWARM_REFUSED] += swarm->risk->refused[i];
	if (swarm->options->pace.kind != PACE_MAX) {
		summary->tick_to_trade = &swarm->executor->tick_to_trade;
		summary->late = &swarm->feed->late;
	}
	summary_check(summary, swarm, reader);
}

void summary_fini(struct summary *summary)
{
	free(summary->agents);
	free(summary->lcores);
	free(summary->crew);
	summary->agents = NULL;
	summary->lcores = NULL;
	summary->crew = NULL;
}
