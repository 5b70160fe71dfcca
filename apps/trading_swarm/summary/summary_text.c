/* SPDX-License-Identifier: Apache-2.0 */
#include "summary.h"

#include "app.h"
#include "human_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void row(const char *label, uint64_t count, const char *text)
{
	char number[APP_TEXT_MAX];
	printf("  %-22s %14s  %s\n", label, app_count_text(number, count), text);
}

static void row_if(const char *label, uint64_t count, const char *text)
{
	if (count)
		row(label, count, text);
}

static void print_dollars(const char *label, int64_t price, const char *text)
{
	char number[APP_TEXT_MAX], signed_number[APP_TEXT_MAX + 1];
	uint64_t dollars = (uint64_t)(price < 0 ? -price : price) / 10000;
	snprintf(signed_number, sizeof(signed_number), "%s%s", price < 0 ? "-" : "",
		 app_count_text(number, dollars));
	printf("  %-22s %14s  %s\n", label, signed_number, text);
}

static void print_cpus(const struct summary *summary)
{
	for (uint32_t i = 0; i < summary->lcore_count; i++)
		printf("%s%u", i ? "," : "", summary->lcores[i].cpu);
}

static const char *page_text(const struct tern_memory *memory)
{
	if (memory->page_bytes >= 1u << 30)
		return "1 GiB pages";
	if (memory->page_bytes >= 1u << 21)
		return "2 MiB pages";
	return memory->transparent ? "4 KiB pages, transparent huge pages asked for"
				   : "4 KiB pages";
}

static void print_head(const struct summary *summary)
{
	const struct options *options = summary->options;
	char pace[APP_TEXT_MAX];
	pace_describe(&options->pace, pace, sizeof(pace));
	printf("Tern trading swarm%s\n",
	       summary->signal_number ? ", interrupted: the results so far" : "");
	if (options->feed_path) {
		fputs("  feed     ", stdout);
		app_plain_print(options->feed_path, stdout);
		printf(" (%s), %s\n", summary->format, pace);
	} else {
		printf("  feed     generated, seed %" PRIu64 ", %u symbols, %s\n", options->seed,
		       options->symbol_count, pace);
	}
	printf("  agents   1 feed handler, %u books, %u strategies, 1 risk, 1 executor\n",
	       options->book_count, options->strategy_count);
	if (summary->peer_count)
		printf("  nodes    feed, risk and executor on node 1, books and strategies on 2\n");
	printf("  lcores   %u on CPU ", summary->lcore_count);
	print_cpus(summary);
	printf("%s\n", summary->lcore_count == 1 ? ": all agents share it" : "");
	printf("  memory   %.1f MiB in %s; lanes %.1f MiB\n",
	       (double)summary->memory.bytes / (1 << 20), page_text(&summary->memory),
	       (double)summary->memory.lane_bytes / (1 << 20));
}

static void print_messages(const struct summary *summary)
{
	char rate[APP_TEXT_MAX], text[2 * APP_TEXT_MAX];
	double seconds = summary->seconds > 0 ? summary->seconds : 1e-9;
	uint64_t per_second = (uint64_t)((double)summary->message_count / seconds);
	snprintf(text, sizeof(text), "in %.3f s: %s a second", summary->seconds,
		 app_count_text(rate, summary->seconds > 0 ? per_second : 0));
	printf("\nMessages\n");
	row("all", summary->message_count, text);
	for (int type = 0; type < 256; type++) {
		const char *name = itch_name((char)type);
		char label[2 + TERN_PLAIN_CHAR_MAX] = "  ";
		tern_plain_char(TERN_PLAIN_TEXT, &(char){(char)type}, 1, label + 2);
		if (summary->types[type])
			row(label, summary->types[type], name ? name : "");
	}
	row("applied to books", summary->crew->applied_count, "");
	row("informative", summary->informative_count, "of no concern to a book");
	row_if("discarded", summary->discarded_count, "read, but not released when interrupted");
	for (int i = FEED_OK + 1; i < FEED_ANOMALY_LIMIT; i++) {
		const struct feed_anomaly_info *info = feed_anomaly_info((enum feed_anomaly)i);
		row_if(info->name, summary->anomalies.count[i], info->text);
	}
}

static void print_books(const struct summary *summary)
{
	printf("\nBooks\n");
	row("symbols", summary->crew->symbol_count, "");
	row("resting orders", summary->crew->resting_count, "at the end");
	row("new best prices", summary->crew->top_count, "");
	row("conflated", summary->conflated_count,
	    "replaced by a newer one before their strategy ran");
	row_if("superseded", summary->crew->superseded_count,
	       "replaced by a newer one while the lane was full");
	row_if("not followed", summary->crew->unfollowed_count,
	       "of symbols beyond 3,072 a strategy: raise --strategies");
	row_if("feed stalls", summary->stall_count,
	       "messages that waited for a book or lane with room");
}

static void print_orders(const struct summary *summary)
{
#define OUTCOME_TEXT(constant, name, text) text,
	static const char *const texts[] = {SWARM_OUTCOMES(OUTCOME_TEXT)};
#define OUTCOME_NAME(constant, name, text) #name,
	static const char *const names[] = {SWARM_OUTCOMES(OUTCOME_NAME)};
	printf("\nOrders\n");
	row("all", summary->crew->order_count, "");
	for (int i = 0; i < SWARM_OUTCOME_LIMIT; i++) {
		char label[APP_TEXT_MAX];
		snprintf(label, sizeof(label), "  %s", names[i]);
		for (char *c = label; *c; c++)
			*c = *c == '_' ? ' ' : *c;
		row(label, summary->outcomes[i], texts[i]);
	}
	for (int i = 0; i < RISK_LIMIT_COUNT; i++) {
		char label[APP_TEXT_MAX], text[2 * APP_TEXT_MAX], limit[APP_TEXT_MAX];
		snprintf(label, sizeof(label), "    %s", risk_limit_name((enum risk_limit)i));
		snprintf(text, sizeof(text), "limit %s %s",
			 app_count_text(limit, summary->options->limits.max[i]),
			 risk_limit_text((enum risk_limit)i));
		row(label, summary->refused[i], text);
	}
	row_if("held back", summary->crew->held_count, "not sent, as risk pushed back");
	row("fills", summary->outcomes[SWARM_FILLED] + summary->outcomes[SWARM_PARTLY], "");
	row("shares bought", summary->bought_shares, "");
	row("shares sold", summary->sold_shares, "");
	print_dollars("turnover", (int64_t)summary->turnover, "dollars");
	row("positions open", summary->crew->position_count, "symbols");
	print_dollars("profit", summary->crew->profit,
		      "dollars, positions at the middle of their books");
}

static void print_percentiles(const char *label, const struct tern_histogram *histogram)
{
	static const double percentiles[] = {50, 99, 99.9};
	char text[APP_TEXT_MAX];
	printf("  %-22s", label);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		printf(" %11s",
		       app_ns_text(text, tern_histogram_percentile(histogram, percentiles[i])));
	printf(" %11s", app_ns_text(text, histogram->max));
	printf(" %12s\n", app_count_text(text, histogram->count));
}

static void print_latency(const struct summary *summary)
{
	if (!summary->tick_to_trade) {
		printf("\nLatency: not measured at full speed; give --rate or a --speed\n");
		return;
	}
	printf("\n%-24s %11s %11s %11s %11s %12s\n", "Latency", "p50", "p99", "p99.9", "max",
	       "count");
	print_percentiles("tick to trade", summary->tick_to_trade);
	print_percentiles("  of it: feed late", summary->late);
}

static void print_hop(const struct summary_hop *hop)
{
	char p50[APP_TEXT_MAX], p99[APP_TEXT_MAX];
	if (hop->count == 0) {
		printf(" %9s %9s", "-", "-");
		return;
	}
	printf(" %9s %9s", app_ns_text(p50, hop->p50_ns), app_ns_text(p99, hop->p99_ns));
}

/* Of two nodes: NODE/LCORE. */
static const char *lcore_text(char text[APP_TEXT_MAX], uint32_t node, uint32_t lcore)
{
	if (node)
		snprintf(text, APP_TEXT_MAX, "%u/%u", node, lcore);
	else
		snprintf(text, APP_TEXT_MAX, "%u", lcore);
	return text;
}

static void print_agents(const struct summary *summary)
{
	printf("\n%-12s %5s %11s %11s %9s %9s %19s %19s %19s\n", "Agents", "", "", "", "", "",
	       "--- lane p50/p99 --", "-- queue p50/p99 --", "- handler p50/p99 -");
	printf("  %-10s %5s %11s %11s %9s %9s", "", "lcore", "in", "out", "pressured", "dropped");
	for (int i = 0; i < TERN_HOPS; i++)
		printf(" %9s %9s", "p50", "p99");
	putchar('\n');
	for (uint32_t i = 0; i < summary->agent_count; i++) {
		const struct summary_agent *agent = &summary->agents[i];
		const struct tern_agent_stats *stats = &agent->stats;
		char in[APP_TEXT_MAX], out[APP_TEXT_MAX];
		char lcore[APP_TEXT_MAX];
		printf("  %-10s %5s %11s %11s %9" PRIu64 " %9" PRIu64, stats->name,
		       lcore_text(lcore, agent->node, stats->lcore),
		       app_count_text(in, stats->signals_in),
		       app_count_text(out, stats->signals_out), stats->pressured, stats->dropped);
		for (int k = 0; k < TERN_HOPS; k++)
			print_hop(&agent->hops[k]);
		putchar('\n');
	}
}

static void print_lcores(const struct summary *summary)
{
	printf("\n%-12s %5s %11s %11s %11s %9s %10s\n", "Lcores", "CPU", "handled", "in place",
	       "queued", "lane full", "idle turns");
	for (uint32_t i = 0; i < summary->lcore_count; i++) {
		const struct tern_lcore_stats *stats = &summary->lcores[i].stats;
		char handled[APP_TEXT_MAX], in_place[APP_TEXT_MAX], queued[APP_TEXT_MAX];
		uint64_t turns = stats->turns + stats->idle_turns;
		char name[APP_TEXT_MAX];
		printf("  %-10s %5u %11s %11s %11s %9" PRIu64 " %8.1f %%\n",
		       lcore_text(name, summary->lcores[i].node, summary->lcores[i].index),
		       summary->lcores[i].cpu, app_count_text(handled, stats->handled),
		       app_count_text(in_place, stats->in_place),
		       app_count_text(queued, stats->queued), stats->refused_lane,
		       turns ? 100.0 * (double)stats->idle_turns / (double)turns : 0.0);
	}
}

static void print_network(const struct summary *summary)
{
	if (summary->peer_count)
		printf("\n%-12s %11s %11s %11s %11s %11s\n", "Network", "signals", "frames",
		       "sent again", "duplicates", "round trip");
	for (uint32_t i = 0; i < summary->peer_count; i++) {
		const struct tern_peer *peer = &summary->peers[i];
		char name[APP_TEXT_MAX], texts[5][APP_TEXT_MAX];
		snprintf(name, sizeof(name), "%u to %u", i + 1, peer->node);
		printf("  %-10s %11s %11s %11s %11s %11s\n", name,
		       app_count_text(texts[0], peer->signals_out),
		       app_count_text(texts[1], peer->frames_out),
		       app_count_text(texts[2], peer->retransmitted),
		       app_count_text(texts[3], peer->duplicates),
		       app_ns_text(texts[4], peer->srtt_ns));
	}
}

static void print_checks(const struct summary *summary)
{
	uint32_t held = 0;
	for (uint32_t i = 0; i < summary->check_count; i++)
		held += summary->checks[i].left == summary->checks[i].right;
	printf("\nStop: %s, %" PRIu64 " signals undelivered, %" PRIu64 " blocks leaked\n",
	       summary->stop.drained ? "drained" : "NOT drained", summary->stop.undelivered,
	       summary->stop.blocks_leaked);
	printf("Checks: %u of %u counts agree%s\n", held, summary->check_count,
	       summary->finished ? "" : "; agents did NOT finish");
}

int summary_print(const struct summary *summary)
{
	print_head(summary);
	print_messages(summary);
	print_books(summary);
	print_orders(summary);
	print_latency(summary);
	print_agents(summary);
	print_lcores(summary);
	print_network(summary);
	print_checks(summary);
	return ferror(stdout) ? -EIO : 0;
}
