/* SPDX-License-Identifier: Apache-2.0 */
#include "summary.h"

#include <assert.h>
#include <stdlib.h>

static uint64_t sum_anomalies(const struct feed_counters *counters)
{
	uint64_t sum = 0;
	for (int a = FEED_OK + 1; a < FEED_ANOMALY_LIMIT; a++)
		sum += counters->count[a];
	return sum;
}

static uint64_t sum_types(const struct feed_agent *feed)
{
	uint64_t sum = 0;
	for (int i = 0; i < 256; i++)
		sum += feed->types[i];
	return sum;
}

/* Symbols whose position risk and strategy see differently. */
static uint64_t count_disagreeing(const struct crew *crew, const struct risk_agent *risk)
{
	uint64_t count = 0;
	for (uint32_t locate = 0; locate < CREW_LOCATES; locate++)
		count += crew->positions[locate] != risk->symbols[locate].position;
	return count;
}

static void add(struct summary *summary, const char *text, uint64_t left, uint64_t right)
{
	assert(summary->check_count < SUMMARY_CHECKS);
	summary->checks[summary->check_count++] = (struct summary_check){text, left, right};
}

static void check_feed(struct summary *summary, const struct swarm *swarm,
		       const struct reader *reader)
{
	const struct crew *crew = summary->crew;
	const struct feed_agent *feed = swarm->feed;
	const struct feed_counters *counters = &summary->anomalies;
	add(summary, "messages read = released + discarded by an interrupt", reader->message_count,
	    feed->read_count + feed->discarded_count);
	add(summary, "released = to books + informative + undecodable", feed->read_count,
	    feed->routed_count + feed->informative_count + feed->undecodable_count);
	add(summary, "counted by type = to books + informative", sum_types(feed),
	    feed->routed_count + feed->informative_count);
	add(summary, "sent to books = received by books", feed->routed_count, crew->received_count);
	add(summary, "received by books = applied + named anomalies", crew->received_count,
	    crew->applied_count + sum_anomalies(&crew->anomalies));
	if (feed->discarded_count == 0)
		add(summary, "undecodable = unknown type + wrong length", feed->undecodable_count,
		    counters->count[FEED_TYPE_UNKNOWN] + counters->count[FEED_LENGTH_WRONG]);
	add(summary, "new tops = told + superseded + not followed", crew->top_count,
	    crew->told_count + crew->superseded_count + crew->unfollowed_count);
	add(summary, "tops told = handled by strategies + conflated", crew->told_count,
	    crew->handled_count + summary->conflated_count);
}

static void check_orders(struct summary *summary, const struct swarm *swarm)
{
	const struct crew *crew = summary->crew;
	const struct risk_agent *risk = swarm->risk;
	const struct executor_agent *executor = swarm->executor;
	const uint64_t *outcomes = summary->outcomes;
	add(summary, "orders sent = seen by risk", crew->order_count, risk->order_count);
	add(summary, "orders = accepted + refused", crew->order_count,
	    executor->accepted_count + outcomes[SWARM_REFUSED]);
	add(summary, "passed by risk = accepted by the executor", risk->passed_count,
	    executor->accepted_count);
	add(summary, "accepted = filled + partly + missed + rejected", executor->accepted_count,
	    outcomes[SWARM_FILLED] + outcomes[SWARM_PARTLY] + outcomes[SWARM_MISSED] +
		    outcomes[SWARM_REJECTED]);
	add(summary, "accepted = matched by books", executor->accepted_count, crew->match_count);
	add(summary, "orders = reports that came back", crew->order_count, crew->report_count);
	add(summary, "shares traded: strategies = executor", crew->traded_shares,
	    summary->bought_shares + summary->sold_shares);
	add(summary, "positions on which risk and strategies differ = 0",
	    count_disagreeing(crew, risk), 0);
}

void summary_check(struct summary *summary, const struct swarm *swarm, const struct reader *reader)
{
	check_feed(summary, swarm, reader);
	check_orders(summary, swarm);
	add(summary, "signals undelivered at the stop = 0", summary->stop.undelivered, 0);
	add(summary, "blocks leaked = 0", summary->stop.blocks_leaked, 0);
}

bool summary_holds(const struct summary *summary)
{
	for (uint32_t i = 0; i < summary->check_count; i++)
		if (summary->checks[i].left != summary->checks[i].right)
			return false;
	return summary->finished && summary->stop.drained;
}
