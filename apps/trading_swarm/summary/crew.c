/* SPDX-License-Identifier: Apache-2.0 */
#include "crew.h"

#include <string.h>

static void count_book(struct crew *crew, const struct book_agent *book)
{
	crew->received_count += book->received_count;
	crew->applied_count += book->applied_count;
	crew->symbol_count += book_set_count(book->set);
	crew->resting_count += book_set_orders(book->set);
	crew->top_count += book->top_count;
	crew->told_count += book->told_count;
	crew->superseded_count += book->superseded_count;
	crew->unfollowed_count += book->unfollowed_count;
	crew->match_count += book->match_count;
	for (int a = FEED_OK + 1; a < FEED_ANOMALY_LIMIT; a++)
		feed_counters_add(&crew->anomalies, (enum feed_anomaly)a, book->anomalies.count[a],
				  book->anomalies.first_place[a]);
}

/* What a position is worth at the middle of its book, or of its one side. */
static int64_t value_of(const struct swarm *swarm, uint32_t locate, int32_t position)
{
	const struct book_agent *agent = &swarm->books[locate % swarm->options->book_count];
	const struct swarm_top *top = &agent->views[locate].top;
	int64_t price = top->bid && top->ask ? ((int64_t)top->bid + top->ask) / 2
					     : (int64_t)top->bid + top->ask;
	return position * price;
}

static void count_positions(struct crew *crew, const struct swarm *swarm, uint32_t index)
{
	const struct strategy_agent *strategy = &swarm->strategies[index];
	const uint32_t step = swarm->options->strategy_count;
	for (uint32_t k = 0; k < SWARM_FOLLOWED_MAX && k * step + index < CREW_LOCATES; k++) {
		int32_t position = strategy->symbols[k].position;
		if (position == 0)
			continue;
		crew->positions[k * step + index] = position;
		crew->position_count++;
		crew->profit += value_of(swarm, k * step + index, position);
	}
}

void crew_count(struct crew *crew, const struct swarm *swarm)
{
	memset(crew, 0, sizeof(*crew));
	for (uint32_t i = 0; i < swarm->options->book_count; i++)
		count_book(crew, &swarm->books[i]);
	for (uint32_t i = 0; i < swarm->options->strategy_count; i++) {
		const struct strategy_agent *strategy = &swarm->strategies[i];
		crew->handled_count += strategy->top_count;
		crew->order_count += strategy->order_count;
		crew->held_count += strategy->held_count;
		crew->report_count += strategy->report_count;
		crew->traded_shares += strategy->bought_shares + strategy->sold_shares;
		crew->profit += strategy->cash;
		count_positions(crew, swarm, i);
	}
}
