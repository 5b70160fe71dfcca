/* SPDX-License-Identifier: Apache-2.0 */
#include "strategy_agent.h"

#include "tern_signal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOT 100
#define LOTS_MAX 4
#define THRESHOLD 300	  /* of the smoothed imbalance, 1/1000 */
#define STRONG_STEP 120	  /* a lot more for each such step above the threshold */
#define SKEW_PER_LOT 30	  /* what a lot held adds to the threshold */
#define PRESSURE_ONE 16	  /* fixed point: keeps small steps */
#define PRESSURE_SHARE 3  /* a new imbalance counts one in so many */
#define SPREAD_BP_MAX 100 /* wider markets are left alone */
#define COOLDOWN 4

int strategy_agent_init(struct strategy_agent *strategy)
{
	memset(strategy, 0, sizeof(*strategy));
	strategy->symbols = calloc(SWARM_FOLLOWED_MAX, sizeof(*strategy->symbols));
	if (!strategy->symbols)
		return -ENOMEM;
	return outbox_make(&strategy->outbox, 4);
}

void strategy_agent_fini(struct strategy_agent *strategy)
{
	outbox_free(&strategy->outbox);
	free(strategy->symbols);
	strategy->symbols = NULL;
}

static struct strategy_symbol *symbol_of(struct strategy_agent *strategy, uint64_t locate)
{
	return &strategy->symbols[locate / strategy->strategy_count];
}

static bool is_tradable(const struct swarm_top *top)
{
	if (top->bid == 0 || top->ask <= top->bid)
		return false;
	return (uint64_t)(top->ask - top->bid) * 10000 <= (uint64_t)top->bid * SPREAD_BP_MAX;
}

/* Returns the smoothed imbalance, -1000 (all sellers) to 1000 (all buyers). */
static int32_t update_pressure(struct strategy_symbol *symbol, const struct swarm_top *top)
{
	int64_t bid = top->bid_shares, ask = top->ask_shares;
	int32_t imbalance = (int32_t)((bid - ask) * 1000 * PRESSURE_ONE / (bid + ask));
	symbol->pressure += (imbalance - symbol->pressure) / PRESSURE_SHARE;
	return symbol->pressure / PRESSURE_ONE;
}

/* Shares to trade, negative to sell; 0: nothing. */
static int32_t decide(const struct strategy_symbol *symbol, int32_t pressure)
{
	int32_t skew = symbol->position / LOT * SKEW_PER_LOT;
	int32_t beyond =
		pressure - skew > 0 ? pressure - skew - THRESHOLD : skew - pressure - THRESHOLD;
	if (beyond < 0)
		return 0;
	int32_t lots = 1 + beyond / STRONG_STEP;
	lots = lots > LOTS_MAX ? LOTS_MAX : lots;
	return pressure - skew > 0 ? lots * LOT : -lots * LOT;
}

static void send_order(struct tern_agent *self, struct strategy_agent *strategy,
		       const struct swarm_top *top, int32_t shares) TERN_OWNS(self)
{
	struct strategy_symbol *symbol = symbol_of(strategy, top->locate);
	struct swarm_order order = {
		.id = (uint64_t)strategy->index << 48 | (strategy->order_count + 1),
		.released_ns = top->released_ns,
		.shares = (uint32_t)abs(shares),
		.price = shares > 0 ? top->ask : top->bid,
		.locate = (uint16_t)top->locate,
		.side = shares > 0 ? SWARM_BUY : SWARM_SELL,
		.strategy = (uint8_t)strategy->index,
	};
	if (tern_signal_bytes(self, strategy->risk, SWARM_ORDER, &order, sizeof(order)) != 0) {
		strategy->held_count++; /* the next top decides anew */
		return;
	}
	symbol->working = true;
	strategy->working_count++;
	strategy->order_count++;
}

static void on_top(struct tern_agent *self, struct strategy_agent *strategy,
		   const struct swarm_top *top) TERN_OWNS(self)
{
	struct strategy_symbol *symbol = symbol_of(strategy, top->locate);
	strategy->top_count++;
	if (!is_tradable(top))
		return;
	int32_t pressure = update_pressure(symbol, top);
	if (symbol->cooldown) {
		symbol->cooldown--;
		return;
	}
	if (symbol->working || strategy->working_count == SWARM_WORKING_MAX)
		return;
	int32_t shares = decide(symbol, pressure);
	if (shares)
		send_order(self, strategy, top, shares);
}

static void on_report(struct strategy_agent *strategy, const struct swarm_report *report)
{
	struct strategy_symbol *symbol = symbol_of(strategy, report->locate);
	int64_t value = (int64_t)report->filled * report->price;
	symbol->working = false;
	symbol->cooldown = COOLDOWN;
	strategy->working_count--;
	strategy->report_count++;
	if (report->side == SWARM_BUY) {
		symbol->position += (int32_t)report->filled;
		strategy->bought_shares += report->filled;
		strategy->cash -= value;
	} else {
		symbol->position -= (int32_t)report->filled;
		strategy->sold_shares += report->filled;
		strategy->cash += value;
	}
}

/* From every book: no top follows, so no order will. From risk: no report follows. */
static void on_end(struct tern_agent *self, struct strategy_agent *strategy,
		   struct tern_signal *signal) TERN_OWNS(self)
{
	const struct swarm_end end = {.sender = tern_self(self)};
	if (tern_signal_from(signal) == strategy->risk)
		outbox_send(self, &strategy->outbox, strategy->reader, SWARM_DONE, &end,
			    sizeof(end));
	else if (++strategy->ended_books == strategy->book_count)
		outbox_send(self, &strategy->outbox, strategy->risk, SWARM_END, &end, sizeof(end));
}

TERN_HANDLER(static, strategy_handler)
{
	struct strategy_agent *strategy = state;
	switch (tern_signal_type(signal)) {
	case SWARM_TOP:
		on_top(self, strategy, tern_signal_data(signal));
		break;
	case SWARM_REPORT:
		on_report(strategy, tern_signal_data(signal));
		break;
	case SWARM_END:
		on_end(self, strategy, signal);
		break;
	default:
		break;
	}
}

static void strategy_event(struct tern_agent *self, void *state, const struct tern_event *event)
	TERN_OWNS(self)
{
	struct strategy_agent *strategy = state;
	tern_outbox_event(self, &strategy->outbox, event);
}

const struct tern_behaviour strategy_agent_behaviour = {
	.name = "strategy", .handler = strategy_handler, .on_event = strategy_event};
