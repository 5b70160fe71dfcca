/* SPDX-License-Identifier: Apache-2.0 */
#include "summary.h"

#include <assert.h>
#include <stdlib.h>

/* Sums over agents of one kind, for the checks. */
struct sums {
	uint64_t routed;
	uint64_t received;
	uint64_t anomalies; /* of books */
	uint64_t told;
	uint64_t matched;
	uint64_t tops; /* handled by strategies */
	uint64_t reports;
	uint64_t traded;      /* shares bought and sold by strategies */
	uint64_t disagreeing; /* symbols whose position risk and strategy see differently */
	uint64_t by_type;
};

static void sum_books(struct sums *sums, const struct swarm *swarm)
{
	for (uint32_t i = 0; i < swarm->options->book_count; i++) {
		const struct book_agent *book = &swarm->books[i];
		sums->received += book->received_count;
		sums->told += book->told_count;
		sums->matched += book->match_count;
		for (int a = FEED_OK + 1; a < FEED_ANOMALY_LIMIT; a++)
			sums->anomalies += book->anomalies.count[a];
	}
}

static void sum_strategies(struct sums *sums, const struct swarm *swarm)
{
	const uint32_t count = swarm->options->strategy_count;
	for (uint32_t i = 0; i < count; i++) {
		const struct strategy_agent *strategy = &swarm->strategies[i];
		sums->tops += strategy->top_count;
		sums->reports += strategy->report_count;
		sums->traded += strategy->bought_shares + strategy->sold_shares;
		for (uint32_t k = 0; k < SWARM_FOLLOWED_MAX && k * count + i < 65536; k++)
			sums->disagreeing += strategy->symbols[k].position !=
					     swarm->risk->symbols[k * count + i].position;
	}
}

static void add(struct summary *summary, const char *text, uint64_t left, uint64_t right)
{
	assert(summary->check_count < SUMMARY_CHECKS);
	summary->checks[summary->check_count++] = (struct summary_check){text, left, right};
}

static void check_feed(struct summary *summary, const struct swarm *swarm,
		       const struct reader *reader, const struct sums *sums)
{
	const struct feed_agent *feed = swarm->feed;
	const struct feed_counters *counters = &summary->anomalies;
	add(summary, "messages read = released + discarded by an interrupt", reader->message_count,
	    feed->read_count + feed->discarded_count);
	add(summary, "released = to books + informative + undecodable", feed->read_count,
	    feed->routed_count + feed->informative_count + feed->undecodable_count);
	add(summary, "counted by type = to books + informative", sums->by_type,
	    feed->routed_count + feed->informative_count);
	add(summary, "sent to books = received by books", feed->routed_count, sums->received);
	add(summary, "received by books = applied + named anomalies", sums->received,
	    summary->applied_count + sums->anomalies);
	if (feed->discarded_count == 0)
		add(summary, "undecodable = unknown type + wrong length", feed->undecodable_count,
		    counters->count[FEED_TYPE_UNKNOWN] + counters->count[FEED_LENGTH_WRONG]);
	add(summary, "new tops = told + superseded + not followed", summary->top_count,
	    sums->told + summary->superseded_count + summary->unfollowed_count);
	add(summary, "tops told = handled by strategies + conflated", sums->told,
	    sums->tops + summary->conflated_count);
}

static void check_orders(struct summary *summary, const struct swarm *swarm,
			 const struct sums *sums)
{
	const struct risk_agent *risk = swarm->risk;
	const struct executor_agent *executor = swarm->executor;
	const uint64_t *outcomes = summary->outcomes;
	add(summary, "orders sent = seen by risk", summary->order_count, risk->order_count);
	add(summary, "orders = accepted + refused", summary->order_count,
	    executor->accepted_count + outcomes[SWARM_REFUSED]);
	add(summary, "passed by risk = accepted by the executor", risk->passed_count,
	    executor->accepted_count);
	add(summary, "accepted = filled + partly + missed + rejected", executor->accepted_count,
	    outcomes[SWARM_FILLED] + outcomes[SWARM_PARTLY] + outcomes[SWARM_MISSED] +
		    outcomes[SWARM_REJECTED]);
	add(summary, "accepted = matched by books", executor->accepted_count, sums->matched);
	add(summary, "orders = reports that came back", summary->order_count, sums->reports);
	add(summary, "shares traded: strategies = executor", sums->traded,
	    summary->bought_shares + summary->sold_shares);
	add(summary, "positions on which risk and strategies differ = 0", sums->disagreeing, 0);
}

void summary_check(struct summary *summary, const struct swarm *swarm, const struct reader *reader)
{
	struct sums sums = {0};
	sum_books(&sums, swarm);
	sum_strategies(&sums, swarm);
	for (int i = 0; i < 256; i++)
		sums.by_type += swarm->feed->types[i];
	check_feed(summary, swarm, reader, &sums);
	check_orders(summary, swarm, &sums);
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
