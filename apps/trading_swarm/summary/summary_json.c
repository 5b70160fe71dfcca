/* SPDX-License-Identifier: Apache-2.0 */
#include "summary.h"

#include "json_text.h"
#include "tern_plain.h"

#include <errno.h>
#include <stdio.h>

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)(value > INT64_MAX ? INT64_MAX : value));
}

static json_t *feed_json(const struct summary *summary)
{
	const struct options *options = summary->options;
	char pace[64];
	json_t *feed = json_object();
	pace_describe(&options->pace, pace, sizeof(pace));
	json_object_set_new(feed, "file",
			    options->feed_path ? app_json_string(options->feed_path) : json_null());
	json_object_set_new(feed, "format",
			    app_json_string(summary->format ? summary->format : "generated"));
	json_object_set_new(feed, "seed", number(options->seed));
	json_object_set_new(feed, "pace", app_json_string(pace));
	return feed;
}

static json_t *messages_json(const struct summary *summary)
{
	json_t *messages = json_object(), *types = json_object(), *anomalies = json_object();
	for (int type = 0; type < 256; type++) {
		char name[TERN_PLAIN_CHAR_MAX]; /* of a byte that may be no letter */
		tern_plain_char(TERN_PLAIN_TEXT, &(char){(char)type}, 1, name);
		if (summary->types[type])
			json_object_set_new(types, name, number(summary->types[type]));
	}
	for (int i = FEED_OK + 1; i < FEED_ANOMALY_LIMIT; i++)
		json_object_set_new(anomalies, feed_anomaly_info((enum feed_anomaly)i)->name,
				    number(summary->anomalies.count[i]));
	json_object_set_new(messages, "all", number(summary->message_count));
	json_object_set_new(messages, "seconds", json_real(summary->seconds));
	json_object_set_new(messages, "per_second",
			    json_real(summary->seconds > 0
					      ? (double)summary->message_count / summary->seconds
					      : 0));
	json_object_set_new(messages, "types", types);
	json_object_set_new(messages, "applied", number(summary->crew->applied_count));
	json_object_set_new(messages, "informative", number(summary->informative_count));
	json_object_set_new(messages, "discarded", number(summary->discarded_count));
	json_object_set_new(messages, "anomalies", anomalies);
	return messages;
}

static json_t *books_json(const struct summary *summary)
{
	json_t *books = json_object();
	json_object_set_new(books, "symbols", number(summary->crew->symbol_count));
	json_object_set_new(books, "resting_orders", number(summary->crew->resting_count));
	json_object_set_new(books, "tops", number(summary->crew->top_count));
	json_object_set_new(books, "conflated", number(summary->conflated_count));
	json_object_set_new(books, "superseded", number(summary->crew->superseded_count));
	json_object_set_new(books, "not_followed", number(summary->crew->unfollowed_count));
	json_object_set_new(books, "feed_stalls", number(summary->stall_count));
	return books;
}

static json_t *orders_json(const struct summary *summary)
{
#define OUTCOME_NAME(constant, name, text) #name,
	static const char *const names[] = {SWARM_OUTCOMES(OUTCOME_NAME)};
	json_t *orders = json_object(), *refused = json_object();
	json_object_set_new(orders, "all", number(summary->crew->order_count));
	for (int i = 0; i < SWARM_OUTCOME_LIMIT; i++)
		json_object_set_new(orders, names[i], number(summary->outcomes[i]));
	for (int i = 0; i < RISK_LIMIT_COUNT; i++)
		json_object_set_new(refused, risk_limit_name((enum risk_limit)i),
				    number(summary->refused[i]));
	json_object_set_new(orders, "refused_by", refused);
	json_object_set_new(orders, "held", number(summary->crew->held_count));
	json_object_set_new(orders, "shares_bought", number(summary->bought_shares));
	json_object_set_new(orders, "shares_sold", number(summary->sold_shares));
	json_object_set_new(orders, "turnover_usd", json_real((double)summary->turnover / 1e4));
	json_object_set_new(orders, "positions", number(summary->crew->position_count));
	json_object_set_new(orders, "profit_usd", json_real((double)summary->crew->profit / 1e4));
	return orders;
}

static json_t *histogram_json(const struct tern_histogram *histogram)
{
	if (!histogram)
		return json_null();
	json_t *latency = json_object();
	json_object_set_new(latency, "count", number(histogram->count));
	json_object_set_new(latency, "p50", number(tern_histogram_percentile(histogram, 50)));
	json_object_set_new(latency, "p99", number(tern_histogram_percentile(histogram, 99)));
	json_object_set_new(latency, "p99_9", number(tern_histogram_percentile(histogram, 99.9)));
	json_object_set_new(latency, "max", number(histogram->max));
	return latency;
}

static json_t *agent_json(const struct summary_agent *agent)
{
	static const char *const hops[TERN_HOPS] = {"lane", "queue", "handler"};
	const struct tern_agent_stats *stats = &agent->stats;
	json_t *object = json_object();
	json_object_set_new(object, "name", app_json_string(stats->name));
	json_object_set_new(object, "node", number(agent->node));
	json_object_set_new(object, "lcore", number(stats->lcore));
	json_object_set_new(object, "cpu", number(agent->cpu));
	json_object_set_new(object, "in", number(stats->signals_in));
	json_object_set_new(object, "out", number(stats->signals_out));
	json_object_set_new(object, "pressured", number(stats->pressured));
	json_object_set_new(object, "dropped", number(stats->dropped));
	for (int i = 0; i < TERN_HOPS; i++) {
		json_t *hop = json_object();
		json_object_set_new(hop, "count", number(agent->hops[i].count));
		json_object_set_new(hop, "p50", number(agent->hops[i].p50_ns));
		json_object_set_new(hop, "p99", number(agent->hops[i].p99_ns));
		char name[32];
		snprintf(name, sizeof(name), "%s_ns", hops[i]);
		json_object_set_new(object, name, hop);
	}
	return object;
}

static json_t *lcore_json(const struct summary_lcore *lcore)
{
	const struct tern_lcore_stats *stats = &lcore->stats;
	json_t *object = json_object();
	json_object_set_new(object, "node", number(lcore->node));
	json_object_set_new(object, "cpu", number(lcore->cpu));
	json_object_set_new(object, "handled", number(stats->handled));
	json_object_set_new(object, "in_place", number(stats->in_place));
	json_object_set_new(object, "queued", number(stats->queued));
	json_object_set_new(object, "refused_lane", number(stats->refused_lane));
	json_object_set_new(object, "refused_agent", number(stats->refused_agent));
	json_object_set_new(object, "turns", number(stats->turns));
	json_object_set_new(object, "idle_turns", number(stats->idle_turns));
	return object;
}

static json_t *engine_json(const struct summary *summary)
{
	json_t *engine = json_object(), *agents = json_array(), *lcores = json_array();
	for (uint32_t i = 0; i < summary->agent_count; i++)
		json_array_append_new(agents, agent_json(&summary->agents[i]));
	for (uint32_t i = 0; i < summary->lcore_count; i++)
		json_array_append_new(lcores, lcore_json(&summary->lcores[i]));
	json_object_set_new(engine, "memory_bytes", number(summary->memory.bytes));
	json_object_set_new(engine, "page_bytes", number(summary->memory.page_bytes));
	json_object_set_new(engine, "transparent", json_boolean(summary->memory.transparent));
	json_object_set_new(engine, "lane_bytes", number(summary->memory.lane_bytes));
	json_object_set_new(engine, "lcores", lcores);
	json_object_set_new(engine, "agents", agents);
	json_object_set_new(engine, "drained", json_boolean(summary->stop.drained));
	json_object_set_new(engine, "undelivered", number(summary->stop.undelivered));
	json_object_set_new(engine, "blocks_leaked", number(summary->stop.blocks_leaked));
	return engine;
}

static json_t *network_json(const struct summary *summary)
{
	json_t *network = json_array();
	for (uint32_t i = 0; i < summary->peer_count; i++) {
		const struct tern_peer *peer = &summary->peers[i];
		json_t *object = json_object();
		json_object_set_new(object, "node", number(i + 1));
		json_object_set_new(object, "to", number(peer->node));
		json_object_set_new(object, "signals", number(peer->signals_out));
		json_object_set_new(object, "frames", number(peer->frames_out));
		json_object_set_new(object, "retransmitted", number(peer->retransmitted));
		json_object_set_new(object, "duplicates", number(peer->duplicates));
		json_object_set_new(object, "round_trip_ns", number(peer->srtt_ns));
		json_array_append_new(network, object);
	}
	return network;
}

static json_t *checks_json(const struct summary *summary)
{
	json_t *checks = json_array();
	for (uint32_t i = 0; i < summary->check_count; i++) {
		const struct summary_check *check = &summary->checks[i];
		json_t *object = json_object();
		json_object_set_new(object, "text", app_json_string(check->text));
		json_object_set_new(object, "left", number(check->left));
		json_object_set_new(object, "right", number(check->right));
		json_object_set_new(object, "holds", json_boolean(check->left == check->right));
		json_array_append_new(checks, object);
	}
	return checks;
}

int summary_print_json(const struct summary *summary)
{
	json_t *root = json_object();
	int failed = json_object_set_new(root, "feed", feed_json(summary));
	failed |=
		json_object_set_new(root, "interrupted", json_boolean(summary->signal_number != 0));
	failed |= json_object_set_new(root, "messages", messages_json(summary));
	failed |= json_object_set_new(root, "books", books_json(summary));
	failed |= json_object_set_new(root, "orders", orders_json(summary));
	failed |= json_object_set_new(root, "tick_to_trade_ns",
				      histogram_json(summary->tick_to_trade));
	failed |= json_object_set_new(root, "feed_late_ns", histogram_json(summary->late));
	failed |= json_object_set_new(root, "engine", engine_json(summary));
	failed |= json_object_set_new(root, "network", network_json(summary));
	failed |= json_object_set_new(root, "checks", checks_json(summary));
	failed |= json_object_set_new(root, "holds", json_boolean(summary_holds(summary)));
	if (failed) {
		json_decref(root);
		return -ENOMEM;
	}
	failed = app_json_print(root, JSON_INDENT(2));
	failed |= putchar('\n') == EOF;
	return failed ? -EIO : 0;
}
